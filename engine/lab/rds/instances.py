"""Creating, restoring, deleting and failing over instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.rds.exceptions import DBInstanceAlreadyExists

from engine.lab.rds import automated, refusals, replicas, retained, snapshots
from engine.lab.rds.events import What
from engine.lab.rds.models import AVAILABLE, CREATING, LabInstance
from engine.lab.rds.windows import check_windows

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

MOST_RETENTION_DAYS = 35
_DEFAULT_BACKUP_WINDOW = "13:14-13:44"
_DEFAULT_MAINTENANCE_WINDOW = "wed:06:38-wed:07:08"
_REBOOTING = "rebooting"


def create(backend: LabBackend, parameters: dict[str, Any]) -> LabInstance:
    """Create an instance; with backups on, RDS takes the first one as soon as it is there."""
    identifier = str(parameters["db_instance_identifier"]).lower()
    if identifier in backend.databases:
        raise DBInstanceAlreadyExists
    backend._validate_db_identifier(identifier)
    check_retention(parameters.get("backup_retention_period"))
    check_windows(
        parameters.get("preferred_backup_window", _DEFAULT_BACKUP_WINDOW),
        parameters.get("preferred_maintenance_window", _DEFAULT_MAINTENANCE_WINDOW).lower(),
    )
    instance = LabInstance.make(backend, **parameters)
    backend.databases[identifier] = instance
    instance.status = CREATING

    def ready() -> None:
        instance.status = AVAILABLE
        backend.tell(instance, What.INSTANCE_CREATED)
        automated.begin(backend, instance)
        automated.take(backend, instance)

    backend.world.after(backend.world.settings.modify_seconds, ready)
    return instance


def create_replica(backend: LabBackend, parameters: dict[str, Any]) -> LabInstance:
    """Create a read replica: an instance of its own, without backups, under the source's key."""
    source = replicas.find_source(backend, parameters.pop("source_db_instance_identifier"))
    if not source.backup_retention_period:
        raise refusals.instance_state(
            "Automated backups are not enabled for this database instance. To enable automated "
            "backups, use ModifyDBInstance to set the backup retention period to a non-zero value."
        )
    near = (source.account_id, source.region) == (backend.account_id, backend.region_name)
    given = {name: value for name, value in parameters.items() if value is not None}
    if near and source.kms_key_id:
        given["kms_key_id"] = source.kms_key_id
    replica = create(backend, {**_properties(source), **given, "backup_retention_period": 0})
    replicas.follow(replica, source)
    return replica


def restore(backend: LabBackend, named: str, parameters: dict[str, Any]) -> LabInstance:
    """Restore a snapshot into a new instance, Single-AZ unless asked otherwise."""
    snapshot = backend.find_snapshot(named)
    if snapshot is None or (
        snapshot.account_id != backend.account_id
        and not {backend.account_id, "all"} & set(snapshot.attributes["restore"])
    ):
        raise refusals.snapshot_not_found(named)
    if snapshot.status != AVAILABLE:
        raise refusals.snapshot_state(f"The snapshot {named} is not in the available state.")
    foreign = snapshot.account_id != backend.account_id
    if foreign and snapshot.kms_key_id:
        raise refusals.parameter(
            "An encrypted snapshot that is shared cannot be restored; copy it first."
        )
    given = {name: value for name, value in parameters.items() if value is not None}
    given.pop("db_snapshot_identifier", None)
    inherited = {**_properties(snapshot.database), "kms_key_id": snapshot.kms_key_id}
    if not foreign:
        inherited["tags"] = list(snapshot.tags)
    return create(backend, {**inherited, "storage_encrypted": snapshot.encrypted, **given})


def restore_to_time(
    backend: LabBackend, source: str, target: str, parameters: dict[str, Any]
) -> LabInstance:
    """Restore an instance to a point in time into a new one."""
    instance = backend.instance(source)
    if not instance.backup_retention_period:
        raise refusals.instance_state(
            f"Point in time restore is not enabled for the database instance {source}."
        )
    given = {name: value for name, value in parameters.items() if value is not None}
    for name in ("source_db_instance_identifier", "target_db_instance_identifier"):
        given.pop(name, None)
    inherited = {**_properties(instance), "tags": list(instance.tags)}
    return create(
        backend,
        {
            **inherited,
            "kms_key_id": instance.kms_key_id,
            **given,
            "db_instance_identifier": target,
        },
    )


def _properties(instance: LabInstance) -> dict[str, Any]:
    """Return what a restored instance or a replica has from the one it comes of."""
    return {
        "engine": instance.engine,
        "engine_version": instance.engine_version,
        "db_instance_class": instance.db_instance_class,
        "allocated_storage": instance.allocated_storage,
        "storage_type": instance.storage_type,
        "master_username": instance.master_username,
        "license_model": instance.license_model,
        "port": instance.port,
        "backup_retention_period": instance.backup_retention_period,
        "preferred_backup_window": instance.preferred_backup_window,
        "preferred_maintenance_window": instance.preferred_maintenance_window,
        "copy_tags_to_snapshot": instance.copy_tags_to_snapshot,
    }


def delete(
    backend: LabBackend, identifier: str, final: str | None, *, skip_final: bool, drop_backups: bool
) -> LabInstance:
    """Delete an instance, after a last snapshot if one is named."""
    instance = backend.instance(identifier)
    if instance.deletion_protection:
        raise refusals.combination(
            "Cannot delete protected DB Instance, please disable deletion protection and try again."
        )
    if skip_final and final:
        raise refusals.combination(
            "FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot."
        )
    if not skip_final and not final and not instance.is_replica:
        raise refusals.combination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
    if not drop_backups:
        retained.check_room(backend)
    if final:
        snapshots.create_manual(backend, identifier, final, None)
    instance.status = "deleting"
    settings = backend.world.settings
    seconds = max(settings.modify_seconds, settings.create_seconds + 1 if final else 0)
    backend.world.after(seconds, lambda: remove(backend, instance, drop_backups=drop_backups))
    return instance


def remove(backend: LabBackend, instance: LabInstance, *, drop_backups: bool) -> None:
    """Let an instance be gone, with its automated snapshots if so asked."""
    if backend.databases.get(instance.db_instance_identifier) is not instance:
        return
    del backend.databases[instance.db_instance_identifier]
    backend.tell(instance, What.INSTANCE_DELETED)
    replicas.part(backend, instance)
    if drop_backups or not instance.backup_retention_period:
        automated.drop_all(backend, instance.dbi_resource_id)
    else:
        retained.retain(backend, instance)


def reboot(backend: LabBackend, identifier: str, *, fail_over: bool) -> LabInstance:
    """Restart an instance; a forced failover swaps its zones."""
    instance = backend.instance(identifier)
    if instance.status != AVAILABLE:
        raise refusals.instance_state(
            f"Instance {identifier} is not in available state. Current state: {instance.status}"
        )
    if fail_over and instance.zones.standby is None:
        raise refusals.combination(
            "The ForceFailover parameter cannot be specified for a DB instance that is not "
            "configured for Multi-AZ."
        )
    instance.status = _REBOOTING
    if fail_over:
        backend.tell(instance, What.FAILOVER_STARTED)

    def done() -> None:
        if instance.status == _REBOOTING:
            instance.status = AVAILABLE
        backend.tell(instance, What.INSTANCE_RESTARTED)
        if fail_over:
            _swap(backend, instance)

    backend.world.after(backend.world.settings.failover_seconds, done)
    return instance


def fail_over_now(backend: LabBackend, identifier: str) -> LabInstance:
    """Fail an instance over by itself, as a broken zone does: at once, whatever it is doing."""
    instance = backend.instance(identifier)
    if instance.zones.standby is None:
        raise refusals.instance_state(f"{identifier} has no standby to fail over to.")
    backend.tell(instance, What.FAILOVER_STARTED)
    _swap(backend, instance)
    return instance


def _swap(backend: LabBackend, instance: LabInstance) -> None:
    instance.zones = instance.zones.swapped()
    backend.tell(instance, What.FAILOVER_COMPLETED)
    lag = backend.world.settings.zone_lag_seconds
    if lag:
        backend.world.after(lag, instance.tell_zones)
    else:
        instance.tell_zones()


def check_retention(days: int | None) -> None:
    """Refuse a backup retention period that RDS does not know."""
    if days is not None and not 0 <= days <= MOST_RETENTION_DAYS:
        raise refusals.parameter(
            f"Invalid backup retention period: {days}. Must be between 0 and {MOST_RETENTION_DAYS}."
        )


def stop(backend: LabBackend, identifier: str, snapshot: str | None) -> LabInstance:
    """Stop an instance, after a snapshot if one is named."""
    instance = backend.instance(identifier)
    if instance.status != AVAILABLE:
        raise refusals.instance_state(f"Instance {identifier} is not in available state.")
    if instance.is_replica or (instance.zones.standby and instance.engine.startswith("sqlserver")):
        raise refusals.instance_state(f"Instance {identifier} cannot be stopped.")
    seconds = backend.world.settings.modify_seconds
    if snapshot:
        snapshots.create_manual(backend, identifier, snapshot, None)
        seconds += backend.world.settings.create_seconds
    instance.status = "stopping"
    backend.world.after(seconds, lambda: _come_to(instance, "stopping", "stopped"))
    return instance


def start(backend: LabBackend, identifier: str) -> LabInstance:
    """Start a stopped instance."""
    instance = backend.instance(identifier)
    if instance.status != "stopped":
        raise refusals.instance_state(
            f"Instance {identifier} is not stopped, it cannot be started."
        )
    instance.status = "starting"
    seconds = backend.world.settings.modify_seconds
    backend.world.after(seconds, lambda: _come_to(instance, "starting", AVAILABLE))
    return instance


def _come_to(instance: LabInstance, before: str, after: str) -> None:
    # It may have been deleted meanwhile.
    if instance.status == before:
        instance.status = after
