"""What a new point holds: the database as it is now, or what an automated snapshot captured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.documents.model import MadeOf
from engine.identity.marks import Role, key_mark
from engine.inventory.placement import ALL_ZONES, UNKNOWN_ZONE, volume_zone
from engine.inventory.records import Instance, Scope, Snapshot, SnapshotState, SnapshotType
from engine.planning.clusters import largest_known
from engine.planning.slots import Slot, latest_due
from engine.planning.steps import short
from engine.planning.survey import Source, World

_MOVES = frozenset({"failover", "configuration change", "recovery"})
_MOMENT = timedelta(seconds=1)
_LONGEST = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Content:
    """What a new primary will hold: what is in `body`, the database itself or a replica of it.

    `automated` is the automated snapshot that it is copied from, None where it is a new snapshot of
    an instance. `keys` are the marks of the keys of every hop, `kms_key` its own.
    """

    body: Instance
    zone: str
    zone_checked: bool
    keys: tuple[str, ...]
    taken_at: datetime
    kms_key: str | None
    allocated_gib: int
    automated: Snapshot | None = None


def is_seeded(source: Source) -> bool:
    """Say whether the points of a source are copies of its automated snapshots."""
    return source.terms is not None and source.terms.snapshots.made_of is MadeOf.AUTOMATED


def content_of(source: Source, body: Instance, world: World) -> Content:
    """Return what a snapshot of `body` holds.

    A cluster's volume is in all zones whatever happens, so there is nothing to confirm later.
    """
    zone = volume_zone(body, world.scope(body.location))
    return Content(
        body=body,
        zone=zone,
        zone_checked=zone == ALL_ZONES,
        keys=keys_of(body, seeded=False),
        taken_at=world.now,
        kms_key=body.kms_key,
        allocated_gib=largest_known(source, body) if zone == ALL_ZONES else body.allocated_gib,
    )


def seed_of(source: Source, body: Instance, slot: Slot, world: World) -> Content | str:
    """Return what a copy of the newest automated snapshot of `body` holds, or why there is none.

    It is taken after the slot before, and after the newest point: a point never holds again what
    an older one holds.
    """
    since = _since(source, slot)
    found = [s for s in source.neighbours if _may_seed(s, body) and _taken(s) > since]
    if not found:
        return _why_not(body, since)
    automated = max(found, key=lambda s: (_taken(s), s.arn))
    zone = _zone_of(automated, body, world.scope(body.location))
    mark = key_mark(automated.kms_key, encrypted=automated.encrypted)
    return Content(
        body=body,
        zone=zone,
        zone_checked=zone != UNKNOWN_ZONE,
        keys=(mark, mark),
        taken_at=_taken(automated),
        kms_key=automated.kms_key if automated.encrypted else None,
        allocated_gib=automated.allocated_gib,
        automated=automated,
    )


def keys_of(body: Instance, *, seeded: bool) -> tuple[str, ...]:
    """Return the marks of a primary's keys: a copy is one hop further from the database.

    Encrypted copies build on one another only with the same depth and keys (RDS User Guide,
    Copying a DB snapshot).
    """
    mark = key_mark(body.kms_key, encrypted=body.encrypted)
    return (mark, mark) if seeded else (mark,)


def _since(source: Source, slot: Slot) -> datetime:
    assert source.terms is not None
    schedule = source.terms.snapshots.schedule
    assert schedule is not None
    before = latest_due(schedule, source.terms.timezone, slot.at - _MOMENT)
    known = [h.taken_at for h in source.holdings if h.marks.role is Role.PRIMARY and h.is_point]
    known += [before.at] if before else []
    return max(known, default=slot.at - _LONGEST)


def _may_seed(snapshot: Snapshot, body: Instance) -> bool:
    return (
        snapshot.type is SnapshotType.AUTOMATED
        and snapshot.state is SnapshotState.AVAILABLE
        and snapshot.resource_id == body.resource_id
        and snapshot.taken_at is not None
    )


def _taken(snapshot: Snapshot) -> datetime:
    assert snapshot.taken_at is not None
    return snapshot.taken_at


def _why_not(body: Instance, since: datetime) -> str:
    if body.backup_retention_days == 0:
        return f"{body.identifier} has no automated backups, and `from: automated` copies them"
    return f"there is no automated snapshot of {body.identifier} since {short(since)} yet"


def _zone_of(automated: Snapshot, body: Instance, scope: Scope) -> str:
    """Return the zone that an automated snapshot was taken in, as far as that is certain.

    Its record names the instance's zone, not the volume's (API reference, DBSnapshot). The two
    zones are those of now if the instance still is there and nothing tells of a move since.
    """
    if automated.availability_zone is None or automated.availability_zone != body.availability_zone:
        return UNKNOWN_ZONE
    moved = any(
        event.source == body.identifier
        and event.at >= _taken(automated)
        and _MOVES.intersection(event.categories)
        for event in scope.events or ()
    )
    return UNKNOWN_ZONE if moved else volume_zone(body, scope)
