"""DB clusters and their snapshots: always full, of a quota of their own, 63 characters long.

Rules: Aurora User Guide, Creating, Copying and Sharing a DB cluster snapshot; RDS User Guide,
Multi-AZ DB cluster deployments, Limitations; API reference, CopyDBClusterSnapshot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBCluster, DBClusterSnapshot, rds_backends

from engine.lab.rds import refusals
from engine.lab.rds.arns import parse_arn
from engine.lab.rds.keys import default_key, find_key, may_use, usable_key
from engine.lab.rds.models import (
    AVAILABLE,
    AWS_BACKUP,
    COPYING,
    CREATING,
    FAILED,
    MANUAL,
    new_resource_id,
)
from engine.lab.truth import NO_KEY, Place, Subject, Volume

if TYPE_CHECKING:
    from engine.lab.agenda import Appointment
    from engine.lab.rds.backend import LabBackend

Tags = list[dict[str, str]]

ALL_ZONES = "all"
LONGEST_IDENTIFIER = 63
MOST_ACCOUNTS = 20
_IDENTIFIER = re.compile(r"[a-z](-?[a-z0-9])*")
_ACCOUNT = re.compile(r"\d{12}")
_RESTORE = "restore"


class LabClusterSnapshot(DBClusterSnapshot):
    """A DB cluster snapshot; a copy knows its origin, whose volume it holds.

    `key` is what it is encrypted under, None where it is not.
    """

    backend: LabBackend

    def __init__(
        self,
        backend: LabBackend,
        cluster: DBCluster,
        identifier: str,
        kind: str,
        key: str | None,
        origin: LabClusterSnapshot | None = None,
    ) -> None:
        super().__init__(backend, cluster, identifier, kind, tags=[])
        self.created = backend.world.now
        self.db_cluster_resource_id: str = cluster.db_cluster_resource_id
        self.key = key
        self.encrypted = self.storage_encrypted = key is not None
        self.storage_encryption_type = "sse-kms" if key else "none"
        self.origin = origin
        self.source_db_cluster_snapshot_arn = origin.arn if origin else None
        self.keys: tuple[str, ...] = (*(origin.keys if origin else ()), key or NO_KEY)
        self.appointment: Appointment | None = None
        circumstances = backend.world.circumstances
        self.doomed = circumstances.fails
        self.seen_from: datetime = self.created + timedelta(seconds=circumstances.unseen_seconds)

    @property
    def is_seen(self) -> bool:
        """Whether the API knows of it already."""
        return self.backend.world.now >= self.seen_from

    @property
    def is_there(self) -> bool:
        """Whether it has not been deleted."""
        known = self.backend.cluster_snapshots
        return known.get(self.db_cluster_snapshot_identifier) is self

    @property
    def subject(self) -> Subject:
        """The snapshot as the ground truth looks at it."""
        return Subject(
            arn=self.arn,
            place=Place(self.account_id, self.region),
            volume=Volume(self.db_cluster_resource_id, ALL_ZONES),
            keys=self.keys,
            origin=self.origin.arn if self.origin else None,
        )

    def begin(self, status: str, seconds: float) -> None:
        """Start to store it; it is done so many lab seconds later."""
        world = self.backend.world
        self.status, self.percent_progress = status, 0
        world.ledger.begin(self.subject)
        self.appointment = world.after(seconds / 2 if self.doomed else seconds, self._finish)

    def _finish(self) -> None:
        world = self.backend.world
        if self.doomed or (self.origin is not None and not _still_readable(self)):
            self.status = FAILED
            world.ledger.fail(self.arn)
            return
        self.status, self.percent_progress = AVAILABLE, 100
        self.created = world.now
        world.ledger.complete(self.arn)


@dataclass(frozen=True, slots=True)
class ClusterCopyOrder:
    """What CopyDBClusterSnapshot is asked for."""

    origin: str
    target: str
    key: str | None
    tags: Tags
    copy_tags: bool = False


# -- clusters ------------------------------------------------------------------------------------


def encryption_of(backend: LabBackend, given: dict[str, Any]) -> dict[str, Any]:
    """Return what a new cluster is asked to be, with the key it is encrypted under if it is."""
    key = given.get("kms_key_id")
    here = (backend.account_id, backend.region_name)
    if key:
        return {**given, "storage_encrypted": True, "kms_key_id": usable_key("", key, *here).arn}
    if given.get("storage_encrypted"):
        return {**given, "kms_key_id": default_key(*here).arn}
    return given


def settle_in(backend: LabBackend, cluster: DBCluster) -> DBCluster:
    """Give a new cluster what moto leaves to chance, or out."""
    if not cluster.storage_encrypted:
        cluster.kms_key_id = ""
    cluster.status = AVAILABLE
    name = new_resource_id(backend, cluster.db_cluster_identifier)
    cluster.db_cluster_resource_id = f"cluster-{name.removeprefix('db-')}"
    cluster.created = cluster.cluster_create_time = backend.world.now
    return cluster


def _cluster(backend: LabBackend, named: str) -> DBCluster:
    found: DBCluster | None = backend.clusters.get(named)
    if found is None:
        raise RDSClientError("DBClusterNotFoundFault", f"DBCluster {named} not found.")
    return found


# -- snapshots -----------------------------------------------------------------------------------


def not_found(named: str) -> RDSClientError:
    """No such cluster snapshot, or none that the caller may see."""
    return RDSClientError("DBClusterSnapshotNotFoundFault", f"DBClusterSnapshot {named} not found.")


def _state(message: str) -> RDSClientError:
    return RDSClientError("InvalidDBClusterSnapshotStateFault", message)


def create(
    backend: LabBackend, cluster_id: str, identifier: str, tags: Tags | None, kind: str = MANUAL
) -> LabClusterSnapshot:
    """Start a snapshot of a cluster, as CreateDBClusterSnapshot does; RDS's own need no quota."""
    cluster = _cluster(backend, cluster_id)
    if kind == MANUAL:
        _check_identifier(identifier, "DBClusterSnapshotIdentifier")
        _check_new(backend, identifier)
        if cluster.status != AVAILABLE:
            raise RDSClientError(
                "InvalidDBClusterStateFault",
                f"DBCluster {cluster_id} is not in the available state.",
            )
    key = cluster.kms_key_id if cluster.storage_encrypted else None
    snapshot = LabClusterSnapshot(backend, cluster, identifier, kind, key)
    # Explicit tags suppress CopyTagsToSnapshot, as with instances.
    inherited = (cluster.tags or []) if cluster.copy_tags_to_snapshot else []
    snapshot.tags = tags or [tag for tag in inherited if not tag["Key"].startswith("aws:")]
    backend.cluster_snapshots[identifier] = snapshot
    snapshot.begin(CREATING, backend.world.settings.create_seconds)
    return snapshot


def find(backend: LabBackend, named: str) -> LabClusterSnapshot | None:
    """Find a snapshot: an own one by identifier, anybody's by ARN; one not seen yet is none."""
    arn = parse_arn(named)
    if arn is None:
        found = backend.cluster_snapshots.get(named)
    elif arn.type != "cluster-snapshot" or arn.region not in rds_backends[arn.account]:
        return None
    else:
        found = backend.at(arn.account, arn.region).cluster_snapshots.get(arn.name)
    return found if isinstance(found, LabClusterSnapshot) and found.is_seen else None


def own(backend: LabBackend, named: str) -> LabClusterSnapshot:
    """Return an own snapshot; RDSClientError where there is none."""
    found = find(backend, named)
    here = (backend.account_id, backend.region_name)
    if found is None or (found.account_id, found.region) != here:
        raise not_found(named)
    return found


def delete(backend: LabBackend, identifier: str) -> LabClusterSnapshot:
    """Delete a manual snapshot, or cancel the copy that makes it."""
    snapshot = own(backend, identifier)
    if snapshot.snapshot_type == AWS_BACKUP or snapshot.snapshot_type != MANUAL:
        raise _state("Only manual snapshots may be deleted.")
    if snapshot.status == CREATING:
        raise _state(f"{identifier} is not currently in the available state.")
    if snapshot.appointment is not None:
        snapshot.appointment.cancel()
    del backend.cluster_snapshots[snapshot.db_cluster_snapshot_identifier]
    backend.world.ledger.remove(snapshot.arn, backend.world.circumstances.caller)
    snapshot.status = "deleted"
    return snapshot


# -- copies --------------------------------------------------------------------------------------


def copy(backend: LabBackend, order: ClusterCopyOrder) -> LabClusterSnapshot:
    """Start a copy into the backend's account and region, as CopyDBClusterSnapshot does."""
    _check_identifier(order.target, "TargetDBClusterSnapshotIdentifier")
    origin = find(backend, order.origin)
    if origin is None or not may_read(origin, backend.account_id):
        raise not_found(order.origin)
    _refuse_multi_az(origin, "copied")
    if origin.status != AVAILABLE:
        raise _state(f"{order.origin} is not currently in the available state.")
    key = _key_of_copy(backend, origin, order.key)
    limit = backend.world.settings.cluster_copies_in_flight
    flying = [one for one in backend.cluster_snapshots.values() if one.status == COPYING]
    if len(flying) >= limit:
        raise refusals.quota(f"Cannot copy more than {limit} snapshots across regions")
    _check_new(backend, order.target)
    target = LabClusterSnapshot(backend, origin.cluster, order.target, MANUAL, key, origin)
    same_account = origin.account_id == backend.account_id
    target.tags = order.tags or (list(origin.tags) if order.copy_tags and same_account else [])
    backend.cluster_snapshots[order.target] = target
    settings = backend.world.settings
    near = origin.region == backend.region_name
    target.begin(COPYING, settings.copy_seconds if near else settings.cross_region_seconds)
    return target


def may_read(snapshot: LabClusterSnapshot, account: str) -> bool:
    """Tell whether an account owns a snapshot or has it shared."""
    return snapshot.account_id == account or bool(
        {account, "all"} & set(snapshot.attributes[_RESTORE])
    )


def _still_readable(target: LabClusterSnapshot) -> bool:
    origin, account = target.origin, target.account_id
    if origin is None or not origin.is_there or not may_read(origin, account):
        return False
    keys = [find_key(key, account, target.region) for key in target.keys[-2:] if key != NO_KEY]
    return all(key is not None and may_use(key, account) for key in keys)


def _key_of_copy(backend: LabBackend, origin: LabClusterSnapshot, given: str | None) -> str | None:
    account, region = backend.account_id, backend.region_name
    if origin.key is None:
        if given is not None:
            raise refusals.combination("An unencrypted DB cluster snapshot cannot be encrypted.")
        return None
    if given is None and (origin.account_id, origin.region) != (account, region):
        raise refusals.parameter("Must specify a KMS key for this encrypted snapshot copy.")
    source = find_key(origin.key, account, origin.region)
    if source is None or not may_use(source, account):
        raise refusals.key_not_accessible("source snapshot", origin.key)
    return usable_key("target", given or origin.key, account, region).arn


# -- shares --------------------------------------------------------------------------------------


def share(
    backend: LabBackend, identifier: str, attribute: str, add: Sequence[str], remove: Sequence[str]
) -> LabClusterSnapshot:
    """Share and unshare a manual snapshot, as ModifyDBClusterSnapshotAttribute does."""
    snapshot = own(backend, identifier)
    if snapshot.snapshot_type != MANUAL:
        raise _state("Only manual snapshots may be shared.")
    if attribute != _RESTORE:
        raise refusals.parameter(f"Invalid snapshot attribute {attribute}")
    if set(add) & set(remove):
        raise refusals.combination("A value may not appear in both the add list and remove list.")
    if add:
        _check_may_be_shared(snapshot, add)
    given = [*snapshot.attributes[_RESTORE], *add]
    after = [one for one in dict.fromkeys(given) if one not in set(remove)]
    if len(after) > MOST_ACCOUNTS:
        raise refusals.shared_quota()
    snapshot.attributes[_RESTORE] = after
    return snapshot


def _check_may_be_shared(snapshot: LabClusterSnapshot, add: Sequence[str]) -> None:
    _refuse_multi_az(snapshot, "shared")
    if snapshot.status != AVAILABLE:
        raise _state(f"{snapshot.db_cluster_snapshot_identifier} is not available.")
    for value in add:
        if value != "all" and not _ACCOUNT.fullmatch(value):
            raise refusals.parameter(f"Invalid account id: {value}")
    if snapshot.key is None:
        return
    if "all" in add:
        raise refusals.parameter("You cannot share an encrypted snapshot publicly.")
    key = find_key(snapshot.key, snapshot.account_id, snapshot.region)
    if key is None or key.key_manager == "AWS":
        raise refusals.parameter(
            "You cannot share a snapshot that is encrypted with the default AWS KMS key of RDS."
        )


def _refuse_multi_az(snapshot: LabClusterSnapshot, done: str) -> None:
    if not snapshot.engine.startswith("aurora"):
        raise refusals.parameter(f"Snapshots of Multi-AZ DB clusters cannot be {done}.")


# -- limits ----------------------------------------------------------------------------------------


def manual_snapshots(backend: LabBackend) -> int:
    """Count what counts against the quota of cluster snapshots."""
    return sum(one.snapshot_type == MANUAL for one in backend.cluster_snapshots.values())


def _check_new(backend: LabBackend, identifier: str) -> None:
    """Refuse a taken identifier, and one more snapshot than the account may have in the region."""
    if identifier in backend.cluster_snapshots:
        raise RDSClientError(
            "DBClusterSnapshotAlreadyExistsFault",
            f"Cannot create the snapshot because {identifier} already exists.",
        )
    limit = backend.world.settings.manual_cluster_snapshots
    if manual_snapshots(backend) >= limit:
        raise refusals.quota(f"Cannot create more than {limit} manual snapshots")


def _check_identifier(identifier: str, parameter: str) -> None:
    if len(identifier) > LONGEST_IDENTIFIER or not _IDENTIFIER.fullmatch(identifier.lower()):
        raise refusals.parameter(f"The parameter {parameter} {refusals.NOT_AN_IDENTIFIER}")
