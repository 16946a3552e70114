"""How the lab's AWS behaves: durations, limits, and which texts its ground truth follows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.lab.errors import LabError

_MOST = 1_000_000_000


class Rules(StrEnum):
    """Whose word decides what is stored in full.

    DOCUMENTATION is the RDS User Guide, Copying a DB snapshot: the most recent copy decides.
    BLOG is the AWS Database Blog, Optimize Amazon RDS Multi-AZ backups with incremental
    snapshots: the newest object of the same zone and key decides.
    """

    DOCUMENTATION = "documentation"
    BLOG = "blog"


@dataclass(frozen=True, slots=True)
class Settings:
    """Durations in lab seconds, limits per account and region.

    Attributes:
        rules: whose word the ground truth follows.
        create_seconds: how long a snapshot is `creating`.
        copy_seconds: how long a copy inside a region is `copying`.
        cross_region_seconds: how long a copy from another region is `copying`.
        failover_seconds: how long a failover takes.
        zone_lag_seconds: how long after a failover the API still tells the zones of before.
        modify_seconds: how long a modified, created or restored instance is not available.
        manual_snapshots: quota of manual DB snapshots.
        copies_in_flight: copies to one region in progress at once.
        automated_backups: whether daily automated snapshots are taken.
        replica_lag_seconds: how far read replicas are behind.
        manual_cluster_snapshots: quota of manual DB cluster snapshots.
        cluster_copies_in_flight: copies of cluster snapshots to one region in progress at once.
    """

    rules: Rules = Rules.DOCUMENTATION
    create_seconds: float = 3.0
    copy_seconds: float = 3.0
    cross_region_seconds: float = 6.0
    failover_seconds: float = 2.0
    zone_lag_seconds: float = 0.0
    modify_seconds: float = 2.0
    manual_snapshots: int = 100
    copies_in_flight: int = 20
    automated_backups: bool = True
    replica_lag_seconds: float = 0.0
    manual_cluster_snapshots: int = 100
    cluster_copies_in_flight: int = 5

    def changed_by(self, changes: Mapping[str, Any]) -> Settings:
        """Return these settings with some changed.

        Raises:
            LabError: a setting is unknown, or its value makes no sense.
        """
        known = {field.name: field for field in dataclasses.fields(self)}
        values: dict[str, Any] = {}
        for name, value in changes.items():
            if name not in known:
                raise LabError(f"the lab has no setting {name!r}", "known are " + ", ".join(known))
            values[name] = _checked(name, value, type(getattr(self, name)))
        return dataclasses.replace(self, **values)


def _checked(name: str, value: Any, kind: type) -> Any:
    if kind is Rules:
        if value in list(Rules):
            return Rules(value)
        raise LabError(f"{name}: {value!r} is no rule set", "give " + " or ".join(Rules))
    if kind is bool:
        if isinstance(value, bool):
            return value
        raise LabError(f"{name}: {value!r} is neither true nor false", "give one of them")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= _MOST:
        raise LabError(f"{name}: {value!r} is not a number from 0 to {_MOST}", "give one")
    return kind(value)
