"""Times of day in UTC: when local windows are, whatever the season, and whether two overlap."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from engine.documents.model import Window

# Two moments a month meet every offset that a zone has in a year.
_YEAR = 2026
_SAMPLES = tuple((month, day) for month in range(1, 13) for day in (1, 15))


@lru_cache(maxsize=1024)
def in_utc(window: Window, timezone: ZoneInfo) -> tuple[Window, ...]:
    """Return a local window as it lies in UTC: once per offset that the zone has in a year."""
    noons = (datetime(_YEAR, month, day, 12, tzinfo=timezone) for month, day in _SAMPLES)
    offsets = {(noon.utcoffset() or timedelta()) // timedelta(minutes=1) for noon in noons}
    return tuple(
        Window((window.start - offset) % 1440, (window.end - offset) % 1440)
        for offset in sorted(offsets)
    )


def overlap(one: Window, other: Window) -> bool:
    """Say whether two daily windows of one clock have a minute in common."""
    return (other.start - one.start) % 1440 < one.minutes or (
        one.start - other.start
    ) % 1440 < other.minutes


def meets_daily(window: Window, local: Window, timezone: ZoneInfo) -> bool:
    """Say whether a window in UTC overlaps a local one in some season."""
    return any(overlap(window, form) for form in in_utc(local, timezone))
