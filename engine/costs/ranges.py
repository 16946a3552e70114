"""Amounts that are known between bounds only, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the most that an amount can be, in whatever unit its user names."""

    low: float
    high: float

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, factor: Range | float) -> Range:
        """Return the product with a factor, which is not negative."""
        if not isinstance(factor, Range):
            return Range(self.low * factor, self.high * factor)
        low = self.low * (factor.low if self.low >= 0 else factor.high)
        return Range(low, self.high * (factor.high if self.high >= 0 else factor.low))

    def __truediv__(self, other: Range) -> Range:
        """Return the quotient, such as the time an amount takes at a pace above zero."""
        return Range(self.low / other.high, self.high / other.low)

    def beyond(self, other: Range) -> Range:
        """Return how much more this is than `other`, at least nothing."""
        return Range(max(0.0, self.low - other.high), max(0.0, self.high - other.low))

    def change_to(self, after: Range) -> Range:
        """Return what is added where this becomes `after`; it is negative where that is less.

        Both rest on the same unknowns, so least goes with least and most with most.
        """
        bounds = (after.low - self.low, after.high - self.high)
        return Range(min(bounds), max(bounds))

    def up_to(self, most: float) -> Range:
        """Return this, but nowhere more than `most`."""
        return Range(min(self.low, most), min(self.high, most))

    def or_range(self, other: Range) -> Range:
        """Return what holds if either of both does."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    @property
    def pair(self) -> tuple[float, float]:
        """Both bounds, as plan documents hold them."""
        return (self.low, self.high)


NOTHING = Range(0.0, 0.0)


def exactly(amount: float) -> Range:
    """Return an amount that is known."""
    return Range(amount, amount)


def total(ranges: Iterable[Range]) -> Range:
    """Return the sum; of none it is nothing."""
    low = high = 0.0
    for one in ranges:
        low += one.low
        high += one.high
    return Range(low, high)
