"""The points that rules judge, and the calendar periods these fall into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from engine.retention.keep import Rule
from engine.retention.spans import Span

Mark = tuple[int, str]


def _hour(local: datetime) -> int:
    return local.toordinal() * 24 + local.hour


def _week(local: datetime) -> int:
    # Day 1 of the proleptic calendar is a Monday, and ISO weeks begin on Mondays.
    return (local.toordinal() - 1) // 7


def _month(local: datetime) -> int:
    return local.year * 12 + local.month


def _year(local: datetime) -> int:
    return local.year


PERIODS: dict[Rule, Callable[[datetime], int]] = {
    Rule.HOURLY: _hour,
    Rule.DAILY: datetime.toordinal,
    Rule.WEEKLY: _week,
    Rule.MONTHLY: _month,
    Rule.YEARLY: _year,
}


@dataclass(slots=True)
class Points:
    """Points in time, newest first, none of them in the future.

    `instants` are in UTC; `zone` is whose calendar counts; `newest` is where `within` reaches back
    from.
    """

    instants: Sequence[datetime]
    zone: ZoneInfo
    newest: datetime
    _local: list[datetime] | None = field(default=None, init=False)

    def __len__(self) -> int:
        return len(self.instants)

    def periods(self, rule: Rule) -> Iterator[int]:
        """Yield for each point the number of its hour, day, ISO week, month or year."""
        if self._local is None:
            self._local = [instant.astimezone(self.zone) for instant in self.instants]
        return map(PERIODS[rule], self._local)

    def reach(self, span: Span) -> int:
        """Return how many points are, strictly, less than `span` older than the newest."""
        cut = span.before(self.newest.astimezone(self.zone)).astimezone(UTC)
        return next(
            (index for index, instant in enumerate(self.instants) if instant <= cut),
            len(self.instants),
        )


class Marker(Protocol):
    """A rule that is ready to be applied."""

    def marks(self, points: Points) -> Iterator[Mark]:
        """Yield the index of each point that the rule keeps, with its reason."""
