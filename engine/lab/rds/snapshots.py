"""Creating and deleting snapshots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.lab.rds import refusals
from engine.lab.rds.events import What
from engine.lab.rds.models import (
    AUTOMATED,
    AVAILABLE,
    AWS_BACKUP,
    COPYING,
    CREATING,
    FAILED,
    MANUAL,
    PENDING,
    LabInstance,
    LabSnapshot,
)
from engine.lab.rds.placement import volume_of, zone_id
from engine.lab.truth import Volume

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

Tags = list[dict[str, str]]

# The CreateDBSnapshot reference allows both.
_SNAPSHOT_STATES = frozenset({AVAILABLE, "storage-optimization"})
_BACKING_UP = "backing-up"
_IDENTIFIER = re.compile(r"[a-z](-?[a-z0-9])*")
_STARTED = {MANUAL: What.MANUAL_STARTED, AUTOMATED: What.AUTOMATED_STARTED}
_FINISHED = {MANUAL: What.MANUAL_FINISHED, AUTOMATED: What.AUTOMATED_FINISHED}


def create_manual(
    backend: LabBackend, instance_id: str, identifier: str, tags: Tags | None
) -> LabSnapshot:
    """Start a manual snapshot, as CreateDBSnapshot does."""
    check_identifier(identifier, "DBSnapshotIdentifier")
    member = backend.databases.get(instance_id)
    if member is not None and member.db_cluster_identifier:
        raise refusals.parameter(
            "The specified instance is a member of a cluster and a snapshot cannot be created "
            "directly. Please use the CreateDBClusterSnapshot API"
        )
    instance = backend.instance(instance_id)
    if identifier in backend.database_snapshots:
        raise refusals.snapshot_exists(identifier)
    if instance.status not in _SNAPSHOT_STATES:
        backend.tell(instance, What.EMERGENT_SNAPSHOT)
        raise refusals.instance_state(
            f"Cannot create a snapshot because the database instance {instance_id} is not "
            "currently in the available state."
        )
    if instance.is_replica and instance.engine.startswith("sqlserver"):
        raise refusals.instance_state(
            f"Cannot create a snapshot of the read replica {instance_id} of a SQL Server instance."
        )
    check_quota(backend)
    snapshot = start_snapshot(backend, instance, identifier, MANUAL)
    # Explicit tags suppress CopyTagsToSnapshot (RDS User Guide, Tagging Amazon RDS resources).
    inherited = instance.tags if instance.copy_tags_to_snapshot else []
    snapshot.tags = tags or [tag for tag in inherited if not tag["Key"].startswith("aws:")]
    return snapshot


def start_snapshot(
    backend: LabBackend, instance: LabInstance, identifier: str, kind: str
) -> LabSnapshot:
    """Start a snapshot of any kind; the instance is `backing-up` until it is done."""
    world = backend.world
    snapshot = LabSnapshot(
        backend,
        instance,
        identifier,
        kind,
        volume=volume_now(instance),
        key=instance.kms_key_id,
    )
    before, instance.status = instance.status, _BACKING_UP
    seconds = world.settings.create_seconds
    snapshot.status = CREATING
    snapshot.started, snapshot.ends = world.now, world.now + timedelta(seconds=seconds)
    backend.database_snapshots[identifier] = snapshot
    world.ledger.begin(snapshot.subject)
    backend.tell(snapshot, _STARTED[kind])
    snapshot.appointment = world.after(
        seconds / 2 if snapshot.doomed else seconds,
        lambda: _finish(backend, instance, snapshot, before),
    )
    return snapshot


def _finish(backend: LabBackend, instance: LabInstance, snapshot: LabSnapshot, before: str) -> None:
    if instance.status == _BACKING_UP:
        instance.status = before
    if snapshot.doomed:
        snapshot.status = FAILED
        backend.world.ledger.fail(snapshot.arn)
        return
    snapshot.status = AVAILABLE
    backend.world.ledger.complete(snapshot.arn)
    backend.tell(snapshot, _FINISHED[snapshot.snapshot_type])


def volume_now(instance: LabInstance) -> Volume:
    """Return what a snapshot of an instance taken now is physically taken of."""
    zones = instance.zones
    account, region = instance.account_id, instance.region
    return volume_of(
        instance.dbi_resource_id,
        instance.engine,
        zone_id(account, region, zones.primary),
        zone_id(account, region, zones.standby) if zones.standby else None,
    )


def delete(backend: LabBackend, identifier: str) -> LabSnapshot:
    """Delete a manual snapshot, or cancel the copy that makes it, as DeleteDBSnapshot does."""
    snapshot = backend.stored_snapshot(identifier)
    if snapshot.snapshot_type == AWS_BACKUP:
        raise refusals.snapshot_state(
            f"Cannot delete the snapshot {identifier} because it is managed by AWS Backup."
        )
    if snapshot.snapshot_type != MANUAL:
        raise refusals.snapshot_state("Only manual snapshots may be deleted.")
    if snapshot.status == CREATING:
        raise refusals.snapshot_state(
            f"Cannot delete the snapshot {identifier} because it is not currently in the "
            "available state."
        )
    if snapshot.status in {COPYING, PENDING}:
        backend.copies.cancel(snapshot)
        backend.tell(snapshot, What.COPY_CANCELLED)
    else:
        backend.tell(snapshot, What.SNAPSHOT_DELETED)
    drop(backend, snapshot, by=backend.world.circumstances.caller)
    snapshot.status = "deleted"
    return snapshot


def drop(backend: LabBackend, snapshot: LabSnapshot, by: str | None = None) -> None:
    """Let a snapshot be gone; `by` is who deleted it, None for AWS itself."""
    del backend.database_snapshots[snapshot.db_snapshot_identifier]
    backend.shares.forget(snapshot)
    backend.world.ledger.remove(snapshot.arn, by)


def check_quota(backend: LabBackend) -> None:
    """Refuse one more manual snapshot than the account may have in the region."""
    limit = backend.world.settings.manual_snapshots
    if manual_snapshots(backend) >= limit:
        raise refusals.quota(f"Cannot create more than {limit} manual snapshots")


def manual_snapshots(backend: LabBackend) -> int:
    """Count what counts against the quota: manual ones, not automated, not AWS Backup's."""
    return sum(one.snapshot_type == MANUAL for one in backend.database_snapshots.values())


def check_identifier(identifier: str, parameter: str) -> None:
    """Refuse an identifier that RDS would not take (CreateDBSnapshot reference)."""
    if len(identifier) > 255 or not _IDENTIFIER.fullmatch(identifier.lower()):
        raise refusals.parameter(f"The parameter {parameter} {refusals.NOT_AN_IDENTIFIER}")


def names(snapshots: Sequence[LabSnapshot]) -> list[str]:
    """Return the identifiers of snapshots."""
    return [snapshot.db_snapshot_identifier for snapshot in snapshots]
