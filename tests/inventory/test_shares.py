"""Reading with whom snapshots are shared, from a scripted AWS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.aws.clients import Clients
from engine.inventory.live import clients_of
from engine.inventory.records import Inventory, Location, Scope, Snapshot, SnapshotType
from engine.inventory.shares import with_shares
from tests.aws import scripted_aws as scripted
from tests.aws.scripted_aws import Asked, Reply, ScriptedAws
from tests.inventory.test_live import HERE, PROD, account, estate_of, page, snapshot_xml

TAKEN = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)


def a_snapshot(name: str) -> Snapshot:
    arn = f"arn:aws:rds:{HERE.region}:{HERE.account}:snapshot:{name}"
    return Snapshot(arn, HERE, name, "orders", "db-ORDERS", SnapshotType.MANUAL, "available")


A, B, C = a_snapshot("a"), a_snapshot("b"), a_snapshot("c")
FOUND = Inventory({HERE: Scope(HERE, snapshots=(A, B, C))}, recorded=False, taken_at=TAKEN)


@pytest.fixture
def clients(aws: ScriptedAws) -> Clients:
    aws.on("DescribeDBSnapshots", page("", "DBSnapshots"))
    aws.on("DescribeDBSnapshotAttributes", lambda asked: shared(asked, "222222222222", "all"))
    return clients_of(estate_of(account(PROD)))


def shared(asked: Asked, *accounts: str) -> Reply:
    values = "".join(f"<AttributeValue>{one}</AttributeValue>" for one in accounts)
    name = asked.parameters["DBSnapshotIdentifier"]
    inner = (
        "<DBSnapshotAttributesResult>"
        f"<DBSnapshotIdentifier>{name}</DBSnapshotIdentifier><DBSnapshotAttributes>"
        "<DBSnapshotAttribute><AttributeName>restore</AttributeName>"
        f"<AttributeValues>{values}</AttributeValues></DBSnapshotAttribute>"
        "</DBSnapshotAttributes></DBSnapshotAttributesResult>"
    )
    return scripted.rds("DescribeDBSnapshotAttributes", inner)


def at_once(at: Location) -> None:
    """Let every call be made at once."""


def shares(found: Inventory) -> dict[str, frozenset[str] | None]:
    return {one.identifier: one.shared_with for one in found.scopes[HERE].snapshots or ()}


def test_only_what_is_asked_about_costs_a_call(aws: ScriptedAws, clients: Clients) -> None:
    found = with_shares(FOUND, clients, [A.arn, C.arn], at_once)
    both = frozenset({"222222222222", "all"})
    assert shares(found) == {"a": both, "b": None, "c": both}
    assert len(aws.calls("DescribeDBSnapshotAttributes")) == 2
    assert found.notes == ()
    assert replace(found, scopes=FOUND.scopes) == FOUND


def test_each_call_waits_for_its_turn(clients: Clients) -> None:
    turns: list[Location] = []
    with_shares(FOUND, clients, [A.arn, B.arn], turns.append)
    assert turns == [HERE] * 3


def test_what_aws_refuses_stays_unknown_with_one_note(aws: ScriptedAws, clients: Clients) -> None:
    aws.on("DescribeDBSnapshotAttributes", scripted.error("AccessDenied", "no", 403))
    found = with_shares(FOUND, clients, [A.arn, B.arn], at_once)
    assert shares(found) == {"a": None, "b": None, "c": None}
    denied = "AccessDenied on rds:DescribeDBSnapshotAttributes: no"
    assert found.notes == (f"{HERE}: shares not known: {denied}",)


def test_a_snapshot_that_is_gone_by_now_is_shared_with_nobody(
    aws: ScriptedAws, clients: Clients
) -> None:
    aws.on("DescribeDBSnapshotAttributes", scripted.error("DBSnapshotNotFound", "gone", 404))
    found = with_shares(FOUND, clients, [A.arn], at_once)
    assert shares(found)["a"] == frozenset()
    assert found.notes == ()


def test_what_others_share_is_listed_once_per_location(aws: ScriptedAws, clients: Clients) -> None:
    aws.on("DescribeDBSnapshots", page(snapshot_xml("theirs"), "DBSnapshots"))
    found = with_shares(FOUND, clients, [], at_once)
    assert [one.identifier for one in found.scopes[HERE].shared or ()] == ["theirs"]
    (asked,) = aws.calls("DescribeDBSnapshots")
    assert asked.parameters["SnapshotType"] == "shared"
    assert aws.calls("DescribeDBSnapshotAttributes") == []


def test_a_listing_that_aws_refuses_stays_unknown_with_a_note(
    aws: ScriptedAws, clients: Clients
) -> None:
    aws.on("DescribeDBSnapshots", scripted.error("AccessDenied", "no", 403))
    found = with_shares(FOUND, clients, [], at_once)
    assert found.scopes[HERE].shared is None
    denied = "AccessDenied on rds:DescribeDBSnapshots: no"
    assert found.notes == (f"{HERE}: what others share with it is not known: {denied}",)


def test_a_location_that_was_not_read_is_not_asked(aws: ScriptedAws, clients: Clients) -> None:
    blind = Inventory({HERE: Scope(HERE)}, recorded=False)
    assert with_shares(blind, clients, [A.arn], at_once) == blind
    assert aws.asked == []
