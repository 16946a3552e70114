"""How far back a schedule and keep rules reach at all times, tried on past slots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from engine.documents.model import Every, Schedule
from engine.planning.slots import due_between, next_due, period_start
from engine.retention.decide import decide
from engine.retention.keep import Keep

DAY = timedelta(days=1)
# As many weeks and months are tried: what is kept is least right after either begins.
_WEEKS, _MONTHS = 6, 13
_LONG = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When points are made: `every` leaves the first of each period, as a copy rule does."""

    schedule: Schedule
    timezone: ZoneInfo
    every: timedelta | None = None


@lru_cache(maxsize=1024)
def always_reaches(rhythm: Rhythm, keep: Keep, far: timedelta, now: datetime) -> bool:
    """Say whether some kept point always gets to be `far` old before it is removed.

    A point is removed when a newer one comes, so what counts is how old the oldest is right before
    that, above all where the newest is the first one of a week, month or year.
    """
    if keep.is_empty:
        return True
    short = _without_short_rules(rhythm, keep, far)
    if short is None:
        return False
    rhythm, keep = short
    months = 2 if _is_sub_daily(rhythm) else _MONTHS
    times = _slots(rhythm, now - far - timedelta(days=31 * months + 7), now)
    coming = _coming(rhythm, now)
    if not times or coming is None:
        return False
    times.append(coming)
    return all(_reaches(times, end, keep, far, rhythm.timezone) for end in _turns(times[:-1]))


def _without_short_rules(rhythm: Rhythm, keep: Keep, far: timedelta) -> tuple[Rhythm, Keep] | None:
    """Return what decides about the distant past: of points of a day only the first counts.

    None where only rules that count such points are left.
    """
    if not _is_sub_daily(rhythm):
        return rhythm, keep
    of_days = replace(rhythm, schedule=replace(rhythm.schedule, cadence=Every(DAY)))
    if rhythm.every is not None and rhythm.every >= DAY:
        return of_days, keep
    if far <= _LONG:
        return rhythm, keep
    longer = replace(keep, last=None, hourly=None, within_hourly=None)
    return None if longer.is_empty else (of_days, longer)


def _is_sub_daily(rhythm: Rhythm) -> bool:
    cadence = rhythm.schedule.cadence
    return isinstance(cadence, Every) and cadence.period < DAY


def _slots(rhythm: Rhythm, start: datetime, end: datetime) -> list[datetime]:
    moments = list(due_between(rhythm.schedule, rhythm.timezone, start, end))
    if rhythm.every is None:
        return moments
    periods: dict[datetime, datetime] = {}
    for moment in moments:
        periods.setdefault(period_start(rhythm.every, rhythm.timezone, moment), moment)
    return list(periods.values())


def _coming(rhythm: Rhythm, now: datetime) -> datetime | None:
    """Return when the next point after `now` is made or sent."""
    coming = next_due(rhythm.schedule, rhythm.timezone, now)
    if rhythm.every is None or coming is None:
        return coming
    period = period_start(rhythm.every, rhythm.timezone, now)
    while coming is not None and period_start(rhythm.every, rhythm.timezone, coming) == period:
        coming = next_due(rhythm.schedule, rhythm.timezone, coming)
    return coming


def _turns(times: Sequence[datetime]) -> Iterator[int]:
    """Yield the indexes of the last slot, and of the first ones of recent weeks and months."""
    last = len(times) - 1
    yield last
    weeks = months = 0
    for index, (before, after) in reversed(list(enumerate(pairwise(times), 1))):
        if before.isocalendar()[:2] != after.isocalendar()[:2] and weeks < _WEEKS:
            weeks += 1
            yield index
        if before.month != after.month and months < _MONTHS:
            months += 1
            yield index


def _reaches(
    times: Sequence[datetime], end: int, keep: Keep, far: timedelta, timezone: ZoneInfo
) -> bool:
    """Say whether, of the points up to `end`, one is `far` old when the next one comes."""
    newest, coming = times[end], times[end + 1]
    known = [time for time in times[: end + 1] if time >= newest - far - timedelta(days=31)]
    return coming - decide(known, keep, timezone).keep[-1].time >= far
