"""Nodes that fit their shape -> typed policies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from engine.documents.formats import bounds_of
from engine.documents.model import (
    DEFAULT_IDLE_AFTER,
    DEFAULT_QUIET,
    HOME,
    UTC_ZONE,
    CatchUp,
    Condition,
    CopyRule,
    Cron,
    Every,
    FailBack,
    Fallback,
    Incremental,
    MadeOf,
    OneOff,
    Override,
    Path,
    Policy,
    ReplicaSource,
    Replicating,
    Replication,
    Schedule,
    Select,
    ShareRule,
    Terms,
    Topology,
    Window,
)
from engine.documents.nodes import Leaf, Node, Table, plain
from engine.documents.objective_model import Disturbance, Disturbed
from engine.documents.terms import TAGS, changed
from engine.inventory.records import Kind
from engine.retention.keep import ALL, COUNTED, Count, Keep
from engine.retention.spans import Minutes, Span, parse_span


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A policy as nodes: `body` with the defaults merged under it, its overrides as written.

    Each node of `body` stands where the file that set it says, so it is the answer to "who set
    this?".
    """

    name: str
    body: Table
    overrides: tuple[Table, ...]
    document: Table


def policy_of(source: PolicySource) -> Policy:
    """Return the policy of nodes that fit their shape."""
    data = plain(source.body)
    terms = Terms()
    for path, value in changes_of(source.body).items():
        terms = changed(terms, path, value)
    return Policy(
        name=source.name,
        select=select_of(data["select"]),
        terms=terms,
        formerly=tuple(data.get("formerly", ())),
        overrides=tuple(_override(table) for table in source.overrides),
        place=source.document.place,
        protects=Kind(data.get("protects") or Kind.INSTANCE),
    )


def _override(table: Table) -> Override:
    select = table.entries["select"].node
    return Override(select_of(plain(select)), changes_of(table), table.place)


# -- terms ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the terms: where it stands in YAML and in `Terms`, and how it is read.

    `removed` is what holds where null took it away.
    """

    written: tuple[str, ...]
    path: Path
    read: Callable[[Any], Any]
    removed: Any


def changes_of(body: Table) -> dict[Path, Any]:
    """Return what a body says of the terms: for each path in `Terms` its value."""
    changes: dict[Path, Any] = {}
    for field in FIELDS:
        node = _at(body, field.written)
        if node is None:
            continue
        if isinstance(node, Leaf) and node.value is None:
            changes[field.path] = field.removed
        elif field.path == TAGS and isinstance(node, Table):
            changes |= {(*TAGS, key): plain(entry.node) for key, entry in node.entries.items()}
        else:
            changes[field.path] = field.read(plain(node))
    return changes


def _at(body: Table, written: Iterable[str]) -> Node | None:
    """Return what stands in a place: the null that took it away, or None where nothing is said."""
    node: Node | None = body
    for step in written:
        if not isinstance(node, Table):
            break
        node = node.get(step)
    return node


def _keep(data: dict[str, Any]) -> Keep:
    rules: dict[str, Any] = {
        rule: _count(value) if rule in COUNTED else _span(value) for rule, value in data.items()
    }
    return Keep(**rules)


def _count(value: int | str) -> Count:
    return ALL if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _span(text: str) -> Span:
    return parse_span(text)


@lru_cache(maxsize=4096)
def _elapsed(text: str) -> timedelta:
    return parse_span(text, Minutes.ALLOWED).as_timedelta()


def _schedule(data: dict[str, Any]) -> Schedule:
    return Schedule(
        cadence=Every(_elapsed(data["every"])) if "every" in data else Cron(data["cron"]),
        window=_window(data["window"]) if "window" in data else None,
        catch_up=CatchUp(data.get("catch_up", CatchUp.LATEST)),
    )


def _window(text: str) -> Window:
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in text.split("-"))
    return Window(start, end)


def _copies(data: list[dict[str, Any]]) -> tuple[CopyRule, ...]:
    return tuple(
        CopyRule(
            target=item["target"],
            every=_elapsed(item["every"]) if "every" in item else None,
            backfill=item.get("backfill", 0),
            keep=_keep(item["retention"]["keep"]) if "retention" in item else None,
            option_group=item.get("option_group"),
        )
        for item in data
    )


def _replication(data: str | dict[str, Any]) -> Replication | Replicating:
    return Replicating(data) if isinstance(data, str) else Replication(**data)


def _events(data: list[dict[str, Any]]) -> tuple[OneOff, ...]:
    found = [
        OneOff(
            at=datetime.fromisoformat(item["at"]).astimezone(UTC),
            reason=item["reason"],
            keep_for=_elapsed(item["keep_for"]),
        )
        for item in data
    ]
    return tuple(sorted(found, key=lambda event: event.at))


def _shares(data: dict[str, Any] | list[dict[str, Any]]) -> tuple[ShareRule, ...]:
    return tuple(
        ShareRule(tuple(item["accounts"]), item.get("newest", 1), item.get("from", HOME))
        for item in (data if isinstance(data, list) else [data])
    )


def _source(data: str | dict[str, Any]) -> ReplicaSource | None:
    if isinstance(data, str):
        return None
    return ReplicaSource(
        replica=data["replica"],
        availability_zone=data.get("availability_zone"),
        max_lag=_elapsed(data["max_lag"]) if "max_lag" in data else None,
        fallback=Fallback(data.get("fallback", Fallback.INSTANCE)),
    )


def _survive(data: list[str | dict[str, str]]) -> tuple[Disturbance, ...]:
    found = []
    for item in data:
        if isinstance(item, str):
            found.append(Disturbance(Disturbed(item)))
        else:
            ((name, length),) = item.items()
            found.append(Disturbance(Disturbed(name), _elapsed(length)))
    return tuple(found)


def _as_is(value: Any) -> Any:
    return value


FIELDS = (
    Field(("timezone",), ("timezone",), ZoneInfo, UTC_ZONE),
    Field(("snapshots", "schedule"), ("snapshots", "schedule"), _schedule, None),
    Field(("snapshots", "tags"), TAGS, _as_is, {}),
    Field(("snapshots", "retention", "keep"), ("snapshots", "keep"), _keep, Keep()),
    Field(
        ("snapshots", "incremental"),
        ("snapshots", "incremental"),
        Incremental,
        Incremental.PREFER,
    ),
    Field(("snapshots", "copies"), ("snapshots", "copies"), _copies, ()),
    Field(("objectives", "rpo"), ("objectives", "rpo"), _elapsed, None),
    Field(("objectives", "rto"), ("objectives", "rto"), _elapsed, None),
    Field(("orphans", "keep_for"), ("orphans", "keep_for"), _span, None),
    Field(("orphans", "keep_last"), ("orphans", "keep_last"), _as_is, 1),
    Field(("chains", "idle_after"), ("idle_after",), _elapsed, DEFAULT_IDLE_AFTER),
    Field(("hold",), ("hold",), _as_is, None),
    Field(("automated_backups", "retention_days"), ("automated", "retention_days"), _as_is, None),
    Field(("automated_backups", "window"), ("automated", "window"), _window, None),
    Field(
        ("automated_backups", "replicate_to"),
        ("automated", "replicate_to"),
        _replication,
        Replicating.AS_IT_IS,
    ),
    Field(("events",), ("events",), _events, ()),
    Field(("share_with",), ("share_with",), _shares, ()),
    Field(("snapshots", "source"), ("snapshots", "source"), _source, None),
    Field(("failover", "preferred_az"), ("failover", "preferred_az"), _as_is, None),
    Field(("failover", "fail_back"), ("failover", "fail_back"), FailBack, FailBack.NEVER),
    Field(("failover", "quiet"), ("failover", "quiet"), _elapsed, DEFAULT_QUIET),
    Field(("objectives", "survive"), ("objectives", "survive"), _survive, ()),
    Field(("snapshots", "from"), ("snapshots", "made_of"), MadeOf, MadeOf.DATABASE),
    Field(("snapshots", "changed_per_day"), ("snapshots", "changed_per_day"), bounds_of, None),
    Field(("snapshots", "topology"), ("snapshots", "topology"), Topology, Topology.STAR),
)


# -- select --------------------------------------------------------------------------------------


def select_of(data: dict[str, Any]) -> Select:
    """Return which databases a `select` takes."""
    return Select(
        condition=_condition(data),
        exclude=tuple(_condition(entry) for entry in data.get("exclude", ())),
        replicas=data.get("replicas", False),
        rest=data.get("rest", False),
    )


def _condition(data: dict[str, Any]) -> Condition:
    return Condition(
        accounts=tuple(data.get("accounts", ())),
        regions=tuple(data.get("regions", ())),
        engines=tuple(data.get("engines", ())),
        identifiers=tuple(data.get("identifiers", ())),
        tags={
            key: (values,) if isinstance(values, str) else tuple(values)
            for key, values in data.get("tags", {}).items()
        },
    )
