"""What becomes of each database at each location under both sets of documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.consequences.ahead import Future, future_of, prospect
from engine.consequences.protection import protected_at
from engine.consequences.side import Side, SourceKey
from engine.inventory.records import Location
from engine.planning.survey import Holding, Source


@dataclass(frozen=True, slots=True)
class Outlook:
    """A database at a location: how each side sees it, its points, and what comes of them.

    A side is None where its documents do not govern the database. The futures of both sides are
    the same value where nothing is decided differently.
    """

    location: Location
    before: Source | None
    after: Source | None
    points: tuple[Holding, ...]
    future_before: Future
    future_after: Future

    @property
    def source(self) -> Source:
        """The database, as it will be seen where it is seen at all."""
        source = self.after or self.before
        assert source is not None
        return source

    @property
    def policies(self) -> tuple[str | None, str | None]:
        """The policy that decides about it, before and after."""
        return policy_of(self.before), policy_of(self.after)


def outlooks(before: Side, after: Side) -> Iterator[Outlook]:
    """Yield every database and location that has points, or will be sent some, by address."""
    for key in sorted(before.sources.keys() | after.sources.keys()):
        places = _locations(before, key) | _locations(after, key)
        for location in sorted(places):
            yield _outlook(before, after, key, location)


def _outlook(before: Side, after: Side, key: SourceKey, location: Location) -> Outlook:
    old, new = before.sources.get(key), after.sources.get(key)
    found = {h.arn: h for h in (*_points(old, location), *_points(new, location))}
    points = tuple(sorted(found.values(), key=lambda h: (h.slot, h.arn)))
    old_way = prospect(before, old, location, points)
    new_way = prospect(after, new, location, points)
    now = after.world.now
    first = future_of(old_way, now)
    second = first if new_way == old_way else future_of(new_way, now)
    return Outlook(location, old, new, points, first, second)


def _locations(side: Side, key: SourceKey) -> set[Location]:
    source = side.sources.get(key)
    if source is None:
        return set()
    held = {h.location for h in source.holdings if h.is_point and h.is_available}
    return held | protected_at(side, source)


def _points(source: Source | None, location: Location) -> list[Holding]:
    holdings = source.holdings if source is not None else ()
    return [h for h in holdings if h.location == location and h.is_point and h.is_available]


def policy_of(source: Source | None) -> str | None:
    """Return the name of the policy that decides about a source, if one does."""
    return source.policy.name if source is not None and source.policy is not None else None
