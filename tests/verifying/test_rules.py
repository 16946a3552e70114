"""Promise 2: a point goes only when no rule keeps it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.documents.model import (
    Condition,
    CopyRule,
    Override,
    Select,
)
from engine.identity.marks import Role
from engine.inventory.records import Instance, Snapshot
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.verifying.scene import (
    DATABASE,
    GOLD,
    HOME,
    KEY,
    ORDERS,
    Scene,
    copy,
    copying,
    create,
    day,
    delete,
    found,
    marks,
    named,
    primary,
    snapshots_of,
    terms_of,
)

SILVER = replace(GOLD, name="silver", select=Select(Condition(identifiers=("stock*",))))
NO_COPIES = snapshots_of(GOLD, copies=())


def test_a_point_that_no_rule_keeps_goes() -> None:
    assert Scene().broken(delete(primary(1)), delete(primary(2)), delete(copy(1))) == []


def test_a_point_that_a_rule_keeps_stays() -> None:
    assert Scene().broken(delete(primary(3))) == [2]
    assert Scene().broken(delete(copy(2))) == [2]


def test_copies_follow_the_policy_where_they_have_no_rule_of_their_own() -> None:
    scene = Scene(policies=[snapshots_of(GOLD, copies=(CopyRule(target="local"),))])
    assert scene.broken(delete(copy(2))) == []
    assert scene.broken(delete(copy(3))) == [2]


def test_an_empty_policy_deletes_nothing() -> None:
    assert Scene(policies=[snapshots_of(GOLD, keep=Keep())]).broken(delete(primary(1))) == [2]


def test_a_removed_policy_deletes_nothing() -> None:
    scene = Scene(policies=[])
    scene.snapshots += [replace(primary(5), status="failed"), bridge(1), bridge(2)]
    for held in (primary(1), copy(1), bridge(1)):
        assert scene.broken(delete(held)) == [2]
    assert scene.broken(delete(primary(5))) == []


def test_failed_objects_and_bridges_are_no_points_to_keep() -> None:
    scene = Scene()
    scene.snapshots += [replace(primary(5), status="failed"), bridge(3), bridge(4)]
    assert scene.broken(delete(primary(5)), delete(bridge(3))) == []


def test_the_policy_that_made_a_point_keeps_it_as_well() -> None:
    strict = snapshots_of(replace(GOLD, name="strict"), keep=Keep(last=1))
    made_by_gold = replace(GOLD, select=Select(Condition(identifiers=("stock",))))
    assert Scene(policies=[strict, made_by_gold]).broken(delete(primary(3))) == [2]
    assert Scene(policies=[strict, made_by_gold]).broken(delete(primary(2))) == []


def test_the_policy_that_matches_now_keeps_it_as_well() -> None:
    lavish = snapshots_of(replace(GOLD, name="lavish"), keep=Keep(last=3))
    made_by_gold = replace(GOLD, select=Select(Condition(identifiers=("stock",))))
    assert Scene(policies=[lavish, made_by_gold]).broken(delete(primary(2))) == [2]
    assert Scene(policies=[lavish, made_by_gold]).broken(delete(primary(1))) == []


def test_a_policy_takes_over_the_points_of_its_old_name() -> None:
    heir = replace(GOLD, name="platinum")
    assert Scene(policies=[heir]).broken(delete(primary(1))) == [2]
    heir = replace(heir, formerly=("gold",))
    assert Scene(policies=[heir]).broken(delete(primary(1))) == []
    assert Scene(policies=[heir]).broken(delete(primary(3))) == [2]


def test_a_living_policy_goes_before_one_that_had_its_name() -> None:
    lavish = snapshots_of(GOLD, keep=Keep(last=4))
    heir = replace(SILVER, formerly=("gold",))
    assert Scene(policies=[lavish, heir]).broken(delete(primary(1))) == [2]
    assert Scene(policies=[heir, lavish]).broken(delete(primary(1))) == [2]


def test_overrides_count() -> None:
    changes: dict[tuple[str, ...], Keep] = {("snapshots", "keep"): Keep(last=4)}
    for glob, broken in (("orders", [2]), ("stock", [])):
        override = Override(Select(Condition(identifiers=(glob,))), changes)
        scene = Scene(policies=[replace(GOLD, overrides=(override,))])
        assert scene.broken(delete(primary(1))) == broken


def test_a_hold_keeps_everything() -> None:
    assert Scene(policies=[terms_of(GOLD, hold="case 17")]).broken(delete(primary(1))) == [2]


def test_a_pin_keeps_a_point_a_bridge_and_a_failed_object() -> None:
    for pinned in (
        primary(1, pin="audit"),
        bridge(1, pin="audit"),
        replace(primary(1, pin="audit"), status="failed"),
    ):
        scene = Scene(snapshots=[pinned, *Scene().snapshots[1:], bridge(4)])
        assert scene.broken(delete(pinned)) == [2]


def test_two_policies_for_one_source_delete_nothing() -> None:
    assert Scene(policies=[GOLD, SILVER]).broken(delete(primary(1))) == []
    both = replace(SILVER, select=GOLD.select)
    assert Scene(policies=[GOLD, both]).broken(delete(primary(1))) == [2]


# -- matching ------------------------------------------------------------------------------------

REPLICA = replace(DATABASE, replica_of="orders-main")
SELECTIONS: list[tuple[str, Select, Instance, bool]] = [
    ("account", Select(Condition(accounts=("prod",))), DATABASE, True),
    ("account glob", Select(Condition(accounts=("p*",))), DATABASE, True),
    ("other account", Select(Condition(accounts=("vault",))), DATABASE, False),
    ("region", Select(Condition(regions=("eu-*",))), DATABASE, True),
    ("other region", Select(Condition(regions=("us-*",))), DATABASE, False),
    ("engine", Select(Condition(engines=("mysql", "postgres"))), DATABASE, True),
    ("other engine", Select(Condition(engines=("mysql",))), DATABASE, False),
    ("case", Select(Condition(identifiers=("Orders",))), DATABASE, False),
    ("tag", Select(Condition(tags={"tier": ("silver", "go*")})), DATABASE, True),
    ("other tag value", Select(Condition(tags={"tier": ("silver",)})), DATABASE, False),
    ("missing tag", Select(Condition(tags={"team": ("*",)})), DATABASE, False),
    (
        "one condition of two",
        Select(Condition(identifiers=("orders",), engines=("mysql",))),
        DATABASE,
        False,
    ),
    (
        "excluded",
        Select(Condition(identifiers=("*",)), exclude=(Condition(tags={"tier": ("gold",)}),)),
        DATABASE,
        False,
    ),
    (
        "half of an exclude",
        Select(
            Condition(identifiers=("*",)),
            exclude=(Condition(tags={"tier": ("gold",)}, engines=("mysql",)),),
        ),
        DATABASE,
        True,
    ),
    ("replica", Select(Condition(identifiers=("*",))), REPLICA, False),
    ("replica asked for", Select(Condition(identifiers=("*",)), replicas=True), REPLICA, True),
]


@pytest.mark.parametrize(
    ("select", "instance", "matches"),
    [row[1:] for row in SELECTIONS],
    ids=[row[0] for row in SELECTIONS],
)
def test_what_a_policy_takes(select: Select, instance: Instance, matches: bool) -> None:
    scene = Scene(policies=[replace(GOLD, select=select)], instances=[instance])
    assert scene.broken(delete(primary(1))) == ([] if matches else [2])


def test_the_rest_is_what_no_other_policy_takes() -> None:
    rest = replace(SILVER, select=Select(rest=True))
    lavish = snapshots_of(rest, keep=Keep(last=4))
    assert Scene(policies=[GOLD, lavish]).broken(delete(primary(1))) == []
    other = replace(rest, name="bronze")
    away = replace(GOLD, select=SILVER.select)
    assert Scene(policies=[away, rest]).broken(delete(primary(1))) == []
    assert Scene(policies=[away, rest, other]).broken(delete(primary(1))) == [2]


# -- runs ----------------------------------------------------------------------------------------


def test_a_planned_point_displaces_another_only_once_it_is_there() -> None:
    made = create(5)
    assert Scene().broken(made, delete(primary(3), made)) == []
    assert Scene().broken(made, delete(primary(3))) == [2]
    assert Scene().broken(replace(made, withheld_by="quota"), delete(primary(3), made)) == [2]


def test_waiting_may_be_indirect() -> None:
    made = create(5)
    sent = copying(made, copy(5), made)
    assert Scene().broken(made, sent, delete(primary(3), sent)) == []


def test_a_circle_of_steps_ends_the_search() -> None:
    made = replace(create(5), depends_on=("delete_snapshot:x",))
    going = replace(delete(primary(3), made), id="delete_snapshot:x")
    assert Scene().broken(made, going) == []


def test_a_point_in_flight_displaces_nothing_yet() -> None:
    scene = Scene()
    scene.snapshots.append(replace(primary(5), status="creating", created_at=None))
    assert scene.broken(delete(primary(3))) == [2]
    assert scene.broken(delete(primary(2))) == []


def test_what_is_planned_but_would_not_be_owned_displaces_nothing() -> None:
    made = create(5)
    forged = {**made.parameters, "Tags": {**made.parameters["Tags"], "engine:policy": "x"}}
    made = replace(made, parameters=forged)
    assert Scene().broken(made, delete(primary(3), made)) == [2]


def test_bridges_and_failed_objects_displace_nothing() -> None:
    scene = Scene()
    scene.snapshots += [bridge(5), replace(primary(6), status="failed")]
    assert scene.broken(delete(primary(3))) == [2]
    planned = bridge(5)
    made = copying(primary(4), planned)
    assert Scene().broken(made, delete(primary(3), made)) == [2]


def test_two_objects_of_one_slot_are_one_point() -> None:
    scene = Scene()
    scene.snapshots.append(found(marks(day(4), policy="silver"), HOME))
    assert scene.broken(delete(primary(3))) == [2]


def test_points_elsewhere_and_of_others_do_not_count() -> None:
    scene = Scene()
    other = "arn:aws:rds:eu-west-1:111111111111:db:stock"
    scene.snapshots += [
        found(marks(day(5), resource="db-STOCK", source=other), HOME),
        found(marks(day(5), source=ORDERS.replace("eu-west-1", "us-east-1")), HOME),
    ]
    assert scene.broken(delete(primary(3))) == [2]
    abroad = create(5, source=ORDERS.replace("eu-west-1", "us-east-1"))
    assert scene.broken(abroad, delete(primary(3), abroad)) == [2]


def test_what_strangers_made_displaces_nothing() -> None:
    scene = Scene()
    scene.snapshots.append(replace(primary(5), tags=primary(4).tags))
    assert scene.broken(delete(primary(3))) == [2]


def test_future_points_are_kept_and_count_for_nothing() -> None:
    scene = Scene()
    scene.snapshots += [primary(6), primary(7), primary(8)]
    assert scene.broken(delete(primary(7))) == [2]
    assert scene.broken(delete(primary(3))) == [2]


def test_within_reaches_back_from_the_newest_point_that_is_sure_to_be_there() -> None:
    policy = snapshots_of(GOLD, keep=Keep(within=Span(hours=49)))
    made = create(5)
    assert Scene(policies=[policy]).broken(delete(primary(2))) == [2]
    assert Scene(policies=[policy]).broken(made, delete(primary(2))) == [2]
    assert Scene(policies=[policy]).broken(made, delete(primary(2), made)) == []
    scene = Scene(policies=[policy])
    scene.snapshots.append(replace(primary(5), status="creating"))
    assert scene.broken(delete(primary(2))) == [2]


def bridge(number: float, **changes: Any) -> Snapshot:
    """A re-encrypted object at home that only a route needs."""
    origin = named(marks(day(number)), HOME)[1]
    keys = (KEY, "cccccccc")
    return found(marks(day(number), Role.BRIDGE, keys=keys, origin=origin, **changes), HOME)
