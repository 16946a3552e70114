"""Points that were there, that the rules would keep, and that are not there any more.

What the engine itself removed must not be reported. Rules never want back what they once let go,
but for those that keep the oldest point in reach and those that were written since, so points
that only the former keep are left out, and the latter make a warning. The newest point of a
location never goes while there is no newer one: that it is missing is certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.documents.model import Policy
from engine.identity.marks import Marks, Role
from engine.identity.names import location_of
from engine.identity.proofs import proof_of
from engine.inventory.records import Location, SnapshotState
from engine.planning.copying import Demand
from engine.planning.draft import Draft, at
from engine.planning.matching import makers
from engine.planning.one_off import is_one_off
from engine.planning.retaining import Rules, rules_at
from engine.planning.routes import RouteBook
from engine.planning.survey import Holding, Life, World
from engine.planning.unmanaged import may_be_retired
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Drift
from engine.retention.decide import NO_RULE, decide

_OLDEST = "oldest-"
_FIX = "find out who deleted it (CloudTrail, DeleteDBSnapshot); what is gone cannot be brought back"


@dataclass(frozen=True, slots=True)
class _Witness:
    """Why a point must have been at a location: the ARN it had, or that of what tells of it.

    `policy` is the one that made it, None where nothing tells.
    """

    arn: str
    policy: str | None
    text: str


def deleted_points(
    draft: Draft, world: World, book: RouteBook, known_made: frozenset[str] = frozenset()
) -> Iterator[Drift]:
    """Yield the points of a live source that somebody deleted.

    Args:
        draft: the source, planned.
        world: what else there is.
        book: where the source's copies go.
        known_made: ARNs of which other records, such as journals, know that the engine made them.
    """
    if draft.source.life is not Life.LIVE:
        return
    witnesses = _witnesses(draft, world, known_made)
    for location in sorted(witnesses):
        if world.scope(location).is_complete:
            yield from _judge(draft, world, book, location, witnesses[location])
    told = {(location, slot) for location, found in witnesses.items() for slot in found}
    for demand in draft.demands:
        yield from _gaps(draft, world, demand, told)


def _witnesses(
    draft: Draft, world: World, known_made: frozenset[str]
) -> dict[Location, dict[datetime, _Witness]]:
    """Return what tells of points that are not there, by location and slot."""
    source = draft.source
    found: dict[Location, dict[datetime, _Witness]] = {}
    present = _present(draft, world)
    for holding in source.holdings:
        marks = holding.marks
        if marks.role is Role.PRIMARY or (source.location, marks.slot) in present:
            continue
        text = f"{holding.identifier} in {holding.location} was copied from it"
        named = (
            marks.origin if marks.origin and location_of(marks.origin) == source.location else None
        )
        witness = _Witness(named or holding.arn, _maker(marks, source.location, world), text)
        found.setdefault(source.location, {}).setdefault(marks.slot, witness)
    for arn in sorted(known_made):
        known = _known(draft, world, arn)
        if known is not None and (known[0], known[1]) not in present:
            found.setdefault(known[0], {}).setdefault(known[1], known[2])
    return found


def _maker(marks: Marks, home: Location, world: World) -> str | None:
    """Return the policy that made the primary of a copy, None where nothing tells.

    Another policy may have made the copy. The id of its origin proves whose that is, unless it
    was a bridge or adopted; then it may be one that the estate retires.
    """
    identifier = (marks.origin or "").rpartition(":")[2]
    estate, names = world.estate, makers(world.documents)
    proof = proof_of(identifier, home, marks.resource, estate.name, names)
    if proof is not None and proof.role is Role.PRIMARY:
        return proof.policy
    return None if estate.retire else marks.policy


def _present(draft: Draft, world: World) -> set[tuple[Location, datetime]]:
    """Return where points are, whatever their state, and whoever they now seem to belong to."""
    source = draft.source
    present = {(h.location, h.slot) for h in source.holdings if h.marks.role is not Role.BRIDGE}
    if world.strays:
        own = {source.ref.resource_id, *(h.marks.resource for h in source.holdings)}
        present |= {
            (stray.snapshot.location, stray.proof.slot)
            for stray in world.strays
            if stray.proof.resource in own and stray.proof.role is not Role.BRIDGE
        }
    return present


def _known(draft: Draft, world: World, arn: str) -> tuple[Location, datetime, _Witness] | None:
    location = location_of(arn)
    if location is None:
        return None
    identifier = arn.rpartition(":")[2]
    names = makers(world.documents)
    resource, estate = draft.source.ref.resource_id, world.estate.name
    proof = proof_of(identifier, location, resource, estate, names)
    if proof is None or proof.role is Role.BRIDGE:
        return None
    return location, proof.slot, _Witness(arn, proof.policy, "the engine's records say it was made")


def _judge(
    draft: Draft,
    world: World,
    book: RouteBook,
    location: Location,
    witnesses: Mapping[datetime, _Witness],
) -> Iterator[Drift]:
    there = {h.slot for h in _points(draft, location)}
    newest = max((h.slot for h in _points(draft, location) if h.is_available), default=None)
    wanted = _wanted(draft, world, book, location, there, witnesses)
    for slot in sorted(witnesses):
        witness = witnesses[slot]
        if (newest is None or slot > newest) and not world.estate.retire:
            text = f"{witness.text}, and no newer point displaces it: somebody deleted it"
            yield _drift(draft, location, slot, witness, DriftSeverity.ERROR, text)
        elif slot in wanted and not may_be_retired(draft, world, location, witness.policy):
            text = (
                f"{witness.text}, and the policy keeps it: somebody deleted it, or rules that the "
                "policy had before let it go"
            )
            yield _drift(draft, location, slot, witness, DriftSeverity.WARNING, text)


def _points(draft: Draft, location: Location) -> Iterator[Holding]:
    return (h for h in draft.source.holdings if h.location == location and h.is_point)


def _wanted(
    draft: Draft,
    world: World,
    book: RouteBook,
    location: Location,
    there: Iterable[datetime],
    witnesses: Mapping[datetime, _Witness],
) -> set[datetime]:
    """Return which missing slots all rules keep that can have decided about them."""
    slots = sorted({*there, *witnesses, *(p.slot for p in draft.planned if p.location == location)})
    kept: dict[str, set[datetime]] = {}
    wanted = set()
    for slot, witness in witnesses.items():
        rules = _rules(draft, world, book, location, witness.policy)
        for one in rules:
            if one.policy not in kept:
                kept[one.policy] = _surely_kept(one, slots, world.now)
        if rules and all(slot in kept[one.policy] for one in rules):
            wanted.add(slot)
    return wanted


def _rules(
    draft: Draft, world: World, book: RouteBook, location: Location, made_by: str | None
) -> list[Rules]:
    source = draft.source
    maker = None if made_by is None else world.matcher.maker(made_by)
    if source.policy is None or source.instance is None or maker is None:
        return []
    policies: dict[str, Policy] = {one.name: one for one in (source.policy, maker)}
    found = [
        rules_at(
            policy,
            world.matcher.terms(policy, source.instance),
            book,
            source.location,
            location,
        )
        for policy in policies.values()
    ]
    return [one for one in found if one is not None] if None not in found else []


def _surely_kept(rules: Rules, slots: list[datetime], now: datetime) -> set[datetime]:
    decision = decide(slots, rules.keep, rules.timezone, now=now)
    return {
        point.time
        for point in decision.keep
        if any(why != NO_RULE and not why.startswith(_OLDEST) for why in point.reasons)
    }


def _gaps(
    draft: Draft, world: World, demand: Demand, told: set[tuple[Location, datetime]]
) -> Iterator[Drift]:
    """Yield what a target lacks although newer points went there, oldest first as they go.

    One-off points go besides the others, so they tell nothing of regular ones.
    """
    location = demand.route.location
    if not demand.missing or not demand.route.is_open:
        return
    there = [h for h in draft.source.holdings if h.location == location]
    for slot in sorted(demand.missing):
        origin = _origin(draft, slot)
        if origin is None or (location, slot) in told or slot in demand.held:
            continue
        alike = [h for h in there if is_one_off(origin.marks) or not is_one_off(h.marks)]
        newest = max((h.slot for h in alike if h.is_point and h.is_available), default=None)
        if newest is None or slot > newest or _is_explained(draft, world, location, there, origin):
            continue
        text = (
            f"{demand.route.target} has newer points and wants this one of "
            f"{origin.identifier}: somebody deleted it there, or it could not be copied then"
        )
        witness = _Witness(origin.arn, origin.marks.policy, text)
        yield _drift(draft, location, slot, witness, DriftSeverity.WARNING, text)


def _origin(draft: Draft, slot: datetime) -> Holding | None:
    policy = draft.source.policy
    return next(
        (
            h
            for h in draft.source.holdings
            if h.slot == slot
            and h.marks.role is Role.PRIMARY
            and policy is not None
            and h.marks.policy == policy.name
        ),
        None,
    )


def _is_explained(
    draft: Draft, world: World, location: Location, there: list[Holding], origin: Holding
) -> bool:
    """Say whether a copy is on its way, failed, waits, or is there under changed tags."""
    slot = origin.slot
    unfinished = {SnapshotState.FAILED, SnapshotState.IN_PROGRESS, SnapshotState.UNKNOWN}
    bridges = [h for h in draft.source.holdings if h.marks.role is Role.BRIDGE]
    return (
        any(h.slot == slot and h.state in unfinished for h in (*there, *bridges))
        or any(wait.location == at(location) and wait.slot == slot for wait in draft.waiting)
        or (location, slot) in _present(draft, world)
    )


def _drift(
    draft: Draft,
    location: Location,
    slot: datetime,
    witness: _Witness,
    severity: DriftSeverity,
    text: str,
) -> Drift:
    return Drift(
        code=DriftCode.POINT_DELETED,
        severity=severity,
        arn=witness.arn,
        location=at(location),
        source=draft.source.ref,
        slot=slot,
        text=text,
        fix=_FIX,
    )
