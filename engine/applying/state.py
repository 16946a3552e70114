"""The state of an estate: its lock and its journal, where the documents say that they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.applying import local_journal, local_lock, s3_journal, s3_lock
from engine.applying.journal import Entry, Journal
from engine.applying.lock import Lock, Standing
from engine.applying.objects import Objects
from engine.applying.ports import Clock
from engine.documents.model import Estate
from engine.inventory.records import Location

if TYPE_CHECKING:
    from engine.aws.clients import Clients


class State(Protocol):
    """Lock and journal of one estate. Every method raises EngineError where it is out of reach."""

    @property
    def lock_place(self) -> str:
        """Where the lock stands."""

    @property
    def journal_place(self) -> str:
        """Where the journal lies."""

    def acquire(self, run: str, clock: Clock, *, who: str, timeout: float) -> Lock:
        """Take the lock, waiting up to `timeout` seconds; raises LockedError where it is held."""

    def standing(self, now: datetime) -> Standing | None:
        """Return how the lock stands, None where there never was one."""

    def free(self, seen: Standing) -> None:
        """Take the lock from the run that was seen to hold it."""

    def journal(self, run: str, clock: Clock) -> Journal:
        """Open the journal for a run."""

    def runs(self, limit: int, now: datetime) -> tuple[Entry, ...]:
        """Return the starts and ends of the newest `limit` runs, the oldest first."""

    def run(self, run: str) -> tuple[Entry, ...]:
        """Return all entries of one run, in their order."""

    def observed(self, limit: int, now: datetime) -> tuple[Entry, ...]:
        """Return what the newest `limit` runs saw of steps, the oldest first."""


@dataclass(frozen=True, slots=True)
class LocalState:
    """State in the folder that the engine is run in: for one machine."""

    root: Path
    estate: str

    @property
    def lock_place(self) -> str:
        """The lock's file."""
        return str(self._lock)

    @property
    def journal_place(self) -> str:
        """The journal's file."""
        return str(self._journal)

    @property
    def _lock(self) -> Path:
        return local_lock.lock_path(self.root, self.estate)

    @property
    def _journal(self) -> Path:
        return local_journal.default_path(self.root)

    def acquire(self, run: str, clock: Clock, *, who: str, timeout: float) -> Lock:
        """Take the lock."""
        return local_lock.acquire(self._lock, run, clock, who=who, timeout=timeout)

    def standing(self, now: datetime) -> Standing | None:
        """Return how the lock stands."""
        return local_lock.standing(self._lock, now)

    def free(self, seen: Standing) -> None:
        """Take the lock from the run that was seen to hold it."""
        local_lock.free(self._lock, seen)

    def journal(self, run: str, clock: Clock) -> Journal:
        """Open the journal for a run."""
        return Journal(local_journal.SqlitePages(self._journal), run, clock)

    def runs(self, limit: int, now: datetime) -> tuple[Entry, ...]:
        """Return the starts and ends of the newest runs."""
        return local_journal.read_runs(self._journal, limit)

    def run(self, run: str) -> tuple[Entry, ...]:
        """Return all entries of one run."""
        return local_journal.read_run(self._journal, run)

    def observed(self, limit: int, now: datetime) -> tuple[Entry, ...]:
        """Return what the newest runs saw of steps."""
        return local_journal.read_observed(self._journal, limit)


@dataclass(frozen=True, slots=True)
class S3State:
    """State in a bucket: for all who apply to an estate. `folder` is the estate's, no slash."""

    objects: Objects
    folder: str
    terms: s3_lock.Terms = s3_lock.DEFAULT

    @property
    def lock_place(self) -> str:
        """The lock's URL."""
        return self._slot.place

    @property
    def journal_place(self) -> str:
        """The URL of the folder of all runs."""
        return f"{self.objects.place}/{self._runs}"

    @property
    def _slot(self) -> s3_lock.Slot:
        return s3_lock.Slot(self.objects, f"{self.folder}/lock.json")

    @property
    def _runs(self) -> str:
        return f"{self.folder}/journal"

    def acquire(self, run: str, clock: Clock, *, who: str, timeout: float) -> Lock:
        """Take the lock."""
        return s3_lock.acquire(self._slot, run, clock, who=who, timeout=timeout, terms=self.terms)

    def standing(self, now: datetime) -> Standing | None:
        """Return how the lock stands, by S3's clock."""
        return s3_lock.standing(self._slot, self.terms)

    def free(self, seen: Standing) -> None:
        """Take the lock from the run that was seen to hold it."""
        s3_lock.free(self._slot, seen)

    def journal(self, run: str, clock: Clock) -> Journal:
        """Open the journal for a run; asks nothing of S3 yet."""
        return Journal(s3_journal.S3Pages(self.objects, self._runs, run, clock), run, clock)

    def runs(self, limit: int, now: datetime) -> tuple[Entry, ...]:
        """Return the starts and ends of the newest runs."""
        return s3_journal.read_runs(self.objects, self._runs, limit, now)

    def run(self, run: str) -> tuple[Entry, ...]:
        """Return all entries of one run."""
        return s3_journal.read_run(self.objects, self._runs, run)

    def observed(self, limit: int, now: datetime) -> tuple[Entry, ...]:
        """Return what the newest runs saw of steps."""
        return s3_journal.read_observed(self.objects, self._runs, limit, now)


def state_location(estate: Estate) -> Location | None:
    """Return where an estate keeps its state, None where that is on this machine."""
    if estate.state is None:
        return None
    return Location(estate.accounts[estate.state.account].id, estate.state.region)


def state_of(root: Path, estate: Estate, clients: Clients | None = None) -> State:
    """Return an estate's state: in S3 if its documents say so, else below `root`.

    Args:
        root: the folder that the engine is run in.
        estate: whose.
        clients: of the estate; made where they are needed and not given.
    """
    at = state_location(estate)
    if estate.state is None or at is None:
        return LocalState(root, estate.name)
    from engine.applying.bucket import Bucket
    from engine.inventory.live import clients_of

    bucket = Bucket(clients or clients_of(estate), at, estate.state.bucket)
    return S3State(bucket, "/".join(filter(None, (estate.state.prefix.strip("/"), estate.name))))
