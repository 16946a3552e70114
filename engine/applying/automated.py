"""Steps on instances and automated backups: whether an instance is as they would have it."""

from __future__ import annotations

from engine.applying.calls import ModifyBackups, ReplicateBackups, StopReplication
from engine.applying.failing_over import TAKEN, is_over
from engine.inventory.records import Instance
from engine.plans.codes import Action, StepReason
from engine.plans.plan import Step

CHANGES = ModifyBackups | ReplicateBackups | StopReplication
_OUTAGES = frozenset({StepReason.BACKUPS_TURNED_ON, StepReason.BACKUPS_TURNED_OFF})


def is_so(step: Step, instance: Instance | None) -> bool:
    """Say whether the end of a step on an instance is there; what is pending counts."""
    if instance is None or instance.resource_id != step.source.resource_id:
        return False
    if step.action is Action.FAIL_OVER:
        return is_over(step, instance)
    receives = step.location.region in instance.replication_regions
    match step.action:
        case Action.REPLICATE_BACKUPS:
            return receives
        case Action.STOP_REPLICATION:
            return not receives
        case _:
            days = step.parameters.get("BackupRetentionPeriod")
            window = step.parameters.get("PreferredBackupWindow")
            pending = instance.pending_retention_days
            current = instance.backup_retention_days if pending is None else pending
            asks = days is not None or window is not None
            return asks and days in (None, current) and window in (None, instance.backup_window)


def told_after(step: Step) -> str:
    """Return what there is to say of a change that AWS has taken, as a rule nothing."""
    if step.action is Action.FAIL_OVER:
        return TAKEN
    if step.reason.code in _OUTAGES:
        return "AWS has taken it for the maintenance window"
    return ""
