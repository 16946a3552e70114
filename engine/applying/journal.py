"""The journal: what a run meant to do and what came of it. Evidence, append-only, not state."""

from __future__ import annotations

import getpass
import os
import socket
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from engine.applying.calls import Call, described, operation
from engine.applying.ports import Clock
from engine.errors import EngineError
from engine.identity.marks import time_text
from engine.inventory.records import Location


class Kind(StrEnum):
    """What an entry tells."""

    RUN_STARTED = "run_started"
    INTENT = "intent"
    OUTCOME = "outcome"
    STEP = "step"
    RUN_ENDED = "run_ended"


OUTLIVES = frozenset({Kind.RUN_STARTED, Kind.INTENT, Kind.RUN_ENDED})
"""What must be safe before the run goes on; the rest is evidence by the next one."""


ENDS = frozenset({Kind.RUN_STARTED, Kind.RUN_ENDED})
"""What a list of runs is made of."""


NOTHING_SEEN: Mapping[str, Any] = MappingProxyType({})


class JournalError(EngineError):
    """The journal cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal; what `detail` holds depends on the kind.

    `seq` grows within a run; two runs of one estate may count alike.
    """

    seq: int
    run: str
    at: str
    kind: Kind
    step: str | None
    detail: Mapping[str, Any]


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


class Pages(Protocol):
    """What a journal is written on; safe to share between threads."""

    def append(self, entry: Entry) -> None:
        """Add an entry: what OUTLIVES names is safe on return, the rest soon after.

        Raises:
            JournalError: it cannot be written now.
        """

    def close(self) -> None:
        """Write what is left, and let go; raises JournalError."""


class Journal:
    """Appends entries of one run; safe to share between threads."""

    def __init__(self, pages: Pages, run: str, clock: Clock) -> None:
        self.run = run
        self._pages = pages
        self._clock = clock
        self._count = 0
        self._guard = threading.Lock()
        self._began: dict[tuple[str, str, int], float] = {}

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
        try:
            self._append(Kind.INTENT, step, detail)
        finally:
            # It may be made all the same, if what it does needs no journal.
            self._began[step, operation(call), attempt] = self._clock.elapsed()

    def outcome(self, step: str, call: Call, attempt: int, *, error: str | None) -> None:
        """Say what the call answered and after how many seconds; no `error`: it was accepted.

        Raises:
            JournalError: it cannot be written.
        """
        began = self._began.pop((step, operation(call), attempt), None)
        took = None if began is None else round(self._clock.elapsed() - began, 3)
        detail = {
            "operation": operation(call),
            "attempt": attempt,
            "error": error,
            "seconds": took,
        }
        self._append(Kind.OUTCOME, step, detail)

    def step(
        self, step: str, state: str, text: str, observed: Mapping[str, Any] = NOTHING_SEEN
    ) -> None:
        """Say what became of a step, and what was foreseen and seen of it; raises JournalError."""
        self._append(Kind.STEP, step, {"state": state, "text": text, **observed})

    def run_ended(self, detail: Mapping[str, Any]) -> None:
        """Say how the run ended; raises JournalError."""
        self._append(Kind.RUN_ENDED, None, detail)

    def close(self) -> None:
        """Let go of what it is written on; raises JournalError."""
        self._pages.close()

    def _append(self, kind: Kind, step: str | None, detail: Mapping[str, Any]) -> None:
        with self._guard:
            self._count += 1
            at = time_text(self._clock.now())
            entry = Entry(self._count, self.run, at, kind, step, detail)
        self._pages.append(entry)
