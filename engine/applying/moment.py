"""Moments by both clocks of this machine, to tell how long something may have lasted."""

from __future__ import annotations

from dataclasses import dataclass

from engine.applying.ports import Clock


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment by both clocks of this machine: the steady one stands still while it is asleep."""

    elapsed: float
    now: float

    @classmethod
    def of(cls, clock: Clock) -> Moment:
        """Return the moment that it is now."""
        return cls(clock.elapsed(), clock.now().timestamp())

    def seconds_to(self, later: Moment) -> float:
        """Return how many seconds have passed at most."""
        return max(later.elapsed - self.elapsed, later.now - self.now)
