"""Automated backups as the AWS CLI prints them: of instances, received, retained."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.inventory.recorded import read_inventory
from engine.inventory.recorded_files import RecordingError
from engine.inventory.records import AutomatedState
from tests.inventory.cli_output import ACCOUNT, REGION, instance, listing, record
from tests.inventory.test_recorded import HERE, scope_of

FILE = "describe-db-instance-automated-backups.json"
LINK = f"arn:aws:rds:eu-central-1:{ACCOUNT}:auto-backup:ab-orders"


def backup(**changes: Any) -> dict[str, Any]:
    return {
        "DBInstanceArn": f"arn:aws:rds:eu-central-1:{ACCOUNT}:db:orders",
        "DbiResourceId": "db-ORDERS",
        "Region": "eu-central-1",
        "DBInstanceIdentifier": "orders",
        "Status": "retained",
        "Engine": "postgres",
        "AllocatedStorage": 100,
        "Encrypted": False,
        "BackupRetentionPeriod": 7,
        "DBInstanceAutomatedBackupsArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:auto-backup:ab-1",
        "RestoreWindow": {
            "EarliestTime": "2026-11-13T02:00:00.000000+00:00",
            "LatestTime": "2026-11-20T01:55:00.000000+00:00",
        },
    } | changes


def test_what_waits_and_where_backups_go_is_read_of_an_instance(tmp_path: Path) -> None:
    told = instance() | {
        "BackupRetentionPeriod": 0,
        "PreferredBackupWindow": "02:00-02:30",
        "PendingModifiedValues": {"BackupRetentionPeriod": 7, "Iops": 3000},
        "DBInstanceAutomatedBackupsReplications": [{"DBInstanceAutomatedBackupsArn": LINK}, {}],
    }

    (found,) = scope_of(record(tmp_path, listing(instances=[told]))).instances or ()

    assert found.pending_retention_days == 7
    assert found.replications == (LINK,)
    assert found.replication_regions == ("eu-central-1",)
    assert found.backup_settings == "0 days, 02:00-02:30, 7 days pending"


def test_what_a_reboot_may_apply_is_read_of_an_instance(tmp_path: Path) -> None:
    told = instance() | {
        "DBInstanceStatus": "available",
        "MultiAZ": True,
        "PreferredMaintenanceWindow": "sun:06:00-sun:06:30",
        "PendingModifiedValues": {"MultiAZ": False, "EngineVersion": "17.2", "Port": None},
        "DBParameterGroups": [
            {"DBParameterGroupName": "own", "ParameterApplyStatus": "pending-reboot"},
            {"DBParameterGroupName": "other", "ParameterApplyStatus": "in-sync"},
        ],
    }
    plain = told | {"PendingModifiedValues": {}, "DBParameterGroups": []}

    busy, idle = (
        (scope_of(record(tmp_path / name, listing(instances=[one]))).instances or ())[0]
        for name, one in (("busy", told), ("idle", plain))
    )

    assert busy.pending == ("EngineVersion", "MultiAZ", "parameter group own")
    assert not busy.may_fail_over
    assert idle.may_fail_over
    assert idle.readiness == "available, Multi-AZ, maintained sun:06:00-sun:06:30, nothing pending"
    assert not replace(idle, multi_az=False).may_fail_over
    assert "Single-AZ" in replace(idle, multi_az=False).readiness


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("active", AutomatedState.ACTIVE),
        ("replicating", AutomatedState.RECEIVING),
        ("pending", AutomatedState.RECEIVING),
        ("retained", AutomatedState.RETAINED),
        ("novel", AutomatedState.OTHER),
    ],
)
def test_only_what_is_retained_expires(tmp_path: Path, status: str, state: AutomatedState) -> None:
    files = {FILE: {"DBInstanceAutomatedBackups": [backup(Status=status)]}}

    (found,) = scope_of(record(tmp_path, files)).automated or ()

    assert (found.state, found.location, found.home_region) == (state, HERE, "eu-central-1")
    end = datetime(2026, 11, 27, 1, 55, tzinfo=UTC)
    assert found.expires_at == (end if state is AutomatedState.RETAINED else None)


def test_backups_without_an_arn_or_a_window_break_nothing(tmp_path: Path) -> None:
    bare = backup(RestoreWindow=None)
    nameless = backup(DBInstanceAutomatedBackupsArn=None)
    files = {FILE: {"DBInstanceAutomatedBackups": [bare, nameless]}}

    (found,) = scope_of(record(tmp_path, files)).automated or ()

    assert found.expires_at is None


def test_without_the_file_they_are_not_known(tmp_path: Path) -> None:
    assert scope_of(record(tmp_path, listing(instances=[instance()]))).automated is None


def test_backups_of_another_place_are_a_fault(tmp_path: Path) -> None:
    files = {FILE: {"DBInstanceAutomatedBackups": [backup(DBInstanceAutomatedBackupsArn=LINK)]}}
    with pytest.raises(RecordingError, match="does not belong to"):
        read_inventory(record(tmp_path, files))


def test_a_listing_that_was_cut_short_is_doubted(tmp_path: Path) -> None:
    files = {FILE: {"DBInstanceAutomatedBackups": [backup()], "Marker": "more"}}
    assert f"{FILE} holds only its first pages" in str(scope_of(record(tmp_path, files)).cause)
