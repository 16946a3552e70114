"""Promise 4: what could not be read is never deleted, nor what depends on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.documents.model import CopyRule, Retire, Target, Topology
from engine.identity.marks import Role
from engine.inventory.records import Inventory, Location, Quota, ScopeStatus, Snapshot
from tests.verifying.scene import (
    AWAY,
    ESTATE,
    FAR,
    GOLD,
    HOME,
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
)


@pytest.mark.parametrize(
    ("unread", "broken"),
    [
        ({AWAY, FAR}, []),
        ({HOME}, [1]),
        ({VAULT}, [4]),
    ],
    ids=["places that do not matter", "where it lies", "a target"],
)
def test_a_primary_needs_its_own_place_and_every_target(
    unread: set[Location], broken: list[int]
) -> None:
    assert Scene(unread=unread).broken(delete(primary(1))) == broken


def test_a_place_that_was_read_in_part_is_not_read() -> None:
    scene = Scene()
    inventory = scene.inventory()
    vault = inventory.scope(VAULT)
    for half in (replace(vault, instances=None), replace(vault, snapshots=None)):
        scopes = {**inventory.scopes, VAULT: half}
        findings = scene.verify(replace(inventory, scopes=scopes), delete(primary(1)))
        assert {finding.promise for finding in findings} == {4}


def test_an_object_in_a_place_that_was_read_in_part_stays() -> None:
    scene = Scene()
    inventory = scene.inventory()
    half = replace(inventory.scope(VAULT), status=ScopeStatus.FAILED, cause="throttled")
    findings = scene.verify(
        replace(inventory, scopes={**inventory.scopes, VAULT: half}), delete(copy(1))
    )
    assert {finding.promise for finding in findings} == {4}


def test_a_copy_needs_the_place_of_its_source() -> None:
    scene = Scene(unread={HOME})
    assert scene.broken(delete(copy(1))) == [4]
    assert Scene(unread={AWAY, FAR}).broken(delete(copy(1))) == []


def test_a_place_outside_the_estate_is_not_known() -> None:
    small = replace(ESTATE, targets={}, accounts={"prod": ESTATE.accounts["prod"]})
    assert 4 in Scene(estate=small).broken(delete(copy(1)))


def test_a_source_outside_the_estate_is_not_known() -> None:
    small = replace(ESTATE, accounts={"vault": ESTATE.accounts["vault"]})
    scene = Scene(estate=small)
    assert scene.broken(delete(copy(1))) == [2, 4]
    scene.retire(Retire(policy="*"))
    assert scene.broken(delete(copy(1))) == []


def test_what_is_retired_for_its_policy_needs_no_source() -> None:
    scene = Scene(policies=[], unread={HOME})
    assert scene.broken(delete(copy(1))) == [2, 4]
    scene.retire(Retire(policy="*"))
    assert scene.broken(delete(copy(1))) == []


def test_a_source_that_could_not_be_read_is_not_known_to_match_nothing() -> None:
    scene = Scene(unread={HOME}, instances=[])
    scene.retire(Retire(policy="*"))
    assert scene.broken(delete(copy(1))) == [4]


def test_every_account_it_is_shared_with_must_be_read() -> None:
    policies = [snapshots_of(GOLD, copies=())]
    for account, unread, broken in (
        (VAULT.account, set(), []),
        (VAULT.account, {VAULT}, [4]),
        (VAULT.account, {FAR}, [4]),
        ("999999999999", set(), [4]),
    ):
        shared = primary(1, shared=frozenset({account}))
        scene = Scene([shared, *Scene().snapshots[1:]], policies=policies, unread=unread)
        assert scene.broken(delete(shared)) == broken


def test_where_its_maker_sends_copies_without_sharing_must_be_read_too() -> None:
    sister = Target("sister", "prod", AWAY.region, "alias/backups")
    estate = replace(ESTATE, targets={**ESTATE.targets, "sister": sister})
    both = (*GOLD.terms.snapshots.copies, CopyRule(target="sister"))
    now_silver = replace(snapshots_of(GOLD, copies=()), name="silver")
    was_gold = snapshots_of(replace(GOLD, select=replace(GOLD.select, rest=True)), copies=both)
    for unread, broken in ((AWAY, [4]), (VAULT, [])):
        scene = Scene(policies=[now_silver, was_gold], estate=estate, unread={unread})
        assert scene.broken(delete(primary(1))) == broken
    gone = Scene([primary(n, gone_since=day(-40)) for n in (1, 2)], instances=[], estate=estate)
    gone.policies = [was_gold]
    assert gone.broken(delete(gone.snapshots[0])) == []
    gone.unread = {AWAY}
    assert gone.broken(delete(gone.snapshots[0])) == [4]


def test_a_bridge_needs_every_target_too() -> None:
    held = [found(marks(day(n), Role.BRIDGE, origin="x"), HOME) for n in (3, 4)]
    for unread, broken in ((set(), []), ({VAULT}, [4])):
        scene = Scene([*Scene().snapshots, *held], unread=unread)
        assert scene.broken(delete(held[0])) == broken


@pytest.mark.parametrize("status", ["creating", "copying", "pending", "deleting", "optimizing"])
def test_only_what_is_available_or_failed_is_deleted(status: str) -> None:
    scene = Scene()
    changed = scene.change(primary(1), status=status)
    assert scene.broken(delete(changed)) == [4]


def test_a_failed_object_needs_only_its_own_place() -> None:
    scene = Scene(unread={VAULT})
    failed = scene.change(primary(1), status="failed")
    assert scene.broken(delete(failed)) == []
    scene = Scene(unread={HOME})
    failed = scene.change(copy(1), status="failed")
    assert scene.broken(delete(failed)) == []
    scene.unread = {VAULT}
    assert scene.broken(delete(failed)) == [1]


@pytest.mark.parametrize("status", ["copying", "pending", "optimizing"])
def test_the_origin_of_something_in_flight_stays(status: str) -> None:
    scene = Scene()
    scene.change(copy(1), status=status)
    assert scene.broken(delete(primary(1))) == [4]
    assert scene.broken(delete(primary(2))) == []


def test_the_origin_of_a_stranger_in_flight_stays() -> None:
    scene = Scene()
    stranger = replace(copy(1), tags={}, status="copying", source_snapshot=primary(1).arn)
    scene.snapshots[4] = stranger
    assert scene.broken(delete(primary(1))) == [4]


def test_the_origin_of_what_has_arrived_may_go() -> None:
    scene = Scene()
    scene.change(copy(1), source_snapshot=primary(1).arn)
    assert scene.broken(delete(primary(1))) == []


def test_the_origin_of_a_planned_copy_goes_after_it() -> None:
    scene = Scene()
    scene.snapshots.remove(copy(2))
    sent = copying(primary(2), copy(2))
    assert scene.broken(sent, delete(primary(2))) == [4]
    assert scene.broken(sent, delete(primary(2), sent)) == []
    assert scene.broken(replace(sent, withheld_by="quota"), delete(primary(2))) == []


def test_a_copy_needs_no_other_target() -> None:
    both = (*GOLD.terms.snapshots.copies, CopyRule(target="remote"))
    scene = Scene(policies=[snapshots_of(GOLD, copies=both)], unread={FAR})
    assert scene.broken(delete(copy(1))) == []
    assert scene.broken(delete(primary(1))) == [4]


def test_a_copy_that_is_handed_on_needs_the_other_targets() -> None:
    both = (*GOLD.terms.snapshots.copies, CopyRule(target="remote"))
    tree = snapshots_of(GOLD, copies=both, topology=Topology.CHEAPEST)
    assert Scene(policies=[tree], unread={FAR}).broken(delete(copy(1))) == [4]
    assert Scene(policies=[tree], unread=set()).broken(delete(copy(1))) == []
    now_star = replace(snapshots_of(GOLD, copies=both), name="silver")
    was_tree = replace(tree, select=replace(GOLD.select, rest=True))
    scene = Scene(policies=[now_star, was_tree], unread={FAR})
    assert scene.broken(delete(copy(1))) == [4]


def test_a_failed_object_goes_before_what_takes_its_place_is_copied() -> None:
    failed = replace(primary(5), status="failed")
    going = delete(failed)
    made = replace(create(5), depends_on=(going.id,))
    sent = copying(made, copy(5), made)
    assert Scene([*Scene().snapshots, failed]).broken(going, made, sent) == []


# -- where room is short -------------------------------------------------------------------------


def short_of_room(scene: Scene, used: int = 100) -> Inventory:
    """What is there, in a location that holds at most a hundred snapshots."""
    found = scene.inventory()
    home = replace(found.scope(HOME), quota=Quota(used, 100))
    return replace(found, scopes={**found.scopes, HOME: home})


def against(scene: Scene, found: Inventory, snapshot: Snapshot) -> list[int]:
    return [finding.promise for finding in scene.verify(found, delete(snapshot))]


def test_where_room_is_short_nothing_is_kept_for_what_an_unread_target_may_want() -> None:
    scene = Scene(unread={VAULT})
    assert against(scene, short_of_room(scene), primary(1)) == []
    assert against(scene, short_of_room(scene, used=99), primary(1)) == [4]


def test_where_room_is_short_what_an_unread_account_may_be_copying_stays() -> None:
    shared = primary(1, shared=frozenset({VAULT.account}))
    scene = Scene([shared, *Scene().snapshots[1:]], unread={VAULT})
    assert against(scene, short_of_room(scene), shared) == [4]


@pytest.mark.parametrize(("number", "broken"), [(-3, []), (-1, [4])])
def test_where_room_is_short_what_a_sister_region_may_be_copying_stays_for_a_week(
    number: int, broken: list[int]
) -> None:
    sister = Target("sister", "prod", AWAY.region, "alias/backups")
    estate = replace(ESTATE, targets={**ESTATE.targets, "sister": sister})
    policy = snapshots_of(GOLD, copies=(CopyRule(target="sister"),))
    old = primary(number)
    scene = Scene([old, *Scene().snapshots], policies=[policy], estate=estate, unread={AWAY})
    assert against(scene, short_of_room(scene), old) == broken
