"""`last`: the newest points, however old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.retention.keep import ALL, Count
from engine.retention.points import Mark, Points


@dataclass(frozen=True, slots=True)
class Last:
    """Keeps the `count` newest points."""

    count: Count

    def marks(self, points: Points) -> Iterator[Mark]:
        """Yield the newest points, numbered from the newest."""
        end = len(points) if self.count is ALL else min(self.count, len(points))
        return ((index, f"last-{index + 1}") for index in range(end))
