"""The armed faults: which one strikes a call, and how often each did."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.lab.calls import Asked
from engine.lab.clock import text_of
from engine.lab.errors import LabError
from engine.lab.faults import Fault, fault_document


@dataclass(slots=True)
class Armed:
    """A fault that waits for calls.

    Attributes:
        id: `f1`, `f2` …
        fault: what it is.
        until: the lab's time from which on it strikes no more, None for never.
        fired: how often it struck.
        missed: why its event could not happen the last time, None where it could.
        met: how often each call that fits was met.
    """

    id: str
    fault: Fault
    until: datetime | None
    fired: int = 0
    missed: str | None = None
    met: Counter[Asked] = field(default_factory=Counter)

    def strikes(self, asked: Asked, now: datetime) -> bool:
        """Tell whether it would strike a call; each call throws dice of its own.

        The dice depend on the seed, on what is asked and on how often that was asked before, so
        that the order in which parallel calls come in does not matter.
        """
        fault = self.fault
        if self.until is not None and now >= self.until:
            return False
        if not fault.fits(asked):
            return False
        self.met[asked] += 1
        if fault.limit is not None and self.fired >= fault.limit:
            return False
        if fault.probability >= 1:
            return True
        key = f"{fault.seed}/{fault.kind}/{'/'.join(asked)}/{self.met[asked]}"
        return random.Random(key).random() < fault.probability


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that strikes a call; `number` counts its strikes from 0."""

    id: str
    fault: Fault
    number: int


class FaultBook:
    """The faults that are armed, in the order of their arming."""

    def __init__(self) -> None:
        self._armed: dict[str, Armed] = {}
        self._made = 0

    def __iter__(self) -> Iterator[Armed]:
        return iter(self._armed.values())

    def arm(self, faults: Sequence[Fault], now: datetime) -> list[Armed]:
        """Let faults strike from now on."""
        return [self._arm(fault, now) for fault in faults]

    def _arm(self, fault: Fault, now: datetime) -> Armed:
        self._made += 1
        until = None if fault.lasts is None else now + timedelta(seconds=fault.lasts)
        armed = Armed(f"f{self._made}", fault, until)
        self._armed[armed.id] = armed
        return armed

    def strike(self, asked: Asked, now: datetime) -> Strike | None:
        """Return what strikes a call: of all that would, the one armed first."""
        ready = [armed for armed in self._armed.values() if armed.strikes(asked, now)]
        if not ready:
            return None
        first = ready[0]
        first.fired += 1
        return Strike(first.id, first.fault, first.fired - 1)

    def miss(self, strike: Strike, why: str) -> None:
        """Note that the event of a fault could not happen."""
        if strike.id in self._armed:
            self._armed[strike.id].missed = why

    def clear(self) -> int:
        """Disarm all; return how many there were."""
        count = len(self._armed)
        self._armed.clear()
        return count

    def disarm(self, fault_id: str) -> None:
        """Disarm one.

        Raises:
            LabError: there is none of that id.
        """
        if fault_id not in self._armed:
            armed = ", ".join(self._armed) or "none"
            raise LabError(f"there is no fault {fault_id!r}", f"armed are: {armed}")
        del self._armed[fault_id]


def armed_document(armed: Armed) -> dict[str, Any]:
    """Write an armed fault as JSON."""
    document = {"id": armed.id, **fault_document(armed.fault), "fired": armed.fired}
    if armed.until is not None:
        document["until"] = text_of(armed.until)
    if armed.missed is not None:
        document["missed"] = armed.missed
    return document
