"""What became of each step, and the exit code that follows from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from engine.errors import ExitCode, worst
from engine.plans.plan import Plan, Step
from engine.plans.troubles import Trouble, codes_of, troubles_of


class StepState(StrEnum):
    """Where a step stands. Those before `DONE` occur only while a run is under way."""

    WAITING = "waiting"
    """Steps it depends on are not done yet."""
    CALLING = "calling"
    """A worker checks its preconditions or makes its calls."""
    RUNNING = "running"
    """AWS is at it; at the end of a run: AWS still was."""
    DONE = "done"
    REFUSED = "refused"
    """A precondition did not hold: nothing was done."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """A step it depends on was refused, failed or skipped."""
    WITHHELD = "withheld"
    """A guard holds it back, or a step it depends on."""
    NEXT_RUN = "next_run"
    """It has to wait for objects in flight, which this run does not."""
    NOT_STARTED = "not_started"
    """The run was stopped before its turn."""


BUG = "bug"
"""The code of what is the engine's own fault."""

STATE_UNREACHABLE = "state_unreachable"
"""The code of what is not done, or not written down, since lock or journal cannot be reached."""


class Stop(StrEnum):
    """Why a run ended before its graph did."""

    INTERRUPTED = "interrupted"
    TIME_UP = "time_up"
    LOCK_LOST = "lock_lost"


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of one step; `because` is the step whose fate it shares."""

    step: Step
    state: StepState
    text: str = ""
    code: str | None = None
    fix: str | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong beside the steps, and where."""

    code: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """A whole run. What is shown of it and its exit code come from this one value."""

    run: str
    plan: Plan
    started_at: datetime
    ended_at: datetime
    results: tuple[StepResult, ...]
    stop: Stop | None = None
    problems: tuple[Problem, ...] = field(default=())

    def in_state(self, *states: StepState) -> tuple[StepResult, ...]:
        """Return the results in any of these states, in the plan's order."""
        return tuple(result for result in self.results if result.state in states)

    @property
    def counts(self) -> dict[StepState, int]:
        """How many steps ended in each state; states that none is in are left out."""
        found = Counter(result.state for result in self.results)
        return {state: found[state] for state in StepState if found[state]}

    @property
    def exit_code(self) -> ExitCode:
        """The first in precedence of all that happened."""
        codes = {_code_of(result.state) for result in self.results}
        if self.stop is not None:
            codes.add(_STOPS[self.stop])
        if self.plan.errored or self._has_bug():
            codes.add(ExitCode.ERROR)
        if self.problems or not self.plan.inventory.complete:
            codes.add(ExitCode.PARTIAL)
        return worst(codes | codes_of(self.troubles))

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What was wrong before the run began, but for the objectives that it mended."""
        return troubles_of(self.plan, {one.step.id for one in self.in_state(StepState.DONE)})

    def _has_bug(self) -> bool:
        return any(one.code == BUG for one in self.problems)


_STOPS = {
    Stop.INTERRUPTED: ExitCode.INTERRUPTED,
    Stop.TIME_UP: ExitCode.TIME_UP,
    Stop.LOCK_LOST: ExitCode.LOCKED,
}


def _code_of(state: StepState) -> ExitCode:
    match state:
        case StepState.FAILED:
            return ExitCode.PARTIAL
        case StepState.REFUSED:
            return ExitCode.STALE
        case StepState.WITHHELD:
            return ExitCode.WITHHELD
        case StepState.DONE | StepState.RUNNING | StepState.NEXT_RUN:
            return ExitCode.OK
        case StepState.SKIPPED | StepState.NOT_STARTED:
            # The step it shares the fate of, or the stop, already has the code.
            return ExitCode.OK
        case StepState.WAITING | StepState.CALLING:
            # A run that ends with these has lost sight of a step.
            return ExitCode.ERROR
        case _:
            assert_never(state)
