"""ModifyDBInstance: what takes effect at once, what waits for the maintenance window.

Rules: RDS User Guide, Settings for DB instances; ModifyDBInstance reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.rds.exceptions import DBInstanceAlreadyExists, DBParameterGroupNotFoundError

from engine.lab.rds import automated, refusals, replicas
from engine.lab.rds.events import What
from engine.lab.rds.instances import check_retention
from engine.lab.rds.models import AVAILABLE, LabInstance, ZonePair
from engine.lab.rds.placement import another_zone
from engine.lab.rds.windows import check_windows, next_maintenance

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

_MODIFYING = "modifying"

# What waits for the maintenance window, by its name in PendingModifiedValues.
_WAITS = {
    "db_instance_class": "DBInstanceClass",
    "allocated_storage": "AllocatedStorage",
    "master_user_password": "MasterUserPassword",
    "multi_az": "MultiAZ",
    "engine_version": "EngineVersion",
    "license_model": "LicenseModel",
    "iops": "Iops",
    "storage_throughput": "StorageThroughput",
    "storage_type": "StorageType",
    "new_db_instance_identifier": "DBInstanceIdentifier",
    "backup_retention_period": "BackupRetentionPeriod",
}
_RETENTION = "backup_retention_period"


def modify(backend: LabBackend, identifier: str, changes: dict[str, Any]) -> LabInstance:
    """Change an instance, at once or as a pending modification."""
    instance = backend.instance(identifier)
    if instance.status not in {AVAILABLE, "storage-optimization", "backing-up"}:
        raise refusals.instance_state(
            f"Database instance is not in available state: {instance.status}"
        )
    asked = {name: value for name, value in changes.items() if value is not None}
    asked.pop("db_instance_identifier", None)
    at_once = bool(asked.pop("apply_immediately", False))
    _check(backend, instance, asked)
    waiting = {name: asked.pop(name) for name in list(asked) if _must_wait(instance, name, asked)}
    _apply(backend, instance, asked)
    if not waiting and not (at_once and instance.pending_modified_values):
        return instance
    for name, value in waiting.items():
        told = "****" if name == "master_user_password" else value
        instance.pending_modified_values[_WAITS[name]] = told
    if at_once:
        # Applying at once applies everything that was pending before, too.
        instance.status = _MODIFYING
        backend.world.after(
            backend.world.settings.modify_seconds, lambda: _apply_pending(backend, instance)
        )
    else:
        backend.world.at(
            next_maintenance(instance.preferred_maintenance_window, backend.world.now),
            lambda: _apply_pending(backend, instance),
        )
    return instance


def _must_wait(instance: LabInstance, name: str, asked: dict[str, Any]) -> bool:
    if name not in _WAITS:
        return False
    if name == _RETENTION:
        # From one non-zero value to another it is changed as soon as possible, never pending.
        return bool(instance.backup_retention_period) != bool(asked[name])
    return bool(getattr(instance, name, None) != asked[name]) if name in _READABLE else True


_READABLE = frozenset(_WAITS) - {"master_user_password", "new_db_instance_identifier"}


def _check(backend: LabBackend, instance: LabInstance, asked: dict[str, Any]) -> None:
    check_retention(asked.get(_RETENTION))
    if asked.get(_RETENTION) == 0 and instance.replicas:
        raise refusals.combination(
            "Automated backups cannot be disabled for an instance that has read replicas."
        )
    if instance.is_replica and asked.get(_RETENTION) and instance.engine == "postgres":
        major = int(instance.engine_version.split(".")[0])
        if major < 14:
            raise refusals.instance_state(
                "DB Backups not supported on a read replica for engine postgres"
            )
    if instance.db_cluster_identifier and _RETENTION in asked:
        raise refusals.combination(
            "The specified DB Instance is a member of a cluster and its backup retention should "
            "not be modified directly. Modify the cluster instead."
        )
    if "preferred_maintenance_window" in asked:
        asked["preferred_maintenance_window"] = asked["preferred_maintenance_window"].lower()
    check_windows(
        asked.get("preferred_backup_window", instance.preferred_backup_window),
        asked.get("preferred_maintenance_window", instance.preferred_maintenance_window),
    )
    group = asked.get("db_parameter_group_name")
    if group and group not in backend.db_parameter_groups and not group.startswith("default."):
        raise DBParameterGroupNotFoundError(group)
    renamed = asked.get("new_db_instance_identifier")
    if renamed:
        backend._validate_db_identifier(renamed)
        if renamed.lower() in backend.databases:
            raise DBInstanceAlreadyExists


def _apply_pending(backend: LabBackend, instance: LabInstance) -> None:
    pending, instance.pending_modified_values = instance.pending_modified_values, {}
    names = {told: name for name, told in _WAITS.items()}
    _apply(backend, instance, {names[told]: value for told, value in pending.items()})
    if instance.status == _MODIFYING:
        instance.status = AVAILABLE


def _apply(backend: LabBackend, instance: LabInstance, changes: dict[str, Any]) -> None:
    special: dict[str, Callable[[LabBackend, LabInstance, Any], None]] = {
        "multi_az": _apply_multi_az,
        "new_db_instance_identifier": _rename,
        _RETENTION: _apply_retention,
    }
    for name, action in special.items():
        if name in changes:
            action(backend, instance, changes.pop(name))
    instance.update(**changes)


def _apply_multi_az(backend: LabBackend, instance: LabInstance, wanted: bool) -> None:
    if wanted == (instance.zones.standby is not None):
        return
    primary = instance.zones.primary
    if wanted:
        standby = another_zone(instance.account_id, instance.region, primary)
        instance.place(ZonePair(primary, standby))
        backend.tell(instance, What.TO_MULTI_AZ)
    else:
        instance.place(ZonePair(primary, None))
        backend.tell(instance, What.TO_SINGLE_AZ)


def _rename(backend: LabBackend, instance: LabInstance, name: str) -> None:
    replicas.rename(backend, instance, name)
    backend.tell(instance, What.RENAMED)


def _apply_retention(backend: LabBackend, instance: LabInstance, days: int) -> None:
    before, instance.backup_retention_period = instance.backup_retention_period, days
    backend.tell(instance, What.RETENTION_CHANGED)
    if not days:
        automated.drop_all(backend, instance.dbi_resource_id)
    elif not before:
        # Enabling takes a backup at once.
        automated.take(backend, instance)
