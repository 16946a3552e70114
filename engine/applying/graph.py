"""The plan's steps as a graph that is worked off: which are ready, which share a fate."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from engine.applying.listings import Section
from engine.applying.outcome import StepResult, StepState
from engine.applying.preconditions import places_of
from engine.errors import EngineError
from engine.inventory.records import Kind, Location, kind_of
from engine.plans.codes import Action
from engine.plans.plan import Plan, Step

HOLDS_BACK = {
    StepState.REFUSED: StepState.SKIPPED,
    StepState.FAILED: StepState.SKIPPED,
    StepState.SKIPPED: StepState.SKIPPED,
    StepState.WITHHELD: StepState.WITHHELD,
}


@dataclass(frozen=True, slots=True)
class Lane:
    """What steps that wait in one line have in common.

    Attributes:
        at: where their calls go.
        is_copy: whether they are copies, of which AWS takes only so many at once.
        places: where they look and call.
        kind: what kind of snapshots they are about; each has a limit of its own to copies.
    """

    at: Location
    is_copy: bool
    places: frozenset[Location]
    kind: Kind = Kind.INSTANCE

    @property
    def section(self) -> Section:
        """What a listing shows that tells of its copies."""
        return Section(self.at, self.kind)


class Graph:
    """Where each step stands. Changes only through `settle` and `begin`."""

    def __init__(self, plan: Plan, locations: frozenset[Location]) -> None:
        """Take a plan's steps, and the locations it could read.

        Raises:
            EngineError: they depend on steps that are not there, or on one another in a circle.
        """
        self._steps = {step.id: step for step in plan.steps}
        _insist_on_order(self._steps)
        self._results = {
            step.id: StepResult(step, StepState.WAITING) for step in self._steps.values()
        }
        self._unmet = {step.id: len(set(step.depends_on)) for step in self._steps.values()}
        self._dependents: dict[str, list[str]] = {step_id: [] for step_id in self._steps}
        for step in self._steps.values():
            for parent in set(step.depends_on):
                self._dependents[parent].append(step.id)
        self._locations = locations
        self._lanes: dict[Lane, deque[Step]] = {}

    def open(self) -> tuple[StepResult, ...]:
        """Make the first steps ready, settle what the plan withholds; return the settled."""
        settled: list[StepResult] = []
        for step in self._steps.values():
            if step.withheld_by is not None and self._is(step.id, StepState.WAITING):
                text = f"withheld by {step.withheld_by}"
                settled += self.settle(StepResult(step, StepState.WITHHELD, text))
        for step in self._steps.values():
            if self._unmet[step.id] == 0 and self._is(step.id, StepState.WAITING):
                self.enqueue(step)
        return tuple(settled)

    def settle(self, result: StepResult) -> tuple[StepResult, ...]:
        """Give a step its final state, and its dependents theirs or their turn.

        Returns:
            every result that became final by it, the given one first.
        """
        settled = [result]
        self._results[result.step.id] = result
        todo = deque([result])
        while todo:
            one = todo.popleft()
            for dependent in self._dependents[one.step.id]:
                if not self._is(dependent, StepState.WAITING):
                    continue
                step = self._steps[dependent]
                if one.state is StepState.DONE:
                    self._unmet[dependent] -= 1
                    if self._unmet[dependent] == 0:
                        self.enqueue(step)
                elif one.state in HOLDS_BACK:
                    root = one.because or one.step.id
                    fate = HOLDS_BACK[one.state]
                    shared = StepResult(
                        step, fate, f"depends on {root}: {one.state.value}", because=root
                    )
                    self._results[dependent] = shared
                    settled.append(shared)
                    todo.append(shared)
        return tuple(settled)

    def begin(self, step: Step, state: StepState, text: str = "") -> StepResult:
        """Say that a step is being called, or running in AWS."""
        result = StepResult(step, state, text)
        self._results[step.id] = result
        return result

    def ready_lanes(self) -> Iterator[tuple[Lane, deque[Step]]]:
        """Return the ready steps by lane, in the plan's order."""
        yield from tuple((lane, steps) for lane, steps in self._lanes.items() if steps)

    def enqueue(self, step: Step) -> None:
        """Make a step ready, behind the others of its lane."""
        at = Location(step.location.account, step.location.region)
        is_copy = step.action is Action.COPY
        lane = Lane(at, is_copy, places_of(step, self._locations), kind_of(step.arn))
        self._lanes.setdefault(lane, deque()).append(step)

    def has_dependents(self, step: Step) -> bool:
        """Tell whether other steps wait for this one."""
        return bool(self._dependents[step.id])

    def results(self) -> tuple[StepResult, ...]:
        """Return all results, in the plan's order."""
        return tuple(self._results.values())

    def _is(self, step_id: str, state: StepState) -> bool:
        return self._results[step_id].state is state


def _insist_on_order(steps: dict[str, Step]) -> None:
    for step in steps.values():
        unknown = [parent for parent in step.depends_on if parent not in steps]
        if unknown:
            raise EngineError(
                f"the plan's step depends on {unknown[0]}, which the plan does not hold",
                where=step.id,
                fix="make the plan again with `engine plan -out`",
            )
    try:
        TopologicalSorter({step.id: step.depends_on for step in steps.values()}).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise EngineError(
            "the plan's steps depend on one another in a circle",
            why=circle,
            fix="make the plan again with `engine plan -out`",
        ) from error
