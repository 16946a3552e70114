"""Stage 3, shares: given for as long as a route reads an object, taken back afterwards."""

from __future__ import annotations

from collections import defaultdict

from engine.inventory.records import Location, SnapshotState
from engine.planning.draft import Draft, Planned
from engine.planning.steps import Origin, share_snapshot, unshare_snapshot
from engine.planning.survey import Holding, World
from engine.plans.codes import Waiting


def plan_shares(draft: Draft, world: World) -> None:
    """Put shares before the copies that cross accounts and unshares behind them.

    Accounts that may still read an object though no route of this plan needs it, because a run
    died or a target was dropped, lose it as soon as nothing is on its way to them.
    """
    readers = _readers(draft)
    found: dict[str, Origin] = {h.arn: h for h in draft.source.holdings}
    found.update({p.arn: p for p in draft.planned})
    for arn in sorted(readers):
        _share(draft, world, found[arn], readers[arn])
    for holding in draft.source.holdings:
        is_there = holding.state is not SnapshotState.DELETING
        if holding.marks.shared and holding.arn not in readers and is_there:
            _take_back(draft, world, holding, holding.marks.shared, {}, [])


def _readers(draft: Draft) -> dict[str, dict[str, list[str]]]:
    """Return, by object read and account that reads, the copy steps across accounts."""
    readers: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for planned in draft.planned:
        step = draft.steps[planned.step]
        origin = step.parameters.get("SourceDBSnapshotIdentifier")
        if origin is not None and f":{planned.location.account}:" not in origin:
            readers[origin][planned.location.account].append(planned.step)
    return readers


def _share(draft: Draft, world: World, origin: Origin, copies: dict[str, list[str]]) -> None:
    shared = origin.marks.shared | set(copies)
    steps = []
    for account in sorted(copies):
        step = draft.add(share_snapshot(draft.source, origin, account, shared))
        steps.append(step)
        if isinstance(origin, Planned):
            draft.depend(step, [origin.step])
        for copy in copies[account]:
            draft.depend(copy, [step])
    _take_back(draft, world, origin, shared, copies, steps)


def _take_back(
    draft: Draft,
    world: World,
    origin: Origin,
    shared: frozenset[str] | set[str],
    copies: dict[str, list[str]],
    previous: list[str],
) -> None:
    """Add the unshares, behind the `previous` steps that change the same tag."""
    rest = set(shared)
    for account in sorted(shared):
        if _may_be_read(draft, world, origin, account):
            continue
        rest.discard(account)
        step = draft.add(unshare_snapshot(draft.source, origin, account, rest))
        # One after the other, so that the tag each of them leaves is true.
        draft.depend(step, [*copies.get(account, ()), *previous])
        previous = [step]


def _may_be_read(draft: Draft, world: World, origin: Origin, account: str) -> bool:
    """Say whether a copy to the account may be on its way; note what the unshare waits for."""
    places = world.locations_of(account)
    unread = [place for place in places if world.scope(place).snapshots is None]
    flying = [
        h
        for h in draft.source.holdings
        if h.marks.origin == origin.arn and h.location.account == account and h.is_in_flight
    ]
    if places and not unread and not flying:
        return False
    text = _why_it_waits(origin, account, flying, unread)
    draft.wait(Waiting.UNSHARE_AFTER_COPY, text, origin.location, origin.slot)
    return True


def _why_it_waits(
    origin: Origin, account: str, flying: list[Holding], unread: list[Location]
) -> str:
    front = f"{origin.identifier} stays shared with {account}: "
    if flying:
        return f"{front}{flying[0].identifier} is still copied from it"
    if unread:
        return f"{front}{unread[0]} could not be read"
    return f"{front}that account is not in the estate, so nobody can see what it copies"
