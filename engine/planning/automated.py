"""Automated backups: what of retention, window and replication is to change.

Nothing here is ever applied at once: ApplyImmediately would also apply whatever else is pending.
A window, and a retention that stays above 0, take effect as soon as possible without it; from and
to 0 waits for the maintenance window (RDS User Guide, Settings for DB instances).
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.documents.model import AutomatedTerms, Replicating, Replication, Terms
from engine.inventory.records import Instance, Location
from engine.planning.automated_rules import (
    Aim,
    aim_of,
    received,
    receivers,
    retention_fault,
    window_fault,
)
from engine.planning.automated_steps import (
    Change,
    modify_backups,
    replicate_backups,
    stop_replication,
)
from engine.planning.draft import Draft
from engine.planning.replicas import SNAPSHOT_STATES
from engine.planning.survey import World
from engine.plans.codes import StepReason, Waiting
from engine.plans.plan import Reason


def plan_automated(draft: Draft, world: World) -> None:
    """Add the steps that bring a database's automated backups to what its policy says."""
    source = draft.source
    instance, terms = source.instance, source.terms
    if instance is None or terms is None or terms.automated == AutomatedTerms():
        return
    wanted = terms.automated
    stops: list[str] = []
    if wanted.replicate_to is Replicating.NONE:
        stops = _stops(draft, instance, receivers(instance), world, StepReason.REPLICATION_UNWANTED)
    elif isinstance(wanted.replicate_to, Replication):
        aim = aim_of(instance, wanted.replicate_to, world)
        if isinstance(aim, Aim):
            _replicate(draft, instance, aim, world)
    _settings(draft, instance, terms, stops)


# -- retention and window ------------------------------------------------------------------------


def _settings(draft: Draft, instance: Instance, terms: Terms, stops: Iterable[str]) -> None:
    days, window = _differing(draft, instance, terms)
    if days is None and window is None:
        return
    held = _held_up(instance)
    if held is not None:
        draft.wait(*held, instance.location, None)
        return
    clashes = window_fault(instance, terms) is not None
    is_outage = days is not None and (days == 0 or instance.backup_retention_days == 0)
    # What a guard holds back stands alone, so that it holds back nothing else.
    if days is not None and window is not None and not (clashes or is_outage):
        draft.add(modify_backups(draft.source, instance, Change(days, window)))
        return
    if days is not None:
        step = modify_backups(draft.source, instance, Change(days, None))
        draft.add(step)
        if days == 0:
            draft.depend(step.id, stops)
    if window is not None:
        draft.add(modify_backups(draft.source, instance, Change(None, window)))


def _differing(draft: Draft, instance: Instance, terms: Terms) -> tuple[int | None, str | None]:
    """Return the retention and the window that are to be set, None for what is as it should be."""
    wanted = terms.automated
    window = str(wanted.window) if wanted.window is not None else None
    return (
        _days_to_set(draft, instance, terms),
        window if window != instance.backup_window else None,
    )


def _days_to_set(draft: Draft, instance: Instance, terms: Terms) -> int | None:
    days, pending = terms.automated.retention_days, instance.pending_retention_days
    if days is None or retention_fault(instance, terms) is not None:
        return None
    if pending is None:
        return days if days != instance.backup_retention_days else None
    if pending == days:
        text = (
            f"a retention of {days} days waits for its maintenance window "
            f"{instance.maintenance_window} UTC"
        )
        draft.wait(Waiting.BACKUPS_PENDING, text, instance.location, None)
    # Another one is somebody else's: a check warns of it.
    return None


def _held_up(instance: Instance) -> tuple[Waiting, str] | None:
    """Return why an instance's automated backups cannot be changed now, None where they can."""
    if instance.aws_backup_arn is not None:
        text = (
            "AWS Backup backs it up continuously, and alone decides about its automated backups "
            f"({instance.aws_backup_arn})"
        )
        return Waiting.AWS_BACKUP_DECIDES, text
    if instance.status not in SNAPSHOT_STATES:
        text = f"the instance is {instance.status}; its automated backups are changed later"
        return Waiting.MODIFY_STATE, text
    return None


# -- replication ---------------------------------------------------------------------------------


def _replicate(draft: Draft, instance: Instance, aim: Aim, world: World) -> None:
    """Have backups replicated to one region, and to no other.

    What is there already stays as it is where nobody can tell its retention. Otherwise it is
    stopped and started anew: a running replication cannot be changed.
    """
    here = aim.location.region in instance.replication_regions
    differs = _differs(instance, aim, world)
    others = [there for there in receivers(instance) if there != aim.location]
    if here and not differs and not any(there in world.locations for there in others):
        return
    held = _held_up(instance) or _unready(instance, aim, world)
    if held is not None:
        draft.wait(*held, aim.location, None)
        return
    stops = _stops(draft, instance, others, world, StepReason.REPLICATION_UNWANTED)
    if differs:
        changed = (aim.location,)
        stops += _stops(draft, instance, changed, world, StepReason.REPLICATION_DIFFERS)
    if here and not differs:
        return
    left = set(receivers(instance)) & ({*others} - world.locations)
    start = replicate_backups(
        draft.source, instance, aim, _reason(here, aim), tuple(sorted(x.region for x in left))
    )
    draft.add(start)
    draft.depend(start.id, stops)


def _reason(differs: bool, aim: Aim) -> Reason:
    days = f"kept {aim.retention_days} days there"
    if differs:
        return Reason(StepReason.REPLICATION_DIFFERS, f"started anew, {days}")
    return Reason(StepReason.REPLICATION_MISSING, f"not replicated there yet; {days}")


def _differs(instance: Instance, aim: Aim, world: World) -> bool:
    """Say whether a region receives backups otherwise than the policy says."""
    found = received(instance, aim.location, world)
    if found is None:
        return False
    if found.retention_days != aim.retention_days:
        return True
    named = aim.key.arn if aim.key else None
    return named is not None and found.kms_key is not None and found.kms_key != named


def _unready(instance: Instance, aim: Aim, world: World) -> tuple[Waiting, str] | None:
    if instance.backup_retention_days == 0:
        return Waiting.BACKUPS_OFF, "its automated backups are off: there is nothing to replicate"
    if not world.scope(aim.location).is_complete:
        return Waiting.TARGET_NOT_READ, f"{aim.location} could not be read"
    return None


def _stops(
    draft: Draft,
    instance: Instance,
    places: Iterable[Location],
    world: World,
    code: StepReason,
) -> list[str]:
    """Add the steps that end replication to places of the estate; return their ids."""
    held = _held_up(instance)
    steps = []
    for there in places:
        if there not in world.locations:
            continue
        if held is not None:
            draft.wait(*held, there, None)
            continue
        steps.append(draft.add(stop_replication(draft.source, instance, there, code)))
    return steps
