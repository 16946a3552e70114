"""Whose turn it is: no location that makes its callers wait may keep the others from theirs."""

from __future__ import annotations

from collections.abc import Iterable

from engine.applying.ports import CloudError
from engine.applying.traffic import Traffic
from engine.inventory.records import Location

Places = frozenset[Location]


class Turns:
    """How many steps may be under way, and where.

    As many as `parallelism` at locations that answer in time. A location that does not, being
    throttled or in doubt, has one seat beside those, so that a worker who waits there costs
    nobody's place. A step is where its calls go and wherever it has to look first.
    """

    def __init__(self, traffic: Traffic, parallelism: int) -> None:
        self._traffic = traffic
        self._parallelism = parallelism
        self._active: dict[str, Places] = {}
        self._troubled: Places = frozenset()

    def look(self, places: Iterable[Places]) -> None:
        """See anew which of all these locations, and of those of active steps, are in trouble."""
        known: Places = frozenset().union(*places, *self._active.values())
        self._troubled = frozenset(at for at in known if self._traffic.is_troubled(at))

    def begin(self, step: str, places: Places) -> None:
        """Count a step as under way."""
        self._active[step] = places

    def end(self, step: str) -> None:
        """Count it no more."""
        self._active.pop(step, None)

    def allows(self, places: Places) -> bool:
        """Tell whether another step may be started there now."""
        troubled = places & self._troubled
        if not troubled:
            return self._calm() < self._parallelism
        if not all(self._traffic.is_free(at) for at in troubled):
            return False
        return all(troubled.isdisjoint(taken) for taken in self._active.values())

    def bar(self, places: Places) -> CloudError | None:
        """Return why a step that needs these locations is not even tried, None where it may be."""
        bars = (self._traffic.outages.barring(at) for at in sorted(places & self._troubled))
        return next((bar for bar in bars if bar is not None), None)

    def _calm(self) -> int:
        return sum(1 for taken in self._active.values() if taken.isdisjoint(self._troubled))
