"""Instances and snapshots: moto's, with what backups look at."""

from __future__ import annotations

import bisect
import hashlib
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from moto.rds.models import DBInstance, DBSnapshot
from moto.utilities.utils import CaseInsensitiveDict

from engine.lab.rds.keys import default_key, usable_key
from engine.lab.rds.placement import another_zone
from engine.lab.truth import NO_KEY, Place, Subject, Volume

if TYPE_CHECKING:
    from engine.lab.agenda import Appointment
    from engine.lab.rds.backend import LabBackend

AVAILABLE, CREATING, COPYING, PENDING, FAILED = (
    "available",
    "creating",
    "copying",
    "pending",
    "failed",
)
MANUAL, AUTOMATED, AWS_BACKUP = "manual", "automated", "awsbackup"
_LOG_LAG = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ZonePair:
    """Zone names of an instance: its primary's, and its standby's in Multi-AZ."""

    primary: str
    standby: str | None

    def swapped(self) -> ZonePair:
        """Return the pair after a failover."""
        return ZonePair(self.standby, self.primary) if self.standby else self


class LabInstance(DBInstance):
    """A DB instance; `zones` is where it is, the zones that the API tells may lag behind.

    `persistent_options` are those of its option group that no snapshot can do without.
    """

    backend: LabBackend
    persistent_options: tuple[str, ...] = ()

    def __init__(self, backend: LabBackend, **kwargs: Any) -> None:
        if kwargs.get("storage_encrypted") and not kwargs.get("kms_key_id"):
            kwargs["kms_key_id"] = default_key(backend.account_id, backend.region_name).arn
        elif kwargs.get("kms_key_id"):
            kwargs["storage_encrypted"] = True
            kwargs["kms_key_id"] = usable_key(
                "", kwargs["kms_key_id"], backend.account_id, backend.region_name
            ).arn
        given = kwargs.pop("dbi_resource_id", None)
        super().__init__(backend, **kwargs)
        self.created = self.instance_create_time = backend.world.now
        self.dbi_resource_id = given or new_resource_id(backend, self.db_instance_identifier)
        self.secondary_availability_zone: str | None = None
        self.pending_modified_values: dict[str, Any] = {}
        self.db_instance_automated_backups_replications: list[dict[str, str]] = []
        self.backup_target = "region"
        self.place(
            ZonePair(
                self.availability_zone,
                another_zone(self.account_id, self.region, self.availability_zone)
                if self.multi_az
                else None,
            )
        )

    @property
    def latest_restorable_time(self) -> datetime | None:  # type: ignore[override]
        """None without automated backups."""
        return self.backend.world.now - _LOG_LAG if self.backup_retention_period else None

    @property
    def storage_encryption_type(self) -> str:
        """`sse-kms` or `none`."""
        return "sse-kms" if self.kms_key_id else "none"

    @property
    def status_infos(self) -> list[dict[str, Any]]:
        """How a read replica fares; other instances have none."""
        if not self.is_replica:
            return []
        return [{"StatusType": "read replication", "Normal": True, "Status": "replicating"}]

    @classmethod
    def make(cls, backend: LabBackend, **parameters: Any) -> Self:
        """Make an instance; its parameters are named as moto's."""
        # moto's classes are never asked for the CloudFormation methods that they leave abstract.
        return cls(backend, **parameters)

    def place(self, zones: ZonePair) -> None:
        """Put the instance into zones, and let the API tell so."""
        self.zones = zones
        self.tell_zones()

    def tell_zones(self) -> None:
        """Let the API tell the zones that the instance is in."""
        self.availability_zone = self.zones.primary
        self.secondary_availability_zone = self.zones.standby
        self.multi_az = self.zones.standby is not None


class LabSnapshot(DBSnapshot):
    """A DB snapshot.

    Attributes:
        volume: what it was physically taken of; a copy's is its origin's.
        keys: ARNs of the keys of its lineage, its own last.
        origin: what it is a copy of.
        original: when the first one of all copies was made.
        behind: how far the replica that it was taken of was behind its source then.
        started: when AWS began to store it, None while it is queued.
        ends: when that will be done.
        doomed: whether it will end as `failed`, halfway.
        seen_from: from when on the API knows of it.
        xml: its rendered form while nothing about it changes.
    """

    backend: LabBackend
    database: LabInstance
    original: datetime

    def __init__(
        self,
        backend: LabBackend,
        database: LabInstance,
        identifier: str,
        kind: str,
        *,
        volume: Volume,
        key: str | None,
        origin: LabSnapshot | None = None,
    ) -> None:
        self.xml: str | None = None
        super().__init__(backend, database, identifier, kind, kms_key_id=key)
        self.created = backend.world.now
        self.original = origin.original if origin else self.created
        lag = backend.world.settings.replica_lag_seconds if database.is_replica else 0.0
        self.behind: timedelta = origin.behind if origin else timedelta(seconds=lag)
        self.instance_create_time = database.instance_create_time
        self.tags = []
        self.volume = volume
        self.origin = origin
        self.keys: tuple[str, ...] = (*(origin.keys if origin else ()), key or NO_KEY)
        self.kms_key_id = key
        self.encrypted = self.storage_encrypted = key is not None
        self.storage_type = database.storage_type
        self.option_group_name = database.option_group_name
        self.persistent_options = database.persistent_options
        self.license_model = database.license_model
        self.availability_zone: str | None = database.availability_zone
        self.source_region: str | None = None
        self.source_db_snapshot_identifier: str | None = None
        self.snapshot_target = "region"
        self.started: datetime | None = None
        self.ends: datetime | None = None
        self.appointment: Appointment | None = None
        circumstances = backend.world.circumstances
        self.doomed = circumstances.fails
        self.seen_from = self.created + timedelta(seconds=circumstances.unseen_seconds)

    @property
    def status(self) -> str:
        """What the API calls its state."""
        return self._status

    @status.setter
    def status(self, status: str) -> None:
        self._status = status
        self.xml = None

    @property
    def snapshot_create_time(self) -> datetime | None:  # type: ignore[override]
        """None until there is something to restore."""
        return None if self.in_progress else self.created

    @property  # type: ignore[override] # moto's is never None
    def original_snapshot_create_time(self) -> datetime | None:
        """When the first one of all copies was made; None while that is being made."""
        return None if self.status == CREATING else self.original

    @original_snapshot_create_time.setter
    def original_snapshot_create_time(self, when: datetime) -> None:
        self.original = when

    @property
    def snapshot_database_time(self) -> datetime | None:
        """The last transaction that it contains."""
        taken = self.original_snapshot_create_time
        return taken and taken - self.behind

    @property
    def storage_encryption_type(self) -> str:
        """`sse-kms` or `none`."""
        return "sse-kms" if self.kms_key_id else "none"

    @property
    def in_progress(self) -> bool:
        """Whether AWS is still at it."""
        return self.status in {CREATING, COPYING, PENDING}

    @property
    def is_seen(self) -> bool:
        """Whether the API knows of it already; deletes and quotas do before."""
        return self.backend.world.now >= self.seen_from

    @property
    def is_there(self) -> bool:
        """Whether it has not been deleted."""
        return self.backend.database_snapshots.get(self.db_snapshot_identifier) is self

    @property
    def percent_progress(self) -> int:
        """How much of it is stored; 0 while it is queued."""
        if not self.in_progress:
            return 100 if self.status == AVAILABLE else 0
        if self.started is None or self.ends is None:
            return 0
        whole = (self.ends - self.started).total_seconds()
        done = (self.backend.world.now - self.started).total_seconds()
        return max(0, min(99, int(100 * done / whole))) if whole else 99

    @property
    def subject(self) -> Subject:
        """The snapshot as the ground truth looks at it."""
        return Subject(
            arn=self.arn,
            place=Place(self.account_id, self.region),
            volume=self.volume,
            keys=self.keys,
            origin=self.origin.arn if self.origin else None,
        )

    def add_tags(self, tags: list[dict[str, str]]) -> list[dict[str, str]]:
        """Set tags."""
        self.xml = None
        return super().add_tags(tags)

    def remove_tags(self, tag_keys: list[str]) -> None:
        """Remove tags."""
        self.xml = None
        super().remove_tags(tag_keys)


class SnapshotShelf(CaseInsensitiveDict):
    """The snapshots of an account and region by identifier, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self._order: list[str] = []

    def __setitem__(self, identifier: str, snapshot: LabSnapshot) -> None:
        name = identifier.lower()
        if identifier not in self:
            bisect.insort(self._order, name)
        super().__setitem__(name, snapshot)

    def __delitem__(self, identifier: str) -> None:
        super().__delitem__(identifier)
        name = identifier.lower()
        del self._order[bisect.bisect_left(self._order, name)]

    def after(self, identifier: str) -> Iterator[LabSnapshot]:
        """Iterate over what comes after an identifier."""
        start = bisect.bisect_right(self._order, identifier)
        for number in range(start, len(self._order)):
            yield self[self._order[number]]


def new_resource_id(backend: LabBackend, identifier: str) -> str:
    """Return a DbiResourceId that no other instance has; the same in each run."""
    backend.instances_made += 1
    text = f"{backend.account_id}/{backend.region_name}/{identifier}/{backend.instances_made}"
    digest = hashlib.sha256(text.encode()).digest()
    return "db-" + b32encode(digest).decode()[:26]
