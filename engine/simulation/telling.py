"""What happened to groups, told of each database that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from engine.documents.model import Documents
from engine.simulation.groups import Group
from engine.simulation.naming import Name, Renaming
from engine.simulation.noticing import Notice, Noticed
from engine.simulation.stored import Stored
from engine.simulation.timeline import (
    Entry,
    Happened,
    Simulation,
    Summary,
    Surprise,
    in_order,
    zones_of,
)


@dataclass(frozen=True, slots=True)
class _Told:
    """Entries at a time, under the names of `known`, that hold for each of `members`."""

    at: datetime
    known: Name | None
    members: tuple[Name, ...]
    entries: tuple[Entry, ...]


class Log:
    """The books of a simulation: each group's entries once, whatever it stands for."""

    def __init__(
        self, documents: Documents, start: datetime, end: datetime, interval: timedelta
    ) -> None:
        self._estate = documents.estate.name
        self._start, self._end, self._interval = start, end, interval
        self._told: list[_Told] = []
        self._surprises: list[Surprise] = []
        self.happened: list[Happened] = []
        self.summary = Summary(zones_of(documents))

    def tell(self, now: datetime, group: Group, entries: Iterable[Entry]) -> None:
        """Note what was done for each member of a group."""
        self._note(_Told(now, group.kind.name, group.members, tuple(entries)), group.size)

    def tell_all(self, now: datetime, entries: Iterable[Entry]) -> None:
        """Note what was done, under its own names."""
        self._note(_Told(now, None, (), tuple(entries)), 1)

    def _note(self, told: _Told, times: int) -> None:
        if told.entries:
            self._told.append(told)
        for entry in told.entries:
            self.summary.count(entry, times)

    def notice(self, now: datetime, group: Group, found: Iterable[Notice]) -> None:
        """Note what is unexpected, once for each member of a group."""
        for one in group.watch.noticed.new(found):
            known = group.kind.name is not None
            sources = [name.address for name in group.members] if known else [one.source]
            self._surprises += [_surprise(now, one, source) for source in sources]

    def notice_of(self, now: datetime, noticed: Noticed, notice: Notice) -> None:
        """Note what is unexpected about one database, under its own name."""
        for one in noticed.new([notice]):
            self._surprises.append(_surprise(now, one, one.source))

    def notice_of_estate(self, now: datetime, notice: Notice) -> None:
        """Note what is unexpected and about no database."""
        found = _surprise(now, notice, notice.source)
        known = {(one.source, one.code) for one in self._surprises if one.kind is found.kind}
        if (found.source, found.code) not in known:
            self._surprises.append(found)

    @property
    def noticed(self) -> int:
        """How much was noticed so far."""
        return len(self._surprises)

    def note_rpo(self, group: Group, end: datetime) -> None:
        """Note how old the newest points of a group's members were at worst."""
        for address, exposure in group.watch.worst(end):
            known = group.kind.name is not None
            sources = [name.address for name in group.members] if known else [address]
            for source in sources:
                self.summary.note_rpo(source, exposure.worst)

    def simulation(self, stored: Stored) -> Simulation:
        """Return all of it, with what was held."""
        return Simulation(
            estate=self._estate,
            start=self._start,
            end=self._end,
            interval=self._interval,
            tell=self._timeline,
            happened=tuple(sorted(self.happened)),
            surprises=tuple(sorted(self._surprises)),
            summary=self.summary,
            stored=stored,
        )

    def _timeline(self) -> Iterator[Entry]:
        renamings: dict[tuple[str, str], Renaming] = {}
        for _, told in groupby(self._told, key=lambda one: one.at):
            yield from in_order(e for one in told for e in self._entries(one, renamings))

    def _entries(self, told: _Told, renamings: dict[tuple[str, str], Renaming]) -> Iterator[Entry]:
        if told.known is None:
            yield from told.entries
            return
        for name in told.members:
            if name is told.known:
                yield from told.entries
                continue
            key = (told.known.instance.arn, name.instance.arn)
            renaming = renamings.get(key)
            if renaming is None:
                renaming = renamings[key] = Renaming(self._estate, told.known, name)
            yield from map(renaming.entry, told.entries)


def _surprise(now: datetime, one: Notice, source: str) -> Surprise:
    return Surprise(now, source, one.location, one.kind, one.code, one.text)
