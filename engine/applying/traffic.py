"""What a run learns of its locations from the calls it makes, and what that lets it do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from engine.applying.outages import Outages
from engine.applying.ports import Clock, CloudError, Trouble
from engine.applying.rates import RateBudget
from engine.inventory.records import Location

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Traffic:
    """The rate of calls and the outages of each location. Safe between threads.

    `stopping` tells that the run wants to end.
    """

    clock: Clock
    budget: RateBudget
    outages: Outages
    stopping: Callable[[], bool]

    def now(self) -> float:
        """Return seconds of the run's clock."""
        return self.clock.elapsed()

    def read(self, at: Location, call: Callable[[], Answer]) -> Answer:
        """Make a call that changes nothing when its turn comes, and learn from it.

        Raises:
            CloudError: the call's, or the location is down and nothing is tried there now.
        """
        bar = self.outages.barring(at)
        if bar is not None:
            raise bar
        sent_at = self.budget.take(at)
        try:
            answer = call()
        except CloudError as error:
            self.failed(at, error, sent_at)
            raise
        self.outages.answered(at)
        return answer

    def failed(self, at: Location, error: CloudError, sent_at: float) -> None:
        """Learn from an error that a call sent at `sent_at` met."""
        if error.trouble is Trouble.TOO_LATE:
            # It never got there.
            return
        if error.trouble is Trouble.THROTTLED:
            self.budget.throttled(at, sent_at)
        self.outages.failed(at, error)

    def repeated(self, at: Location) -> None:
        """Count a request beyond the one that was waited for: a further page, a client's retry."""
        self.budget.spend(at)

    def may_repeat(self, at: Location, error: CloudError, sent_at: float) -> bool:
        """Learn from an error that a client may retry by itself; tell whether it should."""
        self.failed(at, error, sent_at)
        return self.may_go_on(at)

    def may_go_on(self, at: Location) -> bool:
        """Tell whether what failed at a location is worth another try in this run."""
        return not self.stopping() and not self.outages.is_down(at)

    def is_troubled(self, at: Location) -> bool:
        """Tell whether several workers at a location would only wait."""
        return self.outages.in_doubt(at) or self.budget.is_slow(at)

    def is_free(self, at: Location) -> bool:
        """Tell whether a call could be made without waiting for its turn."""
        return self.budget.is_free(at)


def traffic_of(clock: Clock, stopping: Callable[[], bool], *, per_second: float = 20.0) -> Traffic:
    """Return what a run that has not made a call yet knows."""
    return Traffic(clock, RateBudget(clock, per_second), Outages(clock), stopping)
