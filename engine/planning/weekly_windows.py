"""The windows of RDS, `hh:mi-hh:mi` and `ddd:hh:mi-ddd:hh:mi` UTC, as minutes of the week."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_CLOCK = re.compile(r"(?:(\w{3}):)?(\d\d):(\d\d)-(?:(\w{3}):)?(\d\d):(\d\d)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = 7 * 1440


def minute_of_week(moment: datetime) -> int:
    """Return the minutes since Monday, 00:00 UTC."""
    utc = moment.astimezone(UTC)
    return utc.weekday() * 1440 + utc.hour * 60 + utc.minute


def weekly_spans(window: str) -> list[tuple[int, int]]:
    """Return a window of AWS's as minutes of the week; one without a day is on each of them."""
    match = _CLOCK.fullmatch(window.lower())
    if match is None:
        return []
    day, hour, minute, end_day, end_hour, end_minute = match.groups()
    clock, end_clock = int(hour) * 60 + int(minute), int(end_hour) * 60 + int(end_minute)
    if day in _DAYS and end_day in _DAYS:
        start, end = _DAYS.index(day) * 1440 + clock, _DAYS.index(end_day) * 1440 + end_clock
        return [(start, end if end > start else end + _WEEK)]
    length = (end_clock - clock) % 1440
    return [(d * 1440 + clock, d * 1440 + clock + length) for d in range(7)]


def overlaps(own: tuple[int, int], spans: Iterable[tuple[int, int]]) -> bool:
    """Say whether a span of minutes of the week meets one of `spans`; weeks go round."""
    return any(
        own[0] < end + shift and start + shift < own[1]
        for start, end in spans
        for shift in (-_WEEK, 0, _WEEK)
    )


def open_until(window: str | None, moment: datetime) -> datetime | None:
    """Return when a window of AWS's ends that is open at a moment, None where it is not."""
    now = minute_of_week(moment)
    for start, end in weekly_spans(window or ""):
        past = (now - start) % _WEEK
        if past < end - start:
            return _minute(moment) + timedelta(minutes=end - start - past)
    return None


def next_opening(window: str | None, moment: datetime) -> datetime | None:
    """Return when a window of AWS's opens next after a moment, None where there is no window."""
    now = minute_of_week(moment)
    ahead = [(start - now - 1) % _WEEK + 1 for start, _ in weekly_spans(window or "")]
    return _minute(moment) + timedelta(minutes=min(ahead)) if ahead else None


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
