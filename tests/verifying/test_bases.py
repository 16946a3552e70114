"""Promise 3: a base goes only after its successor in the same chain is available."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.documents.model import Condition, Retire, Select
from engine.identity.marks import Role
from engine.inventory.records import Snapshot
from engine.plans.codes import Action
from engine.retention.keep import Keep
from tests.verifying.scene import (
    DATABASE,
    GOLD,
    HOME,
    NOW,
    VAULT,
    Scene,
    copy,
    copying,
    create,
    day,
    delete,
    found,
    marks,
    primary,
    snapshots_of,
    step,
    terms_of,
)


def failed_over() -> Scene:
    """The oldest two points were taken in the other zone; nothing in it is newer."""
    return Scene(snapshots=[*(primary(n, zone="euw1-az2") for n in (1, 2)), primary(3), primary(4)])


def test_the_newest_of_a_chain_stays_though_no_rule_keeps_it() -> None:
    scene = failed_over()
    assert scene.broken(delete(scene.snapshots[1])) == [3]
    assert scene.broken(delete(scene.snapshots[0])) == []
    assert scene.broken(*map(delete, scene.snapshots[:2])) == [3]


@pytest.mark.parametrize(
    "changes",
    [
        {"volume": "db-REPLICA"},
        {"zone": "euw1-az2"},
        {"keys": ("dddddddd",)},
        {"role": Role.BRIDGE, "origin": "x"},
        {"zone_checked": False},
    ],
    ids=["volume", "zone", "keys", "role", "unchecked zone"],
)
def test_only_a_checked_object_of_the_same_chain_is_a_successor(changes: dict[str, object]) -> None:
    policy = snapshots_of(GOLD, keep=Keep(last=1))
    follower = found(replace(marks(day(2)), **changes), HOME)  # type: ignore[arg-type]
    later = primary(3, volume="db-OTHER")
    assert Scene([primary(1), follower, later], policies=[policy]).broken(delete(primary(1))) == [3]
    assert (
        Scene([primary(1), primary(2), later], policies=[policy]).broken(delete(primary(1))) == []
    )


@pytest.mark.parametrize(
    ("status", "broken"), [("available", []), ("creating", [3]), ("failed", [3]), ("new", [3])]
)
def test_a_successor_must_be_available(status: str, broken: list[int]) -> None:
    scene = failed_over()
    scene.snapshots.append(replace(primary(2.5, zone="euw1-az2"), status=status))
    assert scene.broken(delete(scene.snapshots[1])) == broken


def test_a_successor_must_lie_in_the_same_place() -> None:
    scene = failed_over()
    elsewhere = found(marks(day(2.5), zone="euw1-az2"), VAULT)
    scene.snapshots.append(elsewhere)
    assert scene.broken(delete(scene.snapshots[1])) == [3]


def test_a_planned_successor_must_be_waited_for() -> None:
    scene = failed_over()
    made = create(5, zone="euw1-az2")
    assert scene.broken(made, delete(scene.snapshots[1], made)) == []
    assert scene.broken(made, delete(scene.snapshots[1])) == [3]


def test_what_goes_once_its_successor_is_there_covers_for_what_goes_before() -> None:
    policy = snapshots_of(GOLD, keep=Keep(last=1))
    later = primary(4, volume="db-OTHER")
    scene = Scene([primary(1), primary(2), later], policies=[policy])
    made = create(5)
    old, base = delete(primary(1)), delete(primary(2), made)
    assert scene.broken(made, old, base) == []
    assert scene.broken(made, old, delete(primary(2))) == [3]
    assert scene.broken(replace(made, withheld_by="quota"), old, base) == [3]
    scene.change(primary(2), tags=primary(2, zone_checked=False).tags)
    assert scene.broken(made, old, base) == [3]
    scene = Scene([primary(1), replace(primary(2), original_created_at=day(0)), later])
    scene.policies = [policy]
    assert scene.broken(made, old, base) == [3]
    scene.change(scene.snapshots[1], created_at=None, original_created_at=None)
    assert scene.broken(made, old, base) == [3]


def test_the_newest_object_and_the_newest_data_are_both_bases() -> None:
    late = replace(primary(1, zone="euw1-az2"), created_at=day(3.5))
    newer_data = primary(2, zone="euw1-az2")
    scene = Scene([late, newer_data, primary(3), primary(4)])
    assert scene.broken(delete(late)) == [3]
    assert scene.broken(delete(newer_data)) == [3]
    scene = Scene([replace(late, created_at=day(1)), newer_data, primary(3), primary(4)])
    assert scene.broken(delete(scene.snapshots[0])) == []


def test_a_planned_copy_of_old_data_does_not_release_newer_data() -> None:
    policy = snapshots_of(
        GOLD, copies=(replace(GOLD.terms.snapshots.copies[0], keep=Keep(last=1)),)
    )
    sent = copying(primary(4), copy(4))
    scene = Scene([*map(primary, (1, 2, 3, 4)), copy(3)], policies=[policy])
    assert scene.broken(sent, delete(copy(3), sent)) == []
    scene.change(copy(3), original_created_at=day(4.5))
    assert scene.broken(sent, delete(copy(3), sent)) == [3]


def test_a_planned_copy_is_as_old_as_what_it_is_made_from() -> None:
    policy = snapshots_of(
        GOLD, copies=(replace(GOLD.terms.snapshots.copies[0], keep=Keep(last=1)),)
    )
    scene = Scene([*map(primary, (1, 2, 3, 4)), copy(4)], policies=[policy])
    made = create(5)
    sent = copying(made, copy(5), made)
    assert scene.broken(made, sent, delete(copy(4), sent)) == []
    from_nowhere = copying(primary(5), copy(5))
    assert scene.broken(from_nowhere, delete(copy(4), from_nowhere)) == [2, 3]


def test_copies_in_a_circle_have_no_age() -> None:
    policy = snapshots_of(
        GOLD, copies=(replace(GOLD.terms.snapshots.copies[0], keep=Keep(last=1)),)
    )
    one, two = copying(copy(6), copy(5)), copying(copy(5), copy(6))
    scene = Scene([*map(primary, (1, 2, 3, 4)), copy(4)], policies=[policy])
    assert scene.broken(one, two, delete(copy(4), one, two)) == [2, 3]
    one, two = (
        replace(step, parameters={**step.parameters, "Tags": copy(number).tags})
        for step, number in ((one, 5), (two, 6))
    )
    assert scene.broken(one, two, delete(copy(4), one, two)) == [3]


def test_copies_in_a_wider_circle_have_no_age_either() -> None:
    policy = snapshots_of(
        GOLD, copies=(replace(GOLD.terms.snapshots.copies[0], keep=Keep(last=1)),)
    )
    circle = [copying(copy(a), copy(b)) for a, b in ((7, 5), (5, 6), (6, 7))]
    for tagged in (False, True):
        steps = [
            replace(step, parameters={**step.parameters, "Tags": copy(number).tags})
            if tagged
            else step
            for step, number in zip(circle, (5, 6, 7), strict=True)
        ]
        scene = Scene([*map(primary, (1, 2, 3, 4)), copy(4)], policies=[policy])
        assert 3 in scene.broken(*steps, delete(copy(4), *steps))


def test_a_successor_that_is_shared_meanwhile_is_still_one() -> None:
    scene = failed_over()
    scene.snapshots.append(primary(2.5, zone="euw1-az2"))
    sharing = step(Action.SHARE, scene.snapshots[-1])
    assert scene.broken(sharing, delete(scene.snapshots[1])) == []


def test_what_strangers_made_is_no_successor() -> None:
    scene = failed_over()
    forged = primary(2.5, zone="euw1-az2")
    scene.snapshots.append(replace(forged, identifier="theirs", arn=f"{forged.arn}-theirs"))
    assert scene.broken(delete(scene.snapshots[1])) == [3]


def test_an_object_of_the_same_age_is_successor_enough() -> None:
    policy = snapshots_of(GOLD, keep=Keep(last=1))
    twin = found(marks(day(1), policy="silver"), HOME)
    scene = Scene([primary(1), twin, primary(3, volume="db-OTHER")], policies=[policy])
    assert scene.broken(delete(primary(1))) == []
    assert scene.broken(delete(primary(1)), delete(twin)) == [2, 3]


def test_a_chain_is_idle_from_the_very_end_of_its_time() -> None:
    for after, broken in (
        (timedelta(days=3, minutes=10), []),
        (timedelta(days=3, minutes=11), [3]),
    ):
        scene = failed_over()
        scene.policies = [terms_of(GOLD, idle_after=after)]
        assert scene.broken(delete(scene.snapshots[1])) == broken


def test_without_the_time_it_was_made_that_of_its_data_counts() -> None:
    scene = Scene()
    for number in (1, 2):
        scene.change(primary(number), created_at=None)
    assert scene.broken(delete(primary(1))) == []


def test_without_times_nothing_is_released() -> None:
    scene = Scene()
    scene.change(primary(1), created_at=None, original_created_at=None)
    assert scene.broken(delete(primary(1))) == [3]
    scene = Scene(
        [
            primary(1),
            *(replace(primary(n), created_at=None, original_created_at=None) for n in (2, 3, 4)),
        ]
    )
    assert scene.broken(delete(primary(1))) == [3]


def test_where_no_zone_is_known_the_newest_object_has_to_do() -> None:
    scene = Scene([primary(n, zone="unknown", zone_checked=False) for n in (1, 2, 3, 4)])
    assert scene.broken(*map(delete, scene.snapshots[:2])) == []
    scene = Scene(
        [*(primary(n, zone="unknown", zone_checked=False) for n in (1, 2)), primary(3), primary(4)]
    )
    assert scene.broken(delete(scene.snapshots[1])) == [3]


def test_the_base_of_an_idle_chain_may_go() -> None:
    for idle_after, broken in ((timedelta(days=3), []), (timedelta(days=4), [3])):
        scene = failed_over()
        scene.policies = [terms_of(GOLD, idle_after=idle_after)]
        assert scene.broken(delete(scene.snapshots[1])) == broken


def test_the_policy_that_matches_now_says_when_a_chain_is_idle() -> None:
    soon, late = (terms_of(GOLD, idle_after=timedelta(days=days)) for days in (1, 90))
    elsewhere = Select(Condition(identifiers=("stock",)))
    for now, maker, broken in ((soon, late, []), (late, soon, [3])):
        scene = failed_over()
        scene.policies = [replace(now, name="silver"), replace(maker, select=elsewhere)]
        assert scene.broken(delete(scene.snapshots[1])) == broken


def test_where_none_matches_the_policy_that_made_it_says_when_a_chain_is_idle() -> None:
    elsewhere = replace(GOLD, select=Select(Condition(identifiers=("stock",))))
    for days, broken in ((1, [2]), (90, [2, 3])):
        scene = failed_over()
        scene.policies = [terms_of(elsewhere, idle_after=timedelta(days=days))]
        assert scene.broken(delete(scene.snapshots[1])) == broken
    old = replace(primary(1, zone="euw1-az2"), created_at=NOW - timedelta(days=91))
    scene = Scene([old, primary(3), primary(4)], policies=[])
    assert scene.broken(delete(old)) == [2]


@pytest.mark.parametrize("status", ["creating", "something-new"])
def test_a_chain_with_something_in_flight_is_not_idle(status: str) -> None:
    scene = failed_over()
    scene.policies = [terms_of(GOLD, idle_after=timedelta(days=1))]
    assert scene.broken(delete(scene.snapshots[1])) == []
    scene.snapshots.append(replace(primary(2.5, zone="euw1-az2"), status=status, created_at=None))
    assert scene.broken(delete(scene.snapshots[1])) == [3]


def test_a_chain_that_the_plan_goes_on_with_is_not_idle() -> None:
    scene = failed_over()
    scene.policies = [terms_of(GOLD, idle_after=timedelta(days=1))]
    assert scene.broken(create(5, zone="euw1-az2"), delete(scene.snapshots[1])) == [3]


def test_a_chain_without_times_is_not_idle() -> None:
    scene = failed_over()
    scene.policies = [terms_of(GOLD, idle_after=timedelta(days=1))]
    undated = scene.change(scene.snapshots[1], created_at=None, original_created_at=None)
    assert scene.broken(delete(undated)) == [3]


def test_a_gone_source_needs_no_base() -> None:
    since = NOW - timedelta(days=40)
    old = [primary(n, zone="euw1-az2", gone_since=since) for n in (1, 2)]
    scene = Scene([*old, primary(3), primary(4)], instances=[])
    assert scene.broken(delete(old[1])) == []


def test_a_replaced_source_needs_no_base() -> None:
    scene = failed_over()
    scene.instances = [replace(DATABASE, resource_id="db-RESTORED")]
    assert scene.broken(delete(scene.snapshots[1])) == []


def test_a_retired_point_is_no_base() -> None:
    scene = Scene(policies=[snapshots_of(GOLD, copies=())])
    scene.retire(Retire(policy="*"))
    assert scene.broken(*(delete(copy(n)) for n in (1, 2, 3, 4))) == []


def test_a_failed_object_is_no_base() -> None:
    scene = failed_over()
    failed = scene.change(scene.snapshots[1], status="failed")
    assert scene.broken(delete(failed)) == []


def bridge(number: float) -> Snapshot:
    marked = marks(day(number), Role.BRIDGE, keys=("k", "cccccccc"), origin=primary(number).arn)
    return found(marked, HOME)


def test_the_newest_bridge_stays() -> None:
    scene = Scene()
    scene.snapshots += [bridge(3), bridge(4)]
    assert scene.broken(delete(bridge(3))) == []
    assert scene.broken(delete(bridge(4))) == [3]
    made = copying(primary(5), bridge(5))
    scene.snapshots.append(primary(5))
    assert scene.broken(made, delete(bridge(4), made)) == []
