"""The schema files are the single truth: complete, and in step with what documents are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from engine.documents.checking import check
from engine.documents.formats import FORMATS
from engine.documents.model import (
    DEFAULT_IDLE_AFTER,
    Bucket,
    Guards,
    Incremental,
    MaxDeletes,
    Schedule,
    Terms,
)
from engine.documents.nodes import Node
from engine.documents.parsing import parse
from engine.documents.policies import changes_of
from engine.documents.shapes import KINDS, SCHEMA_FILES, Shape, schema_text, shape_of
from engine.documents.terms import changed

SCHEMAS = {kind: json.loads(schema_text(SCHEMA_FILES[kind])) for kind in KINDS}
TOP = Path(__file__).parents[2] / "schemas"

GOOD: dict[str, Any] = {
    "estate": {
        "version": 1,
        "kind": "estate",
        "name": "acme",
        "account_defaults": {"role": "backup-engine", "regions": ["eu-west-1"]},
        "accounts": {"prod": {"id": "111111111111", "role": None, "external_id": "acme"}},
        "targets": {
            "local": {"account": "prod", "region": "eu-west-1", "key": "alias/backups"},
            "near": {"by_source_region": {"eu-west-1": "local"}},
        },
        "defaults": {"timezone": "Europe/Berlin", "snapshots": {"schedule": {"every": "1d"}}},
        "guards": {
            "max_deletes": {"count": 50, "percent": 20},
            "min_points": 2,
            "full_copies": {"count": 3, "gib": 100},
            "acknowledged": ["3f1c9ad2e0b47a55"],
        },
        "retire": [{"policy": "old", "locations": "prod/*", "reason": "gone"}],
        "state": {"s3": {"account": "a", "bucket": "acme", "prefix": "a/b", "region": "eu-west-1"}},
        "prices": {
            "snapshots": {"eu-west-1": 0.095, "eu-central-1": "0.09-0.1"},
            "transfer": {"eu-west-1 to eu-central-1": 0},
        },
    },
    "accounts": {
        "version": 1,
        "kind": "accounts",
        "accounts": {"prod": {"id": "111111111111", "regions": ["eu-west-1"], "rekey": "alias/a"}},
    },
    "policy": {
        "version": 1,
        "kind": "policy",
        "name": "gold",
        "formerly": ["silver"],
        "select": {
            "accounts": ["prod"],
            "tags": {"tier": "gold", "team": ["a", "b"]},
            "exclude": [{"identifiers": ["*-scratch"]}],
            "replicas": False,
            "rest": True,
        },
        "timezone": "UTC",
        "snapshots": {
            "schedule": {"cron": "0 2 * * *", "window": "02:00-05:00", "catch_up": "none"},
            "source": {
                "replica": "*-backup",
                "availability_zone": "euw1-az3",
                "max_lag": "15m",
                "fallback": "none",
            },
            "from": "automated",
            "tags": {"cost-centre": "42"},
            "retention": {"keep": {"last": 3, "yearly": "all", "within": "36h"}},
            "incremental": "prefer",
            "changed_per_day": "1-5%",
            "copies": [
                {"target": "a", "every": "1d", "backfill": "all", "retention": {"keep": {}}},
                {"target": "b", "backfill": 3},
            ],
        },
        "objectives": {
            "rpo": "26h",
            "rto": None,
            "survive": ["one_failover", {"missed_runs": "2h"}],
        },
        "orphans": {"keep_for": "18mo", "keep_last": 1},
        "chains": {"idle_after": "90d"},
        "hold": "case 17",
        "events": [{"at": "2026-12-01T20:00Z", "reason": "upgrade to 17", "keep_for": "30d"}],
        "failover": {"preferred_az": "euw1-az1", "fail_back": "propose"},
        "overrides": [{"select": {"engines": ["mysql"]}, "snapshots": None}],
    },
    "fleet": {
        "version": 1,
        "kind": "fleet",
        "databases": [
            {
                "account": "prod",
                "region": "eu-west-1",
                "identifier": "orders-{n}",
                "count": 3,
                "engine": "postgres",
                "zones": ["eu-west-1a", "eu-west-1b"],
                "key": "alias/orders",
                "gib": 100,
                "change": 2,
                "tags": {"tier": "gold"},
                "automated_backups": {"retention_days": 7, "window": "00:00-00:30"},
            }
        ],
        "quotas": [{"account": "prod", "region": "eu-west-1", "manual_snapshots": 500}],
    },
    "events": {
        "version": 1,
        "kind": "events",
        "events": [
            {"at": "2026-12-01T20:00Z", "fail_over": "prod/eu-west-1/orders-1"},
            {"at": "2026-12-01T20:00Z", "outage": {"account": "prod", "for": "6h"}},
            {"at": "2026-12-01T20:00Z", "rotate_key": {"target": "a", "to": "alias/b"}},
            {"at": "2026-12-01T20:00Z", "miss_runs": {"for": "2d"}},
            {"at": "2026-12-01T20:00Z", "grow": {"source": "prod/*/*", "gib": 200}},
        ],
    },
    "controls": {
        "version": 1,
        "kind": "controls",
        "controls": [
            {
                "id": "BK-1",
                "title": "two accounts",
                "severity": "warning",
                "select": {"tags": {"tier": "gold"}, "exclude": [{"engines": ["mysql"]}]},
                "require": {"points_in": {"accounts": 2, "younger_than": "8d"}},
                "exceptions": [
                    {"select": {"identifiers": ["a"]}, "reason": "b", "expires": "2027-03-31"}
                ],
            },
            {"id": "covered", "require": {"covered": True}},
            {"id": "gap", "require": {"no_gap": {"longer_than": "26h", "within": "14d"}}},
        ],
    },
}


def validator(kind: str) -> Draft202012Validator:
    """The library's own reading of a schema, with the formats that a pattern cannot say."""
    resources = [(SCHEMA_FILES[k], Resource.from_contents(SCHEMAS[k])) for k in KINDS]
    formats = FormatChecker(formats=())
    for name, problem_of in FORMATS.items():
        formats.checks(name)(
            lambda value, of=problem_of: not isinstance(value, str) or of(value) is None
        )
    registry: Registry[Any] = Registry().with_resources(resources)
    return Draft202012Validator(SCHEMAS[kind], registry=registry, format_checker=formats)


VALIDATORS = {kind: validator(kind) for kind in KINDS}


def node_of(document: Any) -> Node:
    """A document as nodes: JSON is YAML."""
    parsed = parse(json.dumps(document), "x.yaml")
    assert not parsed.diagnostics, parsed.diagnostics
    return parsed.roots[0]


def fields(shape: Shape, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Shape]]:
    """Every field of a kind of document, those of lists and free maps too."""
    parts = [*shape.children()]
    parts += [("*", part) for part in (shape.items, shape.extra) if part is not None]
    for name, part in parts:
        yield ".".join((*path, name)), part
        yield from fields(part, (*path, name))


ALL_FIELDS = [
    pytest.param(part, id=f"{kind}:{path}")
    for kind in KINDS
    for path, part in fields(shape_of(kind))
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_a_schema_of_2020_12(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind])
    assert SCHEMAS[kind]["$id"] == SCHEMA_FILES[kind]
    assert SCHEMAS[kind] == json.loads((TOP / SCHEMA_FILES[kind]).read_text())


@pytest.mark.parametrize("shape", ALL_FIELDS)
def test_every_field_has_a_description_and_an_example(shape: Shape) -> None:
    assert shape.description.endswith(".")
    assert shape.examples


@pytest.mark.parametrize("shape", ALL_FIELDS)
def test_every_example_is_accepted(shape: Shape) -> None:
    if shape.is_later:
        return
    for example in shape.examples:
        assert check(node_of(example), shape) == []


@pytest.mark.parametrize("kind", KINDS)
def test_maps_of_known_keys_are_closed(kind: str) -> None:
    for path, part in [("", shape_of(kind)), *fields(shape_of(kind))]:
        if part.properties is not None:
            assert part.closed, path


@pytest.mark.parametrize("kind", KINDS)
def test_the_good_document_is_good_for_the_library_too(kind: str) -> None:
    assert check(node_of(GOOD[kind]), shape_of(kind)) == []
    assert VALIDATORS[kind].is_valid(GOOD[kind])


# -- the schema and the reader agree ---------------------------------------------------------------

TEXTS = (
    *("", "*", "all", "1d", "36h", "90m", "1mo", "5h", "02:00-05:00", "02:00-02:00", "gold"),
    *("eu-west-1", "alias/a", "111111111111", "require", "instance", "UTC", "a/b", "a/b/c"),
    *("0.09-0.1", "0.2-0.1", "2%", "5-1%", "101%"),
    *("0 2 * * *", "aws:x", "a-[b", " a", "Gold", "x" * 300, "none", "estate", "policy"),
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 120),
    st.integers(),
    st.sampled_from([1.5, -0.5]),
    st.sampled_from(TEXTS),
    st.just({}),
    st.just([]),
    st.lists(st.sampled_from(["a", "b", "eu-west-1"]), max_size=3),
    st.just({"every": "1d"}),
    st.just({"every": "1d", "cron": "0 2 * * *"}),
    st.just({"rest": True}),
    st.just({"replica": "x"}),
)
KEYS = st.sampled_from(
    (
        *("name", "select", "rest", "keep", "daily", "every", "cron", "hold", "state", "id"),
        *("regions", "key", "target", "by_source_region", "x", "tags", "events", "identifiers"),
        *("share_with", "prices", "snapshots", "eu-west-1"),
    )
)


@st.composite
def mutated(draw: st.DrawFn, kind: str) -> Any:
    """A good document in which something was replaced, removed or added."""
    document = deepcopy(GOOD[kind])
    for _ in range(draw(st.integers(1, 3))):
        spots = list(spots_of(document))
        container, key = draw(st.sampled_from(spots))
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "replace":
            container[key] = deepcopy(draw(VALUES))
        elif action == "remove":
            del container[key]
        elif isinstance(container, dict):
            container[draw(KEYS)] = deepcopy(draw(VALUES))
        else:
            container.append(deepcopy(draw(VALUES)))
        if not isinstance(document, dict) or not document:
            break
    document["kind"] = kind
    return document


def spots_of(document: Any) -> Iterator[tuple[Any, Any]]:
    keys = document.keys() if isinstance(document, dict) else range(len(document))
    for key in [*keys]:
        yield document, key
        if isinstance(document[key], dict | list):
            yield from spots_of(document[key])


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_reader_and_the_library_accept_and_refuse_the_same(
    kind: str, data: st.DataObject
) -> None:
    document = data.draw(mutated(kind))
    told = check(node_of(document), shape_of(kind))
    assert VALIDATORS[kind].is_valid(document) == (not told), told


@pytest.mark.parametrize("name", ["span", "elapsed", "days", "period"])
@settings(max_examples=200, deadline=None)
@given(
    text=st.one_of(
        st.from_regex(r"([0-9]{0,3}(y|mo|w|d|h|m|s|D|x| )){0,4}", fullmatch=True),
        st.text("0123456789ymowdhs -", max_size=8),
    )
)
def test_what_a_format_takes_its_pattern_takes_too(name: str, text: str) -> None:
    patterns = {
        part.pattern
        for kind in KINDS
        for _, part in fields(shape_of(kind))
        if part.format == name and part.pattern is not None
    }
    assert patterns
    if FORMATS[name](text) is None:
        assert all(pattern.search(text) for pattern in patterns)


# -- defaults --------------------------------------------------------------------------------------


def terms_of(yaml: str) -> Terms:
    terms = Terms()
    table = parse(yaml, "x.yaml").roots[0]
    for path, value in changes_of(table).items():  # type: ignore[arg-type] # a map is a table
        terms = changed(terms, path, value)
    return terms


def test_the_defaults_of_the_schema_are_those_of_the_values() -> None:
    policy = dict(fields(shape_of("policy")))
    snapshots = {
        name: policy[f"snapshots.{name}"].default
        for name in ("schedule", "source", "tags", "incremental", "copies")
    }
    said = {
        "timezone": policy["timezone"].default,
        "snapshots": snapshots,
        "chains": {"idle_after": policy["chains.idle_after"].default},
    }
    assert terms_of(json.dumps(said)) == Terms()
    assert Terms().idle_after == DEFAULT_IDLE_AFTER
    assert Incremental(snapshots["incremental"]) is Terms().snapshots.incremental
    every = terms_of("snapshots: {schedule: {every: 1d}}").snapshots.schedule
    assert isinstance(every, Schedule)
    assert every.catch_up == policy["snapshots.schedule.catch_up"].default
    orphans = terms_of("orphans: {keep_for: 1d}").orphans
    assert orphans is not None
    assert orphans.keep_last == policy["orphans.keep_last"].default


def test_the_defaults_of_guards_in_the_schema_are_those_of_the_values() -> None:
    estate = dict(fields(shape_of("estate")))
    assert estate["guards.min_points"].default == Guards().min_points
    assert estate["guards.max_deletes.count"].default == MaxDeletes().count
    assert estate["guards.max_deletes.percent"].default == MaxDeletes().percent
    assert estate["state.s3.prefix"].default == Bucket("a", "b", "c").prefix


def test_a_schema_with_a_keyword_that_is_not_understood_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.documents import shapes

    monkeypatch.setattr(shapes, "_schema", lambda _: {"multipleOf": 2})
    shape_of.cache_clear()
    with pytest.raises(ValueError, match="multipleOf"):
        shape_of("policy")
    shape_of.cache_clear()


def test_there_is_no_schema_of_an_unknown_name() -> None:
    with pytest.raises(FileNotFoundError):
        schema_text("nothing.v1.json")
