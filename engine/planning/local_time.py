"""Local times of day as instants, over clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def instant(day: date, minute: int, timezone: ZoneInfo) -> datetime:
    """Return the instant of a local time of day, `minute` minutes after midnight, in UTC.

    A local time that does not exist is taken at the next valid instant, one that exists twice at
    its first.
    """
    naive = datetime.combine(day, time()) + timedelta(minutes=minute)
    return resolve(naive, timezone)


def resolve(naive: datetime, timezone: ZoneInfo) -> datetime:
    """Return the instant of a naive local time, in UTC, by the same rule."""
    first = naive.replace(tzinfo=timezone, fold=0)
    if first.astimezone(UTC).astimezone(timezone).replace(tzinfo=None) == naive:
        return first.astimezone(UTC)
    return _end_of_gap(naive, timezone)


def _end_of_gap(naive: datetime, timezone: ZoneInfo) -> datetime:
    """Return the first instant after the gap in which `naive` lies.

    Inside a gap, fold 0 reads with the offset before it and fold 1 with the one after it, so the
    two instants lie on either side of the change (PEP 495); the change is found between them.
    """
    low = naive.replace(tzinfo=timezone, fold=1).astimezone(UTC)
    high = naive.replace(tzinfo=timezone, fold=0).astimezone(UTC)
    before = low.astimezone(timezone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(timezone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
