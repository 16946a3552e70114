"""The lab's world: its time, what will happen in it, and its books."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.lab.agenda import Action, Agenda, Appointment
from engine.lab.calls import Calls
from engine.lab.clock import Clock
from engine.lab.settings import Settings
from engine.lab.truth import Ledger


class World:
    """One lab's time and books; `now` moves only through `settle`, so a call sees one moment."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.clock = clock
        self.settings = settings
        self.ledger = Ledger()
        self.calls = Calls()
        self._agenda = Agenda()
        self._now = clock.now()

    @property
    def now(self) -> datetime:
        """The moment that the world is at, UTC."""
        return self._now

    def settle(self) -> None:
        """Let everything happen that is due by the clock, each thing at its own time."""
        until = self.clock.now()
        while (appointment := self._agenda.pop_due(until)) is not None:
            self._now = max(self._now, appointment.when)
            if appointment.action is not None:
                appointment.action()
        self._now = max(self._now, until)

    def after(self, seconds: float, action: Action) -> Appointment:
        """Let something happen so many lab seconds from now."""
        return self.at(self._now + timedelta(seconds=seconds), action)

    def at(self, when: datetime, action: Action) -> Appointment:
        """Let something happen at a time."""
        return self._agenda.add(when, action)
