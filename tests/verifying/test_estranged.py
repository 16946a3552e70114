"""Promise 2 where no policy decides, the source is gone, or another took its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.documents.model import (
    Condition,
    CopyRule,
    Orphans,
    Override,
    RegionalTarget,
    Retire,
    Select,
)
from engine.inventory.records import Snapshot
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.verifying.scene import (
    DATABASE,
    ESTATE,
    GOLD,
    HOME,
    NOW,
    ORDERS,
    Scene,
    copy,
    create,
    day,
    delete,
    found,
    marks,
    primary,
    snapshots_of,
    terms_of,
)

SILVER = replace(GOLD, name="silver", select=Select(Condition(identifiers=("stock*",))))
NO_COPIES = snapshots_of(GOLD, copies=())


# -- unmanaged and retired -----------------------------------------------------------------------


def dropped_target() -> Scene:
    return Scene(policies=[NO_COPIES])


def unmatched() -> Scene:
    return Scene(instances=[replace(DATABASE, identifier="payments")])


def without_policy() -> Scene:
    return Scene(policies=[SILVER])


@pytest.mark.parametrize(
    ("scene", "held"),
    [
        (dropped_target(), copy(1)),
        (unmatched(), primary(1)),
        (without_policy(), primary(1)),
    ],
    ids=["target dropped", "source unmatched", "policy gone"],
)
def test_an_unmanaged_point_goes_only_if_it_is_retired(scene: Scene, held: Snapshot) -> None:
    assert scene.broken(delete(held)) == [2]
    for wrong in (
        Retire(policy="silver"),
        Retire(policy="gold", sources="prod/*/payments"),
        Retire(policy="gold", sources="vault/*"),
        Retire(policy="gold", locations="prod/eu-central-1"),
        Retire(reason="a reason is no condition"),
        Retire(),
    ):
        scene.retire(wrong)
        assert scene.broken(delete(held)) == [2]
    for right in (
        Retire(policy="gold", reason="moved to another team"),
        Retire(policy="g*", sources="prod/eu-west-1/orders"),
        Retire(sources="111111111111/*"),
        Retire(policy="*", locations=f"{held.location}"),
    ):
        scene.retire(Retire(policy="silver"), right)
        assert scene.broken(delete(held)) == []


def test_a_managed_point_is_not_retired() -> None:
    scene = Scene()
    scene.retire(Retire(policy="gold"))
    assert scene.broken(delete(primary(4))) == [2, 3]


def test_the_policy_that_matches_now_must_have_the_target_too() -> None:
    now_silver = replace(NO_COPIES, name="silver")
    was_gold = replace(GOLD, select=SILVER.select)
    scene = Scene(policies=[now_silver, was_gold])
    assert scene.broken(delete(copy(1))) == [2]
    scene.retire(Retire(policy="*"))
    assert scene.broken(delete(copy(1))) == []


def test_a_regional_target_leads_where_the_region_says() -> None:
    scene = Scene(
        policies=[snapshots_of(GOLD, copies=(CopyRule(target="near", keep=Keep(last=3)),))]
    )
    assert scene.broken(delete(copy(1))) == []
    scene.estate = replace(ESTATE, targets={**ESTATE.targets, "local": ESTATE.targets["remote"]})
    assert scene.broken(delete(copy(1))) == [2]


def test_a_target_that_leads_nowhere_manages_nothing() -> None:
    for target in ("unheard-of", "near"):
        elsewhere = RegionalTarget("near", {})
        scene = Scene(policies=[snapshots_of(GOLD, copies=(CopyRule(target=target),))])
        scene.estate = replace(ESTATE, targets={**ESTATE.targets, "near": elsewhere})
        assert scene.broken(delete(copy(1))) == [2]


def test_every_rule_at_a_location_counts() -> None:
    rules = (
        CopyRule(target="local", keep=Keep(last=3)),
        CopyRule(target="near", keep=Keep(last=4)),
    )
    assert Scene(policies=[snapshots_of(GOLD, copies=rules)]).broken(delete(copy(1))) == [2]


def test_what_is_retired_is_still_held_and_pinned() -> None:
    scene = dropped_target()
    scene.policies = [terms_of(NO_COPIES, hold="case 17")]
    scene.retire(Retire(policy="*"))
    assert scene.broken(delete(copy(1))) == [2]


# -- gone sources --------------------------------------------------------------------------------


def orphaned(gone_for: float | None) -> Scene:
    """The database is gone, and was seen to be so many days ago."""
    since = None if gone_for is None else NOW - timedelta(days=gone_for)
    return Scene(
        snapshots=[primary(number, gone_since=since) for number in (1, 2, 3, 4)], instances=[]
    )


def test_points_of_a_gone_source_go_when_their_time_is_over() -> None:
    for gone_for, broken in ((31, []), (30, []), (29.9, [2]), (None, [2])):
        scene = orphaned(gone_for)
        assert scene.broken(*map(delete, scene.snapshots[:3])) == broken


def test_the_last_points_of_a_gone_source_stay() -> None:
    scene = orphaned(gone_for=31)
    assert scene.broken(delete(scene.snapshots[3])) == [2]
    scene.policies = [terms_of(GOLD, orphans=Orphans(Span(days=30), keep_last=2))]
    assert scene.broken(delete(scene.snapshots[2])) == [2]
    assert scene.broken(delete(scene.snapshots[1])) == []
    scene.policies = [terms_of(GOLD, orphans=Orphans(Span(days=30), keep_last=0))]
    assert scene.broken(delete(scene.snapshots[3])) == []


def test_a_policy_silent_about_orphans_keeps_them() -> None:
    scene = orphaned(gone_for=31)
    scene.policies = [terms_of(GOLD, orphans=None)]
    assert scene.broken(delete(scene.snapshots[0])) == [2]


def test_a_source_under_another_name_is_not_gone() -> None:
    scene = orphaned(gone_for=31)
    scene.instances = [replace(DATABASE, arn=f"{ORDERS}-old", identifier="orders-old")]
    assert scene.broken(delete(scene.snapshots[0])) == []
    assert scene.broken(delete(scene.snapshots[2])) == [2]


# -- succession ----------------------------------------------------------------------------------

RESTORED = replace(DATABASE, resource_id="db-RESTORED")


def succeeded() -> Scene:
    """The database was replaced by a restored one under its name, which has one point."""
    new = found(marks(day(5), resource="db-RESTORED", volume="db-RESTORED"), HOME)
    return Scene(snapshots=[*map(primary, (1, 2, 3, 4)), new], instances=[RESTORED])


def test_points_of_both_are_judged_together() -> None:
    scene = succeeded()
    assert scene.broken(delete(primary(3))) == []
    assert scene.broken(delete(primary(4))) == [2]
    new = scene.snapshots[4]
    scene.snapshots.append(found(marks(day(4.5), resource="db-RESTORED"), HOME))
    assert scene.broken(delete(primary(4))) == []
    assert scene.broken(delete(new)) == [2, 3]


def test_a_planned_point_of_the_successor_displaces_too() -> None:
    made = create(4.5, resource="db-RESTORED", volume="db-RESTORED")
    assert succeeded().broken(made, delete(primary(4), made)) == []
    assert succeeded().broken(made, delete(primary(4))) == [2]


def test_succession_needs_the_name_and_the_place() -> None:
    other = replace(RESTORED, arn=f"{ORDERS}-2", identifier="orders-2")
    scene = succeeded()
    scene.instances = [other]
    assert scene.broken(delete(primary(3))) == [2]


def test_a_living_source_has_no_successor() -> None:
    renamed = replace(DATABASE, arn=f"{ORDERS}-old", identifier="orders-old")
    scene = succeeded()
    scene.instances.append(renamed)
    assert scene.broken(delete(primary(3))) == [2]
    assert scene.broken(delete(primary(2))) == []


def test_the_latest_name_decides_who_succeeds() -> None:
    stock = replace(DATABASE, arn=ORDERS.replace("orders", "stock"), resource_id="db-STOCK")
    scene = succeeded()
    scene.snapshots[3] = primary(4, source=stock.arn)
    scene.instances.append(stock)
    assert scene.broken(delete(primary(2))) == []
    assert scene.broken(delete(primary(3))) == [2]
    assert scene.broken(delete(scene.snapshots[3])) == [2]


def test_orphans_do_not_apply_to_a_succeeded_source() -> None:
    scene = succeeded()
    scene.policies = [terms_of(GOLD, orphans=None)]
    assert scene.broken(delete(primary(3))) == []


def test_a_hold_outlives_the_source() -> None:
    override = Override(Select(Condition(identifiers=("orders",))), {("hold",): "case 17"})
    scene = orphaned(gone_for=31)
    assert scene.broken(delete(scene.snapshots[0])) == []
    scene.policies = [replace(GOLD, overrides=(override,))]
    assert scene.broken(delete(scene.snapshots[0])) == [2]
