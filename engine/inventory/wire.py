"""The shapes of AWS's answers as JSON, as far as the engine reads them.

Each is what the AWS CLI prints of one type of the RDS, EC2 or KMS API reference. Every field may
be missing unless an object cannot be named without it; fields not listed are skipped, so answers
of older and newer AWS alike are read. Attributes carry the engine's words, `rename` AWS's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

from engine.inventory.records import ScopeStatus

# Seconds since 1970, up to the end of year 9999.
Epoch = Annotated[float, msgspec.Meta(ge=0, lt=253_402_300_800)]
# The AWS CLI prints ISO 8601 in several forms, and older or JSON-speaking services numbers.
Moment = datetime | Epoch | None


class WireTag(msgspec.Struct, gc=False, rename={"key": "Key", "value": "Value"}):
    """`Tag`."""

    key: str
    value: str | None = None


class WireSnapshot(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "identifier": "DBSnapshotIdentifier",
        "arn": "DBSnapshotArn",
        "instance": "DBInstanceIdentifier",
        "resource_id": "DbiResourceId",
        "type": "SnapshotType",
        "status": "Status",
        "engine": "Engine",
        "created_at": "SnapshotCreateTime",
        "original_created_at": "OriginalSnapshotCreateTime",
        "availability_zone": "AvailabilityZone",
        "encrypted": "Encrypted",
        "kms_key": "KmsKeyId",
        "allocated_gib": "AllocatedStorage",
        "progress": "PercentProgress",
        "source_snapshot": "SourceDBSnapshotIdentifier",
        "option_group": "OptionGroupName",
        "tde_credential": "TdeCredentialArn",
        "tags": "TagList",
        "database_time": "SnapshotDatabaseTime",
        "full_bytes": "FullSnapshotSizeInBytes",
    },
):
    """`DBSnapshot`."""

    identifier: str
    arn: str | None = None
    instance: str | None = None
    resource_id: str | None = None
    type: str | None = None
    status: str | None = None
    engine: str | None = None
    created_at: Moment = None
    original_created_at: Moment = None
    availability_zone: str | None = None
    encrypted: bool | None = None
    kms_key: str | None = None
    allocated_gib: int | None = None
    progress: int | None = None
    source_snapshot: str | None = None
    option_group: str | None = None
    tde_credential: str | None = None
    tags: list[WireTag] | None = None
    database_time: Moment = None
    full_bytes: int | None = None


class WireStatus(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={"type": "StatusType", "status": "Status"},
):
    """`DBInstanceStatusInfo`."""

    type: str | None = None
    status: str | None = None


class WireOptionGroup(msgspec.Struct, gc=False, rename={"name": "OptionGroupName"}):
    """`OptionGroupMembership`."""

    name: str | None = None


class WireParameterGroup(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={"name": "DBParameterGroupName", "status": "ParameterApplyStatus"},
):
    """`DBParameterGroupStatus`."""

    name: str | None = None
    status: str | None = None


class WireReplication(msgspec.Struct, gc=False, rename={"arn": "DBInstanceAutomatedBackupsArn"}):
    """`DBInstanceAutomatedBackupsReplication`."""

    arn: str | None = None


class WireInstance(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "identifier": "DBInstanceIdentifier",
        "arn": "DBInstanceArn",
        "resource_id": "DbiResourceId",
        "engine": "Engine",
        "status": "DBInstanceStatus",
        "engine_version": "EngineVersion",
        "multi_az": "MultiAZ",
        "availability_zone": "AvailabilityZone",
        "secondary_zone": "SecondaryAvailabilityZone",
        "encrypted": "StorageEncrypted",
        "encryption_type": "StorageEncryptionType",
        "kms_key": "KmsKeyId",
        "allocated_gib": "AllocatedStorage",
        "backup_retention_days": "BackupRetentionPeriod",
        "backup_window": "PreferredBackupWindow",
        "maintenance_window": "PreferredMaintenanceWindow",
        "latest_restorable_at": "LatestRestorableTime",
        "copy_tags_to_snapshot": "CopyTagsToSnapshot",
        "replica_of": "ReadReplicaSourceDBInstanceIdentifier",
        "replica_of_cluster": "ReadReplicaSourceDBClusterIdentifier",
        "replicas": "ReadReplicaDBInstanceIdentifiers",
        "cluster": "DBClusterIdentifier",
        "aws_backup_arn": "AwsBackupRecoveryPointArn",
        "option_groups": "OptionGroupMemberships",
        "created_at": "InstanceCreateTime",
        "tags": "TagList",
        "statuses": "StatusInfos",
        "pending": "PendingModifiedValues",
        "parameter_groups": "DBParameterGroups",
        "replications": "DBInstanceAutomatedBackupsReplications",
    },
):
    """`DBInstance`."""

    identifier: str
    arn: str | None = None
    resource_id: str | None = None
    engine: str | None = None
    status: str | None = None
    engine_version: str | None = None
    multi_az: bool | None = None
    availability_zone: str | None = None
    secondary_zone: str | None = None
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
    replica_of_cluster: str | None = None
    replicas: list[str] | None = None
    cluster: str | None = None
    aws_backup_arn: str | None = None
    option_groups: list[WireOptionGroup] | None = None
    created_at: Moment = None
    tags: list[WireTag] | None = None
    statuses: list[WireStatus] | None = None
    pending: dict[str, Any] | None = None
    parameter_groups: list[WireParameterGroup] | None = None
    replications: list[WireReplication] | None = None


class WireRestoreWindow(
    msgspec.Struct, gc=False, rename={"earliest": "EarliestTime", "latest": "LatestTime"}
):
    """`RestoreWindow`."""

    earliest: Moment = None
    latest: Moment = None


class WireAutomatedBackup(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "arn": "DBInstanceAutomatedBackupsArn",
        "instance_arn": "DBInstanceArn",
        "instance": "DBInstanceIdentifier",
        "resource_id": "DbiResourceId",
        "status": "Status",
        "engine": "Engine",
        "retention_days": "BackupRetentionPeriod",
        "allocated_gib": "AllocatedStorage",
        "encrypted": "Encrypted",
        "kms_key": "KmsKeyId",
        "restore_window": "RestoreWindow",
    },
):
    """`DBInstanceAutomatedBackup`."""

    arn: str | None = None
    instance_arn: str | None = None
    instance: str | None = None
    resource_id: str | None = None
    status: str | None = None
    engine: str | None = None
    retention_days: int | None = None
    allocated_gib: int | None = None
    encrypted: bool | None = None
    kms_key: str | None = None
    restore_window: WireRestoreWindow | None = None


class WireQuota(
    msgspec.Struct,
    gc=False,
    rename={"name": "AccountQuotaName", "used": "Used", "maximum": "Max"},
):
    """`AccountQuota`."""

    name: str | None = None
    used: int | None = None
    maximum: int | None = None


class WireEvent(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "at": "Date",
        "source": "SourceIdentifier",
        "message": "Message",
        "categories": "EventCategories",
    },
):
    """`Event`."""

    at: Moment = None
    source: str | None = None
    message: str | None = None
    categories: list[str] | None = None


class WireZone(msgspec.Struct, gc=False, rename={"name": "ZoneName", "id": "ZoneId"}):
    """EC2's `AvailabilityZone`."""

    name: str | None = None
    id: str | None = None


class WireAlias(msgspec.Struct, gc=False, rename={"name": "AliasName", "key_id": "TargetKeyId"}):
    """KMS's `AliasListEntry`."""

    name: str
    key_id: str | None = None


class WireKey(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={
        "arn": "Arn",
        "id": "KeyId",
        "manager": "KeyManager",
        "state": "KeyState",
        "enabled": "Enabled",
        "spec": "KeySpec",
        "usage": "KeyUsage",
        "aliases": "Aliases",
    },
):
    """KMS's `KeyMetadata`, with the aliases that point at it beside."""

    id: str
    arn: str | None = None
    manager: str | None = None
    state: str | None = None
    enabled: bool | None = None
    spec: str | None = None
    usage: str | None = None
    aliases: list[str | WireAlias] | None = None


class WireAttribute(
    msgspec.Struct, gc=False, rename={"name": "AttributeName", "values": "AttributeValues"}
):
    """`DBSnapshotAttribute`."""

    name: str | None = None
    values: list[str] | None = None


class WireAttributes(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={"identifier": "DBSnapshotIdentifier", "attributes": "DBSnapshotAttributes"},
):
    """`DBSnapshotAttributesResult`."""

    identifier: str | None = None
    attributes: list[WireAttribute] | None = None


class WireAttributesAnswer(
    msgspec.Struct,
    gc=False,
    omit_defaults=True,
    rename={"result": "DBSnapshotAttributesResult", "attributes": "DBSnapshotAttributes"},
):
    """What DescribeDBSnapshotAttributes answers, with or without its outer wrapper."""

    result: WireAttributes | None = None
    attributes: list[WireAttribute] | None = None


class Listing(
    msgspec.Struct, omit_defaults=True, rename={"marker": "Marker", "next_token": "NextToken"}
):
    """A paginated answer; either mark means that more pages follow and are not here."""

    marker: str | None = None
    next_token: str | None = None

    @property
    def is_cut_short(self) -> bool:
        """Whether the listing goes on elsewhere."""
        return bool(self.marker or self.next_token)


class SnapshotListing(Listing, kw_only=True, rename={"items": "DBSnapshots"}):
    """`describe-db-snapshots`."""

    items: list[WireSnapshot]


class InstanceListing(Listing, kw_only=True, rename={"items": "DBInstances"}):
    """`describe-db-instances`."""

    items: list[WireInstance]


class AutomatedBackupListing(Listing, kw_only=True, rename={"items": "DBInstanceAutomatedBackups"}):
    """`describe-db-instance-automated-backups`."""

    items: list[WireAutomatedBackup]


class EventListing(Listing, kw_only=True, rename={"items": "Events"}):
    """`describe-events`."""

    items: list[WireEvent]


class QuotaListing(msgspec.Struct, rename={"items": "AccountQuotas"}):
    """`describe-account-attributes`."""

    items: list[WireQuota]


class ZoneListing(msgspec.Struct, rename={"items": "AvailabilityZones"}):
    """EC2's `describe-availability-zones`."""

    items: list[WireZone]


class KeyListing(msgspec.Struct, rename={"items": "Keys"}):
    """`KeyMetadata` of each key; the engine's own composition, no single AWS call prints it."""

    items: list[WireKey]


class WireScope(msgspec.Struct, omit_defaults=True):
    """One location in `inventory.json`: whether it was read, and how much there was."""

    account: str
    region: str
    status: ScopeStatus
    cause: str | None = None
    instances: int | None = None
    snapshots: int | None = None
    clusters: int | None = None
    cluster_snapshots: int | None = None


class Header(msgspec.Struct, omit_defaults=True):
    """`inventory.json`."""

    format_version: str
    taken_at: Moment = None
    scopes: list[WireScope] | None = None
    notes: list[str] | None = None


def describe_shapes(names: Mapping[str, object]) -> None:
    """Let msgspec learn every shape of a module while only one thread can be here.

    It does so at a shape's first use, and two threads that meet there end the process with a
    segmentation fault (seen with msgspec 0.22.0); locations are read by many threads at once.
    """
    for shape in tuple(names.values()):
        if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
            msgspec.convert([], list[shape])  # type: ignore[valid-type]


describe_shapes(globals())
