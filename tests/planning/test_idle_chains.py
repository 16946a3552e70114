"""Bases of zones that are not used now: until when they are kept, and what a return spares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from engine.documents.model import CopyRule, ReplicaSource
from engine.identity.marks import Role
from engine.inventory.records import Instance, Snapshot
from engine.plans.plan import IdleChain
from tests.planning.builders import (
    DAY,
    PROD,
    PROD_KEY,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    documents,
    failed_over,
    inventory,
    key_arn,
    plan,
    terms,
)

ORDERS = an_instance()
MOVED = failed_over(ORDERS)
OTHER = "euw1-az1"
BEFORE = [*daily(ORDERS, [3, 2]), *daily(ORDERS, [3, 2], VAULT)]
SINCE = [*daily(ORDERS, [1, 0], zone=OTHER), *daily(ORDERS, [1, 0], VAULT, zone=OTHER)]


def idle(
    database: Instance = MOVED,
    snapshots: Iterable[Snapshot] = (*BEFORE, *SINCE),
    more: Iterable[Instance] = (),
    **changes: Any,
) -> tuple[IdleChain, ...]:
    policy = a_policy(terms=terms(**({"copies": (CopyRule("local"),)} | changes)))
    return plan(documents(policy), inventory([database, *more], snapshots)).idle_chains


def test_after_a_failover_the_bases_of_the_other_zone_are_listed() -> None:
    at_home, copied = idle()
    assert at_home.arn == BEFORE[1].arn
    assert at_home.chain.startswith(f"{ORDERS.resource_id}|euw1-az2|primary|")
    assert (at_home.zone, at_home.role, at_home.snapshots) == ("euw1-az2", "primary", 2)
    assert (at_home.gib, at_home.spares) == (100, 1)
    assert at_home.location.account == PROD.account
    assert (copied.arn, copied.role, copied.spares) == (BEFORE[3].arn, "copy", 1)
    assert at_home.usd_month is None
    assert at_home.saves_usd_month is None


def test_where_nothing_failed_over_there_is_none() -> None:
    assert idle(ORDERS, BEFORE) == ()
    assert {one.zone for one in idle(ORDERS)} == {OTHER}


def test_they_are_kept_for_as_long_as_the_policy_waits_for_a_next_one() -> None:
    (usual, _), (short, _) = idle(), idle(idle_after=7 * DAY)
    made = BEFORE[1].created_at
    assert made is not None
    assert (usual.until, short.until) == (made + 90 * DAY, made + 7 * DAY)


def test_what_the_next_points_do_not_go_on_with_spares_nothing() -> None:
    old = daily(ORDERS, [5], VAULT, keys=(PROD_KEY, key_arn(VAULT, "before")))
    told = {one.arn: one.spares for one in idle(snapshots=[*BEFORE, *SINCE, *old])}
    assert told == {BEFORE[1].arn: 1, BEFORE[3].arn: 1, old[0].arn: 0}
    dropped = {one.role: one.spares for one in idle(copies=())}
    assert dropped == {"primary": 1, "copy": 0}
    bridge = a_snapshot(ORDERS, ago(2), role=Role.BRIDGE)
    assert {one.role: one.spares for one in idle(snapshots=[*BEFORE[:2], *SINCE, bridge])} == {
        "bridge": 0,
        "primary": 1,
    }


def test_what_is_not_there_yet_or_of_no_known_zone_is_no_base() -> None:
    making = replace(BEFORE[1], status="creating")
    lost = a_snapshot(ORDERS, ago(4), zone="unknown")
    assert idle(snapshots=[making, lost, *SINCE]) == ()
    placeless = replace(MOVED, secondary_zone=None)
    assert idle(placeless) == ()


def test_other_volumes_and_databases_without_a_policy_are_left_out() -> None:
    assert idle(replace(MOVED, resource_id="db-ANOTHER")) == ()
    assert idle(replace(MOVED, tags={})) == ()
    missing = ReplicaSource("orders-1-r")
    assert len(idle(source=missing)) == 2
    replica = an_instance("orders-1-r", replica_of="orders-1", multi_az=False, secondary_zone=None)
    with_one = replace(MOVED, replicas=("orders-1-r",))
    assert idle(with_one, more=[replica], source=missing) == ()


def test_a_target_without_points_goes_on_with_nothing() -> None:
    (only,) = idle(snapshots=[*BEFORE[:2], *SINCE[:2]])
    assert only.spares == 1
