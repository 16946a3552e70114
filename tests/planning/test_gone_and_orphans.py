"""Gone sources, their orphans, those that succeed them, and those that nobody can look for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import Condition, CopyRule, Orphans, Override, Policy, Select
from engine.identity.marks import Role
from engine.inventory.records import Instance, Location, ScopeStatus, Snapshot
from engine.plans.plan import Plan
from engine.retention.keep import ALL, Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
    REMOTE,
    SLOT,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_account,
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
MONTH = Orphans(Span(days=30), keep_last=1)
LONG_AGO = ago(40)
ALL_POINTS = Keep(last=ALL)


def gold(orphans: Orphans | None = MONTH, **changes: Any) -> Policy:
    copies = changes.pop("copies", [CopyRule("local", keep=ALL_POINTS)])
    keep = changes.pop("keep", ALL_POINTS)
    return a_policy(terms=terms(keep, copies, orphans=orphans), **changes)


def planned(
    *found: Snapshot,
    instances: tuple[Instance, ...] = (),
    policies: tuple[Policy, ...] | None = None,
    now: datetime = NOW,
    **world: Any,
) -> Plan:
    docs = documents(*(policies if policies is not None else (gold(),)))
    return plan(docs, inventory(instances, found, **world), now)


def orphans(*days: int, location: Location = PROD, **changes: Any) -> list[Snapshot]:
    """Points so many days old of a database that is gone for forty days."""
    return daily(ORDERS, days, location, **({"gone_since": LONG_AGO} | changes))


def test_copies_at_a_dropped_target_are_unmanaged_though_their_source_is_gone() -> None:
    there = orphans(51, 50, location=VAULT)
    home = orphans(51, 50)
    found = planned(*there, *home, policies=(gold(copies=[]),))
    assert {one.code for one in found.unmanaged} == {"target_dropped"}
    assert {one.arn for one in found.unmanaged} == {snapshot.arn for snapshot in there}
    assert deleted(found) == {home[0].arn}
    assert not found.findings


# -- gone ----------------------------------------------------------------------------------------


def test_the_first_plan_that_sees_a_source_gone_tags_its_points_everywhere() -> None:
    world = [a_snapshot(ORDERS, ago(1)), a_snapshot(ORDERS, ago(1), VAULT)]
    found = planned(*world)
    tags = steps(found, "tag_snapshot")
    assert {step.arn for step in tags} == {one.arn for one in world}
    for step in tags:
        assert step.parameters == {"Tags": {"engine:gone-since": "2026-11-21T02:10:00Z"}}
        assert step.reason.code == "source_gone"
    assert deleted(found) == set()


def test_what_is_tagged_is_not_tagged_again_so_that_keep_for_counts_from_the_first_plan() -> None:
    found = planned(*daily(ORDERS, [1, 2], gone_since=ago(3)))
    assert found.steps == ()
    assert kept(found, a_snapshot(ORDERS, ago(1))) == ["source_is_gone"]


def test_the_tag_goes_if_the_source_returns() -> None:
    old = a_snapshot(ORDERS, SLOT, gone_since=ago(3))
    found = planned(old, instances=(ORDERS,), policies=(gold(copies=[]),))
    step = step_of(found, "tag_snapshot")
    assert step.arn == old.arn
    assert step.parameters == {"RemoveTags": ["engine:gone-since"]}
    assert step.reason.code == "source_returned"


def test_the_same_id_under_another_name_is_a_rename() -> None:
    renamed = an_instance("renamed", resource_id=ORDERS.resource_id)
    found = planned(*daily(ORDERS, [0, 1]), *daily(ORDERS, [0, 1], VAULT), instances=(renamed,))
    assert found.steps == ()


def test_the_same_id_elsewhere_is_another_source() -> None:
    other = Location(VAULT.account, PROD.region)
    twin = replace(ORDERS, location=other, arn=f"arn:aws:rds:eu-west-1:{VAULT.account}:db:twin")
    found = planned(a_snapshot(ORDERS, ago(1)), instances=(twin,))
    assert [step.reason.code for step in steps(found, "tag_snapshot")] == ["source_gone"]


def test_a_source_that_is_gone_gets_no_points_and_sends_none() -> None:
    found = planned(*daily(ORDERS, range(1, 4)), a_snapshot(ORDERS, ago(3), VAULT))
    assert {step.action.value for step in found.steps} == {"tag_snapshot"}


def test_objects_that_are_not_available_are_tagged_later() -> None:
    coming = a_snapshot(ORDERS, ago(1), VAULT, status="copying")
    found = planned(a_snapshot(ORDERS, ago(1)), coming)
    assert [step.arn for step in steps(found, "tag_snapshot")] == [a_snapshot(ORDERS, ago(1)).arn]
    assert kept(found, coming) == ["in_flight"]


# -- keep_for and keep_last ----------------------------------------------------------------------


def test_after_keep_for_all_points_in_all_locations_go_but_keep_last_of_each() -> None:
    home, vault = orphans(41, 42, 43), orphans(41, 42, location=VAULT)
    found = planned(*home, *vault)
    assert deleted(found) == {home[1].arn, home[2].arn, vault[1].arn}
    assert {step.reason.code for step in steps(found, "delete_snapshot")} == {"orphan_expired"}
    assert steps(found, "delete_snapshot")[0].reason.text == (
        "its database is gone since 2026-10-12 02:00Z and keep_for is over"
    )
    assert kept(found, home[0]) == kept(found, vault[0]) == ["source_is_gone"]


@pytest.mark.parametrize(("keep_last", "gone"), [(0, 3), (1, 2), (2, 1), (3, 0), (9, 0)])
def test_keep_last_says_how_many_points_stay_for_ever(keep_last: int, gone: int) -> None:
    policy = gold(Orphans(Span(days=30), keep_last))
    found = planned(*orphans(41, 42, 43), policies=(policy,))
    assert len(deleted(found)) == gone


def test_two_objects_of_one_slot_are_one_of_keep_last() -> None:
    points = [*orphans(41, 42), *orphans(41, 42, policy="silver")]
    silver = a_policy("silver", terms=terms(orphans=MONTH))
    found = planned(*points, policies=(gold(), silver))
    assert deleted(found) == {points[1].arn, points[3].arn}


@pytest.mark.parametrize(
    ("since", "goes"),
    [
        (NOW - timedelta(days=30, seconds=-1), False),
        (NOW - timedelta(days=30), True),
        (NOW - timedelta(days=31), True),
    ],
)
def test_keep_for_counts_from_the_tag(since: datetime, goes: bool) -> None:
    found = planned(*orphans(50, 51, gone_since=since))
    assert len(deleted(found)) == int(goes)


def test_a_point_without_the_tag_stays_even_when_the_others_go() -> None:
    late = a_snapshot(ORDERS, ago(60))
    found = planned(*orphans(41, 42), late)
    assert late.arn not in deleted(found)
    assert [step.arn for step in steps(found, "tag_snapshot")] == [late.arn]


def test_without_orphans_nothing_of_a_source_that_is_gone_goes() -> None:
    found = planned(*orphans(41, 42, 43), policies=(gold(None),))
    assert found.steps == ()
    assert kept(found, orphans(43)[0]) == ["source_is_gone"]


def test_unmanaged_points_count_for_keep_last() -> None:
    foreign = orphans(41, policy="forgotten")
    found = planned(*orphans(42, 43), *foreign)
    assert deleted(found) == {one.arn for one in orphans(42, 43)}


def test_a_failed_object_counts_for_nothing_and_goes_at_once() -> None:
    failed = a_snapshot(ORDERS, ago(41), status="failed", gone_since=ago(1))
    found = planned(failed, *orphans(42))
    assert deleted(found) == {failed.arn}


def test_bridges_of_a_source_that_is_gone_go_with_its_points() -> None:
    legacy = an_instance("legacy", kms_key=DEFAULT_KEY)
    bridge = a_snapshot(legacy, ago(41), role=Role.BRIDGE, gone_since=LONG_AGO)
    primary = a_snapshot(legacy, ago(41), keys=(DEFAULT_KEY,), gone_since=LONG_AGO)
    found = planned(bridge, primary)
    assert deleted(found) == {bridge.arn}
    forgotten = a_snapshot(
        legacy, ago(41), role=Role.BRIDGE, gone_since=LONG_AGO, policy="forgotten"
    )
    assert kept(planned(forgotten), forgotten) == ["source_is_gone"]


def test_the_policy_that_made_a_point_decides_when_it_is_an_orphan() -> None:
    old = a_policy("new-name", formerly=("gold",), terms=terms(orphans=MONTH))
    found = planned(*orphans(41, 42), policies=(old,))
    assert deleted(found) == {orphans(42)[0].arn}


def test_an_override_that_may_have_held_keeps_orphans_longer() -> None:
    change = Override(
        Select(Condition(tags={"keep": ("long",)})), {("orphans", "keep_for"): Span(days=90)}
    )
    found = planned(*orphans(41, 42), policies=(gold(overrides=(change,)),))
    assert deleted(found) == set()


def test_an_override_for_its_engine_and_name_still_holds() -> None:
    change = Override(
        Select(Condition(engines=("postgres",), identifiers=("orders-*",))),
        {("orphans", "keep_last"): 2},
    )
    found = planned(*orphans(41, 42, 43), policies=(gold(overrides=(change,)),))
    assert deleted(found) == {orphans(43)[0].arn}


# -- not known -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "cause"),
    [
        ({"instances": None}, "not read completely"),
        ({"instances": None, "cause": "AccessDenied"}, "AccessDenied"),
        ({"status": ScopeStatus.FAILED, "cause": "throttled"}, "throttled"),
    ],
)
def test_a_source_whose_location_was_not_read_completely_is_not_gone(
    scope: dict[str, Any], cause: str
) -> None:
    world = [*orphans(41, 42), *orphans(41, 42, location=VAULT)]
    found = planned(*world, scopes={PROD: scope})
    assert found.steps == ()
    assert {tuple(kept(found, one)) for one in world} == {("inventory_incomplete",)}
    assert found.kept[0].reasons[0].text.endswith(f"111111111111/eu-west-1: {cause}")


def test_a_location_no_longer_in_the_estate_is_unknown_and_nothing_is_deleted() -> None:
    estate = an_estate()
    docs = documents(gold(), estate=replace(estate, accounts={"vault": estate.accounts["vault"]}))
    copies = orphans(41, 42, location=VAULT)
    found = plan(docs, inventory([], [*copies, *orphans(41)]))
    assert found.steps == ()
    assert {one.arn for one in found.unmanaged} == {one.arn for one in copies}
    assert {one.code for one in found.unmanaged} == {"location_outside_estate"}
    assert {tuple(kept(found, one)) for one in copies} == {("unmanaged",)}


def test_a_region_no_longer_in_the_estate_is_unknown_too() -> None:
    estate = an_estate()
    accounts = {**estate.accounts, "prod": an_account("prod", REMOTE, id=PROD.account)}
    docs = documents(gold(), estate=replace(estate, accounts=accounts))
    found = plan(docs, inventory([], orphans(41, 42, location=VAULT)))
    assert found.steps == ()


def test_copies_that_could_not_be_read_keep_nothing_from_being_judged() -> None:
    found = planned(*orphans(41, 42), scopes={VAULT: {"snapshots": None}})
    assert deleted(found) == {orphans(42)[0].arn}


def test_a_point_whose_source_makes_no_sense_is_not_taken_for_an_orphan() -> None:
    odd = a_snapshot(ORDERS, ago(41), source="orders-1", gone_since=LONG_AGO)
    found = planned(odd, *orphans(42, 43))
    assert deleted(found) == {orphans(43)[0].arn}
    assert odd.arn not in {one.arn for one in found.kept}


# -- succession ----------------------------------------------------------------------------------


def restored(number: int = 2, identifier: str = "orders-1") -> Instance:
    """Another database under the name of the first."""
    return an_instance(identifier, resource_id=f"db-RESTORED-{number}")


KEEP_THREE = gold(keep=Keep(last=3), copies=[])


def test_a_live_source_under_the_arn_of_one_that_is_gone_succeeds_it() -> None:
    heir = restored()
    old = daily(ORDERS, [2, 3, 4])
    found = planned(*old, *daily(heir, [0, 1]), instances=(heir,), policies=(KEEP_THREE,))
    assert steps(found, "tag_snapshot") == []
    assert deleted(found) == {old[1].arn, old[2].arn}
    assert {step.reason.code for step in steps(found, "delete_snapshot")} == {"no_rule_keeps"}


def test_orphans_does_not_apply_to_what_was_succeeded() -> None:
    heir = restored()
    found = planned(*orphans(41, 42), *daily(heir, [0]), instances=(heir,))
    assert deleted(found) == set()
    assert {step.reason.code for step in steps(found, "tag_snapshot")} == {"source_returned"}


def test_several_generations_are_judged_together() -> None:
    generations = [restored(number) for number in (1, 2, 3)]
    world = [a_snapshot(one, ago(3 - index)) for index, one in enumerate(generations)]
    heir = restored(4)
    found = planned(*world, a_snapshot(heir, SLOT), instances=(heir,), policies=(KEEP_THREE,))
    assert deleted(found) == set()
    assert [kept(found, one) for one in world] == [["chain_base"], ["last"], ["last"]]
    assert steps(found, "tag_snapshot") == []


def test_an_heir_that_nobody_takes_leaves_the_points_unmanaged() -> None:
    heir = replace(restored(), tags={})
    found = planned(*daily(ORDERS, [1, 2]), instances=(heir,))
    assert found.steps == ()
    assert {one.code for one in found.unmanaged} == {"source_unmatched"}


def test_after_restore_and_swap_the_old_one_has_no_heir_while_it_lives() -> None:
    old = an_instance("orders-old", resource_id=ORDERS.resource_id)
    heir = restored()
    world = [*daily(ORDERS, [0, 1, 2, 3]), *daily(heir, [0])]
    found = planned(*world, instances=(old, heir), policies=(KEEP_THREE,))
    assert deleted(found) == {a_snapshot(ORDERS, ago(3)).arn}
    assert steps(found, "create_snapshot") == []


def test_what_was_backed_up_under_another_name_before_it_was_deleted_is_succeeded_too() -> None:
    old = an_instance("orders-old", resource_id=ORDERS.resource_id)
    heir = restored()
    world = [*daily(ORDERS, [3, 4]), *daily(old, [2]), *daily(heir, [0, 1])]
    found = planned(*world, instances=(heir,), policies=(KEEP_THREE,))
    assert steps(found, "tag_snapshot") == []
    assert deleted(found) == {one.arn for one in daily(ORDERS, [3, 4])}


def test_of_two_names_that_live_on_the_later_names_the_heir() -> None:
    later = an_instance("orders-2", resource_id=ORDERS.resource_id)
    first, second = restored(2), restored(3, "orders-2")
    world = [a_snapshot(ORDERS, ago(6)), a_snapshot(later, ago(5))]
    world += [*daily(first, range(4)), *daily(second, range(2))]
    found = planned(
        *world, instances=(first, second), policies=(gold(keep=Keep(last=4), copies=[]),)
    )
    assert found.steps == ()
    reasons = {one.arn: [reason.text for reason in one.reasons] for one in found.kept}
    assert reasons[world[0].arn] == ["last-4"]


def test_a_deleted_database_under_no_living_name_has_no_heir() -> None:
    found = planned(a_snapshot(ORDERS, ago(1)), instances=(restored(2, "payments"),))
    assert [step.reason.code for step in steps(found, "tag_snapshot")] == ["source_gone"]


def test_when_the_heir_is_gone_as_well_all_of_them_are_orphans() -> None:
    world = [a_snapshot(ORDERS, ago(2)), a_snapshot(restored(), ago(1))]
    found = planned(*world)
    assert {step.reason.code for step in steps(found, "tag_snapshot")} == {"source_gone"}
    assert len(steps(found, "tag_snapshot")) == 2


def test_the_heir_makes_its_own_points_in_the_slot_of_the_swap() -> None:
    heir = restored()
    found = planned(a_snapshot(ORDERS, SLOT), instances=(heir,), policies=(KEEP_THREE,))
    create = step_of(found, "create_snapshot")
    assert create.slot == SLOT
    assert create.snapshot[:-8] == a_snapshot(ORDERS, SLOT).identifier[:-8]
    assert create.snapshot != a_snapshot(ORDERS, SLOT).identifier
