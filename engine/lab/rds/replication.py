"""Automated backups replicated to another region.

Rules: RDS User Guide, Replicating automated backups to another AWS Region. The calls are sent to
the region that receives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from moto.rds.exceptions import RDSClientError

from engine.lab.rds import automated, refusals, retained
from engine.lab.rds.arns import parse_arn
from engine.lab.rds.automated import LOG_LAG, AutomatedBackup, backup_arn, backup_of, drop_all
from engine.lab.rds.instances import check_retention
from engine.lab.rds.keys import usable_key
from engine.lab.rds.models import LabInstance

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

MOST_REPLICATIONS = 20
_DEFAULT_DAYS = 7
_REPLICATING, _RETAINED = "replicating", "retained"
_LINKS = "DBInstanceAutomatedBackupsArn"
_TENDED_EVERY = 3600.0


@dataclass(slots=True)
class ReplicatedBackup:
    """An automated backup that a region receives.

    It receives nothing after `ended`: since it was stopped, or since its key was of no use when
    something was to be written. The latter shows nowhere else, and a key that can be used again
    does not mend it (RDS User Guide, Troubleshooting of replicated automated backups).
    """

    instance: LabInstance
    arn: str
    days: int
    key: str | None
    status: str = _REPLICATING
    ended: datetime | None = None

    def described(self) -> AutomatedBackup:
        """Return it as the API tells it."""
        told = backup_of(
            self.instance,
            self.status,
            self.arn,
            backup_retention_period=self.days,
            encrypted=self.key is not None,
            kms_key_id=self.key,
        )
        return told if self.ended is None else retained.until(told, self.ended)


def start(
    backend: LabBackend, source_arn: str, days: int | None, key: str | None
) -> AutomatedBackup:
    """Start to receive the automated backups of an instance in another region."""
    instance = _source(backend, source_arn)
    if instance.region == backend.region_name:
        raise refusals.parameter("The source and the destination region must differ.")
    if not instance.backup_retention_period:
        raise refusals.instance_state("Automated backups are not enabled for the source instance.")
    days = _DEFAULT_DAYS if days is None else days
    check_retention(days or -1)
    if instance.kms_key_id and not key:
        raise refusals.parameter("KmsKeyId is required to replicate encrypted automated backups.")
    region = backend.region_name
    if key:
        key = usable_key("target", key, backend.account_id, region).arn
    active = [one for one in backend.replicated.values() if one.status == _REPLICATING]
    if any(one.instance is instance for one in active):
        raise refusals.backup_state("Automated backups of the source are replicated already.")
    if len(active) >= MOST_REPLICATIONS:
        raise refusals.too_many_replications(MOST_REPLICATIONS)
    arn = backup_arn(instance, region)
    while arn in backend.replicated:
        # What an earlier replication left is retained beside the new one.
        arn += "0"
    backup = ReplicatedBackup(instance, arn, days, key if instance.kms_key_id else None)
    backend.replicated[arn] = backup
    instance.db_instance_automated_backups_replications.append({_LINKS: arn})
    _tend(backend, backup)
    return backup.described()


def _tend(backend: LabBackend, backup: ReplicatedBackup) -> None:
    """See now and then that what is received can be written."""
    if backup.ended is not None or backup.arn not in backend.replicated:
        return
    try:
        if backup.key is not None:
            usable_key("target", backup.key, backend.account_id, backend.region_name)
    except RDSClientError:
        backup.ended = backend.world.now
        return
    backend.world.after(_TENDED_EVERY, lambda: _tend(backend, backup))


def stop(backend: LabBackend, source_arn: str) -> AutomatedBackup:
    """Stop to receive; what was received stays until its retention ends."""
    for backup in backend.replicated.values():
        if backup.instance.arn == source_arn and backup.status == _REPLICATING:
            backup.status = _RETAINED
            _unlink(backup)
            _let_expire(backend, backup)
            return backup.described()
    _source(backend, source_arn)
    raise refusals.instance_state("Automated backups of the source are not replicated here.")


def _let_expire(backend: LabBackend, backup: ReplicatedBackup) -> None:
    backup.ended = backup.ended or backend.world.now - LOG_LAG

    def expire() -> None:
        if backend.replicated.get(backup.arn) is backup:
            del backend.replicated[backup.arn]

    backend.world.at(max(backend.world.now, backup.ended + timedelta(days=backup.days)), expire)


def delete(backend: LabBackend, resource_id: str | None, arn: str | None) -> AutomatedBackup:
    """Delete a retained or replicated automated backup."""
    if (resource_id is None) == (arn is None):
        raise refusals.combination("Specify either DbiResourceId or DBInstanceAutomatedBackupsArn.")
    for backup in list(backend.replicated.values()):
        if arn == backup.arn or resource_id == backup.instance.dbi_resource_id:
            _unlink(backup)
            del backend.replicated[backup.arn]
            told = backup.described()
            drop_all(backend, backup.instance.dbi_resource_id)
            return told
    kept = retained.delete(backend, resource_id, arn)
    if kept is not None:
        return kept
    for active in automated.backups_of(backend):
        if resource_id == active.dbi_resource_id or arn == active.db_instance_automated_backups_arn:
            raise refusals.backup_state("The automated backup of a DB instance is active.")
    raise refusals.backup_not_found(resource_id or arn or "")


def _unlink(backup: ReplicatedBackup) -> None:
    links = backup.instance.db_instance_automated_backups_replications
    links[:] = [link for link in links if link[_LINKS] != backup.arn]


def _source(backend: LabBackend, source_arn: str) -> LabInstance:
    arn = parse_arn(source_arn)
    if arn is None or arn.type != "db":
        raise refusals.parameter(f"Invalid source instance ARN: {source_arn}")
    if arn.account != backend.account_id:
        raise refusals.instance_not_found(source_arn)
    return backend.at(arn.account, arn.region).instance(source_arn)
