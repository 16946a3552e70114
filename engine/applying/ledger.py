"""Lock and journal around each call: what may be done when either cannot be reached."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from engine.applying.calls import Call
from engine.applying.journal import NOTHING_SEEN, Journal, JournalError
from engine.applying.lock import Lock, LockLostError
from engine.applying.outcome import STATE_UNREACHABLE, Problem, StepResult
from engine.errors import EngineError
from engine.inventory.records import Location
from engine.plans.codes import Action
from engine.plans.plan import Step

NEEDS_STATE = frozenset(
    {
        Action.DELETE,
        Action.UNSHARE,
        Action.MODIFY_BACKUPS,
        Action.STOP_REPLICATION,
        Action.FAIL_OVER,
    }
)


@dataclass(slots=True)
class Problems:
    """Collects what goes wrong beside the steps, each thing once; safe between threads."""

    _found: dict[Problem, None] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def add(self, problem: Problem) -> None:
        """Note a problem."""
        with self._guard:
            self._found.setdefault(problem)

    def all(self) -> tuple[Problem, ...]:
        """Return what was noted, in order."""
        with self._guard:
            return tuple(self._found)


class StateError(EngineError):
    """A call that is not made because lock or journal cannot be reached."""

    def __init__(self, cause: EngineError) -> None:
        super().__init__(
            "not done, since lock and journal have to be in reach for it; the next run does it",
            where=cause.where,
            why=told(cause),
            fix=cause.fix,
        )


class Ledger:
    """Asks the lock and writes the journal before and after each call.

    Making backups comes first: where lock or journal cannot be reached (None: it could not be
    opened), creates, copies, shares and tags go on, since ids make them idempotent, and the run
    ends with a problem. Deletes and unshares do not, nor do changes of automated backups, which
    may delete some, until both answer again.
    """

    def __init__(self, journal: Journal | None, lock: Lock | None, problems: Problems) -> None:
        self._journal = journal
        self._lock = lock
        self._problems = problems

    def before(self, step: Step, at: Location, call: Call, attempt: int) -> None:
        """Let a call pass and write it down.

        The lock is asked again after that: writing takes its time, and a lease does not wait.

        Raises:
            LockLostError: another run has taken over.
            StateError: the call needs lock and journal, and one of them cannot be reached.
        """
        announce = partial(self._announce, step, at, call, attempt)
        demands: tuple[Callable[[], None], ...] = (self._verify, announce, self._verify)
        for number, demand in enumerate(demands):
            try:
                demand()
            except EngineError as error:
                is_lost = isinstance(error, LockLostError)
                if not is_lost:
                    self._note(error)
                if not is_lost and step.action not in NEEDS_STATE:
                    continue
                if number > 0:
                    self.after(step, call, attempt, f"not called: {told(error)}")
                raise (error if is_lost else StateError(error)) from error

    def after(self, step: Step, call: Call, attempt: int, error: str | None) -> None:
        """Write down what a call answered; a journal that fails is a problem of the run."""
        if self._journal is None:
            return
        try:
            self._journal.outcome(step.id, call, attempt, error=error)
        except JournalError as trouble:
            self._note(trouble)

    def ended(self, result: StepResult, observed: Mapping[str, Any] = NOTHING_SEEN) -> None:
        """Write down what became of a step, and what was foreseen and seen of it."""
        if self._journal is None:
            return
        try:
            self._journal.step(result.step.id, result.state.value, result.text, observed)
        except JournalError as trouble:
            self._note(trouble)

    def _verify(self) -> None:
        if self._lock is None:
            raise EngineError("this run does not hold the lock")
        self._lock.verify()

    def _announce(self, step: Step, at: Location, call: Call, attempt: int) -> None:
        if self._journal is None:
            raise JournalError("the journal could not be opened")
        self._journal.intent(step.id, at, call, attempt)

    def _note(self, error: EngineError) -> None:
        text = f"{told(error)}; deletes and unshares wait for the next run"
        self._problems.add(Problem(STATE_UNREACHABLE, error.where or "", text))


def told(error: EngineError) -> str:
    """Return an error in one line, without its place and remedy, which stand beside it."""
    return f"{error.what}: {error.why}" if error.why else error.what
