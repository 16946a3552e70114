"""Section 8, `next`: per policy, the next slot and what it will make."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from engine.documents.model import Condition, CopyRule, Cron, Every, Override, Schedule, Select
from engine.inventory.records import Instance, Snapshot
from engine.plans.plan import NextSlot
from tests.planning.builders import (
    DAY,
    DEFAULT_KEY,
    NOW,
    REKEY,
    SLOT,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    documents,
    failed_over,
    inventory,
    plan,
    terms,
)
from tests.planning.judging import EVERYTHING, ORDERS, due, gold

TOMORROW = SLOT + DAY
TO_VAULT = CopyRule("local", keep=EVERYTHING)


def ahead(docs: Any, instances: list[Instance], snapshots: list[Snapshot] | None = None) -> Any:
    found = plan(docs, inventory(instances, snapshots or []))
    return list(found.next)


def test_the_next_slot_and_what_it_will_make() -> None:
    points = [*daily(ORDERS, [1, 0]), *daily(ORDERS, [1, 0], VAULT)]
    assert ahead(due(EVERYTHING, TO_VAULT), [ORDERS], points) == [
        NextSlot("gold", TOMORROW, creates=1, copies=1, full=0)
    ]


def test_what_this_plan_makes_is_there_by_then() -> None:
    assert ahead(due(EVERYTHING, TO_VAULT), [ORDERS]) == [NextSlot("gold", TOMORROW, 1, 1, 0)]


def test_each_policy_is_told_by_itself() -> None:
    docs = documents(
        a_policy(terms=terms()),
        a_policy("silver", terms=terms(schedule=Schedule(Cron("30 4 * * *")))),
        a_policy("bronze", terms=terms()),
    )
    silver = [an_instance(f"users-{n}", tags={"tier": "silver"}) for n in (1, 2)]
    assert ahead(docs, [ORDERS, *silver]) == [
        NextSlot("gold", TOMORROW, 1, 0, 0),
        NextSlot("silver", SLOT + timedelta(hours=2, minutes=30), 2, 0, 0),
    ]


def test_what_will_be_full_is_counted() -> None:
    moved = failed_over(ORDERS)
    points = [*daily(ORDERS, [1, 0]), *daily(ORDERS, [1, 0], VAULT)]
    assert ahead(due(EVERYTHING, TO_VAULT), [moved], points)[0].full == 2


def test_a_copy_of_a_full_snapshot_is_full() -> None:
    points = [a_snapshot(ORDERS, ago(0), zone="euw1-az1"), *daily(ORDERS, [1, 0], VAULT)]
    assert ahead(due(EVERYTHING, TO_VAULT), [ORDERS], points)[0].full == 2


def test_copies_of_what_is_not_encrypted_are_full() -> None:
    bare = replace(ORDERS, encrypted=False, kms_key=None)
    points = [
        *daily(bare, [1, 0], keys=(None,)),
        *daily(bare, [1, 0], VAULT, keys=(None, VAULT_KEY)),
    ]
    assert ahead(due(EVERYTHING, TO_VAULT), [bare], points) == [NextSlot("gold", TOMORROW, 1, 1, 1)]


def test_the_way_over_a_bridge_has_a_chain_of_its_own() -> None:
    sealed = replace(ORDERS, kms_key=DEFAULT_KEY)
    way = (DEFAULT_KEY, REKEY, VAULT_KEY)
    points = [
        *daily(sealed, [1, 0], keys=(DEFAULT_KEY,)),
        *daily(sealed, [1, 0], VAULT, keys=way),
    ]
    assert ahead(due(EVERYTHING, TO_VAULT), [sealed], points)[0].full == 0
    direct = daily(sealed, [1, 0], VAULT, keys=(DEFAULT_KEY, VAULT_KEY))
    assert ahead(due(EVERYTHING, TO_VAULT), [sealed], [*points[:2], *direct])[0].full == 1


def test_only_the_first_point_of_each_period_is_sent() -> None:
    weekly = CopyRule("local", every=timedelta(days=7), keep=EVERYTHING)
    monday = SLOT - timedelta(days=5)
    sent = [a_snapshot(ORDERS, monday), a_snapshot(ORDERS, monday, VAULT)]
    assert ahead(due(EVERYTHING, weekly), [ORDERS], sent)[0].copies == 0
    last_week = [a_snapshot(ORDERS, ago(9)), a_snapshot(ORDERS, ago(9), VAULT)]
    found = ahead(gold(EVERYTHING, weekly, schedule=Schedule(Every(DAY))), [ORDERS], last_week)
    assert found[0].copies == 0, "the point of today is the first of this week"


def test_every_other_day_every_other_slot_is_sent() -> None:
    docs = due(EVERYTHING, CopyRule("local", every=timedelta(days=2), keep=EVERYTHING))
    told = [
        plan(docs, inventory([ORDERS]), NOW + number * DAY).next[0].copies for number in range(4)
    ]
    assert told in ([0, 1, 0, 1], [1, 0, 1, 0])


def test_databases_whose_next_slot_is_later_are_not_counted() -> None:
    late = Override(
        Select(Condition(identifiers=("late",))),
        {("snapshots", "schedule"): Schedule(Cron("0 9 22 * *"))},
    )
    docs = documents(a_policy(terms=terms(), overrides=(late,)))
    assert ahead(docs, [ORDERS, an_instance("late")]) == [NextSlot("gold", TOMORROW, 1, 0, 0)]


def test_a_target_whose_key_is_missing_gets_nothing() -> None:
    found = plan(due(EVERYTHING, TO_VAULT), inventory([ORDERS], scopes={VAULT: {"keys": {}}}))
    assert found.next == (NextSlot("gold", TOMORROW, 1, 0, 0),)


def test_without_a_schedule_a_database_or_a_next_slot_nothing_is_told() -> None:
    never = gold(EVERYTHING, schedule=Schedule(Cron("0 0 29 2 */7")))
    assert ahead(gold(), [ORDERS]) == []
    assert ahead(never, [ORDERS]) == []
    assert ahead(due(), [], daily(ORDERS, [1])) == []
    assert ahead(due(), [an_instance(tags={})]) == []
