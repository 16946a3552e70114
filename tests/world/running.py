"""Runs the engine against the model of AWS: plan, apply, look, until nothing changes."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.documents.model import Documents
from engine.planning.plan import make_plan
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Plan
from tests.world.applying import Outcome, Waiting, apply
from tests.world.aws import World
from tests.world.promises import Promises


class UnsettledError(AssertionError):
    """Plans go on announcing changes."""


@dataclass
class Engine:
    """The engine with its documents, before a world whose every effect is watched."""

    world: World
    documents: Documents
    promises: Promises = field(init=False)

    def __post_init__(self) -> None:
        self.promises = Promises(self.world, self.documents)

    def rewrite(self, documents: Documents) -> None:
        """Let the documents say something else from now on."""
        self.documents = self.promises.documents = documents

    def plan(self) -> Plan:
        """Plan; the verifier must agree with every step.

        Nobody in a story deletes what the engine made, so no plan may be certain that somebody did.
        """
        self.promises.planned()
        plan = make_plan(self.documents, self.world.inventory(), self.world.clock)
        assert not plan.findings, plan.findings
        deleted = [one for one in plan.drift if one.code is DriftCode.POINT_DELETED]
        certain = [one for one in deleted if one.severity is DriftSeverity.ERROR]
        assert not certain, certain
        return plan

    def run(self, waiting: Waiting = Waiting.TO_THE_END) -> Outcome:
        """Plan and apply once."""
        return apply(self.plan(), self.world, waiting)

    def settle(self, most: int = 40, waiting: Waiting = Waiting.TO_THE_END) -> int:
        """Run until a plan is empty and nothing is in flight; return in how many runs.

        Raises:
            UnsettledError: a run changed nothing though it was to, or there was no end.
        """
        for runs in range(most):
            plan = self.plan()
            if not plan.has_changes:
                if self.world.is_quiet:
                    return runs
                self.world.tick()
                continue
            before = self.world.effects
            outcome = apply(plan, self.world, waiting)
            if self.world.effects == before and self.world.is_quiet:
                raise UnsettledError(f"nothing came of {_announced(plan)}: {outcome}")
        raise UnsettledError(f"after {most} runs there is still {_announced(self.plan())}")


def _announced(plan: Plan) -> list[str]:
    return [step.id for step in plan.steps if step.withheld_by is None]
