"""Events, kept for 14 days.

Messages and categories: RDS User Guide, Amazon RDS event categories and event messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from engine.lab.rds import refusals

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

KEPT = timedelta(days=14)
_RECENT = timedelta(minutes=60)
_BACKUP, _CREATION, _FAILOVER = "backup", "creation", "failover"
_CHANGE, _NOTICE, _DELETION = "configuration change", "notification", "deletion"


class What(Enum):
    """What happened: category and message."""

    BACKUP_STARTED = (_BACKUP, "Backing up DB instance")
    BACKUP_FINISHED = (_BACKUP, "Finished DB instance backup")
    INSTANCE_CREATED = (_CREATION, "DB instance created")
    INSTANCE_DELETED = (_DELETION, "DB instance deleted")
    INSTANCE_RESTARTED = ("availability", "DB instance restarted")
    FAILOVER_STARTED = (_FAILOVER, "Multi-AZ instance failover started.")
    FAILOVER_COMPLETED = (_FAILOVER, "Multi-AZ instance failover completed")
    TO_MULTI_AZ = (_CHANGE, "Finished applying modification to convert to a Multi-AZ DB instance")
    TO_SINGLE_AZ = (_CHANGE, "Finished applying modification to convert to a standard DB instance")
    RENAMED = (_CHANGE, "DB instance renamed")
    RETENTION_CHANGED = (_CHANGE, "Backup retention period changed")
    MANUAL_STARTED = (_CREATION, "Creating manual snapshot")
    MANUAL_FINISHED = (_CREATION, "Manual snapshot created")
    AUTOMATED_STARTED = (_CREATION, "Creating automated snapshot")
    AUTOMATED_FINISHED = (_CREATION, "Automated snapshot created")
    SNAPSHOT_DELETED = (_DELETION, "Deleted manual snapshot")
    COPY_STARTED = (_NOTICE, "Started copying of snapshot")
    COPY_FINISHED = (_NOTICE, "Finished copying of snapshot")
    COPY_CANCELLED = (_NOTICE, "Cancelled copying of snapshot")
    EMERGENT_SNAPSHOT = (_NOTICE, "Emergent Snapshot Request; submit again after the snapshot")


# moto's own names of what it emits by itself.
MOTO_EVENTS = {
    "DB_INSTANCE_BACKUP_START": What.BACKUP_STARTED,
    "DB_INSTANCE_BACKUP_FINISH": What.BACKUP_FINISHED,
    "DB_INSTANCE_CREATE": What.INSTANCE_CREATED,
    "DB_SNAPSHOT_CREATE_AUTOMATED_START": What.AUTOMATED_STARTED,
    "DB_SNAPSHOT_CREATE_AUTOMATED_FINISH": What.AUTOMATED_FINISHED,
    "DB_SNAPSHOT_CREATE_MANUAL_START": What.MANUAL_STARTED,
    "DB_SNAPSHOT_CREATE_MANUAL_FINISH": What.MANUAL_FINISHED,
}


@dataclass(frozen=True, slots=True)
class LabEvent:
    """An event, named as the API's shape is."""

    source_identifier: str
    source_type: str
    message: str
    event_categories: tuple[str, ...]
    date: datetime
    source_arn: str


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What DescribeEvents is asked for; `minutes` counts back from now."""

    source: str | None = None
    source_type: str | None = None
    categories: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    minutes: int | None = None


def find_events(backend: LabBackend, query: EventQuery) -> Sequence[LabEvent]:
    """Return the events that a query asks for, oldest first; without times the last hour's."""
    if query.source is not None and query.source_type is None:
        raise refusals.combination("Cannot specify source identifier without source type")
    now = backend.world.now
    if query.minutes is not None:
        start = now - timedelta(minutes=query.minutes)
    elif query.start is not None:
        start = query.start
    else:
        start = (query.end or now) - _RECENT
    end = query.end or now
    if end < start:
        raise refusals.parameter("The end date is before the start date.")
    start = max(start, now - KEPT)
    return [
        event
        for event in backend.lab_events
        if start <= event.date <= end
        and query.source in {None, event.source_identifier}
        and query.source_type in {None, event.source_type}
        and (not query.categories or set(query.categories) & set(event.event_categories))
    ]


def aware(when: datetime | None) -> datetime | None:
    """Return a time of a request with its zone: UTC where it names none."""
    if when is None or when.tzinfo is not None:
        return when
    return when.replace(tzinfo=UTC)
