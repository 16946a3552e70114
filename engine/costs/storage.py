"""How much snapshots take up: one in full, the others of a chain as what changed in between.

AWS tells neither what a snapshot takes up nor whether it is incremental, only how large it would be
in full, and that not everywhere. Removing a snapshot frees only what no later one of its chain
needs (EC2 API reference, DeleteSnapshot), so what a chain takes up depends on what is left of it,
not on what there once was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.costs.ranges import Range
from engine.costs.rates import Rate

DAY = timedelta(days=1)
MONTH = timedelta(days=365) / 12
"""What prices per month are taken for: AWS bills by the hours of the calendar's months."""


@dataclass(frozen=True, slots=True)
class Body:
    """What is snapshotted: its allocated storage, and what a snapshot says it is in full, in GiB.

    `full_gib` is DBSnapshot.FullSnapshotSizeInBytes, None where AWS does not tell it.
    """

    allocated_gib: int
    full_gib: float | None = None

    @property
    def full(self) -> Range:
        """What a full snapshot takes up, in GiB: as AWS tells, else anything up to all of it."""
        if self.full_gib is None:
            return Range(0.0, float(self.allocated_gib))
        return Range(self.full_gib, self.full_gib)


@dataclass(frozen=True, slots=True)
class Link:
    """One object of a chain: when its data was captured, of what, and if it is known to be full."""

    taken_at: datetime
    body: Body
    is_full: bool = False


def increment(body: Body, since: timedelta, rate: Rate) -> Range:
    """Return the GiB of a snapshot whose base is `since` older: what changed, at most all."""
    days = max(0.0, since / DAY)
    size = body.full_gib if body.full_gib is not None else float(body.allocated_gib)
    # Without a full size the storage may be all but empty, and so may be what changes of it.
    least = rate.a_day.low * days * size if body.full_gib is not None else 0.0
    return Range(min(least, size), min(rate.a_day.high * days * size, size))


def stored(link: Link, base: datetime | None, rate: Rate) -> Range:
    """Return the GiB of one object; `base` is when that of its chain before it was taken."""
    if base is None or link.is_full:
        return link.body.full
    return increment(link.body, link.taken_at - base, rate)


def either(body: Body, since: timedelta | None, rate: Rate) -> Range:
    """Return the GiB of an object of which nobody can tell whether it is full."""
    if since is None:
        return body.full
    return increment(body, since, rate).or_range(body.full)


def chain_storage(links: Iterable[Link], rate: Rate) -> Sequence[Range]:
    """Return the GiB of each object of one chain, oldest first, as they are given.

    The oldest holds all that the later ones share with it, whatever was before it.
    """
    found: list[Range] = []
    base: datetime | None = None
    for link in links:
        found.append(stored(link, base, rate))
        base = link.taken_at
    return found
