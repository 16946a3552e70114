"""What people ask for besides the policies: pins, and points right now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import CopyRule, Documents, OneOff
from engine.inventory.records import Quota, Snapshot
from engine.planning.pinning import plan_pin, plan_unpin
from engine.planning.snapshotting import Request, plan_snapshots
from engine.plans.codes import Action
from engine.plans.plan import Plan
from engine.retention.keep import Keep
from engine.verifying.ownership import verify_pins
from tests.planning.builders import (
    NOW,
    PROD,
    SLOT,
    a_foreign_snapshot,
    a_snapshot,
    ago,
    an_instance,
    daily,
    deleted,
    inventory,
    kept,
    plan,
    step_of,
    steps,
)
from tests.planning.judging import ONE, ORDERS, due, gold, judged

POINTS = daily(ORDERS, [1, 2, 3])
MONTH = timedelta(days=30)


def pinned(*names: str, found: list[Snapshot] | None = None, reason: str = "audit") -> Plan:
    world = inventory([ORDERS], POINTS if found is None else found)
    made = plan_pin(gold(), world, NOW, names, reason)
    assert not made.findings
    return made


# -- pins ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [POINTS[1].identifier, POINTS[1].arn, "orders-1-gold-20261119t*", "*:snapshot:*1119t*"]
)
def test_an_id_an_arn_or_a_glob_names_what_is_pinned(name: str) -> None:
    step = step_of(pinned(name), "tag_snapshot")
    assert step.arn == POINTS[1].arn
    assert step.parameters == {"Tags": {"engine:pin": "audit"}}
    assert [one.check.value for one in step.preconditions] == ["owned"]


def test_what_is_pinned_is_kept_until_it_is_unpinned() -> None:
    step = step_of(pinned(POINTS[2].arn), "tag_snapshot")
    pin = replace(POINTS[2], tags={**POINTS[2].tags, **step.parameters["Tags"]})
    world = [POINTS[0], POINTS[1], pin]
    found = judged(gold(), *world)
    assert kept(found, pin) == ["pinned"]
    off = plan_unpin(gold(), inventory([ORDERS], world), NOW, ["*"])
    assert step_of(off, "tag_snapshot").parameters == {"RemoveTags": ["engine:pin"]}
    assert step_of(off, "tag_snapshot").arn == pin.arn


def test_a_second_pin_with_the_same_reason_changes_nothing() -> None:
    point = a_snapshot(ORDERS, ago(1), pin="audit")
    assert pinned("*", found=[point]).steps == ()
    assert "so already" in pinned("*", found=[point]).warnings[0].text
    assert steps(pinned("*", found=[point], reason="court"), "tag_snapshot")


def test_nothing_of_others_is_pinned() -> None:
    found = pinned("by-hand", found=[a_foreign_snapshot(ORDERS, ago(1))])
    assert found.steps == ()
    assert "never touched" in found.warnings[0].text
    assert "adopt" in (found.warnings[0].fix or "")


def test_a_name_that_fits_nothing_is_told() -> None:
    assert "no snapshot of the engine's fits nope" in pinned("nope").warnings[0].text


def test_the_verifier_lets_pins_change_one_tag_of_what_is_owned() -> None:
    step = step_of(pinned(POINTS[0].arn), "tag_snapshot")
    world = inventory([ORDERS], POINTS)
    more = replace(step, parameters={"Tags": {"engine:pin": "x", "engine:slot": "y"}})
    texts = [one.text for one in verify_pins([more], gold(), world, NOW)]
    assert texts == ["it would change the tag engine:slot"]
    other = replace(step, action=Action.DELETE)
    assert verify_pins([other], gold(), world, NOW)
    stranger = a_foreign_snapshot(ORDERS, ago(1))
    theirs = replace(step, arn=stranger.arn, snapshot=stranger.identifier)
    assert verify_pins([theirs], gold(), inventory([ORDERS], [stranger]), NOW)


# -- points right now ----------------------------------------------------------------------------


def asked(
    docs: Documents | None = None,
    *found: Snapshot,
    now: datetime = NOW,
    stays_here: bool = False,
    **changes: Any,
) -> Plan:
    instances = changes.pop("instances", [ORDERS])
    request = Request("prod/*/orders-*", "before 17", MONTH, stays_here)
    made = plan_snapshots(docs or gold(), inventory(instances, found, **changes), now, request)
    assert not made.findings
    assert {step.action.value for step in made.steps} <= {"create_snapshot"}
    return made


def test_a_point_is_made_now_and_promised_for_its_time() -> None:
    step = step_of(asked(now=NOW + timedelta(seconds=42)), "create_snapshot")
    assert step.slot == NOW
    assert step.reason.code == "on_demand"
    tags = step.parameters["Tags"]
    assert tags["engine:keep-until"] == "2026-12-21T02:10:00Z"
    assert tags["engine:reason"] == "before 17"
    assert "engine:copies" not in tags
    assert step.forecast is not None


def test_a_later_run_copies_it_unless_it_is_to_stay() -> None:
    docs = gold(ONE, CopyRule("local"))
    for stays_here, copies in ((False, 1), (True, 0)):
        made = step_of(asked(docs, stays_here=stays_here), "create_snapshot")
        point = a_snapshot(ORDERS, NOW)
        there = replace(point, tags=made.parameters["Tags"])
        following = plan(docs, inventory([ORDERS], [there]))
        assert len(steps(following, "copy_snapshot")) == copies


def test_nothing_else_is_done_though_more_is_due() -> None:
    found = asked(due(), *daily(ORDERS, [3, 4, 5]))
    assert len(found.steps) == 1
    assert found.next == ()


def test_its_slot_is_never_that_of_a_regular_point_or_an_event() -> None:
    docs = due(events=(OneOff(SLOT - timedelta(minutes=1), "x", MONTH),))
    step = step_of(asked(docs, now=SLOT + timedelta(seconds=5)), "create_snapshot")
    assert step.slot == SLOT - timedelta(minutes=2)
    again = a_snapshot(ORDERS, SLOT - timedelta(minutes=2))
    step = step_of(asked(docs, again, now=SLOT), "create_snapshot")
    assert step.slot == SLOT - timedelta(minutes=3)


def test_two_runs_make_two_points() -> None:
    first = a_snapshot(ORDERS, NOW)
    assert step_of(asked(None, first), "create_snapshot").slot == NOW - timedelta(minutes=1)


def test_a_database_without_a_policy_gets_none_and_is_told_of() -> None:
    found = asked(instances=[ORDERS, an_instance("orders-2", tags={})])
    assert len(found.steps) == 1
    assert [one.source for one in found.warnings] == ["111111111111/eu-west-1/orders-2"]


def test_a_database_whose_state_allows_no_snapshot_is_told_of() -> None:
    found = asked(instances=[replace(ORDERS, status="stopped")])
    assert found.steps == ()
    assert [one.code for one in found.waiting] == ["source_state"]


def test_an_address_that_fits_nothing_is_told() -> None:
    found = asked(instances=[an_instance("billing")])
    assert found.steps == ()
    assert "no database fits" in found.warnings[0].text


def test_the_quota_holds_for_it_too() -> None:
    found = asked(quotas={PROD: Quota(100, 100)})
    assert step_of(found, "create_snapshot").withheld_by == "quota"


def test_it_displaces_nothing() -> None:
    made = step_of(asked(), "create_snapshot")
    there = replace(a_snapshot(ORDERS, NOW), tags=made.parameters["Tags"])
    before = deleted(judged(gold(Keep(last=2)), *POINTS))
    assert deleted(judged(gold(Keep(last=2)), *POINTS, there)) == before
