"""A simulation read once: how much there is when, how old points get, which databases are alike."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.plans.codes import Action, StepReason
from engine.reports.simulated.axis import PIECES, Axis
from engine.simulation.before import Standing
from engine.simulation.timeline import Entry, Simulation

_HOUR = timedelta(hours=1)
_WORD = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Alike:
    """Databases to which the same happens, slot by slot; `surprises` counts those of all."""

    sources: tuple[str, ...]
    surprises: int
    worst: timedelta | None

    @property
    def number(self) -> int:
        """How many they are."""
        return len(self.sources)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a simulation is like as a whole.

    `held` is how many snapshots of the engine's there are at most in each piece of the time, by
    location; `ages` how many hours old the newest point of any database gets in it, None where
    there is no database with a point. `groups` are the databases, those first that surprise.
    """

    axis: Axis
    held: dict[str, tuple[int, ...]]
    ages: tuple[float | None, ...]
    groups: tuple[Alike, ...]


@dataclass(slots=True)
class _Watched:
    """What is kept of a database while a timeline is read."""

    looks: dict[str, int] = field(default_factory=dict)
    chains: dict[tuple[str, str, str], int] = field(default_factory=dict)
    newest_slot: datetime | None = None
    newest: datetime | None = None
    since: datetime | None = None
    arriving: list[tuple[datetime, datetime]] = field(default_factory=list)

    def look(self, location: str, *what: object) -> None:
        """Note something; in which order things happen at a place does not matter."""
        self.looks[location] = (self.looks.get(location, 0) + hash(what)) & _WORD

    def chain(self, location: str, zone: str, keys: str) -> int:
        """Return which chain of the location it is: the first, the second."""
        key = (location, zone, keys)
        if key not in self.chains:
            self.chains[key] = sum(one[0] == location for one in self.chains)
        return self.chains[key]


def survey(simulation: Simulation, before: Sequence[Standing]) -> Survey:
    """Read a timeline once, and keep little of it, however long it is."""
    reader = _Reader(Axis(simulation.start, simulation.end))
    reader.begin(before)
    for entry in simulation.timeline():
        reader.take(entry)
    reader.finish(simulation)
    return Survey(
        axis=reader.axis,
        held={at: _filled(pieces) for at, pieces in sorted(reader.held.items())},
        ages=tuple(reader.ages),
        groups=tuple(_groups(reader.watched, simulation)),
    )


class _Reader:
    def __init__(self, axis: Axis) -> None:
        self.axis = axis
        self.watched: dict[str, _Watched] = defaultdict(_Watched)
        self.held: dict[str, list[int | None]] = {}
        self.ages: list[float | None] = [None] * PIECES
        self._counts: Counter[str] = Counter()
        self._piece = (axis.start, 0)

    def begin(self, before: Iterable[Standing]) -> None:
        for one in before:
            known = self.watched[one.source]
            known.look(
                one.location, one.slot, known.chain(one.location, one.zone, one.keys), one.is_point
            )
            known.newest = max(known.newest or one.taken_at, one.taken_at)
            known.since = self.axis.start
            self._count(one.location, 1, self.axis.start)

    def take(self, entry: Entry) -> None:
        at, known = str(entry.location), self.watched[entry.source]
        self._arrive(known, entry.at)
        if entry.action is Action.DELETE:
            known.look(at, entry.slot, known.newest_slot)
            self._count(at, -1, entry.at)
        elif entry.ready_at is not None:
            verdict = None if entry.forecast is None else entry.forecast.verdict
            known.look(at, entry.slot, verdict, known.chain(at, entry.zone, entry.keys))
            self._count(at, 1, entry.at)
            if is_point(entry) and entry.source.startswith(f"{at}/") and entry.slot is not None:
                known.newest_slot = entry.slot
                captured = entry.at if entry.action is Action.CREATE else entry.slot
                known.arriving.append((entry.ready_at, captured))

    def finish(self, simulation: Simulation) -> None:
        ended = {one.about: one.at for one in simulation.happened if one.what == "delete"}
        for one in simulation.happened:
            if one.about in self.watched:
                self.watched[one.about].look("", one.at, one.what)
        for source, known in self.watched.items():
            until = ended.get(source, self.axis.end)
            self._arrive(known, until)
            self._age(known, until)

    def _count(self, at: str, change: int, time: datetime) -> None:
        before = self._counts[at]
        self._counts[at] = after = before + change
        if time != self._piece[0]:
            self._piece = time, self.axis.piece(time)
        piece = self._piece[1]
        if (pieces := self.held.get(at)) is None:
            pieces = self.held[at] = [None] * PIECES
        pieces[piece] = max(before, after, pieces[piece] or 0)
        if piece + 1 < PIECES:
            # What later pieces begin with, until something changes in them.
            pieces[piece + 1] = after

    def _arrive(self, known: _Watched, now: datetime) -> None:
        while known.arriving and known.arriving[0][0] <= now:
            ready, captured = known.arriving.pop(0)
            self._age(known, ready)
            known.newest = captured if known.newest is None else max(known.newest, captured)
            known.since = ready

    def _age(self, known: _Watched, until: datetime) -> None:
        """Note how old the newest point of a database gets from when it came until then."""
        if known.newest is None or known.since is None:
            return
        for piece in range(self.axis.piece(known.since), self.axis.piece(until) + 1):
            age = (min(until, self.axis.end_of(piece)) - known.newest) / _HOUR
            self.ages[piece] = max(self.ages[piece] or 0.0, age)


def is_point(entry: Entry) -> bool:
    """Say whether what an entry makes is a point, and not a bridge to one."""
    return entry.reason != StepReason.ROUTE_NEEDS_BRIDGE


def _filled(pieces: Sequence[int | None]) -> tuple[int, ...]:
    """Return the pieces with those in which nothing happened as the last one before them ends."""
    filled: list[int] = []
    for piece in pieces:
        filled.append(piece if piece is not None else (filled[-1] if filled else 0))
    return tuple(filled)


def _groups(watched: dict[str, _Watched], simulation: Simulation) -> list[Alike]:
    surprises = Counter(one.source for one in simulation.surprises)
    worst = simulation.summary.worst_rpo
    alike: dict[object, list[str]] = defaultdict(list)
    for source, known in watched.items():
        alike[frozenset(known.looks.items()), bool(surprises[source])].append(source)
    groups = [
        Alike(
            sources=tuple(sorted(sources)),
            surprises=sum(surprises[source] for source in sources),
            worst=max((worst[source] for source in sources if source in worst), default=None),
        )
        for sources in alike.values()
    ]
    return sorted(groups, key=lambda one: (-one.surprises / one.number, -one.number, one.sources))
