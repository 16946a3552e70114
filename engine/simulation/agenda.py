"""When what happens: runs of the scheduler, and what befalls the estate between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.documents.scene import Event, Happening
from engine.inventory.records import Instance

_DAY = timedelta(days=1)
_LASTING = frozenset({Happening.OUTAGE})


@dataclass(frozen=True, slots=True)
class Turn:
    """A moment at which an event begins, or is over."""

    at: datetime
    event: Event
    begins: bool


class Agenda:
    """The moments of a simulation, each asked for once and in order."""

    def __init__(
        self, start: datetime, end: datetime, interval: timedelta, events: Iterable[Event]
    ) -> None:
        self.start, self.end, self.interval = start, end, interval
        told = [event for event in events if start <= event.at < end]
        self._missed = [event for event in told if event.what is Happening.MISS_RUNS]
        turns = [Turn(event.at, event, begins=True) for event in told]
        turns += [Turn(e.ends, e, begins=False) for e in told if e.what in _LASTING]
        self._turns: Sequence[Turn] = sorted(turns, key=lambda turn: (turn.at, turn.begins))
        self._next = 0

    def ticks(self) -> Iterator[datetime]:
        """Yield when the scheduler runs the engine."""
        tick: datetime | None = self.start
        while tick is not None:
            yield tick
            tick = self.tick_from(tick + self.interval)

    def tick_from(self, moment: datetime) -> datetime | None:
        """Return the first run at or after a moment; None where the simulation ends before."""
        passed = max(moment - self.start, timedelta(0))
        tick = self.start + -(-passed // self.interval) * self.interval
        while tick < self.end:
            missed = next((one for one in self._missed if one.at <= tick < one.ends), None)
            if missed is None:
                return tick
            passed = missed.ends - self.start
            tick = self.start + -(-passed // self.interval) * self.interval
        return None

    def next_turn(self) -> datetime | None:
        """Return when something happens next."""
        return self._turns[self._next].at if self._next < len(self._turns) else None

    def take(self, now: datetime) -> list[Turn]:
        """Return what happens at or before a moment, in order, and is not asked for again."""
        first = self._next
        while self._next < len(self._turns) and self._turns[self._next].at <= now:
            self._next += 1
        return list(self._turns[first : self._next])


def next_opening(instance: Instance, after: datetime) -> datetime | None:
    """Return when an instance's automated backup window opens next, None where it has none.

    The windows of RDS are UTC (API reference, ModifyDBInstance, PreferredBackupWindow).
    """
    if instance.backup_retention_days == 0 or not instance.backup_window:
        return None
    hour, minute = instance.backup_window.partition("-")[0].split(":")
    utc = after.astimezone(UTC)
    opening = utc.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    return opening if opening > utc else opening + _DAY
