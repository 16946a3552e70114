"""What of a database can be restored at a location: its points there, and automated backups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from engine.inventory.records import AutomatedState, Instance, Location, Scope
from engine.planning.survey import Holding, Source, World
from engine.plans.codes import RestoredFrom
from engine.plans.objectives import Gap, Newest, RestoreWindow

_LIVE = frozenset({AutomatedState.ACTIVE, AutomatedState.RECEIVING})


@dataclass(frozen=True, slots=True)
class Restorable:
    """What can be restored at one location.

    `points` are the engine's own, oldest data first; `window` is that of automated backups.
    `locked` counts points under keys that cannot be used.
    """

    location: Location
    points: tuple[Holding, ...]
    newest: Newest | None
    window: RestoreWindow | None
    locked: int = 0

    @property
    def worst_gap(self) -> Gap | None:
        """The longest time between two points in a row."""
        times = [seconds(holding.taken_at) for holding in self.points]
        gaps = [Gap(before, after) for before, after in pairwise(times)]
        return max(gaps, key=lambda gap: gap.length, default=None)


def seconds(moment: datetime) -> datetime:
    """Return a time as plans write it: UTC, whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0)


def restorable_at(source: Source, location: Location, world: World) -> Restorable:
    """Return what of a database can be restored at a location, as far as it was read.

    A point counts by when its data was captured, not by its slot: that is what would be lost.
    """
    scope = world.scope(location)
    there = [h for h in source.holdings if h.location == location and h.is_point and h.is_available]
    usable = sorted((h for h in there if is_usable(h, scope)), key=lambda h: (h.taken_at, h.arn))
    window, arn = _window(source, location, scope)
    moments = [Newest(seconds(h.taken_at), RestoredFrom.SNAPSHOT, h.arn) for h in usable[-1:]]
    if window is not None and window.latest is not None:
        moments.append(Newest(window.latest, RestoredFrom.AUTOMATED_BACKUPS, arn))
    return Restorable(
        location,
        tuple(usable),
        max(moments, key=lambda one: one.at, default=None),
        window,
        len(there) - len(usable),
    )


def is_usable(holding: Holding, scope: Scope) -> bool:
    """Say whether its key lets a snapshot be restored; a key that is not known is taken to.

    A snapshot under a disabled or deleted key cannot be restored (RDS User Guide, Encrypting
    Amazon RDS resources).
    """
    key = (scope.keys or {}).get(holding.kms_key or "")
    return key is None or key.fault is None


def _window(source: Source, location: Location, scope: Scope) -> tuple[RestoreWindow | None, str]:
    """Return the window of automated backups at a location, and the ARN they go by."""
    instance = source.instance
    if instance is None:
        return None, ""
    home = location == source.location
    if home and instance.backup_retention_days and instance.latest_restorable_at is not None:
        days, latest = instance.backup_retention_days, instance.latest_restorable_at
        earliest = min(_earliest(instance, scope), default=None)
        return RestoreWindow(earliest, seconds(latest), days), instance.arn
    if home:
        return None, ""
    received = [
        RestoreWindow(
            None if backup.earliest is None else seconds(backup.earliest),
            None if backup.latest is None else seconds(backup.latest),
            backup.retention_days,
        )
        for backup in scope.automated or ()
        if backup.instance_arn == instance.arn and backup.state in _LIVE
    ]
    return (received[0], instance.arn) if received else (None, "")


def _earliest(instance: Instance, scope: Scope) -> Iterator[datetime]:
    for backup in scope.automated or ():
        is_its = backup.resource_id == instance.resource_id
        if is_its and backup.state in _LIVE and backup.earliest is not None:
            yield seconds(backup.earliest)


def nearest_base(source: Source, at: datetime, here: Restorable) -> datetime | None:
    """Return when the newest snapshot was taken from which logs are replayed up to `at`.

    RDS begins with the snapshot that is nearest, by hand or automated (AWS re:Post, Why is the
    point-in-time restore of my RDS DB instance taking a long time?).
    """
    times = [holding.taken_at for holding in here.points]
    if here.location == source.location:
        times += _foreign(source)
    return max((seconds(one) for one in times if one <= at), default=None)


def _foreign(source: Source) -> Iterable[datetime]:
    """Yield when the available snapshots were taken that are of the database and not ours."""
    for snapshot in source.neighbours:
        if snapshot.resource_id == source.ref.resource_id and snapshot.status == "available":
            yield from () if snapshot.taken_at is None else (snapshot.taken_at,)
