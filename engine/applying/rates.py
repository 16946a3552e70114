"""How fast calls may be made: a budget per location, smaller after each throttling."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

from engine.applying.ports import Clock
from engine.inventory.records import Location

SLOWEST = 0.25
RECOVERS_IN = 120.0
"""Seconds in which a rate grows from nothing to full."""
MOST_OWED = 5.0
ENOUGH_FOR_MANY = 0.25
"""The share of the full rate below which one worker is enough to use it up."""


@dataclass(slots=True)
class _Bucket:
    """`rate` held at `as_of`; `slowed_at` is when it was last halved."""

    rate: float
    as_of: float
    free_at: float = 0.0
    slowed_at: float = -math.inf


class RateBudget:
    """Calls per second and location.

    RDS limits calls per account and region at a rate it does not publish (RDS User Guide, Quotas
    and constraints), so the budget starts at `per_second`, halves when AWS throttles, and grows
    back evenly with time: additive increase, multiplicative decrease, by which callers who do not
    know of one another come to fair shares. Calls that were sent before a halving say nothing of
    the rate after it, so however many are throttled together halve it once.
    """

    def __init__(self, clock: Clock, per_second: float = 20.0) -> None:
        self._clock = clock
        self._full = per_second
        self._lock = threading.Lock()
        self._buckets: dict[Location, _Bucket] = {}

    def take(self, location: Location) -> float:
        """Wait for the turn of one call; return the moment of it."""
        now = self._clock.elapsed()
        with self._lock:
            bucket = self._grown(location, now)
            turn = max(now, bucket.free_at)
            bucket.free_at = turn + 1 / bucket.rate
        if turn > now:
            self._clock.sleep(turn - now)
        return turn

    def spend(self, location: Location) -> None:
        """Count a call that was made without asking, so that others wait the longer.

        Never longer than `MOST_OWED` seconds, however many pages a listing had.
        """
        now = self._clock.elapsed()
        with self._lock:
            bucket = self._grown(location, now)
            owed = max(now, bucket.free_at) + 1 / bucket.rate
            bucket.free_at = max(bucket.free_at, min(owed, now + MOST_OWED))

    def throttled(self, location: Location, sent_at: float) -> None:
        """Learn that AWS found the calls too many when one was made at `sent_at`."""
        now = self._clock.elapsed()
        with self._lock:
            bucket = self._grown(location, now)
            if sent_at < bucket.slowed_at:
                return
            bucket.rate = max(SLOWEST, bucket.rate / 2)
            bucket.slowed_at = now

    def rate(self, location: Location) -> float:
        """Return the calls per second allowed now."""
        with self._lock:
            return self._grown(location, self._clock.elapsed()).rate

    def is_slow(self, location: Location) -> bool:
        """Tell whether several workers would only wait for one another."""
        return self.rate(location) < self._full * ENOUGH_FOR_MANY

    def is_free(self, location: Location) -> bool:
        """Tell whether a call could be made without waiting."""
        now = self._clock.elapsed()
        with self._lock:
            return self._grown(location, now).free_at <= now

    def _grown(self, location: Location, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(location, _Bucket(self._full, now))
        grown = max(0.0, now - bucket.as_of) * self._full / RECOVERS_IN
        bucket.rate = min(self._full, bucket.rate + grown)
        bucket.as_of = max(bucket.as_of, now)
        return bucket
