"""What a run tells while it goes on: one event per change of a step, as lines or as JSON."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import engine
from engine.applying.alike import Alike, unfinished
from engine.applying.next_runs import next_run
from engine.applying.outcome import RunOutcome, StepResult, StepState, Stop
from engine.applying.ports import Clock
from engine.applying.retries import LOCATION_DOWN
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
FEW = 3
"""So many alike steps have a line each; what goes beyond is counted."""
_EXPECTED = frozenset({StepState.NOT_STARTED, StepState.NEXT_RUN, StepState.RUNNING})
_UNTRIED = frozenset(
    {StepState.SKIPPED, StepState.WITHHELD, StepState.NEXT_RUN, StepState.NOT_STARTED}
)


class Lines:
    """One line per change, for people and for the logs of a scheduler."""

    def __init__(self, write: Write, clock: Clock, screen: Shows) -> None:
        self._emit = write
        self._clock = clock
        self._screen = screen
        self._clean = neutral if screen.unicode else neutral_ascii
        self._guard = threading.Lock()
        self._untried: Counter[StepState] = Counter()

    def started(self, run: str, plan: Plan) -> None:
        """Say which run this is."""
        self._line(f"run {run}: {len(plan.steps)} steps")

    def changed(self, result: StepResult) -> None:
        """Say where a step has come to."""
        if result.state not in SAID or self._is_too_much(result):
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

    def _is_too_much(self, result: StepResult) -> bool:
        """Tell whether enough was said of steps that were not even tried; the summary has all."""
        if result.state not in _UNTRIED and result.code != LOCATION_DOWN:
            return False
        with self._guard:
            self._untried[result.state] += 1
            count = self._untried[result.state]
        if count == FEW + 1:
            self._line(f"further steps {_spaced(result.state)}: see the end")
        return count > FEW

    def _painted(self, text: str, state: StepState) -> str:
        code = _COLOURS.get(state)
        return f"\x1b[{code}m{text}\x1b[0m " if self._screen.colour and code else f"{text} "

    def _line(self, text: str, lead: str = "") -> None:
        stamp = self._clock.now().astimezone().strftime("%H:%M:%S")
        with self._guard:
            self._emit(f"{stamp} {lead}{self._clean(text)}\n")


def _about(step: Step) -> str:
    """Return a step in a line's length; whole ids stand in the plan, the journal and JSON."""
    slot = f" {step.slot:%Y-%m-%d %H:%M}Z" if step.slot else ""
    at = f"{step.location.account}/{step.location.region}"
    return f"{_verb(step)} {step.source.identifier}{slot}, {at}"


def _verb(step: Step) -> str:
    return step.action.value.removesuffix("_snapshot")


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
    forecast = step.forecast
    optional = {
        "forecast": {"verdict": forecast.verdict, "rule": forecast.rule} if forecast else None,
        "text": result.text,
        "code": result.code,
        "fix": result.fix,
        "because": result.because,
        "next_run": _next_run(result),
    }
    return words | {key: value for key, value in optional.items() if value}


def _next_run(result: StepResult) -> str | None:
    """Return what the next run will do; of what is running, only the end can tell."""
    if result.state is StepState.RUNNING:
        return None
    return next_run(result.state, result.code, result.step.action)


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
        "unfinished": [_alike_words(alike) for alike in unfinished(outcome)],
        "troubles": [
            {"kind": one.kind.value, "text": one.text, "about": list(one.about)}
            for one in outcome.troubles
        ],
        "problems": [
            {"code": one.code, "where": one.where, "text": one.text} for one in outcome.problems
        ],
    }


def _alike_words(alike: Alike) -> dict[str, object]:
    first = alike.first
    return {
        "state": first.state.value,
        "code": first.code,
        "action": first.step.action.value,
        "text": first.text,
        "next_run": alike.next_run,
        "ids": [result.step.id for result in alike.results],
    }


def outcome_text(outcome: RunOutcome, screen: Shows) -> str:
    """Return a run's end for people: what did not go well first, counts last."""
    lines = [line for alike in unfinished(outcome) for line in _alike_lines(alike)]
    lines += [f"{one.kind}: {one.where}: {one.text}" for one in outcome.troubles]
    lines += [f"problem: {one.where}: {one.text}" for one in outcome.problems]
    if outcome.stop is not None:
        lines.append(f"stopped: {_spaced(outcome.stop)}")
    shown = {**outcome.counts, StepState.RUNNING: outcome.counts.get(StepState.RUNNING, 0)}
    lines.append(", ".join(f"{_spaced(state)}: {count}" for state, count in shown.items()))
    clean = neutral if screen.unicode else neutral_ascii
    return "".join(f"{clean(row)}\n" for one in lines for row in one.splitlines())


def _alike_lines(alike: Alike) -> Iterator[str]:
    first, count = alike.first, len(alike.results)
    state, verb = _spaced(first.state), _verb(first.step)
    text = f": {first.text}" if first.text else ""
    if first.state in _EXPECTED:
        yield f"{state}: {verb}, {count} of them{text}"
    elif count > FEW:
        yield f"{state}: {verb}, {count} of them, such as {first.step.id}{text}"
    else:
        yield from (f"{state}: {one.step.id}: {one.text}" for one in alike.results)
    if first.fix:
        yield f"  to do: {first.fix}"
    if alike.next_run:
        yield f"  next run: {alike.next_run}"


def _spaced(word: StepState | Stop) -> str:
    return word.value.replace("_", " ")
