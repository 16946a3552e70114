"""Stage 5: what must stay although no rule keeps it, and until when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.documents.model import Terms, Topology
from engine.identity.chains import Chain
from engine.identity.marks import Role
from engine.inventory.records import Kind, Location, SnapshotState
from engine.planning.bases import AGES, Age, Links, is_sure, links_of, made, unsure_ones
from engine.planning.copying import Demand
from engine.planning.draft import Draft, Planned
from engine.planning.holds import hold_on
from engine.planning.one_off import promise_reason, promised
from engine.planning.orphans import last_seen
from engine.planning.policy_shares import OUT_OF_SIGHT
from engine.planning.removal import Removal
from engine.planning.routes import RouteBook
from engine.planning.steps import MAKES, delete_snapshot, is_in_chain, is_there, short, step_id
from engine.planning.survey import Holding, World
from engine.plans.codes import Action, KeepReason
from engine.plans.plan import Precondition, Reason

# AWS names no limit to how long a copy takes; nothing is known to come near a week.
LONGEST_COPY = timedelta(days=7)


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


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What protections look at, gathered once per source."""

    world: World
    book: RouteBook
    draft: Draft
    demands: Sequence[Demand]
    chains: dict[Chain, Links]
    planned: dict[Chain, list[Planned]]
    unsure: set[str]
    in_flight: dict[str, Holding]
    reads: dict[str, list[str]]


def protect(
    draft: Draft,
    world: World,
    book: RouteBook,
    removals: Sequence[Removal],
    demands: Sequence[Demand],
) -> None:
    """Turn removals into delete steps, or into kept objects with the protections that hold."""
    if not removals:
        return
    around = _surroundings(draft, world, book, demands)
    verdicts = [Verdict(removal, after=list(removal.after)) for removal in removals]
    # AWS stores every cluster snapshot in full, so that none is the base of another one.
    has_chains = draft.source.kind is Kind.INSTANCE
    usual = _PROTECTIONS if has_chains else _CLUSTER_PROTECTIONS
    for verdict in verdicts:
        failed = verdict.holding.state is SnapshotState.FAILED
        for protection in _FAILED_PROTECTIONS if failed else usual:
            protection(verdict, around)
    _protect_the_last(verdicts, around)
    leaving = {verdict.holding.arn: verdict for verdict in verdicts if not verdict.reasons}
    waiting = {arn for arn, verdict in leaving.items() if _waits_for_something_new(verdict, draft)}
    for verdict in verdicts:
        if verdict.reasons:
            draft.keep(verdict.holding, verdict.reasons)
            continue
        if has_chains and verdict.holding.arn in waiting:
            _outlast(verdict, leaving, around)
        _delete(draft, verdict)


def _surroundings(
    draft: Draft, world: World, book: RouteBook, demands: Sequence[Demand]
) -> _Surroundings:
    in_flight = {
        holding.marks.origin: holding
        for holding in draft.source.holdings
        if holding.is_in_flight and holding.marks.origin
    }
    planned: dict[Chain, list[Planned]] = defaultdict(list)
    reads: dict[str, list[str]] = defaultdict(list)
    for new in draft.planned:
        planned[new.chain].append(new)
        if new.marks.origin:
            reads[new.marks.origin].append(new.step)
    chains = links_of(draft.source, world)
    unsure = unsure_ones(draft.source, draft.planned)
    return _Surroundings(world, book, draft, demands, chains, planned, unsure, in_flight, reads)


# -- protections that look at one object ---------------------------------------------------------


def _pinned(verdict: Verdict, around: _Surroundings) -> None:
    pin = verdict.holding.marks.pin
    if pin is not None:
        text = f"it is pinned: {pin}" if pin else "it is pinned"
        verdict.protect(KeepReason.PINNED, text, "engine:pin is removed")


def _promised(verdict: Verdict, around: _Surroundings) -> None:
    """Keep what was promised for longer, be its database gone or its policy."""
    holding = verdict.holding
    until = promised(around.draft.source, [holding], around.world.now).get(holding.slot)
    if until is not None and holding.is_point:
        reason = promise_reason(holding.marks, until)
        verdict.protect(KeepReason.EVENT, reason.text, reason.until)


def _held(verdict: Verdict, around: _Surroundings) -> None:
    hold = hold_on(around.draft.source, verdict.holding, around.world)
    if hold is not None:
        verdict.protect(KeepReason.HELD, f"on hold: {hold[1]}", "the hold is removed")


def _unread(verdict: Verdict, around: _Surroundings) -> None:
    _protect_from_unread({verdict.holding.location}, verdict, around)


def _inventory_incomplete(verdict: Verdict, around: _Surroundings) -> None:
    holding, world = verdict.holding, around.world
    needed = {holding.location, around.draft.source.location}
    needed |= _targets_that_matter(holding, around)
    for account in holding.marks.shared | holding.marks.shared_by_policy:
        needed |= set(world.locations_of(account))
    _protect_from_unread(needed, verdict, around)


def _targets_that_matter(holding: Holding, around: _Surroundings) -> set[Location]:
    """Return the targets that have to be read before an object goes.

    They are those that may still want it, and those that may be copying it without leaving a
    mark: to another account nothing is copied without sharing. Where room is short wishes do not
    count, nor does a copy that would have begun too long ago: else a target that stays dead would
    fill the quota, and no backup could be made any more. Copies are read where targets serve one
    another only.
    """
    world, home = around.world, holding.location
    wishing = {d.route.location for d in around.demands} - {home}
    if holding.marks.role is Role.COPY and not _hands_on(around.draft.source.terms):
        wishing = set()
    copying = {at for at in wishing if at.account == home.account} | _old_targets(holding, around)
    if not world.is_tight(home):
        return wishing | copying
    return set() if holding.made_at <= world.now - LONGEST_COPY else copying


def _old_targets(holding: Holding, around: _Surroundings) -> set[Location]:
    """Return where the policy that made an object may be copying it without leaving a mark."""
    source, matcher = around.draft.source, around.world.matcher
    maker = matcher.maker(holding.marks.policy)
    if maker is None:
        return set()
    terms = matcher.terms(maker, source.instance or last_seen(source, holding))
    if holding.marks.role is Role.COPY and not _hands_on(terms):
        return set()
    routes, _ = around.book.routes(terms, source.location)
    accounts = {r.location for r in routes if r.location.account == holding.location.account}
    return accounts - {holding.location}


def _hands_on(terms: Terms | None) -> bool:
    """Say whether targets of a policy are served by one another."""
    return terms is not None and terms.snapshots.topology is not Topology.STAR


def _protect_from_unread(
    needed: Iterable[Location], verdict: Verdict, around: _Surroundings
) -> None:
    world = around.world
    unread = sorted(place for place in needed if not world.scope(place).is_complete)
    if unread:
        cause = world.scope(unread[0]).cause or "not read completely"
        text = f"{unread[0]} could not be read: {cause}"
        verdict.protect(KeepReason.INVENTORY_INCOMPLETE, text, f"{unread[0]} is read completely")


def _shared_out_of_sight(verdict: Verdict, around: _Surroundings) -> None:
    marks, now = verdict.holding.marks, around.world.now
    for account in sorted(marks.shared | marks.shared_by_policy):
        unshare = _unshare_id(verdict.holding, account)
        if around.world.locations_of(account):
            _await_unshare(verdict, around, account, unshare)
        elif account in marks.shared_by_policy:
            text = f"it is shared with {account}, which is not in the estate and may be copying it"
            verdict.protect(KeepReason.SHARED, text, _END_OF_COPIES)
        else:
            text = f"it is shared with {account}, which is not in the estate and may be copying it"
            verdict.protect(KeepReason.INVENTORY_INCOMPLETE, text, "it is unshared by hand")
    if marks.unshared_at is not None and now < marks.unshared_at + OUT_OF_SIGHT:
        text = f"an account outside the estate could read it until {short(marks.unshared_at)}"
        verdict.protect(KeepReason.SHARED, text, short(marks.unshared_at + OUT_OF_SIGHT))


_END_OF_COPIES = f"{OUT_OF_SIGHT.days} days after it was unshared"


def _await_unshare(verdict: Verdict, around: _Surroundings, account: str, unshare: str) -> None:
    if unshare in around.draft.steps:
        verdict.release([unshare], [])
    elif account in verdict.holding.marks.shared_by_policy:
        text = f"{account} may still read it"
        verdict.protect(KeepReason.SHARED, text, "it is unshared")


def _unshare_id(holding: Holding, account: str) -> str:
    return step_id(Action.UNSHARE, holding.location, holding.identifier, account)


def _in_flight(verdict: Verdict, around: _Surroundings) -> None:
    holding = verdict.holding
    reader = _reader(holding, around)
    if reader is not None:
        text = f"{reader} is being copied from it"
        verdict.protect(KeepReason.IN_FLIGHT, text, f"{reader} is available")
    verdict.release(around.reads.get(holding.arn, ()), ())


def _base_in_use(verdict: Verdict, around: _Surroundings) -> None:
    links = around.chains[verdict.holding.chain]
    if links.coming is not None and verdict.holding.arn in links.bases:
        text = f"{links.coming.identifier} is being made as an increment of it"
        verdict.protect(KeepReason.IN_FLIGHT, text, f"{links.coming.identifier} is available")


def _reader(holding: Holding, around: _Surroundings) -> str | None:
    """Return what is being copied from an object, by the engine or by somebody else."""
    own = around.in_flight.get(holding.arn)
    return around.world.foreign_readers.get(holding.arn) if own is None else own.identifier


def _not_copied_yet(verdict: Verdict, around: _Surroundings) -> None:
    holding = verdict.holding
    if holding.marks.role is Role.BRIDGE or around.world.is_tight(holding.location):
        return
    for demand in around.demands:
        reads = holding.marks.role is Role.PRIMARY or demand.route.hub == holding.location
        if not reads or holding.slot not in demand.missing:
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
    for age, newest in zip(AGES, around.chains[holding.chain].trusted, strict=True):
        if newest is not None and age(newest) > age(holding):
            verdict.release((), [_follows(newest.arn, newest.chain, sure=is_sure(newest))])
            continue
        coming = _coming(holding, age, around)
        if coming is None:
            text = f"the next increment of its chain ({_chain_name(holding.chain)}) builds on it"
            end = short(around.chains[holding.chain].idle_from)
            until = f"a newer one of its chain is available, or {end} if none comes"
            verdict.protect(KeepReason.CHAIN_BASE, text, until)
            return
        verdict.release([coming.step], [_will_follow(coming, around)])


def _coming(holding: Holding, age: Age, around: _Surroundings) -> Planned | None:
    """Return what this plan makes that takes the place of a base."""
    planned = around.planned.get(holding.chain, ())
    guessed = around.chains[holding.chain].guessed
    sure = (p for p in planned if guessed or p.arn not in around.unsure)
    return next((p for p in sure if age is made or p.taken_at > holding.taken_at), None)


def _follows(arn: str, chain: Chain, *, sure: bool) -> Precondition:
    return is_in_chain(arn, chain) if sure else is_there(arn)


def _will_follow(coming: Planned, around: _Surroundings) -> Precondition:
    return _follows(coming.arn, coming.chain, sure=coming.arn not in around.unsure)


def _waits_for_something_new(verdict: Verdict, draft: Draft) -> bool:
    return any(draft.steps[name].action in MAKES for name in verdict.after)


def _outlast(verdict: Verdict, leaving: Mapping[str, Verdict], around: _Surroundings) -> None:
    """Name what follows an object that goes late: what follows it now may be gone by then."""
    holding = verdict.holding
    for age, newest in zip(AGES, around.chains[holding.chain].trusted, strict=True):
        if newest is None or newest.arn not in leaving or newest is holding:
            continue
        passing = [is_in_chain(newest.arn, newest.chain), is_there(newest.arn)]
        coming = _coming(holding, age, around)
        if coming is not None:
            verdict.witnesses = [one for one in verdict.witnesses if one not in passing]
            verdict.release([coming.step], [_will_follow(coming, around)])


def _is_idle(chain: Chain, around: _Surroundings) -> bool:
    links = around.chains[chain]
    if chain in around.planned or links.coming is not None:
        return False
    return links.idle_from < around.world.now


def _chain_name(chain: Chain) -> str:
    return f"{chain.zone}, {chain.role.value} at {chain.location}"


_Protection = Callable[[Verdict, _Surroundings], None]

_PROTECTIONS: tuple[_Protection, ...] = (
    _pinned,
    _promised,
    _held,
    _inventory_incomplete,
    _shared_out_of_sight,
    _in_flight,
    _base_in_use,
    _not_copied_yet,
    _chain_base,
)
_OF_CHAINS = frozenset({_base_in_use, _chain_base})
_CLUSTER_PROTECTIONS = tuple(one for one in _PROTECTIONS if one not in _OF_CHAINS)
# A failed object holds no data and is in the way of what is made again under its id.
_FAILED_PROTECTIONS = (_pinned, _unread)


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
    going = [v for v in open_ones if not v.reasons]
    late = [v for v in going if _waits_for_something_new(v, around.draft)]
    early = [v for v in going if v not in late]
    standing = [*staying, *(v.holding for v in late)]
    if len({h.slot for h in standing}) < least:
        early, late, standing = [], going, staying
    for verdict in early:
        verdict.release((), _newest(standing, least))
    needs_new = len({h.slot for h in staying}) < least
    for verdict in late:
        verdict.release((), _newest(staying, least))
        if needs_new:
            verdict.release([p.step for p in coming], [is_there(p.arn) for p in coming])


def _newest(points: Iterable[Holding], count: int) -> list[Precondition]:
    """Ask for the newest points at a location, one of each slot."""
    by_slot = {h.slot: h.arn for h in points}
    return [is_there(by_slot[slot]) for slot in sorted(by_slot, reverse=True)[:count]]


def _delete(draft: Draft, verdict: Verdict) -> None:
    step = delete_snapshot(
        draft.source,
        verdict.holding,
        verdict.removal.reason,
        verdict.after,
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
