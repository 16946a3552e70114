"""What happens to instances meanwhile: by a call that triggers it, or at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.lab.errors import LabError
from engine.lab.process import LabProcess
from tests.lab.places import IRELAND, Account, Places


@pytest.fixture(scope="module")
def own() -> Iterator[LabProcess]:
    """A lab whose faults strike nobody else."""
    with LabProcess.start(speed=0, at=datetime(2026, 3, 2, 12, tzinfo=UTC)) as running:
        yield running


@pytest.fixture
def places(own: LabProcess) -> Iterator[Places]:
    before = own.client.settings()
    yield Places(own)
    own.client.clear_faults()
    own.client.change_settings(**before)


def create(account: Account, name: str) -> Any:
    return account.rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier="db")


def instance(account: Account) -> Any:
    [found] = account.rds.describe_db_instances()["DBInstances"]
    return found


def arm(account: Account, kind: str, operation: str, **more: Any) -> str:
    return account.lab.client.add_fault(
        kind,
        account=account.id,
        operation=operation,
        instance=f"{account.id}/{IRELAND}/db",
        **more,
    )


@pytest.mark.parametrize(("when", "moved"), [("before", True), ("after", False)])
def test_a_failover_comes_before_or_after_the_snapshot(
    places: Places, when: str, moved: bool
) -> None:
    account = places.account({"multi_az": True, "retention_days": 0})
    places.snapshot(account, "one")
    zone = places.stored(account.arn("one"))["volume"]["zone"]
    fault = arm(account, "fail_over", "CreateDBSnapshot", when=when)
    create(account, "two")
    call = account.lab.client.calls()[-1]
    assert (call["fault"], call["applied"], call["outcome"]) == (fault, True, "ok")
    places.pass_time()
    two = places.stored(account.arn("two"))
    assert (two["volume"]["zone"] != zone) is moved
    assert two["stored"] == ("full" if moved else "incremental")
    places.snapshot(account, "three")
    assert places.stored(account.arn("three"))["volume"]["zone"] != zone


def test_a_failover_during_a_copy_leaves_the_copy_what_it_is(places: Places) -> None:
    account = places.account({"multi_az": True})
    places.snapshot(account, "one")
    arm(account, "fail_over", "CopyDBSnapshot", when="after")
    account.rds.copy_db_snapshot(SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="two")
    places.pass_time()
    assert account.status("two") == "available"
    volumes = [places.stored(account.arn(name))["volume"] for name in ("one", "two")]
    assert volumes[0] == volumes[1]


def test_a_triggered_failover_tells_its_zones_late_where_zones_lag(places: Places) -> None:
    places.lab.client.change_settings(zone_lag_seconds=120)
    account = places.account({"multi_az": True, "zones": ["eu-west-1a", "eu-west-1b"]})
    arm(account, "fail_over", "DescribeEvents")
    account.rds.describe_events()
    told = []
    for seconds in (0, 119, 1):
        places.pass_time(seconds)
        found = instance(account)
        told.append((found["AvailabilityZone"], found["SecondaryAvailabilityZone"]))
    before, after = ("eu-west-1a", "eu-west-1b"), ("eu-west-1b", "eu-west-1a")
    assert told == [before, before, after]


def test_a_snapshot_taken_while_zones_lag_tells_the_zone_of_before(places: Places) -> None:
    places.lab.client.change_settings(zone_lag_seconds=120)
    account = places.account({"multi_az": True, "zones": ["eu-west-1a", "eu-west-1b"]})
    places.snapshot(account, "one")
    places.lab.client.let("fail_over", account.id, IRELAND, "db")
    places.snapshot(account, "two")
    found = account.rds.describe_db_snapshots()["DBSnapshots"]
    assert [one["AvailabilityZone"] for one in found] == ["eu-west-1a", "eu-west-1a"]
    zones = [places.stored(account.arn(name))["volume"]["zone"] for name in ("one", "two")]
    assert zones[0] != zones[1]


def test_an_instance_is_stopped_before_the_call_that_needs_it(places: Places, refused: Any) -> None:
    account = places.account({})
    fault = arm(account, "stop", "CreateDBSnapshot")
    with refused("InvalidDBInstanceState"):
        create(account, "one")
    call = account.lab.client.calls()[-1]
    assert (call["fault"], call["applied"]) == (fault, False)
    places.pass_time()
    assert instance(account)["DBInstanceStatus"] == "stopped"
    arm(account, "start", "DescribeDBInstances", when="after")
    instance(account)
    places.pass_time()
    assert instance(account)["DBInstanceStatus"] == "available"
    create(account, "one")


def test_an_instance_is_deleted_while_its_snapshot_is_made(places: Places) -> None:
    account = places.account({})
    arm(account, "delete", "CreateDBSnapshot", when="after")
    create(account, "one")
    places.pass_time()
    assert account.rds.describe_db_instances()["DBInstances"] == []
    assert account.status("one") == "available"


def test_an_instance_is_renamed_between_a_listing_and_a_call(places: Places, refused: Any) -> None:
    account = places.account({})
    before = instance(account)
    arm(account, "rename", "DescribeDBInstances", when="after", name="db-2")
    assert instance(account)["DBInstanceIdentifier"] == "db"
    places.pass_time()
    with refused("DBInstanceNotFound"):
        create(account, "one")
    after = instance(account)
    assert after["DBInstanceIdentifier"] == "db-2"
    assert after["DbiResourceId"] == before["DbiResourceId"]


def test_an_event_that_cannot_happen_leaves_the_call_alone_and_is_told(places: Places) -> None:
    account = places.account({})
    arm(account, "fail_over", "CreateDBSnapshot")
    create(account, "one")
    [fault] = places.lab.client.faults()
    assert fault["fired"] == 1
    assert "no standby" in fault["missed"]


def test_the_same_can_be_let_happen_at_once(places: Places) -> None:
    client, account = places.lab.client, places.account({"multi_az": True})
    assert client.let("fail_over", account.id, IRELAND, "db")["primary"] == "eu-west-1b"
    assert client.let("stop", account.id, IRELAND, "db")["status"] == "stopping"
    places.pass_time()
    assert instance(account)["DBInstanceStatus"] == "stopped"
    client.let("start", account.id, IRELAND, "db")
    places.pass_time()
    client.let("rename", account.id, IRELAND, "db", "new")
    places.pass_time()
    assert instance(account)["DBInstanceIdentifier"] == "new"
    client.let("delete", account.id, IRELAND, "new")
    places.pass_time()
    assert account.rds.describe_db_instances()["DBInstances"] == []


def test_an_instance_deleted_while_it_stops_does_not_come_to_a_stop(places: Places) -> None:
    client, account = places.lab.client, places.account({})
    client.let("stop", account.id, IRELAND, "db")
    places.pass_time(1)
    client.let("delete", account.id, IRELAND, "db")
    places.pass_time(1)
    assert instance(account)["DBInstanceStatus"] == "deleting"


def test_what_cannot_happen_at_once_is_refused(places: Places) -> None:
    client, account = places.lab.client, places.account({})
    for do, name, words in (
        ("explode", "db", "fail_over, stop, start, delete, rename"),
        ("rename", "db", "give `name`"),
        ("start", "db", "not stopped"),
        ("stop", "none", "DBInstanceNotFound"),
    ):
        with pytest.raises(LabError, match=words):
            client.let(do, account.id, IRELAND, name)
    with pytest.raises(LabError, match="name a seeded account"):
        client.let("stop", "000000000000", "nowhere", "db")
