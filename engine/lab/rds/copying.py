"""Copying snapshots: across accounts and regions, one at a time per source instance.

Rules: RDS User Guide, Copying a DB snapshot; CopyDBSnapshot reference.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.lab.rds import refusals
from engine.lab.rds.events import What
from engine.lab.rds.keys import find_key, may_use, usable_key
from engine.lab.rds.models import AVAILABLE, COPYING, FAILED, MANUAL, PENDING, LabSnapshot
from engine.lab.rds.snapshots import Tags, check_identifier, check_quota

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend


@dataclass(frozen=True, slots=True)
class CopyOrder:
    """What CopyDBSnapshot is asked for."""

    origin: str
    target: str
    key: str | None
    tags: Tags
    copy_tags: bool = False
    option_group: str | None = None


class Copies:
    """The copies to one account and region that are not done, a queue per source instance."""

    def __init__(self) -> None:
        self._queues: defaultdict[str, deque[LabSnapshot]] = defaultdict(deque)

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def runs_for(self, resource_id: str, region: str) -> bool:
        """Tell whether a copy of an instance's snapshot is made inside a region."""
        queue = self._queues.get(resource_id, ())
        return any(one.origin is not None and one.origin.region == region for one in queue)

    def add(self, target: LabSnapshot) -> None:
        """Queue a copy; it starts when those of the same instance before it are done."""
        queue = self._queues[target.volume.resource_id]
        target.status = PENDING
        queue.append(target)
        if len(queue) == 1:
            self._start(target)

    def cancel(self, target: LabSnapshot) -> None:
        """Take a copy out of its queue, running or not."""
        if target.appointment is not None:
            target.appointment.cancel()
        self._leave(target)

    def _start(self, target: LabSnapshot) -> None:
        world, origin = target.backend.world, target.origin
        near = origin is not None and origin.region == target.region
        settings = world.settings
        seconds = settings.copy_seconds if near else settings.cross_region_seconds
        target.status = COPYING
        target.started, target.ends = world.now, world.now + timedelta(seconds=seconds)
        world.ledger.begin(target.subject)
        target.backend.tell(target, What.COPY_STARTED)
        lasts = seconds / 2 if target.doomed else seconds
        target.appointment = world.after(lasts, lambda: self._finish(target))

    def _finish(self, target: LabSnapshot) -> None:
        world = target.backend.world
        if _still_readable(target) and not target.doomed:
            target.status = AVAILABLE
            target.created = world.now
            world.ledger.complete(target.arn)
            target.backend.tell(target, What.COPY_FINISHED)
        else:
            target.status = FAILED
            world.ledger.fail(target.arn)
        self._leave(target)

    def _leave(self, target: LabSnapshot) -> None:
        queue = self._queues[target.volume.resource_id]
        was_running = queue[0] is target
        queue.remove(target)
        if not queue:
            del self._queues[target.volume.resource_id]
        elif was_running:
            self._start(queue[0])


def _still_readable(target: LabSnapshot) -> bool:
    """Tell whether the origin is still there, shared, and both keys usable."""
    origin, account = target.origin, target.account_id
    if origin is None or not origin.is_there or not may_read(origin, account):
        return False
    keys = [
        find_key(key, account, target.region)
        for key in (origin.kms_key_id, target.kms_key_id)
        if key
    ]
    return all(key is not None and may_use(key, account) for key in keys)


def copy(backend: LabBackend, order: CopyOrder) -> LabSnapshot:
    """Start a copy into the backend's account and region, as CopyDBSnapshot does."""
    check_identifier(order.target, "TargetDBSnapshotIdentifier")
    if order.target in backend.database_snapshots:
        raise refusals.snapshot_exists(order.target)
    origin = _readable_origin(backend, order.origin)
    if origin.status != AVAILABLE:
        raise refusals.snapshot_state(
            f"Cannot copy the snapshot {order.origin} because it is not currently in the "
            "available state."
        )
    _check_option_group(backend, origin, order)
    key = _key_of_copy(backend, origin, order.key)
    tags = _tags_of_copy(backend, origin, order)
    limit = backend.world.settings.copies_in_flight
    if len(backend.copies) >= limit:
        raise refusals.quota(f"Cannot copy more than {limit} snapshots across regions")
    check_quota(backend)
    target = LabSnapshot(
        backend,
        origin.database,
        order.target,
        MANUAL,
        volume=origin.volume,
        key=key,
        origin=origin,
    )
    target.tags = tags
    describe_origin(target, origin, order.option_group)
    backend.database_snapshots[order.target] = target
    backend.copies.add(target)
    return target


def describe_origin(target: LabSnapshot, origin: LabSnapshot, option_group: str | None) -> None:
    """Tell of a copy what depends on where its origin lies: its source, zone and option group."""
    elsewhere = (origin.account_id, origin.region) != (target.account_id, target.region)
    if elsewhere:
        target.source_db_snapshot_identifier = origin.arn
        target.source_region = origin.region
    # Zones of another region mean nothing here.
    target.availability_zone = origin.availability_zone if origin.region == target.region else None
    if option_group:
        target.option_group_name = option_group
    elif elsewhere:
        major = ".".join(origin.engine_version.split(".")[:1])
        target.option_group_name = f"default:{origin.engine}-{major}"
    else:
        target.option_group_name = origin.option_group_name


def _check_option_group(backend: LabBackend, origin: LabSnapshot, order: CopyOrder) -> None:
    """Refuse a copy that would lose options which stay for good.

    Option groups are of one account and region (RDS User Guide, Option groups; Copying a DB
    snapshot, Option group considerations).
    """
    here = (backend.account_id, backend.region_name)
    if (origin.account_id, origin.region) == here or order.option_group:
        return
    if origin.persistent_options:
        options = ", ".join(origin.persistent_options)
        raise refusals.parameter(
            f"The snapshot requires a target option group with the following options: [{options}]"
        )


def _readable_origin(backend: LabBackend, named: str) -> LabSnapshot:
    origin = backend.find_snapshot(named)
    if origin is None or not may_read(origin, backend.account_id):
        raise refusals.snapshot_not_found(named)
    return origin


def may_read(snapshot: LabSnapshot, account: str) -> bool:
    """Tell whether an account owns a snapshot or has it shared."""
    return snapshot.account_id == account or bool(
        {account, "all"} & set(snapshot.attributes["restore"])
    )


def _key_of_copy(backend: LabBackend, origin: LabSnapshot, given: str | None) -> str | None:
    account, region = backend.account_id, backend.region_name
    if origin.kms_key_id is None:
        return usable_key("target", given, account, region).arn if given else None
    if given is None and origin.account_id != account:
        raise refusals.key_not_accessible("target", None)
    if given is None and origin.region != region:
        raise refusals.parameter(
            "Must specify new KMS key for cross region encrypted snapshot copy."
        )
    source = find_key(origin.kms_key_id, account, origin.region)
    if source is None or not may_use(source, account):
        raise refusals.key_not_accessible("source snapshot", origin.kms_key_id)
    return usable_key("target", given or origin.kms_key_id, account, region).arn


def _tags_of_copy(backend: LabBackend, origin: LabSnapshot, order: CopyOrder) -> Tags:
    """Return a copy's tags: those given, else the origin's if asked for.

    Tags are not copied across accounts (RDS User Guide, Tagging Amazon RDS resources).
    """
    if order.tags:
        return order.tags
    if not order.copy_tags or origin.account_id != backend.account_id:
        return []
    if any(tag["Key"].startswith("aws:") for tag in origin.tags):
        raise refusals.parameter("Tag keys cannot start with the reserved prefix")
    return list(origin.tags)
