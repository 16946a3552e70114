"""Automated backups and their replication."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.lab.conftest import Refusing
from tests.lab.places import FRANKFURT, IRELAND, Account, Places

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient
    from mypy_boto3_rds.type_defs import DBInstanceAutomatedBackupTypeDef

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


def test_none_is_taken_while_another_account_copies_inside_the_region(places: Places) -> None:
    account = places.account({"backup_window": "03:00-03:30"}, others=["999999999999"])
    origin = places.snapshot(account, "one")
    account.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="one", AttributeName="restore", ValuesToAdd=["999999999999"]
    )
    places.lab.client.change_settings(copy_seconds=2 * DAY)
    other = Account(places.lab, "999999999999")
    other.rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier=origin, TargetDBSnapshotIdentifier="theirs"
    )
    places.pass_time(DAY)
    assert account.names(SnapshotType="automated") == []


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


def backups(client: RDSClient) -> list[DBInstanceAutomatedBackupTypeDef]:
    return client.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]


def test_backups_outlive_their_instance_where_that_is_asked_until_their_retention_ends(
    places: Places, refused: Refusing
) -> None:
    account = places.account({"retention_days": 3}, {"identifier": "other", "retention_days": 3})
    places.pass_time(2 * DAY)
    for name, dropped in (("db", False), ("other", True)):
        account.rds.delete_db_instance(
            DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=dropped
        )
    places.pass_time(DAY)
    [kept] = backups(account.rds)
    assert (kept["DBInstanceIdentifier"], kept["Status"]) == ("db", "retained")
    latest = kept["RestoreWindow"]["LatestTime"]
    assert len(account.names(SnapshotType="automated")) > 0
    places.pass_time(DAY)
    assert backups(account.rds)[0]["RestoreWindow"]["LatestTime"] == latest
    places.pass_time(2 * DAY)
    assert backups(account.rds) == []
    assert account.names(SnapshotType="automated") == []
    with refused("DBInstanceAutomatedBackupNotFound", status=404):
        account.rds.delete_db_instance_automated_backup(DbiResourceId=kept["DbiResourceId"])


def test_retained_backups_can_be_deleted_before_their_time(places: Places) -> None:
    account = places.account({"retention_days": 3})
    places.pass_time(DAY)
    account.rds.delete_db_instance(
        DBInstanceIdentifier="db", SkipFinalSnapshot=True, DeleteAutomatedBackups=False
    )
    places.pass_time(DAY)
    [kept] = backups(account.rds)
    account.rds.delete_db_instance_automated_backup(DbiResourceId=kept["DbiResourceId"])
    assert backups(account.rds) == []
    places.pass_time(5 * DAY)


def test_replication_dies_in_silence_with_its_key_and_stays_dead(places: Places) -> None:
    keys = [{"alias": "alias/own"}, {"alias": "alias/far", "region": FRANKFURT}]
    account = places.account({"key": "alias/own", "retention_days": 3}, keys=keys)
    arn = account.rds.describe_db_instances()["DBInstances"][0]["DBInstanceArn"]
    far, kms = account.rds_in(FRANKFURT), account.client("kms", FRANKFURT)
    far.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arn, KmsKeyId="alias/far", BackupRetentionPeriod=3
    )
    places.pass_time(DAY)
    [before] = backups(far)
    key = before["KmsKeyId"]
    kms.disable_key(KeyId=key)
    places.pass_time(DAY)
    [dead] = backups(far)
    kms.enable_key(KeyId=key)
    places.pass_time(DAY)
    [still] = backups(far)
    assert dead["Status"] == still["Status"] == "replicating"
    ends = [one["RestoreWindow"]["LatestTime"] for one in (before, dead, still)]
    assert ends[0] < ends[1] == ends[2]
    far.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=arn)
    far.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arn, KmsKeyId="alias/far", BackupRetentionPeriod=3
    )
    assert sorted(one["Status"] for one in backups(far)) == ["replicating", "retained"]
    places.pass_time(3 * DAY)
    assert [one["Status"] for one in backups(far)] == ["replicating"]
