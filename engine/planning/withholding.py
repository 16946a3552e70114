"""Steps that are held back, with what depends on them and what only served them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.identity.marks import ROLE, Role
from engine.plans.codes import Action, Guard, StepReason
from engine.plans.plan import Step

_SERVED = frozenset({Action.SHARE, Action.COPY})


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

    def is_withheld_by(self, name: str, guard: Guard) -> bool:
        """Say whether a guard itself holds a step back."""
        return self._withheld.get(name) == guard.value

    def release(self, name: str) -> None:
        """Let a step go that is held back; what is held back with it stays so."""
        del self._withheld[name]

    def depend(self, name: str, before: str) -> None:
        """Let a step wait for another."""
        step = self._steps[name]
        self._steps[name] = replace(step, depends_on=(*step.depends_on, before))
        self._behind[before].append(name)

    def withhold(self, names: Iterable[str], guard: Guard) -> None:
        """Hold steps back, what depends on them, and what only served the copies among them."""
        ahead = deque((name, guard.value) for name in names)
        while ahead:
            name, why = ahead.popleft()
            if name in self._withheld:
                continue
            self._withheld[name] = why
            ahead.extend((behind, name) for behind in self._needing(name))
            before = self._steps[name].depends_on
            ahead.extend((served, name) for served in before if self._serves_nothing(served))

    def result(self) -> list[Step]:
        """Return the steps, each behind those it waits for, with `withheld_by` filled in."""
        placed: dict[str, Step] = {}
        for name in self._steps:
            self._place(name, placed)
        return list(placed.values())

    def _place(self, name: str, placed: dict[str, Step]) -> None:
        if name in placed:
            return
        step = self._steps[name]
        for before in step.depends_on:
            self._place(before, placed)
        why = self._withheld.get(name)
        placed[name] = step if why is None else replace(step, withheld_by=why)

    def _note_edges(self, step: Step) -> None:
        for before in step.depends_on:
            self._behind[before].append(step.id)

    def _needing(self, name: str) -> list[str]:
        """Return what is held back with a step.

        An unshare is not, as long as its share goes on for other copies: it no longer waits for
        the copy that is held back, so that nobody may read the object longer than those need.
        """
        step = self._steps[name]
        behind = list(self._behind[name])
        shares = [n for n in step.depends_on if self._steps[n].action is Action.SHARE]
        if step.action is not Action.COPY or all(self._serves_nothing(n) for n in shares):
            return behind
        for unshare in (n for n in behind if self._steps[n].action is Action.UNSHARE):
            self._forget(unshare, name)
        return self._behind[name]

    def _forget(self, name: str, before: str) -> None:
        step = self._steps[name]
        left = tuple(other for other in step.depends_on if other != before)
        self._steps[name] = replace(step, depends_on=left)
        self._behind[before].remove(name)

    def _serves_nothing(self, name: str) -> bool:
        """Say whether all that a share, a bridge or a share of one is for is held back."""
        step = self._steps[name]
        if step.action is not Action.SHARE and not is_bridge(step):
            return False
        if step.reason.code == StepReason.POLICY_SHARES:
            return False
        served = [n for n in self._behind[name] if self._steps[n].action in _SERVED]
        return all(other in self._withheld for other in served)


def is_bridge(step: Step) -> bool:
    """Say whether a step makes a bridge."""
    return step.action is Action.COPY and step.parameters["Tags"][ROLE] == Role.BRIDGE
