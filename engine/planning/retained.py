"""Automated backups that outlived their database or their replication."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.inventory.records import AutomatedBackup, AutomatedState, Location
from engine.planning.draft import at
from engine.planning.matching import account_names, address_matches
from engine.planning.survey import World
from engine.plans.plan import PlanOptions, Retained, SourceRef


def retained(world: World, options: PlanOptions) -> Iterator[Retained]:
    """Yield what RDS retains in the estate, of the databases that were selected."""
    names = account_names(world.estate)
    for location in sorted(world.locations):
        for backup in _ordered(world.scope(location).automated or ()):
            source = SourceRef(
                location.account, backup.home_region, backup.instance, backup.resource_id
            )
            name = names.get(location.account)
            left_out = options.only and not address_matches(options.only, source.address, name)
            if left_out or address_matches(options.exclude, source.address, name):
                continue
            yield Retained(
                backup.arn,
                at(location),
                source,
                backup.retention_days,
                backup.expires_at,
                _outlived(backup, world),
            )


def _ordered(backups: Iterable[AutomatedBackup]) -> list[AutomatedBackup]:
    found = [backup for backup in backups if backup.state is AutomatedState.RETAINED]
    return sorted(found, key=lambda backup: (backup.instance, backup.arn))


def _outlived(backup: AutomatedBackup, world: World) -> str:
    home = world.scope(Location(backup.location.account, backup.home_region))
    if any(one.resource_id == backup.resource_id for one in home.instances or ()):
        return "its replication to here was stopped"
    if home.instances is None:
        return "the database is deleted, or its replication was stopped"
    return "the database is deleted"
