"""`incremental: require`: what is held back holds up no copy of a chain that the target has."""

from __future__ import annotations

from datetime import timedelta

from engine.documents.model import CopyRule, Incremental
from engine.documents.objective_model import Objectives
from engine.identity.marks import Role
from engine.inventory.records import Snapshot
from engine.plans.codes import DriftCode
from engine.plans.plan import Plan
from engine.retention.keep import Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    REKEY,
    VAULT,
    VAULT_KEY,
    a_snapshot,
    ago,
    an_instance,
    daily,
    deleted,
    guard,
    inventory,
    origin_of,
    plan,
    step_of,
    steps,
    waits,
)
from tests.planning.judging import EVERYTHING, ORDERS, OTHER, TO_VAULT, due, gold, judged

DOCS = gold(EVERYTHING, TO_VAULT, incremental=Incremental.REQUIRE)


def after_a_failover(*days: int) -> list[Snapshot]:
    """Nights, the third last of them from the other zone; the vault has the ones before."""
    there = daily(ORDERS, [5, 4], VAULT)
    return [*daily(ORDERS, [5, 4, *days]), a_snapshot(ORDERS, ago(3), zone=OTHER), *there]


def slots(found: Plan) -> dict[float, str | None]:
    """What is copied, by how many days ago it was due, in the order of the plan; and why not."""
    copies = steps(found, "copy_snapshot", VAULT)
    return {(ago(0) - (one.slot or NOW)) / timedelta(days=1): one.withheld_by for one in copies}


def test_a_copy_that_is_held_back_lets_newer_ones_of_another_chain_pass() -> None:
    found = judged(DOCS, *after_a_failover(2, 1))
    assert slots(found) == {2: None, 3: "incremental_required"}
    passing, held = steps(found, "copy_snapshot", VAULT)
    assert passing.forecast is not None
    assert passing.forecast.verdict == "incremental"
    assert guard(found, "incremental_required").withholds == (held.id,)


def test_oldest_first_also_behind_one_that_is_held_back() -> None:
    found = judged(DOCS, *after_a_failover(2, 1), a_snapshot(ORDERS, ago(2), VAULT))
    assert slots(found) == {1: None, 3: "incremental_required"}


def test_what_is_of_its_chain_waits_with_it() -> None:
    found = judged(DOCS, *after_a_failover(1), a_snapshot(ORDERS, ago(2), zone=OTHER))
    assert slots(found) == {1: None, 3: "incremental_required"}


def test_nothing_passes_what_may_be_copied() -> None:
    for mode in (Incremental.PREFER, Incremental.IGNORE):
        docs = gold(EVERYTHING, TO_VAULT, incremental=mode)
        assert slots(judged(docs, *after_a_failover(2, 1))) == {3: None}


def test_where_nothing_may_pass_the_first_is_held_back_alone() -> None:
    points = [*after_a_failover(), a_snapshot(ORDERS, ago(2), zone=OTHER)]
    assert slots(judged(DOCS, *points)) == {3: "incremental_required"}


def test_once_acknowledged_it_goes_alone_and_behind_what_passed_it() -> None:
    points = inventory([ORDERS], after_a_failover(2, 1))
    digest = guard(plan(DOCS, points), "incremental_required").acknowledge or ""
    found = plan(DOCS, points, acknowledged=frozenset({digest}))
    passing, let_go = steps(found, "copy_snapshot", VAULT)
    assert (passing.withheld_by, let_go.withheld_by) == (None, None)
    assert passing.id in let_go.depends_on
    assert let_go.id not in passing.depends_on


def test_the_guard_keeps_its_digest_while_others_pass() -> None:
    today = judged(DOCS, *after_a_failover(2, 1))
    tomorrow = judged(DOCS, *after_a_failover(2, 1, 0), *daily(ORDERS, [2, 1], VAULT))
    first, second = (guard(one, "incremental_required") for one in (today, tomorrow))
    assert first.acknowledge == second.acknowledge


def test_a_new_point_passes_what_is_held_back_in_the_run_that_makes_it() -> None:
    docs = due(EVERYTHING, TO_VAULT, incremental=Incremental.REQUIRE)
    found = judged(docs, *after_a_failover(), *daily(ORDERS, [2, 1]), *daily(ORDERS, [2, 1], VAULT))
    assert slots(found) == {0: None, 3: "incremental_required"}
    assert step_of(found, "create_snapshot").id in steps(found, "copy_snapshot")[0].depends_on


def test_one_copy_at_a_time() -> None:
    flying = a_snapshot(ORDERS, ago(2), VAULT, status="copying")
    found = judged(DOCS, *after_a_failover(2, 1), flying)
    assert slots(found) == {}
    assert waits(found, VAULT) == ["copy_in_flight"]


def test_behind_one_that_is_held_back_the_next_waits_for_its_origin() -> None:
    making = a_snapshot(ORDERS, ago(2), status="creating")
    found = judged(DOCS, *after_a_failover(1), making)
    assert slots(found) == {3: "incremental_required"}
    assert waits(found, VAULT) == ["origin_in_flight"]


def test_what_is_held_back_is_no_drift_though_newer_ones_are_there() -> None:
    points = [*after_a_failover(2, 1), a_snapshot(ORDERS, ago(2), VAULT)]
    assert judged(DOCS, *points).drift == ()
    flying = a_snapshot(ORDERS, ago(1), VAULT, status="copying")
    also_held = a_snapshot(ORDERS, ago(2.5), zone=OTHER)
    assert judged(DOCS, *points, also_held, flying).drift == ()
    missing = judged(gold(EVERYTHING, TO_VAULT), *points).drift
    assert [one.code for one in missing] == [DriftCode.POINT_DELETED]


def test_its_primary_stays_until_the_target_would_not_want_it_any_more() -> None:
    docs = gold(Keep(last=1), CopyRule("local", keep=Keep(last=3)), incremental=Incremental.REQUIRE)
    held = a_snapshot(ORDERS, ago(3), zone=OTHER, made_at=ago(3))
    newer_base = a_snapshot(ORDERS, ago(2), zone=OTHER)
    points = [held, newer_base, *daily(ORDERS, [5, 4, 1]), *daily(ORDERS, [5, 4], VAULT)]
    found = judged(docs, *points)
    assert slots(found) == {1: None, 3: "incremental_required"}
    assert held.arn in {step.arn for step in found.steps if step.withheld_by is not None}
    more = [a_snapshot(ORDERS, ago(days), VAULT) for days in (1, 0.5, 0)]
    passed = judged(docs, *points, *more)
    assert slots(passed) == {}
    assert held.arn in deleted(passed)


def test_points_at_the_target_go_on_making_way_for_what_passes() -> None:
    """A night later at the latest, when the copy that passed is there."""
    docs = gold(EVERYTHING, CopyRule("local", keep=Keep(last=3)), incremental=Incremental.REQUIRE)
    found = judged(docs, *after_a_failover(2, 1), *daily(ORDERS, [2, 1], VAULT))
    held = step_of(found, "copy_snapshot").id
    going = {one.slot: one.withheld_by for one in steps(found, "delete_snapshot")}
    assert going == {ago(5): None, ago(4): held}


def test_a_bridge_of_its_own_is_made_for_what_passes() -> None:
    secret = an_instance(kms_key=DEFAULT_KEY)
    keys, copied = (DEFAULT_KEY,), (DEFAULT_KEY, REKEY, VAULT_KEY)
    points = [
        *daily(secret, [5, 4, 2], keys=keys),
        a_snapshot(secret, ago(3), zone=OTHER, keys=keys),
        a_snapshot(secret, ago(4), role=Role.BRIDGE),
        *daily(secret, [5, 4], VAULT, keys=copied),
    ]
    found = plan(DOCS, inventory([secret], points))
    bridges = [
        one for one in steps(found, "copy_snapshot") if one.location.account != VAULT.account
    ]
    read = {origin_of(one): one.withheld_by for one in bridges}
    assert read[points[2].arn] is None
    assert read[points[3].arn] is not None
    assert [one.withheld_by for one in steps(found, "copy_snapshot", VAULT)] == [
        None,
        "incremental_required",
    ]


def test_what_increments_are_not_required_of_by_rpo_goes_in_its_turn() -> None:
    docs = gold(
        EVERYTHING,
        TO_VAULT,
        incremental=Incremental.REQUIRE,
        objectives=Objectives(rpo=timedelta(hours=26)),
    )
    assert slots(judged(docs, *after_a_failover(2, 1))) == {3: None}
