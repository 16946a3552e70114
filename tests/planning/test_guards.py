"""Stage 8: limits withhold what they are about, and the rest is applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import (
    CopyRule,
    Documents,
    FullCopies,
    Guards,
    Incremental,
    MaxDeletes,
    Orphans,
    Retire,
)
from engine.documents.objective_model import Objectives
from engine.identity.marks import Role
from engine.inventory.records import Instance, Snapshot
from engine.plans.codes import Guard
from engine.plans.plan import Plan
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
    PROD_KEY,
    REMOTE,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    daily,
    deleted,
    documents,
    guard,
    held_back,
    inventory,
    key_arn,
    plan,
    step_of,
    steps,
    terms,
)
from tests.planning.judging import EVERYTHING, ONE, ORDERS, OTHER, due, gold, judged

OLD_KEY = key_arn(VAULT, "before")
TO_VAULT = CopyRule("local", keep=EVERYTHING)


def limited(docs: Documents, **guards: Any) -> Documents:
    return replace(docs, estate=replace(docs.estate, guards=Guards(**guards)))


def tripped(found: Plan) -> list[tuple[str, str, int]]:
    return [(s.guard.value, s.about, s.value) for s in found.guards if s.tripped]


def aged(instance: Instance, count: int, **changes: Any) -> list[Snapshot]:
    """So many points, all of them older than two days."""
    return daily(instance, range(count + 2, 2, -1), **changes)


# -- max_deletes ---------------------------------------------------------------------------------


def test_deletes_beyond_the_limit_are_withheld() -> None:
    docs = limited(gold(), max_deletes=MaxDeletes(count=3, percent=100))
    found = judged(docs, *aged(ORDERS, 5))
    assert tripped(found) == [
        ("max_deletes", f"{ORDERS.location}/orders-1 at {PROD}", 4),
        ("max_deletes", "the estate", 4),
    ]
    assert set(held_back(found).values()) == {"max_deletes"}
    assert len(held_back(found)) == len(deleted(found)) == 4
    state = found.guards[0]
    assert state.limit == 3
    assert set(state.withholds) == set(held_back(found))
    assert "4 deletes beyond the points that became available in the last 48 h" in state.text


def test_deletes_within_the_limit_pass_and_the_figure_is_told() -> None:
    docs = limited(gold(), max_deletes=MaxDeletes(count=4, percent=100))
    found = judged(docs, *aged(ORDERS, 5))
    assert held_back(found) == {}
    [state] = found.guards
    assert (state.guard, state.tripped, state.limit, state.value) == (
        Guard.MAX_DELETES,
        False,
        4,
        4,
    )


def test_points_that_became_available_in_the_last_two_days_allow_as_many() -> None:
    docs = limited(gold(), max_deletes=MaxDeletes(count=3, percent=100))
    assert tripped(judged(docs, *aged(ORDERS, 5)))
    fresh = [a_snapshot(ORDERS, ago(day)) for day in (1.5, 1)]
    found = judged(docs, *aged(ORDERS, 4), *fresh)
    assert len(deleted(found)) == 5
    assert tripped(found) == [], "five, of which two were to be expected"


@pytest.mark.parametrize(("hours", "excess"), [(47, 3), (49, 4)])
def test_available_means_made_and_the_reach_is_two_days(hours: int, excess: int) -> None:
    docs = limited(gold(), max_deletes=MaxDeletes(count=0, percent=100))
    made = a_snapshot(ORDERS, ago(3), made_at=NOW - timedelta(hours=hours))
    found = judged(docs, *daily(ORDERS, [7, 6, 5, 4]), made)
    assert [state.value for state in found.guards] == [excess + 1 - 1] * 2


def test_planned_points_count_as_available() -> None:
    docs = limited(due(), max_deletes=MaxDeletes(count=0, percent=100))
    found = judged(docs, a_snapshot(ORDERS, ago(3)))
    assert len(deleted(found)) == 1
    assert tripped(found) == []


def test_a_planned_bridge_is_no_point() -> None:
    sealed = replace(ORDERS, kms_key=DEFAULT_KEY)
    docs = limited(gold(ONE, TO_VAULT), max_deletes=MaxDeletes(count=0, percent=100))
    points = daily(sealed, [5, 4], keys=(DEFAULT_KEY,))
    found = plan(docs, inventory([sealed], points))
    assert step_of(found, "copy_snapshot", PROD).parameters["Tags"]["engine:role"] == Role.BRIDGE
    assert tripped(found)[0][2] == 1


def test_deletes_of_what_is_no_point_are_not_counted() -> None:
    docs = limited(gold(), max_deletes=MaxDeletes(count=0, percent=0))
    failed = [a_snapshot(ORDERS, ago(day), status="failed") for day in range(3, 12)]
    bridges = daily(ORDERS, [5, 4, 3], role=Role.BRIDGE)
    found = judged(docs, *failed, *bridges, a_snapshot(ORDERS, ago(1)))
    assert len(deleted(found)) == 11
    assert held_back(found) == {}


@pytest.mark.parametrize(("points", "trips"), [(6, False), (7, True)])
def test_the_percentage_counts_only_when_more_than_five_are_in_excess(
    points: int, trips: bool
) -> None:
    docs = limited(gold(), max_deletes=MaxDeletes(count=50, percent=20))
    found = judged(docs, *aged(ORDERS, points))
    assert len(deleted(found)) == points - 1
    assert bool(tripped(found)) is trips


@pytest.mark.parametrize(("percent", "trips"), [(59, True), (60, False)])
def test_the_percentage_is_of_the_points_there(percent: int, trips: bool) -> None:
    docs = limited(gold(Keep(last=4)), max_deletes=MaxDeletes(count=50, percent=percent))
    found = judged(docs, *aged(ORDERS, 10))
    assert len(deleted(found)) == 6
    assert bool(tripped(found)) is trips


def test_each_source_and_location_is_measured_by_itself() -> None:
    docs = limited(
        gold(ONE, CopyRule("local", keep=ONE)), max_deletes=MaxDeletes(count=3, percent=100)
    )
    few, many = daily(ORDERS, [5, 4, 3]), daily(ORDERS, range(9, 2, -1), VAULT)
    found = judged(docs, *few, *many)
    withheld = {step.location.account for step in found.steps if step.withheld_by}
    assert tripped(found)[0] == ("max_deletes", f"{PROD}/orders-1 at {VAULT}", 6)
    assert VAULT.account in withheld


def many_sources(count: int, points: int) -> tuple[list[Instance], list[Snapshot]]:
    instances = [an_instance(f"orders-{number}") for number in range(count)]
    return instances, [s for instance in instances for s in aged(instance, points)]


def test_the_estate_is_measured_as_a_whole() -> None:
    docs = limited(gold(), max_deletes=MaxDeletes(count=3, percent=100))
    instances, points = many_sources(2, 3)
    found = plan(docs, inventory(instances, points))
    assert tripped(found) == [("max_deletes", "the estate", 4)]
    assert len(held_back(found)) == 4
    assert plan(limited(docs, max_deletes=MaxDeletes(4, 100)), inventory(instances, points)).guards


def test_a_place_may_be_over_its_percentage_though_the_estate_is_not() -> None:
    quiet = an_instance("quiet")
    found = plan(gold(EVERYTHING), inventory([quiet], aged(quiet, 34)))
    assert deleted(found) == set()
    silver = a_policy("silver", terms=terms(ONE, schedule=None))
    docs = replace(gold(EVERYTHING), policies={**gold(EVERYTHING).policies, "silver": silver})
    mine = replace(ORDERS, tags={"tier": "silver"})
    points = [*aged(quiet, 34), *aged(mine, 7, policy="silver")]
    found = plan(docs, inventory([mine, quiet], points))
    assert tripped(found) == [("max_deletes", f"{PROD}/orders-1 at {PROD}", 6)]
    assert len(held_back(found)) == 6


def test_what_is_not_in_excess_goes_though_the_estate_is_over_its_limit() -> None:
    docs = limited(gold(), max_deletes=MaxDeletes(count=3, percent=100))
    instances, points = many_sources(2, 3)
    usual = an_instance("usual")
    new = [a_snapshot(usual, ago(3)), a_snapshot(usual, ago(1))]
    found = plan(docs, inventory([*instances, usual], [*points, *new]))
    assert new[0].arn in deleted(found)
    assert all("usual" not in name for name in held_back(found))


def test_a_jump_of_within_over_a_gap_is_excess() -> None:
    """No point for a month; then one makes all that was within reach fall out of it at once."""
    docs = due(Keep(within=Span(days=14)))
    before = daily(ORDERS, range(43, 30, -1))
    found = judged(docs, *before)
    assert len(deleted(found)) == 13
    assert tripped(found)[0][:2] == ("max_deletes", f"{PROD}/orders-1 at {PROD}")
    assert {step.withheld_by for step in steps(found, "delete_snapshot")} == {"max_deletes"}
    assert step_of(found, "create_snapshot").withheld_by is None


def test_orphans_and_retired_points_count() -> None:
    orphans = Orphans(Span(days=7), keep_last=0)
    docs = documents(a_policy(terms=terms(ONE, orphans=orphans)))
    gone = plan(docs, inventory([], aged(ORDERS, 7, gone_since=ago(30))))
    assert tripped(gone)[0][2] == 7
    estate = an_estate(retire=(Retire(policy="bronze"),))
    retired = plan(
        replace(gold(), estate=estate), inventory([ORDERS], aged(ORDERS, 8, policy="bronze"))
    )
    assert tripped(retired)[0][2] == 7


# -- two policies for one database ---------------------------------------------------------------


def rivals(docs: Documents) -> Documents:
    rival = replace(docs.policies["gold"], name="rival")
    return replace(docs, policies={**docs.policies, "rival": rival})


def test_of_a_database_that_two_policies_match_nothing_is_deleted() -> None:
    found = judged(rivals(due()), *daily(ORDERS, [3, 2, 1]))
    state = guard(found, "policy_conflict")
    assert (state.about, state.value, state.limit) == (f"{PROD}/orders-1", 3, None)
    assert state.text == (
        "matched by gold, rival: the first makes its points, nothing of it is deleted"
    )
    assert {step.withheld_by for step in steps(found, "delete_snapshot")} == {"policy_conflict"}
    create = step_of(found, "create_snapshot")
    assert (create.policy, create.withheld_by) == ("gold", None)


def test_a_conflict_without_deletes_withholds_nothing() -> None:
    found = judged(rivals(due()))
    states = [state for state in found.guards if state.guard == Guard.POLICY_CONFLICT]
    assert [(state.tripped, state.withholds) for state in states] == [(False, ())]


def test_a_conflict_does_not_keep_what_failed_from_being_made_again() -> None:
    failed = a_snapshot(ORDERS, ago(0), status="failed")
    found = judged(rivals(due()), failed)
    assert held_back(found) == {}
    assert step_of(found, "create_snapshot").arn == failed.arn


# -- incremental ---------------------------------------------------------------------------------


def full_copy(mode: Incremental, **changes: Any) -> tuple[Documents, list[Snapshot]]:
    """The vault's key changed, so that the next copy will be full."""
    docs = gold(EVERYTHING, TO_VAULT, incremental=mode, **changes)
    before = daily(ORDERS, [3, 2], VAULT, keys=(PROD_KEY, OLD_KEY))
    return docs, [*daily(ORDERS, [3, 2, 1]), *before]


def test_require_withholds_copies_forecast_full_and_what_only_served_them() -> None:
    docs, points = full_copy(Incremental.REQUIRE)
    found = judged(docs, *points)
    copy = step_of(found, "copy_snapshot")
    assert copy.withheld_by == "incremental_required"
    assert step_of(found, "share_snapshot").withheld_by == copy.id
    assert step_of(found, "unshare_snapshot").withheld_by == copy.id
    assert guard(found, "incremental_required").withholds == (copy.id,)


def test_an_unshare_does_not_wait_for_a_copy_that_is_withheld() -> None:
    docs = gold(EVERYTHING, TO_VAULT, CopyRule("remote"), incremental=Incremental.REQUIRE)
    there = daily(ORDERS, [3, 2], REMOTE, keys=(PROD_KEY, OLD_KEY))
    found = judged(docs, *daily(ORDERS, [3, 2, 1]), *daily(ORDERS, [3, 2], VAULT), *there)
    copied = step_of(found, "copy_snapshot", VAULT)
    withheld = step_of(found, "copy_snapshot", REMOTE)
    assert (copied.withheld_by, withheld.withheld_by) == (None, "incremental_required")
    share, unshare = step_of(found, "share_snapshot"), step_of(found, "unshare_snapshot")
    assert (share.withheld_by, unshare.withheld_by) == (None, None)
    assert unshare.depends_on == (copied.id, share.id)


def test_require_lets_increments_pass() -> None:
    docs, _ = full_copy(Incremental.REQUIRE)
    found = judged(docs, *daily(ORDERS, [3, 2, 1]), *daily(ORDERS, [3, 2], VAULT))
    assert held_back(found) == {}


def test_require_never_withholds_a_primary() -> None:
    docs = due(EVERYTHING, incremental=Incremental.REQUIRE)
    found = judged(docs, a_snapshot(ORDERS, ago(1), zone=OTHER))
    create = step_of(found, "create_snapshot")
    assert create.forecast is not None
    assert (create.forecast.verdict, create.withheld_by) == ("full", None)


def test_require_never_withholds_a_first_copy_at_a_location() -> None:
    docs, points = full_copy(Incremental.REQUIRE)
    found = judged(docs, *points[:3])
    assert step_of(found, "copy_snapshot").withheld_by is None


def test_the_first_copy_of_a_restored_database_is_a_first_one() -> None:
    """Its predecessor's copies are judged together with its own, but no base for it."""
    restored = replace(ORDERS, resource_id="db-RESTORED")
    docs = due(EVERYTHING, TO_VAULT, incremental=Incremental.REQUIRE)
    before = [*daily(ORDERS, [2, 1]), *daily(ORDERS, [2, 1], VAULT)]
    found = plan(docs, inventory([restored], before))
    copy = step_of(found, "copy_snapshot")
    assert copy.forecast is not None
    assert (copy.forecast.verdict, copy.withheld_by) == ("full", None)


def test_a_first_copy_in_flight_is_the_first_one() -> None:
    docs, points = full_copy(Incremental.REQUIRE)
    odd = replace(points[3], status="odd")
    found = judged(docs, *points[:3], odd)
    assert step_of(found, "copy_snapshot").withheld_by == "incremental_required"


@pytest.mark.parametrize(("hours", "withheld"), [(72, True), (36, False)])
def test_require_never_withholds_a_copy_whose_absence_breaks_its_rpo(
    hours: int, withheld: bool
) -> None:
    rpo = Objectives(rpo=timedelta(hours=hours))
    docs, points = full_copy(Incremental.REQUIRE, objectives=rpo)
    found = judged(docs, *points)
    assert (step_of(found, "copy_snapshot").withheld_by is not None) is withheld


def test_only_available_points_count_for_the_rpo() -> None:
    rpo = Objectives(rpo=timedelta(hours=72))
    docs, points = full_copy(Incremental.REQUIRE, objectives=rpo)
    odd = [replace(point, status="odd") for point in points[3:]]
    found = judged(docs, *points[:3], *odd)
    assert step_of(found, "copy_snapshot").withheld_by is None


def test_prefer_warns() -> None:
    docs, points = full_copy(Incremental.PREFER)
    found = judged(docs, *points)
    assert held_back(found) == {}
    [warned] = [warned for warned in found.warnings if warned.code.startswith("W402")]
    assert (warned.code, warned.severity) == ("W402 full-copy", "warning")
    assert (warned.source, warned.policy) == (f"{PROD}/orders-1", "gold")
    assert warned.text == (
        f"its copy of 2026-11-20 02:00Z to {VAULT} will be stored in full: no copy of this "
        f"database from euw1-az2 under this key in {VAULT} yet"
    )


@pytest.mark.parametrize("mode", [Incremental.IGNORE, Incremental.REQUIRE])
def test_ignore_is_silent_and_require_has_its_guard(mode: Incremental) -> None:
    docs, points = full_copy(mode)
    found = judged(docs, *points)
    assert not [warned for warned in found.warnings if warned.code.startswith("W402")]


def test_prefer_does_not_warn_of_first_copies_and_of_what_is_withheld() -> None:
    docs, points = full_copy(Incremental.PREFER)
    budget = FullCopies(count=0)
    for found in (judged(docs, *points[:3]), judged(limited(docs, full_copies=budget), *points)):
        assert not [warned for warned in found.warnings if warned.code.startswith("W402")]


# -- the budget of full copies -------------------------------------------------------------------


def first_copies(names: Iterable[str], **changes: Any) -> tuple[list[Instance], list[Snapshot]]:
    instances = [an_instance(name, **changes) for name in names]
    return instances, [a_snapshot(instance, ago(1)) for instance in instances]


def budgeted(budget: FullCopies, *others: Snapshot, **changes: Any) -> Plan:
    instances, points = first_copies(("alpha", "beta", "gamma"), **changes)
    docs = limited(gold(EVERYTHING, TO_VAULT), full_copies=budget)
    found = plan(docs, inventory(instances, [*points, *others]))
    assert not found.findings
    return found


def sent(found: Plan) -> list[str]:
    return [s.source.identifier for s in steps(found, "copy_snapshot") if not s.withheld_by]


def test_full_copies_beyond_the_budget_wait() -> None:
    found = budgeted(FullCopies(count=2))
    assert sent(found) == ["alpha", "beta"]
    state = guard(found, "full_copies")
    assert (state.limit, state.value) == (2, 3)
    assert state.text == "1 full copies beyond the budget of 2 copies"


def test_the_budget_may_be_in_gib() -> None:
    found = budgeted(FullCopies(gib=250))
    assert sent(found) == ["alpha", "beta"]
    assert guard(found, "full_copies").text == "1 full copies beyond the budget of 250 GiB"


def test_both_budgets_hold() -> None:
    found = budgeted(FullCopies(count=1, gib=250))
    assert sent(found) == ["alpha"]
    assert guard(found, "full_copies").text.endswith("the budget of 1 copies and 250 GiB")


def test_without_a_budget_all_are_sent() -> None:
    assert sent(budgeted(FullCopies())) == ["alpha", "beta", "gamma"]


def test_within_the_budget_nothing_trips() -> None:
    assert tripped(budgeted(FullCopies(count=3))) == []


def test_first_copies_come_before_repeated_ones() -> None:
    alpha = an_instance("alpha")
    again = a_snapshot(alpha, ago(2), VAULT, keys=(PROD_KEY, OLD_KEY))
    assert sent(budgeted(FullCopies(count=2), again)) == ["beta", "gamma"]


def test_a_copy_whose_absence_breaks_its_rpo_needs_no_budget() -> None:
    instances, points = first_copies(("alpha", "beta"))
    docs = gold(EVERYTHING, TO_VAULT, objectives=Objectives(rpo=timedelta(hours=26)))
    found = plan(limited(docs, full_copies=FullCopies(count=0)), inventory(instances, points))
    assert sent(found) == ["alpha", "beta"]


def test_what_another_guard_withholds_needs_no_budget() -> None:
    docs, points = full_copy(Incremental.REQUIRE)
    instances, others = first_copies(("zeta",))
    docs = limited(docs, full_copies=FullCopies(count=1))
    found = plan(docs, inventory([ORDERS, *instances], [*points, *others]))
    assert sent(found) == ["zeta"]
    assert [guard for guard, _, _ in tripped(found)] == ["incremental_required"]


# -- what only protects, and what only reports ---------------------------------------------------


def test_min_points_and_an_incomplete_inventory_trip_no_guard() -> None:
    docs = limited(gold(ONE, TO_VAULT), min_points=3)
    blind = {VAULT: {"instances": None, "snapshots": None}}
    found = judged(docs, *daily(ORDERS, [3, 2, 1]), scopes=blind)
    assert tripped(found) == []
    assert held_back(found) == {}


def test_objectives_withhold_nothing() -> None:
    docs = due(objectives=Objectives(rpo=timedelta(minutes=1), rto=timedelta(minutes=1)))
    found = judged(docs, *daily(ORDERS, [9, 8]))
    assert held_back(found) == {}
