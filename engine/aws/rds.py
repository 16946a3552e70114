"""The calls of RDS that backups need: records out, AwsError for what fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.aws.errors import AwsError, calling
from engine.aws.rds_shapes import PAGE, decoded, tags_of
from engine.inventory.bulk import Strings
from engine.inventory.convert import (
    MANUAL_CLUSTER_SNAPSHOTS,
    MANUAL_SNAPSHOTS,
    RESTORE,
    accounts_shared_with,
    automated_record,
    event_record,
    instance_record,
    quota_record,
    snapshot_record,
)
from engine.inventory.records import (
    AutomatedBackup,
    Event,
    Instance,
    Kind,
    Location,
    Quota,
    Snapshot,
)
from engine.inventory.wire import (
    WireAttribute,
    WireAutomatedBackup,
    WireEvent,
    WireInstance,
    WireQuota,
    WireSnapshot,
)

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient


def list_instances(client: RDSClient, at: Location) -> tuple[Instance, ...]:
    """List the DB instances of a location, all pages."""
    strings = Strings()
    with calling("rds:DescribeDBInstances", at):
        pages = client.get_paginator("describe_db_instances").paginate(
            PaginationConfig={"PageSize": PAGE}
        )
        return tuple(
            instance_record(wire, at, strings)
            for page in pages
            for wire in decoded(page["DBInstances"], WireInstance)
        )


def find_instance(client: RDSClient, at: Location, identifier: str) -> Instance | None:
    """Read one DB instance by its id, None where there is none."""
    try:
        with calling("rds:DescribeDBInstances", at):
            answer = client.describe_db_instances(DBInstanceIdentifier=identifier)
            found = decoded(answer["DBInstances"], WireInstance)
    except AwsError as error:
        if error.code.startswith("DBInstanceNotFound"):
            return None
        raise
    return instance_record(found[0], at, Strings()) if found else None


def list_automated_backups(client: RDSClient, at: Location) -> tuple[AutomatedBackup, ...]:
    """List the automated backups of a location, retained and received ones too, all pages."""
    strings = Strings()
    with calling("rds:DescribeDBInstanceAutomatedBackups", at):
        pages = client.get_paginator("describe_db_instance_automated_backups").paginate(
            PaginationConfig={"PageSize": PAGE}
        )
        found = (
            automated_record(wire, at, strings)
            for page in pages
            for wire in decoded(page["DBInstanceAutomatedBackups"], WireAutomatedBackup)
        )
        return tuple(backup for backup in found if backup is not None)


def list_snapshots(
    client: RDSClient, at: Location, kind: str | None = None
) -> tuple[Snapshot, ...]:
    """List the account's own DB snapshots, all pages, or only those of one `SnapshotType`."""
    parameters: dict[str, Any] = {"SnapshotType": kind} if kind else {}
    return tuple(_snapshots(client, at, parameters))


def list_shared_snapshots(client: RDSClient, at: Location) -> tuple[Snapshot, ...]:
    """List what other accounts share with this one; `location` is where, not whose, they are."""
    return tuple(_snapshots(client, at, {"SnapshotType": "shared", "IncludeShared": True}))


def find_snapshot(client: RDSClient, at: Location, identifier: str) -> Snapshot | None:
    """Read one snapshot by its id, None where there is none.

    The id of an automated one needs its type (API reference, DescribeDBSnapshots).
    """
    named = {"DBSnapshotIdentifier": identifier}
    if identifier.startswith("rds:"):
        named["SnapshotType"] = "automated"
    try:
        found = tuple(_snapshots(client, at, named))
    except AwsError as error:
        if error.code.startswith("DBSnapshotNotFound"):
            return None
        raise
    return found[0] if found else None


def _snapshots(
    client: RDSClient, at: Location, parameters: Mapping[str, Any]
) -> Iterator[Snapshot]:
    strings = Strings()
    with calling("rds:DescribeDBSnapshots", at):
        pages = client.get_paginator("describe_db_snapshots").paginate(
            **parameters, PaginationConfig={"PageSize": PAGE}
        )
        for page in pages:
            for wire in decoded(page["DBSnapshots"], WireSnapshot):
                yield snapshot_record(wire, at, strings)


def read_quotas(client: RDSClient, at: Location) -> Mapping[Kind, Quota]:
    """Read how many manual snapshots of each kind there are and may be, where AWS tells."""
    with calling("rds:DescribeAccountAttributes", at):
        answer = client.describe_account_attributes()
        told = decoded(answer["AccountQuotas"], WireQuota)
    names = {Kind.INSTANCE: MANUAL_SNAPSHOTS, Kind.CLUSTER: MANUAL_CLUSTER_SNAPSHOTS}
    found = {kind: quota_record(told, name) for kind, name in names.items()}
    return {kind: quota for kind, quota in found.items() if quota is not None}


def list_events(client: RDSClient, at: Location, since: datetime) -> tuple[Event, ...]:
    """List the events of DB instances since a time, at most 14 days back, all pages."""
    with calling("rds:DescribeEvents", at):
        pages = client.get_paginator("describe_events").paginate(
            SourceType="db-instance", StartTime=since, PaginationConfig={"PageSize": PAGE}
        )
        events = (
            event_record(wire) for page in pages for wire in decoded(page["Events"], WireEvent)
        )
        return tuple(event for event in events if event is not None)


def accounts_that_may_restore(client: RDSClient, at: Location, identifier: str) -> frozenset[str]:
    """Read the accounts that a snapshot is shared with; one call per snapshot."""
    with calling("rds:DescribeDBSnapshotAttributes", at):
        answer = client.describe_db_snapshot_attributes(DBSnapshotIdentifier=identifier)
        attributes = answer["DBSnapshotAttributesResult"].get("DBSnapshotAttributes", [])
        return accounts_shared_with(decoded(attributes, WireAttribute))


def create_snapshot(
    client: RDSClient, at: Location, identifier: str, *, instance: str, tags: Mapping[str, str]
) -> None:
    """Start a snapshot of an instance. Explicit tags suppress CopyTagsToSnapshot."""
    with calling("rds:CreateDBSnapshot", at):
        client.create_db_snapshot(
            DBSnapshotIdentifier=identifier, DBInstanceIdentifier=instance, Tags=tags_of(tags)
        )


def copy_snapshot(
    client: RDSClient,
    at: Location,
    identifier: str,
    *,
    origin: str,
    key: str | None,
    tags: Mapping[str, str],
    option_group: str | None = None,
) -> None:
    """Start a copy of the snapshot with the ARN `origin`, encrypted under `key`."""
    more: dict[str, Any] = {}
    if key is not None:
        more["KmsKeyId"] = key
    if option_group is not None:
        more["OptionGroupName"] = option_group
    with calling("rds:CopyDBSnapshot", at):
        client.copy_db_snapshot(
            SourceDBSnapshotIdentifier=origin,
            TargetDBSnapshotIdentifier=identifier,
            Tags=tags_of(tags),
            **more,
        )


def share_snapshot(
    client: RDSClient, at: Location, identifier: str, accounts: Sequence[str]
) -> None:
    """Let accounts restore and copy a snapshot."""
    with calling("rds:ModifyDBSnapshotAttribute", at):
        client.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=identifier, AttributeName=RESTORE, ValuesToAdd=list(accounts)
        )


def unshare_snapshot(
    client: RDSClient, at: Location, identifier: str, accounts: Sequence[str]
) -> None:
    """Take that back."""
    with calling("rds:ModifyDBSnapshotAttribute", at):
        client.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=identifier, AttributeName=RESTORE, ValuesToRemove=list(accounts)
        )


def delete_snapshot(client: RDSClient, at: Location, identifier: str) -> None:
    """Delete a snapshot; while it is being copied to, this cancels the copy."""
    with calling("rds:DeleteDBSnapshot", at):
        client.delete_db_snapshot(DBSnapshotIdentifier=identifier)


def add_tags(client: RDSClient, at: Location, arn: str, tags: Mapping[str, str]) -> None:
    """Set tags."""
    with calling("rds:AddTagsToResource", at):
        client.add_tags_to_resource(ResourceName=arn, Tags=tags_of(tags))


def remove_tags(client: RDSClient, at: Location, arn: str, keys: Sequence[str]) -> None:
    """Remove tags."""
    with calling("rds:RemoveTagsFromResource", at):
        client.remove_tags_from_resource(ResourceName=arn, TagKeys=list(keys))


def modify_automated_backups(
    client: RDSClient,
    at: Location,
    instance: str,
    *,
    retention_days: int | None,
    window: str | None,
) -> None:
    """Change retention or window of an instance's automated backups.

    Never with ApplyImmediately, which would also apply everything else that is pending (API
    reference, ModifyDBInstance).
    """
    changes: dict[str, Any] = {}
    if retention_days is not None:
        changes["BackupRetentionPeriod"] = retention_days
    if window is not None:
        changes["PreferredBackupWindow"] = window
    with calling("rds:ModifyDBInstance", at):
        client.modify_db_instance(DBInstanceIdentifier=instance, **changes)


def start_replication(
    client: RDSClient, at: Location, instance_arn: str, *, retention_days: int, key: str | None
) -> None:
    """Replicate the automated backups of an instance to the client's region."""
    more: dict[str, Any] = {} if key is None else {"KmsKeyId": key}
    with calling("rds:StartDBInstanceAutomatedBackupsReplication", at):
        client.start_db_instance_automated_backups_replication(
            SourceDBInstanceArn=instance_arn, BackupRetentionPeriod=retention_days, **more
        )


def stop_replication(client: RDSClient, at: Location, instance_arn: str) -> None:
    """Stop that; what is in the client's region stays until its retention ends."""
    with calling("rds:StopDBInstanceAutomatedBackupsReplication", at):
        client.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=instance_arn)


def fail_over(client: RDSClient, at: Location, instance: str) -> None:
    """Restart an instance in its other zone; an outage of a minute or two.

    (RDS User Guide, Rebooting a DB instance.)
    """
    with calling("rds:RebootDBInstance", at):
        client.reboot_db_instance(DBInstanceIdentifier=instance, ForceFailover=True)
