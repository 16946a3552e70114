"""Backup and maintenance windows: `hh24:mi-hh24:mi` and `ddd:hh24:mi-ddd:hh24:mi`, UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from moto.rds.utils import valid_preferred_maintenance_window

from engine.lab.rds import refusals

LEAST_MINUTES = 30
_DAY = 24 * 60
_WEEK = 7 * _DAY
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"([01]\d|2[0-3]):([0-5]\d)"
_BACKUP = re.compile(f"{_TIME}-{_TIME}")
_MAINTENANCE = re.compile(f"({'|'.join(_DAYS)}):{_TIME}-({'|'.join(_DAYS)}):{_TIME}")


def check_windows(backup: str, maintenance: str) -> None:
    """Refuse windows that RDS would not take: format, 30 minutes, overlap.

    Raises:
        RDSClientError: InvalidParameterValue.
    """
    start = _BACKUP.fullmatch(backup)
    if start is None:
        raise refusals.parameter(
            f"Invalid backup window format: {backup}. Should be specified as a range "
            "hh24:mi-hh24:mi (24H Clock UTC). Example: 04:00-04:30"
        )
    hour, minute, end_hour, end_minute = map(int, start.groups())
    length = (end_hour * 60 + end_minute - hour * 60 - minute) % _DAY
    if length < LEAST_MINUTES:
        raise refusals.parameter("The backup window must be at least 30 minutes.")
    message = valid_preferred_maintenance_window(maintenance, backup)
    if message:
        raise refusals.parameter(message)
    if _maintenance_length(maintenance) < LEAST_MINUTES:
        raise refusals.parameter("The maintenance window must be at least 30 minutes.")


def next_backup(window: str, after: datetime) -> datetime:
    """Return when a daily window opens next."""
    start = _BACKUP.fullmatch(window)
    hour, minute = (int(start[1]), int(start[2])) if start else (0, 0)
    opening = after.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return opening if opening > after else opening + timedelta(days=1)


def next_maintenance(window: str, after: datetime) -> datetime:
    """Return when a weekly window opens next."""
    found = _MAINTENANCE.fullmatch(window)
    day, hour, minute = (
        (_DAYS.index(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)
    )
    opening = after.replace(hour=hour, minute=minute, second=0, microsecond=0)
    opening += timedelta(days=(day - opening.weekday()) % 7)
    return opening if opening > after else opening + timedelta(days=7)


def _maintenance_length(window: str) -> int:
    found = _MAINTENANCE.fullmatch(window)
    if found is None:
        return 0
    day, hour, minute, end_day, end_hour, end_minute = found.groups()
    start = _DAYS.index(day) * _DAY + int(hour) * 60 + int(minute)
    end = _DAYS.index(end_day) * _DAY + int(end_hour) * 60 + int(end_minute)
    return (end - start) % _WEEK
