"""Stage 3: what each target wants, and the one copy it gets now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.documents.model import CopyRule, Incremental, Terms
from engine.identity.marks import Marks, Role, fingerprint
from engine.identity.names import derived_id, longest_id, snapshot_arn
from engine.inventory.records import Location, Snapshot, SnapshotState
from engine.planning.clusters import can_be_copied, why_not_copied
from engine.planning.creating import near_backup_window, tags_left_out
from engine.planning.draft import Draft, Planned
from engine.planning.one_off import is_one_off, promised
from engine.planning.requiring import would_hold_back
from engine.planning.routes import Hops, KeyChoice, Route, RouteBook, hops, next_keys
from engine.planning.slots import period_start
from engine.planning.steps import (
    Origin,
    copy_snapshot,
    into_option_group,
    passed_on,
    short,
    step_id,
)
from engine.planning.survey import Holding, Source, World
from engine.planning.tagging import settled
from engine.plans.codes import Action, StepReason, Waiting
from engine.plans.plan import Reason
from engine.retention.decide import decide

# How long a hub has time to get a point; copies between regions take hours.
HUB_PATIENCE = timedelta(days=1)
# How long a hub that cannot be read is waited for: a run or two may fail to.
BLIND_PATIENCE = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Demand:
    """What one route's target wants of a source, and which step sends what now.

    `missing` are the slots it wants and does not have available yet; `sent` maps the slot that
    this plan copies to the copy step. `target_read` says whether the target's objects are known.
    `held` are the slots whose copies `incremental: require` would hold back.
    """

    route: Route
    target_read: bool
    missing: frozenset[datetime]
    sent: dict[datetime, str]
    held: frozenset[datetime] = frozenset()


@dataclass(frozen=True, slots=True)
class _Turn:
    """Whose turn it is at a target: what is sent now, and what would be held back before it."""

    now: Origin | None
    held: tuple[Origin, ...] = ()

    @property
    def sent(self) -> list[Origin]:
        """What is planned of it, in this order: of what would be held back the first one."""
        return [*(() if self.now is None else (self.now,)), *self.held[:1]]

    @property
    def slots(self) -> frozenset[datetime]:
        """The slots of what would be held back."""
        return frozenset(origin.slot for origin in self.held)


def plan_copies(draft: Draft, world: World, book: RouteBook) -> list[Demand]:
    """Add the copies that the source's targets get now; returns what each target wants."""
    source = draft.source
    if source.terms is None:
        return []
    routes, misses = book.routes(source.terms, source.location)
    for miss in misses:
        draft.wait(Waiting.NO_ROUTE, miss.text, miss.location, None)
    barrier = why_not_copied(source)
    if barrier is not None:
        for route in routes:
            draft.wait(Waiting.NO_ROUTE, barrier, route.location, None)
        return []
    return [_plan_route(draft, world, book, route, source.terms) for route in routes]


def _plan_route(draft: Draft, world: World, book: RouteBook, route: Route, terms: Terms) -> Demand:
    there = [h for h in draft.source.holdings if h.location == route.location]
    if world.scope(route.location).snapshots is None:
        text = "what the target holds could not be read, so nothing is sent to it"
        draft.wait(Waiting.TARGET_NOT_READ, text, route.location, None)
        return Demand(route, False, frozenset(), {})
    wanted, missing = _wants(draft, world, route, terms, there)
    demand = Demand(route, True, missing, {})
    on_its_way = next((h for h in there if h.state is SnapshotState.IN_PROGRESS), None)
    if not wanted or not route.is_open:
        return demand
    if on_its_way is not None:
        text = f"{on_its_way.identifier} is on its way; one copy at a time"
        draft.wait(Waiting.COPY_IN_FLIGHT, text, route.location, wanted[0].slot)
        return replace(demand, held=_turn(draft.fork(), world, book, route, wanted).slots)
    turn = _turn(draft, world, book, route, wanted)
    demand = replace(demand, held=turn.slots)
    # What is held back goes last: one copy at a time, should somebody acknowledge it.
    for origin in turn.sent:
        step = _send(draft, world, book, route, origin)
        if step is not None:
            draft.depend(step, demand.sent.values())
            demand.sent[origin.slot] = step
    return demand


def _turn(
    draft: Draft, world: World, book: RouteBook, route: Route, wanted: Sequence[Origin]
) -> _Turn:
    """Return whose turn it is of what a target wants, in the order of sending.

    What increments are required of and would be stored in full is held back; it holds up nothing
    of other chains, which the target may have a base of.
    """
    terms = draft.source.terms
    assert terms is not None
    readable = (o for o in wanted if _can_be_read(draft, world, route, o))
    if terms.snapshots.incremental is not Incremental.REQUIRE:
        return _Turn(next(readable, None))
    held: list[Origin] = []
    for origin in readable:
        trial = draft.fork()
        step = _send(trial, world, book, route, origin)
        if step is None or not would_hold_back(trial, step, world.now):
            return _Turn(origin, tuple(held))
        held.append(origin)
    return _Turn(None, tuple(held))


def _wants(
    draft: Draft, world: World, route: Route, terms: Terms, there: Sequence[Holding]
) -> tuple[list[Origin], frozenset[datetime]]:
    """Return what the target wants and lacks, in the order of sending, and all it has not yet.

    Oldest slot first; a slot whose copy or bridge failed goes behind the others, so that one
    snapshot that cannot be copied does not hold up all newer ones.
    """
    candidates = _candidates(draft, world, route, terms, there)
    candidates = [o for o in candidates if not _conflicts(draft, world, route, o)]
    coming = {h.slot for h in there if h.is_in_flight}
    if not candidates and not coming:
        return [], frozenset()
    slots = {*(h.slot for h in there if h.is_point), *(o.slot for o in candidates)}
    stay = promised(draft.source, [*there, *candidates], world.now).keys()
    decision = decide(sorted(slots - stay), route.keep, terms.timezone, now=world.now)
    kept = {point.time for point in decision.keep} | stay
    wanted = [o for o in candidates if o.slot in kept]
    stuck = _stuck(draft.source, there)
    wanted.sort(key=lambda o: (o.slot in stuck, o.slot))
    return wanted, frozenset([o.slot for o in wanted]) | (coming & kept)


def _stuck(source: Source, there: Sequence[Holding]) -> set[datetime]:
    """Return the slots whose copy failed, or whose bridge failed or came to nobody knows what."""
    broken = {SnapshotState.FAILED, SnapshotState.UNKNOWN}
    return {h.slot for h in there if h.state is SnapshotState.FAILED} | {
        h.slot for h in source.holdings if h.marks.role is Role.BRIDGE and h.state in broken
    }


def _candidates(
    draft: Draft, world: World, route: Route, terms: Terms, there: Sequence[Holding]
) -> list[Origin]:
    """Return what could be sent: one origin per slot.

    One-off points go besides the others, as long as they are promised: what a rule of the target
    sends of regular points does not depend on them.
    """
    origins = _origins(draft, world, route, there)
    present = {h.slot for h in there if not h.gives_way}
    extra = {slot for slot, origin in origins.items() if is_one_off(origin.marks)}
    stay = promised(draft.source, origins.values(), world.now)
    sent_besides = [origins[s] for s in extra if s in stay and s not in present]
    regular = {slot: origin for slot, origin in origins.items() if slot not in extra}
    besides = {h.slot for h in there if is_one_off(h.marks)}
    candidates = _regular_candidates(regular, present - besides, route.rule, terms, world.now)
    return candidates + sent_besides


def _origins(
    draft: Draft, world: World, route: Route, there: Sequence[Holding]
) -> dict[datetime, Origin]:
    """Return what each slot would be copied from.

    A target that is served by another one gets what that one has. What it has not got for long is
    sent from the source: a hub that is in trouble keeps no copy from the others.
    """
    at_home = _origins_at(draft, Role.PRIMARY, draft.source.location)
    if route.hub is None:
        return at_home
    origins = _origins_at(draft, Role.COPY, route.hub)
    is_read = world.scope(route.hub).snapshots is not None
    since = world.now - (HUB_PATIENCE if is_read else BLIND_PATIENCE)
    newest = max((h.slot for h in there if h.is_point), default=None)
    for slot, origin in at_home.items():
        is_late = isinstance(origin, Holding) and origin.is_available and origin.made_at <= since
        is_next = newest is None or slot > newest
        if is_late and is_next and not isinstance(origins.get(slot), Holding):
            origins[slot] = origin
    return origins


def _origins_at(draft: Draft, role: Role, location: Location) -> dict[datetime, Origin]:
    source = draft.source
    found = [h for h in _copyable(source, role) if h.location == location]
    origins: dict[datetime, Origin] = {}
    for origin in sorted(found, key=lambda h: _preference(h, source)):
        origins.setdefault(origin.slot, origin)
    for planned in draft.planned:
        if planned.marks.role is role and planned.location == location:
            origins.setdefault(planned.slot, planned)
    return {slot: origin for slot, origin in origins.items() if _may_leave(origin)}


def _may_leave(origin: Origin) -> bool:
    return not origin.marks.stays_here and can_be_copied(origin)


def _regular_candidates(
    origins: Mapping[datetime, Origin],
    present: set[datetime],
    rule: CopyRule,
    terms: Terms,
    now: datetime,
) -> list[Origin]:
    slots = _first_of_each_period(sorted(origins), present, rule, terms)
    eligible = [origins[slot] for slot in slots if slot not in present]
    past = [slot for slot in present if slot <= now]
    if past:
        oldest = min(past)
        return [o for o in eligible if o.slot > oldest]
    backfill = rule.backfill
    return eligible if backfill == "all" else eligible[-(backfill + 1) :]


def _copyable(source: Source, role: Role) -> Iterable[Holding]:
    """Return what is copied from; nobody knows whether an unknown status ever ends."""
    return (
        h
        for h in source.holdings
        if h.marks.role is role and h.is_point and h.state is not SnapshotState.UNKNOWN
    )


def _preference(holding: Holding, source: Source) -> tuple[bool, bool, str]:
    """Order the primaries of one slot: what can be copied now, what is of the source's volume."""
    inherited = holding.marks.resource != source.ref.resource_id
    return (not holding.is_available, inherited, holding.arn)


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
        gone_since=None,
        pin=None,
        adopted=None,
        shared_by_policy=frozenset(),
        being_given=False,
        unshared_at=None,
    )


def _conflicts(draft: Draft, world: World, route: Route, origin: Origin) -> bool:
    """Say whether an object that is not ours has the id this copy or its bridge would get."""
    foreign = _foreign(draft, world, origin, Role.COPY, route.location)
    if foreign is None and _needs_bridge(world, route, origin) and not _bridges(draft, origin):
        foreign = _foreign(draft, world, origin, Role.BRIDGE, origin.location)
    if foreign is not None:
        draft.conflict(foreign.arn, foreign.location, origin.slot)
    return foreign is not None


def _foreign(
    draft: Draft, world: World, origin: Origin, role: Role, location: Location
) -> Snapshot | None:
    assert draft.source.policy is not None
    marks, policy = origin.marks, draft.source.policy.name
    proof = fingerprint(world.estate.name, role, location, marks.resource, policy, marks.slot)
    return world.suspects.get((location, proof))


def _can_be_read(draft: Draft, world: World, route: Route, origin: Origin) -> bool:
    """Say whether the origin's key can decrypt it; note it if not (KMS API reference, KeyState)."""
    key = (world.scope(origin.location).keys or {}).get(origin.kms_key or "")
    if key is None or key.state == "Enabled":
        return True
    text = f"{origin.identifier} cannot be copied: its key {key.arn} is {key.state}"
    draft.wait(Waiting.NO_ROUTE, text, route.location, origin.slot)
    return False


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
    sent = _copy(draft, world, reader, Role.COPY, route.location, route.key, reason)
    if route.rule.option_group is not None:
        draft.steps[sent.step] = into_option_group(draft.steps[sent.step], route.rule.option_group)
    return sent.step


def _needs_bridge(world: World, route: Route, origin: Origin) -> bool:
    scope = world.scope(origin.location)
    way = hops(origin.location, route.location, scope, origin.kms_key)
    return way is Hops.REKEY_SHARE_COPY


def _bridges(draft: Draft, origin: Origin) -> list[Holding]:
    return [
        h
        for h in draft.source.holdings
        if h.marks.role is Role.BRIDGE
        and h.slot == origin.slot
        and h.marks.resource == origin.marks.resource
        and not h.gives_way
    ]


def _reader(
    draft: Draft, world: World, book: RouteBook, route: Route, origin: Origin
) -> Origin | None:
    """Return the object that the target's account copies from: the origin, or a bridge."""
    if not _needs_bridge(world, route, origin):
        return origin
    bridges = _bridges(draft, origin)
    ready = next((h for h in bridges if h.is_available), None)
    if ready is None and bridges:
        text = f"{bridges[0].identifier} is {bridges[0].snapshot.status}"
        draft.wait(Waiting.BRIDGE_IN_FLIGHT, text, route.location, origin.slot)
        return None
    return ready or _bridge(draft, world, book, route, origin)


def _bridge(
    draft: Draft, world: World, book: RouteBook, route: Route, origin: Origin
) -> Planned | None:
    rekey = book.rekey(origin.location)
    if rekey is None:
        text = (
            "the database is under AWS's default key, which no other account may use, and its "
            "account names no `rekey` key of its own to copy it to first"
        )
        draft.wait(Waiting.NO_ROUTE, text, route.location, origin.slot)
        return None
    planned = next((p for p in draft.planned if _is_bridge_of(p, origin)), None)
    if planned is not None:
        return planned
    assert draft.source.instance is not None
    if near_backup_window(draft.source.instance, world.now):
        text = "re-keys wait until the automated backup window is over"
        draft.wait(Waiting.AUTOMATED_BACKUP_WINDOW, text, route.location, origin.slot)
        return None
    text = f"{route.target} cannot use AWS's default key"
    reason = Reason(StepReason.ROUTE_NEEDS_BRIDGE, text)
    return _copy(draft, world, origin, Role.BRIDGE, origin.location, rekey, reason)


def _is_bridge_of(planned: Planned, origin: Origin) -> bool:
    return planned.marks.role is Role.BRIDGE and planned.marks.origin == origin.arn


def _copy(
    draft: Draft,
    world: World,
    origin: Origin,
    role: Role,
    location: Location,
    key: KeyChoice,
    reason: Reason,
) -> Planned:
    source = draft.source
    assert source.policy is not None
    assert source.terms is not None
    marks, handed_on = settled(
        source, world, origin, _marks(world, origin, role, source.policy.name, key)
    )
    proof = fingerprint(
        marks.estate, marks.role, location, marks.resource, marks.policy, marks.slot
    )
    name = derived_id(origin.identifier, proof, longest_id(origin.arn))
    planned = Planned(
        step=step_id(Action.COPY, location, name),
        arn=snapshot_arn(origin.arn, location, name),
        identifier=name,
        location=location,
        marks=marks,
        taken_at=origin.taken_at,
        kms_key=key.reference,
        allocated_gib=origin.allocated_gib,
    )
    inherited = (
        origin.snapshot.tags
        if isinstance(origin, Holding)
        else draft.steps[origin.step].parameters["Tags"]
    )
    tags, left_out = passed_on(marks, source.terms, inherited)
    if left_out:
        draft.warn(tags_left_out(source, left_out))
    draft.add(copy_snapshot(source, origin, planned, tags, key.reference, reason, handed_on))
    if isinstance(origin, Planned):
        draft.depend(planned.step, [origin.step])
    draft.planned.append(planned)
    return planned
