"""What the locations hold, read once for everybody who asks within a minute."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from engine.applying.ports import Clock, Cloud, CloudError
from engine.applying.retries import Patience, persist
from engine.applying.traffic import Traffic
from engine.identity.marks import ORIGIN
from engine.inventory.records import (
    Event,
    Instance,
    Kind,
    Location,
    Snapshot,
    SnapshotState,
    kind_of,
)

MAX_AGE = 60.0

# Clients that read retry by themselves too, so few attempts of ours last as long as a location's
# patience does.
READING = Patience(attempts=6, first=1.0, seconds=120.0)

UNFINISHED = frozenset({SnapshotState.IN_PROGRESS, SnapshotState.UNKNOWN})

Content = TypeVar("Content")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Section:
    """What one listing shows: the snapshots, or the databases, of one kind at one location."""

    at: Location
    kind: Kind = Kind.INSTANCE

    def __str__(self) -> str:
        return str(self.at) if self.kind is Kind.INSTANCE else f"{self.at} (DB clusters)"


@dataclass(frozen=True, slots=True)
class Holdings:
    """The snapshots of one location by ARN, and what is being copied there.

    `copying` are the ARNs of copies in progress, `readers` the same by the ARN they read from.
    """

    records: dict[str, Snapshot]
    copying: frozenset[str]
    readers: Mapping[str, frozenset[str]]


@dataclass(slots=True)
class _Shelf(Generic[Content]):
    """The newest listing of one section; `taken_at` is when its reading began.

    `error` is what a reading came to that ended at `failed_at`.
    """

    reading: threading.Lock = field(default_factory=threading.Lock)
    taken_at: float = -math.inf
    content: Content | None = None
    failed_at: float = -math.inf
    error: CloudError | None = None


class Listings:
    """Listings of snapshots and databases by location and kind, shared by all threads.

    Whoever asks for a listing that is being read waits for it instead of reading a second one,
    and shares its error where it brings one.
    """

    def __init__(
        self, cloud: Cloud, clock: Clock, traffic: Traffic, patience: Patience = READING
    ) -> None:
        self._cloud = cloud
        self._clock = clock
        self._traffic = traffic
        self._patience = patience
        self._guard = threading.Lock()
        self._snapshots: dict[Section, _Shelf[Holdings]] = {}
        self._instances: dict[Section, _Shelf[Mapping[str, Instance]]] = {}
        self._copied: dict[tuple[Location, str], dict[str, float]] = {}

    def snapshots(
        self, at: Location, *, since: float | None = None, kind: Kind = Kind.INSTANCE
    ) -> Holdings:
        """Return what a location holds, as listed at most a minute ago or from `since` on.

        `since` is a reading of the clock's `elapsed`.

        Raises:
            CloudError: the location cannot be listed.
        """
        return self._read_snapshots(Section(at, kind), since)[0]

    def instances(
        self, at: Location, *, since: float | None = None, kind: Kind = Kind.INSTANCE
    ) -> Mapping[str, Instance]:
        """Return the databases of a location by ARN; how old they may be is as for `snapshots`.

        Raises:
            CloudError: the location cannot be listed.
        """
        found = self._fresh(
            self._shelf(self._instances, Section(at, kind)),
            since,
            lambda: self._read(at, lambda: _by_arn(self._cloud.instances(at, kind))),
        )
        return found[0]

    def readers(self, at: Location, arn: str) -> frozenset[str]:
        """Return the copies in progress at a location that read from `arn`.

        Our own count from their start, though the newest listing may not show them yet.

        Raises:
            CloudError: the location cannot be listed.
        """
        known, taken_at = self._read_snapshots(Section(at, kind_of(arn)), None)
        unseen = {
            copy
            for copy, began in self._copied.get((at, arn), {}).copy().items()
            if began >= taken_at and copy not in known.records
        }
        return known.readers.get(arn, frozenset()) | unseen

    def remember_copy(self, at: Location, arn: str, origin: str) -> None:
        """Know that the copy `arn` of `origin` was just started at a location."""
        with self._guard:
            self._copied.setdefault((at, origin), {})[arn] = self._clock.elapsed()

    def snapshot(
        self, at: Location, identifier: str, kind: Kind = Kind.INSTANCE
    ) -> Snapshot | None:
        """Read one snapshot now; raises CloudError."""
        return self._read(at, lambda: self._cloud.snapshot(at, identifier, kind))

    def instance(self, at: Location, identifier: str) -> Instance | None:
        """Read one instance now; raises CloudError."""
        return self._read(at, lambda: self._cloud.instance(at, identifier))

    def events(self, at: Location, since: datetime) -> tuple[Event, ...]:
        """Read the events of a location's instances since a time; raises CloudError."""
        return self._read(at, lambda: self._cloud.events(at, since))

    def copies_in_flight(self, section: Section) -> frozenset[str]:
        """Return the copies that the newest listing shows in progress, by ARN.

        What is not listed yet shows none: AWS refuses what is too much.
        """
        content = self._shelf(self._snapshots, section).content
        return content.copying if content else frozenset()

    def forget(self, section: Section) -> None:
        """Put away a listing, since a newer one cannot be had."""
        shelf = self._shelf(self._snapshots, section)
        with shelf.reading:
            shelf.content = None

    def remember_tags(self, at: Location, arn: str, tags: Mapping[str, str]) -> None:
        """Take over tags just written, so that readers of an older listing see them too."""
        self._change_tags(at, arn, lambda known: {**known, **tags})

    def forget_tags(self, at: Location, arn: str, keys: Sequence[str]) -> None:
        """Take over the removal of tags."""
        self._change_tags(
            at, arn, lambda known: {key: known[key] for key in known if key not in keys}
        )

    def _shelf(self, shelves: dict[Section, _Shelf[Content]], section: Section) -> _Shelf[Content]:
        with self._guard:
            return shelves.setdefault(section, _Shelf())

    def _read_snapshots(self, section: Section, since: float | None) -> tuple[Holdings, float]:
        at, kind = section.at, section.kind
        return self._fresh(
            self._shelf(self._snapshots, section),
            since,
            lambda: holdings(self._read(at, lambda: self._cloud.snapshots(at, kind))),
        )

    def _fresh(
        self, shelf: _Shelf[Content], since: float | None, read: Callable[[], Content]
    ) -> tuple[Content, float]:
        """Return what a shelf holds, read anew where too old, and when that reading began."""
        asked_at = self._clock.elapsed()
        oldest = asked_at - MAX_AGE if since is None else since
        with shelf.reading:
            if shelf.content is None or shelf.taken_at < oldest:
                if shelf.error is not None and shelf.failed_at > asked_at:
                    raise CloudError(shelf.error.trouble, shelf.error.code, shelf.error.message)
                began = self._clock.elapsed()
                try:
                    shelf.content = read()
                except CloudError as error:
                    shelf.error, shelf.failed_at = error, self._clock.elapsed()
                    raise
                shelf.taken_at = began
            return shelf.content, shelf.taken_at

    def _read(self, at: Location, read: Callable[[], Answer]) -> Answer:
        return persist(
            lambda: self._traffic.read(at, read),
            self._clock,
            self._patience,
            may_go_on=lambda: self._traffic.may_go_on(at),
        )

    def _change_tags(
        self, at: Location, arn: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]
    ) -> None:
        shelf = self._shelf(self._snapshots, Section(at, kind_of(arn)))
        with shelf.reading:
            known = shelf.content.records.get(arn) if shelf.content else None
            if shelf.content and known:
                shelf.content.records[arn] = replace(known, tags=change(known.tags))


def _by_arn(databases: Iterable[Instance]) -> Mapping[str, Instance]:
    return {one.arn: one for one in databases}


def holdings(snapshots: Iterable[Snapshot]) -> Holdings:
    """Index a listing."""
    records: dict[str, Snapshot] = {}
    copying: set[str] = set()
    readers: dict[str, frozenset[str]] = {}
    for snapshot in snapshots:
        records[snapshot.arn] = snapshot
        if snapshot.state not in UNFINISHED:
            continue
        origins = origins_of(snapshot)
        if origins or snapshot.status in {"copying", "pending"}:
            copying.add(snapshot.arn)
        for origin in origins:
            readers[origin] = readers.get(origin, frozenset()) | {snapshot.arn}
    return Holdings(records, frozenset(copying), readers)


def origins_of(snapshot: Snapshot) -> frozenset[str]:
    """Return what a snapshot was copied from, by AWS's word and by ours.

    AWS names the source only of copies across accounts or regions (API reference, DBSnapshot).
    """
    named = {snapshot.source_snapshot, snapshot.tags.get(ORIGIN)}
    return frozenset(arn for arn in named if arn)
