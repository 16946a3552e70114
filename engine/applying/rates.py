"""How fast calls may be made: a budget per location, smaller after each throttling."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from engine.applying.ports import Clock
from engine.inventory.records import Location

SLOWEST = 0.25
RECOVERY = 1.02


@dataclass(slots=True)
class _Bucket:
    rate: float
    free_at: float = 0.0


class RateBudget:
    """Calls per second and location.

    RDS limits calls per account and region at a rate it does not publish (RDS User Guide, Quotas
    and constraints), so the budget starts at `per_second`, halves when AWS throttles, and grows
    back by and by.
    """

    def __init__(self, clock: Clock, per_second: float = 20.0) -> None:
        self._clock = clock
        self._full = per_second
        self._lock = threading.Lock()
        self._buckets: dict[Location, _Bucket] = {}

    def take(self, location: Location) -> None:
        """Wait for the turn of one call."""
        with self._lock:
            bucket = self._buckets.setdefault(location, _Bucket(self._full))
            now = self._clock.elapsed()
            turn = max(now, bucket.free_at)
            bucket.free_at = turn + 1 / bucket.rate
            bucket.rate = min(self._full, bucket.rate * RECOVERY)
        if turn > now:
            self._clock.sleep(turn - now)

    def throttled(self, location: Location) -> None:
        """Learn that AWS found the calls too many."""
        with self._lock:
            bucket = self._buckets.setdefault(location, _Bucket(self._full))
            bucket.rate = max(SLOWEST, bucket.rate / 2)

    def rate(self, location: Location) -> float:
        """Return the calls per second allowed now."""
        with self._lock:
            bucket = self._buckets.get(location)
            return bucket.rate if bucket else self._full
