"""From AWS's shapes of DB clusters to the engine's records, and back again."""

from __future__ import annotations

from collections.abc import Mapping

from engine.inventory.bulk import Strings
from engine.inventory.convert import moment, rds_prefix, snapshot_type, tags_record, tags_wire
from engine.inventory.records import Instance, Location, Snapshot
from engine.inventory.wire_clusters import WireCluster, WireClusterSnapshot


def cluster_record(wire: WireCluster, location: Location, strings: Strings) -> Instance:
    """Return the record of a DB cluster that was listed at `location`.

    Its volume is in all zones at once, so it is of none of them.
    """
    share = strings.share
    engine, status = wire.engine or "", wire.status or ""
    return Instance(
        arn=wire.arn or f"{rds_prefix(location)}cluster:{wire.identifier}",
        location=location,
        identifier=wire.identifier,
        resource_id=wire.resource_id or "",
        engine=share(engine, engine),
        status=share(status, status),
        engine_version=wire.engine_version or "",
        multi_az=bool(wire.multi_az),
        encrypted=bool(wire.encrypted),
        encryption_type=wire.encryption_type or None,
        kms_key=wire.kms_key or None,
        allocated_gib=wire.allocated_gib or 0,
        backup_retention_days=wire.backup_retention_days or 0,
        backup_window=wire.backup_window or None,
        maintenance_window=wire.maintenance_window or None,
        latest_restorable_at=moment(wire.latest_restorable_at),
        copy_tags_to_snapshot=bool(wire.copy_tags_to_snapshot),
        replica_of=wire.replica_of or None,
        replicas=tuple(wire.replicas or ()),
        aws_backup_arn=wire.aws_backup_arn or None,
        created_at=moment(wire.created_at),
        tags=tags_record(wire.tags, strings),
    )


def cluster_snapshot_record(
    wire: WireClusterSnapshot,
    location: Location,
    strings: Strings,
    shares: Mapping[str, frozenset[str]] | None = None,
) -> Snapshot:
    """Return the record of a DB cluster snapshot that was listed at `location`.

    Of a copy AWS does not say when its data was captured (API reference, DBClusterSnapshot, has no
    OriginalSnapshotCreateTime).
    """
    share = strings.share
    arn = wire.arn or f"{rds_prefix(location)}cluster-snapshot:{wire.identifier}"
    created_at = moment(wire.created_at)
    cluster, resource_id = wire.cluster or "", wire.resource_id or ""
    status, engine = wire.status or "", wire.engine or ""
    return Snapshot(
        arn=arn,
        location=location,
        identifier=wire.identifier,
        instance=share(cluster, cluster),
        resource_id=share(resource_id, resource_id),
        type=snapshot_type(wire.identifier, wire.type),
        status=share(status, status),
        engine=share(engine, engine),
        created_at=created_at,
        original_created_at=None if wire.source_snapshot else created_at,
        encrypted=bool(wire.encrypted),
        kms_key=share(wire.kms_key, wire.kms_key) if wire.kms_key else None,
        allocated_gib=wire.allocated_gib or 0,
        progress=wire.progress,
        source_snapshot=wire.source_snapshot or None,
        tags=tags_record(wire.tags, strings),
        shared_with=shares.get(arn) if shares else None,
    )


def cluster_wire(record: Instance) -> WireCluster:
    """Return a DB cluster as the AWS CLI prints it."""
    return WireCluster(
        identifier=record.identifier,
        arn=record.arn,
        resource_id=record.resource_id,
        engine=record.engine,
        status=record.status,
        engine_version=record.engine_version,
        multi_az=record.multi_az,
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
        aws_backup_arn=record.aws_backup_arn,
        created_at=record.created_at,
        tags=tags_wire(record.tags),
    )


def cluster_snapshot_wire(record: Snapshot) -> WireClusterSnapshot:
    """Return a DB cluster snapshot as the AWS CLI prints it."""
    return WireClusterSnapshot(
        identifier=record.identifier,
        arn=record.arn,
        cluster=record.instance,
        resource_id=record.resource_id,
        type=record.type,
        status=record.status,
        engine=record.engine,
        created_at=record.created_at,
        encrypted=record.encrypted,
        kms_key=record.kms_key,
        allocated_gib=record.allocated_gib,
        progress=record.progress,
        source_snapshot=record.source_snapshot,
        tags=tags_wire(record.tags),
    )
