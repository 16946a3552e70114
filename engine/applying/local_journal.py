"""The journal of one repository on one machine: a SQLite file."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.applying.journal import OUTLIVES, Entry, JournalError, Kind

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
_NEWEST_RUNS = "SELECT run FROM entries WHERE kind = 'run_started' ORDER BY seq DESC LIMIT ?"


def default_path(root: Path) -> Path:
    """Return where a repository's journal stands."""
    return root / ".engine" / "state" / "journal.sqlite"


class SqlitePages:
    """The file that runs append to."""

    def __init__(self, path: Path) -> None:
        """Open it, and make it where there is none; raises JournalError."""
        self._path = path
        self._lock = threading.Lock()
        with _telling(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=10, check_same_thread=False)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.executescript(SCHEMA)

    def append(self, entry: Entry) -> None:
        """Add an entry; raises JournalError."""
        text = json.dumps(entry.detail, sort_keys=True, separators=(",", ":"))
        row = (entry.run, entry.at, entry.kind.value, entry.step, text)
        level = "FULL" if entry.kind in OUTLIVES else "NORMAL"
        with self._lock, _telling(self._path), self._base:
            # What is synced takes with it all that was written before (SQLite documentation,
            # PRAGMA synchronous, WAL mode).
            self._base.execute(f"PRAGMA synchronous={level}")
            self._base.execute(
                "INSERT INTO entries (run, at, kind, step, detail) VALUES (?, ?, ?, ?, ?)", row
            )

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._base.close()


def read_runs(path: Path, limit: int) -> tuple[Entry, ...]:
    """Return the starts and ends of the newest `limit` runs, in the order written.

    Raises:
        JournalError: there is no journal, or it cannot be read.
    """
    sql = (
        "SELECT seq, run, at, kind, step, detail FROM entries"
        f" WHERE kind IN ('run_started', 'run_ended') AND run IN ({_NEWEST_RUNS}) ORDER BY seq"
    )
    return _read(path, sql, limit)


def read_run(path: Path, run: str) -> tuple[Entry, ...]:
    """Return all entries of one run, in the order written; raises JournalError."""
    sql = "SELECT seq, run, at, kind, step, detail FROM entries WHERE run = ? ORDER BY seq"
    return _read(path, sql, run)


def read_observed(path: Path, limit: int) -> tuple[Entry, ...]:
    """Return what the newest `limit` runs saw of steps, in the order written.

    Raises:
        JournalError: there is no journal, or it cannot be read.
    """
    sql = (
        "SELECT seq, run, at, kind, step, detail FROM entries"
        " WHERE kind = 'step' AND detail LIKE '%\"seen\":%'"
        f" AND run IN ({_NEWEST_RUNS}) ORDER BY seq"
    )
    return _read(path, sql, limit)


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
