"""Re-checks a finished plan against promises 1 to 4, from documents and inventory alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from engine.documents.model import Documents
from engine.inventory.records import Inventory, Kind, kind_of
from engine.plans.codes import AUTOMATED, Action
from engine.plans.plan import Finding, Step
from engine.verifying import automated, failovers, ownership, readings, shares
from engine.verifying.bases import Bases
from engine.verifying.cases import Cases
from engine.verifying.evidence import Evidence
from engine.verifying.rules import Rules


def verify(
    plan_steps: Sequence[Step], documents: Documents, inventory: Inventory, now: datetime
) -> tuple[Finding, ...]:
    """Return what speaks against the steps that are not withheld; nothing, if all is well.

    Nothing that planning concluded is taken over: whom a policy matches, who owns what, which
    point a rule keeps and which object is a base are worked out again. The promises checked:

    1. What the engine does not own is never deleted, changed or shared; automated backups, which
       it never owns, are changed only to what the one policy of their database says, and a
       database is failed over only as that says, with nothing in the way.
    2. A point goes only when no rule keeps it.
    3. A base goes only after its successor in the same chain is available.
    4. What could not be read is never deleted, nor what depends on it.

    Args:
        plan_steps: the steps of one plan, withheld ones included.
        documents: what the plan was made from.
        inventory: what the plan was made from.
        now: the time the plan is for.
    """
    return tuple(
        finding
        for kind in Kind
        if (steps := [step for step in plan_steps if kind_of(step.arn) is kind])
        for finding in _verify_kind(Evidence(steps, documents.of(kind), inventory.of(kind), now))
    )


def _verify_kind(evidence: Evidence) -> tuple[Finding, ...]:
    """Return what speaks against steps on one kind of databases, by what exists of that kind."""
    cases = Cases(evidence)
    deletes = _Deletes(evidence, cases)
    findings: list[Finding] = []
    for step in evidence.steps:
        if step.action in AUTOMATED:
            texts = automated.objections(step, evidence)
            findings += [Finding(step.id, 1, text) for text in texts]
            continue
        if step.action is Action.FAIL_OVER:
            texts = failovers.objections(step, evidence)
            findings += [Finding(step.id, 1, text) for text in texts]
            continue
        against = [Finding(step.id, 1, text) for text in ownership.objections(step, evidence)]
        against += [Finding(step.id, 1, text) for text in shares.objections(step, evidence, cases)]
        if step.action is Action.DELETE and not against:
            against += deletes.findings(step)
        findings += against
    return tuple(findings)


class _Deletes:
    """Promises 2 to 4, which only deletes can break."""

    def __init__(self, evidence: Evidence, cases: Cases) -> None:
        self._evidence = evidence
        self._cases = cases
        self._rules = Rules(evidence, self._cases)
        self._bases = Bases(evidence)

    def findings(self, step: Step) -> Iterator[Finding]:
        """Yield what speaks against deleting an object that promise 1 lets go."""
        case = self._cases.case(step)
        if case is None:
            yield Finding(step.id, 4, f"{step.arn} does not say what it is a backup of")
            return
        for text in self._rules.objections(case):
            yield Finding(step.id, 2, text)
        for text in self._bases.objections(case):
            yield Finding(step.id, 3, text)
        for text in readings.objections(case, self._evidence, self._cases.sources):
            yield Finding(step.id, 4, text)
