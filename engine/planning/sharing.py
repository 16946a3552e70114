"""Stage 3, shares: given while a route reads an object or a policy says so, taken back after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.inventory.records import Location, SnapshotState
from engine.planning.draft import Draft, Planned
from engine.planning.policy_shares import Wishes, is_known
from engine.planning.steps import Origin, give_snapshot, share_snapshot, unshare_snapshot
from engine.planning.survey import World
from engine.plans.codes import Waiting
from engine.plans.parameters import origin_in

_Copies = Mapping[str, list[str]]
_NO_COPIES: _Copies = {}


@dataclass(frozen=True, slots=True)
class _Sharing:
    """What the shares of one source rest on; `given` are a policy's new shares, by who gets them.

    `given` holds step ids by location and account, `coming` those of points that the plan makes.
    """

    draft: Draft
    world: World
    wishes: Wishes
    given: dict[tuple[Location, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    coming: dict[tuple[Location, str], list[str]] = field(default_factory=lambda: defaultdict(list))


def plan_shares(draft: Draft, world: World, wishes: Wishes) -> None:
    """Put shares before the copies that cross accounts and unshares behind them.

    Accounts that may still read an object though neither a route of this plan needs it nor the
    policy shares it, because a run died, a target was dropped or a newer point took its place,
    lose it as soon as nothing is on its way to them.
    """
    sharing = _Sharing(draft, world, wishes)
    readers = _readers(draft)
    found: dict[str, Origin] = {h.arn: h for h in draft.source.holdings}
    found.update({p.arn: p for p in draft.planned})
    gifts = {
        arn: _give(sharing, found[arn], readers.get(arn, _NO_COPIES))
        for arn in sorted(wishes.accounts)
    }
    for arn in sorted({*readers, *gifts}):
        _share(sharing, found[arn], readers.get(arn, _NO_COPIES), gifts.get(arn, []))
    for holding in draft.source.holdings:
        is_there = holding.state is not SnapshotState.DELETING
        shared = holding.marks.shared | holding.marks.shared_by_policy
        if shared and is_there and holding.arn not in readers and holding.arn not in gifts:
            _take_back(sharing, holding, shared, _NO_COPIES, [])


def _readers(draft: Draft) -> dict[str, dict[str, list[str]]]:
    """Return, by object read and account that reads, the copy steps across accounts."""
    readers: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for planned in draft.planned:
        step = draft.steps[planned.step]
        origin = origin_in(step.arn, step.parameters)
        if origin is not None and f":{planned.location.account}:" not in origin:
            readers[origin][planned.location.account].append(planned.step)
    return readers


def _all_of(sharing: _Sharing, origin: Origin, copies: _Copies) -> frozenset[str]:
    """Return everybody who may read an object once all shares of this plan are given."""
    marks = origin.marks
    return marks.shared | marks.shared_by_policy | set(copies) | sharing.wishes.of(origin.arn)


def _give(sharing: _Sharing, origin: Origin, copies: _Copies) -> list[str]:
    """Share an object as the policy says, unless its tags tell that this was done."""
    wanted = sharing.wishes.of(origin.arn)
    if is_known(origin.marks, wanted):
        return []
    shared = _all_of(sharing, origin, copies)
    step = sharing.draft.add(give_snapshot(sharing.draft.source, origin, wanted, shared))
    if isinstance(origin, Planned):
        sharing.draft.depend(step, [origin.step])
    found = sharing.coming if isinstance(origin, Planned) else sharing.given
    for account in wanted:
        found[origin.location, account].append(step)
    return [step]


def _share(sharing: _Sharing, origin: Origin, copies: _Copies, gifts: list[str]) -> None:
    draft = sharing.draft
    shared = _all_of(sharing, origin, copies)
    # Only the policy's own share names whom it lets in: a run that dies between the two would else
    # leave a tag by which an account outside the estate was let in by somebody else, for good.
    told = origin.marks.shared | origin.marks.shared_by_policy | set(copies)
    steps = list(gifts)
    for account in sorted(copies):
        step = draft.add(share_snapshot(draft.source, origin, account, told))
        steps.append(step)
        if isinstance(origin, Planned):
            draft.depend(step, [origin.step])
        for copy in copies[account]:
            draft.depend(copy, [step])
    _take_back(sharing, origin, shared, copies, steps)


def _take_back(
    sharing: _Sharing,
    origin: Origin,
    shared: frozenset[str],
    copies: _Copies,
    previous: list[str],
) -> None:
    """Add the unshares, behind the `previous` steps that change the same tag.

    What the policy shares stays shared, whatever routes are done with it.
    """
    draft, wanted = sharing.draft, sharing.wishes.of(origin.arn)
    if origin.arn in sharing.wishes.settled:
        wanted |= origin.marks.shared_by_policy
    rest = set(shared)
    given = origin.marks.shared_by_policy | wanted
    for account in sorted(shared - wanted):
        if _may_be_read(sharing, origin, account):
            continue
        rest.discard(account)
        given -= {account}
        blind_since = None if sharing.world.locations_of(account) else sharing.world.now
        step = draft.add(unshare_snapshot(draft.source, origin, account, rest, given, blind_since))
        # One after the other, so that the tag each of them leaves is true.
        draft.depend(step, [*copies.get(account, ()), *previous])
        previous = [step]
        if account in origin.marks.shared_by_policy and origin.arn not in sharing.wishes.hasty:
            draft.depend(step, sharing.given[origin.location, account])
            if account in sharing.wishes.until_displaced(origin.arn):
                draft.depend(step, sharing.coming[origin.location, account])


def _may_be_read(sharing: _Sharing, origin: Origin, account: str) -> bool:
    """Say whether a copy to the account may be on its way; note what the unshare waits for.

    What the policy shared with an account outside the estate is taken back unseen: its deletion
    waits for what that account may be copying.
    """
    draft, world = sharing.draft, sharing.world
    places = world.locations_of(account)
    by_policy = account in origin.marks.shared_by_policy
    if by_policy and not places:
        return False
    unread = [place for place in places if world.scope(place).snapshots is None]
    flying = [
        h.identifier
        for h in draft.source.holdings
        if h.marks.origin == origin.arn and h.location.account == account and h.is_in_flight
    ]
    foreign = world.foreign_readers.get(origin.arn)
    if by_policy and foreign is not None and f":{account}:" in foreign:
        flying.append(foreign)
    if places and not unread and not flying:
        return False
    text = _why_it_waits(origin, account, flying, unread)
    draft.wait(Waiting.UNSHARE_AFTER_COPY, text, origin.location, origin.slot)
    return True


def _why_it_waits(origin: Origin, account: str, flying: list[str], unread: list[Location]) -> str:
    front = f"{origin.identifier} stays shared with {account}: "
    if flying:
        return f"{front}{flying[0]} is still copied from it"
    if unread:
        return f"{front}{unread[0]} could not be read"
    return f"{front}that account is not in the estate, so nobody can see what it copies"
