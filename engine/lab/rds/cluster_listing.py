"""Listing cluster snapshots: own ones, and those that others share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.rds.models import rds_backends

from engine.lab.rds.clusters import LabClusterSnapshot, find, may_read, not_found
from engine.lab.rds.models import CREATING

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend


def listed(
    backend: LabBackend, kind: str | None, snapshot: str | None, cluster: str | None
) -> list[dict[str, Any]]:
    """Return what DescribeDBClusterSnapshots shows: own snapshots, or what others share."""
    if snapshot is not None:
        found = find(backend, snapshot)
        if found is None or not may_read(found, backend.account_id):
            raise not_found(snapshot)
        return [described(found, backend)]
    if kind == "shared":
        own_account, region = backend.account_id, backend.region_name
        others = [account for account in sorted(rds_backends) if account != own_account]
        places = [backend.at(account, region) for account in others]
    else:
        places = [backend]
    return [
        described(one, backend)
        for place in places
        for one in sorted(
            place.cluster_snapshots.values(), key=lambda one: one.db_cluster_snapshot_identifier
        )
        if isinstance(one, LabClusterSnapshot)
        and one.is_seen
        and may_read(one, backend.account_id)
        and (kind in {None, "shared", one.snapshot_type})
        and cluster in {None, one.db_cluster_identifier}
    ]


def described(snapshot: LabClusterSnapshot, backend: LabBackend) -> dict[str, Any]:
    """Return a snapshot as the API tells of it; others see its ARN for its id, and no tags."""
    is_own = snapshot.account_id == backend.account_id
    name = snapshot.db_cluster_snapshot_identifier
    return {
        "DBClusterSnapshotIdentifier": name if is_own else snapshot.arn,
        "DBClusterSnapshotArn": snapshot.arn,
        "DBClusterIdentifier": snapshot.db_cluster_identifier,
        "DbClusterResourceId": snapshot.db_cluster_resource_id,
        "SnapshotType": snapshot.snapshot_type if is_own else "shared",
        "SnapshotCreateTime": None if snapshot.status == CREATING else snapshot.created,
        "Engine": snapshot.engine,
        "EngineVersion": snapshot.engine_version,
        "AllocatedStorage": snapshot.allocated_storage,
        "AvailabilityZones": snapshot.cluster.availability_zones,
        "ClusterCreateTime": snapshot.cluster_create_time,
        "Status": snapshot.status,
        "PercentProgress": snapshot.percent_progress,
        "StorageEncrypted": snapshot.storage_encrypted,
        "StorageEncryptionType": snapshot.storage_encryption_type,
        "KmsKeyId": snapshot.key,
        "SourceDBClusterSnapshotArn": snapshot.source_db_cluster_snapshot_arn,
        "TagList": snapshot.tags if is_own else [],
    }
