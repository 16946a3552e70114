"""Typed records of what exists. A leaf: values only, no reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

NO_TAGS: Mapping[str, str] = MappingProxyType({})


def no_tags() -> Mapping[str, str]:
    """Return the one empty set of tags that untagged records share."""
    return NO_TAGS


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """One region of one account."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


class Kind(StrEnum):
    """What a policy protects: DB instances, or DB clusters of Aurora and Multi-AZ DB clusters."""

    INSTANCE = "rds-instance"
    CLUSTER = "rds-cluster"


_OF_CLUSTERS = frozenset({"cluster", "cluster-snapshot"})


def kind_of(arn: str) -> Kind:
    """Return what kind of database an ARN is of: that of a database, or of a snapshot."""
    parts = arn.split(":", 6)
    return Kind.CLUSTER if len(parts) == 7 and parts[5] in _OF_CLUSTERS else Kind.INSTANCE


class SnapshotState(StrEnum):
    """What a snapshot's free-text `Status` means for the engine.

    AWS documents no closed list for DB snapshots, so a text that is not known here is UNKNOWN:
    treated like one in progress, never deleted (API reference, DBSnapshot; RDS User Guide).
    """

    AVAILABLE = "available"
    IN_PROGRESS = "in_progress"
    FAILED = "failed"
    DELETING = "deleting"
    UNKNOWN = "unknown"


_STATES = {
    "available": SnapshotState.AVAILABLE,
    "creating": SnapshotState.IN_PROGRESS,
    "copying": SnapshotState.IN_PROGRESS,
    "pending": SnapshotState.IN_PROGRESS,
    "failed": SnapshotState.FAILED,
    "deleting": SnapshotState.DELETING,
    "deleted": SnapshotState.DELETING,
}


def snapshot_state(status: str) -> SnapshotState:
    """Classify the `Status` of a DB snapshot."""
    return _STATES.get(status, SnapshotState.UNKNOWN)


class SnapshotType(StrEnum):
    """`SnapshotType` of a DB snapshot; only `manual` ones can be the engine's."""

    MANUAL = "manual"
    AUTOMATED = "automated"
    AWS_BACKUP = "awsbackup"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A DB snapshot as its owner's account lists it.

    `created_at` changes on copy and is missing while creating; `original_created_at` is that of
    the first snapshot of the line and stays the same in copies (API reference, DBSnapshot).
    `availability_zone` is the zone of the *instance*, by name, not of the volume that was read.
    `shared_with` is None where it was not read. `database_time` is that of the last transaction in
    it, which for a replica lies behind `original_created_at` by its lag. `full_bytes` is what it
    would take up in full, None where AWS does not tell; what it does take up AWS never tells.
    """

    arn: str
    location: Location
    identifier: str
    instance: str
    resource_id: str
    type: SnapshotType
    status: str
    engine: str = ""
    created_at: datetime | None = None
    original_created_at: datetime | None = None
    availability_zone: str | None = None
    encrypted: bool = False
    kms_key: str | None = None
    allocated_gib: int = 0
    progress: int | None = None
    source_snapshot: str | None = None
    option_group: str | None = None
    tde: bool = False
    tags: Mapping[str, str] = field(default_factory=no_tags)
    shared_with: frozenset[str] | None = None
    database_time: datetime | None = None
    full_bytes: int | None = None

    @property
    def state(self) -> SnapshotState:
        """What the status means."""
        return _STATES.get(self.status, SnapshotState.UNKNOWN)

    @property
    def taken_at(self) -> datetime | None:
        """When the data was captured, as well as the record tells."""
        return self.original_created_at or self.created_at


@dataclass(frozen=True, slots=True)
class Instance:
    """A DB instance; `availability_zone` is the primary's, `secondary_zone` the standby's.

    `replication` is how a read replica fares: `replicating`, `error`, `stopped` and others; None
    where AWS does not tell (API reference, DBInstanceStatusInfo). `pending` names what waits for
    a maintenance window or a reboot: modified values, and parameter groups that are not in sync.
    """

    arn: str
    location: Location
    identifier: str
    resource_id: str
    engine: str
    status: str = "available"
    engine_version: str = ""
    multi_az: bool = False
    availability_zone: str | None = None
    secondary_zone: str | None = None
    encrypted: bool = False
    encryption_type: str | None = None
    kms_key: str | None = None
    allocated_gib: int = 0
    backup_retention_days: int = 0
    backup_window: str | None = None
    maintenance_window: str | None = None
    latest_restorable_at: datetime | None = None
    copy_tags_to_snapshot: bool = False
    replica_of: str | None = None
    replicas: tuple[str, ...] = ()
    cluster: str | None = None
    aws_backup_arn: str | None = None
    option_groups: tuple[str, ...] = ()
    created_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=no_tags)
    replication: str | None = None
    pending_retention_days: int | None = None
    replications: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()

    @property
    def readiness(self) -> str:
        """All of its state that a failover depends on, in one text."""
        kind = "Multi-AZ" if self.multi_az else "Single-AZ"
        waits = ", ".join(self.pending) or "nothing"
        return f"{self.status}, {kind}, maintained {self.maintenance_window}, {waits} pending"

    @property
    def may_fail_over(self) -> bool:
        """Whether a reboot may fail it over without applying what somebody left pending.

        (RDS User Guide, Rebooting a DB instance.)
        """
        return self.status == "available" and self.multi_az and not self.pending

    @property
    def backup_settings(self) -> str:
        """Retention, window and pending retention of its automated backups, in one text."""
        pending = self.pending_retention_days
        waits = "nothing" if pending is None else f"{pending} days"
        return f"{self.backup_retention_days} days, {self.backup_window}, {waits} pending"

    @property
    def replication_regions(self) -> tuple[str, ...]:
        """The regions that its automated backups are replicated to."""
        parts = (arn.split(":") for arn in self.replications)
        return tuple(sorted({part[3] for part in parts if len(part) > 3}))


class AutomatedState(StrEnum):
    """What the `Status` of an automated backup means for the engine.

    The API reference lists `active`, `retained` and `creating`; a region that receives
    replicated ones also tells `pending` and `replicating` (RDS User Guide, Replicating automated
    backups to another AWS Region).
    """

    ACTIVE = "active"
    RECEIVING = "receiving"
    RETAINED = "retained"
    OTHER = "other"


_AUTOMATED_STATES = {
    "active": AutomatedState.ACTIVE,
    "pending": AutomatedState.RECEIVING,
    "replicating": AutomatedState.RECEIVING,
    "retained": AutomatedState.RETAINED,
}


@dataclass(frozen=True, slots=True)
class AutomatedBackup:
    """The automated backups of one instance, as a location lists them (DBInstanceAutomatedBackup).

    `instance_arn` is that of the instance, which may be in another region or be deleted.
    """

    arn: str
    location: Location
    instance_arn: str
    instance: str
    resource_id: str
    status: str
    engine: str = ""
    retention_days: int = 0
    allocated_gib: int = 0
    encrypted: bool = False
    kms_key: str | None = None
    earliest: datetime | None = None
    latest: datetime | None = None

    @property
    def state(self) -> AutomatedState:
        """What the status means."""
        return _AUTOMATED_STATES.get(self.status, AutomatedState.OTHER)

    @property
    def home_region(self) -> str:
        """The region of the instance."""
        parts = self.instance_arn.split(":")
        return parts[3] if len(parts) > 3 else self.location.region

    @property
    def expires_at(self) -> datetime | None:
        """When a retained one is gone: its retention after the last moment it can restore.

        Retained ones keep the period they had (RDS User Guide, Retaining automated backups).
        """
        if self.state is not AutomatedState.RETAINED or self.latest is None:
            return None
        return self.latest + timedelta(days=self.retention_days)


class KeyManager(StrEnum):
    """Who manages a KMS key; AWS's own cannot be shared (KMS API reference, KeyMetadata)."""

    AWS = "AWS"
    CUSTOMER = "CUSTOMER"


SYMMETRIC = "SYMMETRIC_DEFAULT"
ENCRYPTS = "ENCRYPT_DECRYPT"
_UNUSABLE_STATES = frozenset(
    {
        "Creating",
        "Disabled",
        "PendingDeletion",
        "PendingImport",
        "PendingReplicaDeletion",
        "Unavailable",
    }
)


@dataclass(frozen=True, slots=True)
class Key:
    """A KMS key with the aliases that point at it."""

    arn: str
    manager: KeyManager = KeyManager.CUSTOMER
    state: str = "Enabled"
    aliases: tuple[str, ...] = ()
    spec: str = SYMMETRIC
    usage: str = ENCRYPTS

    @property
    def fault(self) -> str | None:
        """Why snapshots cannot be encrypted or decrypted with it, None where they can.

        RDS takes symmetric encryption keys only (RDS User Guide, Encrypting resources). A state
        that is not known here is taken for a good one: AWS has the last word (KMS Developer
        Guide, Key states).
        """
        if self.state in _UNUSABLE_STATES:
            return f"is {self.state}"
        if (self.spec, self.usage) != (SYMMETRIC, ENCRYPTS):
            return f"is a {self.spec} key for {self.usage}, not a symmetric one for encryption"
        return None


@dataclass(frozen=True, slots=True)
class Quota:
    """How many manual DB snapshots a location holds and may hold (DescribeAccountAttributes)."""

    used: int
    maximum: int

    @property
    def room(self) -> int:
        """How many more fit."""
        return max(0, self.maximum - self.used)


@dataclass(frozen=True, slots=True)
class Event:
    """An RDS event; RDS emits them on a best-effort basis, so they explain, never decide."""

    at: datetime
    source: str
    message: str
    categories: tuple[str, ...] = ()


class ScopeStatus(StrEnum):
    """How completely a location was read."""

    OK = "ok"
    FAILED = "failed"
    NOT_READ = "not_read"


@dataclass(frozen=True, slots=True)
class Clusters:
    """The DB clusters of a location as read. A part that is None is not known.

    `clusters` are databases like instances, known by DbClusterResourceId. `snapshots` and `shared`
    are as in Scope; `cause` says why something is not known.
    """

    clusters: tuple[Instance, ...] | None = None
    snapshots: tuple[Snapshot, ...] | None = None
    shared: tuple[Snapshot, ...] | None = None
    quota: Quota | None = None
    cause: str | None = None

    @property
    def is_complete(self) -> bool:
        """Whether clusters and their snapshots are all known."""
        return self.clusters is not None and self.snapshots is not None and self.cause is None


NOT_READ = Clusters(cause="its DB clusters were not read")


@dataclass(frozen=True, slots=True)
class Scope:
    """One location as read. A part that is None is not known.

    `snapshots` are the account's own; `shared` are those that other accounts share with it.
    `hidden_keys` are the ARNs of keys that are there, or not, but may not be described.
    `clusters` is None where nobody asked for them.
    """

    location: Location
    status: ScopeStatus = ScopeStatus.OK
    cause: str | None = None
    instances: tuple[Instance, ...] | None = None
    snapshots: tuple[Snapshot, ...] | None = None
    keys: Mapping[str, Key] | None = None
    quota: Quota | None = None
    zones: Mapping[str, str] | None = None
    events: tuple[Event, ...] | None = None
    shared: tuple[Snapshot, ...] | None = None
    hidden_keys: frozenset[str] = frozenset()
    automated: tuple[AutomatedBackup, ...] | None = None
    clusters: Clusters | None = None

    @property
    def is_complete(self) -> bool:
        """Whether what it lists is all there is: absence in it means absence in AWS."""
        return (
            self.status is ScopeStatus.OK
            and self.instances is not None
            and self.snapshots is not None
        )

    def of(self, kind: Kind) -> Scope:
        """Return the location as it is for one kind of databases.

        That of clusters has them as its `instances` and their snapshots as its `snapshots`; what
        is not known of them makes it incomplete, and nothing else.
        """
        if kind is Kind.INSTANCE:
            return self
        found = self.clusters or NOT_READ
        is_read = self.status is ScopeStatus.OK and found.is_complete
        return replace(
            self,
            status=self.status if is_read else ScopeStatus.FAILED,
            cause=self.cause if is_read else self.cause or found.cause,
            instances=found.clusters,
            snapshots=found.snapshots,
            shared=found.shared,
            quota=found.quota,
            automated=None,
            clusters=None,
        )

    def zone_id(self, name: str | None) -> str | None:
        """Return the AZ id behind an AZ name of this account, else the name itself.

        Names are mapped per account, ids are the same in all (RAM User Guide, AZ IDs).
        """
        if name is None:
            return None
        return (self.zones or {}).get(name, name)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that was read, by location; `taken_at` is None where nobody recorded it."""

    scopes: Mapping[Location, Scope]
    recorded: bool
    taken_at: datetime | None = None
    notes: tuple[str, ...] = field(default=())

    def scope(self, location: Location) -> Scope:
        """Return what is known of a location; one never read is NOT_READ."""
        return self.scopes.get(location) or Scope(location, ScopeStatus.NOT_READ, "not read")

    def of(self, kind: Kind) -> Inventory:
        """Return what exists of one kind of databases."""
        if kind is Kind.INSTANCE:
            return self
        return replace(self, scopes={at: scope.of(kind) for at, scope in self.scopes.items()})
