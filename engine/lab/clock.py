"""The lab's time: runs at a multiple of real time and can be moved forward."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from engine.lab.errors import LabError


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
        now = self._start + elapsed
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def move_to(self, when: datetime) -> None:
        """Move to a later time.

        Raises:
            LabError: it is earlier than the lab's time; what happened cannot be undone.
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
        self._start = when.astimezone(UTC)
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
    return when.astimezone(UTC)


def text_of(when: datetime) -> str:
    """Write a time as RFC 3339 in UTC with seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _checked_speed(speed: float) -> float:
    if not (math.isfinite(speed) and speed >= 0):
        raise LabError(f"the lab's clock cannot run at speed {speed}", "give 0 or more")
    return speed
