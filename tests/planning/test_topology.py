"""Stage 3, topology: targets that are served by one another, and what that may not cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations, product
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.costs.price_file import known_prices
from engine.documents.model import (
    CopyRule,
    Every,
    Incremental,
    Policy,
    Schedule,
    Target,
    Topology,
)
from engine.identity.marks import Role
from engine.inventory.records import Location, ScopeStatus, Snapshot
from engine.planning.slots import latest_due
from engine.planning.topology import Stop, cheapest, star
from engine.plans.codes import Verdict
from engine.plans.plan import Hop, Plan
from engine.retention.keep import ALL, Keep
from tests.planning.builders import (
    DAY,
    NOW,
    PROD,
    PROD_KEY,
    REMOTE,
    REMOTE_KEY,
    SLOT,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    an_estate,
    an_instance,
    daily,
    deleted,
    documents,
    inventory,
    kept,
    origin_of,
    plan,
    step_of,
    steps,
    terms,
    waits,
)

ORDERS = an_instance()
ALL_POINTS = Keep(last=ALL)
LOCAL = CopyRule("local", keep=ALL_POINTS)
REMOTELY = CopyRule("remote", keep=ALL_POINTS)
LAB = Location("333333333333", "eu-central-1")
LONDON = Location("444444444444", "eu-west-2")


def a_tree(*rules: CopyRule, keep: Keep = ALL_POINTS, **changes: Any) -> Policy:
    """Local and remote in one account, which copies within itself for less risk."""
    made = terms(keep, rules or (LOCAL, REMOTELY), **changes)
    snapshots = replace(made.snapshots, topology=Topology.CHEAPEST)
    return a_policy(terms=replace(made, snapshots=snapshots))


def planned(
    *found: Snapshot, policy: Policy | None = None, now: datetime = NOW, **world: Any
) -> Plan:
    return plan(documents(policy or a_tree()), inventory([ORDERS], found, **world), now)


def onward(days: Any, **changes: Any) -> list[Snapshot]:
    """Copies in the remote region that were made from those in the vault."""
    return daily(ORDERS, days, REMOTE, keys=(PROD_KEY, VAULT_KEY, REMOTE_KEY), **changes)


# -- the tree ------------------------------------------------------------------------------------


def a_stop(location: Location, **changes: Any) -> Stop:
    stop = Stop(location, every=None, lends=True, key="alias/backups")
    return replace(stop, **changes)


def test_what_crosses_regions_once_is_copied_on_within_the_region() -> None:
    tree = cheapest(PROD, [a_stop(REMOTE), a_stop(LAB)], known_prices())
    assert tree.parents in ({REMOTE: PROD, LAB: REMOTE}, {LAB: PROD, REMOTE: LAB})
    assert tree.price == pytest.approx(0.02)
    assert tree.star_price == pytest.approx(0.04)


def test_of_equal_trees_the_one_from_the_source_is_taken() -> None:
    stops = [a_stop(VAULT), a_stop(LONDON)]
    tree = cheapest(PROD, stops, known_prices())
    assert tree.parents == star(PROD, stops)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_targets_does_not_change_the_tree(order: tuple[int, ...]) -> None:
    stops = [a_stop(REMOTE), a_stop(LAB), a_stop(VAULT)]
    expected = cheapest(PROD, stops, known_prices())
    assert cheapest(PROD, [stops[index] for index in order], known_prices()) == expected


def test_a_region_that_data_leaves_dearly_is_left_once() -> None:
    sydney = Location("111111111111", "ap-southeast-2")
    stops = [a_stop(Location("2" * 12, "us-east-1")), a_stop(Location("3" * 12, "eu-west-1"))]
    tree = cheapest(sydney, stops, known_prices())
    assert sorted(tree.parents.values()).count(sydney) == 1
    assert tree.price < tree.star_price


def test_a_target_that_is_sent_fewer_points_serves_none_that_wants_more() -> None:
    weekly = a_stop(REMOTE, every=timedelta(days=7))
    tree = cheapest(PROD, [weekly, a_stop(LAB)], known_prices())
    assert tree.parents == {LAB: PROD, REMOTE: LAB}
    both = [weekly, a_stop(LAB, every=timedelta(days=7))]
    assert PROD in cheapest(PROD, both, known_prices()).parents.values()


def test_a_target_under_the_default_key_serves_no_other_account() -> None:
    closed = a_stop(REMOTE, lends=False)
    assert cheapest(PROD, [closed, a_stop(LAB)], known_prices()).parents == {
        LAB: PROD,
        REMOTE: LAB,
    }
    both = [closed, a_stop(LAB, lends=False)]
    assert cheapest(PROD, both, known_prices()).parents == star(PROD, both)


def test_nothing_goes_back_into_the_account_it_came_from() -> None:
    sister = Location(PROD.account, REMOTE.region)
    tree = cheapest(PROD, [a_stop(REMOTE), a_stop(sister)], known_prices())
    assert tree.parents == {sister: PROD, REMOTE: sister}
    closed = [a_stop(REMOTE), a_stop(sister, lends=False)]
    assert cheapest(PROD, closed, known_prices()).parents == star(PROD, closed)


def test_no_other_tree_costs_less() -> None:
    stops = [a_stop(REMOTE), a_stop(LAB), a_stop(VAULT), a_stop(LONDON)]
    places = [stop.location for stop in stops]
    prices = known_prices()
    best = cheapest(PROD, stops, prices)
    for choice in product([PROD, *places], repeat=len(places)):
        parents = dict(zip(places, choice, strict=True))
        if _is_tree(parents):
            cost = sum(
                prices.of_transfer(near.region, far.region).usd.high
                for far, near in parents.items()
            )
            assert best.price <= cost + 1e-9


def _is_tree(parents: dict[Location, Location]) -> bool:
    return all(_reaches_home(place, parents, len(parents)) for place in parents)


def _reaches_home(place: Location, parents: dict[Location, Location], steps_left: int) -> bool:
    if place == PROD:
        return True
    return steps_left > 0 and _reaches_home(parents[place], parents, steps_left - 1)


# -- copies --------------------------------------------------------------------------------------


def test_a_target_gets_its_copy_from_its_hub() -> None:
    here, there = a_snapshot(ORDERS, SLOT), a_snapshot(ORDERS, SLOT, VAULT)
    step = step_of(planned(here, there), "copy_snapshot")
    assert origin_of(step) == there.arn
    assert step.parameters["Tags"]["engine:keys"].startswith(there.tags["engine:keys"] + "/")
    assert not steps(planned(here, there), "share_snapshot")


def test_one_plan_makes_a_point_and_sends_it_along_the_whole_way() -> None:
    found = planned()
    create = step_of(found, "create_snapshot")
    near = step_of(found, "copy_snapshot", VAULT)
    far = step_of(found, "copy_snapshot", REMOTE)
    assert (origin_of(near), origin_of(far)) == (create.arn, near.arn)
    assert near.id in far.depends_on
    assert [step.parameters["ValuesToAdd"] for step in steps(found, "share_snapshot")] == [
        [VAULT.account]
    ]


def test_a_hub_in_another_account_shares_what_it_hands_on() -> None:
    known = an_estate()
    lab = replace(known.accounts["vault"], name="lab", id=LAB.account, regions=(LAB.region,))
    estate = replace(
        known,
        accounts={**known.accounts, "lab": lab},
        targets={
            "remote": known.targets["remote"],
            "lab": Target("lab", "lab", LAB.region, "alias/backups"),
        },
    )
    policy = a_tree(REMOTELY, CopyRule("lab", keep=ALL_POINTS))
    found = plan(
        documents(policy, estate=estate),
        inventory(
            [ORDERS],
            [a_snapshot(ORDERS, SLOT), a_snapshot(ORDERS, SLOT, REMOTE)],
            locations=(PROD, VAULT, REMOTE, LAB),
            scopes={LAB: {"keys": None}},
        ),
        NOW,
    )
    copy = step_of(found, "copy_snapshot", LAB)
    share = step_of(found, "share_snapshot", REMOTE)
    assert share.parameters["ValuesToAdd"] == [LAB.account]
    assert share.id in copy.depends_on
    assert step_of(found, "unshare_snapshot", REMOTE).depends_on


def test_an_increment_along_the_same_way_is_certain() -> None:
    found = planned(*daily(ORDERS, [0, 1]), *daily(ORDERS, [0, 1], VAULT), *onward([1]))
    forecast = step_of(found, "copy_snapshot").forecast
    assert forecast is not None
    assert forecast.verdict is Verdict.INCREMENTAL


def test_what_its_hub_waits_for_a_target_waits_for_too() -> None:
    found = planned(a_snapshot(ORDERS, SLOT), a_snapshot(ORDERS, SLOT, VAULT, status="creating"))
    assert not steps(found, "copy_snapshot")
    assert waits(found, REMOTE) == ["origin_in_flight"]


UNREAD_VAULT = {VAULT: {"snapshots": None, "status": ScopeStatus.FAILED}}


def test_what_a_hub_has_not_got_for_a_day_is_sent_from_the_source() -> None:
    old = daily(ORDERS, [2, 1, 0])
    found = planned(*old, *daily(ORDERS, [2], VAULT), *onward([2]), now=SLOT)
    step = step_of(found, "copy_snapshot", REMOTE)
    assert origin_of(step) == step_of(found, "copy_snapshot", VAULT).arn
    late = planned(*old, *daily(ORDERS, [2], VAULT), *onward([2]), now=NOW + DAY / 2)
    assert origin_of(step_of(late, "copy_snapshot", REMOTE)) == old[1].arn


def test_a_hub_that_cannot_be_read_is_waited_for_two_hours_only() -> None:
    points = daily(ORDERS, [1, 0])
    early = planned(*points, *onward([1]), scopes=UNREAD_VAULT, now=SLOT + timedelta(hours=2))
    assert not steps(early, "copy_snapshot", REMOTE)
    late = planned(*points, *onward([1]), scopes=UNREAD_VAULT, now=SLOT + timedelta(hours=3))
    assert origin_of(step_of(late, "copy_snapshot", REMOTE)) == points[1].arn


def test_a_hub_whose_key_is_gone_serves_nobody() -> None:
    found = planned(*daily(ORDERS, [1, 0]), *onward([1]), scopes={VAULT: {"keys": {}}})
    assert origin_of(step_of(found, "copy_snapshot", REMOTE)) == a_snapshot(ORDERS, SLOT).arn


def test_a_point_that_is_made_late_goes_the_usual_way_all_the_same() -> None:
    weekly = Schedule(Every(timedelta(days=7)))
    policy = a_tree(schedule=weekly)
    made = latest_due(weekly, ZoneInfo("UTC"), NOW)
    assert made is not None
    assert NOW - made.at > DAY
    before = made.at - timedelta(days=7)
    found = planned(
        a_snapshot(ORDERS, before),
        a_snapshot(ORDERS, before, VAULT),
        a_snapshot(ORDERS, before, REMOTE, keys=(PROD_KEY, VAULT_KEY, REMOTE_KEY)),
        policy=policy,
    )
    near, far = (step_of(found, "copy_snapshot", place) for place in (VAULT, REMOTE))
    assert origin_of(far) == near.arn


def test_what_a_hub_never_got_and_its_target_left_behind_is_not_sent_late() -> None:
    found = planned(*daily(ORDERS, [3, 2, 0]), *daily(ORDERS, [0], VAULT), *onward([1]))
    assert [step.slot for step in steps(found, "copy_snapshot", REMOTE)] == [SLOT]


# -- protection ----------------------------------------------------------------------------------

NEWEST = Keep(last=1)
HASTY = (CopyRule("local", keep=NEWEST), CopyRule("remote", keep=ALL_POINTS))


def test_a_hub_keeps_a_point_until_its_targets_have_it() -> None:
    found = planned(
        *daily(ORDERS, [0, 1]), *daily(ORDERS, [0, 1], VAULT), *onward([2]), policy=a_tree(*HASTY)
    )
    waiting = a_snapshot(ORDERS, SLOT - DAY, VAULT)
    step = step_of(found, "copy_snapshot", REMOTE)
    assert origin_of(step) == waiting.arn
    delete = next(one for one in steps(found, "delete_snapshot") if one.arn == waiting.arn)
    assert step.id in delete.depends_on


def test_a_hub_keeps_what_a_target_wants_and_cannot_be_sent_now() -> None:
    found = planned(
        *daily(ORDERS, [0, 1, 2]),
        *daily(ORDERS, [0, 1, 2], VAULT),
        *onward([3]),
        policy=a_tree(*HASTY),
    )
    assert "not_copied_yet" in kept(found, a_snapshot(ORDERS, SLOT - DAY, VAULT))


def test_nothing_goes_at_a_hub_while_a_target_in_its_account_is_unread() -> None:
    unread = {REMOTE: {"snapshots": None, "status": ScopeStatus.FAILED}}
    there = daily(ORDERS, [0, 1], VAULT)
    found = planned(*daily(ORDERS, [0, 1]), *there, policy=a_tree(*HASTY), scopes=unread)
    assert not deleted(found) & {one.arn for one in there}
    assert "inventory_incomplete" in kept(found, there[1])


def test_in_a_star_copies_go_whatever_other_targets_are_read() -> None:
    unread = {REMOTE: {"snapshots": None, "status": ScopeStatus.FAILED}}
    there = daily(ORDERS, [0, 1], VAULT)
    policy = a_policy(terms=terms(ALL_POINTS, HASTY))
    found = planned(*daily(ORDERS, [0, 1]), *there, policy=policy, scopes=unread)
    assert there[1].arn in deleted(found)


# -- what the plan says --------------------------------------------------------------------------


def test_the_plan_says_how_copies_get_there_and_what_that_spares() -> None:
    (tree,) = planned().copy_trees
    assert tree.hops == (Hop("local", "source"), Hop("remote", "local"))
    assert (tree.policy, tree.sources, tree.gib) == ("gold", 1, 100)
    assert tree.usd_per_gib <= tree.star_usd_per_gib


def test_databases_of_one_home_have_one_tree() -> None:
    found = plan(documents(a_tree()), inventory([ORDERS, an_instance("orders-2")]), NOW)
    assert [(tree.sources, tree.gib) for tree in found.copy_trees] == [(2, 200)]


def test_a_target_may_be_named_before_its_hub() -> None:
    (tree,) = planned(policy=a_tree(REMOTELY, LOCAL)).copy_trees
    assert tree.hops == (Hop("local", "source"), Hop("remote", "local"))


def test_a_star_has_no_tree_to_tell_of() -> None:
    assert planned(policy=a_policy(terms=terms(copies=(LOCAL, REMOTELY)))).copy_trees == ()


def test_the_next_slot_counts_the_chains_of_the_tree() -> None:
    found = planned(*daily(ORDERS, [0]), *daily(ORDERS, [0], VAULT), *onward([0]))
    (slot,) = found.next
    assert (slot.creates, slot.copies, slot.full) == (1, 2, 0)


def test_a_bridge_is_made_before_the_hub_only() -> None:
    default = replace(ORDERS, kms_key=f"arn:aws:kms:{PROD.region}:{PROD.account}:key/aws-rds")
    found = plan(documents(a_tree()), inventory([default]), NOW)
    roles = [step.parameters["Tags"]["engine:role"] for step in steps(found, "copy_snapshot")]
    assert sorted(roles) == [Role.BRIDGE, Role.COPY, Role.COPY]


def test_a_copy_in_full_that_is_required_to_be_an_increment_is_withheld_along_the_way() -> None:
    policy = a_tree(incremental=Incremental.REQUIRE)
    moved = replace(ORDERS, availability_zone="eu-west-1b", secondary_zone="eu-west-1a")
    found = plan(
        documents(policy),
        inventory([moved], [*daily(ORDERS, [1]), *daily(ORDERS, [1], VAULT), *onward([1])]),
        NOW,
    )
    assert {step.withheld_by is None for step in steps(found, "copy_snapshot")} == {False}
    assert step_of(found, "create_snapshot").withheld_by is None
