"""Automated backups and their replication."""

from __future__ import annotations

from datetime import timedelta

from tests.lab.conftest import Refusing
from tests.lab.places import FRANKFURT, IRELAND, Places

DAY = 86_400


def test_a_snapshot_is_taken_daily_in_the_window_and_kept_for_the_retention(
    places: Places,
) -> None:
    account = places.account({"retention_days": 2, "backup_window": "03:00-03:30"})
    for _ in range(5):
        places.pass_time(DAY)
    found = account.rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]
    taken = sorted(one["SnapshotCreateTime"] for one in found)
    assert {(when.hour, when.minute) for when in taken} == {(3, 0)}
    assert taken[-1] - taken[0] == timedelta(days=2)
    for one in found:
        stamp = one["SnapshotCreateTime"].strftime("%Y-%m-%d-%H-%M")
        assert one["DBSnapshotIdentifier"] == f"rds:db-{stamp}"


def test_none_is_taken_without_retention_nor_while_stopped(places: Places) -> None:
    account = places.account({"retention_days": 0}, {"identifier": "off", "status": "stopped"})
    places.pass_time(2 * DAY)
    assert account.names() == []


def test_none_is_taken_while_a_copy_inside_the_region_runs(places: Places) -> None:
    created = "2026-01-01T00:00:00Z"
    account = places.account(
        {"backup_window": "03:00-03:30"}, snapshots=[{"identifier": "one", "created": created}]
    )
    places.lab.client.change_settings(copy_seconds=2 * DAY, cross_region_seconds=2 * DAY)
    account.rds.copy_db_snapshot(SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="two")
    places.pass_time(DAY)
    assert account.names(SnapshotType="automated") == []
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="two")
    account.rds_in(FRANKFURT).copy_db_snapshot(
        SourceDBSnapshotIdentifier=account.arn("one"), TargetDBSnapshotIdentifier="far"
    )
    places.pass_time(DAY)
    assert len(account.names(SnapshotType="automated")) == 1


def test_turning_backups_off_deletes_automated_snapshots_only(places: Places) -> None:
    account = places.account({})
    places.pass_time(2 * DAY)
    places.snapshot(account, "manual")
    assert len(account.names()) > 1
    account.rds.modify_db_instance(
        DBInstanceIdentifier="db", BackupRetentionPeriod=0, ApplyImmediately=True
    )
    places.pass_time()
    assert account.names() == ["manual"]


def test_automated_backups_of_an_instance_tell_their_window(places: Places) -> None:
    account = places.account({"retention_days": 3})
    places.pass_time(2 * DAY)
    [backup] = account.rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    assert (backup["Status"], backup["BackupRetentionPeriod"]) == ("active", 3)
    assert backup["RestoreWindow"]["EarliestTime"] < backup["RestoreWindow"]["LatestTime"]


def test_backups_are_replicated_from_the_region_that_receives(
    places: Places, refused: Refusing
) -> None:
    account = places.account({"retention_days": 3})
    source = account.rds.describe_db_instances()["DBInstances"][0]
    arn, far = source["DBInstanceArn"], account.rds_in(FRANKFURT)
    with refused("InvalidParameterValue", "must differ"):
        account.rds.start_db_instance_automated_backups_replication(SourceDBInstanceArn=arn)
    started = far.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arn, BackupRetentionPeriod=7
    )["DBInstanceAutomatedBackup"]
    link = started["DBInstanceAutomatedBackupsArn"]
    assert (started["Status"], started["Region"]) == ("replicating", IRELAND)
    source = account.rds.describe_db_instances()["DBInstances"][0]
    assert source["DBInstanceAutomatedBackupsReplications"] == [
        {"DBInstanceAutomatedBackupsArn": link}
    ]
    with refused("InvalidDBInstanceAutomatedBackupState"):
        far.start_db_instance_automated_backups_replication(SourceDBInstanceArn=arn)
    stopped = far.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=arn)
    assert stopped["DBInstanceAutomatedBackup"]["Status"] == "retained"
    with refused("InvalidDBInstanceState"):
        far.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=arn)
    far.delete_db_instance_automated_backup(DBInstanceAutomatedBackupsArn=link)
    assert far.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"] == []
    with refused("DBInstanceAutomatedBackupNotFound", status=404):
        far.delete_db_instance_automated_backup(DBInstanceAutomatedBackupsArn=link)


def test_replicating_encrypted_backups_needs_a_key_of_the_receiving_region(
    places: Places, refused: Refusing
) -> None:
    key = [{"alias": "alias/own"}, {"alias": "alias/far", "region": FRANKFURT}]
    account = places.account(
        {"key": "alias/own"}, {"identifier": "off", "retention_days": 0}, keys=key
    )
    found = account.rds.describe_db_instances()["DBInstances"]
    arns = {one["DBInstanceIdentifier"]: one["DBInstanceArn"] for one in found}
    far = account.rds_in(FRANKFURT)
    with refused("InvalidParameterValue", "KmsKeyId"):
        far.start_db_instance_automated_backups_replication(SourceDBInstanceArn=arns["db"])
    with refused("KMSKeyNotAccessibleFault"):
        far.start_db_instance_automated_backups_replication(
            SourceDBInstanceArn=arns["db"], KmsKeyId="alias/own"
        )
    far.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arns["db"], KmsKeyId="alias/far"
    )
    with refused("InvalidDBInstanceState"):
        far.start_db_instance_automated_backups_replication(SourceDBInstanceArn=arns["off"])


def test_the_backups_of_a_live_instance_cannot_be_deleted(
    places: Places, refused: Refusing
) -> None:
    account = places.account({})
    resource = account.rds.describe_db_instances()["DBInstances"][0]["DbiResourceId"]
    with refused("InvalidDBInstanceAutomatedBackupState"):
        account.rds.delete_db_instance_automated_backup(DbiResourceId=resource)


def test_source_regions_are_the_others(places: Places) -> None:
    regions = places.account().rds.describe_source_regions()["SourceRegions"]
    names = [one["RegionName"] for one in regions]
    assert FRANKFURT in names
    assert IRELAND not in names
