"""What DescribeAccountAttributes and DescribeSourceRegions tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

from engine.lab.rds import clusters
from engine.lab.rds.snapshots import manual_snapshots

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

_INSTANCES = 40
_CLUSTERS = 40


def account_quotas(backend: LabBackend) -> list[dict[str, Any]]:
    """Return used and allowed counts (RDS User Guide, Quotas and constraints)."""
    limit = backend.world.settings.manual_snapshots
    of_clusters = backend.world.settings.manual_cluster_snapshots
    gib = sum(one.allocated_storage or 0 for one in backend.databases.values())
    rows = (
        ("DBInstances", len(backend.databases), _INSTANCES),
        ("AllocatedStorage", gib, 100_000),
        ("ManualSnapshots", manual_snapshots(backend), limit),
        ("ManualClusterSnapshots", clusters.manual_snapshots(backend), of_clusters),
        ("DBClusters", len(backend.clusters), _CLUSTERS),
        ("DBParameterGroups", len(backend.db_parameter_groups), 50),
        ("OptionGroups", len(backend.option_groups), 20),
        ("EventSubscriptions", len(backend.event_subscriptions), 20),
        ("DBSubnetGroups", len(backend.subnet_groups), 50),
        ("ReadReplicasPerMaster", _most_replicas(backend), 15),
    )
    return [{"AccountQuotaName": name, "Used": used, "Max": most} for name, used, most in rows]


def _most_replicas(backend: LabBackend) -> int:
    return max((len(one.replicas) for one in backend.databases.values()), default=0)


def source_regions(backend: LabBackend, named: str | None) -> list[dict[str, Any]]:
    """Return the regions that snapshots and automated backups may come from."""
    regions = ec2_backends[backend.account_id][backend.region_name].describe_regions()
    return [
        {
            "RegionName": region.name,
            "Endpoint": f"https://rds.{region.name}.amazonaws.com",
            "Status": "available",
            "SupportsDBInstanceAutomatedBackupsReplication": True,
        }
        for region in sorted(regions, key=lambda one: one.name)
        if region.name != backend.region_name and named in {None, region.name}
    ]
