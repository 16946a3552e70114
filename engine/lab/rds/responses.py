"""The calls of RDS that the lab answers itself; moto answers the others on the same backend."""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.rds.exceptions import RDSClientError
from moto.rds.responses import RDSResponse

from engine.lab.rds import (
    automated,
    cluster_listing,
    clusters,
    copying,
    events,
    instances,
    listing,
    quotas,
    refusals,
    replication,
    snapshots,
)
from engine.lab.rds.backend import LabBackend
from engine.lab.rds.models import AVAILABLE
from engine.lab.rds.paging import numbered_page
from engine.lab.rds.rendering import snapshots_answer
from engine.lab.rds.tags import check_tags


class LabRdsResponse(RDSResponse):
    """One call of RDS: parameters in, answer out."""

    @property
    def backend(self) -> LabBackend:
        """The backend of the caller's account and region."""
        backend = super().backend
        if not isinstance(backend, LabBackend):
            raise TypeError("the RDS backend is not the lab's")
        return backend

    def call_action(self) -> Any:
        """Answer, in the API's own format also where the operation is unknown."""
        action = self._get_action() or ""
        if action == "DescribeDBSnapshots":
            return self._answer_snapshots()
        if camelcase_to_underscores(action) not in _known_actions():
            return self.serialized(ActionResult(_unknown(action)))
        return super().call_action()

    def _answer_snapshots(self) -> Any:
        """Answer with pages of thousands of snapshots: nothing looks at the rendered text again."""
        try:
            return 200, {**self.response_headers, "Content-Type": "text/xml"}, self._snapshots()
        except RDSClientError as refusal:
            return self.serialized(ActionResult(refusal))

    def create_db_snapshot(self) -> ActionResult:
        """CreateDBSnapshot."""
        snapshot = snapshots.create_manual(
            self.backend,
            self.params["DBInstanceIdentifier"],
            self.params["DBSnapshotIdentifier"],
            check_tags(self.params.get("Tags")),
        )
        return ActionResult({"DBSnapshot": snapshot})

    def copy_db_snapshot(self) -> ActionResult:
        """CopyDBSnapshot."""
        order = copying.CopyOrder(
            origin=self.params["SourceDBSnapshotIdentifier"],
            target=self.params["TargetDBSnapshotIdentifier"],
            key=self.params.get("KmsKeyId"),
            tags=check_tags(self.params.get("Tags")),
            copy_tags=bool(self.params.get("CopyTags")),
            option_group=self.params.get("OptionGroupName"),
        )
        return ActionResult({"DBSnapshot": copying.copy(self.backend, order)})

    def _snapshots(self) -> str:
        query = listing.SnapshotQuery(
            snapshot=self.params.get("DBSnapshotIdentifier"),
            instance=self.params.get("DBInstanceIdentifier"),
            resource_id=self.params.get("DbiResourceId"),
            type=self.params.get("SnapshotType"),
            filters={one["Name"]: one["Values"] for one in self.params.get("Filters", [])},
            include_shared=bool(self.params.get("IncludeShared")),
            include_public=bool(self.params.get("IncludePublic")),
            marker=self.params.get("Marker"),
            most=self.params.get("MaxRecords"),
        )
        elements, marker = listing.find(self.backend, query)
        return snapshots_answer(elements, marker)

    def modify_db_snapshot(self) -> ActionResult:
        """ModifyDBSnapshot: upgrades the engine version of an own manual snapshot."""
        snapshot = self.backend.snapshot(self.params["DBSnapshotIdentifier"])
        if snapshot.status != AVAILABLE or snapshot.snapshot_type != "manual":
            raise refusals.snapshot_state("Only available manual snapshots may be modified.")
        snapshot.engine_version = self.params.get("EngineVersion") or snapshot.engine_version
        snapshot.option_group_name = (
            self.params.get("OptionGroupName") or snapshot.option_group_name
        )
        snapshot.status = AVAILABLE
        return ActionResult({"DBSnapshot": snapshot})

    def reboot_db_instance(self) -> ActionResult:
        """RebootDBInstance."""
        instance = instances.reboot(
            self.backend,
            self.params["DBInstanceIdentifier"],
            fail_over=bool(self.params.get("ForceFailover")),
        )
        return ActionResult({"DBInstance": instance})

    def describe_db_instances(self) -> ActionResult:
        """DescribeDBInstances, in pages of 20 to 100."""
        return self._paged(super().describe_db_instances(), "DBInstances")

    def describe_db_clusters(self) -> ActionResult:
        """DescribeDBClusters, in pages."""
        return self._paged(super().describe_db_clusters(), "DBClusters")

    def describe_db_cluster_snapshots(self) -> ActionResult:
        """DescribeDBClusterSnapshots, in pages."""
        found = cluster_listing.listed(
            self.backend,
            self.params.get("SnapshotType"),
            self.params.get("DBClusterSnapshotIdentifier"),
            self.params.get("DBClusterIdentifier"),
        )
        return self._paged(ActionResult({"DBClusterSnapshots": found}), "DBClusterSnapshots")

    def create_db_cluster_snapshot(self) -> ActionResult:
        """CreateDBClusterSnapshot."""
        snapshot = clusters.create(
            self.backend,
            self.params["DBClusterIdentifier"],
            self.params["DBClusterSnapshotIdentifier"],
            check_tags(self.params.get("Tags")),
        )
        return ActionResult(
            {"DBClusterSnapshot": cluster_listing.described(snapshot, self.backend)}
        )

    def delete_db_cluster_snapshot(self) -> ActionResult:
        """DeleteDBClusterSnapshot."""
        snapshot = clusters.delete(self.backend, self.params["DBClusterSnapshotIdentifier"])
        return ActionResult(
            {"DBClusterSnapshot": cluster_listing.described(snapshot, self.backend)}
        )

    def copy_db_cluster_snapshot(self) -> ActionResult:
        """CopyDBClusterSnapshot."""
        order = clusters.ClusterCopyOrder(
            origin=self.params["SourceDBClusterSnapshotIdentifier"],
            target=self.params["TargetDBClusterSnapshotIdentifier"],
            key=self.params.get("KmsKeyId"),
            tags=check_tags(self.params.get("Tags")),
            copy_tags=bool(self.params.get("CopyTags")),
        )
        snapshot = clusters.copy(self.backend, order)
        return ActionResult(
            {"DBClusterSnapshot": cluster_listing.described(snapshot, self.backend)}
        )

    def describe_events(self) -> ActionResult:
        """DescribeEvents."""
        query = events.EventQuery(
            source=self.params.get("SourceIdentifier"),
            source_type=self.params.get("SourceType"),
            categories=tuple(self.params.get("EventCategories") or ()),
            start=events.aware(self.params.get("StartTime")),
            end=events.aware(self.params.get("EndTime")),
            minutes=self.params.get("Duration"),
        )
        found = list(events.find_events(self.backend, query))
        return self._paged(ActionResult({"Events": found}), "Events")

    def describe_account_attributes(self) -> ActionResult:
        """DescribeAccountAttributes."""
        return ActionResult({"AccountQuotas": quotas.account_quotas(self.backend)})

    def describe_source_regions(self) -> ActionResult:
        """DescribeSourceRegions."""
        found = quotas.source_regions(self.backend, self.params.get("RegionName"))
        return self._paged(ActionResult({"SourceRegions": found}), "SourceRegions")

    def describe_db_instance_automated_backups(self) -> ActionResult:
        """DescribeDBInstanceAutomatedBackups: own ones, and those received from other regions."""
        found = automated.backups_of(self.backend)
        found += [one.described() for one in self.backend.replicated.values()]
        found += [one.described() for one in self.backend.retained.values()]
        wanted = {
            "dbi_resource_id": self.params.get("DbiResourceId"),
            "db_instance_identifier": self.params.get("DBInstanceIdentifier"),
            "db_instance_automated_backups_arn": self.params.get("DBInstanceAutomatedBackupsArn"),
        }
        for name, value in wanted.items():
            found = [one for one in found if value is None or getattr(one, name) == value]
        if wanted["db_instance_automated_backups_arn"] and not found:
            raise refusals.backup_not_found(wanted["db_instance_automated_backups_arn"])
        return self._paged(
            ActionResult({"DBInstanceAutomatedBackups": found}), "DBInstanceAutomatedBackups"
        )

    def start_db_instance_automated_backups_replication(self) -> ActionResult:
        """StartDBInstanceAutomatedBackupsReplication."""
        backup = replication.start(
            self.backend,
            self.params["SourceDBInstanceArn"],
            self.params.get("BackupRetentionPeriod"),
            self.params.get("KmsKeyId"),
        )
        return ActionResult({"DBInstanceAutomatedBackup": backup})

    def stop_db_instance_automated_backups_replication(self) -> ActionResult:
        """StopDBInstanceAutomatedBackupsReplication."""
        backup = replication.stop(self.backend, self.params["SourceDBInstanceArn"])
        return ActionResult({"DBInstanceAutomatedBackup": backup})

    def delete_db_instance_automated_backup(self) -> ActionResult:
        """DeleteDBInstanceAutomatedBackup."""
        backup = replication.delete(
            self.backend,
            self.params.get("DbiResourceId"),
            self.params.get("DBInstanceAutomatedBackupsArn"),
        )
        return ActionResult({"DBInstanceAutomatedBackup": backup})

    def _paged(self, answer: ActionResult, key: str) -> ActionResult:
        result = answer.result
        if not isinstance(result, dict):
            raise TypeError(f"moto answers {key} with something else than a mapping")
        page, marker = numbered_page(
            list(result[key]), self.params.get("Marker"), self.params.get("MaxRecords")
        )
        return ActionResult({key: page, "Marker": marker})


@cache
def _known_actions() -> frozenset[str]:
    return frozenset(method_names_from_class(LabRdsResponse))


def _unknown(action: str) -> RDSClientError:
    return RDSClientError(
        "InvalidAction", f"The action {action} is not valid for this web service."
    )
