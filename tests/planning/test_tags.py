"""Section 6, tags: what is passed on, what fits, and what a later run finds out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.documents.model import CopyRule
from engine.identity.marks import Role
from engine.inventory.records import Instance, Snapshot
from engine.plans.plan import Plan
from engine.retention.keep import ALL, Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    PROD,
    SLOT,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    documents,
    failed_over,
    inventory,
    plan,
    step_of,
    steps,
    terms,
)

TAGGED = {
    "tier": "gold",
    "team": "orders",
    "aws:cloudformation:stack-name": "x",
    "rds:anything": "x",
    "engine:estate": "stolen",
    "engine:slot": "stolen",
}
ORDERS = an_instance(tags=TAGGED, copy_tags_to_snapshot=True)


def planned(
    *found: Snapshot,
    instance: Instance = ORDERS,
    copies: tuple[CopyRule, ...] = (),
    tags: dict[str, str] | None = None,
) -> Plan:
    policy = a_policy(terms=terms(Keep(last=ALL), copies, tags=tags or {}))
    return plan(documents(policy), inventory([instance], found))


def users(tags: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if not key.startswith("engine:")}


# -- passed on -----------------------------------------------------------------------------------


def test_tags_of_the_instance_are_passed_on_where_it_says_so() -> None:
    tags = step_of(planned(), "create_snapshot").parameters["Tags"]
    assert users(tags) == {"tier": "gold", "team": "orders"}
    silent = replace(ORDERS, copy_tags_to_snapshot=False)
    assert users(step_of(planned(instance=silent), "create_snapshot").parameters["Tags"]) == {}


def test_reserved_tags_of_the_instance_are_never_passed_on() -> None:
    tags = step_of(planned(), "create_snapshot").parameters["Tags"]
    assert tags["engine:estate"] == "acme"
    assert tags["engine:slot"] == "2026-11-21T02:00:00Z"
    assert not [key for key in tags if key.startswith(("aws:", "rds:"))]


def test_the_policys_tags_come_on_top_and_win() -> None:
    found = planned(tags={"cost-centre": "42", "team": "backup"})
    tags = step_of(found, "create_snapshot").parameters["Tags"]
    assert users(tags) == {"tier": "gold", "team": "backup", "cost-centre": "42"}


def test_a_copy_passes_on_what_its_origin_bears() -> None:
    today = a_snapshot(ORDERS, SLOT)
    today = replace(today, tags={**today.tags, "team": "orders", "aws:backup:source": "x"})
    found = planned(today, copies=(CopyRule("local"),), tags={"cost-centre": "42"})
    assert users(step_of(found, "copy_snapshot").parameters["Tags"]) == {
        "team": "orders",
        "cost-centre": "42",
    }


def test_a_copy_of_a_point_made_in_the_same_plan_bears_the_same_tags() -> None:
    found = planned(copies=(CopyRule("local"),), tags={"cost-centre": "42"})
    create, copy = step_of(found, "create_snapshot"), step_of(found, "copy_snapshot")
    assert users(copy.parameters["Tags"]) == users(create.parameters["Tags"])
    assert users(copy.parameters["Tags"])["team"] == "orders"
    assert [one for one in found.warnings if one.code.startswith("W401")] == []


# -- 50 tags -------------------------------------------------------------------------------------


def many(count: int) -> dict[str, str]:
    return {f"tag-{number:02d}": str(number) for number in range(count)}


@pytest.mark.parametrize(("count", "left_out"), [(37, 0), (38, 1), (50, 13)])
def test_ours_come_first_within_awss_fifty_and_what_did_not_fit_is_warned_about(
    count: int, left_out: int
) -> None:
    found = planned(instance=replace(ORDERS, tags={"tier": "gold", **many(count - 1)}))
    step = step_of(found, "create_snapshot")
    tags = step.parameters["Tags"]
    assert len(tags) == 9 + min(count, 37)
    warned = [one for one in found.warnings if one.code.startswith("W401")]
    assert len(warned) == bool(left_out)
    if warned:
        assert warned[0].text.startswith(f"{left_out} tags do not fit")
        assert warned[0].source == "111111111111/eu-west-1/orders-1"


def test_there_is_room_for_what_is_tagged_later() -> None:
    tags = step_of(
        planned(instance=replace(ORDERS, tags=many(50) | {"tier": "gold"})), "create_snapshot"
    ).parameters["Tags"]
    later = {"engine:az-checked", "engine:shared", "engine:gone-since", "engine:pin"}
    assert len(set(tags) | later) == 50


def test_the_policys_tags_fit_before_those_of_the_instance() -> None:
    found = planned(
        instance=replace(ORDERS, tags={"tier": "gold", **many(50)}), tags={"zz-policy": "kept"}
    )
    assert step_of(found, "create_snapshot").parameters["Tags"]["zz-policy"] == "kept"


def test_a_copy_warns_of_what_does_not_fit_beside_its_own_tags() -> None:
    today = a_snapshot(ORDERS, SLOT)
    crowded = replace(today, tags={**today.tags, **many(37)})
    found = planned(crowded, copies=(CopyRule("local"),))
    assert len(step_of(found, "copy_snapshot").parameters["Tags"]) == 46
    [warned] = [one for one in found.warnings if one.code.startswith("W401")]
    assert warned.text.startswith("2 tags do not fit")


def test_tags_that_did_not_fit_are_warned_about_once_for_all_copies() -> None:
    crowded = replace(ORDERS, tags={"tier": "gold", **many(50)})
    found = planned(instance=crowded, copies=(CopyRule("local"), CopyRule("remote")))
    texts = [one.text for one in found.warnings if one.code.startswith("W401")]
    assert len(steps(found, "copy_snapshot")) == 2
    assert len(texts) == len(set(texts))
    for step in steps(found, "copy_snapshot"):
        assert len(step.parameters["Tags"]) <= 46


# -- the zone is read again ----------------------------------------------------------------------


def zone_steps(found: Plan) -> dict[str, dict[str, Any]]:
    return {step.arn: dict(step.parameters) for step in steps(found, "tag_snapshot")}


CONFIRMED = {"Tags": {"engine:az-checked": "true"}}
UNCERTAIN = {"Tags": {"engine:az": "unknown"}}


def unchecked(slot: Any = SLOT, *args: Any, **changes: Any) -> Snapshot:
    return a_snapshot(ORDERS, slot, *args, zone_checked=False, **changes)


def test_a_later_run_confirms_the_zone_of_a_point_whose_own_run_ended_too_early() -> None:
    today = unchecked()
    found = planned(today)
    assert zone_steps(found) == {today.arn: CONFIRMED}
    assert found.steps[0].reason.code == "zone_confirmed"


@pytest.mark.parametrize(
    "moved",
    [
        failed_over(ORDERS),
        replace(ORDERS, multi_az=False),
        replace(ORDERS, secondary_zone="eu-west-1c"),
        replace(ORDERS, secondary_zone=None),
        # the standby is where it was, but the primary is not
        replace(ORDERS, availability_zone="eu-west-1c"),
    ],
)
def test_a_point_whose_database_has_moved_since_is_of_an_unknown_zone(moved: Instance) -> None:
    today = unchecked()
    found = planned(today, instance=moved)
    assert zone_steps(found) == {today.arn: UNCERTAIN}
    assert found.steps[0].reason.code == "zone_uncertain"


def test_a_record_that_names_no_zone_does_not_speak_against_the_tag() -> None:
    today = unchecked(record={"availability_zone": None})
    assert zone_steps(planned(today)) == {today.arn: CONFIRMED}


def test_the_zone_is_read_again_when_the_point_is_available() -> None:
    assert zone_steps(planned(unchecked(status="creating"))) == {}


def test_a_zone_that_is_checked_or_known_to_be_unknown_is_not_read_again() -> None:
    assert zone_steps(planned(a_snapshot(ORDERS, SLOT))) == {}
    assert zone_steps(planned(unchecked(zone="unknown"))) == {}


def test_a_copys_zone_is_its_primarys() -> None:
    copy = unchecked(SLOT, VAULT)
    local = (CopyRule("local"),)
    assert zone_steps(planned(a_snapshot(ORDERS, SLOT), copy, copies=local)) == {
        copy.arn: CONFIRMED
    }
    moved = a_snapshot(ORDERS, SLOT, zone="unknown", zone_checked=False)
    assert zone_steps(planned(moved, copy, copies=local)) == {copy.arn: UNCERTAIN}


def test_a_primary_and_its_copy_are_confirmed_by_one_plan() -> None:
    primary, copy = unchecked(), unchecked(SLOT, VAULT)
    found = planned(primary, copy, copies=(CopyRule("local"),))
    assert zone_steps(found) == {primary.arn: CONFIRMED, copy.arn: CONFIRMED}
    moved = planned(primary, copy, copies=(CopyRule("local"),), instance=failed_over(ORDERS))
    assert zone_steps(moved) == {primary.arn: UNCERTAIN, copy.arn: UNCERTAIN}


def test_a_copy_of_a_checked_primary_is_confirmed_wherever_its_database_is_now() -> None:
    copy = unchecked(SLOT, VAULT)
    found = planned(
        a_snapshot(ORDERS, SLOT), copy, copies=(CopyRule("local"),), instance=failed_over(ORDERS)
    )
    assert zone_steps(found) == {copy.arn: CONFIRMED}


def test_a_copy_of_a_primary_of_unknown_zone_is_uncertain_whatever_became_of_its_database() -> None:
    heir = replace(ORDERS, resource_id="db-RESTORED")
    primary, copy = unchecked(zone="unknown"), unchecked(SLOT, VAULT)
    world = [primary, copy, a_snapshot(heir, SLOT), a_snapshot(heir, SLOT, VAULT)]
    found = planned(*world, copies=(CopyRule("local"),), instance=heir)
    assert zone_steps(found) == {copy.arn: UNCERTAIN}


def test_a_copys_primary_is_the_one_of_its_own_volume() -> None:
    of_replica = a_snapshot(ORDERS, SLOT, volume="db-A-REPLICA", zone="euw1-az3", policy="silver")
    copy = unchecked(SLOT, VAULT)
    local = (CopyRule("local"),)
    assert zone_steps(planned(of_replica, copy, copies=local)) == {}
    both = planned(of_replica, a_snapshot(ORDERS, SLOT), copy, copies=local)
    assert zone_steps(both) == {copy.arn: CONFIRMED}


def test_a_bridges_zone_is_its_primarys_too() -> None:
    legacy = replace(ORDERS, kms_key=DEFAULT_KEY)
    primary = a_snapshot(legacy, SLOT, keys=(DEFAULT_KEY,))
    bridge = a_snapshot(legacy, SLOT, role=Role.BRIDGE, zone_checked=False)
    assert zone_steps(planned(primary, bridge, instance=legacy))[bridge.arn] == CONFIRMED


def test_a_copy_whose_primary_nobody_can_check_stays_unchecked() -> None:
    copy = unchecked(SLOT, VAULT)
    local = (CopyRule("local"),)
    assert zone_steps(planned(copy, a_snapshot(ORDERS, ago(1)), copies=local)) == {}
    coming = unchecked(status="creating")
    assert zone_steps(planned(coming, copy, copies=local)) == {}


def test_the_zone_of_a_predecessors_point_is_not_read_from_its_heir() -> None:
    heir = replace(ORDERS, resource_id="db-RESTORED")
    found = planned(unchecked(), a_snapshot(heir, SLOT), instance=heir)
    assert zone_steps(found) == {}


def test_the_zone_of_a_point_is_not_read_once_its_database_is_gone() -> None:
    policy = a_policy(terms=terms(Keep(last=ALL)))
    found = plan(documents(policy), inventory([], [unchecked(gone_since=ago(1))]))
    assert found.steps == ()


def test_nothing_is_tagged_where_the_source_could_not_be_looked_for() -> None:
    policy = a_policy(terms=terms(Keep(last=ALL)))
    unread = {PROD: {"instances": None}}
    assert plan(documents(policy), inventory([], [unchecked()], scopes=unread)).steps == ()


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        (ORDERS, {"engine:az": "euw1-az2", "engine:az-checked": "true"}),
        (failed_over(ORDERS), {"engine:az": "unknown"}),
    ],
)
def test_a_copy_of_a_point_whose_zone_is_read_again_is_tagged_with_what_was_found(
    instance: Instance, expected: dict[str, str]
) -> None:
    found = planned(unchecked(), instance=instance, copies=(CopyRule("local"),))
    copy = step_of(found, "copy_snapshot")
    told = {key: text for key, text in copy.parameters["Tags"].items() if "engine:az" in key}
    assert told == expected
    assert copy.parameters["TagsFromOrigin"] == []
