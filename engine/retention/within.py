"""`within` and `within_hourly` to `within_yearly`: what is not much older than the newest point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from engine.retention.keep import Rule
from engine.retention.points import Mark, Points
from engine.retention.spans import Span


@dataclass(frozen=True, slots=True)
class Within:
    """Keeps every point that is less than `span` older than the newest."""

    span: Span

    def marks(self, points: Points) -> Iterator[Mark]:
        """Yield the points in reach."""
        reason = f"within-{self.span}"
        return ((index, reason) for index in range(points.reach(self.span)))


@dataclass(frozen=True, slots=True)
class WithinPeriods:
    """Keeps the newest point of each period (`period` is the rule that counts them) in reach.

    The oldest point of all is kept too if it is in reach.
    """

    period: Rule
    span: Span

    def marks(self, points: Points) -> Iterator[Mark]:
        """Yield the points kept, newest first; at last perhaps the oldest."""
        reason = f"within-{self.period}-{self.span}"
        reach = points.reach(self.span)
        newest_of_period = -1
        previous: int | None = None
        for index, period in enumerate(islice(points.periods(self.period), reach)):
            if period != previous:
                previous = period
                newest_of_period = index
                yield index, reason
        oldest = len(points) - 1
        if reach == len(points) and newest_of_period != oldest:
            yield oldest, f"oldest-{reason}"
