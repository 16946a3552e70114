"""The plan document: a `Plan` as JSON bytes and back (`schemas/plan.v1.json`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import msgspec

from engine.errors import EngineError, StaleError
from engine.plans import consequences
from engine.plans.audit import AuditFound
from engine.plans.digest import as_plain, plan_digest
from engine.plans.drift import DriftFound
from engine.plans.objectives import Objective, Objectives
from engine.plans.plan import (
    FORMAT_VERSION,
    Afterwards,
    Conflict,
    Drift,
    InventoryRead,
    Kept,
    NextSlot,
    Plan,
    Step,
    Unmanaged,
    Waits,
)
from engine.plans.seal import is_sealed, sealed

_ENCODER = msgspec.json.Encoder(order="deterministic", enc_hook=as_plain)
_MAKE_ANEW = "make the plan anew with `engine plan -out FILE`"
_PLACE = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_BYTE = re.compile(r" \(byte (?P<offset>\d+)\)$")


class _Header(msgspec.Struct):
    format_version: str
    engine_version: str = "an unknown version"


_HEADERS = msgspec.json.Decoder(_Header)
_PLANS = msgspec.json.Decoder(Plan)


class _Dated(Protocol):
    """A part of a plan that is about a slot."""

    @property
    def slot(self) -> datetime | None:
        """The time of the recovery point it is about."""


DatedT = TypeVar("DatedT", Afterwards, Step, Kept, Waits, Unmanaged, Conflict, Drift, NextSlot)


def dumps(plan: Plan, indent: bool = True) -> bytes:
    """Return the sealed document of `plan`: equal plans give equal bytes.

    Times are written as RFC 3339 in UTC with whole seconds, whatever zone they come in.

    Raises:
        ValueError: a time has no zone.
    """
    encoded = sealed(_ENCODER.encode(_with_utc_times(plan)))
    return (msgspec.json.format(encoded, indent=2) if indent else encoded) + b"\n"


def dumps_drift(found: DriftFound) -> bytes:
    """Return the document of what drifted (`schemas/drift.v1.json`): equal values, equal bytes.

    Raises:
        ValueError: a time has no zone.
    """
    in_utc = replace(
        found,
        as_of=_in_utc(found.as_of),
        inventory=_read_in_utc(found.inventory),
        drift=_all_in_utc(found.drift),
    )
    return msgspec.json.format(_ENCODER.encode(in_utc), indent=2) + b"\n"


def dumps_audit(found: AuditFound) -> bytes:
    """Return the document of an audit (`schemas/audit.v1.json`): equal values, equal bytes.

    Raises:
        ValueError: a time has no zone.
    """
    in_utc = replace(
        found,
        as_of=_in_utc(found.as_of),
        inventory=_read_in_utc(found.inventory),
        objectives=tuple(
            replace(one, objective=_objective_in_utc(one.objective)) for one in found.objectives
        ),
        survivals=tuple(
            replace(one, survival=replace(one.survival, begins=_in_utc(one.survival.begins)))
            for one in found.survivals
        ),
    )
    return msgspec.json.format(_ENCODER.encode(in_utc), indent=2) + b"\n"


def loads(data: bytes, where: str) -> Plan:
    """Read a plan document; keys that a later minor version adds are ignored.

    Args:
        data: the whole document.
        where: how to name it in errors, a path as a rule.

    Raises:
        EngineError: it is no plan, is damaged, or a newer engine wrote it.
        StaleError: its steps are not those that its digest names, or its seal is broken.
    """
    if not data.strip():
        raise EngineError("the plan is empty", where=where, fix=_MAKE_ANEW)
    try:
        _check_version(_HEADERS.decode(data), where)
        plan, seal_holds = _PLANS.decode(data), is_sealed(data)
    except msgspec.ValidationError as error:
        raise _misshapen(error, where) from error
    except msgspec.DecodeError as error:
        raise _not_json(error, data, where) from error
    except UnicodeDecodeError as error:
        raise EngineError(
            "this is not a plan: it is not UTF-8 text", where=where, why=str(error), fix=_MAKE_ANEW
        ) from error
    except RecursionError as error:
        raise EngineError(
            "this is not a plan: its values are nested too deeply", where=where, fix=_MAKE_ANEW
        ) from error
    _check_graph(plan, where)
    _check_times(plan, where)
    _check_digest(plan, where)
    if not seal_holds:
        raise StaleError(
            "the plan is not as it was written: its seal is broken or missing",
            where=where,
            why="it was changed after `engine plan` had written it, or damaged on its way",
            fix=f"{_MAKE_ANEW}; plans are not edited by hand",
        )
    return plan


def _with_utc_times(plan: Plan) -> Plan:
    return replace(
        plan,
        as_of=_in_utc(plan.as_of),
        expires_at=_in_utc(plan.expires_at),
        inventory=_read_in_utc(plan.inventory),
        steps=_all_in_utc(plan.steps),
        kept=_all_in_utc(plan.kept),
        waiting=_all_in_utc(plan.waiting),
        unmanaged=_all_in_utc(plan.unmanaged),
        conflicts=_all_in_utc(plan.conflicts),
        drift=_all_in_utc(plan.drift),
        next=_all_in_utc(plan.next),
        retained=tuple(
            one if one.until is None else replace(one, until=_in_utc(one.until))
            for one in plan.retained
        ),
        afterwards=_all_in_utc(plan.afterwards),
        foreign_orphans=tuple(
            one if one.taken_at is None else replace(one, taken_at=_in_utc(one.taken_at))
            for one in plan.foreign_orphans
        ),
        idle_chains=tuple(replace(one, until=_in_utc(one.until)) for one in plan.idle_chains),
        objectives=_objectives_in_utc(plan.objectives),
        consequences=None
        if plan.consequences is None
        else consequences.with_times(plan.consequences, _in_utc),
    )


def _objectives_in_utc(found: Objectives) -> Objectives:
    return replace(found, told=tuple(_objective_in_utc(one) for one in found.told))


def _objective_in_utc(one: Objective) -> Objective:
    newest, gap, window = one.newest, one.worst_gap, one.window
    return replace(
        one,
        newest=newest and replace(newest, at=_in_utc(newest.at)),
        worst_gap=gap and replace(gap, start=_in_utc(gap.start), end=_in_utc(gap.end)),
        window=window
        and replace(
            window,
            earliest=window.earliest and _in_utc(window.earliest),
            latest=window.latest and _in_utc(window.latest),
        ),
    )


def _read_in_utc(read: InventoryRead) -> InventoryRead:
    return read if read.taken_at is None else replace(read, taken_at=_in_utc(read.taken_at))


def _all_in_utc(parts: Iterable[DatedT]) -> tuple[DatedT, ...]:
    return tuple(
        part
        if part.slot is None or (part.slot.tzinfo is UTC and not part.slot.microsecond)
        else replace(part, slot=_in_utc(part.slot))
        for part in parts
    )


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC).replace(microsecond=0)


def _check_version(header: _Header, where: str) -> None:
    ours = int(FORMAT_VERSION.split(".", maxsplit=1)[0])
    major = re.match(r"(\d{1,9})\.\d+\Z", header.format_version)
    if major is None:
        raise EngineError(
            f"this is not a plan: format_version is {header.format_version!r}",
            where=where,
            fix=_MAKE_ANEW,
        )
    if int(major[1]) > ours:
        raise EngineError(
            f"this plan has format {header.format_version}, which this engine cannot read",
            where=where,
            why=f"engine {header.engine_version} wrote it; formats up to {ours}.x are known here",
            fix=f"use engine {header.engine_version}, or {_MAKE_ANEW}",
        )
    if int(major[1]) < ours:
        raise EngineError(
            f"this plan has format {header.format_version}, which is no longer read",
            where=where,
            fix=_MAKE_ANEW,
        )


def _misshapen(error: msgspec.ValidationError, where: str) -> EngineError:
    text = str(error)
    place = _PLACE.search(text)
    if place is None:
        return EngineError(
            f"this is not a plan: {_PLACE.sub('', text).lower()}", where=where, fix=_MAKE_ANEW
        )
    return EngineError(
        f"the plan is damaged at {place['path']}: {_PLACE.sub('', text).lower()}",
        where=where,
        fix=f"{_MAKE_ANEW}; plans are not edited by hand",
    )


def _not_json(error: msgspec.DecodeError, data: bytes, where: str) -> EngineError:
    text = str(error)
    found = _BYTE.search(text)
    if found is None:
        # Only a document that ends too early is wrong at no byte of its own.
        return EngineError(
            "the plan breaks off: the file is not whole",
            where=where,
            why="writing or transferring it was cut short",
            fix=_MAKE_ANEW,
        )
    before = data[: int(found["offset"])]
    line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    return EngineError(
        "this is not a plan: it is not JSON",
        where=f"{where}:{line}:{column}",
        why=_BYTE.sub("", text),
        fix=_MAKE_ANEW,
    )


def _check_graph(plan: Plan, where: str) -> None:
    known: set[str] = set()
    for number, step in enumerate(plan.steps):
        if step.id in known:
            raise EngineError(
                f"the plan is damaged at steps[{number}]: {step.id} stands in it twice",
                where=where,
                fix=_MAKE_ANEW,
            )
        known.add(step.id)
    for number, step in enumerate(plan.steps):
        for other in step.depends_on:
            if other not in known:
                raise EngineError(
                    f"the plan is damaged at steps[{number}].depends_on: no step is {other}",
                    where=where,
                    fix=_MAKE_ANEW,
                )


def _check_times(plan: Plan, where: str) -> None:
    for place, moment in _moments(plan):
        if moment is not None and moment.tzinfo is not UTC:
            raise EngineError(
                f"the plan is damaged at {place}: {moment.isoformat()} is not in UTC",
                where=where,
                why="times in plans end in Z",
                fix=_MAKE_ANEW,
            )


def _moments(plan: Plan) -> Iterator[tuple[str, datetime | None]]:
    yield "as_of", plan.as_of
    yield "expires_at", plan.expires_at
    yield "inventory.taken_at", plan.inventory.taken_at
    parts: tuple[tuple[str, tuple[_Dated, ...]], ...] = (
        ("steps", plan.steps),
        ("kept", plan.kept),
        ("waiting", plan.waiting),
        ("unmanaged", plan.unmanaged),
        ("conflicts", plan.conflicts),
        ("drift", plan.drift),
        ("next", plan.next),
        ("afterwards", plan.afterwards),
    )
    for name, items in parts:
        for number, item in enumerate(items):
            yield f"{name}[{number}].slot", item.slot
    for number, one in enumerate(plan.retained):
        yield f"retained[{number}].until", one.until
    for number, orphan in enumerate(plan.foreign_orphans):
        yield f"foreign_orphans[{number}].taken_at", orphan.taken_at
    if plan.consequences is not None:
        for name, moment in consequences.moments(plan.consequences):
            yield f"consequences.{name}", moment
    for number, chain in enumerate(plan.idle_chains):
        yield f"idle_chains[{number}].until", chain.until
    for number, objective in enumerate(plan.objectives.told):
        for name, moment in _moments_of(objective):
            yield f"objectives.told[{number}].{name}", moment


def _moments_of(one: Objective) -> Iterator[tuple[str, datetime | None]]:
    if one.newest is not None:
        yield "newest.at", one.newest.at
    if one.worst_gap is not None:
        yield "worst_gap.start", one.worst_gap.start
        yield "worst_gap.end", one.worst_gap.end
    if one.window is not None:
        yield "window.earliest", one.window.earliest
        yield "window.latest", one.window.latest


def _check_digest(plan: Plan, where: str) -> None:
    found = plan_digest(plan.steps)
    if found != plan.digest:
        raise StaleError(
            "the plan's steps are not those it was made with",
            where=where,
            why=f"its digest is {plan.digest}, but its steps give {found}",
            fix=f"{_MAKE_ANEW}; plans are not edited by hand",
        )
