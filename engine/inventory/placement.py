"""Which availability zone a snapshot is physically taken from."""

from __future__ import annotations

from engine.inventory.records import Instance, Kind, Scope, kind_of

UNKNOWN_ZONE = "unknown"
ALL_ZONES = "all"
"""What stands for the zones of a cluster: its volume is in several at once."""


def volume_zone(instance: Instance, scope: Scope) -> str:
    """Return the AZ id of the volume that a snapshot of `instance` would read now.

    A Multi-AZ instance is read on its standby, except SQL Server, which is read on the primary
    (RDS User Guide, Introduction to backups). UNKNOWN_ZONE where the record does not tell,
    ALL_ZONES for a DB cluster.
    """
    if kind_of(instance.arn) is Kind.CLUSTER:
        return ALL_ZONES
    reads_standby = instance.multi_az and not instance.engine.startswith("sqlserver")
    name = instance.secondary_zone if reads_standby else instance.availability_zone
    return scope.zone_id(name) or UNKNOWN_ZONE
