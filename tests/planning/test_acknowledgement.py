"""Stage 8, acknowledgement: a digest names what a guard withholds, and lets it go."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from engine.documents.model import CopyRule, Documents, FullCopies, Guards, Incremental, MaxDeletes
from engine.inventory.records import Inventory, Quota, Snapshot
from engine.plans.plan import Plan
from tests.planning.builders import (
    NOW,
    PROD,
    PROD_KEY,
    VAULT,
    a_snapshot,
    ago,
    an_instance,
    daily,
    deleted,
    guard,
    held_back,
    inventory,
    key_arn,
    plan,
    step_of,
    steps,
)
from tests.planning.judging import EVERYTHING, ORDERS, due, gold

STRICT = Guards(max_deletes=MaxDeletes(count=2, percent=100))
TO_VAULT = CopyRule("local", keep=EVERYTHING)
LATER = NOW + timedelta(minutes=30)


def guarded(docs: Documents, guards: Guards) -> Documents:
    return replace(docs, estate=replace(docs.estate, guards=guards))


def digests(found: Plan) -> frozenset[str]:
    return frozenset(state.acknowledge for state in found.guards if state.acknowledge)


def many() -> tuple[Documents, Inventory]:
    return guarded(gold(), STRICT), inventory([ORDERS], daily(ORDERS, [8, 7, 6, 5, 4]))


def test_a_digest_that_is_acknowledged_lets_what_it_names_go() -> None:
    docs, found = many()
    held = plan(docs, found)
    assert len(held_back(held)) == 4
    let_go = plan(docs, found, acknowledged=digests(held))
    assert held_back(let_go) == {}
    assert {(s.tripped, s.acknowledged, s.withholds) for s in let_go.guards} == {(True, True, ())}
    assert digests(let_go) == digests(held)


def test_the_estate_may_acknowledge_as_well() -> None:
    docs, found = many()
    guards = replace(STRICT, acknowledged=digests(plan(docs, found)))
    assert held_back(plan(guarded(docs, guards), found)) == {}


def test_a_digest_lets_nothing_else_go() -> None:
    docs, found = many()
    digest = digests(plan(docs, found))
    more = inventory([ORDERS], daily(ORDERS, [9, 8, 7, 6, 5, 4]))
    assert len(held_back(plan(docs, more, acknowledged=digest))) == 5
    assert held_back(plan(docs, found, acknowledged=frozenset({"0123456789abcdef"})))


def test_the_digest_still_fits_on_the_next_run() -> None:
    """The first run made the point that was due; the deletes are the same."""
    docs = guarded(due(), STRICT)
    points = daily(ORDERS, [8, 7, 6, 5, 4])
    first = plan(docs, inventory([ORDERS], points))
    made = a_snapshot(ORDERS, ago(0))
    assert step_of(first, "create_snapshot").arn == made.arn
    then = inventory([ORDERS], [*points, made])
    second = plan(docs, then, LATER)
    assert digests(second) == digests(first)
    let_go = plan(docs, then, LATER, acknowledged=digests(first))
    assert held_back(let_go) == {}
    assert len(deleted(let_go)) == 5


def test_one_digest_lets_one_source_go_and_another_one_the_estate() -> None:
    instances = [an_instance("alpha"), an_instance("beta")]
    points = [s for one in instances for s in daily(one, [8, 7, 6, 5])]
    docs, found = guarded(gold(), STRICT), inventory(instances, points)
    held = plan(docs, found)
    alpha, beta, estate = (state.acknowledge or "" for state in held.guards)
    half = plan(docs, found, acknowledged=frozenset({alpha, estate}))
    assert {name.split("/")[2][:4] for name in held_back(half)} == {"beta"}
    assert held_back(plan(docs, found, acknowledged=frozenset({alpha, beta, estate}))) == {}
    assert len(held_back(plan(docs, found, acknowledged=frozenset({alpha, beta})))) == 6


def test_the_same_deletes_have_one_digest_for_source_and_estate() -> None:
    docs, found = many()
    assert len(digests(plan(docs, found))) == 1


# -- copies --------------------------------------------------------------------------------------


def changed_key(now_at_home: list[Snapshot]) -> Inventory:
    before = daily(ORDERS, [3, 2], VAULT, keys=(PROD_KEY, key_arn(VAULT, "before")))
    return inventory([ORDERS], [*now_at_home, *before])


def test_an_acknowledged_full_copy_is_made_with_its_share() -> None:
    docs = gold(EVERYTHING, TO_VAULT, incremental=Incremental.REQUIRE)
    found = changed_key(daily(ORDERS, [3, 2, 1]))
    held = plan(docs, found)
    let_go = plan(docs, found, LATER, acknowledged=digests(held))
    assert held_back(held)
    assert held_back(let_go) == {}
    assert guard(let_go, "incremental_required").acknowledged


def test_the_copy_that_is_withheld_stays_the_same_while_new_points_are_made() -> None:
    docs = gold(EVERYTHING, TO_VAULT, incremental=Incremental.REQUIRE)
    today = plan(docs, changed_key(daily(ORDERS, [3, 2, 1])))
    tomorrow = plan(docs, changed_key(daily(ORDERS, [3, 2, 1, 0])), NOW + timedelta(days=1))
    assert digests(today) == digests(tomorrow)


def three(copied: list[str], now: datetime, **options: frozenset[str]) -> Plan:
    instances = [an_instance(name) for name in ("alpha", "beta", "gamma")]
    points = [a_snapshot(instance, ago(1)) for instance in instances]
    points += [a_snapshot(one, ago(1), VAULT) for one in instances if one.identifier in copied]
    docs = guarded(gold(EVERYTHING, TO_VAULT), Guards(full_copies=FullCopies(count=1)))
    return plan(docs, inventory(instances, points), now, **options)


def test_full_copies_beyond_the_budget_may_be_let_go_at_once() -> None:
    held = three([], NOW)
    let_go = three([], NOW, acknowledged=digests(held))
    assert len(held_back(held)) == 6
    assert held_back(let_go) == {}


def test_they_may_still_be_let_go_when_the_budget_was_used_in_the_meantime() -> None:
    """The first run sent alpha's; beta's would now fit the budget, gamma's would not."""
    held = three([], NOW)
    let_go = three(["alpha"], LATER, acknowledged=digests(held))
    assert held_back(let_go) == {}
    assert len(steps(let_go, "copy_snapshot")) == 2


def test_a_quota_and_a_conflict_cannot_be_acknowledged() -> None:
    rival = replace(due().policies["gold"], name="rival")
    docs = replace(due(), policies={**due().policies, "rival": rival})
    full = inventory([ORDERS], daily(ORDERS, [2, 1]), quotas={PROD: Quota(2, 2)})
    found = plan(docs, full)
    states = {state.guard.value: state for state in found.guards if state.tripped}
    assert set(states) == {"quota", "policy_conflict"}
    assert {state.acknowledge for state in states.values()} == {None}
