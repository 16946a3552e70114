"""Points that are taken of a read replica: which one, whose point it is, and which chain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import CopyRule, Fallback, ReplicaSource
from engine.identity.marks import Role
from engine.inventory.records import Instance, Snapshot
from engine.plans.codes import DriftCode
from engine.plans.plan import Plan, Step
from engine.retention.keep import Keep
from tests.planning.builders import (
    NOW,
    PROD,
    SLOT,
    VAULT,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    documents,
    inventory,
    kept,
    plan,
    step_of,
    steps,
    terms,
    waits,
)

ANY = ReplicaSource("orders-1-*")
ORDERS = an_instance(replicas=("orders-1-b", "orders-1-a"), backup_retention_days=7)
LATE = timedelta(hours=2)


def a_replica(letter: str = "a", **changes: Any) -> Instance:
    """A Single-AZ replica of orders-1, in the third zone, that has tags of its own."""
    own: dict[str, Any] = {
        "multi_az": False,
        "availability_zone": "eu-west-1c",
        "secondary_zone": None,
        "replica_of": "orders-1",
        "replication": "replicating",
        "copy_tags_to_snapshot": True,
        "tags": {"of": "replica"},
    }
    return an_instance(f"orders-1-{letter}", **(own | changes))


A, B = a_replica("a"), a_replica("b")


def of_replica(
    replica: Instance, days: float, *where: Any, lag: timedelta = timedelta(0), **changes: Any
) -> Snapshot:
    """A point of orders-1 that was taken of a replica."""
    taken = ago(days) + timedelta(minutes=10)
    record = {
        "instance": replica.identifier,
        "resource_id": replica.resource_id,
        "availability_zone": replica.availability_zone,
        "database_time": taken - lag,
    }
    own = {"volume": replica.resource_id, "zone": "euw1-az3", "record": record}
    return a_snapshot(ORDERS, ago(days), *where, **(own | changes))


def planned(
    replicas: Iterable[Instance],
    snapshots: Iterable[Snapshot] = (),
    source: ReplicaSource | None = ANY,
    database: Instance = ORDERS,
    **changes: Any,
) -> Plan:
    policy = a_policy(terms=terms(source=source, **changes))
    return plan(documents(policy), inventory([database, *replicas], snapshots))


def created(found: Plan) -> str:
    """The instance that the plan takes a snapshot of."""
    return str(step_of(found, "create_snapshot").parameters["DBInstanceIdentifier"])


# -- whose point it is -----------------------------------------------------------------------------


def test_a_point_of_a_replica_is_its_databases_and_its_chain_is_the_replicas() -> None:
    create = step_of(planned([A]), "create_snapshot")
    tags = create.parameters["Tags"]
    assert create.source.identifier == "orders-1"
    assert create.snapshot.startswith("orders-1-gold-20261121t0200z-euw1az3-")
    assert create.parameters["DBInstanceIdentifier"] == "orders-1-a"
    assert (tags["engine:resource"], tags["engine:source"]) == (ORDERS.resource_id, ORDERS.arn)
    assert (tags["engine:volume"], tags["engine:az"]) == (A.resource_id, "euw1-az3")
    assert create.reason.text == "slot 2026-11-21 02:00Z is due; taken of its replica orders-1-a"


def test_the_id_of_a_slot_is_the_same_whatever_it_is_taken_of() -> None:
    of_it = step_of(planned([A]), "create_snapshot").snapshot
    of_the_database = step_of(planned([A], source=None), "create_snapshot").snapshot
    assert of_it[-8:] == of_the_database[-8:]


def test_what_must_hold_is_asked_of_the_replica() -> None:
    create = step_of(planned([A]), "create_snapshot")
    asked = {one.check.value: (one.arn, one.expected) for one in create.preconditions}
    assert asked["instance"] == (A.arn, A.resource_id)
    assert asked["zones"] == (A.arn, "eu-west-1c/")
    assert asked["replica_of"] == (A.arn, "orders-1")
    assert "replica_of" not in {
        one.check.value
        for one in step_of(planned([A], source=None), "create_snapshot").preconditions
    }


def test_tags_are_passed_on_from_the_protected_database() -> None:
    database = replace(ORDERS, copy_tags_to_snapshot=True)
    tags = step_of(planned([A], database=database), "create_snapshot").parameters["Tags"]
    assert tags["tier"] == "gold"
    assert "of" not in tags
    without = step_of(planned([A]), "create_snapshot").parameters["Tags"]
    assert not {"tier", "of"} & without.keys()


def test_a_point_of_a_replica_covers_the_slot_of_its_database_alone() -> None:
    found = planned([A], [of_replica(A, 0)])
    assert found.steps == ()
    assert [one.arn for one in found.kept] == [of_replica(A, 0).arn]
    assert found.drift == ()


# -- which replica ---------------------------------------------------------------------------------

UNFIT = [
    ("multi-az", {"multi_az": True, "secondary_zone": "eu-west-1b"}),
    ("sql server", {"engine": "sqlserver-ee"}),
    ("a state without snapshots", {"status": "modifying"}),
    ("a broken replication", {"replication": "error"}),
    ("a stopped replication", {"replication": "stopped"}),
    ("another database's", {"replica_of": "orders-2"}),
    ("promoted", {"replica_of": None}),
    ("a member of a cluster", {"cluster": "orders"}),
]


@pytest.mark.parametrize(("why", "changes"), UNFIT, ids=[why for why, _ in UNFIT])
def test_an_unfit_replica_gives_way_to_the_next(why: str, changes: dict[str, Any]) -> None:
    assert created(planned([a_replica("a", **changes), B])) == "orders-1-b"
    assert created(planned([A, B])) == "orders-1-a"


@pytest.mark.parametrize("zone", ["eu-west-1c", "euw1-az3"])
def test_a_zone_is_named_by_name_or_by_id(zone: str) -> None:
    other = a_replica("a", availability_zone="eu-west-1a")
    assert created(planned([other, B], source=replace(ANY, availability_zone=zone))) == "orders-1-b"


def test_only_replicas_that_the_glob_names_are_taken() -> None:
    assert created(planned([A, B], source=ReplicaSource("*-b"))) == "orders-1-b"


def test_a_replica_that_its_database_does_not_name_is_not_its_replica() -> None:
    """A cluster may bear the name of a database, and its replicas name it."""
    assert created(planned([A], database=replace(ORDERS, replicas=()))) == "orders-1"


def test_the_replica_used_last_is_used_again() -> None:
    assert created(planned([A, B], [of_replica(B, 2), of_replica(B, 1)])) == "orders-1-b"
    assert created(planned([A, B], [of_replica(B, 2), of_replica(A, 1)])) == "orders-1-a"


def test_a_broken_replica_that_comes_back_does_not_take_the_chain_back() -> None:
    broken = replace(A, replication="error")
    history = [of_replica(A, 2), of_replica(B, 1)]
    assert created(planned([broken, B], history)) == "orders-1-b"
    assert created(planned([A, B], history)) == "orders-1-b"


def test_a_point_on_its_way_counts_for_which_replica_was_used_last() -> None:
    history = [of_replica(A, 2), of_replica(B, 1, status="creating")]
    assert created(planned([A, B], history)) == "orders-1-b"


# -- none will do ----------------------------------------------------------------------------------


def codes(found: Plan) -> list[str]:
    return [one.code for one in found.warnings if one.code.startswith("W40")]


def test_the_database_itself_stands_in_and_that_is_told() -> None:
    found = planned([replace(A, status="stopped")])
    (warned,) = (one for one in found.warnings if one.code == "W404 replica-missed")
    assert created(found) == "orders-1"
    assert "orders-1-a is stopped" in warned.text
    assert "another chain" in warned.text
    assert warned.source == "111111111111/eu-west-1/orders-1"
    assert codes(planned([A])) == []


def test_without_a_fallback_the_point_waits() -> None:
    found = planned([], source=replace(ANY, fallback=Fallback.NONE))
    assert steps(found, "create_snapshot") == []
    assert waits(found) == ["no_replica"]
    assert "no replica orders-1-*" in found.waiting[0].text
    assert codes(found) == []
    assert [(one.creates, one.full) for one in found.next] == [(0, 0)]


def test_retention_goes_on_while_a_point_waits() -> None:
    history = [of_replica(A, day) for day in (4, 3, 2, 1)]
    found = planned([], history, replace(ANY, fallback=Fallback.NONE), keep=Keep(last=1))
    assert kept(found, history[-1]) == ["last"]
    assert {one.arn for one in steps(found, "delete_snapshot")} == {h.arn for h in history[:-1]}


# -- lag -------------------------------------------------------------------------------------------

BOUND = ReplicaSource("orders-1-*", max_lag=timedelta(minutes=15))


def test_a_replica_that_was_too_far_behind_sits_out_one_point() -> None:
    late = of_replica(A, 1, lag=LATE)
    assert created(planned([A], [late], BOUND)) == "orders-1"
    assert created(planned([A, B], [late], BOUND)) == "orders-1-b"
    assert created(planned([A], [late])) == "orders-1-a"
    prompt = of_replica(A, 1, lag=timedelta(minutes=15))
    assert created(planned([A], [prompt], BOUND)) == "orders-1-a"
    since = a_snapshot(ORDERS, ago(1))
    assert created(planned([A], [of_replica(A, 2, lag=LATE), since], BOUND)) == "orders-1-a"


def test_how_far_a_replica_was_behind_is_told() -> None:
    (warned,) = (
        one for one in planned([A], [of_replica(A, 1, lag=LATE)], BOUND).warnings
        if one.code == "W404 replica-missed"
    )  # fmt: skip
    assert "was 120 min behind at its last point; at most 15 min will do" in warned.text


def test_a_late_point_is_better_than_none() -> None:
    found = planned([A], [of_replica(A, 1, lag=LATE)], replace(BOUND, fallback=Fallback.NONE))
    assert created(found) == "orders-1-a"
    assert codes(found) == ["W405 replica-late"]


def test_a_point_whose_lag_nobody_tells_counts_as_prompt() -> None:
    untold = replace(of_replica(A, 1), database_time=None)
    assert created(planned([A], [untold], BOUND)) == "orders-1-a"


# -- chains ----------------------------------------------------------------------------------------


def verdicts(found: Plan) -> list[tuple[str, str]]:
    return [(one.action.value, one.forecast.rule) for one in found.steps if one.forecast]


COPIES = (CopyRule("local"),)


def test_a_failover_of_the_database_changes_nothing_in_the_replicas_chain() -> None:
    history = [of_replica(A, day, *where) for day in (2, 1) for where in ((), (VAULT,))]
    moved = replace(ORDERS, availability_zone="eu-west-1b", secondary_zone="eu-west-1a")
    for database in (ORDERS, moved):
        found = planned([A], history, copies=COPIES, database=database)
        assert verdicts(found) == [
            ("create_snapshot", "base_in_chain"),
            ("copy_snapshot", "base_in_chain"),
        ]
        assert [(one.creates, one.copies, one.full) for one in found.next] == [(1, 1, 0)]


def test_a_rebuilt_replica_starts_a_chain_and_is_no_new_database() -> None:
    history = [of_replica(A, day, *where) for day in (2, 1) for where in ((), (VAULT,))]
    rebuilt = replace(A, resource_id="db-REBUILT")
    found = planned([rebuilt], history, copies=COPIES)
    assert verdicts(found) == [
        ("create_snapshot", "first_in_chain"),
        ("copy_snapshot", "first_in_chain"),
    ]
    assert {one.arn for one in found.kept} == {one.arn for one in history}
    assert [one for one in found.steps if one.action.value == "tag_snapshot"] == []
    assert len({one.source.resource_id for one in found.steps}) == 1


def test_the_base_of_the_databases_own_chain_stays_while_a_replica_is_used() -> None:
    own = daily(ORDERS, [6, 5])
    history = [of_replica(A, day) for day in (4, 3, 2, 1)]
    found = planned([A], [*own, *history], keep=Keep(last=1))
    assert kept(found, own[1]) == ["chain_base"]
    assert own[0].arn in {one.arn for one in steps(found, "delete_snapshot")}


def test_a_gone_replica_does_not_make_its_database_gone() -> None:
    found = planned([], [of_replica(A, day) for day in (2, 1)])
    assert created(found) == "orders-1"
    assert steps(found, "tag_snapshot") == []


def test_snapshots_of_others_count_for_the_volume_that_they_are_of() -> None:
    own = a_foreign_snapshot(ORDERS, ago(3), availability_zone="eu-west-1c")
    replicas = replace(a_foreign_snapshot(A, ago(3)), availability_zone="eu-west-1c")
    assert verdicts(planned([A], [own])) == [("create_snapshot", "first_in_chain")]
    assert verdicts(planned([A], [replicas])) == [("create_snapshot", "automated_predecessor")]
    assert verdicts(planned([A], [replicas], source=None)) == [
        ("create_snapshot", "first_in_chain")
    ]


def test_the_zone_of_a_replicas_point_is_confirmed_by_the_replica() -> None:
    unchecked = of_replica(A, 0, zone_checked=False)
    tag = step_of(planned([A], [unchecked]), "tag_snapshot")
    assert tag.parameters["Tags"] == {"engine:az-checked": "true"}
    elsewhere = replace(A, availability_zone="eu-west-1a")
    tag = step_of(planned([elsewhere], [unchecked]), "tag_snapshot")
    assert tag.parameters["Tags"] == {"engine:az": "unknown"}


def test_a_replicas_point_without_any_tag_is_known_by_its_id() -> None:
    stray = replace(of_replica(A, 0), tags={})
    found = planned([A], [stray])
    (drift,) = (one for one in found.drift if one.code is DriftCode.UNTAGGED)
    assert drift.source is not None
    assert drift.source.identifier == "orders-1"


def test_bridges_and_copies_keep_the_replicas_volume() -> None:
    found = planned([A], [of_replica(A, 1)], copies=COPIES)
    copy = next(one for one in steps(found, "copy_snapshot", VAULT) if one.slot == SLOT)
    assert copy.parameters["Tags"]["engine:volume"] == A.resource_id
    assert copy.parameters["Tags"]["engine:role"] == Role.COPY


def actions(found: Iterable[Step]) -> set[str]:
    return {one.action.value for one in found}


def test_a_replica_that_is_matched_itself_has_points_of_its_own() -> None:
    replica = replace(A, tags={"tier": "silver"})
    silver = a_policy("silver")
    own = replace(silver, select=replace(silver.select, replicas=True))
    docs = documents(a_policy(terms=terms(source=ANY)), own)
    found = plan(docs, inventory([ORDERS, replica]), NOW)
    assert actions(found.steps) == {"create_snapshot"}
    assert {one.source.identifier for one in found.steps} == {"orders-1", "orders-1-a"}
    assert len({one.arn for one in found.steps}) == 2
    assert {one.parameters["DBInstanceIdentifier"] for one in found.steps} == {"orders-1-a"}
    assert {(one.location.account, one.location.region) for one in found.steps} == {
        (PROD.account, PROD.region)
    }
