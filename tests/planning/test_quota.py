"""Stage 7, what sources share: who gets the room that is left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.documents.model import CopyRule, Documents
from engine.identity.marks import Role
from engine.inventory.records import Instance, Location, Quota, Snapshot
from engine.plans.plan import Plan
from engine.retention.keep import Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    PROD,
    REKEY,
    VAULT,
    VAULT_KEY,
    a_snapshot,
    ago,
    an_instance,
    daily,
    delete_of,
    guard,
    held_back,
    inventory,
    plan,
    step_of,
    steps,
)
from tests.planning.judging import EVERYTHING, ONE, ORDERS, OTHER, due, gold

ALPHA, BETA, GAMMA = (an_instance(name) for name in ("alpha", "beta", "gamma"))
TO_VAULT = CopyRule("local", keep=EVERYTHING)


def crowded(
    docs: Documents,
    instances: list[Instance],
    snapshots: list[Snapshot],
    room: dict[Location, int],
    **changes: Any,
) -> Plan:
    """A world in which so many more snapshots fit."""
    quotas = {where: Quota(100 - left, 100) for where, left in room.items()}
    found = plan(docs, inventory(instances, snapshots, quotas=quotas, **changes))
    assert not found.findings
    seen: set[str] = set()
    for step in found.steps:
        assert set(step.depends_on) <= seen, "every step stands behind those it waits for"
        seen.add(step.id)
    return found


def made(found: Plan, action: str = "create_snapshot") -> list[str]:
    """Whose snapshots are made, withheld ones aside."""
    return [s.source.identifier for s in steps(found, action) if s.withheld_by is None]


def test_what_fits_is_made() -> None:
    found = crowded(due(), [ALPHA, BETA], [], {PROD: 2})
    assert made(found) == ["alpha", "beta"]
    assert not [state for state in found.guards if state.guard == "quota"]


def test_without_a_known_quota_everything_is_made() -> None:
    assert len(made(plan(due(), inventory([ALPHA, BETA, GAMMA])))) == 3


def test_the_source_whose_newest_point_is_oldest_gets_the_room_first() -> None:
    points = [a_snapshot(ALPHA, ago(1)), a_snapshot(BETA, ago(3)), a_snapshot(GAMMA, ago(2))]
    found = crowded(due(EVERYTHING), [ALPHA, BETA, GAMMA], points, {PROD: 2})
    assert set(made(found)) == {"beta", "gamma"}


def test_a_source_without_any_point_comes_before_all_others() -> None:
    found = crowded(due(EVERYTHING), [ALPHA, GAMMA], [a_snapshot(ALPHA, ago(50))], {PROD: 1})
    assert made(found) == ["gamma"]


def test_what_does_not_fit_is_withheld_with_all_that_depends_on_it() -> None:
    found = crowded(due(EVERYTHING, TO_VAULT), [ORDERS], [], {PROD: 0})
    assert {step.withheld_by is not None for step in found.steps} == {True}
    state = guard(found, "quota")
    assert (state.limit, state.value, state.acknowledge) == (0, 1, None)
    assert state.withholds == (step_of(found, "create_snapshot").id,)
    assert state.text == (
        f"{PROD} has room for 0 more manual snapshots and 1 are wanted; raise the quota "
        "(L-272F1212) or keep fewer points there"
    )


def test_deletes_that_are_safe_without_the_new_point_come_first() -> None:
    points = daily(ORDERS, [3, 2, 1])
    found = crowded(due(Keep(last=2)), [ORDERS], points, {PROD: 0})
    create = step_of(found, "create_snapshot")
    assert create.withheld_by is None
    assert create.depends_on == (delete_of(found, points[0]).id,)
    assert delete_of(found, points[1]).depends_on == (create.id,), "not safe without the new one"


def test_a_delete_that_needs_the_new_point_makes_no_room_for_it() -> None:
    points = daily(ORDERS, [2, 1])
    found = crowded(due(Keep(last=2)), [ORDERS], points, {PROD: 0})
    assert made(found) == []
    assert set(held_back(found)) == {step.id for step in found.steps}


def test_a_delete_that_waits_for_a_copy_makes_no_room() -> None:
    old = a_snapshot(ORDERS, ago(2))
    copied = a_snapshot(ORDERS, ago(9), VAULT)
    found = crowded(
        due(Keep(last=1), TO_VAULT), [ORDERS], [old, a_snapshot(ORDERS, ago(1)), copied], {PROD: 0}
    )
    assert delete_of(found, old).depends_on
    assert made(found) == []


def test_one_source_may_get_the_room_that_another_frees() -> None:
    points = [*daily(ALPHA, [0, 1, 2]), a_snapshot(BETA, ago(1))]
    found = crowded(due(Keep(last=2)), [ALPHA, BETA], points, {PROD: 0})
    create = step_of(found, "create_snapshot")
    assert create.source.identifier == "beta"
    assert create.depends_on == (delete_of(found, points[2]).id,)


def test_each_delete_makes_room_for_one() -> None:
    points = [*daily(ALPHA, [0, 1, 2, 3]), a_snapshot(BETA, ago(1)), a_snapshot(GAMMA, ago(1))]
    found = crowded(due(Keep(last=2)), [ALPHA, BETA, GAMMA], points, {PROD: 0})
    assert made(found) == ["beta", "gamma"]
    waits = [step.depends_on for step in steps(found, "create_snapshot")]
    assert len(set(waits)) == 2


def test_a_withheld_delete_makes_no_room() -> None:
    """Two policies match: nothing of the database is deleted."""
    docs = due(Keep(last=2))
    rival = replace(docs.policies["gold"], name="rival")
    twice = replace(docs, policies={**docs.policies, "rival": rival})
    found = crowded(twice, [ORDERS], daily(ORDERS, [3, 2, 1]), {PROD: 0})
    assert made(found) == []


def test_what_takes_the_place_of_a_failed_object_needs_no_room() -> None:
    failed = a_snapshot(ORDERS, ago(0), status="failed")
    found = crowded(due(), [ORDERS], [failed], {PROD: 0})
    assert made(found) == ["orders-1"]


def test_the_place_of_a_failed_object_is_for_nobody_else() -> None:
    failed = a_snapshot(ALPHA, ago(0), status="failed")
    points = [a_snapshot(ALPHA, ago(1)), failed, a_snapshot(BETA, ago(9))]
    found = crowded(due(EVERYTHING), [ALPHA, BETA], points, {PROD: 0})
    assert made(found) == ["alpha"]


def test_a_failed_object_that_is_not_made_again_makes_room() -> None:
    failed = a_snapshot(ALPHA, ago(3), status="failed")
    found = crowded(due(EVERYTHING), [ALPHA], [failed], {PROD: 0})
    assert step_of(found, "create_snapshot").depends_on == (delete_of(found, failed).id,)


# -- copies --------------------------------------------------------------------------------------


def test_copies_compete_for_the_room_of_their_target_only() -> None:
    points = [a_snapshot(ALPHA, ago(1)), a_snapshot(BETA, ago(1))]
    found = crowded(gold(EVERYTHING, TO_VAULT), [ALPHA, BETA], points, {PROD: 0, VAULT: 1})
    assert made(found, "copy_snapshot") == ["alpha"]
    shared = [s.source.identifier for s in steps(found, "share_snapshot") if not s.withheld_by]
    assert shared == ["alpha"], "what only served the other copy is withheld as well"


def test_the_source_whose_newest_point_at_the_target_is_oldest_gets_its_room_first() -> None:
    """Both have a point of today at home: that says nothing of the vault."""
    points = [
        *daily(ALPHA, [1, 2]),
        *daily(BETA, [1, 5]),
        a_snapshot(ALPHA, ago(2), VAULT),
        a_snapshot(BETA, ago(5), VAULT),
    ]
    found = crowded(gold(EVERYTHING, TO_VAULT), [ALPHA, BETA], points, {VAULT: 1})
    assert made(found, "copy_snapshot") == ["beta"]


def test_a_copy_that_is_withheld_stops_no_create() -> None:
    found = crowded(due(EVERYTHING, TO_VAULT), [ORDERS], [], {VAULT: 0})
    assert made(found) == ["orders-1"]
    assert made(found, "copy_snapshot") == []


def test_a_copy_whose_snapshot_is_not_made_takes_no_room() -> None:
    points = [a_snapshot(BETA, ago(1)), a_snapshot(BETA, ago(2), VAULT)]
    docs = due(EVERYTHING, TO_VAULT)
    found = crowded(docs, [ALPHA, BETA], points, {PROD: 1, VAULT: 1})
    assert made(found) == ["alpha"]
    assert made(found, "copy_snapshot") == ["alpha"]
    found = crowded(docs, [ALPHA, BETA], points, {PROD: 0, VAULT: 1})
    assert made(found) == []
    assert made(found, "copy_snapshot") == ["beta"], "it sends the point that it has"


def test_a_bridge_takes_no_room_for_a_copy_that_has_none() -> None:
    """One place is left at home, none in the vault: the create gets it, not the bridge."""
    sealed = replace(ALPHA, kms_key=DEFAULT_KEY)
    points = [a_snapshot(sealed, ago(50), keys=(DEFAULT_KEY,)), a_snapshot(BETA, ago(1))]
    docs = due(EVERYTHING, TO_VAULT)
    already = a_snapshot(sealed, ago(0), keys=(DEFAULT_KEY,))
    found = crowded(docs, [sealed, BETA], [*points, already], {PROD: 1, VAULT: 0})
    assert made(found) == ["beta"]
    assert made(found, "copy_snapshot") == []


def test_a_bridge_and_its_copy_get_room_together() -> None:
    sealed = replace(ALPHA, kms_key=DEFAULT_KEY)
    points = [a_snapshot(sealed, ago(1), keys=(DEFAULT_KEY,))]
    docs = gold(EVERYTHING, TO_VAULT)
    assert made(crowded(docs, [sealed], points, {PROD: 1, VAULT: 1}), "copy_snapshot") == [
        "alpha",
        "alpha",
    ]
    blocked = crowded(docs, [sealed], points, {PROD: 0, VAULT: 1})
    assert made(blocked, "copy_snapshot") == []
    assert guard(blocked, "quota").about == str(PROD)


def test_the_turn_of_a_bridge_is_that_of_its_copy() -> None:
    """At home beta's newest point is the oldest, but in the vault it is gamma's."""
    points, sealed = [], []
    for instance, home, there in ((BETA, 3, 4), (GAMMA, 1, 9)):
        one = replace(instance, kms_key=DEFAULT_KEY)
        sealed.append(one)
        points += daily(one, [home], keys=(DEFAULT_KEY,))
        points += daily(one, [there], VAULT, keys=(DEFAULT_KEY, REKEY, VAULT_KEY))
    found = crowded(gold(EVERYTHING, TO_VAULT), sealed, points, {PROD: 1, VAULT: 5})
    assert made(found, "copy_snapshot") == ["gamma", "gamma"]


def test_new_points_come_before_bridges() -> None:
    sealed = replace(ALPHA, kms_key=DEFAULT_KEY)
    points = [a_snapshot(sealed, ago(0), keys=(DEFAULT_KEY,)), a_snapshot(BETA, ago(1))]
    found = crowded(due(EVERYTHING, TO_VAULT), [sealed, BETA], points, {PROD: 1})
    assert made(found) == ["beta"]
    bridge = step_of(found, "copy_snapshot", PROD)
    assert bridge.parameters["Tags"]["engine:role"] == Role.BRIDGE
    assert bridge.withheld_by is not None


def test_a_bridge_that_has_room_already_serves_a_second_copy() -> None:
    sealed = replace(ALPHA, kms_key=DEFAULT_KEY)
    points = [a_snapshot(sealed, ago(1), keys=(DEFAULT_KEY,))]
    docs = gold(EVERYTHING, CopyRule("local"), CopyRule("remote"))
    found = crowded(docs, [sealed], points, {PROD: 1})
    assert len(made(found, "copy_snapshot")) == 3


def test_room_is_freed_across_chains_without_a_circle() -> None:
    """Alpha makes room for Beta and Beta for Alpha, at two places."""
    points = [
        *daily(ALPHA, [0, 1, 2]),
        *daily(BETA, [1, 2, 3], zone=OTHER),
        *daily(BETA, [3, 2], VAULT, zone=OTHER),
        *daily(ALPHA, [2, 1], VAULT),
    ]
    docs = due(Keep(last=2), CopyRule("local", keep=ONE))
    found = crowded(docs, [ALPHA, BETA], points, {PROD: 0, VAULT: 0})
    assert made(found) == ["beta"]
    assert set(made(found, "copy_snapshot")) == {"alpha", "beta"}
