"""How the calls on snapshots name what they are about: of DB instances, and of DB clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Names:
    """The parameters of CreateDBSnapshot, CopyDBSnapshot and their like (API reference)."""

    database: str
    snapshot: str
    origin: str
    target: str


OF_INSTANCES = Names(
    database="DBInstanceIdentifier",
    snapshot="DBSnapshotIdentifier",
    origin="SourceDBSnapshotIdentifier",
    target="TargetDBSnapshotIdentifier",
)
OF_CLUSTERS = Names(
    database="DBClusterIdentifier",
    snapshot="DBClusterSnapshotIdentifier",
    origin="SourceDBClusterSnapshotIdentifier",
    target="TargetDBClusterSnapshotIdentifier",
)


def names_for(arn: str) -> Names:
    """Return the names that calls on a snapshot with this ARN use."""
    return OF_CLUSTERS if ":cluster-snapshot:" in arn else OF_INSTANCES


def origin_in(arn: str, parameters: Mapping[str, Any]) -> Any:
    """Return what the step that makes `arn` copies, None where it copies nothing."""
    return parameters.get(names_for(arn).origin)
