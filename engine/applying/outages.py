"""Which locations do not answer, and which have not for so long that nothing more is tried."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from engine.applying.ports import Clock, CloudError, Trouble
from engine.inventory.records import Location

PATIENCE = 120.0
"""Seconds for which a location may answer nothing before it is given up."""
FAILURES = 3
APART = 1.0
"""Failures less than so many seconds apart count as one: calls in parallel fail together."""
LOOK_AGAIN = 30.0

OF_THE_LOCATION = frozenset({Trouble.THROTTLED, Trouble.SERVER_FAULT, Trouble.NO_REPLY})
"""What says more of a location than of the call that met it."""


@dataclass(slots=True)
class _Outage:
    """Failures in a row, with no answer in between."""

    since: float
    last_at: float
    error: CloudError
    failures: int = 1


class Outages:
    """The retry budget of a run: per location, so that a region that is down costs it once.

    Each call has its own patience; a location has one for all of its calls. While nothing answers
    it is *in doubt*: one step at a time finds out. Once its patience is used up it is *down*: its
    calls are not repeated and its steps not started, but for one every `LOOK_AGAIN` seconds. Any
    answer, a refusal too, ends all that.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._found: dict[Location, _Outage] = {}

    def answered(self, location: Location) -> None:
        """Learn that a location works."""
        with self._lock:
            self._found.pop(location, None)

    def failed(self, location: Location, error: CloudError) -> None:
        """Learn what a call came to; most errors are answers."""
        if error.trouble not in OF_THE_LOCATION:
            self.answered(location)
            return
        now = self._clock.elapsed()
        with self._lock:
            outage = self._found.setdefault(location, _Outage(now, now, error))
            outage.error = error
            if now - outage.last_at >= APART:
                outage.failures += 1
                outage.last_at = now

    def in_doubt(self, location: Location) -> bool:
        """Tell whether the last that was heard of a location is a failure."""
        with self._lock:
            return location in self._found

    def is_down(self, location: Location) -> bool:
        """Tell whether a location is given up."""
        with self._lock:
            outage = self._found.get(location)
            return outage is not None and self._has_lasted(outage)

    def barring(self, location: Location) -> CloudError | None:
        """Return why nothing is to be tried at a location now, None where something may be."""
        with self._lock:
            outage = self._found.get(location)
            if outage is None or not self._has_lasted(outage):
                return None
            if self._clock.elapsed() - outage.last_at >= LOOK_AGAIN:
                return None
            error = outage.error
            lasted = round((outage.last_at - outage.since) / 60)
        text = f"{location} has not answered for {lasted} minutes; last: {error}"
        return CloudError(error.trouble, "LocationDown", text)

    def _has_lasted(self, outage: _Outage) -> bool:
        lasted = self._clock.elapsed() - outage.since
        return lasted >= PATIENCE and outage.failures >= FAILURES
