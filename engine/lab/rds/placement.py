"""Zones: their names per account, their ids everywhere, and from which a snapshot is taken."""

from __future__ import annotations

from collections.abc import Mapping

from moto.ec2.models import ec2_backends
from moto.ec2.models.availability_zones_and_regions import Zone

from engine.lab.truth import Volume

# SQL Server snapshots are taken from the primary, those of other engines in Multi-AZ from the
# standby (RDS User Guide, Introduction to backups, backup window).
_FROM_PRIMARY = "sqlserver"


def name_zones(account: str, region: str, zones: Mapping[str, str]) -> None:
    """Let an account call the zones of a region as it does: ids by names."""
    ec2_backends[account][region].zones = {
        region: [
            Zone(name=name, region_name=region, zone_id=zone_id) for name, zone_id in zones.items()
        ]
    }


def zones_of(account: str, region: str) -> dict[str, str]:
    """Return the ids of a region's zones by their names in an account."""
    backend = ec2_backends[account][region]
    return {zone.name: zone.zone_id for zone in backend.describe_availability_zones()}


def zone_id(account: str, region: str, name: str) -> str:
    """Return a zone's id; a name that the account does not know stands for itself."""
    return zones_of(account, region).get(name, name)


def another_zone(account: str, region: str, name: str) -> str:
    """Return the zone after `name`, where a standby goes."""
    names = list(zones_of(account, region)) or [name]
    if name not in names:
        return names[0]
    return names[(names.index(name) + 1) % len(names)]


def volume_of(resource_id: str, engine: str, primary: str, standby: str | None) -> Volume:
    """Return what a snapshot of an instance with these zone ids is physically taken of."""
    from_standby = standby is not None and not engine.startswith(_FROM_PRIMARY)
    return Volume(resource_id, standby if from_standby and standby else primary)
