"""Automated backups in the simulated world: a snapshot a day, kept for the retention period.

(RDS User Guide, Introduction to backups.)
"""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.inventory.records import Instance, Snapshot, SnapshotType
from engine.simulation.agenda import next_opening
from engine.simulation.world import World


def next_backup(world: World, after: datetime) -> datetime | None:
    """Return when the next automated snapshot is due."""
    openings = (next_opening(one, after) for one in world.instances.values())
    return min((one for one in openings if one is not None), default=None)


def back_up(world: World, now: datetime) -> bool:
    """Take the automated snapshots that are due now, and drop those that are too old.

    There is none while a copy of the database runs inside the region, nor where the database is
    not available. Returns whether anything changed.
    """
    before = now - timedelta(microseconds=1)
    due = [i for i in world.instances.values() if next_opening(i, before) == now]
    for instance in due:
        _expire(world, instance, now)
        if instance.status == "available" and not _is_copied(world, instance):
            world.back_up(instance, now)
    return bool(due)


def _is_copied(world: World, instance: Instance) -> bool:
    return any(
        one.is_copy
        and one.volume == instance.resource_id
        and one.location.region == instance.location.region
        for one in world.flights.values()
    )


def _expire(world: World, instance: Instance, now: datetime) -> None:
    oldest = now - timedelta(days=instance.backup_retention_days)
    for snapshot in [one for one in world.snapshots.values() if _is_of(one, instance)]:
        if snapshot.arn not in world.flights and (snapshot.taken_at or now) < oldest:
            world.forget(snapshot.arn)


def _is_of(snapshot: Snapshot, instance: Instance) -> bool:
    same = snapshot.resource_id == instance.resource_id
    return same and snapshot.type is SnapshotType.AUTOMATED
