"""Where a recorded inventory keeps what: names of folders and files, the same in and out."""

from __future__ import annotations

import re
from pathlib import Path

from engine.inventory.records import Location

HEADER = "inventory.json"
FORMAT_VERSION = "1.0"

INSTANCES = "describe-db-instances.json"
SNAPSHOTS = "describe-db-snapshots.json"
SHARED_SNAPSHOTS = "describe-db-snapshots.shared.json"
SNAPSHOT_ATTRIBUTES = "describe-db-snapshot-attributes.json"
CLUSTERS = "describe-db-clusters.json"
CLUSTER_SNAPSHOTS = "describe-db-cluster-snapshots.json"
SHARED_CLUSTER_SNAPSHOTS = "describe-db-cluster-snapshots.shared.json"
CLUSTER_SNAPSHOT_ATTRIBUTES = "describe-db-cluster-snapshot-attributes.json"
QUOTAS = "describe-account-attributes.json"
EVENTS = "describe-events.json"
ZONES = "describe-availability-zones.json"
KEYS = "describe-keys.json"
AUTOMATED_BACKUPS = "describe-db-instance-automated-backups.json"

FILES = frozenset(
    {
        INSTANCES,
        SNAPSHOTS,
        SHARED_SNAPSHOTS,
        SNAPSHOT_ATTRIBUTES,
        CLUSTERS,
        CLUSTER_SNAPSHOTS,
        QUOTAS,
        EVENTS,
        ZONES,
        KEYS,
        AUTOMATED_BACKUPS,
        SHARED_CLUSTER_SNAPSHOTS,
        CLUSTER_SNAPSHOT_ATTRIBUTES,
    }
)

ACCOUNT_ID = re.compile(r"\d{12}")
REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


def location_folder(root: Path, location: Location) -> Path:
    """Return the folder of one location in a recording."""
    return root / location.account / location.region
