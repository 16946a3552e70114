"""What is about databases at locations, in rows of tables: what shares one, and how it begins."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from engine.plans.refs import At, SourceRef
from engine.reports.folding import grouped
from engine.reports.lines import Span, Tone, cell, listed, name
from engine.reports.wording import count, place

# How many names of databases a folded row shows.
NAMES = 6
# How many rows a table has before those of different places fold.
PLACES = 12

Row = tuple[tuple[Span, ...], ...]


class Placed(Protocol):
    """Something about a database at a location."""

    @property
    def source(self) -> SourceRef:
        """The database."""

    @property
    def location(self) -> At:
        """Where it is about."""


PlacedT = TypeVar("PlacedT", bound=Placed)


def is_home(one: Placed) -> bool:
    """Say whether something is about a database's own location."""
    return one.location == At(one.source.account, one.source.region)


def by_place(
    items: Sequence[PlacedT], alike: Callable[[PlacedT], Hashable], *, full: bool
) -> list[list[PlacedT]]:
    """Return what shares a row: what is alike at one place or, where these are many, anywhere."""
    groups = grouped(items, lambda one: (alike(one), one.location))
    if full or len(groups) <= PLACES:
        return list(groups.values())
    return list(grouped(items, alike).values())


def about(policy: str, alike: Iterable[Placed]) -> tuple[Span, ...]:
    """Return the cell that names a policy and where it is about."""
    return cell(Span(policy, Tone.STRONG), " in ", places({one.location for one in alike}))


def places(locations: Collection[At]) -> str | Span:
    """Return a location, or how many there are."""
    if len(locations) == 1:
        return name(place(next(iter(locations))))
    return count(len(locations), "location")


def databases(alike: Iterable[Placed]) -> list[str | Span]:
    """Return how many databases a row is about, and their names."""
    known = sorted({one.source: one.source.identifier for one in alike}.values())
    return [f"{len(known):,}: " if len(known) > 1 else "", *listed(known, NAMES)]


def day_of(time: datetime) -> str:
    """Return the day of a time in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%d")
