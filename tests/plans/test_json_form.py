"""Plans as documents: the same bytes for the same plan, and strict reading."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EngineError, ExitCode, StaleError
from engine.plans.codes import KeepReason
from engine.plans.json_form import dumps, loads
from engine.plans.plan import Plan
from engine.plans.seal import sealed
from tests.plans.samples import SAMPLES, kept, recorded, small, source, thin_path
from tests.plans.strategies import plans

Document = dict[str, Any]


@pytest.mark.parametrize("make", SAMPLES.values(), ids=SAMPLES)
def test_a_sample_survives_writing_and_reading(make: Callable[[], Plan]) -> None:
    plan = make()
    assert loads(dumps(plan), "plan.json") == plan
    assert loads(dumps(plan, indent=False), "plan.json") == plan


@given(plans)
@settings(max_examples=150, deadline=None)
def test_any_plan_survives_writing_and_reading(plan: Plan) -> None:
    document = dumps(plan)
    again = loads(document, "plan.json")
    assert again == plan
    assert dumps(again) == document


PLAN_KEYS = """
    format_version engine_version estate as_of expires_at policies_digest digest inventory summary
    steps kept waiting unprotected unmanaged conflicts drift warnings next guards findings only
    exclude complete errored retained afterwards foreign_orphans holds
    objectives costs consequences copy_trees idle_chains seal
"""
STEP_KEYS = """
    id action actions policy arn source slot location snapshot parameters reason forecast depends_on
    withheld_by preconditions
"""


def test_keys_stand_in_the_order_of_the_contract() -> None:
    document = json.loads(dumps(small()))
    assert list(document) == PLAN_KEYS.split()
    assert list(document["steps"][0]) == STEP_KEYS.split()
    assert document["steps"][0]["preconditions"][0] == {
        "check": "owned",
        "arn": document["steps"][0]["arn"],
        "is": document["steps"][0]["snapshot"][-8:],
    }


def test_equal_plans_give_equal_bytes_whatever_the_order_of_parameters() -> None:
    plan = thin_path()
    turned = tuple(
        replace(step, parameters=MappingProxyType(dict(reversed(list(step.parameters.items())))))
        for step in plan.steps
    )
    assert dumps(replace(plan, steps=turned)) == dumps(plan)


def test_times_are_written_in_utc_with_seconds() -> None:
    plan = recorded()
    berlin = timezone(timedelta(hours=1))
    moved = replace(
        plan,
        as_of=plan.as_of.astimezone(berlin) + timedelta(microseconds=999_999),
        expires_at=plan.expires_at.astimezone(berlin),
        inventory=replace(
            plan.inventory, taken_at=plan.as_of.astimezone(berlin) - timedelta(days=1)
        ),
        steps=tuple(
            replace(step, slot=step.slot.astimezone(berlin) if step.slot else None)
            for step in plan.steps
        ),
        kept=tuple(replace(one, slot=one.slot + timedelta(microseconds=1)) for one in plan.kept),
    )
    assert dumps(moved) == dumps(plan)
    assert b'"as_of": "2026-11-21T02:10:00Z"' in dumps(moved)


def test_a_time_without_a_zone_is_refused() -> None:
    naive = replace(thin_path(), as_of=datetime(2026, 11, 21))  # noqa: DTZ001  # the point
    with pytest.raises(ValueError, match="has no time zone"):
        dumps(naive)


def test_a_hundred_thousand_kept_objects_are_written_within_a_second() -> None:
    one = kept(source("orders-1"), 1, KeepReason.DAILY, KeepReason.CHAIN_BASE)
    plan = replace(thin_path(), kept=(one,) * 100_000)
    before = time.process_time()
    document = dumps(plan)
    assert time.process_time() - before < 1
    assert document.count(b'"chain_base"') == 100_000


# -- reading -------------------------------------------------------------------------------------


def edited(edit: Callable[[Document], object], plan: Plan | None = None) -> bytes:
    document = json.loads(dumps(plan or thin_path()))
    edit(document)
    return json.dumps(document).encode()


def resealed(edit: Callable[[Document], object]) -> bytes:
    """A plan as an engine would have written it that knows what `edit` does."""
    document = json.loads(edited(edit))
    del document["seal"]
    return sealed(json.dumps(document, separators=(",", ":")).encode())


def test_keys_that_a_minor_version_adds_are_ignored() -> None:
    def widen(document: Document) -> None:
        document["format_version"] = "1.7"
        document["mood"] = {"nested": [1, 2]}
        document["steps"][0]["cost"] = 3
        document["steps"][0]["preconditions"][0]["since"] = "1.7"

    plan = loads(resealed(widen), "plan.json")
    assert plan == replace(thin_path(), format_version="1.7")


def test_keys_with_a_meaning_when_absent_may_be_missing() -> None:
    def thin(document: Document) -> None:
        for key in ("waiting", "findings", "only", "exclude", "complete", "errored"):
            del document[key]

    assert loads(resealed(thin), "plan.json") == thin_path()


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("2.0", "cannot read"),
        ("11.3", "cannot read"),
        ("0.9", "no longer read"),
        ("1", "is '1'"),
        ("", "is ''"),
        ("1.0.0", "is '1.0.0'"),
        ("one", "is 'one'"),
        ("9999999999999.0", "is '9999999999999.0'"),
    ],
)
def test_a_format_version_of_another_kind_is_refused(version: str, says: str) -> None:
    data = edited(lambda document: document.update(format_version=version))
    with pytest.raises(EngineError, match=says) as caught:
        loads(data, "plan.json")
    assert caught.value.where == "plan.json"
    assert "engine plan -out" in str(caught.value.fix)


def test_a_later_major_version_names_the_engine_that_can_read_it() -> None:
    data = b'{"format_version": "2.0", "engine_version": "7.1.0", "steps": "moved"}'
    with pytest.raises(EngineError) as caught:
        loads(data, "plan.json")
    assert "use engine 7.1.0" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("data", "says", "where"),
    [
        (b"", "the plan is empty", "p.json"),
        (b" \n\t", "the plan is empty", "p.json"),
        (b"{", "breaks off", "p.json"),
        (b'{"format_version": "1.0"', "breaks off", "p.json"),
        (b"version: 1\nkind: estate\n", "it is not JSON", "p.json:1:1"),
        (b'{"format_version": "1.0",\n  oops}', "it is not JSON", "p.json:2:3"),
        (b"[]", "expected `object`, got `array`", "p.json"),
        (b"{}", "missing required field `format_version`", "p.json"),
        (b'{"format_version": "1.0"}', "missing required field", "p.json"),
        (b'{"format_version": 1}', "format_version: expected `str`, got `int`", "p.json"),
        (b'{"format_version": "\xff"}', "it is not UTF-8 text", "p.json"),
        (b"\x89PNG\r\n\x1a\n\x00", "it is not JSON", "p.json:1:1"),
        (b'{"format_version": "1.0", "x": ' + b"[" * 100_000, "nested too deeply", "p.json"),
    ],
)
def test_what_is_no_plan_is_refused_with_its_place(data: bytes, says: str, where: str) -> None:
    with pytest.raises(EngineError) as caught:
        loads(data, "p.json")
    assert says in caught.value.what
    assert caught.value.where == where
    assert caught.value.fix


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda d: d["steps"][0].update(action="explode"), "at steps[0].action: invalid enum"),
        (lambda d: d["steps"][1].update(slot=7), "at steps[1].slot: expected `datetime"),
        (lambda d: d["kept"][0].update(slot="yesterday"), "at kept[0].slot: invalid rfc3339"),
        (lambda d: d["kept"][0].update(slot="2026-11-21T02:00:00"), "kept[0].slot: 2026-11-21T02"),
        (lambda d: d.update(as_of="2026-11-21T03:10:00+01:00"), "at as_of: 2026-11-21T03:10:00+01"),
        (lambda d: d["summary"].update(delete="8"), "at summary.delete: expected `int`"),
        (lambda d: d["steps"][0].update(depends_on=["no:such"]), "no step is no:such"),
        (lambda d: d["steps"].append(d["steps"][0]), "steps[5]: create:111111111111/"),
        (lambda d: d["steps"][0].update(parameters=[]), "at steps[0].parameters: expected"),
        (lambda d: d["steps"][0]["forecast"].update(gib=[1]), "at steps[0].forecast.gib"),
    ],
)
def test_damage_is_named_with_its_place(edit: Callable[[Document], object], says: str) -> None:
    with pytest.raises(EngineError) as caught:
        loads(edited(edit), "p.json")
    assert says in caught.value.what
    assert caught.value.what.startswith("the plan is damaged at ")


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["steps"][4]["parameters"].update(DBSnapshotIdentifier="another"),
        lambda d: d["steps"][4]["preconditions"].clear(),
        lambda d: d["steps"].pop(),
        lambda d: d["steps"][4].update(depends_on=[]),
        lambda d: d.update(digest="sha256:0"),
    ],
)
def test_steps_that_the_digest_does_not_name_are_stale(edit: Callable[[Document], object]) -> None:
    with pytest.raises(StaleError) as caught:
        loads(edited(edit), "p.json")
    assert caught.value.exit_code is ExitCode.STALE
    assert "not edited by hand" in str(caught.value.fix)


@given(st.binary(max_size=60))
def test_random_bytes_are_refused_with_a_typed_error(data: bytes) -> None:
    with pytest.raises(EngineError):
        loads(data, "p.json")


WHOLE = dumps(small())


@given(st.integers(0, len(WHOLE) - 2))
@settings(deadline=None)
def test_a_plan_cut_short_anywhere_is_refused(length: int) -> None:
    with pytest.raises(EngineError, match=r"breaks off|is empty"):
        loads(WHOLE[:length], "p.json")


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=1))
@settings(deadline=None)
def test_a_byte_changed_anywhere_is_refused_or_harmless(place: int, byte: bytes) -> None:
    data = WHOLE[:place] + byte + WHOLE[place + 1 :]
    try:
        plan = loads(data, "p.json")
    except EngineError:
        return
    assert plan == small()


def test_utc_is_the_zone_of_what_is_read() -> None:
    assert loads(dumps(thin_path()), "p.json").as_of.tzinfo is UTC
