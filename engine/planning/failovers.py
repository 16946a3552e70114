"""When a database last failed over, as far as anything tells."""

from __future__ import annotations

from datetime import datetime

from engine.identity.marks import Role
from engine.inventory.placement import UNKNOWN_ZONE
from engine.inventory.records import Event, Instance, Scope
from engine.planning.survey import Holding, Source

FAILOVER = "failover"


def newest_failover(instance: Instance, scope: Scope) -> Event | None:
    """Return the newest failover that events tell of; RDS emits them on a best-effort basis."""
    told = [
        event
        for event in scope.events or ()
        if event.source == instance.identifier and FAILOVER in event.categories
    ]
    # Of those of one moment the last one told is the newest.
    return max(reversed(told), key=lambda event: event.at, default=None)


def away_since(source: Source, instance: Instance, scope: Scope, zone: str) -> datetime | None:
    """Return a time by which a database had failed over to where `zone` is snapshotted.

    The points since then were all taken in that zone. An event dates it more exactly, where those
    after it bear it out. None where nothing tells.
    """
    points = _points(source, instance)
    event = newest_failover(instance, scope)
    if event is not None:
        later = [h.marks.zone for h in points if h.taken_at > event.at]
        return event.at if later and set(later) == {zone} else None
    since = None
    for point in reversed(points):
        if point.marks.zone != zone:
            break
        since = point.taken_at
    return since


def _points(source: Source, instance: Instance) -> list[Holding]:
    """Return the points of the database itself of which the zone is known, oldest first."""
    found = [
        h
        for h in source.holdings
        if h.marks.role is Role.PRIMARY
        and h.marks.volume == instance.resource_id
        and h.marks.zone_checked
        and h.marks.zone != UNKNOWN_ZONE
    ]
    return sorted(found, key=lambda h: (h.taken_at, h.arn))
