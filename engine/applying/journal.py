"""The journal: what a run meant to do and what came of it. Evidence, append-only, not state."""

from __future__ import annotations

import getpass
import json
import os
import socket
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.applying.calls import Call, described, operation
from engine.applying.ports import Clock
from engine.errors import EngineError
from engine.identity.marks import time_text
from engine.inventory.records import Location

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    run    TEXT NOT NULL,
    at     TEXT NOT NULL,
    kind   TEXT NOT NULL,
    step   TEXT,
    detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_by_run ON entries (run, seq);
CREATE INDEX IF NOT EXISTS entries_by_kind ON entries (kind, seq);
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_remain BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""


class Kind(StrEnum):
    """What an entry tells."""

    RUN_STARTED = "run_started"
    INTENT = "intent"
    OUTCOME = "outcome"
    STEP = "step"
    RUN_ENDED = "run_ended"


OUTLIVES = frozenset({Kind.RUN_STARTED, Kind.INTENT, Kind.RUN_ENDED})
"""What must outlive the machine, not only the process; the rest is evidence by the next one."""


class JournalError(EngineError):
    """The journal cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal; what `detail` holds depends on the kind."""

    seq: int
    run: str
    at: str
    kind: Kind
    step: str | None
    detail: Mapping[str, Any]


def default_path(root: Path) -> Path:
    """Return where a repository's journal stands."""
    return root / ".engine" / "state" / "journal.sqlite"


def new_run_id(now: datetime) -> str:
    """Return an id for a run: its time, and something that no other run has."""
    return f"{now.strftime('%Y%m%dT%H%M%SZ')}-{uuid.uuid4().hex[:8]}"


def who() -> dict[str, Any]:
    """Return who runs this: user, machine and process, and the CI job where there is one."""
    job = next((os.environ[name] for name in _CI_JOBS if os.environ.get(name)), None)
    found: dict[str, Any] = {
        "user": _user(),
        "host": socket.gethostname(),
        "pid": os.getpid(),
    }
    return found | ({"job": job} if job else {})


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user often has no name.
        return str(os.getuid())


_CI_JOBS = ("CI_JOB_URL", "GITHUB_RUN_ID", "BUILD_URL")


class Journal:
    """Appends entries of one run; safe to share between threads."""

    def __init__(self, path: Path, run: str, clock: Clock) -> None:
        self.run = run
        self._clock = clock
        self._path = path
        self._lock = threading.Lock()
        with _telling(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=10, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.executescript(SCHEMA)

    def run_started(self, detail: Mapping[str, Any]) -> None:
        """Say who runs which plan; raises JournalError."""
        self._append(Kind.RUN_STARTED, None, {**detail, "who": who()})

    def intent(self, step: str, at: Location, call: Call, attempt: int) -> None:
        """Say what is about to be called; raises JournalError."""
        detail = {
            "operation": operation(call),
            "at": str(at),
            "attempt": attempt,
            "arguments": described(call),
        }
        self._append(Kind.INTENT, step, detail)

    def outcome(self, step: str, call: Call, attempt: int, *, error: str | None) -> None:
        """Say what the call answered, no `error` meaning that it was accepted.

        Raises:
            JournalError: it cannot be written.
        """
        detail = {"operation": operation(call), "attempt": attempt, "error": error}
        self._append(Kind.OUTCOME, step, detail)

    def step(self, step: str, state: str, text: str) -> None:
        """Say what became of a step; raises JournalError."""
        self._append(Kind.STEP, step, {"state": state, "text": text})

    def run_ended(self, detail: Mapping[str, Any]) -> None:
        """Say how the run ended; raises JournalError."""
        self._append(Kind.RUN_ENDED, None, detail)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._base.close()

    def _append(self, kind: Kind, step: str | None, detail: Mapping[str, Any]) -> None:
        text = json.dumps(detail, sort_keys=True, separators=(",", ":"))
        row = (self.run, time_text(self._clock.now()), kind.value, step, text)
        with self._lock, _telling(self._path), self._base:
            # What is synced takes with it all that was written before (SQLite documentation,
            # PRAGMA synchronous, WAL mode).
            self._base.execute(f"PRAGMA synchronous={'FULL' if kind in OUTLIVES else 'NORMAL'}")
            self._base.execute(
                "INSERT INTO entries (run, at, kind, step, detail) VALUES (?, ?, ?, ?, ?)", row
            )


def read_runs(path: Path, limit: int) -> tuple[Entry, ...]:
    """Return the starts and ends of the newest `limit` runs, in the order written.

    Raises:
        JournalError: there is no journal, or it cannot be read.
    """
    newest = "SELECT run FROM entries WHERE kind = 'run_started' ORDER BY seq DESC LIMIT ?"
    sql = (
        "SELECT seq, run, at, kind, step, detail FROM entries"
        f" WHERE kind IN ('run_started', 'run_ended') AND run IN ({newest}) ORDER BY seq"
    )
    return _read(path, sql, limit)


def read_run(path: Path, run: str) -> tuple[Entry, ...]:
    """Return all entries of one run, in the order written; raises JournalError."""
    sql = "SELECT seq, run, at, kind, step, detail FROM entries WHERE run = ? ORDER BY seq"
    return _read(path, sql, run)


def _read(path: Path, sql: str, argument: object) -> tuple[Entry, ...]:
    if not path.is_file():
        raise JournalError(
            "there is no journal yet", where=str(path), fix="`engine apply` writes the first entry"
        )
    with _telling(path):
        base = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            rows = base.execute(sql, (argument,)).fetchall()
        finally:
            base.close()
        return tuple(
            Entry(seq, run, at, Kind(kind), step, json.loads(detail))
            for seq, run, at, kind, step, detail in rows
        )


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, ValueError) as error:
        raise JournalError(
            "the journal cannot be used",
            where=str(path),
            why=str(error),
            fix="see that the disk has room and the folder can be written",
        ) from error
