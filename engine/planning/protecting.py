"""Stage 5: what must stay although no rule keeps it, and until when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine.identity.chains import Chain
from engine.identity.marks import Role
from engine.inventory.records import Location, SnapshotState
from engine.planning.copying import Demand
from engine.planning.draft import Draft, Planned
from engine.planning.orphans import last_seen
from engine.planning.removal import Removal
from engine.planning.steps import delete_snapshot, is_in_chain, is_there, short, step_id
from engine.planning.survey import Holding, Life, World
from engine.plans.codes import Action, KeepReason
from engine.plans.plan import Precondition, Reason


@dataclass(slots=True)
class Verdict:
    """What protects a removal, or what it has to wait for and what must be there in its place."""

    removal: Removal
    reasons: list[Reason] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    witnesses: list[Precondition] = field(default_factory=list)

    @property
    def holding(self) -> Holding:
        """The object it is about."""
        return self.removal.holding

    def protect(self, code: KeepReason, text: str, until: str | None = None) -> None:
        """Keep it, unless this protection does not apply to it."""
        if code not in self.removal.exempt:
            self.reasons.append(Reason(code.value, text, until))

    def release(self, steps: Iterable[str], witnesses: Iterable[Precondition]) -> None:
        """Let it go after these steps, with these in its place."""
        self.after.extend(steps)
        self.witnesses.extend(witnesses)


def _captured(holding: Holding) -> tuple[datetime, str]:
    return (holding.taken_at, holding.arn)


def _made(holding: Holding) -> tuple[datetime, str]:
    return (holding.snapshot.created_at or holding.taken_at, holding.arn)


_AGES = (_captured, _made)


@dataclass(frozen=True, slots=True)
class _Links:
    """A chain's members: the newest by each age, of all and of those that may release a base."""

    bases: frozenset[str]
    trusted: tuple[Holding | None, ...]
    coming: Holding | None
    last: datetime


def _links(members: Sequence[Holding], *, guess: bool) -> _Links:
    available = [h for h in members if h.is_available]
    trusted = [h for h in available if h.marks.zone_checked or guess]
    return _Links(
        bases=frozenset(max(available, key=age).arn for age in _AGES if available),
        trusted=tuple(max(trusted, key=age, default=None) for age in _AGES),
        coming=next((h for h in members if h.is_in_flight), None),
        last=max(h.taken_at for h in members),
    )


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What protections look at, gathered once per source."""

    world: World
    draft: Draft
    demands: Sequence[Demand]
    chains: dict[Chain, _Links]
    planned: dict[Chain, list[Planned]]
    in_flight: dict[str, Holding]
    reads: dict[str, list[str]]


def protect(
    draft: Draft, world: World, removals: Sequence[Removal], demands: Sequence[Demand]
) -> None:
    """Turn removals into delete steps, or into kept objects with the protections that hold."""
    if not removals:
        return
    around = _surroundings(draft, world, demands)
    verdicts = [Verdict(removal, after=list(removal.after)) for removal in removals]
    for verdict in verdicts:
        for protection in _PROTECTIONS:
            protection(verdict, around)
    _protect_the_last(verdicts, around)
    for verdict in verdicts:
        if verdict.reasons:
            draft.keep(verdict.holding, verdict.reasons)
        else:
            _delete(draft, verdict, around)


def _surroundings(draft: Draft, world: World, demands: Sequence[Demand]) -> _Surroundings:
    members: dict[Chain, list[Holding]] = defaultdict(list)
    in_flight = {}
    for holding in draft.source.holdings:
        if holding.state in {SnapshotState.FAILED, SnapshotState.DELETING}:
            continue
        members[holding.chain].append(holding)
        if holding.is_in_flight and holding.marks.origin:
            in_flight[holding.marks.origin] = holding
    planned: dict[Chain, list[Planned]] = defaultdict(list)
    reads: dict[str, list[str]] = defaultdict(list)
    for new in draft.planned:
        planned[new.chain].append(new)
        if new.marks.origin:
            reads[new.marks.origin].append(new.step)
    chains = {
        chain: _links(found, guess=_may_be_guessed(chain, world))
        for chain, found in members.items()
    }
    return _Surroundings(world, draft, demands, chains, planned, in_flight, reads)


# -- protections that look at one object ---------------------------------------------------------


def _pinned(verdict: Verdict, around: _Surroundings) -> None:
    pin = verdict.holding.marks.pin
    if pin is not None:
        text = f"it is pinned: {pin}" if pin else "it is pinned"
        verdict.protect(KeepReason.PINNED, text, "engine:pin is removed")


def _held(verdict: Verdict, around: _Surroundings) -> None:
    source = around.draft.source
    holding = verdict.holding
    possible = [source.terms] if source.terms else []
    maker = around.world.matcher.maker(holding.marks.policy)
    if maker is not None:
        instance = source.instance or last_seen(source, holding)
        if source.life is Life.GONE:
            possible.extend(around.world.matcher.possible_terms(maker, instance))
        else:
            possible.append(around.world.matcher.terms(maker, instance))
    hold = next((terms.hold for terms in possible if terms.hold is not None), None)
    if hold is not None:
        verdict.protect(KeepReason.HELD, f"on hold: {hold}", "the hold is removed")


def _unknown_status(verdict: Verdict, around: _Surroundings) -> None:
    if verdict.holding.state not in {SnapshotState.AVAILABLE, SnapshotState.FAILED}:
        text = f"its status is {verdict.holding.snapshot.status}"
        verdict.protect(KeepReason.UNKNOWN_STATUS, text, "it is available")


def _inventory_incomplete(verdict: Verdict, around: _Surroundings) -> None:
    holding, world = verdict.holding, around.world
    needed = {holding.location, around.draft.source.location}
    if holding.marks.role is not Role.COPY:
        needed |= {d.route.location for d in around.demands}
    for account in holding.marks.shared:
        needed |= set(world.locations_of(account))
    unread = sorted(place for place in needed if not world.scope(place).is_complete)
    if unread:
        cause = world.scope(unread[0]).cause or "not read completely"
        text = f"{unread[0]} could not be read: {cause}"
        verdict.protect(KeepReason.INVENTORY_INCOMPLETE, text, f"{unread[0]} is read completely")


def _shared_out_of_sight(verdict: Verdict, around: _Surroundings) -> None:
    for account in sorted(verdict.holding.marks.shared):
        unshare = _unshare_id(verdict.holding, account)
        if unshare in around.draft.steps:
            verdict.release([unshare], [])
        elif not around.world.locations_of(account):
            text = f"it is shared with {account}, which is not in the estate and may be copying it"
            verdict.protect(KeepReason.INVENTORY_INCOMPLETE, text, "it is unshared by hand")


def _unshare_id(holding: Holding, account: str) -> str:
    return step_id(Action.UNSHARE, holding.location, holding.identifier, account)


def _in_flight(verdict: Verdict, around: _Surroundings) -> None:
    holding = verdict.holding
    reader = around.in_flight.get(holding.arn)
    if reader is not None:
        text = f"{reader.identifier} is being copied from it"
        verdict.protect(KeepReason.IN_FLIGHT, text, f"{reader.identifier} is available")
    links = around.chains.get(holding.chain)
    coming = links.coming if links is not None else None
    if links is not None and coming is not None and holding.arn in links.bases:
        text = f"{coming.identifier} is being made as an increment of it"
        verdict.protect(KeepReason.IN_FLIGHT, text, f"{coming.identifier} is available")
    verdict.release(around.reads.get(holding.arn, ()), ())


def _not_copied_yet(verdict: Verdict, around: _Surroundings) -> None:
    holding = verdict.holding
    if holding.marks.role is not Role.PRIMARY or around.world.is_tight(holding.location):
        return
    for demand in around.demands:
        if holding.slot not in demand.missing:
            continue
        if holding.slot in demand.sent:
            verdict.release([demand.sent[holding.slot]], [])
            continue
        text = f"{demand.route.target} wants it and does not have it yet"
        until = f"{demand.route.target} has it or would not want it any more"
        verdict.protect(KeepReason.NOT_COPIED_YET, text, until)


def _chain_base(verdict: Verdict, around: _Surroundings) -> None:
    """Keep what the next increment of the chain builds on.

    The texts of AWS disagree on which object that is, so an object goes only once a checked one
    of its chain is newer both by when its data was captured and by when it was made.
    """
    holding = verdict.holding
    if KeepReason.CHAIN_BASE in verdict.removal.exempt or _is_idle(holding.chain, around):
        return
    planned = around.planned.get(holding.chain, [])
    steps: list[str] = []
    witnesses: list[Precondition] = []
    for age, newest in zip(_AGES, around.chains[holding.chain].trusted, strict=True):
        if newest is not None and age(newest) > age(holding):
            known = newest.marks.zone_checked
            witnesses.append(
                is_in_chain(newest.arn, newest.chain) if known else is_there(newest.arn)
            )
            continue
        coming = [p for p in planned if age is _made or p.taken_at > holding.taken_at]
        if not coming:
            text = f"the next increment of its chain ({_chain_name(holding.chain)}) builds on it"
            verdict.protect(KeepReason.CHAIN_BASE, text, _until_idle(holding.chain, around))
            return
        steps.append(coming[0].step)
        witnesses.append(is_in_chain(coming[0].arn, coming[0].chain))
    verdict.release(steps, witnesses)


def _may_be_guessed(chain: Chain, world: World) -> bool:
    """Say whether an unknown zone releases a base all the same: only where room is short.

    Where AWS never tells the zone, all objects would be bases for ever and fill the quota, and
    then no backup could be made at all.
    """
    return not chain.is_known and world.is_tight(chain.location)


def _is_idle(chain: Chain, around: _Surroundings) -> bool:
    terms, links = around.draft.source.terms, around.chains[chain]
    if terms is None or chain in around.planned or links.coming is not None:
        return False
    return links.last + terms.idle_after < around.world.now


def _until_idle(chain: Chain, around: _Surroundings) -> str:
    terms = around.draft.source.terms
    if terms is None:
        return "a newer one of its chain is available"
    end = around.chains[chain].last + terms.idle_after
    return f"a newer one of its chain is available, or {short(end)} if none comes"


def _chain_name(chain: Chain) -> str:
    return f"{chain.zone}, {chain.role.value} at {chain.location}"


_PROTECTIONS: tuple[Callable[[Verdict, _Surroundings], None], ...] = (
    _pinned,
    _held,
    _unknown_status,
    _inventory_incomplete,
    _shared_out_of_sight,
    _in_flight,
    _not_copied_yet,
    _chain_base,
)


# -- protections that count ----------------------------------------------------------------------


def _protect_the_last(verdicts: Sequence[Verdict], around: _Surroundings) -> None:
    leaving: dict[Location, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        counted = verdict.holding.is_point and verdict.holding.is_available
        if counted and not verdict.reasons:
            leaving[verdict.holding.location].append(verdict)
    for location in sorted(leaving):
        _newest_at_location(leaving[location], location, around)
        _min_points(leaving[location], location, around)


def _available_points(around: _Surroundings, location: Location) -> list[Holding]:
    return [
        h
        for h in around.draft.source.holdings
        if h.location == location and h.is_point and h.is_available
    ]


def _coming_points(around: _Surroundings, location: Location) -> list[Planned]:
    return [
        p
        for p in around.draft.planned
        if p.location == location and p.marks.role is not Role.BRIDGE
    ]


def _newest_at_location(
    leaving: Sequence[Verdict], location: Location, around: _Surroundings
) -> None:
    newest = max(_available_points(around, location), key=lambda h: (h.slot, h.arn))
    for verdict in leaving:
        if verdict.holding is not newest:
            continue
        coming = [p for p in _coming_points(around, location) if p.slot > newest.slot]
        if coming:
            verdict.release([coming[0].step], [is_there(coming[0].arn)])
        else:
            text = f"it is the newest available point at {location}"
            verdict.protect(KeepReason.NEWEST_AT_LOCATION, text, "a newer one is available there")


def _min_points(leaving: Sequence[Verdict], location: Location, around: _Surroundings) -> None:
    least = around.world.estate.guards.min_points
    open_ones = sorted(
        (v for v in leaving if not v.reasons and KeepReason.MIN_POINTS not in v.removal.exempt),
        key=lambda v: (v.holding.slot, v.holding.arn),
        reverse=True,
    )
    gone = {v.holding.arn for v in leaving if not v.reasons}
    staying = [h for h in _available_points(around, location) if h.arn not in gone]
    coming = _coming_points(around, location)
    lacking = least - len({h.slot for h in staying} | {p.slot for p in coming})
    kept_slots: set[datetime] = set()
    for verdict in open_ones:
        if len(kept_slots) >= lacking and verdict.holding.slot not in kept_slots:
            break
        kept_slots.add(verdict.holding.slot)
        text = f"at least {least} points stay at {location}"
        verdict.protect(KeepReason.MIN_POINTS, text, "a newer one is available there")
        staying.append(verdict.holding)
    witnesses = [is_there(h.arn) for h in sorted(staying, key=_by_slot)[-least:]] if least else []
    needed = least - len({h.slot for h in staying})
    for verdict in open_ones:
        if not verdict.reasons:
            new = coming if needed > 0 else []
            verdict.release([p.step for p in new], [*witnesses, *(is_there(p.arn) for p in new)])


def _by_slot(holding: Holding) -> tuple[object, str]:
    return (holding.slot, holding.arn)


def _delete(draft: Draft, verdict: Verdict, around: _Surroundings) -> None:
    step = delete_snapshot(
        draft.source,
        verdict.holding,
        verdict.removal.reason,
        [step for step in verdict.after if step in draft.steps],
        verdict.witnesses,
    )
    draft.add(step)
    if verdict.holding.state is SnapshotState.FAILED:
        _make_way(draft, verdict.holding, step.id)


def _make_way(draft: Draft, failed: Holding, delete: str) -> None:
    """Let what is made again under the same id wait until the failed object is gone."""
    for planned in draft.planned:
        if planned.arn == failed.arn:
            draft.depend(planned.step, [delete])
