"""Promise 1 for automated backups: they become what the database's policy says, nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from engine.documents.model import AutomatedTerms, Replicating, Replication
from engine.inventory.records import Instance
from engine.plans.codes import Action
from engine.plans.plan import Step
from engine.verifying.conditions import takers, terms_of
from engine.verifying.evidence import Evidence, instance_of_step, location_of_step
from engine.verifying.sources import target_location

SETTING = frozenset({"DBInstanceIdentifier", "BackupRetentionPeriod", "PreferredBackupWindow"})
RECEIVING = frozenset({"SourceDBInstanceArn", "BackupRetentionPeriod", "KmsKeyId"})
STOPPING = frozenset({"SourceDBInstanceArn"})


def objections(step: Step, evidence: Evidence) -> Iterator[str]:
    """Yield what `step` would do to automated backups that no policy asks for."""
    instance = instance_of_step(step, evidence)
    if instance is None:
        yield f"{step.arn} is not in the inventory as {step.source.resource_id}"
        return
    policies = takers(evidence.documents, instance)
    if len(policies) != 1:
        yield f"{len(policies)} policies take {step.arn}; one decides about automated backups"
        return
    if instance.aws_backup_arn is not None:
        yield f"AWS Backup decides about the automated backups of {step.arn}"
    wanted = terms_of(evidence.documents, policies[0], instance).automated
    match step.action:
        case Action.MODIFY_BACKUPS:
            yield from _setting(step, instance, wanted)
        case Action.REPLICATE_BACKUPS:
            yield from _receiving(step, instance, wanted, evidence)
        case _:
            yield from _stopping(step, instance, wanted, evidence)


def _strange(step: Step, known: frozenset[str]) -> Iterator[str]:
    for name in sorted(set(step.parameters) - known):
        yield f"it would call with {name}"


def _setting(step: Step, instance: Instance, wanted: AutomatedTerms) -> Iterator[str]:
    yield from _strange(step, SETTING)
    named = step.parameters.get("DBInstanceIdentifier")
    if named != instance.identifier or location_of_step(step) != instance.location:
        yield f"it names {step.arn}, but would change {named} at {location_of_step(step)}"
    days = step.parameters.get("BackupRetentionPeriod")
    if days not in (None, wanted.retention_days):
        yield f"it would set a retention of {days} days; the policy says {wanted.retention_days}"
    if days is not None and instance.pending_retention_days is not None:
        yield f"a retention of {instance.pending_retention_days} days is pending already"
    if days == 0 and instance.replicas:
        yield f"{', '.join(instance.replicas)} replicate from what it would turn off"
    window = step.parameters.get("PreferredBackupWindow")
    if window is not None and (wanted.window is None or window != str(wanted.window)):
        yield f"it would set the window {window}; the policy says {wanted.window}"


def _receiving(
    step: Step, instance: Instance, wanted: AutomatedTerms, evidence: Evidence
) -> Iterator[str]:
    yield from _strange(step, RECEIVING)
    yield from _source(step)
    there = location_of_step(step)
    replication = wanted.replicate_to
    if not isinstance(replication, Replication):
        yield f"the policy replicates nothing to {there}"
        return
    aim = target_location(evidence.documents, replication.target, instance.location)
    if there != aim or there.account != instance.location.account:
        yield f"it would replicate to {there}; the policy says {aim}"
    days = step.parameters.get("BackupRetentionPeriod")
    if days != replication.retention_days:
        yield f"it would keep {days} days there; the policy says {replication.retention_days}"


def _stopping(
    step: Step, instance: Instance, wanted: AutomatedTerms, evidence: Evidence
) -> Iterator[str]:
    yield from _strange(step, STOPPING)
    yield from _source(step)
    there = location_of_step(step)
    if there.account != instance.location.account:
        yield f"{there} is not in the account of {step.arn}"
    replication = wanted.replicate_to
    if replication is Replicating.AS_IT_IS:
        yield "the policy says nothing of replication"
    if not isinstance(replication, Replication):
        return
    aim = target_location(evidence.documents, replication.target, instance.location)
    if aim == there and not _started_anew(step, evidence):
        yield f"the policy replicates to {there}, and nothing starts it anew"


def _source(step: Step) -> Iterator[str]:
    named = step.parameters.get("SourceDBInstanceArn")
    if named != step.arn:
        yield f"it names {step.arn}, but would call for {named}"


def _started_anew(step: Step, evidence: Evidence) -> bool:
    return any(
        other.action is Action.REPLICATE_BACKUPS
        and other.arn == step.arn
        and other.location == step.location
        and step.id in evidence.waits_for(other)
        for other in evidence.steps
    )
