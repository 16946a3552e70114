"""Steps that are held back, with what depends on them and what only served them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.plans.codes import Action, Guard
from engine.plans.plan import Step


class Steps:
    """The steps of the whole plan, and which of them are withheld by what."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = {step.id: step for step in steps}
        self._withheld: dict[str, str] = {}
        self._behind: dict[str, list[str]] = defaultdict(list)
        for step in self._steps.values():
            self._note_edges(step)

    def __getitem__(self, name: str) -> Step:
        return self._steps[name]

    def all(self) -> Mapping[str, Step]:
        """Return all steps by id."""
        return self._steps

    def is_withheld(self, name: str) -> bool:
        """Say whether a step is held back already."""
        return name in self._withheld

    def depend(self, name: str, before: str) -> None:
        """Let a step wait for another."""
        step = self._steps[name]
        if before not in step.depends_on:
            self._steps[name] = replace(step, depends_on=(*step.depends_on, before))
            self._behind[before].append(name)

    def withhold(self, names: Iterable[str], guard: Guard) -> None:
        """Hold steps back, then their dependents, then what only served the copies among them."""
        self._hold_with_dependents(names, guard.value)
        self._hold_what_only_served(guard.value)

    def result(self) -> list[Step]:
        """Return the steps with `withheld_by` filled in."""
        return [
            replace(step, withheld_by=self._withheld[step.id])
            if step.id in self._withheld
            else step
            for step in self._steps.values()
        ]

    def _note_edges(self, step: Step) -> None:
        for before in step.depends_on:
            self._behind[before].append(step.id)

    def _hold_with_dependents(self, names: Iterable[str], by: str) -> None:
        ahead = [(name, by) for name in names if name not in self._withheld]
        while ahead:
            name, why = ahead.pop()
            if name in self._withheld:
                continue
            self._withheld[name] = why
            ahead.extend((behind, name) for behind in self._behind[name])

    def _hold_what_only_served(self, by: str) -> None:
        """A share, a bridge or a share of one serves the copies behind it and nothing else."""
        changed = True
        while changed:
            changed = False
            for step in self._steps.values():
                served = [
                    self._steps[name]
                    for name in self._behind[step.id]
                    if self._steps[name].action in {Action.SHARE, Action.COPY}
                ]
                serves_only = step.action is Action.SHARE or _is_bridge(step)
                idle = served and all(other.id in self._withheld for other in served)
                if serves_only and idle and step.id not in self._withheld:
                    self._hold_with_dependents([step.id], served[0].id)
                    changed = True


def _is_bridge(step: Step) -> bool:
    return step.action is Action.COPY and step.parameters["Tags"]["engine:role"] == "bridge"
