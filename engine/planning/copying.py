"""Stage 3: what each target wants, and the one copy it gets now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.documents.model import CopyRule, Terms
from engine.identity.marks import Marks, Role, fingerprint
from engine.identity.names import derived_id, snapshot_arn
from engine.inventory.records import Location, SnapshotState
from engine.planning.creating import near_backup_window, tags_left_out
from engine.planning.draft import Draft, Planned
from engine.planning.routes import Hops, KeyChoice, Route, RouteBook, hops, next_keys
from engine.planning.slots import Lateness, latest_due, period_start
from engine.planning.steps import (
    Origin,
    copy_snapshot,
    passed_on,
    short,
    step_id,
)
from engine.planning.survey import Holding, Source, World
from engine.plans.codes import Action, StepReason, Waiting
from engine.plans.plan import Reason
from engine.retention.decide import decide


@dataclass(frozen=True, slots=True)
class Demand:
    """What one route's target wants of a source, and which step sends what now.

    `missing` are the slots it wants and does not have available yet; `sent` maps the slot that
    this plan copies to the copy step. `target_read` says whether the target's objects are known.
    """

    route: Route
    target_read: bool
    missing: frozenset[datetime]
    sent: dict[datetime, str]


def plan_copies(draft: Draft, world: World, book: RouteBook) -> list[Demand]:
    """Add the copies that the source's targets get now; returns what each target wants."""
    source = draft.source
    if source.terms is None:
        return []
    routes, misses = book.routes(source.terms, source.location)
    for miss in misses:
        draft.wait(Waiting.NO_ROUTE, miss.text, miss.location, None)
    return [_plan_route(draft, world, book, route, source.terms) for route in routes]


def _plan_route(draft: Draft, world: World, book: RouteBook, route: Route, terms: Terms) -> Demand:
    there = [h for h in draft.source.holdings if h.location == route.location]
    if world.scope(route.location).snapshots is None:
        text = "what the target holds could not be read, so nothing is sent to it"
        draft.wait(Waiting.TARGET_NOT_READ, text, route.location, None)
        return Demand(route, False, frozenset(), {})
    wanted = _wanted(draft, world, route, terms, there)
    in_flight = [h for h in there if h.state is SnapshotState.IN_PROGRESS]
    missing = frozenset([o.slot for o in wanted] + [h.slot for h in in_flight])
    if in_flight:
        if wanted:
            text = f"{in_flight[0].identifier} is on its way; one copy at a time"
            draft.wait(Waiting.COPY_IN_FLIGHT, text, route.location, wanted[0].slot)
        return Demand(route, True, missing, {})
    sent = {}
    for origin in wanted[:1]:
        step = _send(draft, world, book, route, origin)
        if step is not None:
            sent[origin.slot] = step
    return Demand(route, True, missing, sent)


def _wanted(
    draft: Draft, world: World, route: Route, terms: Terms, there: Sequence[Holding]
) -> list[Origin]:
    """Return what the target wants and lacks, in the order of sending.

    Oldest slot first; a slot whose copy failed goes behind the others, so that one snapshot that
    cannot be copied does not hold up all newer ones.
    """
    present = {h.slot for h in there if h.state is not SnapshotState.FAILED}
    failed = {h.slot for h in there if h.state is SnapshotState.FAILED}
    candidates = _candidates(draft, route, terms, present)
    candidates = [o for o in candidates if not _conflicts(draft, world, route, o)]
    if not candidates:
        return []
    slots = sorted({*present, *(o.slot for o in candidates)})
    newest = max((s for s in slots if s <= world.now), default=None)
    decision = decide(slots, route.keep, terms.timezone, newest_available=newest, now=world.now)
    kept = {point.time for point in decision.keep}
    wanted = [o for o in candidates if o.slot in kept]
    return sorted(wanted, key=lambda o: (o.slot in failed, o.slot))


def _candidates(draft: Draft, route: Route, terms: Terms, present: set[datetime]) -> list[Origin]:
    """Return what could be sent: one origin per slot, oldest first."""
    origins: dict[datetime, Origin] = {}
    for origin in _primaries(draft.source):
        origins.setdefault(origin.slot, origin)
    for planned in draft.planned:
        if planned.marks.role is Role.PRIMARY:
            origins.setdefault(planned.slot, planned)
    slots = _first_of_each_period(sorted(origins), present, route.rule, terms)
    eligible = [origins[slot] for slot in slots if slot not in present]
    if present:
        oldest = min(present)
        return [o for o in eligible if o.slot > oldest]
    backfill = route.rule.backfill
    return eligible if backfill == "all" else eligible[-(backfill + 1) :]


def _primaries(source: Source) -> Iterable[Holding]:
    return (
        h
        for h in source.holdings
        if h.marks.role is Role.PRIMARY and h.location == source.location and h.is_point
    )


def _first_of_each_period(
    slots: Sequence[datetime], present: set[datetime], rule: CopyRule, terms: Terms
) -> list[datetime]:
    if rule.every is None:
        return list(slots)
    served = {period_start(rule.every, terms.timezone, slot) for slot in present}
    firsts = []
    for slot in slots:
        period = period_start(rule.every, terms.timezone, slot)
        if period not in served:
            served.add(period)
            firsts.append(slot)
    return firsts


def _marks(world: World, origin: Origin, role: Role, policy: str, key: KeyChoice) -> Marks:
    return replace(
        origin.marks,
        estate=world.estate.name,
        policy=policy,
        role=role,
        keys=next_keys(origin.marks.keys, key),
        origin=origin.arn,
        shared=frozenset(),
        pin=None,
        adopted=None,
    )


def _proof(marks: Marks, location: Location) -> str:
    return fingerprint(marks.estate, marks.role, location, marks.resource, marks.policy, marks.slot)


def _conflicts(draft: Draft, world: World, route: Route, origin: Origin) -> bool:
    """Say whether an object that is not ours has the id this copy would get; note it if so."""
    assert draft.source.policy is not None
    marks = _marks(world, origin, Role.COPY, draft.source.policy.name, route.key)
    foreign = world.suspects.get((route.location, _proof(marks, route.location)))
    if foreign is not None:
        draft.conflict(foreign.arn, route.location, origin.slot)
    return foreign is not None


def _send(draft: Draft, world: World, book: RouteBook, route: Route, origin: Origin) -> str | None:
    if isinstance(origin, Holding) and not origin.is_available:
        text = f"{origin.identifier} is {origin.snapshot.status}"
        draft.wait(Waiting.ORIGIN_IN_FLIGHT, text, route.location, origin.slot)
        return None
    reader = _reader(draft, world, book, route, origin)
    if reader is None:
        return None
    text = f"{route.target} has no point of {short(origin.slot)}"
    reason = Reason(StepReason.TARGET_MISSING_POINT, text)
    return _copy(draft, world, reader, Role.COPY, route.location, route.key, reason)


def _reader(
    draft: Draft, world: World, book: RouteBook, route: Route, origin: Origin
) -> Origin | None:
    """Return the object that the target's account copies from: the origin, or a bridge."""
    scope = world.scope(origin.location)
    if hops(origin.location, route.location, scope, origin.kms_key) is not Hops.REKEY_SHARE_COPY:
        return origin
    bridges = [
        h
        for h in draft.source.holdings
        if h.marks.role is Role.BRIDGE
        and h.location == origin.location
        and h.slot == origin.slot
        and h.marks.resource == origin.marks.resource
        and h.state is not SnapshotState.FAILED
    ]
    if bridges:
        if bridges[0].is_available:
            return bridges[0]
        text = f"{bridges[0].identifier} is {bridges[0].snapshot.status}"
        draft.wait(Waiting.BRIDGE_IN_FLIGHT, text, route.location, origin.slot)
        return None
    return _bridge(draft, world, book, route, origin)


def _bridge(
    draft: Draft, world: World, book: RouteBook, route: Route, origin: Origin
) -> Planned | None:
    rekey = book.rekey(origin.location)
    if rekey is None:
        text = (
            "the database is under AWS's default key, which no other account may use, and its "
            "account names no `rekey` key to copy it to first"
        )
        draft.wait(Waiting.NO_ROUTE, text, route.location, origin.slot)
        return None
    planned = next((p for p in draft.planned if _is_bridge_of(p, origin)), None)
    if planned is not None:
        return planned
    if _must_keep_quiet(draft.source, world):
        text = "re-keys wait until the automated backup window is over"
        draft.wait(Waiting.AUTOMATED_BACKUP_WINDOW, text, route.location, origin.slot)
        return None
    text = f"{route.target} cannot use AWS's default key"
    reason = Reason(StepReason.ROUTE_NEEDS_BRIDGE, text)
    step = _copy(draft, world, origin, Role.BRIDGE, origin.location, rekey, reason)
    return None if step is None else draft.planned[-1]


def _is_bridge_of(planned: Planned, origin: Origin) -> bool:
    return planned.marks.role is Role.BRIDGE and planned.marks.origin == origin.arn


def _must_keep_quiet(source: Source, world: World) -> bool:
    """Say whether a copy in the source's own region would cost it an automated backup.

    One that follows a punctual point belongs to that point and is not held up.
    """
    if source.instance is None or not near_backup_window(source.instance, world.now):
        return False
    schedule = source.terms.snapshots.schedule if source.terms else None
    if schedule is None or source.terms is None:
        return True
    slot = latest_due(schedule, source.terms.timezone, world.now)
    return slot is None or slot.lateness(world.now) is Lateness.LATE


def _copy(
    draft: Draft,
    world: World,
    origin: Origin,
    role: Role,
    location: Location,
    key: KeyChoice,
    reason: Reason,
) -> str | None:
    source = draft.source
    assert source.policy is not None
    assert source.terms is not None
    marks = _marks(world, origin, role, source.policy.name, key)
    proof = _proof(marks, location)
    foreign = world.suspects.get((location, proof))
    if foreign is not None:
        draft.conflict(foreign.arn, location, origin.slot)
        return None
    name = derived_id(origin.identifier, proof)
    planned = Planned(
        step=step_id(Action.COPY, location, name),
        arn=snapshot_arn(origin.arn, location, name),
        identifier=name,
        location=location,
        marks=marks,
        taken_at=origin.taken_at,
        kms_key=key.arn or key.reference,
        allocated_gib=origin.allocated_gib,
    )
    inherited = origin.snapshot.tags if isinstance(origin, Holding) else {}
    tags, left_out = passed_on(marks, source.terms.snapshots.tags, inherited)
    if left_out:
        draft.warnings.append(tags_left_out(source, left_out))
    draft.add(copy_snapshot(source, origin, planned, tags, key.reference, reason))
    if isinstance(origin, Planned):
        draft.depend(planned.step, [origin.step])
    draft.planned.append(planned)
    return planned.step
