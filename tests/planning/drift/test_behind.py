"""Targets that stand still."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.documents.model import CopyRule, FullCopies, Guards
from engine.inventory.records import Key, ScopeStatus
from engine.planning.drift.behind import unmet_demands
from engine.planning.routes import RouteBook
from engine.planning.source import plan_source
from engine.planning.survey import survey
from engine.plans.codes import DriftCode, DriftSeverity
from tests.planning.builders import (
    NOW,
    VAULT,
    VAULT_KEY,
    a_policy,
    ago,
    an_estate,
    documents,
    inventory,
    terms,
)
from tests.planning.drift.estate import (
    COPIES,
    DOCUMENTS,
    HOME,
    KEEP,
    ORDERS,
    copied,
    drifted,
    planned,
    the_drift,
)


def test_a_target_that_gets_nothing_for_more_than_two_slots_is_behind() -> None:
    found = the_drift(drifted([*HOME, *COPIES[3:]]), DriftCode.TARGET_BEHIND)
    assert found.severity is DriftSeverity.WARNING
    assert found.location.account == VAULT.account
    assert found.slot == ago(2)
    assert "lacks 3 newer points" in found.text


def test_two_slots_are_no_drift() -> None:
    assert drifted([*HOME, *COPIES[2:]]) == []


def test_the_point_that_this_plan_makes_does_not_count() -> None:
    assert drifted([*HOME[1:], *COPIES[3:]]) == []


def test_a_target_that_catches_up_is_not_behind() -> None:
    """Its newest copy is of an old slot, but was made after the slots that it lacks."""
    late = copied(5, made_at=NOW - timedelta(hours=1))
    assert drifted([*HOME, late, *COPIES[6:]]) == []
    assert drifted([*HOME, copied(4, status="copying"), *COPIES[5:]]) == []


def test_a_target_that_has_nothing_yet_is_not_behind() -> None:
    docs = documents(a_policy(terms=terms(KEEP, [CopyRule("local", backfill="all")])))
    assert drifted(HOME, docs) == []


def test_a_target_that_wants_only_some_slots_is_not_behind() -> None:
    docs = documents(a_policy(terms=terms(KEEP, [CopyRule("local", every=timedelta(days=7))])))
    assert drifted([*HOME, *COPIES[5:]], docs) == []


def test_what_a_guard_holds_back_for_long_is_behind() -> None:
    estate = an_estate(guards=Guards(full_copies=FullCopies(count=0)))
    docs = documents(*DOCUMENTS.policies.values(), estate=estate)
    the_drift(drifted([*HOME, *COPIES[3:]], docs), DriftCode.TARGET_BEHIND)


def test_a_target_that_could_not_be_read_is_not_behind() -> None:
    scopes = {VAULT: {"status": ScopeStatus.FAILED, "cause": "denied", "snapshots": None}}
    assert drifted(HOME, scopes=scopes) == []


@pytest.mark.parametrize("lacking", [1, 2])
def test_what_the_plan_sends_is_not_missing(lacking: int) -> None:
    made = planned([*HOME, *COPIES[lacking:]])
    assert [step.action for step in made.steps if step.action == "copy_snapshot"]
    assert made.drift == ()


def test_a_point_that_nothing_sends_and_no_plan_speaks_of_is_missing() -> None:
    """Plans say why they send nothing; should one ever be silent, somebody must learn of it."""
    scopes = {VAULT: {"keys": {VAULT_KEY: Key(VAULT_KEY)}}}
    found = inventory([ORDERS], [*HOME, *COPIES[1:]], scopes=scopes)
    world, (source,) = survey(DOCUMENTS, found, NOW)
    book = RouteBook(world.estate, dict(found.scopes))
    draft = plan_source(source, world, book)
    assert list(unmet_demands(draft, world, book)) == []
    draft.waiting.clear()
    missing = the_drift(unmet_demands(draft, world, book), DriftCode.POINT_MISSING)
    assert (missing.arn, missing.slot) == (HOME[0].arn, ago(0))
