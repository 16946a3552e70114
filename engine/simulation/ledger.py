"""Sums of what changes at locations, day by day: as many as there are days and locations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from engine.costs.ranges import Range
from engine.inventory.records import Location
from engine.simulation.shelves import UNITS, Change, Measured, Sent

_SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class _Day:
    """What a day adds to an amount, and that times the seconds that are left of the day."""

    low: int = 0
    high: int = 0
    low_seconds: int = 0
    high_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Level:
    """How much there was on a day of UTC, in GiB: on average, and at its end.

    `seconds` is how much of the day was played.
    """

    day: date
    seconds: int
    average: Range
    last: Range


@dataclass(slots=True)
class Ledger:
    """What changes from `start` to `end`, whatever the order in which it is noted."""

    start: datetime
    end: datetime
    _days: dict[tuple[Location, Measured], dict[date, _Day]] = field(default_factory=dict)
    _sent: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(_none))

    def note(self, news: Iterable[Change | Sent], times: int = 1) -> None:
        """Note what has changed in so many databases."""
        for one in news:
            if isinstance(one, Sent):
                sent = self._sent[one.origin, one.to]
                sent[0] += times * one.low
                sent[1] += times * one.high
                continue
            days = self._days.setdefault((one.location, one.what), {})
            today = one.at.astimezone(UTC).date()
            day = days.setdefault(today, _Day())
            left = (self._bounds(today)[1] - one.at) // _SECOND
            day.low += times * one.low
            day.high += times * one.high
            day.low_seconds += times * one.low * left
            day.high_seconds += times * one.high * left

    def locations(self) -> list[Location]:
        """Return where the engine held anything, in order."""
        return sorted({at for at, what in self._days if what is Measured.HELD})

    def levels(self, at: Location, what: Measured) -> Iterator[Level]:
        """Yield how much of something there was at a location, day by day."""
        days = self._days.get((at, what), {})
        low = high = 0
        today = self.start.astimezone(UTC).date()
        while (bounds := self._bounds(today))[0] < self.end:
            seconds = (bounds[1] - bounds[0]) // _SECOND
            day = days.get(today, _Day())
            units = max(1, seconds) * UNITS
            average = Range(
                (low * seconds + day.low_seconds) / units,
                (high * seconds + day.high_seconds) / units,
            )
            low, high = low + day.low, high + day.high
            yield Level(today, seconds, average, Range(low / UNITS, high / UNITS))
            today += timedelta(days=1)

    def sent(self) -> Iterator[tuple[tuple[str, str], Range]]:
        """Yield the GiB that copies sent from one region to another, in order."""
        for way, (low, high) in sorted(self._sent.items()):
            yield way, Range(low / UNITS, high / UNITS)

    def _bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return from when to when a day was played."""
        begins = datetime.combine(day, time(), UTC)
        return max(self.start, begins), min(self.end, begins + timedelta(days=1))


def _none() -> list[int]:
    return [0, 0]
