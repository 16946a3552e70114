"""What becomes of the points of single databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from engine.plans.codes import Action, Verdict
from engine.reports.simulated.survey import is_point
from engine.simulation.before import Standing
from engine.simulation.timeline import Entry, Happened, Simulation

# A gap is longer than the rhythm by half of it.
_SLACK = 1.5
# Part of a rhythm is what comes twice and at least so often: the three days of a weekend do.
_REGULAR = 0.1


@dataclass(slots=True)
class PastPoint:
    """A point at a location, from when it is made until it is removed.

    `verdict` is None for one that was there before, `made` the start then. `taken` is when its data
    was captured. `chain` counts the chains of the location from 0.
    """

    slot: datetime
    made: datetime
    ready: datetime
    taken: datetime
    chain: int
    verdict: Verdict | None = None
    gone: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """A chain at a location: the zone and the keys that make it one, and its points."""

    zone: str
    keys: str
    points: int
    full: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Lane:
    """The points of a database at one location, by slot.

    `gaps` are the times without a point where the rhythm of the location has one; `worst` is how
    old the newest available point got there, None where there never was one.
    """

    location: str
    points: tuple[PastPoint, ...]
    chains: tuple[ChainSeen, ...]
    gaps: tuple[tuple[datetime, datetime], ...]
    worst: timedelta | None


@dataclass(frozen=True, slots=True)
class History:
    """What becomes of a database's points: at home first, then at its targets."""

    source: str
    lanes: tuple[Lane, ...]
    happened: tuple[Happened, ...]


@dataclass(slots=True)
class _Place:
    points: dict[str, PastPoint] = field(default_factory=dict)
    chains: dict[tuple[str, str], int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def histories(
    simulation: Simulation, before: Iterable[Standing], sources: Iterable[str]
) -> dict[str, History]:
    """Return what becomes of the points of these databases; the timeline is read once for all."""
    places: dict[str, dict[str, _Place]] = {source: {} for source in sources}
    for one in before:
        if one.source in places and one.is_point:
            place = places[one.source].setdefault(one.location, _Place())
            chain = place.chains.setdefault((one.zone, one.keys), len(place.chains))
            start = simulation.start
            place.points[one.snapshot] = PastPoint(one.slot, start, start, one.taken_at, chain)
    taken: dict[tuple[str, datetime | None], datetime] = {}
    for entry in simulation.timeline():
        if entry.source in places:
            if entry.action is Action.CREATE:
                taken[entry.source, entry.slot] = entry.at
            at = taken.get((entry.source, entry.slot))
            _take(places[entry.source].setdefault(str(entry.location), _Place()), entry, at)
    return {
        source: History(
            source,
            tuple(_lanes(source, at_places, simulation)),
            tuple(one for one in simulation.happened if _concerns(one, source)),
        )
        for source, at_places in places.items()
    }


def _concerns(happened: Happened, source: str) -> bool:
    """Say whether an event is about a database: its own, or one of a place, a target or all."""
    return happened.about == source or happened.about.count("/") < 2


def _take(place: _Place, entry: Entry, taken: datetime | None) -> None:
    if entry.action is Action.DELETE:
        if entry.snapshot in place.points:
            place.points[entry.snapshot].gone = entry.at
    elif entry.ready_at is not None and entry.slot is not None and is_point(entry):
        chain = place.chains.setdefault((entry.zone, entry.keys), len(place.chains))
        verdict = None if entry.forecast is None else entry.forecast.verdict
        place.points[entry.snapshot] = PastPoint(
            entry.slot,
            entry.at,
            entry.ready_at,
            taken or entry.slot,
            chain,
            verdict or Verdict.UNKNOWN,
        )


def _lanes(source: str, places: dict[str, _Place], simulation: Simulation) -> Iterator[Lane]:
    home = source.rpartition("/")[0]
    for location in sorted(places, key=lambda at: (at != home, at)):
        place = places[location]
        points = sorted(place.points.values(), key=lambda one: (one.slot, one.made))
        if points:
            yield Lane(
                location=location,
                points=tuple(points),
                chains=tuple(_chains(place, points)),
                gaps=tuple(_gaps(points, simulation)),
                worst=_worst(points, simulation),
            )


def _chains(place: _Place, points: Sequence[PastPoint]) -> Iterator[ChainSeen]:
    for (zone, keys), number in place.chains.items():
        own = [one for one in points if one.chain == number]
        if own:
            full = sum(one.verdict is Verdict.FULL for one in own)
            yield ChainSeen(zone, keys, len(own), full, own[0].slot, own[-1].slot)


def _gaps(
    points: Sequence[PastPoint], simulation: Simulation
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the times, until the end, in which a point is missing that the rhythm would have."""
    slots = sorted({one.slot for one in points if one.verdict is not None})
    spans = [after - before for before, after in pairwise(slots)]
    least = max(2, _REGULAR * len(spans))
    rhythm = max((span for span, number in Counter(spans).items() if number >= least), default=None)
    if rhythm is None:
        return
    for before, after in pairwise([*slots, simulation.end]):
        if after - before > _SLACK * rhythm:
            yield before + rhythm, after


def _worst(points: Sequence[PastPoint], simulation: Simulation) -> timedelta | None:
    newest: datetime | None = None
    worst: timedelta | None = None
    for one in sorted(points, key=lambda one: one.ready):
        if newest is not None:
            worst = max(worst or timedelta(), one.ready - newest)
        newest = one.taken if newest is None else max(newest, one.taken)
    if newest is None:
        return None
    return max(worst or timedelta(), simulation.end - newest)
