"""Stage 2, the calendar of it: the due times of a schedule.

`every` below a day restarts each local day at the window's start (else midnight) and counts
elapsed hours; from a day on it counts whole local days from Monday 1970-01-05.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import count, takewhile
from zoneinfo import ZoneInfo

from engine.documents.model import Every, Schedule, Window
from engine.planning.local_time import instant, resolve

DAY = timedelta(days=1)
FIRST_MONDAY = date(1970, 1, 5)
FRESH = timedelta(minutes=90)
_HORIZON = timedelta(days=366 * 5)


@dataclass(frozen=True, slots=True)
class Slot:
    """One due time and the end of its window, both in UTC; no window: until the next slot."""

    at: datetime
    window_end: datetime | None

    def is_fresh(self, now: datetime) -> bool:
        """Say whether a run at `now` may be the first that could meet it.

        Schedulers run the engine every 15 to 60 minutes, and a runner may start late.
        """
        return now < self.at + FRESH

    def is_open(self, now: datetime) -> bool:
        """Say whether its window is not over at `now`."""
        return self.window_end is None or now < self.window_end

    def is_late(self, now: datetime) -> bool:
        """Say whether a point made at `now` would be late: not fresh, and in no window."""
        return not self.is_fresh(now) and (self.window_end is None or not self.is_open(now))


@lru_cache(maxsize=4096)
def latest_due(schedule: Schedule, timezone: ZoneInfo, now: datetime) -> Slot | None:
    """Return the newest slot at or before `now`, None where there has been none for years."""
    cadence = schedule.cadence
    if isinstance(cadence, Every):
        return _slot(_latest_of_period(schedule, cadence.period, timezone, now), schedule, timezone)
    at = _latest_of_cron(cadence.expression, timezone, now)
    return None if at is None else _slot(at, schedule, timezone)


@lru_cache(maxsize=4096)
def next_due(schedule: Schedule, timezone: ZoneInfo, now: datetime) -> datetime | None:
    """Return the first slot after `now`."""
    return next(_due_after(schedule, timezone, now), None)


def due_between(
    schedule: Schedule, timezone: ZoneInfo, since: datetime, until: datetime
) -> Iterator[datetime]:
    """Yield the slots after `since` up to `until`, itself included, in order."""
    return takewhile(lambda at: at <= until, _due_after(schedule, timezone, since))


def _due_after(schedule: Schedule, timezone: ZoneInfo, moment: datetime) -> Iterator[datetime]:
    """Yield the slots after a moment, each once, though clock changes let local times meet."""
    cadence = schedule.cadence
    local = moment.astimezone(timezone).replace(tzinfo=None)
    slots: Iterator[datetime]
    if isinstance(cadence, Every):
        days = (local.date() + timedelta(days=ahead) for ahead in count(-2))
        slots = (at for d in days for at in _slots_of_day(schedule, cadence.period, timezone, d))
    else:
        slots = _cron(cadence.expression, local - DAY, timezone)
    for at in slots:
        if at > moment:
            yield at
            moment = at


def period_start(every: timedelta, timezone: ZoneInfo, moment: datetime) -> datetime:
    """Return where the period of length `every` that holds `moment` begins.

    Periods start at local midnights: for "the first point of each period" of a copy rule.
    """
    return _latest_of_period(Schedule(Every(every)), every, timezone, moment)


def _slot(at: datetime, schedule: Schedule, timezone: ZoneInfo) -> Slot:
    if schedule.window is None or _is_sub_daily(schedule):
        return Slot(at, None)
    local = at.astimezone(timezone)
    end = instant(local.date(), _end_minute(schedule.window, local), timezone)
    # A window that holds no part of its slot, because a cron expression or a clock change lies
    # outside of it, would close before it opens; such a slot is open until the next one.
    return Slot(at, end if end > at else None)


def _end_minute(window: Window, local: datetime) -> int:
    """Return the end of the window as a minute of the slot's day, past 1440 if it wraps."""
    minute = local.hour * 60 + local.minute
    start = window.start if minute >= window.start else window.start - 1440
    return start + window.minutes


def _is_sub_daily(schedule: Schedule) -> bool:
    return isinstance(schedule.cadence, Every) and schedule.cadence.period < DAY


def _latest_of_period(
    schedule: Schedule, period: timedelta, timezone: ZoneInfo, now: datetime
) -> datetime:
    tomorrow = now.astimezone(timezone).date() + DAY
    days = (tomorrow - timedelta(days=back) for back in count())
    slots = (at for day in days for at in reversed(_slots_of_day(schedule, period, timezone, day)))
    return next(at for at in slots if at <= now)


def _slots_of_day(
    schedule: Schedule, period: timedelta, timezone: ZoneInfo, day: date
) -> list[datetime]:
    start_minute = schedule.window.start if schedule.window else 0
    start = instant(day, start_minute, timezone)
    if period >= DAY:
        return [start] if (day - FIRST_MONDAY).days % period.days == 0 else []
    end = instant(day + DAY, start_minute, timezone)
    slots = []
    while start < end:
        slots.append(start)
        start += period
    return slots


def _latest_of_cron(expression: str, timezone: ZoneInfo, now: datetime) -> datetime | None:
    local = now.astimezone(timezone).replace(tzinfo=None)
    # A repeated local hour resolves to its first pass, so the newest slot can lie just behind a
    # local time that is ahead of the clock; a day more catches it.
    start = local + DAY
    behind = _cron(expression, start, timezone, reverse=True)
    return next((at for at in behind if at <= now), None)


def _cron(
    expression: str, start: datetime, timezone: ZoneInfo, *, reverse: bool = False
) -> Iterator[datetime]:
    from cronsim import CronSim

    previous = start
    for naive in CronSim(expression, start, reverse=reverse):
        if abs(naive - previous) > _HORIZON:
            return
        yield resolve(naive, timezone)
        previous = naive
