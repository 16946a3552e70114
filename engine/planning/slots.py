"""Stage 2, the calendar of it: the due times of a schedule.

`every` below a day restarts each local day at the window's start (else midnight) and counts
elapsed hours; from a day on it counts whole local days from Monday 1970-01-05.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto
from functools import lru_cache
from zoneinfo import ZoneInfo

from engine.documents.model import Cron, Every, Schedule, Window
from engine.planning.local_time import instant, resolve

DAY = timedelta(days=1)
FIRST_MONDAY = date(1970, 1, 5)
PUNCTUAL = timedelta(hours=1)
_HORIZON = timedelta(days=366 * 5)


class Lateness(Enum):
    """How a moment stands to a slot that is due."""

    PUNCTUAL = auto()
    IN_WINDOW = auto()
    LATE = auto()


@dataclass(frozen=True, slots=True)
class Slot:
    """One due time and the end of its window, both in UTC; no window: until the next slot."""

    at: datetime
    window_end: datetime | None

    def lateness(self, now: datetime) -> Lateness:
        """Say how late a point made at `now` would be.

        Schedulers run the engine every 15 to 60 minutes, so the first hour counts as punctual.
        """
        in_window = self.window_end is None or now < self.window_end
        if in_window and now < self.at + PUNCTUAL:
            return Lateness.PUNCTUAL
        return Lateness.IN_WINDOW if in_window else Lateness.LATE


@lru_cache(maxsize=4096)
def latest_due(schedule: Schedule, timezone: ZoneInfo, now: datetime) -> Slot | None:
    """Return the newest slot at or before `now`, None where there has been none for years."""
    match schedule.cadence:
        case Every():
            at = _latest_of_period(schedule, schedule.cadence.period, timezone, now)
        case Cron(expression):
            at = _latest_of_cron(expression, timezone, now)
    return None if at is None else _slot(at, schedule, timezone)


@lru_cache(maxsize=4096)
def next_due(schedule: Schedule, timezone: ZoneInfo, now: datetime) -> datetime | None:
    """Return the first slot after `now`."""
    match schedule.cadence:
        case Every(period):
            day = now.astimezone(timezone).date() - 2 * DAY
            days = (day + timedelta(days=n) for n in range(period.days + 5))
            slots = (at for d in days for at in _slots_of_day(schedule, period, timezone, d))
            return next((at for at in slots if at > now), None)
        case Cron(expression):
            ahead = _cron(expression, now.astimezone(timezone).replace(tzinfo=None) - DAY, timezone)
            return next((at for at in ahead if at > now), None)


def period_start(every: timedelta, timezone: ZoneInfo, moment: datetime) -> datetime:
    """Return where the period of length `every` that holds `moment` begins.

    Periods start at local midnights: for "the first point of each period" of a copy rule.
    """
    start = _latest_of_period(Schedule(Every(every)), every, timezone, moment)
    return moment if start is None else start


def _slot(at: datetime, schedule: Schedule, timezone: ZoneInfo) -> Slot:
    if schedule.window is None or _is_sub_daily(schedule):
        return Slot(at, None)
    local = at.astimezone(timezone)
    return Slot(at, instant(local.date(), _end_minute(schedule.window, local), timezone))


def _end_minute(window: Window, local: datetime) -> int:
    """Return the end of the window as a minute of the slot's day, past 1440 if it wraps."""
    minute = local.hour * 60 + local.minute
    start = window.start if minute >= window.start else window.start - 1440
    return start + window.minutes


def _is_sub_daily(schedule: Schedule) -> bool:
    return isinstance(schedule.cadence, Every) and schedule.cadence.period < DAY


def _latest_of_period(
    schedule: Schedule, period: timedelta, timezone: ZoneInfo, now: datetime
) -> datetime | None:
    day = now.astimezone(timezone).date() + DAY
    for back in range(max(1, period.days) + 3):
        slots = _slots_of_day(schedule, period, timezone, day - timedelta(days=back))
        due = [at for at in slots if at <= now]
        if due:
            return due[-1]
    return None


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

    for naive in CronSim(expression, start, reverse=reverse):
        if abs(naive - start) > _HORIZON:
            return
        yield resolve(naive, timezone).astimezone(UTC)
