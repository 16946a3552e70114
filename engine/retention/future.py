"""Points in the future: a wrong clock made them, so no rule may count them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

REASON = "future"


def count_future(instants: Sequence[datetime], now: datetime | None) -> int:
    """Return how many of `instants`, newest first, are later than `now`; none if that is None."""
    if now is None:
        return 0
    return next((index for index, instant in enumerate(instants) if instant <= now), len(instants))
