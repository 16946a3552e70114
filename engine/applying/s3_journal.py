"""The journal of a team: objects that are written once, each with what runs hand in meanwhile.

Keys are FOLDER/RUN/000001.json and so on, each of JSON Lines. While one object is on its way the
entries that come in wait for the next one: the more calls a run makes at once, the more of them
share a write. A call waits until the object with its intent is there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec

from engine.applying.journal import ENDS, OUTLIVES, Entry, JournalError, Kind
from engine.applying.objects import ConflictError, DoubtError, Objects
from engine.applying.ports import Clock
from engine.errors import EngineError

LINGER = 2.0
AGAIN = 15.0
READERS = 8
_LOOK_BACK = tuple(timedelta(days=days) for days in (1, 7, 31, 366))


@dataclass(frozen=True, slots=True)
class _Page:
    """An object that is to be written; `last` counts the entries up to its end."""

    number: int
    body: bytes
    last: int


class S3Pages:
    """What one run appends to. A thread writes; what it could not write it tries again.

    After a failure nothing waits for the store for `AGAIN` seconds: entries are refused at once,
    and are still written when it comes back.
    """

    def __init__(self, objects: Objects, folder: str, run: str, clock: Clock) -> None:
        self._objects = objects
        self._folder = f"{folder}/{run}"
        self._clock = clock
        self._changed = threading.Condition()
        self._pending: list[tuple[int, bytes]] = []
        self._oldest = 0.0
        self._page: _Page | None = None
        self._pages = 0
        self._taken = self._safe = self._refused = self._wanted = 0
        self._error: JournalError | None = None
        self._again_at = 0.0
        self._closing = self._ended = False
        self._writer = threading.Thread(target=self._work, name="journal", daemon=True)
        self._writer.start()

    def append(self, entry: Entry) -> None:
        """Add an entry; raises JournalError."""
        line = _line(entry)
        with self._changed:
            if self._ended:
                raise self._error or JournalError("the journal is closed")
            if not self._pending:
                self._oldest = self._clock.elapsed()
            self._pending.append((entry.seq, line))
            self._taken += 1
            mine = self._taken
            if entry.kind not in OUTLIVES:
                self._changed.notify_all()
                return
            self._insist(mine)

    def close(self) -> None:
        """Write what is left, and let go; raises JournalError."""
        with self._changed:
            self._closing = True
            self._again_at = 0.0
            self._changed.notify_all()
        self._writer.join()
        with self._changed:
            if self._error is not None and self._safe < self._taken:
                raise self._error

    def _insist(self, mine: int) -> None:
        """Wait until entry number `mine` is safe; raise what kept it from being so."""
        if self._error is not None and self._clock.elapsed() < self._again_at:
            raise self._error
        self._wanted = max(self._wanted, mine)
        self._changed.notify_all()
        while self._safe < mine:
            if self._refused >= mine and self._error is not None:
                raise self._error
            self._changed.wait()

    # -- the writer's thread -------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._write_until_closed()
        finally:
            # Whatever ended it: nobody may wait for it any more.
            with self._changed:
                self._ended = True
                if self._error is None and self._safe < self._taken:
                    self._error = JournalError("the journal's writer has ended")
                self._refused = self._taken
                self._changed.notify_all()

    def _write_until_closed(self) -> None:
        while True:
            with self._changed:
                while not self._is_due():
                    if self._closing:
                        return
                    self._changed.wait(LINGER)
                page = self._page = self._page or self._next_page()
            error = self._written(page)
            with self._changed:
                self._note(page, error)
                self._changed.notify_all()
                if error is not None and self._closing:
                    return

    def _is_due(self) -> bool:
        """Tell whether to write now: somebody waits, or the oldest entry has waited enough."""
        now = self._clock.elapsed()
        if self._page is None and not self._pending:
            return False
        if self._error is not None and now < self._again_at:
            return False
        if self._page is not None or self._wanted > self._safe or self._closing:
            return True
        return now - self._oldest >= LINGER

    def _next_page(self) -> _Page:
        lines = [line for _, line in sorted(self._pending)]
        self._pending.clear()
        self._pages += 1
        return _Page(self._pages, b"".join(lines), self._taken)

    def _note(self, page: _Page, error: JournalError | None) -> None:
        self._error = error
        if error is None:
            self._safe = page.last
            self._page = None
        else:
            self._refused = self._taken
            self._again_at = self._clock.elapsed() + AGAIN

    def _written(self, page: _Page) -> JournalError | None:
        """Write an object, or see that an earlier attempt did; return why that is not so."""
        key = f"{self._folder}/{page.number:06}.json"
        try:
            try:
                self._objects.write(key, page.body, over=None)
            except (ConflictError, DoubtError):
                found = self._objects.read(key)
                if found is None or found.body != page.body:
                    raise
        except EngineError as error:
            return _unusable(self._objects.place, error)
        return None


# -- reading -------------------------------------------------------------------------------------


def read_runs(objects: Objects, folder: str, limit: int, now: datetime) -> tuple[Entry, ...]:
    """Return the starts and ends of the newest `limit` runs, the oldest first.

    Raises:
        JournalError: there is no journal, or it cannot be read.
    """
    try:
        runs = _newest(objects, folder, limit, now)
        with ThreadPoolExecutor(READERS, thread_name_prefix="journal") as pool:
            ends = list(pool.map(partial(_start_and_end, objects, folder), runs))
    except EngineError as error:
        raise _unusable(objects.place, error) from error
    if not runs:
        where = f"{objects.place}/{folder}"
        fix = "`engine apply` writes the first entry"
        raise JournalError("there is no journal yet", where=where, fix=fix)
    return tuple(entry for entries in ends for entry in entries)


def read_run(objects: Objects, folder: str, run: str) -> tuple[Entry, ...]:
    """Return all entries of one run, in their order; raises JournalError."""
    try:
        with ThreadPoolExecutor(READERS, thread_name_prefix="journal") as pool:
            pages = pool.map(partial(_entries, objects), objects.keys(f"{folder}/{run}/"))
            return tuple(sorted((e for page in pages for e in page), key=lambda e: e.seq))
    except EngineError as error:
        raise _unusable(objects.place, error) from error


def read_observed(objects: Objects, folder: str, limit: int, now: datetime) -> tuple[Entry, ...]:
    """Return what the newest `limit` runs saw of steps, the oldest first; raises JournalError."""
    runs = dict.fromkeys(entry.run for entry in read_runs(objects, folder, limit, now))
    entries = (entry for run in runs for entry in read_run(objects, folder, run))
    return tuple(entry for entry in entries if entry.kind is Kind.STEP and "seen" in entry.detail)


def _newest(objects: Objects, folder: str, limit: int, now: datetime) -> Sequence[str]:
    """Return the ids of the newest runs, which begin with their time; look back ever farther."""
    starts = (f"{now - reach:%Y%m%d}" for reach in _LOOK_BACK)
    for start in (*starts, ""):
        runs = objects.folders(f"{folder}/", start)
        if len(runs) >= limit:
            break
    return runs[-limit:]


def _start_and_end(objects: Objects, folder: str, run: str) -> tuple[Entry, ...]:
    keys = objects.keys(f"{folder}/{run}/")
    ends = dict.fromkeys((*keys[:1], *keys[-1:]))
    entries = [entry for key in ends for entry in _entries(objects, key)]
    return tuple(entry for entry in entries if entry.kind in ENDS)


def _entries(objects: Objects, key: str) -> Iterable[Entry]:
    stored = objects.read(key)
    lines = stored.body.splitlines() if stored is not None else []
    try:
        return [msgspec.json.decode(line, type=Entry) for line in lines]
    except msgspec.DecodeError as error:
        raise JournalError(
            "an object of the journal makes no sense",
            where=f"{objects.place}/{key}",
            why=str(error),
            fix="something else than the engine wrote it: see who may",
        ) from error


def _line(entry: Entry) -> bytes:
    words = {
        "seq": entry.seq,
        "run": entry.run,
        "at": entry.at,
        "kind": entry.kind.value,
        "step": entry.step,
        "detail": entry.detail,
    }
    return json.dumps(words, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _unusable(place: str, error: EngineError) -> JournalError:
    if isinstance(error, JournalError):
        return error
    why = f"{error.what}: {error.why}" if error.why else error.what
    return JournalError("the journal cannot be used", where=place, why=why, fix=error.fix)
