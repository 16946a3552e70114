"""The steps that a run leaves undone, alike ones as one."""

from __future__ import annotations

from dataclasses import dataclass

from engine.applying.next_runs import next_run
from engine.applying.outcome import BUG, RunOutcome, StepResult, StepState

UNDONE = (
    StepState.FAILED,
    StepState.REFUSED,
    StepState.WITHHELD,
    StepState.SKIPPED,
    StepState.NOT_STARTED,
    StepState.NEXT_RUN,
    StepState.RUNNING,
)
"""The states at the end of a run in which something is left to do, the worst first."""

_DIFFERS = frozenset({None, BUG, "engine_error"})
"""Codes behind which the words make the difference."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Steps that ended alike, in the plan's order, and what the next run will do about each."""

    results: tuple[StepResult, ...]
    next_run: str | None

    @property
    def first(self) -> StepResult:
        """The one that stands for all."""
        return self.results[0]


def unfinished(outcome: RunOutcome) -> tuple[Alike, ...]:
    """Return all steps that are not done, the worst first, those alike together.

    Alike is what was to do the same and ended in the same state with the same code; where the code
    does not tell, with the same words. What shares another step's fate goes by that step's end.
    """
    by_id = {result.step.id: result for result in outcome.results}
    found: dict[tuple[object, ...], list[StepResult]] = {}
    for result in outcome.in_state(*UNDONE):
        root = by_id.get(result.because or "", result)
        found.setdefault(_kind(result, root), []).append(result)
    groups = (Alike(tuple(results), _next(results[0])) for results in found.values())
    return tuple(sorted(groups, key=lambda one: UNDONE.index(one.first.state)))


def _kind(result: StepResult, root: StepResult) -> tuple[object, ...]:
    words = root.text if root.code in _DIFFERS else ""
    return (result.state, result.step.action, result.fix, root.state, root.code, words)


def _next(result: StepResult) -> str | None:
    return next_run(result.state, result.code, result.step.action)
