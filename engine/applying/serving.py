"""Steps that serve nothing once others cannot be done: bridges and shares of dead routes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.applying.outcome import StepResult, StepState
from engine.identity.marks import ROLE, Role
from engine.plans.codes import Action, StepReason
from engine.plans.plan import Step

_SERVED = frozenset({Action.SHARE, Action.COPY})


@dataclass(slots=True)
class _Routes:
    """The plan's steps, and which of them come to nothing because of which."""

    steps: Mapping[str, Step]
    behind: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    dead: dict[str, str] = field(default_factory=dict)

    def spread(self, roots: Sequence[str]) -> tuple[str, ...]:
        """Let what depends on roots die, and what served only the dead; return the latter."""
        idle: list[str] = []
        ahead = deque((root, root) for root in roots)
        while ahead:
            name, root = ahead.popleft()
            if name in self.dead:
                continue
            self.dead[name] = root
            ahead.extend((behind, root) for behind in self.behind[name])
            for served in self.steps[name].depends_on:
                if served not in self.dead and self._is_idle(served):
                    idle.append(served)
                    ahead.append((served, root))
        return tuple(dict.fromkeys(idle))

    def _is_idle(self, name: str) -> bool:
        step = self.steps.get(name)
        if step is None or not serves_a_route(step):
            return False
        served = [one for one in self.behind[name] if self.steps[one].action in _SERVED]
        return all(one in self.dead or self._is_withheld(one) for one in served)

    def _is_withheld(self, name: str) -> bool:
        return self.steps[name].withheld_by is not None


def settled(faults: Sequence[StepResult], steps: Sequence[Step]) -> tuple[StepResult, ...]:
    """Return the final results of a plan's steps that faults alone decide, faults first.

    A share or a bridge is skipped where all copies that it serves cannot be made; a primary never
    is, nor what serves another route too. What depends on a fault is left to the graph.
    """
    routes = _Routes({step.id: step for step in steps})
    for step in steps:
        for before in step.depends_on:
            routes.behind[before].append(step.id)
    idle = routes.spread([one.step.id for one in faults])
    roots = [one for one in faults if not _follows(one.step.id, faults, routes)]
    skipped = [
        StepResult(
            routes.steps[name],
            StepState.SKIPPED,
            f"serves only {routes.dead[name]}, which cannot be done",
            because=routes.dead[name],
        )
        for name in idle
        if routes.steps[name].withheld_by is None
    ]
    return (*roots, *skipped)


def _follows(name: str, faults: Sequence[StepResult], routes: _Routes) -> bool:
    """Say whether a step waits, at whatever distance, for another one with a fault."""
    faulty = {one.step.id for one in faults} - {name}
    ahead, seen = deque(routes.steps[name].depends_on), set()
    while ahead:
        before = ahead.popleft()
        if before in faulty:
            return True
        if before not in seen and before in routes.steps:
            seen.add(before)
            ahead.extend(routes.steps[before].depends_on)
    return False


def serves_a_route(step: Step) -> bool:
    """Say whether a step makes a bridge, or a share that copies need; a policy's serves itself."""
    if step.action is Action.COPY:
        tags = step.parameters.get("Tags")
        return isinstance(tags, Mapping) and tags.get(ROLE) == Role.BRIDGE.value
    return step.action is Action.SHARE and step.reason.code != StepReason.POLICY_SHARES
