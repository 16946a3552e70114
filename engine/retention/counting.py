"""`hourly`, `daily`, `weekly`, `monthly`, `yearly`: the newest point of each of so many periods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.retention.keep import Count, Rule
from engine.retention.points import Mark, Points


@dataclass(frozen=True, slots=True)
class Counting:
    """Keeps the newest point of each of the `count` newest periods that have one.

    Periods without a point are not counted. While counts are left the oldest point of all is kept
    too, so that a young history is as long as it can be. A period ends where the next older point
    lies in another one: local hours that come twice in a row are one period.
    """

    rule: Rule
    count: Count

    def marks(self, points: Points) -> Iterator[Mark]:
        """Yield the points kept, numbered from the newest; at last perhaps the oldest."""
        name = self.rule + "-"
        number = 0
        index = -1
        newest_of_period = -1
        previous: int | None = None
        for index, period in enumerate(points.periods(self.rule)):
            if period != previous:
                previous = period
                newest_of_period = index
                number += 1
                yield index, name + str(number)
                if number == self.count:
                    return
        if index != newest_of_period:
            yield index, f"oldest-{self.rule}"
