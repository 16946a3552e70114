"""Automated backups that outlive their instance, until their retention ends.

Rules: RDS User Guide, Retaining automated backups.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.lab.rds import automated, refusals
from engine.lab.rds.automated import LOG_LAG, AutomatedBackup, backup_arn, backup_of
from engine.lab.rds.models import LabInstance

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

MOST_RETAINED = 40
STATUS = "retained"


@dataclass(frozen=True, slots=True)
class RetainedBackup:
    """What is left of a deleted instance; `latest` is the last moment it can be restored to."""

    instance: LabInstance
    arn: str
    latest: datetime

    def described(self) -> AutomatedBackup:
        """Return it as the API tells it."""
        told = backup_of(self.instance, STATUS, self.arn)
        return until(told, self.latest)


def until(told: AutomatedBackup, latest: datetime) -> AutomatedBackup:
    """Return an automated backup whose window ends at a moment that has passed."""
    told.restore_window["LatestTime"] = latest
    told.restore_window["EarliestTime"] = min(told.restore_window["EarliestTime"], latest)
    return told


def check_room(backend: LabBackend) -> None:
    """Refuse to retain more than AWS does in a region."""
    if len(backend.retained) >= MOST_RETAINED:
        raise refusals.too_many_replications(MOST_RETAINED)


def retain(backend: LabBackend, instance: LabInstance) -> None:
    """Keep the automated backups of an instance that is gone."""
    arn = backup_arn(instance, backend.region_name)
    kept = RetainedBackup(instance, arn, backend.world.now - LOG_LAG)
    backend.retained[arn] = kept
    backend.world.at(
        kept.latest + timedelta(days=instance.backup_retention_period),
        lambda: _expire(backend, kept),
    )


def delete(backend: LabBackend, resource_id: str | None, arn: str | None) -> AutomatedBackup | None:
    """Delete what is retained of an instance, None where nothing is."""
    for kept in list(backend.retained.values()):
        if arn == kept.arn or resource_id == kept.instance.dbi_resource_id:
            told = kept.described()
            _expire(backend, kept)
            return told
    return None


def _expire(backend: LabBackend, kept: RetainedBackup) -> None:
    if backend.retained.get(kept.arn) is kept:
        del backend.retained[kept.arn]
        automated.drop_all(backend, kept.instance.dbi_resource_id)
