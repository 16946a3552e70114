"""Promise 1, shares: only with accounts that a copy needs or that the policy names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from engine.documents.model import HOME
from engine.identity.marks import Marks
from engine.inventory.records import Location
from engine.plans.codes import Action
from engine.plans.plan import Step
from engine.verifying.cases import Cases
from engine.verifying.evidence import Evidence, location_of_step
from engine.verifying.sources import source_of, target_location

AFTER_AN_UNSEEN_UNSHARE = timedelta(days=2)


def objections(step: Step, evidence: Evidence, cases: Cases) -> Iterator[str]:
    """Yield what speaks against giving an object to accounts, or taking it back from them."""
    if step.action is Action.SHARE:
        yield from _given(step, evidence, cases)
    elif step.action is Action.UNSHARE:
        yield from _taken_back(step, evidence, cases)


def _given(step: Step, evidence: Evidence, cases: Cases) -> Iterator[str]:
    copying = {copy.location.account for copy in evidence.origins_planned.get(step.arn, ())}
    accounts = set(step.parameters.get("ValuesToAdd", ()))
    named = _named(step, evidence, cases) if accounts - copying else frozenset()
    for account in sorted(accounts - copying - named):
        yield f"it would let {account} read it, which no copy needs and no policy says"


def _named(step: Step, evidence: Evidence, cases: Cases) -> frozenset[str]:
    """Return the accounts that the policy of an object's source shares it with."""
    marks = _marks(step, evidence)
    terms = cases.terms_now(marks) if marks else None
    source = source_of(marks) if marks else None
    if terms is None or source is None:
        return frozenset()
    accounts = evidence.documents.estate.accounts
    place = location_of_step(step)
    return frozenset(
        accounts[one].id if one in accounts else one
        for rule in terms.share_with
        if place == _place(rule.origin, source.home, evidence)
        for one in rule.accounts
    )


def _place(origin: str, home: Location, evidence: Evidence) -> Location | None:
    return home if origin == HOME else target_location(evidence.documents, origin, home)


def _marks(step: Step, evidence: Evidence) -> Marks | None:
    planned = next((one for one in evidence.planned if one.step.arn == step.arn), None)
    if planned is not None:
        return planned.marks
    snapshot = evidence.existing.get(step.arn)
    held = evidence.owned(snapshot) if snapshot else None
    return held.marks if held else None


def _taken_back(step: Step, evidence: Evidence, cases: Cases) -> Iterator[str]:
    marks = _marks(step, evidence)
    by_policy = marks.shared_by_policy if marks else frozenset()
    governed = {place.account for place in cases.sources.locations}
    for account in sorted(set(step.parameters.get("ValuesToRemove", ())) - governed - by_policy):
        yield f"nobody sees what {account} copies of it, and no policy had shared it"
