"""The calls of RDS on DB clusters and their snapshots, beside those on instances in `rds`.

Tags are set and removed by ARN, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.aws.errors import AwsError, calling
from engine.aws.rds_shapes import PAGE, decoded, tags_of
from engine.inventory.bulk import Strings
from engine.inventory.convert import RESTORE, accounts_shared_with
from engine.inventory.convert_clusters import cluster_record, cluster_snapshot_record
from engine.inventory.records import Instance, Location, Snapshot
from engine.inventory.wire import WireAttribute
from engine.inventory.wire_clusters import WireCluster, WireClusterSnapshot

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient


def list_clusters(client: RDSClient, at: Location) -> tuple[Instance, ...]:
    """List the DB clusters of a location, all pages."""
    strings = Strings()
    with calling("rds:DescribeDBClusters", at):
        pages = client.get_paginator("describe_db_clusters").paginate(
            PaginationConfig={"PageSize": PAGE}
        )
        return tuple(
            cluster_record(wire, at, strings)
            for page in pages
            for wire in decoded(page["DBClusters"], WireCluster)
        )


def list_snapshots(
    client: RDSClient, at: Location, kind: str | None = None
) -> tuple[Snapshot, ...]:
    """List the account's own cluster snapshots, all pages, or only those of one `SnapshotType`."""
    parameters: dict[str, Any] = {"SnapshotType": kind} if kind else {}
    return tuple(_snapshots(client, at, parameters))


def list_shared_snapshots(client: RDSClient, at: Location) -> tuple[Snapshot, ...]:
    """List what other accounts share with this one; `location` is where, not whose, they are."""
    return tuple(_snapshots(client, at, {"SnapshotType": "shared", "IncludeShared": True}))


def find_snapshot(client: RDSClient, at: Location, identifier: str) -> Snapshot | None:
    """Read one cluster snapshot by its id, None where there is none."""
    try:
        found = tuple(_snapshots(client, at, {"DBClusterSnapshotIdentifier": identifier}))
    except AwsError as error:
        if error.code.startswith("DBClusterSnapshotNotFound"):
            return None
        raise
    return found[0] if found else None


def _snapshots(
    client: RDSClient, at: Location, parameters: Mapping[str, Any]
) -> Iterator[Snapshot]:
    strings = Strings()
    with calling("rds:DescribeDBClusterSnapshots", at):
        pages = client.get_paginator("describe_db_cluster_snapshots").paginate(
            **parameters, PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            for wire in decoded(page["DBClusterSnapshots"], WireClusterSnapshot):
                yield cluster_snapshot_record(wire, at, strings)


def accounts_that_may_restore(client: RDSClient, at: Location, identifier: str) -> frozenset[str]:
    """Read the accounts that a cluster snapshot is shared with; one call per snapshot."""
    with calling("rds:DescribeDBClusterSnapshotAttributes", at):
        answer = client.describe_db_cluster_snapshot_attributes(
            DBClusterSnapshotIdentifier=identifier
        )
        result = answer["DBClusterSnapshotAttributesResult"]
        return accounts_shared_with(
            decoded(result.get("DBClusterSnapshotAttributes", []), WireAttribute)
        )


def create_snapshot(
    client: RDSClient, at: Location, identifier: str, *, cluster: str, tags: Mapping[str, str]
) -> None:
    """Start a snapshot of a cluster. Explicit tags suppress CopyTagsToSnapshot."""
    with calling("rds:CreateDBClusterSnapshot", at):
        client.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=identifier, DBClusterIdentifier=cluster, Tags=tags_of(tags)
        )


def copy_snapshot(
    client: RDSClient,
    at: Location,
    identifier: str,
    *,
    origin: str,
    key: str | None,
    tags: Mapping[str, str],
) -> None:
    """Start a copy of the cluster snapshot with the ARN `origin`, encrypted under `key`."""
    more: dict[str, Any] = {} if key is None else {"KmsKeyId": key}
    with calling("rds:CopyDBClusterSnapshot", at):
        client.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=origin,
            TargetDBClusterSnapshotIdentifier=identifier,
            Tags=tags_of(tags),
            **more,
        )


def share_snapshot(
    client: RDSClient, at: Location, identifier: str, accounts: Sequence[str]
) -> None:
    """Let accounts restore and copy a cluster snapshot."""
    with calling("rds:ModifyDBClusterSnapshotAttribute", at):
        client.modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier=identifier,
            AttributeName=RESTORE,
            ValuesToAdd=list(accounts),
        )


def unshare_snapshot(
    client: RDSClient, at: Location, identifier: str, accounts: Sequence[str]
) -> None:
    """Take that back."""
    with calling("rds:ModifyDBClusterSnapshotAttribute", at):
        client.modify_db_cluster_snapshot_attribute(
            DBClusterSnapshotIdentifier=identifier,
            AttributeName=RESTORE,
            ValuesToRemove=list(accounts),
        )


def delete_snapshot(client: RDSClient, at: Location, identifier: str) -> None:
    """Delete a cluster snapshot; while it is being copied to, this cancels the copy."""
    with calling("rds:DeleteDBClusterSnapshot", at):
        client.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=identifier)
