"""What costs are reckoned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.costs.durations import Paces
from engine.costs.history import NO_HISTORY, History
from engine.costs.prices import Prices
from engine.costs.rates import ASSUMED_RATE, Rate, rates_by_policy
from engine.documents.model import Documents


@dataclass(frozen=True, slots=True)
class Book:
    """Prices, how fast databases change, by policy, how long work takes, and how long it took.

    `documents` are those that windows are read from, None where nothing is held against one.
    """

    prices: Prices
    rates: Mapping[str, Rate] = field(default_factory=dict)
    paces: Paces = field(default_factory=Paces)
    history: History = NO_HISTORY
    documents: Documents | None = None

    def rate(self, policy: str) -> Rate:
        """Return how fast a policy's databases change; that of an unknown policy is assumed."""
        return self.rates.get(policy, ASSUMED_RATE)


def book_of(documents: Documents, prices: Prices, history: History = NO_HISTORY) -> Book:
    """Return what is reckoned from for these documents; durations are assumed or from history."""
    return Book(prices, rates_by_policy(documents), history=history, documents=documents)
