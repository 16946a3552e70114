"""The lab's world: its time, what will happen in it, and its books."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.lab.agenda import Action, Agenda, Appointment
from engine.lab.calls import Calls
from engine.lab.clock import Clock
from engine.lab.fault_book import FaultBook
from engine.lab.settings import Settings
from engine.lab.truth import Ledger


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Under which the world is changed.

    Attributes:
        caller: whose call does it, None where nobody's does.
        fails: whether what the call makes ends as `failed`, halfway.
        unseen_seconds: for how many lab seconds what it makes is not seen.
    """

    caller: str | None = None
    fails: bool = False
    unseen_seconds: float = 0.0


class World:
    """One lab's time and books; `now` moves only through `settle`, so a call sees one moment.

    Attributes:
        number: how many worlds came before this one in the same process.
        circumstances: of the call that is being answered.
    """

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.clock = clock
        self.circumstances = Circumstances()
        self.number = 0
        self.calls = Calls()
        self._first_settings = settings
        self._begin()

    def _begin(self) -> None:
        self.settings = self._first_settings
        self.ledger = Ledger(lambda: self._now)
        self.faults = FaultBook()
        self.calls.clear()
        self._agenda = Agenda()
        self._now = self.clock.now()

    @property
    def now(self) -> datetime:
        """The moment that the world is at, UTC."""
        return self._now

    def begin_anew(self, at: datetime | None = None) -> None:
        """Become an empty world with the settings of the first one; its time may be earlier."""
        if at is not None:
            self.clock.reset_to(at)
        self.number += 1
        self._begin()

    @contextmanager
    def under(self, circumstances: Circumstances) -> Iterator[None]:
        """Let the world be changed under circumstances."""
        self.circumstances = circumstances
        try:
            yield
        finally:
            self.circumstances = Circumstances()

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
