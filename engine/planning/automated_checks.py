"""Checks of automated backups that need the inventory: what cannot be set, what died silently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from engine.documents.model import AutomatedTerms, Replicating, Replication
from engine.inventory.records import AutomatedBackup, Instance
from engine.planning.automated_rules import (
    Fault,
    aim_of,
    received,
    receivers,
    retention_fault,
    window_fault,
)
from engine.planning.routes import RouteBook
from engine.planning.survey import Source, World
from engine.plans.plan import Warned

# Replicated backups follow within minutes; a first one may take hours. This is far beyond both.
SILENT_FOR = timedelta(hours=36)


def check_automated(source: Source, world: World, book: RouteBook) -> Iterable[Warned]:
    """Yield what a policy says of a database's automated backups and RDS does not, or cannot do."""
    instance, terms = source.instance, source.terms
    if instance is None or terms is None or terms.automated == AutomatedTerms():
        return
    wanted = terms.automated
    faults = [retention_fault(instance, terms), window_fault(instance, terms)]
    if isinstance(wanted.replicate_to, Replication):
        aim = aim_of(instance, wanted.replicate_to, world)
        faults.append(aim if isinstance(aim, Fault) else None)
    for fault in faults:
        if fault is not None:
            yield _told(fault, source, "error")
    for fault in _doubts(instance, wanted, world):
        yield _told(fault, source, "warning" if fault.code.startswith("W") else "error")


def _told(fault: Fault, source: Source, severity: str) -> Warned:
    policy = source.policy.name if source.policy else None
    return Warned(fault.code, severity, fault.text, source.ref.address, policy, fault.fix)


def _doubts(instance: Instance, wanted: AutomatedTerms, world: World) -> Iterator[Fault]:
    pending = instance.pending_retention_days
    days = wanted.retention_days
    if pending is not None and days is not None and pending != days:
        yield Fault(
            "W350 pending-retention",
            f"a retention of {pending} days, not {days}, waits for its maintenance window; "
            "nothing is changed before",
            "apply it, or take it back, by hand",
        )
    if instance.replications and wanted.replicate_to is Replicating.AS_IT_IS:
        yield Fault(
            "W351 unmanaged-replication",
            f"its automated backups are replicated to {', '.join(instance.replication_regions)}, "
            "of which the policy says nothing",
            "name the target in `replicate_to`, or write `replicate_to: none` to stop it",
        )
    for there in receivers(instance):
        if there not in world.locations and wanted.replicate_to is not Replicating.AS_IT_IS:
            yield Fault(
                "W352 replication-outside",
                f"its automated backups are replicated to {there}, outside the estate, "
                "where nothing is stopped",
                "add the region to the account, or stop it by hand",
            )
        backup = received(instance, there, world)
        fault = silence(instance, backup, world) if backup is not None else None
        if fault is not None:
            yield fault


def silence(instance: Instance, backup: AutomatedBackup, world: World) -> Fault | None:
    """Return that a replication has died, None where it lives.

    RDS stops it in silence where its key is of no use, and does not go on by itself afterwards
    (RDS User Guide, Troubleshooting of replicated automated backups).
    """
    key = (world.scope(backup.location).keys or {}).get(backup.kms_key or "")
    here, there = instance.latest_restorable_at, backup.latest
    behind = here is not None and there is not None and here - there > SILENT_FOR
    if not behind and (key is None or key.fault is None):
        return None
    cause = f": key {key.arn} {key.fault}" if key is not None and key.fault is not None else ""
    reach = f", which reach up to {there:%Y-%m-%d %H:%MZ} only" if behind else ""
    return Fault(
        "E349 replication-died",
        f"its automated backups in {backup.location}{reach} are replicated no longer{cause}",
        "see that the key is enabled, then stop the replication with `aws rds "
        "stop-db-instance-automated-backups-replication`: the next apply starts it anew",
    )
