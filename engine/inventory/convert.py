"""From AWS's shapes to the engine's records; what is missing becomes the record's default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.inventory.bulk import Strings
from engine.inventory.records import (
    ENCRYPTS,
    NO_TAGS,
    SYMMETRIC,
    AutomatedBackup,
    Event,
    Instance,
    Key,
    KeyManager,
    Location,
    Quota,
    Snapshot,
    SnapshotType,
)
from engine.inventory.wire import (
    Moment,
    WireAlias,
    WireAttribute,
    WireAutomatedBackup,
    WireEvent,
    WireInstance,
    WireKey,
    WireQuota,
    WireRestoreWindow,
    WireSnapshot,
    WireStatus,
    WireTag,
    WireZone,
)

MANUAL_SNAPSHOTS = "ManualSnapshots"
MANUAL_CLUSTER_SNAPSHOTS = "ManualClusterSnapshots"
RESTORE = "restore"
REPLICATION = "read replication"
NOTHING: tuple[Any, ...] = (None, "", [], {})
PENDING_RETENTION = "BackupRetentionPeriod"
PARAMETERS, IN_SYNC = "parameter group ", "in-sync"

_TYPES = {kind.value: kind for kind in SnapshotType}
# The id decides: what AWS or AWS Backup made is never the engine's, whatever its type says
# (RDS User Guide, Introduction to backups; AWS Backup snapshots of DB instances).
_RESERVED_IDS = {"rds": SnapshotType.AUTOMATED, "awsbackup": SnapshotType.AWS_BACKUP}


def partition_of(region: str) -> str:
    """Return the partition that a region's ARNs carry."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def rds_prefix(location: Location) -> str:
    """Return what the ARN of every RDS resource at `location` starts with."""
    partition = partition_of(location.region)
    return f"arn:{partition}:rds:{location.region}:{location.account}:"


def snapshot_record(
    wire: WireSnapshot,
    location: Location,
    strings: Strings,
    shares: Mapping[str, frozenset[str]] | None = None,
) -> Snapshot:
    """Return the record of a DB snapshot that was listed at `location`."""
    share = strings.share
    arn = wire.arn or f"{rds_prefix(location)}snapshot:{wire.identifier}"
    created_at, original = moment(wire.created_at), moment(wire.original_created_at)
    instance, resource_id = wire.instance or "", wire.resource_id or ""
    status, engine = wire.status or "", wire.engine or ""
    return Snapshot(
        arn=arn,
        location=location,
        identifier=wire.identifier,
        instance=share(instance, instance),
        resource_id=share(resource_id, resource_id),
        type=snapshot_type(wire.identifier, wire.type),
        status=share(status, status),
        engine=share(engine, engine),
        created_at=created_at,
        original_created_at=created_at if original == created_at else original,
        availability_zone=_shared(wire.availability_zone, strings),
        encrypted=bool(wire.encrypted),
        kms_key=_shared(wire.kms_key, strings),
        allocated_gib=wire.allocated_gib or 0,
        progress=wire.progress,
        source_snapshot=wire.source_snapshot or None,
        option_group=_shared(wire.option_group, strings),
        tde=bool(wire.tde_credential),
        tags=tags_record(wire.tags, strings),
        shared_with=shares.get(arn) if shares else None,
        database_time=_database_time(moment(wire.database_time), original or created_at),
        full_bytes=wire.full_bytes,
    )


def snapshot_type(identifier: str, text: str | None) -> SnapshotType:
    """Return who made a snapshot; an id that AWS reserves outweighs the `SnapshotType`."""
    maker, colon, _ = identifier.partition(":")
    if colon:
        return _RESERVED_IDS.get(maker, SnapshotType.OTHER)
    return _TYPES.get(text or "", SnapshotType.OTHER)


def instance_record(wire: WireInstance, location: Location, strings: Strings) -> Instance:
    """Return the record of a DB instance that was listed at `location`."""
    groups = (group.name for group in wire.option_groups or ())
    return Instance(
        arn=wire.arn or f"{rds_prefix(location)}db:{wire.identifier}",
        location=location,
        identifier=wire.identifier,
        resource_id=wire.resource_id or "",
        engine=_shared(wire.engine, strings) or "",
        status=_shared(wire.status, strings) or "",
        engine_version=_shared(wire.engine_version, strings) or "",
        multi_az=bool(wire.multi_az),
        availability_zone=_shared(wire.availability_zone, strings),
        secondary_zone=_shared(wire.secondary_zone, strings),
        encrypted=bool(wire.encrypted),
        encryption_type=_shared(wire.encryption_type, strings),
        kms_key=_shared(wire.kms_key, strings),
        allocated_gib=wire.allocated_gib or 0,
        backup_retention_days=wire.backup_retention_days or 0,
        backup_window=_shared(wire.backup_window, strings),
        maintenance_window=_shared(wire.maintenance_window, strings),
        latest_restorable_at=moment(wire.latest_restorable_at),
        copy_tags_to_snapshot=bool(wire.copy_tags_to_snapshot),
        replica_of=wire.replica_of or wire.replica_of_cluster or None,
        replicas=tuple(wire.replicas or ()),
        cluster=_shared(wire.cluster, strings),
        aws_backup_arn=wire.aws_backup_arn or None,
        option_groups=tuple(name for name in groups if name),
        created_at=moment(wire.created_at),
        tags=tags_record(wire.tags, strings),
        replication=_replication(wire.statuses or ()),
        pending_retention_days=_whole((wire.pending or {}).get(PENDING_RETENTION)),
        replications=tuple(sorted(one.arn for one in wire.replications or () if one.arn)),
        pending=tuple(_pending(wire)),
    )


def _whole(value: Any) -> int | None:
    """Return a number of AWS's, None where it is none; answers that no shape types have texts."""
    return int(value) if str(value).isdecimal() else None


def _pending(wire: WireInstance) -> Iterator[str]:
    """Yield what waits for a maintenance window or a reboot (API reference, DBInstance)."""
    yield from sorted(name for name, value in (wire.pending or {}).items() if value not in NOTHING)
    for group in wire.parameter_groups or ():
        if group.status not in {None, IN_SYNC}:
            yield f"{PARAMETERS}{group.name}"


def automated_record(
    wire: WireAutomatedBackup, location: Location, strings: Strings
) -> AutomatedBackup | None:
    """Return the automated backups of an instance, None where they have no ARN to go by."""
    if not wire.arn:
        return None
    window = wire.restore_window or WireRestoreWindow()
    instance = wire.instance or ""
    return AutomatedBackup(
        arn=wire.arn,
        location=location,
        instance_arn=wire.instance_arn or f"{rds_prefix(location)}db:{instance}",
        instance=instance,
        resource_id=wire.resource_id or "",
        status=_shared(wire.status, strings) or "",
        engine=_shared(wire.engine, strings) or "",
        retention_days=wire.retention_days or 0,
        allocated_gib=wire.allocated_gib or 0,
        encrypted=bool(wire.encrypted),
        kms_key=_shared(wire.kms_key, strings),
        earliest=moment(window.earliest),
        latest=moment(window.latest),
    )


def _database_time(told: datetime | None, taken: datetime | None) -> datetime | None:
    """Return the time of the last transaction; one object serves where it is when it was taken."""
    return taken if told == taken else told


def _replication(statuses: Iterable[WireStatus]) -> str | None:
    """Return how a read replica fares; AWS keeps this status type for replicas."""
    found = (one.status for one in statuses if one.type == REPLICATION)
    return next((status for status in found if status), None)


def tags_record(wire: list[WireTag] | None, strings: Strings) -> Mapping[str, str]:
    """Return a `TagList` as a mapping; a tag without a value has the empty one."""
    if not wire:
        return NO_TAGS
    share = strings.share
    return {share(tag.key, tag.key): share(tag.value or "", tag.value or "") for tag in wire}


def tags_wire(tags: Mapping[str, str]) -> list[WireTag]:
    """Return a mapping as a `TagList`."""
    return [WireTag(key, value) for key, value in tags.items()]


def key_record(wire: WireKey, location: Location, strings: Strings) -> Key:
    """Return the record of a KMS key with its aliases, each as `alias/name`."""
    names = (a.name if isinstance(a, WireAlias) else a for a in wire.aliases or ())
    state = wire.state or ("Disabled" if wire.enabled is False else "Enabled")
    return Key(
        arn=wire.arn or key_arn(wire.id, location),
        manager=KeyManager.AWS if wire.manager == KeyManager.AWS else KeyManager.CUSTOMER,
        state=strings.share(state, state),
        aliases=tuple(sorted(set(names))),
        spec=strings.share(wire.spec or SYMMETRIC, wire.spec or SYMMETRIC),
        usage=strings.share(wire.usage or ENCRYPTS, wire.usage or ENCRYPTS),
    )


def key_arn(key_id: str, location: Location) -> str:
    """Return the ARN of the key `key_id` at `location`."""
    partition = partition_of(location.region)
    return f"arn:{partition}:kms:{location.region}:{location.account}:key/{key_id}"


def quota_record(wire: Iterable[WireQuota], name: str = MANUAL_SNAPSHOTS) -> Quota | None:
    """Return the quota of manual DB snapshots, None where AWS does not tell it.

    That of cluster snapshots goes by another `name`.
    """
    for quota in wire:
        if quota.name == name and quota.maximum is not None:
            return Quota(quota.used or 0, quota.maximum)
    return None


def zones_record(wire: Iterable[WireZone]) -> Mapping[str, str]:
    """Return the ids of the availability zones by their names in this account."""
    return {zone.name: zone.id for zone in wire if zone.name and zone.id}


def event_record(wire: WireEvent) -> Event | None:
    """Return an event, None where it has no time."""
    at = moment(wire.at)
    if at is None:
        return None
    return Event(at, wire.source or "", wire.message or "", tuple(wire.categories or ()))


def accounts_shared_with(attributes: Iterable[WireAttribute]) -> frozenset[str]:
    """Return the accounts (or `all`) that may restore or copy a snapshot."""
    return frozenset(
        account
        for attribute in attributes
        if attribute.name == RESTORE
        for account in attribute.values or ()
    )


def moment(wire: Moment) -> datetime | None:
    """Return a time in UTC; AWS means UTC where it writes no offset."""
    if wire is None:
        return None
    if not isinstance(wire, datetime):
        return datetime.fromtimestamp(wire, UTC)
    if wire.tzinfo is UTC:
        return wire
    if wire.tzinfo is None:
        return wire.replace(tzinfo=UTC)
    try:
        return wire.astimezone(UTC)
    except OverflowError:
        # The first or last hours of the calendar: some service's way to say "never".
        return wire.replace(tzinfo=UTC)


def _shared(text: str | None, strings: Strings) -> str | None:
    return strings.share(text, text) if text else None
