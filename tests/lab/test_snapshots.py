"""Creating and deleting snapshots."""

from __future__ import annotations

import pytest

from tests.lab.conftest import Refusing
from tests.lab.places import Places


def test_a_snapshot_is_creating_with_progress_before_it_is_available(places: Places) -> None:
    account = places.account({})
    made = account.rds.create_db_snapshot(DBSnapshotIdentifier="One", DBInstanceIdentifier="db")
    first = made["DBSnapshot"]
    assert (first["Status"], first["PercentProgress"]) == ("creating", 0)
    assert first["DBSnapshotIdentifier"] == "one"
    assert "SnapshotCreateTime" not in first
    assert "OriginalSnapshotCreateTime" not in first
    places.pass_time(1.5)
    half = account.rds.describe_db_snapshots()["DBSnapshots"][0]
    assert (half["Status"], half["PercentProgress"]) == ("creating", 50)
    places.pass_time(1.5)
    whole = account.rds.describe_db_snapshots()["DBSnapshots"][0]
    assert (whole["Status"], whole["PercentProgress"]) == ("available", 100)
    assert whole["SnapshotCreateTime"] == whole["OriginalSnapshotCreateTime"]


def test_the_instance_is_backing_up_meanwhile_and_takes_no_second_snapshot(
    places: Places, refused: Refusing
) -> None:
    account = places.account({})
    account.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="db")
    instance = account.rds.describe_db_instances()["DBInstances"][0]
    assert instance["DBInstanceStatus"] == "backing-up"
    with refused("InvalidDBInstanceState", "not currently in the available state", status=400):
        account.rds.create_db_snapshot(DBSnapshotIdentifier="two", DBInstanceIdentifier="db")
    places.pass_time()
    account.rds.create_db_snapshot(DBSnapshotIdentifier="two", DBInstanceIdentifier="db")


@pytest.mark.parametrize(
    ("status", "allowed"), [("storage-optimization", True), ("stopped", False), ("failed", False)]
)
def test_only_some_states_of_an_instance_allow_a_snapshot(
    places: Places, refused: Refusing, status: str, allowed: bool
) -> None:
    account = places.account({"status": status})
    if allowed:
        account.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="db")
        places.pass_time()
        found = account.rds.describe_db_instances()["DBInstances"][0]
        assert found["DBInstanceStatus"] == status
        return
    with refused("InvalidDBInstanceState"):
        account.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="db")


def test_a_snapshot_tells_the_primarys_zone_and_its_source(places: Places) -> None:
    account = places.account({"multi_az": True, "zones": ("eu-west-1b", "eu-west-1c")})
    places.snapshot(account, "one")
    snapshot = account.rds.describe_db_snapshots()["DBSnapshots"][0]
    instance = account.rds.describe_db_instances()["DBInstances"][0]
    assert snapshot["AvailabilityZone"] == "eu-west-1b"
    assert snapshot["DbiResourceId"] == instance["DbiResourceId"]
    assert snapshot["DBSnapshotArn"] == account.arn("one")


def test_explicit_tags_suppress_those_of_the_instance(places: Places) -> None:
    account = places.account({"copy_tags": True, "tags": {"tier": "gold"}})
    places.snapshot(account, "with", Tags=[{"Key": "a", "Value": "b"}])
    places.snapshot(account, "without")
    found = account.rds.describe_db_snapshots()["DBSnapshots"]
    tags = {one["DBSnapshotIdentifier"]: one["TagList"] for one in found}
    assert tags == {
        "with": [{"Key": "a", "Value": "b"}],
        "without": [{"Key": "tier", "Value": "gold"}],
    }


def test_names_are_unique_and_well_formed(places: Places, refused: Refusing) -> None:
    account = places.account({})
    places.snapshot(account, "one")
    with refused("DBSnapshotAlreadyExists", status=400):
        account.rds.create_db_snapshot(DBSnapshotIdentifier="ONE", DBInstanceIdentifier="db")
    for name in ("1a", "a--b", "a-", "a_b", "rds:a", "a" * 256):
        with refused("InvalidParameterValue", "not a valid identifier"):
            account.rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier="db")


def test_there_is_no_snapshot_of_what_is_not_there(places: Places, refused: Refusing) -> None:
    account = places.account()
    with refused("DBInstanceNotFound", status=404):
        account.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="db")
    with refused("DBSnapshotNotFound", status=404):
        account.rds.describe_db_snapshots(DBSnapshotIdentifier="one")
    with refused("DBSnapshotNotFound", status=404):
        account.rds.delete_db_snapshot(DBSnapshotIdentifier="one")


def test_members_of_clusters_have_no_snapshots_of_their_own(
    places: Places, refused: Refusing
) -> None:
    account = places.account()
    account.rds.create_db_cluster(
        DBClusterIdentifier="aurora",
        Engine="aurora-postgresql",
        MasterUsername="admin",
        MasterUserPassword="password-1",
    )
    member = account.rds.create_db_instance(
        DBInstanceIdentifier="member",
        DBClusterIdentifier="aurora",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-postgresql",
    )["DBInstance"]
    assert member["DBClusterIdentifier"] == "aurora"
    assert account.names() == []
    with refused("InvalidParameterValue", "CreateDBClusterSnapshot"):
        account.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="member")


def test_the_quota_is_of_manual_snapshots_only(places: Places, refused: Refusing) -> None:
    places.lab.client.change_settings(manual_snapshots=2)
    created = "2026-01-01T00:00:00Z"
    account = places.account(
        {},
        snapshots=(
            {"identifier": "rds:db-1", "type": "automated", "created": created},
            {"identifier": "awsbackup:job-1", "type": "awsbackup", "created": created},
            {"identifier": "one", "created": created},
        ),
    )
    quotas = account.rds.describe_account_attributes()["AccountQuotas"]
    told = {one["AccountQuotaName"]: (one["Used"], one["Max"]) for one in quotas}
    assert told["ManualSnapshots"] == (1, 2)
    places.snapshot(account, "two")
    with refused("SnapshotQuotaExceeded", "Cannot create more than 2 manual snapshots"):
        account.rds.create_db_snapshot(DBSnapshotIdentifier="three", DBInstanceIdentifier="db")
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="one")
    places.snapshot(account, "three")


def test_what_is_not_manual_or_not_done_cannot_be_deleted(
    places: Places, refused: Refusing
) -> None:
    created = "2026-01-01T00:00:00Z"
    account = places.account(
        {},
        snapshots=(
            {"identifier": "rds:db-1", "type": "automated", "created": created},
            {"identifier": "awsbackup:job-1", "type": "awsbackup", "created": created},
        ),
    )
    account.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="db")
    for name in ("rds:db-1", "awsbackup:job-1", "one"):
        with refused("InvalidDBSnapshotState", status=400):
            account.rds.delete_db_snapshot(DBSnapshotIdentifier=name)
    places.pass_time()
    gone = account.rds.delete_db_snapshot(DBSnapshotIdentifier="one")["DBSnapshot"]
    assert gone["Status"] == "deleted"
    assert account.names() == ["awsbackup:job-1", "rds:db-1"]


def test_the_engine_version_of_a_manual_snapshot_can_be_raised(places: Places) -> None:
    account = places.account({"engine": "mysql", "engine_version": "5.7.44"})
    places.snapshot(account, "one")
    account.rds.modify_db_snapshot(DBSnapshotIdentifier="one", EngineVersion="8.0.39")
    assert account.rds.describe_db_snapshots()["DBSnapshots"][0]["EngineVersion"] == "8.0.39"
