"""Unmanaged points: kept, reported in every plan, removed only through `retire:`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.documents.model import CopyRule, Estate, Policy, Retire
from engine.identity.marks import Role
from engine.inventory.records import Instance, Snapshot
from engine.planning.plan import make_plan
from engine.plans.plan import Plan
from engine.retention.keep import ALL, Keep
from tests.planning.builders import (
    NOW,
    PROD,
    REKEY,
    REMOTE,
    SLOT,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
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
UNTAGGED = replace(ORDERS, tags={})
GOLD = a_policy(terms=terms(Keep(last=2)))


def retiring(*retire: Retire, min_points: int = 1) -> Estate:
    estate = an_estate(retire=retire)
    return replace(estate, guards=replace(estate.guards, min_points=min_points))


def planned(
    *found: Snapshot,
    instance: Instance | None = ORDERS,
    policy: Policy = GOLD,
    estate: Estate | None = None,
    **world: Any,
) -> Plan:
    instances = [] if instance is None else [instance]
    return plan(documents(policy, estate=estate), inventory(instances, found, **world), NOW)


def reported(found: Plan) -> dict[str, str]:
    return {one.arn: one.code for one in found.unmanaged}


# -- what is unmanaged ---------------------------------------------------------------------------


def test_points_whose_policy_no_longer_exists_are_kept_and_reported() -> None:
    old = daily(ORDERS, range(1, 5), policy="forgotten")
    found = planned(*old, a_snapshot(ORDERS, SLOT))
    assert found.steps == ()
    assert reported(found) == {one.arn: "policy_gone" for one in old}
    assert kept(found, old[0]) == ["unmanaged"]


def test_points_whose_source_matches_nothing_are_kept_and_reported() -> None:
    points = [*daily(ORDERS, range(4)), *daily(ORDERS, range(4), VAULT)]
    found = planned(*points, instance=UNTAGGED)
    assert found.steps == ()
    assert reported(found) == {one.arn: "source_unmatched" for one in points}


def test_what_is_no_point_of_such_a_source_stays_but_is_not_reported_as_one() -> None:
    bridge = a_snapshot(ORDERS, SLOT, role=Role.BRIDGE, keys=(None, REKEY))
    failed = a_snapshot(ORDERS, ago(1), status="failed")
    found = planned(bridge, failed, instance=UNTAGGED)
    assert found.steps == ()
    assert found.unmanaged == ()
    assert kept(found, bridge) == kept(found, failed) == ["unmanaged"]


def test_points_whose_target_the_policy_dropped_are_kept_and_reported() -> None:
    copies = daily(ORDERS, range(4), VAULT)
    found = planned(*copies, a_snapshot(ORDERS, SLOT))
    assert found.steps == ()
    assert reported(found) == {one.arn: "target_dropped" for one in copies}


def test_points_at_a_target_that_only_their_maker_dropped_are_unmanaged_too() -> None:
    silver = a_policy("silver", terms=terms(Keep(last=1), [CopyRule("local")]))
    instance = replace(ORDERS, tags={"tier": "silver"})
    copies = daily(ORDERS, [0, 1, 2], VAULT)
    docs = documents(GOLD, silver)
    found = plan(docs, inventory([instance], [*copies, a_snapshot(ORDERS, SLOT)]))
    assert reported(found) == {one.arn: "target_dropped" for one in copies}
    assert steps(found, "delete_snapshot") == []


def test_a_target_that_still_gets_points_is_managed() -> None:
    policy = a_policy(terms=terms(Keep(last=2), [CopyRule("local")]))
    copies = daily(ORDERS, range(4), VAULT)
    found = planned(*copies, *daily(ORDERS, range(2)), policy=policy)
    assert reported(found) == {}
    assert deleted(found) == {copies[2].arn, copies[3].arn}


# -- what they count for -------------------------------------------------------------------------


def test_unmanaged_points_count_for_slots() -> None:
    found = planned(a_snapshot(ORDERS, SLOT, policy="forgotten"))
    assert steps(found, "create_snapshot") == []


def test_unmanaged_points_count_for_bases() -> None:
    policy = a_policy(terms=terms(Keep(last=1)))
    world = [a_snapshot(ORDERS, SLOT, policy="forgotten"), *daily(ORDERS, [1, 2])]
    found = planned(*world, policy=policy)
    assert deleted(found) == {one.arn for one in daily(ORDERS, [1, 2])}


def test_unmanaged_points_count_for_min_points() -> None:
    estate = retiring(min_points=2)
    policy = a_policy(terms=terms(Keep(last=1)))
    forgotten = daily(ORDERS, [0, 1], policy="forgotten")
    assert deleted(planned(*forgotten, *daily(ORDERS, [2]), policy=policy, estate=estate)) == {
        a_snapshot(ORDERS, ago(2)).arn
    }
    assert deleted(planned(forgotten[0], *daily(ORDERS, [2]), policy=policy, estate=estate)) == (
        set()
    )


def test_unmanaged_points_count_when_rules_count() -> None:
    found = planned(*daily(ORDERS, [0, 1], policy="forgotten"), *daily(ORDERS, [2, 3]))
    assert deleted(found) == {one.arn for one in daily(ORDERS, [2, 3])}


# -- retire --------------------------------------------------------------------------------------


def test_points_are_removed_only_through_retire() -> None:
    old = daily(ORDERS, [2, 3], policy="forgotten")
    found = planned(*old, *daily(ORDERS, [0, 1]), estate=retiring(Retire(policy="forgotten")))
    assert deleted(found) == {one.arn for one in old}
    assert {step.reason.code for step in steps(found, "delete_snapshot")} == {"retired"}
    assert set(reported(found)) == {one.arn for one in old}, "still reported while they are there"


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("replaced by gold", "the estate retires it: replaced by gold"),
        (
            None,
            "the estate retires it: policy forgotten, which made it, no longer exists",
        ),
    ],
)
def test_a_point_that_is_retired_says_what_the_estate_says_of_it(
    reason: str | None, text: str
) -> None:
    old = a_snapshot(ORDERS, ago(2), policy="forgotten")
    docs = documents(GOLD, estate=retiring(Retire(policy="forgotten", reason=reason)))
    found = make_plan(docs, inventory([ORDERS], [old, *daily(ORDERS, [0, 1])]), NOW)
    assert step_of(found, "delete_snapshot").reason.text == text


@pytest.mark.parametrize(
    ("retire", "expected"),
    [
        (Retire(policy="forgotten"), True),
        (Retire(policy="forg*"), True),
        (Retire(policy="gold"), False),
        (Retire(sources="prod/eu-west-1/orders-1"), True),
        (Retire(sources="111111111111/*"), True),
        (Retire(sources="vault/*"), False),
        (Retire(locations="prod/eu-west-1"), True),
        (Retire(locations="111111111111/eu-*"), True),
        (Retire(locations="vault/*"), False),
        (Retire(policy="forgotten", locations="vault/*"), False),
        (Retire(policy="forgotten", sources="prod/*", locations="prod/*"), True),
        (Retire(), False),
        (Retire(reason="everything"), False),
    ],
)
def test_all_that_retire_says_must_hold(retire: Retire, expected: bool) -> None:
    old = a_snapshot(ORDERS, ago(2), policy="forgotten")
    found = planned(old, *daily(ORDERS, [0, 1]), estate=retiring(retire))
    assert deleted(found) == ({old.arn} if expected else set())


def test_retire_never_removes_what_a_policy_decides_about() -> None:
    estate = retiring(Retire(sources="*"), Retire(policy="*"), Retire(locations="*"))
    assert deleted(planned(*daily(ORDERS, [0, 1]), estate=estate)) == set()


def test_a_point_on_its_way_is_not_retired() -> None:
    coming = a_snapshot(ORDERS, ago(1), policy="forgotten", status="creating")
    found = planned(coming, a_snapshot(ORDERS, SLOT), estate=retiring(Retire(policy="forgotten")))
    assert deleted(found) == set()
    assert kept(found, coming) == ["in_flight"]


def test_everything_at_a_target_that_was_dropped_can_be_retired() -> None:
    copies = daily(ORDERS, range(4), VAULT)
    estate = retiring(Retire(locations="vault/*"), min_points=2)
    found = planned(*copies, *daily(ORDERS, [0, 1]), estate=estate)
    assert deleted(found) == {one.arn for one in copies}


def test_everything_of_a_source_that_nobody_takes_can_be_retired() -> None:
    points = daily(ORDERS, range(3))
    found = planned(*points, instance=UNTAGGED, estate=retiring(Retire(sources="prod/*")))
    assert deleted(found) == {one.arn for one in points}


def test_everything_of_a_source_that_is_gone_can_be_retired() -> None:
    points = daily(ORDERS, range(3), policy="forgotten")
    found = planned(*points, instance=None, estate=retiring(Retire(policy="forgotten")))
    assert deleted(found) == {one.arn for one in points}


def test_where_points_go_on_being_made_the_newest_is_retired_only_for_a_newer_one() -> None:
    estate = retiring(Retire(policy="forgotten"))
    old = daily(ORDERS, [1, 2, 3], policy="forgotten")
    found = planned(*old, estate=estate)
    create = step_of(found, "create_snapshot")
    deletes = {step.arn: step for step in steps(found, "delete_snapshot")}
    assert set(deletes) == {one.arn for one in old}
    assert create.id in deletes[old[0].arn].depends_on
    stopped = replace(ORDERS, status="stopped")
    held = planned(*old, instance=stopped, estate=estate)
    assert deleted(held) == {old[1].arn, old[2].arn}


def test_where_points_go_on_being_made_min_points_holds_for_retired_ones() -> None:
    estate = retiring(Retire(policy="forgotten"), min_points=3)
    old = daily(ORDERS, [1, 2, 3, 4], policy="forgotten")
    found = planned(a_snapshot(ORDERS, SLOT), *old, estate=estate)
    assert deleted(found) == {old[2].arn, old[3].arn}


def test_a_retired_point_that_a_target_still_wants_is_copied_first() -> None:
    policy = a_policy(terms=terms(Keep(last=ALL), [CopyRule("local", keep=Keep(last=ALL))]))
    estate = retiring(Retire(policy="forgotten"))
    old = daily(ORDERS, [1, 2], policy="forgotten")
    world = [*old, a_snapshot(ORDERS, SLOT), a_snapshot(ORDERS, ago(3), VAULT)]
    found = planned(*world, policy=policy, estate=estate)
    copy = step_of(found, "copy_snapshot", VAULT)
    deletes = {step.arn: step for step in steps(found, "delete_snapshot")}
    assert copy.slot == ago(2)
    assert set(deletes) == {old[1].arn}
    assert copy.id in deletes[old[1].arn].depends_on
    assert kept(found, old[0]) == ["not_copied_yet"]


def test_retired_points_count_for_no_rule() -> None:
    estate = retiring(Retire(policy="forgotten"))
    world = [*daily(ORDERS, [0, 1], policy="forgotten"), *daily(ORDERS, [2, 3, 4])]
    found = planned(*world, estate=estate, policy=a_policy(terms=terms(Keep(last=2))))
    assert a_snapshot(ORDERS, ago(2)).arn not in deleted(found)
    assert a_snapshot(ORDERS, ago(3)).arn not in deleted(found)


def test_a_location_outside_the_estate_is_reported_and_nothing_there_is_retired() -> None:
    estate = retiring(Retire(sources="*"))
    copies = daily(ORDERS, [1, 2], REMOTE)
    docs = documents(GOLD, estate=replace(estate, accounts={"vault": estate.accounts["vault"]}))
    found = plan(docs, inventory([], copies))
    assert deleted(found) == set()
    assert {one.code for one in found.unmanaged} == {"location_outside_estate"}


def test_a_pin_holds_against_retire() -> None:
    pinned = a_snapshot(ORDERS, ago(2), policy="forgotten", pin="case 7")
    estate = retiring(Retire(policy="forgotten"))
    found = planned(pinned, *daily(ORDERS, [0, 1]), estate=estate)
    assert deleted(found) == set()
    assert kept(found, pinned) == ["pinned"]


def test_unmanaged_points_are_reported_where_they_lie() -> None:
    copy = a_snapshot(ORDERS, SLOT, VAULT)
    found = planned(copy, a_snapshot(ORDERS, SLOT))
    [one] = found.unmanaged
    assert (one.location.account, one.location.region) == (VAULT.account, VAULT.region)
    assert (one.policy, one.slot) == ("gold", SLOT)
    assert str(VAULT) in one.text
    assert str(PROD) not in one.text
