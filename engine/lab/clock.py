"""The lab's time: runs at a multiple of real time and can be moved forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from engine.lab.errors import LabError

# Daily backups of all days up to a time are taken when the clock is moved to it.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_FASTEST = 10_000_000


class Clock:
    """A clock whose seconds last 1/`speed` of a real one.

    Args:
        start: the lab's time now; aware.
        speed: lab seconds per real second; 0 stands still.
        ticks: real seconds since any fixed moment.
    """

    def __init__(
        self, start: datetime, speed: float, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._ticks = ticks
        self._speed = _checked_speed(speed)
        self._set(start)

    @property
    def speed(self) -> float:
        """Lab seconds per real second."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._set(self.now())
        self._speed = _checked_speed(speed)

    def now(self) -> datetime:
        """Return the lab's time, UTC, in whole milliseconds as AWS tells times."""
        elapsed = timedelta(seconds=(self._ticks() - self._at) * self._speed)
        now = min(self._start + elapsed, LATEST)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def move_to(self, when: datetime) -> None:
        """Move to a later time.

        Raises:
            LabError: it is earlier than the lab's time, as what happened cannot be undone; or it
                is out of all range.
        """
        if when < self.now():
            raise LabError(
                f"the lab's clock cannot go back from {text_of(self.now())} to {text_of(when)}",
                "start a new lab for an earlier time",
            )
        self._set(when)

    def reset_to(self, when: datetime) -> None:
        """Start again at any time, for a world where nothing has happened yet."""
        self._set(when)

    def _set(self, when: datetime) -> None:
        self._start = sensible(when)
        self._at = self._ticks()


def time_of(text: str) -> datetime:
    """Read an RFC 3339 time.

    Raises:
        LabError: it is none, or names no offset from UTC.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise LabError(f"{text!r} is not a time", "write it like 2026-11-21T02:00:00Z") from None
    if when.tzinfo is None:
        raise LabError(f"{text!r} names no time zone", f"write {text}Z if it is UTC")
    return sensible(when)


def sensible(when: datetime) -> datetime:
    """Return a time in UTC.

    Raises:
        LabError: nobody needs a lab at that time.
    """
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    if EARLIEST <= aware <= LATEST:
        return aware.astimezone(UTC)
    raise LabError(
        f"the lab knows no time like {when.isoformat()}",
        f"give one from {EARLIEST.year} to {LATEST.year}",
    )


def later(when: datetime, seconds: float) -> datetime:
    """Return the time so many seconds after another.

    Raises:
        LabError: nobody needs a lab at that time.
    """
    try:
        return sensible(when + timedelta(seconds=seconds))
    except (OverflowError, ValueError):
        raise LabError(f"the lab knows no time {seconds} seconds from now", "give fewer") from None


def text_of(when: datetime) -> str:
    """Write a time as RFC 3339 in UTC with seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _checked_speed(speed: float) -> float:
    if not 0 <= speed <= _FASTEST:
        raise LabError(
            f"the lab's clock cannot run at speed {speed}", f"give one from 0 to {_FASTEST}"
        )
    return speed
