"""The files of a recording that are about DB clusters, written."""

from __future__ import annotations

from typing import Any

from engine.inventory import layout
from engine.inventory.convert import RESTORE
from engine.inventory.convert_clusters import cluster_snapshot_wire, cluster_wire
from engine.inventory.records import Clusters
from engine.inventory.wire import WireAttribute
from engine.inventory.wire_clusters import (
    ClusterListing,
    ClusterSnapshotListing,
    WireClusterAttributes,
    WireClusterAttributesAnswer,
)


def cluster_parts(found: Clusters) -> dict[str, Any]:
    """Return the contents of the files of a location; a part that is not known has no file."""
    parts: dict[str, Any] = {}
    if found.clusters is not None:
        parts[layout.CLUSTERS] = ClusterListing(items=[cluster_wire(c) for c in found.clusters])
    if found.snapshots is not None:
        items = [cluster_snapshot_wire(s) for s in found.snapshots]
        parts[layout.CLUSTER_SNAPSHOTS] = ClusterSnapshotListing(items=items)
    if found.shared is not None:
        items = [cluster_snapshot_wire(s) for s in found.shared]
        parts[layout.SHARED_CLUSTER_SNAPSHOTS] = ClusterSnapshotListing(items=items)
    shares = {
        snapshot.arn: WireClusterAttributesAnswer(
            WireClusterAttributes(
                snapshot.identifier, [WireAttribute(RESTORE, sorted(snapshot.shared_with))]
            )
        )
        for snapshot in found.snapshots or ()
        if snapshot.shared_with is not None
    }
    if shares:
        parts[layout.CLUSTER_SNAPSHOT_ATTRIBUTES] = shares
    return parts
