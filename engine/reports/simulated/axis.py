"""The time of a drawing: from left to right, cut into as many pieces as an eye can tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH = 1000
PIECES = 250
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Axis:
    """The time between the start and the end of a simulation."""

    start: datetime
    end: datetime

    def x(self, time: datetime) -> int:
        """Return where a time lies, between 0 and WIDTH; what lies outside is at an edge."""
        return max(0, min(WIDTH, round((time - self.start) / (self.end - self.start) * WIDTH)))

    def piece(self, time: datetime) -> int:
        """Return the piece that a time lies in."""
        part = int((time - self.start) / (self.end - self.start) * PIECES)
        return max(0, min(PIECES - 1, part))

    def end_of(self, piece: int) -> datetime:
        """Return when a piece ends."""
        return self.start + (self.end - self.start) * (piece + 1) / PIECES

    @property
    def ticks(self) -> tuple[datetime, ...]:
        """The times that a drawing names, evenly from its start to its end."""
        span: timedelta = self.end - self.start
        return tuple(self.start + span * number / (_TICKS - 1) for number in range(_TICKS))
