"""What will happen in the lab, and when."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

Action = Callable[[], None]


@dataclass(order=True, slots=True)
class Appointment:
    """An action that is due at a time; of one time, the first made comes first."""

    when: datetime
    number: int
    action: Action | None = field(compare=False)

    def cancel(self) -> None:
        """Let it not happen."""
        self.action = None


class Agenda:
    """A queue of actions by the lab's time."""

    def __init__(self) -> None:
        self._queue: list[Appointment] = []
        self._numbers = itertools.count()

    def add(self, when: datetime, action: Action) -> Appointment:
        """Let `action` happen once the lab's time has come to `when`."""
        appointment = Appointment(when, next(self._numbers), action)
        heapq.heappush(self._queue, appointment)
        return appointment

    def pop_due(self, now: datetime) -> Appointment | None:
        """Take the earliest appointment that is due by `now`, None where there is none."""
        while self._queue and self._queue[0].when <= now:
            appointment = heapq.heappop(self._queue)
            if appointment.action is not None:
                return appointment
        return None
