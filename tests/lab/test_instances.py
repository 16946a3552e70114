"""Instances: identity, zones, failover, changes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.conftest import Refusing
from tests.lab.places import FRANKFURT, Account, Places

NEW: dict[str, Any] = {
    "DBInstanceClass": "db.r6g.large",
    "Engine": "postgres",
    "AllocatedStorage": 20,
}


def _instance(account: Account, name: str = "db") -> Any:
    return account.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def _zones(account: Account) -> tuple[str, str | None]:
    found = _instance(account)
    return found["AvailabilityZone"], found.get("SecondaryAvailabilityZone")


def test_resource_ids_are_unique_and_survive_a_rename(places: Places) -> None:
    account = places.account({}, {"identifier": "other"})
    before = _instance(account)["DbiResourceId"]
    assert before != _instance(account, "other")["DbiResourceId"]
    assert before.startswith("db-")
    assert len(before) == 29
    account.rds.modify_db_instance(
        DBInstanceIdentifier="db", NewDBInstanceIdentifier="New-Name", ApplyImmediately=True
    )
    places.pass_time()
    renamed = _instance(account, "new-name")
    assert renamed["DbiResourceId"] == before
    assert renamed["DBInstanceArn"].endswith(":db:new-name")


def test_a_new_instance_is_creating_and_then_backed_up(places: Places) -> None:
    account = places.account()
    made = account.rds.create_db_instance(DBInstanceIdentifier="db", MultiAZ=True, **NEW)
    assert made["DBInstance"]["DBInstanceStatus"] == "creating"
    places.pass_time(60)
    assert _instance(account)["DBInstanceStatus"] == "available"
    assert _zones(account) == ("eu-west-1a", "eu-west-1b")
    assert len(account.names(SnapshotType="automated")) == 1


def test_without_retention_there_is_no_backup(places: Places) -> None:
    account = places.account()
    account.rds.create_db_instance(DBInstanceIdentifier="db", BackupRetentionPeriod=0, **NEW)
    places.pass_time(60)
    assert account.names() == []
    assert "LatestRestorableTime" not in _instance(account)


def test_accounts_name_zones_differently(places: Places) -> None:
    account = places.account(zones={"eu-west-1": {"eu-west-1a": "euw1-az9"}})
    plain = places.account()
    zones = account.ec2.describe_availability_zones()["AvailabilityZones"]
    assert [(one["ZoneName"], one["ZoneId"]) for one in zones] == [("eu-west-1a", "euw1-az9")]
    others = plain.ec2.describe_availability_zones()["AvailabilityZones"]
    assert {one["ZoneName"] for one in others} == {"eu-west-1a", "eu-west-1b", "eu-west-1c"}
    assert all(one["ZoneId"].startswith("euw1-az") for one in others)


def test_a_forced_failover_swaps_the_zones_and_tells_so(places: Places) -> None:
    account = places.account({"multi_az": True})
    answer = account.rds.reboot_db_instance(DBInstanceIdentifier="db", ForceFailover=True)
    assert answer["DBInstance"]["DBInstanceStatus"] == "rebooting"
    places.pass_time()
    assert _instance(account)["DBInstanceStatus"] == "available"
    assert _zones(account) == ("eu-west-1b", "eu-west-1a")
    events = account.rds.describe_events(
        SourceType="db-instance", SourceIdentifier="db", EventCategories=["failover"]
    )["Events"]
    assert [one["Message"] for one in events] == [
        "Multi-AZ instance failover started.",
        "Multi-AZ instance failover completed",
    ]


def test_a_plain_reboot_swaps_nothing(places: Places) -> None:
    account = places.account({"multi_az": True})
    account.rds.reboot_db_instance(DBInstanceIdentifier="db")
    places.pass_time()
    assert _zones(account) == ("eu-west-1a", "eu-west-1b")


def test_only_available_multi_az_instances_fail_over(places: Places, refused: Refusing) -> None:
    account = places.account({}, {"identifier": "off", "multi_az": True, "status": "stopped"})
    with refused("InvalidParameterCombination", "Multi-AZ"):
        account.rds.reboot_db_instance(DBInstanceIdentifier="db", ForceFailover=True)
    with refused("InvalidDBInstanceState"):
        account.rds.reboot_db_instance(DBInstanceIdentifier="off", ForceFailover=True)


def test_the_api_may_tell_the_old_zones_for_a_while(places: Places) -> None:
    places.lab.client.change_settings(zone_lag_seconds=300)
    account = places.account({"multi_az": True})
    places.lab.client.fail_over(account.id, "eu-west-1", "db")
    assert _zones(account) == ("eu-west-1a", "eu-west-1b")
    arn = places.snapshot(account, "one")
    zones = {one["ZoneName"]: one["ZoneId"] for one in _az(account)}
    assert places.stored(arn)["volume"]["zone"] == zones["eu-west-1a"]
    places.pass_time(300)
    assert _zones(account) == ("eu-west-1b", "eu-west-1a")


def _az(account: Account) -> Any:
    return account.ec2.describe_availability_zones()["AvailabilityZones"]


def test_conversions_to_and_from_multi_az_move_the_standby(places: Places) -> None:
    account = places.account({})
    change: dict[str, Any] = {"DBInstanceIdentifier": "db", "ApplyImmediately": True}
    account.rds.modify_db_instance(**change, MultiAZ=True)
    assert _instance(account)["DBInstanceStatus"] == "modifying"
    places.pass_time()
    assert _zones(account) == ("eu-west-1a", "eu-west-1b")
    account.rds.modify_db_instance(**change, MultiAZ=False)
    places.pass_time()
    assert _zones(account) == ("eu-west-1a", None)
    assert _instance(account)["MultiAZ"] is False


def test_changes_wait_for_the_maintenance_window_unless_at_once(places: Places) -> None:
    account = places.account({"maintenance_window": "sun:06:00-sun:06:30"})
    account.rds.modify_db_instance(DBInstanceIdentifier="db", AllocatedStorage=200)
    waiting = _instance(account)
    assert waiting["PendingModifiedValues"] == {"AllocatedStorage": 200}
    assert waiting["AllocatedStorage"] == 100
    places.pass_time(7 * 86_400)
    applied = _instance(account)
    assert applied["PendingModifiedValues"] == {}
    assert applied["AllocatedStorage"] == 200


def test_applying_at_once_applies_what_was_pending_too(places: Places) -> None:
    account = places.account({})
    account.rds.modify_db_instance(DBInstanceIdentifier="db", AllocatedStorage=200)
    account.rds.modify_db_instance(
        DBInstanceIdentifier="db", BackupRetentionPeriod=14, ApplyImmediately=True
    )
    places.pass_time()
    changed = _instance(account)
    assert (changed["AllocatedStorage"], changed["BackupRetentionPeriod"]) == (200, 14)


def test_retention_changes_at_once_but_for_on_and_off(places: Places) -> None:
    account = places.account({})
    account.rds.modify_db_instance(
        DBInstanceIdentifier="db",
        BackupRetentionPeriod=14,
        PreferredBackupWindow="01:00-02:00",
    )
    changed = _instance(account)
    assert changed["PendingModifiedValues"] == {}
    assert (changed["BackupRetentionPeriod"], changed["PreferredBackupWindow"]) == (
        14,
        "01:00-02:00",
    )
    account.rds.modify_db_instance(DBInstanceIdentifier="db", BackupRetentionPeriod=0)
    pending = _instance(account)
    assert pending["PendingModifiedValues"] == {"BackupRetentionPeriod": 0}
    assert pending["BackupRetentionPeriod"] == 14


@pytest.mark.parametrize(
    "change",
    [
        {"BackupRetentionPeriod": 36},
        {"BackupRetentionPeriod": -1},
        {"PreferredBackupWindow": "01:00-01:10"},
        {"PreferredBackupWindow": "1:00-2:00"},
        {"PreferredMaintenanceWindow": "sun:06:00-sun:06:10"},
        {"PreferredBackupWindow": "06:45-07:30"},
    ],
)
def test_limits_of_backups_are_checked(
    places: Places, refused: Refusing, change: dict[str, Any]
) -> None:
    account = places.account({})
    with refused("InvalidParameterValue"):
        account.rds.modify_db_instance(DBInstanceIdentifier="db", **change)
    with refused("InvalidParameterValue"):
        account.rds.create_db_instance(DBInstanceIdentifier="new", **{**NEW, **change})


def test_a_restored_instance_is_another_one(places: Places) -> None:
    key = [{"alias": "alias/own"}]
    account = places.account({"multi_az": True, "key": "alias/own"}, keys=key)
    places.snapshot(account, "one", Tags=[{"Key": "a", "Value": "b"}])
    account.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="restored", DBSnapshotIdentifier="one"
    )
    places.pass_time(60)
    restored, original = _instance(account, "restored"), _instance(account)
    assert restored["DBInstanceStatus"] == "available"
    assert restored["DbiResourceId"] != original["DbiResourceId"]
    assert restored["MultiAZ"] is False
    assert restored["KmsKeyId"] == original["KmsKeyId"]
    assert restored["TagList"] == [{"Key": "a", "Value": "b"}]


def test_an_encrypted_snapshot_of_another_account_must_be_copied_to_restore_it(
    places: Places, refused: Refusing
) -> None:
    owner = places.account({"key": "alias/own"}, keys=[{"alias": "alias/own"}])
    other = places.account()
    arn = places.snapshot(owner, "one")
    owner.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="one", AttributeName="restore", ValuesToAdd=[other.id]
    )
    with refused("InvalidParameterValue", "copy it first"):
        other.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier="db", DBSnapshotIdentifier=arn
        )


def test_a_point_in_time_restores_to_another_instance(places: Places, refused: Refusing) -> None:
    account = places.account({"tags": {"a": "b"}}, {"identifier": "off", "retention_days": 0})
    account.rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="db",
        TargetDBInstanceIdentifier="then",
        UseLatestRestorableTime=True,
    )
    assert _instance(account, "then")["DbiResourceId"] != _instance(account)["DbiResourceId"]
    with refused("InvalidDBInstanceState", "Point in time restore is not enabled"):
        account.rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="off",
            TargetDBInstanceIdentifier="never",
            UseLatestRestorableTime=True,
        )


def test_a_replica_is_an_instance_of_its_own(places: Places, refused: Refusing) -> None:
    account = places.account({}, {"identifier": "off", "retention_days": 0})
    account.rds.create_db_instance_read_replica(
        DBInstanceIdentifier="replica",
        SourceDBInstanceIdentifier="db",
        AvailabilityZone="eu-west-1c",
    )
    places.pass_time(60)
    source, replica = _instance(account), _instance(account, "replica")
    assert source["ReadReplicaDBInstanceIdentifiers"] == ["replica"]
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == "db"
    assert replica["AvailabilityZone"] == "eu-west-1c"
    assert replica["BackupRetentionPeriod"] == 0
    assert replica["DbiResourceId"] != source["DbiResourceId"]
    (status,) = replica["StatusInfos"]
    assert (status["StatusType"], status["Status"]) == ("read replication", "replicating")
    assert not source.get("StatusInfos")
    places.snapshot(account, "one", "replica")
    with refused("InvalidDBInstanceState", "Automated backups are not enabled"):
        account.rds.create_db_instance_read_replica(
            DBInstanceIdentifier="never", SourceDBInstanceIdentifier="off"
        )
    with refused("InvalidParameterCombination", "read replicas"):
        account.rds.modify_db_instance(DBInstanceIdentifier="db", BackupRetentionPeriod=0)


def test_replicas_and_sources_know_each_other_whatever_they_are_called(places: Places) -> None:
    account = places.account({})
    arn = _instance(account)["DBInstanceArn"]
    far = account.rds_in(FRANKFURT)
    for rds, name, source in ((account.rds, "near", "db"), (far, "far", arn)):
        rds.create_db_instance_read_replica(
            DBInstanceIdentifier=name,
            SourceDBInstanceIdentifier=source,
            DBInstanceClass="db.r6g.large",
        )
    places.pass_time(60)
    for rds, before, after in ((account.rds, "db", "shop"), (account.rds, "near", "reader")):
        rds.modify_db_instance(
            DBInstanceIdentifier=before, NewDBInstanceIdentifier=after, ApplyImmediately=True
        )
        places.pass_time(60)
    source = _instance(account, "shop")
    (there,) = far.describe_db_instances()["DBInstances"]
    assert set(source["ReadReplicaDBInstanceIdentifiers"]) == {"reader", there["DBInstanceArn"]}
    assert _instance(account, "reader")["ReadReplicaSourceDBInstanceIdentifier"] == "shop"
    assert there["ReadReplicaSourceDBInstanceIdentifier"] == source["DBInstanceArn"]


@pytest.mark.parametrize("first", ["db", "near"])
def test_a_replica_whose_source_is_deleted_is_promoted(places: Places, first: str) -> None:
    account = places.account({})
    account.rds.create_db_instance_read_replica(
        DBInstanceIdentifier="near", SourceDBInstanceIdentifier="db"
    )
    places.pass_time(60)
    account.rds.delete_db_instance(DBInstanceIdentifier=first, SkipFinalSnapshot=True)
    places.pass_time(600)
    (left,) = account.rds.describe_db_instances()["DBInstances"]
    assert left["DBInstanceIdentifier"] == ("near" if first == "db" else "db")
    assert not left.get("ReadReplicaSourceDBInstanceIdentifier")
    assert not left.get("ReadReplicaDBInstanceIdentifiers")


def test_a_replica_may_be_in_another_region(places: Places) -> None:
    account = places.account({})
    arn = _instance(account)["DBInstanceArn"]
    account.rds_in(FRANKFURT).create_db_instance_read_replica(
        DBInstanceIdentifier="far", SourceDBInstanceIdentifier=arn, DBInstanceClass="db.r6g.large"
    )
    found = account.rds_in(FRANKFURT).describe_db_instances()["DBInstances"][0]
    assert found["ReadReplicaSourceDBInstanceIdentifier"] == arn
    assert found["AvailabilityZone"].startswith(FRANKFURT)


def test_deleting_an_instance_keeps_its_manual_snapshots(places: Places, refused: Refusing) -> None:
    account = places.account()
    account.rds.create_db_instance(DBInstanceIdentifier="db", **NEW)
    places.pass_time(60)
    places.snapshot(account, "one")
    with refused("InvalidParameterCombination", "FinalDBSnapshotIdentifier is required"):
        account.rds.delete_db_instance(DBInstanceIdentifier="db")
    account.rds.delete_db_instance(DBInstanceIdentifier="db", FinalDBSnapshotIdentifier="last")
    assert _instance(account)["DBInstanceStatus"] == "deleting"
    places.pass_time(60)
    assert account.names() == ["last", "one"]
    with refused("DBInstanceNotFound", status=404):
        _instance(account)


def test_a_stopped_instance_is_started_again(places: Places, refused: Refusing) -> None:
    account = places.account({})
    account.rds.stop_db_instance(DBInstanceIdentifier="db")
    places.pass_time()
    assert _instance(account)["DBInstanceStatus"] == "stopped"
    with refused("InvalidDBInstanceState"):
        account.rds.stop_db_instance(DBInstanceIdentifier="db")
    account.rds.start_db_instance(DBInstanceIdentifier="db")
    places.pass_time()
    assert _instance(account)["DBInstanceStatus"] == "available"
