"""Automated backups that are not what the documents say, and replication that died in silence."""

from __future__ import annotations

from collections.abc import Iterator

from engine.documents.model import AutomatedTerms
from engine.inventory.records import Event, Instance
from engine.planning.automated_checks import silence
from engine.planning.automated_rules import received, receivers
from engine.planning.draft import Draft, at
from engine.planning.routes import RouteBook
from engine.planning.steps import short
from engine.planning.survey import World
from engine.plans.codes import Action, DriftCode, DriftSeverity
from engine.plans.plan import Drift, Step

_SETTINGS = {"BackupRetentionPeriod": "{} days", "PreferredBackupWindow": "{} UTC"}
_CHANGE = "configuration change"


def changed_backups(draft: Draft, world: World, book: RouteBook) -> Iterator[Drift]:
    """Yield databases whose retention or window is not what the documents say."""
    instance = draft.source.instance
    for step in draft.steps.values():
        if step.action is Action.MODIFY_BACKUPS and instance is not None:
            yield _changed(step, instance, _newest_change(instance, world))


def _changed(step: Step, instance: Instance, event: Event | None) -> Drift:
    found = {
        "BackupRetentionPeriod": instance.backup_retention_days,
        "PreferredBackupWindow": instance.backup_window,
    }
    named = [name for name in _SETTINGS if name in step.parameters]
    since = f"; AWS told at {short(event.at)}: {event.message}" if event else ""
    return Drift(
        code=DriftCode.BACKUPS_DIFFER,
        severity=DriftSeverity.WARNING,
        arn=step.arn,
        location=step.location,
        source=step.source,
        slot=None,
        text=f"its automated backups are not what the documents say{since}",
        fix="let `engine apply` set them, or change the documents",
        expected=", ".join(_SETTINGS[name].format(step.parameters[name]) for name in named),
        found=", ".join(_SETTINGS[name].format(found[name]) for name in named),
    )


def _newest_change(instance: Instance, world: World) -> Event | None:
    told = [
        event
        for event in world.scope(instance.location).events or ()
        if event.source == instance.identifier
        and _CHANGE in event.categories
        and "backup" in event.message.lower()
    ]
    return max(told, key=lambda event: event.at, default=None)


def dead_replications(draft: Draft, world: World, book: RouteBook) -> Iterator[Drift]:
    """Yield replications that RDS still lists and that bring nothing any more."""
    instance, terms = draft.source.instance, draft.source.terms
    if instance is None or terms is None or terms.automated == AutomatedTerms():
        return
    for there in receivers(instance):
        backup = received(instance, there, world)
        fault = silence(instance, backup, world) if backup is not None else None
        if backup is not None and fault is not None:
            yield Drift(
                code=DriftCode.REPLICATION_DIED,
                severity=DriftSeverity.ERROR,
                arn=backup.arn,
                location=at(there),
                source=draft.source.ref,
                slot=None,
                text=fault.text,
                fix=fault.fix,
            )
