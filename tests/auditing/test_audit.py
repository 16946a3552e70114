"""Whom controls are for, what exceptions do, and what an audit adds up to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine.auditing.audit import asks_for_shares, audit
from engine.documents.control_model import (
    ControlSeverity,
    Covered,
    CustomerKeys,
    MinRetention,
    NewestPoint,
    NoForeignShares,
    PointsIn,
)
from engine.documents.model import Condition, Documents, Select
from engine.documents.objective_model import Objectives
from engine.errors import ExitCode
from engine.inventory.records import ScopeStatus
from engine.plans.audit import ControlFound, Written
from engine.plans.codes import ControlLevel, ControlRule, ControlStatus, ObjectiveStatus
from tests.auditing.scene import (
    DAY,
    GOLD,
    HOME,
    HOUR,
    ORDERS,
    a_control,
    an_exemption,
    audited,
    control_found,
    for_tier,
    ruling,
    with_controls,
)
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    documents,
    inventory,
    terms,
)

PASSED, NOT_JUDGED, EXCEPTED, BROKEN = ControlStatus
TWO_REGIONS = PointsIn(2, 2)
FAILED = {"status": ScopeStatus.FAILED, "cause": "AccessDenied"}


# -- whom a control is for -------------------------------------------------------------------------


def about(found: ControlFound) -> list[str]:
    return [one.about.rpartition("/")[2] for one in found.rulings]


def test_a_control_is_for_all_databases_or_those_it_selects() -> None:
    silver = an_instance("wiki", tags={"tier": "silver"})
    both = control_found(Covered(), instances=[ORDERS, silver])
    assert about(both) == ["orders-1", "wiki"]
    some = a_control(Covered(), select=for_tier("silver"))
    assert about(control_found(Covered(), control=some, instances=[ORDERS, silver])) == ["wiki"]
    but = Select(Condition(identifiers=("*",)), (Condition(identifiers=("wiki",)),))
    rest = a_control(Covered(), select=but)
    assert about(control_found(Covered(), control=rest, instances=[ORDERS, silver])) == ["orders-1"]


def test_replicas_count_only_where_a_policy_takes_them() -> None:
    replica = an_instance("orders-1-read", replica_of="orders-1")
    assert about(control_found(Covered(), instances=[ORDERS, replica])) == ["orders-1"]
    taking = replace(GOLD, select=replace(GOLD.select, replicas=True))
    found = control_found(Covered(), instances=[ORDERS, replica], docs=documents(taking))
    assert about(found) == ["orders-1", "orders-1-read"]


def test_what_is_left_of_a_gone_database_can_still_leak() -> None:
    public = a_snapshot(ORDERS, ago(3), record={"shared_with": frozenset({"all"})})
    gone = {"instances": [], "snapshots": [public]}
    assert ruling(NoForeignShares(), **gone).status is BROKEN
    assert control_found(Covered(), **gone).rulings == ()


def test_tags_of_a_gone_database_are_not_known_so_it_may_be_meant() -> None:
    left = a_snapshot(ORDERS, ago(3), record={"kms_key": DEFAULT_KEY})
    gone = {"instances": [], "snapshots": [left]}
    tier = a_control(CustomerKeys(), select=for_tier("silver"))
    assert ruling(CustomerKeys(), control=tier, **gone).status is BROKEN
    other = a_control(CustomerKeys(), select=Select(Condition(identifiers=("wiki",))))
    assert control_found(CustomerKeys(), control=other, **gone).rulings == ()
    tagged = Select(Condition(engines=("postgres",)), (Condition(tags={"tier": ("x",)}),))
    spared = a_control(CustomerKeys(), select=tagged)
    assert ruling(CustomerKeys(), control=spared, **gone).status is BROKEN


def test_a_control_for_nothing_is_not_passed() -> None:
    none = a_control(Covered(), select=for_tier("platinum"))
    found = audited(none)
    assert found.controls[0].status is NOT_JUDGED
    assert found.summary.not_judged == 1
    assert (found.complete, found.exit_code) == (True, ExitCode.OK)


# -- what could not be read ------------------------------------------------------------------------


def test_databases_that_are_not_known_are_not_judged_never_passed() -> None:
    unread = {PROD: {**FAILED, "instances": None, "snapshots": None}}
    found = audited(a_control(Covered()), scopes=unread, snapshots=[])
    (told,) = found.controls[0].rulings
    assert (told.status, told.about) == (NOT_JUDGED, str(PROD))
    assert told.text == "which databases there are is not known: AccessDenied"
    assert found.exit_code is ExitCode.PARTIAL


def test_only_controls_that_may_mean_them_are_touched_by_it() -> None:
    unread = {VAULT: {**FAILED, "instances": None, "snapshots": None}}
    prod = a_control(Covered(), select=Select(Condition(accounts=("prod",))))
    central = a_control(Covered(), select=Select(Condition(regions=("eu-central-*",))))
    assert control_found(Covered(), control=prod, scopes=unread).status is PASSED
    assert control_found(Covered(), control=central, scopes=unread).rulings == ()
    assert control_found(Covered(), scopes=unread).status is NOT_JUDGED


def test_the_worst_ruling_is_the_status_of_the_control() -> None:
    other = an_instance("wiki", tags={})
    unread = {VAULT: {**FAILED, "instances": None, "snapshots": None}}
    found = control_found(Covered(), instances=[ORDERS, other], scopes=unread)
    assert {one.status for one in found.rulings} == {PASSED, BROKEN, NOT_JUDGED}
    assert found.status is BROKEN


# -- exceptions ------------------------------------------------------------------------------------


def test_an_exception_excuses_with_its_reason_up_to_its_day() -> None:
    held = a_control(TWO_REGIONS, exemptions=(an_exemption(NOW.date()),))
    told = ruling(TWO_REGIONS, control=held)
    assert told.status is EXCEPTED
    assert told.text.endswith("; excepted up to 2026-11-21: moves soon")
    assert audited(held).exit_code is ExitCode.OK


def test_an_expired_exception_excuses_nothing_and_is_told() -> None:
    over = an_exemption(date(2026, 10, 31))
    late = a_control(TWO_REGIONS, exemptions=(an_exemption(date(2026, 9, 1)), over))
    found = audited(late)
    (told,) = found.controls[0].rulings
    assert told.status is BROKEN
    assert told.text.endswith("; its exception expired on 2026-10-31: moves soon")
    assert [(one.control, one.expired) for one in found.expired] == [
        ("BK-1", "2026-09-01"),
        ("BK-1", "2026-10-31"),
    ]
    assert found.expired[0].written == Written("c.yaml", 9, 9)
    assert found.exit_code is ExitCode.OBJECTIVE_BROKEN


def test_an_expired_exception_is_told_though_its_control_holds() -> None:
    found = audited(a_control(Covered(), exemptions=(an_exemption(date(2026, 10, 31)),)))
    assert found.controls[0].status is PASSED
    assert len(found.expired) == 1


def test_exceptions_excuse_only_whom_they_select_and_only_what_is_broken() -> None:
    others = an_exemption(date(2027, 1, 1), for_tier("silver"))
    assert (
        ruling(TWO_REGIONS, control=a_control(TWO_REGIONS, exemptions=(others,))).status is BROKEN
    )
    mine = an_exemption(date(2027, 1, 1))
    assert ruling(Covered(), control=a_control(Covered(), exemptions=(mine,))).status is PASSED
    unread = {VAULT: {**FAILED, "snapshots": None}}
    held = a_control(TWO_REGIONS, exemptions=(mine,))
    assert ruling(TWO_REGIONS, control=held, scopes=unread).status is NOT_JUDGED


# -- places ----------------------------------------------------------------------------------------


def test_a_ruling_points_at_what_has_to_change() -> None:
    policy, control = Written("policies/gold.yaml", 3, 1), Written("policies/controls.yaml", 5, 5)
    assert ruling(TWO_REGIONS).written == policy
    assert ruling(MinRetention(99 * DAY)).written == policy
    assert ruling(NewestPoint(HOUR)).written == policy
    assert ruling(Covered()).written == control
    assert ruling(NewestPoint(HOUR), docs=documents()).written == control
    assert ruling(Covered(), control=a_control(Covered(), place=None)).written is None


# -- the whole -------------------------------------------------------------------------------------


def test_controls_come_by_id_with_all_that_they_say() -> None:
    second = a_control(Covered(), id="b", title="covered", severity=ControlSeverity.NOTE)
    first = a_control(CustomerKeys(), id="a")
    found = audited(second, first)
    assert [(one.id, one.title, one.severity, one.rule) for one in found.controls] == [
        ("a", "", ControlLevel.ERROR, ControlRule.CUSTOMER_MANAGED_KEYS),
        ("b", "covered", ControlLevel.NOTE, ControlRule.COVERED),
    ]
    assert found.summary.passed == 2
    assert found.estate == "acme"
    assert found.as_of == NOW


def asked(rpo: timedelta) -> Documents:
    policy = a_policy(terms=terms(objectives=Objectives(rpo)), place=GOLD.place)
    return documents(policy)


@pytest.mark.parametrize(
    ("rpo", "code"), [(26 * HOUR, ExitCode.OK), (HOUR, ExitCode.OBJECTIVE_BROKEN)]
)
def test_objectives_are_judged_and_all_of_them_told(rpo: timedelta, code: ExitCode) -> None:
    found = audited(docs=asked(rpo), snapshots=HOME)
    (one,) = found.objectives
    assert one.written == Written("policies/gold.yaml", 3, 1)
    broken = one.objective.status is ObjectiveStatus.BROKEN
    assert (found.summary.objectives_broken, found.summary.objectives_met) == (broken, not broken)
    assert found.exit_code is code


def test_what_was_not_read_comes_before_what_is_broken() -> None:
    unread = {VAULT: {**FAILED, "snapshots": None}}
    found = audited(a_control(NewestPoint(HOUR)), docs=asked(HOUR), scopes=unread, snapshots=HOME)
    assert found.summary.objectives_broken == 1
    assert found.exit_code is ExitCode.PARTIAL


def test_what_could_be_read_and_not_judged_ends_an_audit_with_3_too() -> None:
    found = audited(a_control(NoForeignShares()))
    assert found.inventory.complete
    assert (found.complete, found.exit_code) == (False, ExitCode.PARTIAL)


def test_shares_are_asked_about_only_where_a_control_needs_them() -> None:
    assert asks_for_shares(with_controls(a_control(Covered()), a_control(NoForeignShares())))
    assert not asks_for_shares(with_controls(a_control(Covered())))


def test_shares_that_aws_did_not_tell_are_counted() -> None:
    found = audit(with_controls(), inventory([ORDERS], HOME), NOW, [HOME[0].arn])
    assert (found.shares.snapshots, found.shares.known, found.shares.refused) == (9, 0, 1)
