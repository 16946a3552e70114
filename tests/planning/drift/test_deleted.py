"""Points that somebody deleted, told from those that the rules let go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.documents.model import CopyRule, Retire
from engine.identity.marks import Role
from engine.inventory.records import ScopeStatus, Snapshot
from engine.planning.drift.deleted import deleted_points
from engine.planning.routes import RouteBook
from engine.planning.source import plan_source
from engine.planning.survey import survey
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Drift
from engine.retention.keep import ALL, Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    NOW,
    PROD,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    daily,
    documents,
    inventory,
    plan,
    terms,
)
from tests.planning.drift.estate import (
    COPIES,
    DOCUMENTS,
    HOME,
    NIGHTS,
    ORDERS,
    copied,
    drifted,
    primary,
    the_drift,
    without,
)


def test_the_newest_point_of_a_location_cannot_have_gone_by_itself() -> None:
    found = the_drift(drifted(without(0)), DriftCode.POINT_DELETED)
    assert found.severity is DriftSeverity.ERROR
    assert (found.arn, found.slot) == (primary(0).arn, ago(0))
    assert found.location.account == PROD.account
    assert copied(0).identifier in found.text


def test_each_point_newer_than_all_that_is_left_is_told() -> None:
    found = drifted(COPIES)
    assert {one.severity for one in found} == {DriftSeverity.ERROR}
    assert {one.arn for one in found} == {one.arn for one in HOME}


def test_a_point_that_the_rules_keep_and_that_is_gone_is_a_warning() -> None:
    found = the_drift(drifted(without(4)), DriftCode.POINT_DELETED)
    assert found.severity is DriftSeverity.WARNING
    assert found.arn == primary(4).arn
    assert "or rules that the policy had before let it go" in found.text


@pytest.mark.parametrize(
    "keep",
    [
        Keep(last=3),
        Keep(daily=3),
        Keep(daily=2, weekly=1),
        Keep(within=Span(days=2)),
        Keep(within_daily=Span(days=2)),
    ],
)
def test_what_the_rules_let_go_at_home_is_no_drift_where_copies_are_kept_longer(keep: Keep) -> None:
    rule = CopyRule("local", keep=Keep(daily=35))
    docs = documents(a_policy(terms=terms(keep, [rule])))
    snapshots: list[Snapshot] = [*daily(ORDERS, range(40)), *daily(ORDERS, range(40), VAULT)]
    for _ in range(3):
        made = plan(docs, inventory([ORDERS], snapshots))
        assert made.drift == ()
        gone = {step.arn for step in made.steps if step.action == "delete_snapshot"}
        snapshots = [one for one in snapshots if one.arn not in gone]
    assert len([one for one in snapshots if one.location == PROD]) < 10


def test_rules_that_only_keep_the_oldest_say_nothing_of_what_is_gone() -> None:
    """The oldest in reach is another one every day."""
    keep = Keep(last=1, within_weekly=Span(days=30))
    docs = documents(a_policy(terms=terms(keep, [CopyRule("local", keep=Keep(daily=35))])))
    kept = [a_snapshot(ORDERS, ago(day), PROD) for day in (0, 6, 13)]
    found = drifted([*kept, *daily(ORDERS, range(16), VAULT)], docs)
    assert ago(15) not in {one.slot for one in found}


def test_a_policy_without_rules_says_nothing_of_what_is_gone() -> None:
    docs = documents(a_policy(terms=terms(Keep(), [CopyRule("local")])))
    assert drifted(without(4), docs) == []
    the_drift(drifted(without(0), docs), DriftCode.POINT_DELETED)


def test_a_change_of_tier_brings_nothing_back() -> None:
    """Silver kept three points when it made these; gold, which keeps more, was not there yet."""
    silver = a_policy("silver", terms=terms(Keep(last=3), [CopyRule("local", keep=Keep(last=ALL))]))
    made = [*daily(ORDERS, range(3), policy="silver")]
    made += daily(ORDERS, NIGHTS, VAULT, policy="silver")
    found = drifted(made, documents(*DOCUMENTS.policies.values(), silver))
    assert found == []


def test_a_point_of_a_policy_that_is_gone_may_have_gone_in_any_way() -> None:
    made = [*daily(ORDERS, (0, 9)), *daily(ORDERS, NIGHTS, VAULT, policy="bronze")]
    assert drifted(made) == []


def test_where_the_estate_retires_points_nothing_is_certain() -> None:
    estate = an_estate(retire=(Retire(policy="bronze"),))
    docs = documents(*DOCUMENTS.policies.values(), estate=estate)
    found = the_drift(drifted(without(0), docs), DriftCode.POINT_DELETED)
    assert found.severity is DriftSeverity.WARNING


def a_tier_later(*retire: Retire) -> list[Drift]:
    """Bronze made a point, gold copied it and keeps it; the point is gone, and perhaps bronze."""
    made_by_bronze = primary(4, policy="bronze")
    copy = copied(4, origin=made_by_bronze.arn)
    docs = documents(*DOCUMENTS.policies.values(), estate=an_estate(retire=retire))
    return drifted([*but_the_night(4), copy], docs)


def but_the_night(days: int) -> list[Snapshot]:
    """Everything but one night's point and its copy."""
    return [one for one in without(days) if one.arn != copied(days).arn]


def test_a_copy_tells_nothing_of_a_point_that_another_policy_made_and_that_is_gone() -> None:
    bronze = Retire(policy="bronze")
    assert a_tier_later(bronze) == []
    assert a_tier_later() == []
    found = drifted(without(4), replace(DOCUMENTS, estate=an_estate(retire=(bronze,))))
    the_drift(found, DriftCode.POINT_DELETED)


def test_what_the_estate_may_have_retired_while_nothing_took_its_database_is_no_drift() -> None:
    estate = an_estate(retire=(Retire(policy="gold"),))
    assert drifted(without(4), replace(DOCUMENTS, estate=estate)) == []


def test_where_the_estate_retires_points_those_behind_bridges_are_not_told_of() -> None:
    bridge = a_snapshot(ORDERS, ago(4), role=Role.BRIDGE)
    seen = [*but_the_night(4), copied(4, origin=bridge.arn)]
    the_drift(drifted(seen), DriftCode.POINT_DELETED)
    estate = an_estate(retire=(Retire(policy="bronze"),))
    assert drifted(seen, replace(DOCUMENTS, estate=estate)) == []


def test_what_could_not_be_read_is_not_missing() -> None:
    blind = {"status": ScopeStatus.FAILED, "cause": "throttled"}
    scopes = {PROD: {**blind, "snapshots": tuple(HOME[:3])}}
    assert drifted(without(0), scopes=scopes) == []


def test_points_of_a_database_that_is_gone_go_with_it() -> None:
    assert plan(DOCUMENTS, inventory([], COPIES)).drift == ()


def test_a_point_on_its_way_out_is_there() -> None:
    assert drifted([*without(0), primary(0, status="deleting")]) == []


# -- at targets ----------------------------------------------------------------------------------


def test_a_gap_at_a_target_is_a_warning() -> None:
    found = the_drift(drifted(without(4, location=VAULT)), DriftCode.POINT_DELETED)
    assert found.severity is DriftSeverity.WARNING
    assert (found.arn, found.slot) == (primary(4).arn, ago(4))
    assert found.location.account == VAULT.account
    assert "somebody deleted it there, or it could not be copied then" in found.text


def test_the_newest_point_of_a_target_may_just_not_be_copied_yet() -> None:
    assert drifted(without(0, location=VAULT)) == []


@pytest.mark.parametrize("status", ["failed", "copying", "strange"])
def test_a_gap_at_a_target_that_a_copy_explains_is_no_drift(status: str) -> None:
    assert drifted([*without(4, location=VAULT), copied(4, status=status)]) == []


def test_what_a_target_does_not_keep_is_no_gap() -> None:
    weekly = documents(
        a_policy(terms=terms(Keep(daily=14), [CopyRule("local", keep=Keep(last=1, weekly=2))]))
    )
    copies = [copied(day) for day in (0, 6)]
    assert drifted([*HOME, *copies], weekly) == []


def test_points_of_another_policy_were_perhaps_never_sent() -> None:
    made = [*without(4), primary(4, policy="bronze")]
    made = [one for one in made if one.arn != copied(4).arn]
    assert drifted(made, documents(*DOCUMENTS.policies.values(), a_policy("bronze"))) == []


# -- what other records know ---------------------------------------------------------------------


def known(found: list[Snapshot], *made: str) -> list[Drift]:
    inventory_read = inventory([ORDERS], found)
    world, (source,) = survey(DOCUMENTS, inventory_read, NOW)
    book = RouteBook(world.estate, dict(inventory_read.scopes))
    draft = plan_source(source, world, book)
    return list(deleted_points(draft, world, book, frozenset(made)))


def test_records_of_what_was_made_tell_of_the_newest_point_of_a_target() -> None:
    left = without(0, location=VAULT)
    assert known(left) == []
    found = the_drift(known(left, copied(0).arn), DriftCode.POINT_DELETED)
    assert found.severity is DriftSeverity.ERROR
    assert found.arn == copied(0).arn
    assert "records" in found.text


def test_records_tell_nothing_of_what_is_there_or_what_is_not_the_databases() -> None:
    other = replace(ORDERS, resource_id="db-OTHER")
    arns = (copied(1).arn, a_snapshot(other, ago(0), VAULT).arn, "arn:aws:s3:::acme", "nonsense")
    assert known(without(0, location=VAULT), *arns) == []
