"""Writing an inventory as a folder of AWS CLI output, for plans without credentials."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import EngineError
from engine.inventory import layout
from engine.inventory.convert import (
    MANUAL_CLUSTER_SNAPSHOTS,
    MANUAL_SNAPSHOTS,
    PARAMETERS,
    PENDING_RETENTION,
    REPLICATION,
    RESTORE,
    tags_wire,
)
from engine.inventory.recording_clusters import cluster_parts
from engine.inventory.records import (
    ENCRYPTS,
    SYMMETRIC,
    AutomatedBackup,
    Clusters,
    Event,
    Instance,
    Inventory,
    Key,
    Scope,
    Snapshot,
)
from engine.inventory.wire import (
    AutomatedBackupListing,
    EventListing,
    Header,
    InstanceListing,
    KeyListing,
    QuotaListing,
    SnapshotListing,
    WireAttribute,
    WireAttributes,
    WireAttributesAnswer,
    WireAutomatedBackup,
    WireEvent,
    WireInstance,
    WireKey,
    WireOptionGroup,
    WireParameterGroup,
    WireQuota,
    WireReplication,
    WireRestoreWindow,
    WireScope,
    WireSnapshot,
    WireStatus,
    WireZone,
    ZoneListing,
)

# The record keeps that there is one, not which.
_SOME_TDE_CREDENTIAL = "not-recorded"
# The record keeps what is pending, not what it will be.
PENDING = "pending-reboot"


class NotARecordingError(EngineError):
    """A folder that holds other things than a recording, and so is not replaced by one."""


def write_inventory(inventory: Inventory, folder: Path) -> None:
    """Write `inventory` so that `read_inventory(folder)` returns it again, but as recorded.

    A recording that stands at `folder` is replaced whole once the new one is complete, so nobody
    meets half of each.

    Raises:
        NotARecordingError: `folder` holds something else.
        EngineError: it cannot be written.
    """
    folder = folder.resolve()
    check_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            new, old = Path(beside) / "new", Path(beside) / "old"
            new.mkdir()
            _write_all(inventory, new)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
    except OSError as error:
        raise EngineError(
            "the recording cannot be written", where=str(folder), why=str(error)
        ) from error


def check_replaceable(folder: Path) -> None:
    """See that a recording may be written to `folder`.

    Raises:
        NotARecordingError: something else is there.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise NotARecordingError("is no folder", where=str(folder), fix="name another one")
    strangers = [
        entry.name
        for entry in _entries(folder)
        if entry.name != layout.HEADER
        and not (entry.is_dir() and layout.ACCOUNT_ID.fullmatch(entry.name))
    ]
    if strangers:
        raise NotARecordingError(
            "holds other things than a recording, which would be lost",
            where=str(folder),
            why=f"for example {min(strangers)}",
            fix="name a folder that does not exist yet",
        )


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise NotARecordingError("cannot be listed", where=str(folder), why=str(error)) from error


def _write_all(inventory: Inventory, folder: Path) -> None:
    for scope in inventory.scopes.values():
        parts = _parts(scope)
        if parts:
            home = layout.location_folder(folder, scope.location)
            home.mkdir(parents=True)
            for name, part in parts.items():
                _write(home / name, part)
    _write(folder / layout.HEADER, _header(inventory))


def _write(file: Path, content: Any) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=4) + b"\n")


def _header(inventory: Inventory) -> Header:
    return Header(
        format_version=layout.FORMAT_VERSION,
        taken_at=inventory.taken_at,
        scopes=[_scope(scope) for scope in inventory.scopes.values()],
        notes=list(inventory.notes) or None,
    )


def _scope(scope: Scope) -> WireScope:
    clusters = scope.clusters or Clusters()
    return WireScope(
        account=scope.location.account,
        region=scope.location.region,
        status=scope.status,
        cause=scope.cause,
        instances=None if scope.instances is None else len(scope.instances),
        snapshots=None if scope.snapshots is None else len(scope.snapshots),
        clusters=None if clusters.clusters is None else len(clusters.clusters),
        cluster_snapshots=None if clusters.snapshots is None else len(clusters.snapshots),
    )


def _parts(scope: Scope) -> dict[str, Any]:
    """Return the contents of the location's files; a part that is not known has no file."""
    parts: dict[str, Any] = {}
    if scope.instances is not None:
        parts[layout.INSTANCES] = InstanceListing(items=[_instance(i) for i in scope.instances])
    if scope.snapshots is not None:
        parts[layout.SNAPSHOTS] = SnapshotListing(items=[_snapshot(s) for s in scope.snapshots])
        shares = _shares(scope.snapshots)
        if shares:
            parts[layout.SNAPSHOT_ATTRIBUTES] = shares
    if scope.shared is not None:
        parts[layout.SHARED_SNAPSHOTS] = SnapshotListing(items=[_snapshot(s) for s in scope.shared])
    if scope.keys is not None:
        parts[layout.KEYS] = KeyListing([_key(key) for key in scope.keys.values()])
    if quotas := _quotas(scope):
        parts[layout.QUOTAS] = QuotaListing(quotas)
    if scope.zones is not None:
        parts[layout.ZONES] = ZoneListing([WireZone(n, z) for n, z in scope.zones.items()])
    if scope.events is not None:
        parts[layout.EVENTS] = EventListing(items=[_event(event) for event in scope.events])
    if scope.automated is not None:
        items = [_automated(backup) for backup in scope.automated]
        parts[layout.AUTOMATED_BACKUPS] = AutomatedBackupListing(items=items)
    return parts if scope.clusters is None else parts | cluster_parts(scope.clusters)


def _instance(record: Instance) -> WireInstance:
    return WireInstance(
        identifier=record.identifier,
        arn=record.arn,
        resource_id=record.resource_id,
        engine=record.engine,
        status=record.status,
        engine_version=record.engine_version,
        multi_az=record.multi_az,
        availability_zone=record.availability_zone,
        secondary_zone=record.secondary_zone,
        encrypted=record.encrypted,
        encryption_type=record.encryption_type,
        kms_key=record.kms_key,
        allocated_gib=record.allocated_gib,
        backup_retention_days=record.backup_retention_days,
        backup_window=record.backup_window,
        maintenance_window=record.maintenance_window,
        latest_restorable_at=record.latest_restorable_at,
        copy_tags_to_snapshot=record.copy_tags_to_snapshot,
        replica_of=record.replica_of,
        replicas=list(record.replicas),
        cluster=record.cluster,
        aws_backup_arn=record.aws_backup_arn,
        option_groups=[WireOptionGroup(name) for name in record.option_groups],
        created_at=record.created_at,
        tags=tags_wire(record.tags),
        statuses=[WireStatus(REPLICATION, record.replication)] if record.replication else None,
        pending=_pending(record) or None,
        parameter_groups=[
            WireParameterGroup(name.removeprefix(PARAMETERS), PENDING)
            for name in record.pending
            if name.startswith(PARAMETERS)
        ]
        or None,
        replications=[WireReplication(arn) for arn in record.replications] or None,
    )


def _pending(record: Instance) -> dict[str, Any]:
    """Return what is pending; but for the retention of backups, only that it is."""
    names = (name for name in record.pending if not name.startswith(PARAMETERS))
    pending: dict[str, Any] = dict.fromkeys(names, PENDING)
    if record.pending_retention_days is not None:
        pending[PENDING_RETENTION] = record.pending_retention_days
    return pending


def _automated(record: AutomatedBackup) -> WireAutomatedBackup:
    return WireAutomatedBackup(
        arn=record.arn,
        instance_arn=record.instance_arn,
        instance=record.instance,
        resource_id=record.resource_id,
        status=record.status,
        engine=record.engine,
        retention_days=record.retention_days,
        allocated_gib=record.allocated_gib,
        encrypted=record.encrypted,
        kms_key=record.kms_key,
        restore_window=WireRestoreWindow(record.earliest, record.latest),
    )


def _snapshot(record: Snapshot) -> WireSnapshot:
    return WireSnapshot(
        identifier=record.identifier,
        arn=record.arn,
        instance=record.instance,
        resource_id=record.resource_id,
        type=record.type,
        status=record.status,
        engine=record.engine,
        created_at=record.created_at,
        original_created_at=record.original_created_at,
        availability_zone=record.availability_zone,
        encrypted=record.encrypted,
        kms_key=record.kms_key,
        allocated_gib=record.allocated_gib,
        progress=record.progress,
        source_snapshot=record.source_snapshot,
        option_group=record.option_group,
        tde_credential=_SOME_TDE_CREDENTIAL if record.tde else None,
        tags=tags_wire(record.tags),
        database_time=record.database_time,
        full_bytes=record.full_bytes,
    )


def _shares(snapshots: Iterable[Snapshot]) -> dict[str, WireAttributesAnswer]:
    return {
        snapshot.arn: WireAttributesAnswer(
            WireAttributes(
                snapshot.identifier,
                [WireAttribute(RESTORE, sorted(snapshot.shared_with))],
            )
        )
        for snapshot in snapshots
        if snapshot.shared_with is not None
    }


def _key(record: Key) -> WireKey:
    return WireKey(
        id=record.arn.rpartition("/")[2],
        arn=record.arn,
        manager=record.manager,
        state=record.state,
        spec=None if record.spec == SYMMETRIC else record.spec,
        usage=None if record.usage == ENCRYPTS else record.usage,
        aliases=list(record.aliases),
    )


def _quotas(scope: Scope) -> list[WireQuota]:
    named = (
        (MANUAL_SNAPSHOTS, scope.quota),
        (MANUAL_CLUSTER_SNAPSHOTS, scope.clusters.quota if scope.clusters else None),
    )
    return [WireQuota(name, one.used, one.maximum) for name, one in named if one is not None]


def _event(event: Event) -> WireEvent:
    return WireEvent(event.at, event.source, event.message, list(event.categories))
