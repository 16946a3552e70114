"""What a run tells while it goes on: one event per change of a step, as lines or as JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

import engine
from engine.applying.outcome import RunOutcome, StepResult, StepState
from engine.applying.ports import Clock
from engine.identity.marks import time_text
from engine.plans.plan import Plan, Step
from engine.reports.neutral import neutral, neutral_ascii

FORMAT_VERSION = "1.0"

Write = Callable[[str], None]
"""Writes a text through to its reader; a reader who has left must not stop a run."""


class Shows(Protocol):
    """What the place that lines are written to can show."""

    @property
    def colour(self) -> bool:
        """Whether colours show."""

    @property
    def unicode(self) -> bool:
        """Whether characters beyond ASCII do."""


class Observer(Protocol):
    """Whoever wants to know how a run goes."""

    def started(self, run: str, plan: Plan) -> None:
        """A run begins."""

    def changed(self, result: StepResult) -> None:
        """A step came into another state."""

    def progressed(self, step: Step, percent: int) -> None:
        """AWS tells how far an object is."""

    def ended(self, outcome: RunOutcome) -> None:
        """A run is over."""


_MARKS = {
    StepState.WAITING: " ",
    StepState.CALLING: ".",
    StepState.RUNNING: "~",
    StepState.DONE: "+",
    StepState.REFUSED: "!",
    StepState.FAILED: "x",
    StepState.SKIPPED: "-",
    StepState.WITHHELD: "=",
    StepState.NEXT_RUN: ">",
    StepState.NOT_STARTED: "-",
}

_COLOURS = {
    StepState.DONE: "32",
    StepState.RUNNING: "36",
    StepState.REFUSED: "33",
    StepState.FAILED: "31",
    StepState.WITHHELD: "33",
}

_NOTHING_NEW = frozenset({"", "available"})
SAID = frozenset(StepState) - {StepState.WAITING, StepState.CALLING}


class Lines:
    """One line per change, for people and for the logs of a scheduler."""

    def __init__(self, write: Write, clock: Clock, screen: Shows) -> None:
        self._emit = write
        self._clock = clock
        self._screen = screen
        self._clean = neutral if screen.unicode else neutral_ascii
        self._guard = threading.Lock()

    def started(self, run: str, plan: Plan) -> None:
        """Say which run this is."""
        self._line(f"run {run}: {len(plan.steps)} steps")

    def changed(self, result: StepResult) -> None:
        """Say where a step has come to."""
        if result.state not in SAID:
            return
        mark = f"{_MARKS[result.state]} {result.state.value.replace('_', ' '):<8}"
        text = f": {result.text}" if result.text not in _NOTHING_NEW else ""
        self._line(f"{_about(result.step)}{text}", lead=self._painted(mark, result.state))
        if result.fix:
            self._line(f"  to do: {result.fix}")

    def progressed(self, step: Step, percent: int) -> None:
        """Say how far an object is."""
        self._line(f"~ {percent:>3} %    {_about(step)}")

    def ended(self, outcome: RunOutcome) -> None:
        """Say nothing: the summary is the command's result."""

    def _painted(self, text: str, state: StepState) -> str:
        code = _COLOURS.get(state)
        return f"\x1b[{code}m{text}\x1b[0m " if self._screen.colour and code else f"{text} "

    def _line(self, text: str, lead: str = "") -> None:
        stamp = self._clock.now().astimezone().strftime("%H:%M:%S")
        with self._guard:
            self._emit(f"{stamp} {lead}{self._clean(text)}\n")


def _about(step: Step) -> str:
    """Return a step in a line's length; whole ids stand in the plan, the journal and JSON."""
    verb = step.action.value.removesuffix("_snapshot")
    slot = f" {step.slot:%Y-%m-%d %H:%M}Z" if step.slot else ""
    at = f"{step.location.account}/{step.location.region}"
    return f"{verb} {step.source.identifier}{slot}, {at}"


class JsonLines:
    """One JSON object per line; the first is of type `version`, the last of type `outcome`."""

    def __init__(self, write: Write, clock: Clock) -> None:
        self._emit = write
        self._clock = clock
        self._guard = threading.Lock()
        self._write("version", {"format_version": FORMAT_VERSION, "engine": engine.__version__})

    def started(self, run: str, plan: Plan) -> None:
        """Write which run this is, and what of."""
        words = {
            "run": run,
            "estate": plan.estate,
            "plan": plan.digest,
            "as_of": time_text(plan.as_of),
            "steps": len(plan.steps),
        }
        self._write("run", words)

    def changed(self, result: StepResult) -> None:
        """Write where a step has come to."""
        self._write("step", step_words(result))

    def progressed(self, step: Step, percent: int) -> None:
        """Write how far an object is."""
        self._write("progress", {"id": step.id, "percent": percent})

    def ended(self, outcome: RunOutcome) -> None:
        """Write how the run ended."""
        self._write("outcome", outcome_words(outcome))

    def _write(self, kind: str, words: Mapping[str, object]) -> None:
        line = {"type": kind, "at": time_text(self._clock.now()), **words}
        with self._guard:
            self._emit(json.dumps(line) + "\n")


def step_words(result: StepResult) -> dict[str, object]:
    """Return a step's result as JSON has it."""
    step = result.step
    words: dict[str, object] = {
        "id": step.id,
        "action": step.action.value,
        "arn": step.arn,
        "location": {"account": step.location.account, "region": step.location.region},
        "snapshot": step.snapshot,
        "state": result.state.value,
    }
    optional = {
        "text": result.text,
        "code": result.code,
        "fix": result.fix,
        "because": result.because,
    }
    return words | {key: value for key, value in optional.items() if value}


def outcome_words(outcome: RunOutcome) -> dict[str, object]:
    """Return a run's end as JSON has it; `running` is always there."""
    counts = {state.value: count for state, count in outcome.counts.items()}
    return {
        "run": outcome.run,
        "plan": outcome.plan.digest,
        "exit_code": int(outcome.exit_code),
        "stopped": outcome.stop.value if outcome.stop else None,
        "running": counts.get(StepState.RUNNING.value, 0),
        "counts": counts,
        "problems": [
            {"code": one.code, "where": one.where, "text": one.text} for one in outcome.problems
        ],
    }


def outcome_text(outcome: RunOutcome, screen: Shows) -> str:
    """Return a run's end for people: what did not go well first, counts last."""
    lines: list[str] = []
    troubled = outcome.in_state(
        StepState.FAILED, StepState.REFUSED, StepState.WITHHELD, StepState.SKIPPED
    )
    for result in troubled:
        lines.append(f"{result.state.value}: {result.step.id}: {result.text}")
        if result.fix:
            lines.append(f"  to do: {result.fix}")
    lines += [f"problem: {one.where}: {one.text}" for one in outcome.problems]
    if outcome.stop is not None:
        lines.append(f"stopped: {outcome.stop.value.replace('_', ' ')}")
    shown = {**outcome.counts, StepState.RUNNING: outcome.counts.get(StepState.RUNNING, 0)}
    counts = ", ".join(f"{state.value.replace('_', ' ')}: {n}" for state, n in shown.items())
    lines.append(counts)
    clean = neutral if screen.unicode else neutral_ascii
    return "".join(f"{clean(row)}\n" for one in lines for row in one.splitlines())
