"""Failbacks that plans propose, and what they would spare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from engine.documents.model import CopyRule, FailBack, Failover, ReplicaSource
from engine.inventory.records import Event, Instance, Snapshot
from engine.plans.plan import Plan, Warned
from tests.planning.builders import (
    PROD,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    documents,
    failed_over,
    inventory,
    plan,
    terms,
)

ORDERS = an_instance()
MOVED = failed_over(ORDERS)
PROPOSE = Failover(fail_back=FailBack.PROPOSE)
COPIES = (CopyRule("local"),)


def points(*days: int, zone: str = "euw1-az2") -> list[Snapshot]:
    """Points and copies of so many days ago, taken in a zone."""
    return [
        a_snapshot(ORDERS, ago(day), *where, zone=zone) for day in days for where in ((), (VAULT,))
    ]


BEFORE = points(3, 2, 1)


def planned(
    database: Instance,
    snapshots: Iterable[Snapshot] = BEFORE,
    failover: Failover = PROPOSE,
    events: tuple[Event, ...] = (),
    more: Iterable[Instance] = (),
    **changes: Any,
) -> Plan:
    policy = a_policy(terms=terms(failover=failover, **({"copies": COPIES} | changes)))
    scopes = {PROD: {"events": events}}
    return plan(documents(policy), inventory([database, *more], snapshots, scopes=scopes))


def proposed(found: Plan) -> list[Warned]:
    return [one for one in found.warnings if one.code == "W406 fail-back"]


def test_a_failover_that_costs_full_snapshots_is_proposed_to_be_taken_back() -> None:
    (one,) = proposed(planned(MOVED))
    assert one.text == (
        "it runs in eu-west-1b, so its snapshots are taken in euw1-az1; failing back to eu-west-1a "
        "before its next point would spare 2 full snapshots and copies, up to 200 GiB and "
        "up to 2.3 h"
    )
    assert one.fix is not None
    assert one.fix.endswith("--region eu-west-1 --db-instance-identifier orders-1")
    assert proposed(planned(ORDERS)) == []


def test_what_it_would_spare_is_what_the_plan_calls_full() -> None:
    assert planned(MOVED).summary.full == 2
    assert planned(ORDERS).summary.full == 0
    (one,) = proposed(planned(MOVED, points(3, 2, 1)[::2], copies=()))
    assert "would spare 1 full snapshots and copies, up to 100 GiB and up to 68 min" in one.text


def test_nothing_is_proposed_unless_the_policy_asks_for_it() -> None:
    assert proposed(planned(MOVED, failover=Failover())) == []
    before, after = planned(MOVED, failover=Failover()), planned(MOVED)
    assert before.steps == after.steps


def test_once_both_zones_have_bases_only_a_preferred_zone_is_worth_an_outage() -> None:
    both = [*points(4, 3, 2), *points(1, zone="euw1-az1")]
    assert proposed(planned(MOVED, both)) == []
    (one,) = proposed(planned(MOVED, both, replace(PROPOSE, preferred_az="eu-west-1a")))
    assert one.text.endswith("would spare no full snapshot: both zones have their bases")


@pytest.mark.parametrize("zone", ["eu-west-1a", "euw1-az1"])
def test_a_preferred_zone_goes_by_name_or_id(zone: str) -> None:
    wanted = replace(PROPOSE, preferred_az=zone)
    assert len(proposed(planned(MOVED, failover=wanted))) == 1
    assert proposed(planned(ORDERS, failover=wanted)) == []


def test_a_zone_that_failing_back_does_not_reach_is_not_proposed() -> None:
    assert proposed(planned(MOVED, failover=replace(PROPOSE, preferred_az="eu-west-1c"))) == []


def test_an_event_explains_since_when_and_decides_nothing() -> None:
    told = (
        Event(ago(2), "orders-1", "Multi-AZ instance failover completed.", ("failover",)),
        Event(ago(1), "orders-1", "Multi-AZ instance failover started.", ("failover",)),
        Event(ago(1), "orders-1", "Multi-AZ instance failover completed.", ("failover",)),
        Event(ago(0), "orders-2", "Multi-AZ instance failover completed.", ("failover",)),
        Event(ago(0), "orders-1", "Backing up DB instance", ("backup",)),
    )
    (one,) = proposed(planned(MOVED, events=told))
    since = "since 2026-11-20 02:00Z (Multi-AZ instance failover completed)"
    assert f"it runs in eu-west-1b {since}, so its snapshots" in one.text
    assert proposed(planned(ORDERS, events=told)) == []


NO_FAILBACK = [
    ("single-AZ", replace(MOVED, multi_az=False, secondary_zone=None)),
    ("both in one zone", replace(MOVED, secondary_zone="eu-west-1b")),
    ("a standby that AWS does not tell", replace(MOVED, secondary_zone=None)),
]


@pytest.mark.parametrize(("why", "database"), NO_FAILBACK, ids=[why for why, _ in NO_FAILBACK])
def test_what_has_no_standby_to_read_is_left_alone(why: str, database: Instance) -> None:
    assert proposed(planned(database)) == []
    assert proposed(planned(database, failover=replace(PROPOSE, preferred_az="eu-west-1a"))) == []


def test_sql_server_is_read_on_its_primary_which_moves_as_well() -> None:
    moved = replace(MOVED, engine="sqlserver-ee")
    (one,) = proposed(planned(moved, points(3, 2, 1, zone="euw1-az1")))
    assert "so its snapshots are taken in euw1-az2; failing back to eu-west-1a" in one.text
    assert proposed(planned(moved, points(3, 2, 1, zone="euw1-az2"))) == []


def test_a_zone_without_bases_is_nothing_to_go_back_to() -> None:
    assert proposed(planned(MOVED, points(3, 2, 1, zone="euw1-az3"))) == []
    assert proposed(planned(MOVED, [])) == []


def test_with_a_replica_as_the_source_no_failback_is_worth_anything() -> None:
    replica = an_instance("orders-1-r", replica_of="orders-1", multi_az=False, secondary_zone=None)
    database = replace(MOVED, replicas=("orders-1-r",))
    source = ReplicaSource("orders-1-r")
    assert proposed(planned(database, more=[replica], source=source)) == []
    assert len(proposed(planned(database, source=source))) == 1
