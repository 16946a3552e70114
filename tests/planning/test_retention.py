"""Stage 4: which points no rule keeps any more, decided twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.documents.model import CopyRule
from engine.identity.marks import Role
from engine.inventory.records import Location, Snapshot
from engine.plans.plan import Plan
from engine.retention.keep import ALL, Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    DAY,
    DEFAULT_KEY,
    NOW,
    PROD,
    REKEY,
    REMOTE,
    SLOT,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    deleted,
    documents,
    inventory,
    kept,
    plan,
    step_of,
    steps,
    terms,
)

ORDERS = an_instance()
HOUR = timedelta(hours=1)


def planned(*found: Snapshot, keep: Keep, now: datetime = NOW, **changes: Any) -> Plan:
    policy = a_policy(terms=terms(keep, **changes))
    return plan(documents(policy), inventory([ORDERS], found), now)


def removed_days(found: Plan, days: range, location: Location = PROD) -> list[int]:
    gone = deleted(found)
    return [day for day in days if a_snapshot(ORDERS, ago(day), location).arn in gone]


# -- rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "stay"),
    [
        (Keep(last=3), [0, 1, 2]),
        (Keep(last=1), [0]),
        (Keep(last=ALL), list(range(20))),
        (Keep(daily=4), [0, 1, 2, 3]),
        # Saturday 21 November; the weeks before end on Sundays 15, 8 and 1
        (Keep(weekly=2), [0, 6]),
        (Keep(weekly=ALL), [0, 6, 13, 19]),
        # the month before has no end within reach: the oldest stays for it
        (Keep(monthly=2), [0, 19]),
        (Keep(yearly=1), [0]),
        (Keep(within=Span(days=2)), [0, 1]),
        (Keep(within=Span(days=2, seconds=1)), [0, 1, 2]),
        (Keep(within_weekly=Span(days=15)), [0, 6, 13]),
        (Keep(last=1, weekly=2), [0, 6]),
        (Keep(), list(range(20))),
    ],
    ids=lambda value: value.sentence() if isinstance(value, Keep) else "",
)
def test_a_point_stays_when_any_rule_keeps_it(keep: Keep, stay: list[int]) -> None:
    found = planned(*daily(ORDERS, range(20)), keep=keep)
    assert removed_days(found, range(20)) == [day for day in range(20) if day not in stay]
    for day in stay:
        assert kept(found, a_snapshot(ORDERS, ago(day)))


def test_two_points_of_a_slot_in_two_zones_stay_together_and_cost_no_other_night() -> None:
    """A run that could not list snapshots made the second, after a failover."""
    second = a_snapshot(ORDERS, SLOT, zone="euw1-az3")
    found = planned(*daily(ORDERS, range(4)), second, keep=Keep(last=2))
    assert second.arn not in deleted(found)
    assert removed_days(found, range(4)) == [2, 3]


def test_zero_rules_keep_everything_and_say_so() -> None:
    found = planned(*daily(ORDERS, range(3)), keep=Keep())
    assert kept(found, a_snapshot(ORDERS, ago(2))) == ["no_rule"]


def test_a_point_that_stays_says_every_rule_that_keeps_it() -> None:
    keep = Keep(last=1, daily=1, within_hourly=Span(hours=1))
    found = planned(a_snapshot(ORDERS, SLOT), keep=keep)
    assert kept(found, a_snapshot(ORDERS, SLOT)) == ["last", "daily", "within_hourly"]


def test_a_point_that_goes_says_what_its_policy_keeps() -> None:
    found = planned(*daily(ORDERS, range(2)), keep=Keep(last=1))
    step = step_of(found, "delete_snapshot")
    assert step.reason.code == "no_rule_keeps"
    assert step.reason.text == "no rule keeps it: gold keeps the last point"


def test_rules_count_local_days() -> None:
    berlin, utc = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
    late, early = SLOT.replace(hour=22) - DAY, SLOT.replace(hour=23, minute=30) - DAY
    points = [a_snapshot(ORDERS, late), a_snapshot(ORDERS, early), a_snapshot(ORDERS, SLOT)]
    for zone, gone in ((utc, {points[0].arn}), (berlin, {points[1].arn})):
        assert deleted(planned(*points, keep=Keep(daily=2), timezone=zone)) == gone


def test_within_reaches_back_from_the_newest_available_point_never_from_the_clock() -> None:
    points = daily(ORDERS, range(10, 14))
    keep = Keep(within=Span(days=2))
    assert removed_days(planned(*points, keep=keep, schedule=None), range(10, 14)) == [12, 13]
    failed = a_snapshot(ORDERS, ago(1), status="failed")
    found = planned(*points, failed, keep=keep, schedule=None)
    assert removed_days(found, range(10, 14)) == [12, 13]


# -- points, one per slot ------------------------------------------------------------------------


def test_two_objects_of_one_slot_are_one_point_and_stay_or_go_together() -> None:
    doubles = [*daily(ORDERS, range(4)), *daily(ORDERS, range(4), policy="silver")]
    two = terms(Keep(last=2))
    docs = documents(a_policy(terms=two), a_policy("silver", terms=two))
    found = plan(docs, inventory([ORDERS], doubles))
    assert deleted(found) == {
        one.arn for policy in ("gold", "silver") for one in daily(ORDERS, [2, 3], policy=policy)
    }


def test_bridges_are_no_points() -> None:
    bridges = [a_snapshot(ORDERS, ago(day), role=Role.BRIDGE, keys=(None, REKEY)) for day in (0, 1)]
    found = planned(*bridges, *daily(ORDERS, [0, 1, 2, 3]), keep=Keep(last=3))
    assert removed_days(found, range(4)) == [3]


def test_failed_objects_are_no_points_and_are_removed() -> None:
    failed = a_snapshot(ORDERS, SLOT, status="failed")
    found = planned(failed, *daily(ORDERS, [1, 2, 3]), keep=Keep(last=3), schedule=None)
    assert deleted(found) == {failed.arn}
    assert step_of(found, "delete_snapshot").reason.code == "failed_object"


def test_a_failed_copy_is_removed_too() -> None:
    failed = a_snapshot(ORDERS, ago(1), VAULT, status="failed")
    found = planned(failed, a_snapshot(ORDERS, SLOT), keep=Keep(last=3))
    assert deleted(found) == {failed.arn}


def test_a_point_that_is_being_deleted_counts_for_no_rule() -> None:
    going = a_snapshot(ORDERS, SLOT, status="deleting")
    found = planned(going, *daily(ORDERS, [1, 2, 3]), keep=Keep(last=3))
    assert deleted(found) == set()
    assert kept(found, going) == []


def test_future_points_are_kept_and_counted_by_no_rule() -> None:
    ahead = [a_snapshot(ORDERS, SLOT + days * DAY) for days in (1, 2)]
    found = planned(*ahead, *daily(ORDERS, range(4)), keep=Keep(last=2, within=Span(days=1)))
    assert removed_days(found, range(4)) == [2, 3]
    assert [kept(found, one) for one in ahead] == [["future"], ["future"]]


# -- it runs twice -------------------------------------------------------------------------------


def test_a_point_that_only_a_planned_one_displaces_goes_after_that_is_made() -> None:
    found = planned(*daily(ORDERS, [1, 2, 3]), keep=Keep(last=3))
    create, delete = step_of(found, "create_snapshot"), step_of(found, "delete_snapshot")
    assert delete.arn == a_snapshot(ORDERS, ago(3)).arn
    assert create.id in delete.depends_on


def test_a_point_that_nothing_keeps_even_now_waits_for_nothing() -> None:
    found = planned(*daily(ORDERS, [1, 2, 3, 4]), keep=Keep(last=3))
    waiting = {step.arn: step.depends_on for step in steps(found, "delete_snapshot")}
    assert waiting[a_snapshot(ORDERS, ago(4)).arn] == ()
    assert waiting[a_snapshot(ORDERS, ago(3)).arn] != ()


@pytest.mark.parametrize("status", ["creating", "incompatible-something"])
def test_a_point_that_only_one_in_flight_displaces_stays_until_that_is_available(
    status: str,
) -> None:
    coming = a_snapshot(ORDERS, SLOT, status=status)
    found = planned(coming, *daily(ORDERS, [1, 2, 3]), keep=Keep(last=3))
    assert deleted(found) == set()
    assert kept(found, a_snapshot(ORDERS, ago(3))) == ["displacing_point_not_available"]
    there = planned(*daily(ORDERS, range(4)), keep=Keep(last=3))
    assert removed_days(there, range(4)) == [3]


def test_a_point_in_flight_does_not_hold_up_what_nothing_keeps_even_now() -> None:
    coming = a_snapshot(ORDERS, SLOT, status="creating")
    found = planned(coming, *daily(ORDERS, [1, 2, 3, 4]), keep=Keep(last=3))
    assert removed_days(found, range(1, 5)) == [4]


def test_a_point_in_flight_is_never_removed_itself() -> None:
    old = a_snapshot(ORDERS, ago(9), status="creating")
    found = planned(old, *daily(ORDERS, range(3)), keep=Keep(last=1))
    assert old.arn not in deleted(found)
    assert kept(found, old) == ["in_flight"]
    odd = a_snapshot(ORDERS, ago(9), status="incompatible-something")
    assert kept(planned(odd, *daily(ORDERS, range(3)), keep=Keep(last=1)), odd) == [
        "unknown_status"
    ]


def test_copies_displace_copies_and_points_displace_points() -> None:
    policy = a_policy(terms=terms(Keep(last=ALL), [CopyRule("local", keep=Keep(last=2))]))
    world = [*daily(ORDERS, range(4)), *daily(ORDERS, [1, 2], VAULT)]
    found = plan(documents(policy), inventory([ORDERS], world))
    copy, delete = step_of(found, "copy_snapshot"), step_of(found, "delete_snapshot")
    assert delete.arn == a_snapshot(ORDERS, ago(2), VAULT).arn
    assert copy.id in delete.depends_on


def test_each_target_keeps_by_its_own_retention() -> None:
    rules = [CopyRule("local", keep=Keep(last=2)), CopyRule("remote", keep=Keep(last=3))]
    world = [one for place in (PROD, VAULT, REMOTE) for one in daily(ORDERS, range(5), place)]
    policy = a_policy(terms=terms(Keep(last=4), rules))
    found = plan(documents(policy), inventory([ORDERS], world))
    for place, count in ((PROD, 4), (VAULT, 2), (REMOTE, 3)):
        assert removed_days(found, range(5), place) == list(range(count, 5))


def test_a_point_that_is_made_displaces_nothing_at_a_target_that_it_is_not_sent_to() -> None:
    weekly = CopyRule("local", every=7 * DAY, keep=Keep(last=2))
    policy = a_policy(terms=terms(Keep(last=ALL), [weekly]))
    world = [*daily(ORDERS, [1, 2]), *daily(ORDERS, [5, 12], VAULT)]
    found = plan(documents(policy), inventory([ORDERS], world))
    assert [step.action.value for step in found.steps] == ["create_snapshot"]


def test_a_delete_does_not_wait_for_the_bridge_of_what_displaces_it() -> None:
    legacy = an_instance("legacy", kms_key=DEFAULT_KEY)
    points = daily(legacy, [1, 2], keys=(DEFAULT_KEY,))
    policy = a_policy(terms=terms(Keep(last=2), [CopyRule("local")]))
    found = plan(documents(policy), inventory([legacy], points))
    assert len(steps(found, "copy_snapshot", PROD)) == 1
    delete = step_of(found, "delete_snapshot")
    assert delete.depends_on == (step_of(found, "create_snapshot").id,)


def test_a_gap_keeps_what_counts_back_from_the_newest_point_there_is() -> None:
    points = daily(ORDERS, range(30, 33))
    found = planned(*points, keep=Keep(within=Span(days=7)))
    assert [step.slot for step in steps(found, "create_snapshot")] == [SLOT]
    created = step_of(found, "create_snapshot").id
    assert all(created in step.depends_on for step in steps(found, "delete_snapshot"))


def test_a_bridge_that_is_made_displaces_no_point() -> None:
    legacy = an_instance("legacy", kms_key=DEFAULT_KEY)
    points = daily(legacy, range(2), keys=(DEFAULT_KEY,))
    policy = a_policy(terms=terms(Keep(last=2), [CopyRule("local")]))
    found = plan(documents(policy), inventory([legacy], points))
    assert len(steps(found, "copy_snapshot", PROD)) == 1
    assert deleted(found) == set()


def test_points_of_several_sources_never_displace_one_another() -> None:
    other = an_instance("other")
    world = [*daily(ORDERS, range(3)), *daily(other, range(3))]
    docs = documents(a_policy(terms=terms(Keep(last=2))))
    found = plan(docs, inventory([ORDERS, other], world))
    assert deleted(found) == {a_snapshot(one, ago(2)).arn for one in (ORDERS, other)}


def test_points_of_a_source_and_its_predecessors_are_judged_together() -> None:
    restored = replace(ORDERS, resource_id="db-RESTORED")
    world = [*daily(ORDERS, [2, 3, 4]), *daily(restored, [0, 1])]
    docs = documents(a_policy(terms=terms(Keep(last=3))))
    found = plan(docs, inventory([restored], world))
    assert deleted(found) == {one.arn for one in daily(ORDERS, [3, 4])}
    assert kept(found, a_snapshot(ORDERS, ago(2))) == ["last"]


def test_chains_of_a_source_and_its_predecessors_stay_apart() -> None:
    restored = replace(ORDERS, resource_id="db-RESTORED")
    world = [*daily(ORDERS, [3, 4]), *daily(restored, [0, 1, 2])]
    found = plan(documents(a_policy(terms=terms(Keep(last=3)))), inventory([restored], world))
    assert deleted(found) == {a_snapshot(ORDERS, ago(4)).arn}
    assert kept(found, a_snapshot(ORDERS, ago(3))) == ["chain_base"]
