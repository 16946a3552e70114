"""The chains of one source: their bases, what may release them, and when they are idle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.documents.model import Terms
from engine.identity.chains import Chain
from engine.inventory.placement import UNKNOWN_ZONE
from engine.inventory.records import SnapshotState
from engine.planning.draft import Planned
from engine.planning.survey import Holding, Source, World


def captured(holding: Holding) -> tuple[datetime, str]:
    """Order objects by when their data was captured."""
    return (holding.taken_at, holding.arn)


def made(holding: Holding) -> tuple[datetime, str]:
    """Order objects by when they were made: copies are made later than their data."""
    return (holding.made_at, holding.arn)


Age = Callable[[Holding], tuple[datetime, str]]
AGES: tuple[Age, ...] = (captured, made)


@dataclass(frozen=True, slots=True)
class Links:
    """What protections ask of one chain.

    `bases` are its newest available objects by each age, `trusted` the newest of those that may
    release a base. `guessed` says that objects may whose zone is not known. `coming` is what is
    on its way; the chain is idle from `idle_from` on.
    """

    bases: frozenset[str]
    trusted: tuple[Holding | None, ...]
    guessed: bool
    coming: Holding | None
    idle_from: datetime


def links_of(source: Source, world: World) -> dict[Chain, Links]:
    """Return the chains of everything that is, or may become, available."""
    members: dict[Chain, list[Holding]] = defaultdict(list)
    for holding in source.holdings:
        if holding.state not in {SnapshotState.FAILED, SnapshotState.DELETING}:
            members[holding.chain].append(holding)
    return {
        chain: _links(found, _idle_after(found, source, world), _may_guess(chain, world))
        for chain, found in members.items()
    }


def is_sure(holding: Holding) -> bool:
    """Say whether it is known which chain an object belongs to."""
    return holding.marks.zone_checked and holding.marks.zone != UNKNOWN_ZONE


def unsure_ones(source: Source, planned: Iterable[Planned]) -> set[str]:
    """Return the ARNs of all of which it is not known which chain they belong to.

    What is planned takes its zone from what it is copied from, be it planned itself.
    """
    unsure = {holding.arn for holding in source.holdings if not is_sure(holding)}
    for new in planned:
        if new.marks.zone == UNKNOWN_ZONE or new.marks.origin in unsure:
            unsure.add(new.arn)
    return unsure


def _links(members: Sequence[Holding], idle_after: timedelta, may_guess: bool) -> Links:
    available = [h for h in members if h.is_available]
    trusted = [h for h in available if is_sure(h) or may_guess]
    return Links(
        bases=frozenset(max(available, key=age).arn for age in AGES if available),
        trusted=tuple(max(trusted, key=age, default=None) for age in AGES),
        guessed=may_guess,
        coming=next((h for h in members if h.is_in_flight), None),
        idle_from=max(age(h)[0] for h in members for age in AGES) + idle_after,
    )


def _may_guess(chain: Chain, world: World) -> bool:
    """Say whether what lies in an unknown zone releases a base all the same.

    Only where room is short: where AWS never tells the zone, all objects would be bases for ever
    and fill the quota, and then no backup could be made at all.
    """
    return not chain.is_known and world.is_tight(chain.location)


def _idle_after(members: Iterable[Holding], source: Source, world: World) -> timedelta:
    """Return the longest time that a policy with a say in the chain waits for a next object."""
    terms = [source.terms] if source.terms else []
    if source.instance is not None:
        makers = (world.matcher.maker(name) for name in {h.marks.policy for h in members})
        terms += [world.matcher.terms(one, source.instance) for one in makers if one is not None]
    return max((one.idle_after for one in terms), default=Terms().idle_after)
