"""Points that are copies of automated snapshots: of which one, and when they wait."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import (
    CatchUp,
    CopyRule,
    Every,
    Incremental,
    MadeOf,
    ReplicaSource,
    Target,
)
from engine.identity.marks import Role, fingerprint
from engine.inventory.records import (
    Event,
    Instance,
    Quota,
    Snapshot,
    SnapshotType,
)
from engine.plans.plan import Plan, Step
from engine.retention.keep import Keep
from tests.planning.builders import (
    DAILY,
    ESTATE,
    PROD,
    PROD_KEY,
    SLOT,
    VAULT,
    VAULT_KEY,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    documents,
    held_back,
    inventory,
    kept,
    origin_of,
    plan,
    step_of,
    steps,
    terms,
    waits,
)

ORDERS = an_instance(backup_retention_days=7, backup_window="22:00-22:30")
COPIES = (CopyRule("local"),)
KEYS = (PROD_KEY, PROD_KEY)
HOURS = timedelta(hours=1)
LAST_EVENING = SLOT - 4 * HOURS


def an_automated(days: float, instance: Instance = ORDERS, **changes: Any) -> Snapshot:
    """An automated snapshot, taken four hours before the slot so many days ago."""
    taken = ago(days) - 4 * HOURS
    name = f"rds:{instance.identifier}-{taken:%Y-%m-%d-%H-%M}"
    found = a_foreign_snapshot(instance, taken, type=SnapshotType.AUTOMATED)
    arn = f"{found.arn.rpartition(':')[0]}:{name}"
    return replace(found, **({"identifier": name, "arn": arn} | changes))


def a_seeded(days: float, *where: Any, **changes: Any) -> Snapshot:
    """A point that was copied from the automated snapshot before it."""
    keys = (*KEYS, VAULT_KEY) if where else KEYS
    taken = ago(days) - 4 * HOURS
    return a_snapshot(ORDERS, ago(days), *where, **({"taken_at": taken, "keys": keys} | changes))


def planned(
    snapshots: Iterable[Snapshot],
    database: Instance = ORDERS,
    *,
    now: datetime = SLOT + HOURS / 6,
    scopes: Any = None,
    quotas: Any = None,
    **changes: Any,
) -> Plan:
    policy = a_policy(terms=terms(**({"made_of": MadeOf.AUTOMATED} | changes)))
    world = inventory([database], snapshots, scopes=scopes, quotas=quotas)
    return plan(documents(policy), world, now)


def seed(found: Plan) -> Step:
    """The step that makes the point."""
    assert steps(found, "create_snapshot") == []
    return step_of(found, "copy_snapshot", PROD)


def test_a_point_is_a_copy_of_the_newest_automated_snapshot() -> None:
    step = seed(planned([an_automated(1), an_automated(0)]))
    assert origin_of(step) == an_automated(0).arn
    assert "KmsKeyId" not in step.parameters
    assert step.reason.code == "slot_due"
    assert step.reason.text.endswith("copied from rds:orders-1-2026-11-20-22-00")
    asked = [(one.check.value, one.arn, one.expected) for one in step.preconditions]
    assert asked[0] == ("automated_snapshot", an_automated(0).arn, ORDERS.resource_id)
    assert [check for check, _, _ in asked] == ["automated_snapshot", "absent"]


def test_it_is_named_and_tagged_as_any_primary_but_one_key_deeper() -> None:
    step = seed(planned([an_automated(0)]))
    tags = step.parameters["Tags"]
    made = step_of(planned([], made_of=MadeOf.DATABASE), "create_snapshot")
    assert step.snapshot == made.snapshot
    assert tags["engine:role"] == "primary"
    assert "engine:origin" not in tags
    assert tags["engine:keys"] == "/".join([made.parameters["Tags"]["engine:keys"]] * 2)
    assert (tags["engine:volume"], tags["engine:az"]) == (ORDERS.resource_id, "euw1-az2")
    assert tags["engine:az-checked"] == "true"


def test_a_point_made_so_covers_its_slot_and_leaves_nothing_to_do() -> None:
    found = planned([an_automated(0), a_seeded(0)])
    assert found.steps == ()
    assert found.drift == ()


def test_a_copy_to_a_target_waits_for_it() -> None:
    found = planned([an_automated(0)], copies=COPIES)
    copy = step_of(found, "copy_snapshot", VAULT)
    assert origin_of(copy) == seed(found).arn
    assert seed(found).id in copy.depends_on
    assert copy.parameters["Tags"]["engine:keys"].count("/") == 2


NOT_TAKEN: list[tuple[str, list[Snapshot]]] = [
    ("none", []),
    ("one before the last slot", [an_automated(1)]),
    ("one on its way", [an_automated(0, status="creating")]),
    ("one by hand", [a_foreign_snapshot(ORDERS, ago(0) - 4 * HOURS)]),
    ("another database's", [an_automated(0, resource_id="db-OTHER")]),
    (
        "one that the newest point holds",
        [an_automated(0), a_seeded(1, taken_at=ago(0) - 4 * HOURS)],
    ),
]


@pytest.mark.parametrize(("why", "there"), NOT_TAKEN, ids=[why for why, _ in NOT_TAKEN])
def test_without_a_new_automated_snapshot_the_point_waits(why: str, there: list[Snapshot]) -> None:
    found = planned(there)
    assert [one for one in found.steps if one.action.value != "delete_snapshot"] == []
    assert waits(found) == ["no_automated_snapshot"]
    assert "no automated snapshot of orders-1 since 2026-11-20" in found.waiting[0].text


def test_what_was_taken_before_the_last_slot_was_that_slots_to_copy() -> None:
    often = replace(DAILY, cadence=Every(3 * HOURS), window=None)
    now = SLOT + HOURS + HOURS / 6
    assert waits(planned([an_automated(0)], schedule=often, now=now)) == ["no_automated_snapshot"]
    fresh = an_automated(-1 / 8)
    assert origin_of(seed(planned([fresh], schedule=often, now=now))) == fresh.arn


def test_a_replicas_automated_snapshots_are_not_its_databases() -> None:
    replica = an_instance("orders-1-r", replica_of="orders-1", multi_az=False, secondary_zone=None)
    database = replace(ORDERS, replicas=("orders-1-r",))
    there = [an_automated(0, replica)]
    policy = a_policy(terms=terms(made_of=MadeOf.AUTOMATED))
    found = plan(documents(policy), inventory([database, replica], there))
    assert waits(found) == ["no_automated_snapshot"]
    of_it = a_policy(terms=terms(made_of=MadeOf.AUTOMATED, source=ReplicaSource("orders-1-r")))
    found = plan(documents(of_it), inventory([database, replica], there))
    assert origin_of(seed(found)) == there[0].arn
    assert seed(found).parameters["Tags"]["engine:volume"] == replica.resource_id


def test_a_database_without_automated_backups_is_told_so() -> None:
    found = planned([], replace(ORDERS, backup_retention_days=0))
    assert "orders-1 has no automated backups" in found.waiting[0].text


def test_a_late_one_is_taken_as_catch_up_says() -> None:
    there = [an_automated(0), a_seeded(2)]
    late = SLOT + 6 * HOURS
    assert seed(planned(there, now=late))
    never = replace(DAILY, catch_up=CatchUp.NONE)
    assert waits(planned(there, now=late, schedule=never)) == ["slot_missed"]


def test_a_stopped_database_has_automated_snapshots_to_copy() -> None:
    assert seed(planned([an_automated(0)], replace(ORDERS, status="stopped")))


def test_nothing_is_copied_near_the_automated_backup_window() -> None:
    """RDS skips its own backup while a copy of the same database runs in the region."""
    near = replace(ORDERS, backup_window="02:30-03:00")
    assert waits(planned([an_automated(0, near)], near)) == ["automated_backup_window"]


# -- what is known of it ---------------------------------------------------------------------------


def zone(found: Plan) -> tuple[str, bool]:
    tags = seed(found).parameters["Tags"]
    return tags["engine:az"], "engine:az-checked" in tags


def told(category: str, days: float, source: str = "orders-1") -> dict[Any, Any]:
    return {PROD: {"events": (Event(ago(days), source, "", (category,)),)}}


def test_the_zone_is_known_while_the_instance_stays() -> None:
    assert zone(planned([an_automated(0)])) == ("euw1-az2", True)
    assert zone(planned([an_automated(0)], scopes=told("failover", 1))) == ("euw1-az2", True)
    other = told("failover", 0.01, "orders-2")
    assert zone(planned([an_automated(0)], scopes=other)) == ("euw1-az2", True)


@pytest.mark.parametrize("category", ["failover", "configuration change", "recovery"])
def test_the_zone_is_unknown_once_the_instance_may_have_moved(category: str) -> None:
    assert zone(planned([an_automated(0)], scopes=told(category, 0.01))) == ("unknown", False)


@pytest.mark.parametrize("seen", ["eu-west-1b", None])
def test_the_zone_is_unknown_where_the_record_says_another_one(seen: str | None) -> None:
    found = planned([an_automated(0, availability_zone=seen)])
    assert zone(found) == ("unknown", False)
    forecast = seed(found).forecast
    assert forecast is not None
    assert forecast.rule == "zone_unknown"


def rules(found: Plan) -> list[tuple[str, str]]:
    return [(one.forecast.verdict, one.forecast.rule) for one in found.steps if one.forecast]


def test_forecasts_never_promise_more_than_is_known_of_the_automated_snapshot() -> None:
    first = planned([an_automated(0)], copies=COPIES)
    assert rules(first) == [("full", "first_in_chain")] * 2
    before = [a_seeded(1), a_seeded(1, VAULT)]
    next_one = planned([an_automated(0), *before], copies=COPIES)
    assert rules(next_one) == [
        ("likely_incremental", "origin_unknown"),
        ("likely_incremental", "origin_likely"),
    ]
    assert [(one.creates, one.copies, one.full) for one in next_one.next] == [(1, 1, 0)]


def test_points_made_otherwise_are_of_another_chain() -> None:
    made = [a_snapshot(ORDERS, ago(day)) for day in (2, 1)]
    found = planned([an_automated(0), *made], keep=Keep(last=1))
    assert rules(found) == [("full", "first_in_chain")]
    assert kept(found, made[1]) == ["chain_base"]


# -- it is a point, whatever the call --------------------------------------------------------------


def test_no_guard_on_copies_withholds_it() -> None:
    found = planned([an_automated(0)], incremental=Incremental.REQUIRE)
    assert held_back(found) == {}


def test_it_gets_the_room_before_a_copy_from_elsewhere() -> None:
    arn = f"arn:aws:rds:{VAULT.region}:{VAULT.account}:db:away"
    away = an_instance("away", location=VAULT, arn=arn)
    away = replace(away, tags={"tier": "silver"}, kms_key=VAULT_KEY)
    point = replace(a_snapshot(away, SLOT, keys=(VAULT_KEY,), policy="silver"), location=VAULT)
    here = Target("here", "prod", PROD.region, "alias/orders")
    docs = documents(
        a_policy(terms=terms(made_of=MadeOf.AUTOMATED)),
        a_policy("silver", terms=terms(copies=[CopyRule("here")])),
        estate=an_estate(targets={"here": here}),
    )
    arn = point.arn.replace(PROD.account, VAULT.account)
    proof = fingerprint(ESTATE, Role.PRIMARY, VAULT, away.resource_id, "silver", SLOT)
    there = replace(point, identifier=f"away-{proof}", arn=f"{arn.rpartition(':')[0]}:away-{proof}")
    snapshots = [an_automated(0), a_seeded(1), there]
    world = inventory([ORDERS, away], snapshots, quotas={PROD: Quota(99, 100)})
    found = plan(docs, world)
    seeded, copy = sorted(steps(found, "copy_snapshot", PROD), key=lambda one: one.policy)
    assert (seeded.policy, copy.policy) == ("gold", "silver")
    assert (seeded.withheld_by, copy.withheld_by) == (None, "quota")


def test_retention_judges_it_by_its_slot() -> None:
    points = [a_seeded(day) for day in (4, 3, 2, 1)]
    found = planned([an_automated(0), *points], keep=Keep(last=2))
    assert {one.arn for one in steps(found, "delete_snapshot")} == {p.arn for p in points[:3]}
