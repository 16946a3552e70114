"""Automated backups: a snapshot a day in the backup window, kept for the retention period.

Rules: RDS User Guide, Introduction to backups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from engine.lab.rds.events import What
from engine.lab.rds.models import AUTOMATED, AVAILABLE, LabInstance, LabSnapshot
from engine.lab.rds.snapshots import drop, start_snapshot
from engine.lab.rds.windows import next_backup

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

LOG_LAG = timedelta(minutes=5)


def begin(backend: LabBackend, instance: LabInstance) -> None:
    """Let an instance be backed up each day from its next window on."""
    opening = next_backup(instance.preferred_backup_window, backend.world.now)
    backend.world.at(opening, lambda: _each_day(backend, instance))


def _each_day(backend: LabBackend, instance: LabInstance) -> None:
    if backend.databases.get(instance.db_instance_identifier) is not instance:
        return
    take(backend, instance)
    _expire(backend, instance)
    begin(backend, instance)


def take(backend: LabBackend, instance: LabInstance) -> LabSnapshot | None:
    """Take an automated snapshot now, if AWS would.

    It does not when backups are off, the instance is not available, or a copy of a snapshot of it
    runs inside the region, in whichever account: the guide tells of the region only.
    """
    if not backend.world.settings.automated_backups or not instance.backup_retention_period:
        return None
    if instance.status != AVAILABLE:
        return None
    if backend.copies_inside_region(instance.dbi_resource_id):
        return None
    stamp = backend.world.now.strftime("%Y-%m-%d-%H-%M")
    identifier = f"rds:{instance.db_instance_identifier}-{stamp}"
    if identifier in backend.database_snapshots:
        return None
    backend.tell(instance, What.BACKUP_STARTED)
    snapshot = start_snapshot(backend, instance, identifier, AUTOMATED)
    if instance.copy_tags_to_snapshot:
        snapshot.tags = list(instance.tags)
    backend.world.after(
        backend.world.settings.create_seconds, lambda: backend.tell(instance, What.BACKUP_FINISHED)
    )
    return snapshot


def of_instance(backend: LabBackend, resource_id: str) -> Sequence[LabSnapshot]:
    """Return the automated snapshots of an instance, the oldest first."""
    found = [
        one
        for one in backend.database_snapshots.values()
        if one.snapshot_type == AUTOMATED and one.dbi_resource_id == resource_id
    ]
    return sorted(found, key=lambda one: one.created)


def _expire(backend: LabBackend, instance: LabInstance) -> None:
    oldest = backend.world.now - timedelta(days=instance.backup_retention_period)
    for snapshot in of_instance(backend, instance.dbi_resource_id):
        if snapshot.created < oldest and snapshot.status == AVAILABLE:
            drop(backend, snapshot)


def drop_all(backend: LabBackend, resource_id: str) -> None:
    """Let all automated snapshots of an instance be gone."""
    for snapshot in of_instance(backend, resource_id):
        if snapshot.appointment is not None:
            snapshot.appointment.cancel()
        drop(backend, snapshot)


@dataclass(frozen=True, slots=True)
class AutomatedBackup:
    """What DescribeDBInstanceAutomatedBackups tells, named as the API's shape is."""

    db_instance_arn: str
    dbi_resource_id: str
    region: str
    db_instance_identifier: str
    status: str
    engine: str
    engine_version: str
    allocated_storage: int
    availability_zone: str | None
    encrypted: bool
    kms_key_id: str | None
    storage_type: str
    port: int | None
    master_username: str | None
    option_group_name: str
    license_model: str
    instance_create_time: datetime
    backup_retention_period: int
    preferred_backup_window: str
    db_instance_automated_backups_arn: str
    restore_window: dict[str, datetime]
    backup_target: str = "region"


def backup_of(instance: LabInstance, status: str, arn: str, **instead: Any) -> AutomatedBackup:
    """Describe the automated backup of an instance."""
    now = instance.backend.world.now
    taken = of_instance(instance.backend, instance.dbi_resource_id)
    told: dict[str, Any] = {
        "encrypted": instance.storage_encrypted,
        "kms_key_id": instance.kms_key_id,
        "backup_retention_period": instance.backup_retention_period,
        "restore_window": {
            "EarliestTime": taken[0].created if taken else now,
            "LatestTime": now - LOG_LAG,
        },
    }
    return AutomatedBackup(
        db_instance_arn=instance.arn,
        dbi_resource_id=instance.dbi_resource_id,
        region=instance.region,
        db_instance_identifier=instance.db_instance_identifier,
        status=status,
        engine=instance.engine,
        engine_version=instance.engine_version,
        allocated_storage=instance.allocated_storage,
        availability_zone=instance.availability_zone,
        storage_type=instance.storage_type,
        port=instance.port,
        master_username=instance.master_username,
        option_group_name=instance.option_group_name,
        license_model=instance.license_model,
        instance_create_time=instance.instance_create_time,
        preferred_backup_window=instance.preferred_backup_window,
        db_instance_automated_backups_arn=arn,
        **{**told, **instead},
    )


def backups_of(backend: LabBackend) -> list[AutomatedBackup]:
    """Return the automated backups of an account's own instances in a region."""
    return [
        backup_of(instance, "active", backup_arn(instance, backend.region_name))
        for instance in backend.databases.values()
        if isinstance(instance, LabInstance) and instance.backup_retention_period
    ]


def backup_arn(instance: LabInstance, region: str) -> str:
    """Return the ARN of the automated backup of an instance in a region."""
    name = f"ab-{instance.dbi_resource_id[3:].lower()}"
    return f"arn:aws:rds:{region}:{instance.account_id}:auto-backup:{name}"
