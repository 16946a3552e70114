"""Which points go earlier or later by a change, and how far back databases can be restored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.consequences.ahead import Future, future_of, prospect
from engine.consequences.side import GOING, Side, SourceKey
from engine.inventory.records import Location
from engine.planning.draft import at
from engine.planning.survey import Holding, Source
from engine.plans.codes import Leaving
from engine.plans.consequences import PointChange, Reach

_Futures = tuple[Future, Future]


def reaches(before: Side, after: Side) -> Iterator[Reach]:
    """Yield each database and location of which the change moves a point's end, or the oldest."""
    comparison = _Comparison(before, after)
    for key in sorted(before.sources.keys() | after.sources.keys()):
        for location in sorted(_locations(before, key) | _locations(after, key)):
            found = comparison.reach(key, location)
            if found is not None:
                yield found


def _locations(side: Side, key: SourceKey) -> set[Location]:
    source = side.sources.get(key)
    return (
        {h.location for h in source.holdings if h.is_point and h.is_available} if source else set()
    )


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Both sides."""

    before: Side
    after: Side

    def reach(self, key: SourceKey, location: Location) -> Reach | None:
        """Return what changes for a database at a location, None where nothing does."""
        old, new = self.before.sources.get(key), self.after.sources.get(key)
        source = new or old
        assert source is not None
        points = sorted(
            {h.arn: h for h in (*_points(old, location), *_points(new, location))}.values(),
            key=lambda h: (h.slot, h.arn),
        )
        futures = self._futures(old, new, location, points)
        changes = tuple(c for c in (self._change(h, futures) for h in points) if c is not None)
        found = Reach(
            source=source.ref,
            location=at(location),
            policy=_policy(new) or _policy(old) or points[-1].marks.policy,
            oldest_before=_oldest(self.before, points),
            oldest_after=_oldest(self.after, points),
            later_before=futures[0].oldest,
            later_after=futures[1].oldest,
            points=changes,
        )
        moved = found.oldest_before != found.oldest_after or found.later_before != found.later_after
        return found if changes or moved else None

    def _futures(
        self, old: Source | None, new: Source | None, location: Location, points: Sequence[Holding]
    ) -> _Futures:
        now = self.after.world.now
        old_way = prospect(self.before, old, location, points)
        new_way = prospect(self.after, new, location, points)
        first = future_of(old_way, now)
        return first, first if new_way == old_way else future_of(new_way, now)

    def _change(self, holding: Holding, futures: _Futures) -> PointChange | None:
        before, before_at = _end(self.before, holding, futures[0])
        after, after_at = _end(self.after, holding, futures[1])
        if (before, before_at) == (after, after_at):
            return None
        return PointChange(
            arn=holding.arn,
            slot=holding.slot,
            before=before,
            after=after,
            before_at=before_at,
            after_at=after_at,
            text=_text(self.after, holding, after),
            acknowledge=self.after.acknowledge(holding.arn),
        )


def _points(source: Source | None, location: Location) -> list[Holding]:
    holdings = source.holdings if source is not None else ()
    return [h for h in holdings if h.location == location and h.is_point and h.is_available]


def _oldest(side: Side, points: Iterable[Holding]) -> datetime | None:
    return min((h.slot for h in points if side.leaving(h.arn) not in GOING), default=None)


def _end(side: Side, holding: Holding, future: Future) -> tuple[Leaving, datetime | None]:
    leaving = side.leaving(holding.arn)
    if leaving is Leaving.STAYS and holding.slot in future.ends:
        return Leaving.LATER, future.ends[holding.slot]
    return leaving, None


def _text(side: Side, holding: Holding, leaving: Leaving) -> str:
    why = side.why(holding.arn)
    if why is None:
        return "these documents do not govern it"
    if leaving is Leaving.PROTECTED:
        return f"{why.text}, until {why.until}" if why.until else why.text
    return f"until then it is kept: {why.text}" if leaving is Leaving.LATER else why.text


def _policy(source: Source | None) -> str | None:
    return source.policy.name if source is not None and source.policy is not None else None
