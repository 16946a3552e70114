"""One function per action on automated backups: the step, its parameters, what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.inventory.records import Instance, Location
from engine.planning.automated_rules import Aim
from engine.planning.draft import at
from engine.planning.steps import step_id
from engine.planning.survey import Source
from engine.plans.codes import EFFECTS, Action, Check, Effect, StepReason
from engine.plans.plan import Precondition, Reason, Step

NOWHERE = "none"


@dataclass(frozen=True, slots=True)
class Change:
    """A retention in days, a window, or both; None is left as it is."""

    days: int | None
    window: str | None

    @property
    def name(self) -> str:
        """What of the settings it is about."""
        parts = [self.days is not None and "retention", self.window is not None and "window"]
        return "-and-".join(part for part in parts if part)


def modify_backups(source: Source, instance: Instance, change: Change) -> Step:
    """Set retention, window or both; the call never says ApplyImmediately."""
    parameters: dict[str, Any] = {"DBInstanceIdentifier": instance.identifier}
    conditions = [Precondition(Check.BACKUP_SETTINGS, instance.arn, instance.backup_settings)]
    if change.days is not None:
        parameters["BackupRetentionPeriod"] = change.days
    if change.window is not None:
        parameters["PreferredBackupWindow"] = change.window
    if change.days == 0:
        conditions.append(Precondition(Check.REPLICATIONS, instance.arn, NOWHERE))
    step = instance_step(
        Action.MODIFY_BACKUPS,
        source,
        instance,
        instance.location,
        suffix=change.name,
        parameters=parameters,
        reason=_reason(instance, change),
        conditions=tuple(conditions),
    )
    if change.days is None or change.days >= instance.backup_retention_days:
        return step
    return replace(step, actions=(*step.actions, Effect.DELETE))


def _reason(instance: Instance, change: Change) -> Reason:
    before = instance.backup_retention_days
    later = f"in its maintenance window {instance.maintenance_window} UTC, with an outage"
    if change.days == 0:
        text = f"turned off {later}: all {before} days of them are deleted"
        return Reason(StepReason.BACKUPS_TURNED_OFF, text)
    if change.days is not None and before == 0:
        text = f"turned on {later}: kept {change.days} days"
        return Reason(StepReason.BACKUPS_TURNED_ON, text)
    parts = []
    if change.days is not None:
        parts.append(f"retention {before} → {change.days} days")
        if change.days < before:
            parts[-1] += " (what is older is deleted)"
    if change.window is not None:
        parts.append(f"window {instance.backup_window} → {change.window} UTC")
    return Reason(StepReason.BACKUPS_DIFFER, ", ".join(parts))


def replicate_backups(
    source: Source, instance: Instance, aim: Aim, reason: Reason, left: tuple[str, ...]
) -> Step:
    """Start to replicate to a region; `left` are those that keep receiving beside it."""
    parameters: dict[str, Any] = {
        "SourceDBInstanceArn": instance.arn,
        "BackupRetentionPeriod": aim.retention_days,
    }
    if aim.key is not None:
        parameters["KmsKeyId"] = aim.key.reference
    return instance_step(
        Action.REPLICATE_BACKUPS,
        source,
        instance,
        aim.location,
        suffix=instance.location.region,
        parameters=parameters,
        reason=reason,
        conditions=(Precondition(Check.REPLICATIONS, instance.arn, ",".join(left) or NOWHERE),),
    )


def stop_replication(source: Source, instance: Instance, there: Location, code: StepReason) -> Step:
    """End replication to a region; what it has received stays until its retention ends."""
    unwanted = code is StepReason.REPLICATION_UNWANTED
    why = "the policy does not want it there" if unwanted else "to be started anew"
    return instance_step(
        Action.STOP_REPLICATION,
        source,
        instance,
        there,
        suffix=instance.location.region,
        parameters={"SourceDBInstanceArn": instance.arn},
        reason=Reason(code, f"{why}; what is there stays until its retention ends"),
        conditions=(),
    )


def instance_step(
    action: Action,
    source: Source,
    instance: Instance,
    location: Location,
    *,
    suffix: str,
    parameters: Mapping[str, Any],
    reason: Reason,
    conditions: tuple[Precondition, ...],
) -> Step:
    """Return a step about an instance itself, which must still be the same one."""
    same = Precondition(Check.INSTANCE, instance.arn, instance.resource_id)
    return Step(
        id=step_id(action, location, instance.identifier, suffix),
        action=action,
        actions=(EFFECTS[action],),
        policy=source.policy.name if source.policy else "",
        arn=instance.arn,
        source=source.ref,
        slot=None,
        location=at(location),
        snapshot="",
        parameters=parameters,
        reason=reason,
        preconditions=(same, *conditions),
    )
