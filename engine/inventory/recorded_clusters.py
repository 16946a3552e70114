"""The files of a recording that are about DB clusters, read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from engine.inventory import layout
from engine.inventory.bulk import Strings
from engine.inventory.convert import (
    MANUAL_CLUSTER_SNAPSHOTS,
    accounts_shared_with,
    quota_record,
    rds_prefix,
)
from engine.inventory.convert_clusters import cluster_record, cluster_snapshot_record
from engine.inventory.records import Clusters, Instance, Location, Snapshot
from engine.inventory.wire import QuotaListing
from engine.inventory.wire_clusters import (
    ClusterListing,
    ClusterSnapshotListing,
    WireClusterAttributesAnswer,
)

T = TypeVar("T")

_FOREIGN_TYPES = frozenset({"shared", "public"})


class Decode(Protocol):
    """Reads a file of the location as a shape; None where it is missing or no good."""

    def __call__(self, name: str, shape: type[T], doubts: list[str]) -> T | None:
        """Tell among `doubts` what the file leaves out."""


def read_clusters(
    location: Location,
    strings: Strings,
    decode: Decode,
    check_arn: Callable[[str, str, str | None, str], None],
) -> Clusters | None:
    """Return the DB clusters of one location, None where the recording has no file of them.

    Args:
        location: whose files they are.
        strings: shares equal strings.
        decode: reads a file.
        check_arn: sees that an ARN, named by file and path, is that of a resource here.
    """
    doubts: list[str] = []
    clusters = decode(layout.CLUSTERS, ClusterListing, doubts)
    snapshots = decode(layout.CLUSTER_SNAPSHOTS, ClusterSnapshotListing, doubts)
    shared = decode(layout.SHARED_CLUSTER_SNAPSHOTS, ClusterSnapshotListing, doubts)
    if clusters is None and snapshots is None and shared is None:
        return None
    quotas = decode(layout.QUOTAS, QuotaListing, doubts)
    shares = _shares(decode, doubts)
    own, foreign = _snapshots(snapshots, location, strings, shares, check_arn)
    if shared is not None:
        foreign = tuple(cluster_snapshot_record(one, location, strings) for one in shared.items)
    for name, part in ((layout.CLUSTERS, clusters), (layout.CLUSTER_SNAPSHOTS, snapshots)):
        doubts += [f"{name} is missing"] if part is None else []
    return Clusters(
        clusters=_clusters(clusters, location, strings, check_arn, doubts),
        snapshots=own,
        shared=foreign,
        quota=quota_record(quotas.items, MANUAL_CLUSTER_SNAPSHOTS) if quotas else None,
        cause="; ".join(doubts) or None,
    )


def _clusters(
    answer: ClusterListing | None,
    location: Location,
    strings: Strings,
    check_arn: Callable[[str, str, str | None, str], None],
    doubts: list[str],
) -> tuple[Instance, ...] | None:
    if answer is None:
        return None
    for index, wire in enumerate(answer.items):
        path = f"$.DBClusters[{index}].DBClusterArn"
        check_arn(layout.CLUSTERS, path, wire.arn, f"cluster:{wire.identifier}")
        if not wire.resource_id:
            doubts.append(f"DB cluster {wire.identifier} has no DbClusterResourceId")
    return tuple(
        cluster_record(wire, location, strings) for wire in answer.items if wire.resource_id
    )


def _snapshots(
    answer: ClusterSnapshotListing | None,
    location: Location,
    strings: Strings,
    shares: Mapping[str, frozenset[str]] | None,
    check_arn: Callable[[str, str, str | None, str], None],
) -> tuple[tuple[Snapshot, ...] | None, tuple[Snapshot, ...] | None]:
    """Return the location's own snapshots and those that others share with it."""
    if answer is None:
        return None, None
    own: list[Snapshot] = []
    foreign: list[Snapshot] = []
    prefix = rds_prefix(location)
    for index, wire in enumerate(answer.items):
        is_ours = wire.arn is None or wire.arn.startswith(prefix)
        if is_ours or wire.type not in _FOREIGN_TYPES:
            path = f"$.DBClusterSnapshots[{index}].DBClusterSnapshotArn"
            resource = f"cluster-snapshot:{wire.identifier}"
            check_arn(layout.CLUSTER_SNAPSHOTS, path, wire.arn, resource)
        into = own if is_ours else foreign
        into.append(cluster_snapshot_record(wire, location, strings, shares))
    return tuple(own), tuple(foreign) or None


def _shares(decode: Decode, doubts: list[str]) -> Mapping[str, frozenset[str]] | None:
    shape = dict[str, WireClusterAttributesAnswer]
    answers = decode(layout.CLUSTER_SNAPSHOT_ATTRIBUTES, shape, doubts)
    if answers is None:
        return None
    return {
        arn: accounts_shared_with(
            (answer.result.attributes if answer.result else answer.attributes) or ()
        )
        for arn, answer in answers.items()
    }
