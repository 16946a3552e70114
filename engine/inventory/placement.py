"""Which availability zone a snapshot is physically taken from."""

from __future__ import annotations

from engine.inventory.records import Instance, Scope

UNKNOWN_ZONE = "unknown"


def volume_zone(instance: Instance, scope: Scope) -> str:
    """Return the AZ id of the volume that a snapshot of `instance` would read now.

    A Multi-AZ instance is read on its standby, except SQL Server, which is read on the primary
    (RDS User Guide, Introduction to backups). UNKNOWN_ZONE where the record does not tell.
    """
    reads_standby = instance.multi_az and not instance.engine.startswith("sqlserver")
    name = instance.secondary_zone if reads_standby else instance.availability_zone
    return scope.zone_id(name) or UNKNOWN_ZONE
