"""What RDS and the policy's own windows allow of automated backups: rules on one database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from engine.documents.model import Estate, Every, Replicating, Replication, Target, Terms, Window
from engine.documents.windows import meets_daily
from engine.inventory.records import AutomatedBackup, AutomatedState, Instance, Location, Scope
from engine.planning.routes import KeyChoice, resolve_key
from engine.planning.survey import World
from engine.planning.weekly_windows import overlaps, weekly_spans

DAY = timedelta(days=1)
# Replicas of PostgreSQL have automated backups from 14.1 on (RDS User Guide, Read replicas,
# differences between engines).
_FIRST_POSTGRES = (14, 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something that a policy says of automated backups is not done; `code` is a check's."""

    code: str
    text: str
    fix: str


def retention_fault(instance: Instance, terms: Terms) -> Fault | None:
    """Return why the policy's retention cannot be set, None where it can or says nothing."""
    wanted = terms.automated.retention_days
    if wanted is None or wanted == instance.backup_retention_days:
        return None
    if wanted:
        return _replica_fault(instance) if not instance.backup_retention_days else None
    if instance.replicas:
        names = ", ".join(instance.replicas)
        return Fault(
            "E340 backups-feed-replicas",
            f"its automated backups cannot be turned off: {names} replicate from it",
            "keep at least `retention_days: 1`, or remove its replicas first",
        )
    if instance.replications and terms.automated.replicate_to is Replicating.AS_IT_IS:
        where = ", ".join(instance.replication_regions)
        return Fault(
            "E341 backups-are-replicated",
            f"its automated backups are not turned off: they are replicated to {where}",
            "write `replicate_to: none` beside `retention_days: 0`",
        )
    return None


def _replica_fault(instance: Instance) -> Fault | None:
    if instance.replica_of is None:
        return None
    refused = instance.engine.startswith("sqlserver")
    if instance.engine == "postgres":
        refused = _version(instance.engine_version) < _FIRST_POSTGRES
    if not refused:
        return None
    return Fault(
        "E342 replica-without-backups",
        f"RDS makes no automated backups of a read replica of {instance.engine} "
        f"{instance.engine_version}".rstrip(),
        "leave `replicas: true` out of `select`, or `retention_days` out for it by an override",
    )


def _version(text: str) -> tuple[int, ...]:
    """Return a version's numbers; one that cannot be read counts as new: AWS has the last word."""
    numbers = text.split(".")
    if not all(number.isdecimal() for number in numbers):
        return (99,)
    return tuple(int(number) for number in numbers)


def window_fault(instance: Instance, terms: Terms) -> Fault | None:
    """Return what the policy's window is in the way of, None where it may be set or is there."""
    window = terms.automated.window
    if window is None or str(window) == instance.backup_window:
        return None
    upkeep = instance.maintenance_window
    if upkeep and _meets_weekly(window, upkeep):
        return Fault(
            "E343 backup-window-in-maintenance",
            f"the backup window {window} UTC overlaps its maintenance window {upkeep} UTC, "
            "which RDS refuses",
            "move one of the two windows",
        )
    schedule = terms.snapshots.schedule
    if schedule is None or schedule.window is None:
        return None
    if isinstance(schedule.cadence, Every) and schedule.cadence.period < DAY:
        return None
    if meets_daily(window, schedule.window, terms.timezone):
        return Fault(
            "E344 backup-window-in-snapshots",
            f"the backup window {window} UTC overlaps the policy's snapshot window "
            f"{schedule.window} {terms.timezone.key}",
            "keep an hour between the two, in summer and in winter",
        )
    return None


def _meets_weekly(window: Window, upkeep: str) -> bool:
    return any(overlaps(span, weekly_spans(upkeep)) for span in weekly_spans(str(window)))


@dataclass(frozen=True, slots=True)
class Aim:
    """Where automated backups are to be replicated to, and under which key if encrypted."""

    location: Location
    retention_days: int
    key: KeyChoice | None


def aim_of(instance: Instance, replication: Replication, world: World) -> Aim | Fault:
    """Return where a policy wants automated backups replicated, or why they cannot be.

    RDS replicates within an account, to another region, and asks for a key of that region where
    the instance is encrypted (API reference, StartDBInstanceAutomatedBackupsReplication).
    """
    target = _target(world.estate, replication.target, instance.location)
    if target is None:
        return Fault(
            "E345 no-replication-target",
            f"target {replication.target} names none for databases in {instance.location.region}",
            "add the region to its `by_source_region`, or name another target",
        )
    there = Location(world.estate.accounts[target.account].id, target.region)
    if there.account != instance.location.account:
        return Fault(
            "E346 replication-leaves-account",
            f"target {target.name} is in account {there.account}: RDS replicates automated "
            "backups to other regions of the same account only",
            "name a target of its own account; copies of snapshots reach other accounts",
        )
    if there.region == instance.location.region:
        return Fault(
            "E347 replication-stays",
            f"target {target.name} is in {there.region}, where the database itself is",
            "name a target in another region",
        )
    key = resolve_key(target.key, world.scope(there)) if instance.encrypted else None
    fault = _key_fault(target, there, key, world.scope(there)) if instance.encrypted else None
    return fault or Aim(there, replication.retention_days, key)


def _target(estate: Estate, name: str, home: Location) -> Target | None:
    found = estate.targets.get(name)
    if found is not None and not isinstance(found, Target):
        found = estate.targets.get(found.by_source_region.get(home.region, ""))
    return found if isinstance(found, Target) else None


def _key_fault(
    target: Target, there: Location, key: KeyChoice | None, scope: Scope
) -> Fault | None:
    code, fix = "E348 replication-key", "enable it, or point the target at another key"
    if key is None:
        text = f"key {target.key} of target {target.name} does not exist in {there}"
        return Fault(code, text, fix)
    known = (scope.keys or {}).get(key.arn or "")
    if known is None or known.fault is None:
        return None
    return Fault(code, f"key {known.arn} of target {target.name} {known.fault}", fix)


def received(instance: Instance, location: Location, world: World) -> AutomatedBackup | None:
    """Return what a region receives of an instance's automated backups, as far as it is known."""
    return next(
        (
            backup
            for backup in world.scope(location).automated or ()
            if backup.instance_arn == instance.arn and backup.state is AutomatedState.RECEIVING
        ),
        None,
    )


def receivers(instance: Instance) -> Iterator[Location]:
    """Yield where an instance's automated backups are replicated to."""
    for region in instance.replication_regions:
        yield Location(instance.location.account, region)
