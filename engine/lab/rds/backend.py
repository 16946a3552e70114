"""The RDS backend of one account and region: moto's, with each topic taken over by its module."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.rds.models import RDSBackend, rds_backends

from engine.lab.answering import AnsweredByLab
from engine.lab.rds import clusters, instances, modifying, refusals, sharing, snapshots, tags
from engine.lab.rds.arns import parse_arn
from engine.lab.rds.copying import Copies
from engine.lab.rds.events import MOTO_EVENTS, LabEvent, What
from engine.lab.rds.models import LabInstance, LabSnapshot, SnapshotShelf, new_resource_id
from engine.lab.rds.replication import ReplicatedBackup
from engine.lab.rds.retained import RetainedBackup
from engine.lab.rds.sharing import Shares
from engine.lab.world import World


class LabBackend(AnsweredByLab, RDSBackend):
    """RDS in one account and region.

    moto's own operations on other resources keep working on the same dictionaries.
    """

    world: ClassVar[World]
    shares: ClassVar[Shares]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.database_snapshots: SnapshotShelf = SnapshotShelf()
        self.resource_map = {
            kind: self.database_snapshots if kind.__name__ == "DBSnapshot" else resources
            for kind, resources in self.resource_map.items()
        }
        self.copies = Copies()
        self.lab_events: list[LabEvent] = []
        self.replicated: dict[str, ReplicatedBackup] = {}
        self.retained: dict[str, RetainedBackup] = {}
        self.instances_made = 0

    def at(self, account: str, region: str) -> LabBackend:
        """Return the backend of another account and region."""
        backend = rds_backends[account][region]
        if not isinstance(backend, LabBackend):
            raise TypeError(f"the RDS backend of {account}/{region} is not the lab's")
        return backend

    def copies_inside_region(self, resource_id: str) -> bool:
        """Tell whether a copy of an instance's snapshot is made in the region, by any account."""
        region = self.region_name
        return any(
            self.at(account, region).copies.runs_for(resource_id, region)
            for account in list(rds_backends)
        )

    def instance(self, identifier: str) -> LabInstance:
        """Return an own instance by identifier or ARN; RDSClientError where there is none."""
        arn = parse_arn(identifier)
        name = identifier
        if arn is not None:
            own = (arn.account, arn.region, arn.type)
            name = arn.name if own == (self.account_id, self.region_name, "db") else ""
        found = self.databases.get(name)
        if not isinstance(found, LabInstance):
            raise refusals.instance_not_found(identifier)
        return found

    def find_snapshot(self, named: str) -> LabSnapshot | None:
        """Find a snapshot: an own one by identifier, anybody's in the region or not by ARN.

        One that is not seen yet is not found.
        """
        found = self._find_snapshot(named)
        return found if found is not None and found.is_seen else None

    def _find_snapshot(self, named: str) -> LabSnapshot | None:
        arn = parse_arn(named)
        if arn is None:
            return self.database_snapshots.get(named)
        known = arn.account in rds_backends and arn.region in rds_backends[arn.account]
        if arn.type != "snapshot" or not known:
            return None
        return self.at(arn.account, arn.region).database_snapshots.get(arn.name)

    def snapshot(self, identifier: str) -> LabSnapshot:
        """Return an own snapshot by identifier or ARN; RDSClientError where there is none."""
        found = self.stored_snapshot(identifier)
        if not found.is_seen:
            raise refusals.snapshot_not_found(identifier)
        return found

    def stored_snapshot(self, identifier: str) -> LabSnapshot:
        """Return an own snapshot as `snapshot` does, also one that is not seen yet."""
        found = self._find_snapshot(identifier)
        here = (self.account_id, self.region_name)
        if found is None or (found.account_id, found.region) != here:
            raise refusals.snapshot_not_found(identifier)
        return found

    def tell(self, resource: LabInstance | LabSnapshot, what: What) -> None:
        """Emit an event about an instance or a snapshot."""
        category, message = what.value
        self.lab_events.append(
            LabEvent(
                source_identifier=resource.resource_id,
                source_type=resource.event_source_type,
                message=message,
                event_categories=(category,),
                date=self.world.now,
                source_arn=resource.arn,
            )
        )

    def add_event(self, event_type: str, resource: Any) -> None:
        """Emit what moto emits by itself."""
        if event_type in MOTO_EVENTS:
            self.tell(resource, MOTO_EVENTS[event_type])

    def create_db_instance(self, db_kwargs: dict[str, Any]) -> Any:
        """Create an instance; members of clusters are moto's."""
        if db_kwargs.get("db_cluster_identifier"):
            member = super().create_db_instance(db_kwargs)
            member.dbi_resource_id = new_resource_id(self, member.db_instance_identifier)
            return member
        return instances.create(self, dict(db_kwargs))

    def create_auto_snapshot(self, db_instance_identifier: str, db_snapshot_identifier: str) -> Any:
        """Do nothing: moto asks it for members of clusters, which are backed up by cluster."""

    def create_db_cluster(self, kwargs: dict[str, Any]) -> Any:
        """Create a cluster."""
        cluster = super().create_db_cluster(clusters.encryption_of(self, dict(kwargs)))
        return clusters.settle_in(self, cluster)

    def create_auto_cluster_snapshot(
        self, db_cluster_identifier: str, db_snapshot_identifier: str
    ) -> Any:
        """Do nothing: Aurora backs its clusters up all the time."""

    def create_db_cluster_snapshot(
        self,
        db_cluster_identifier: str,
        db_cluster_snapshot_identifier: str,
        snapshot_type: str = "manual",
        tags: list[dict[str, str]] | None = None,
    ) -> Any:
        """Start a snapshot of a cluster."""
        return clusters.create(
            self, db_cluster_identifier, db_cluster_snapshot_identifier, tags, snapshot_type
        )

    def describe_db_cluster_snapshot_attributes(
        self, db_cluster_snapshot_identifier: str
    ) -> dict[str, list[str]]:
        """Return who a snapshot of a cluster is shared with."""
        return clusters.own(self, db_cluster_snapshot_identifier).attributes

    def modify_db_cluster_snapshot_attribute(
        self,
        db_cluster_snapshot_identifier: str,
        attribute_name: str,
        values_to_add: list[str] | None = None,
        values_to_remove: list[str] | None = None,
    ) -> dict[str, list[str]]:
        """Share and unshare a snapshot of a cluster."""
        return clusters.share(
            self,
            db_cluster_snapshot_identifier,
            attribute_name,
            values_to_add or [],
            values_to_remove or [],
        ).attributes

    def delete_db_snapshot(self, db_snapshot_identifier: str) -> Any:
        """Delete a manual snapshot, or cancel a copy."""
        return snapshots.delete(self, db_snapshot_identifier)

    def describe_db_snapshot_attributes(self, db_snapshot_identifier: str) -> dict[str, list[str]]:
        """Return who a manual snapshot is shared with."""
        return self.snapshot(db_snapshot_identifier).attributes

    def modify_db_snapshot_attribute(
        self,
        db_snapshot_identifier: str,
        attribute_name: str,
        values_to_add: list[str] | None = None,
        values_to_remove: list[str] | None = None,
    ) -> dict[str, list[str]]:
        """Share and unshare a manual snapshot."""
        return sharing.modify(
            self,
            db_snapshot_identifier,
            attribute_name,
            values_to_add or [],
            values_to_remove or [],
        ).attributes

    def create_db_instance_read_replica(self, db_kwargs: dict[str, Any]) -> Any:
        """Create a read replica."""
        return instances.create_replica(self, dict(db_kwargs))

    def restore_db_instance_from_db_snapshot(
        self, from_snapshot_id: str, overrides: dict[str, Any]
    ) -> Any:
        """Restore a snapshot."""
        return instances.restore(self, from_snapshot_id, dict(overrides))

    def restore_db_instance_to_point_in_time(
        self, source_db_identifier: str, target_db_identifier: str, overrides: dict[str, Any]
    ) -> Any:
        """Restore to a point in time."""
        return instances.restore_to_time(
            self, source_db_identifier, target_db_identifier, dict(overrides)
        )

    def modify_db_instance(self, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> Any:
        """Change an instance; members of clusters are moto's."""
        if isinstance(self.databases.get(db_instance_identifier), LabInstance):
            return modifying.modify(self, db_instance_identifier, dict(db_kwargs))
        return super().modify_db_instance(db_instance_identifier, db_kwargs)

    def delete_db_instance(
        self,
        db_instance_identifier: str,
        final_db_snapshot_identifier: str | None = None,
        skip_final_snapshot: bool | None = False,
        delete_automated_backups: bool | None = True,
    ) -> Any:
        """Delete an instance; members of clusters are moto's."""
        if db_instance_identifier in self.databases and not isinstance(
            self.databases[db_instance_identifier], LabInstance
        ):
            return super().delete_db_instance(
                db_instance_identifier,
                final_db_snapshot_identifier,
                skip_final_snapshot,
                delete_automated_backups,
            )
        return instances.delete(
            self,
            db_instance_identifier,
            final_db_snapshot_identifier,
            skip_final=bool(skip_final_snapshot),
            drop_backups=delete_automated_backups is not False,
        )

    def stop_db_instance(
        self, db_instance_identifier: str, db_snapshot_identifier: str | None = None
    ) -> Any:
        """Stop an instance."""
        return instances.stop(self, db_instance_identifier, db_snapshot_identifier)

    def start_db_instance(self, db_instance_identifier: str) -> Any:
        """Start an instance."""
        return instances.start(self, db_instance_identifier)

    def list_tags_for_resource(self, arn: str) -> list[dict[str, str]]:
        """Return the tags of a resource."""
        resource = tags.taggable(self, arn)
        return resource.tags if resource else super().list_tags_for_resource(arn)

    def add_tags_to_resource(self, arn: str, given: list[dict[str, str]]) -> list[dict[str, str]]:
        """Set tags of a resource."""
        resource = tags.taggable(self, arn)
        if resource is None:
            return super().add_tags_to_resource(arn, given)
        tags.add(resource, given)
        return resource.tags

    def remove_tags_from_resource(self, arn: str, tag_keys: list[str]) -> None:
        """Remove tags of a resource."""
        resource = tags.taggable(self, arn)
        if resource is None:
            super().remove_tags_from_resource(arn, tag_keys)
        else:
            resource.remove_tags(tag_keys)
