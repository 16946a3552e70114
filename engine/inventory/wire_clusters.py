"""The shapes of AWS's answers on DB clusters, as `engine.inventory.wire` has those on instances."""

from __future__ import annotations

import msgspec

from engine.inventory.wire import (
    Listing,
    Moment,
    WireAttribute,
    WireTag,
    describe_shapes,
)


class WireCluster(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "identifier": "DBClusterIdentifier",
        "arn": "DBClusterArn",
        "resource_id": "DbClusterResourceId",
        "engine": "Engine",
        "status": "Status",
        "engine_version": "EngineVersion",
        "multi_az": "MultiAZ",
        "encrypted": "StorageEncrypted",
        "encryption_type": "StorageEncryptionType",
        "kms_key": "KmsKeyId",
        "allocated_gib": "AllocatedStorage",
        "backup_retention_days": "BackupRetentionPeriod",
        "backup_window": "PreferredBackupWindow",
        "maintenance_window": "PreferredMaintenanceWindow",
        "latest_restorable_at": "LatestRestorableTime",
        "copy_tags_to_snapshot": "CopyTagsToSnapshot",
        "replica_of": "ReplicationSourceIdentifier",
        "replicas": "ReadReplicaIdentifiers",
        "aws_backup_arn": "AwsBackupRecoveryPointArn",
        "created_at": "ClusterCreateTime",
        "tags": "TagList",
    },
):
    """`DBCluster`."""

    identifier: str
    arn: str | None = None
    resource_id: str | None = None
    engine: str | None = None
    status: str | None = None
    engine_version: str | None = None
    multi_az: bool | None = None
    encrypted: bool | None = None
    encryption_type: str | None = None
    kms_key: str | None = None
    allocated_gib: int | None = None
    backup_retention_days: int | None = None
    backup_window: str | None = None
    maintenance_window: str | None = None
    latest_restorable_at: Moment = None
    copy_tags_to_snapshot: bool | None = None
    replica_of: str | None = None
    replicas: list[str] | None = None
    aws_backup_arn: str | None = None
    created_at: Moment = None
    tags: list[WireTag] | None = None


class WireClusterSnapshot(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "identifier": "DBClusterSnapshotIdentifier",
        "arn": "DBClusterSnapshotArn",
        "cluster": "DBClusterIdentifier",
        "resource_id": "DbClusterResourceId",
        "type": "SnapshotType",
        "status": "Status",
        "engine": "Engine",
        "created_at": "SnapshotCreateTime",
        "encrypted": "StorageEncrypted",
        "kms_key": "KmsKeyId",
        "allocated_gib": "AllocatedStorage",
        "progress": "PercentProgress",
        "source_snapshot": "SourceDBClusterSnapshotArn",
        "tags": "TagList",
    },
):
    """`DBClusterSnapshot`."""

    identifier: str
    arn: str | None = None
    cluster: str | None = None
    resource_id: str | None = None
    type: str | None = None
    status: str | None = None
    engine: str | None = None
    created_at: Moment = None
    encrypted: bool | None = None
    kms_key: str | None = None
    allocated_gib: int | None = None
    progress: int | None = None
    source_snapshot: str | None = None
    tags: list[WireTag] | None = None


class WireClusterAttributes(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "identifier": "DBClusterSnapshotIdentifier",
        "attributes": "DBClusterSnapshotAttributes",
    },
):
    """`DBClusterSnapshotAttributesResult`."""

    identifier: str | None = None
    attributes: list[WireAttribute] | None = None


class WireClusterAttributesAnswer(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "result": "DBClusterSnapshotAttributesResult",
        "attributes": "DBClusterSnapshotAttributes",
    },
):
    """What DescribeDBClusterSnapshotAttributes answers, with or without its outer wrapper."""

    result: WireClusterAttributes | None = None
    attributes: list[WireAttribute] | None = None


class ClusterListing(Listing, kw_only=True, rename={"items": "DBClusters"}):
    """`describe-db-clusters`."""

    items: list[WireCluster]


class ClusterSnapshotListing(Listing, kw_only=True, rename={"items": "DBClusterSnapshots"}):
    """`describe-db-cluster-snapshots`."""

    items: list[WireClusterSnapshot]


describe_shapes(globals())
