"""The lab's answers have the shapes of botocore's service model."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import xform_name

from tests.lab.places import FRANKFURT, Account, Places
from tests.lab.shapes import strange_in


class Witness:
    """Looks at each raw answer of a client before botocore drops what it does not know."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.strange: list[str] = []

    def watch(self, client: Any) -> Any:
        client.meta.events.register("before-parse.rds", self._look)
        return client

    def _look(self, operation_model: Any, response_dict: Any, **_: Any) -> None:
        if response_dict["status_code"] == 200:
            self.seen.add(xform_name(operation_model.name))
            self.strange += strange_in(response_dict["body"], operation_model)


def _own_operations() -> set[str]:
    """Return the operations that the lab answers itself."""
    from engine.lab.rds.backend import LabBackend
    from engine.lab.rds.responses import LabRdsResponse

    own = set(vars(LabRdsResponse)) | set(vars(LabBackend))
    model = _service_model()
    return {name for one in model.operation_names if (name := xform_name(one)) in own}


def _service_model() -> Any:
    from botocore.session import get_session

    return get_session().get_service_model("rds")


@pytest.fixture
def scene(places: Places) -> Account:
    """An account with something of everything."""
    return places.account(
        {"multi_az": True, "key": "alias/own", "tags": {"a": "b"}},
        {"identifier": "plain"},
        keys=[{"alias": "alias/own"}, {"alias": "alias/own", "region": FRANKFURT}],
        snapshots=[
            {"identifier": "rds:db-1", "type": "automated", "created": "2026-01-01T00:00:00Z"}
        ],
    )


def _call_snapshots(rds: Any, places: Places, account: Account) -> None:
    rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="db")
    rds.describe_db_snapshots()
    places.pass_time()
    rds.describe_db_snapshots(MaxRecords=20)
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="two")
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="three")
    rds.describe_db_snapshots()
    places.pass_time()
    rds.modify_db_snapshot(DBSnapshotIdentifier="two", EngineVersion="17.1")
    rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="one", AttributeName="restore", ValuesToAdd=["400000000000"]
    )
    rds.describe_db_snapshot_attributes(DBSnapshotIdentifier="one")
    tag = [{"Key": "a", "Value": "b"}]
    rds.add_tags_to_resource(ResourceName=account.arn("one"), Tags=tag)
    rds.list_tags_for_resource(ResourceName=account.arn("one"))
    rds.remove_tags_from_resource(ResourceName=account.arn("one"), TagKeys=["a"])
    rds.delete_db_snapshot(DBSnapshotIdentifier="three")


def _call_instances(rds: Any, places: Places) -> None:
    new = {"DBInstanceClass": "db.r6g.large", "Engine": "mysql", "AllocatedStorage": 20}
    rds.create_db_instance(DBInstanceIdentifier="new", **new)
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier="replica", SourceDBInstanceIdentifier="plain"
    )
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="restored", DBSnapshotIdentifier="one"
    )
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier="db",
        TargetDBInstanceIdentifier="then",
        UseLatestRestorableTime=True,
    )
    rds.modify_db_instance(DBInstanceIdentifier="db", AllocatedStorage=300, MultiAZ=False)
    rds.reboot_db_instance(DBInstanceIdentifier="db", ForceFailover=True)
    rds.stop_db_instance(DBInstanceIdentifier="plain")
    places.pass_time(60)
    rds.start_db_instance(DBInstanceIdentifier="plain")
    rds.describe_db_instances()
    rds.delete_db_instance(DBInstanceIdentifier="new", SkipFinalSnapshot=True)


def _call_clusters(rds: Any, places: Places) -> None:
    rds.create_db_cluster(
        DBClusterIdentifier="ledger",
        Engine="aurora-mysql",
        MasterUsername="admin",
        MasterUserPassword="not-a-secret",
        KmsKeyId="alias/own",
    )
    named = {"DBClusterSnapshotIdentifier": "one"}
    rds.create_db_cluster_snapshot(DBClusterIdentifier="ledger", **named)
    rds.describe_db_cluster_snapshots()
    places.pass_time()
    rds.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier="one", TargetDBClusterSnapshotIdentifier="two"
    )
    rds.modify_db_cluster_snapshot_attribute(
        AttributeName="restore", ValuesToAdd=["400000000000"], **named
    )
    rds.describe_db_cluster_snapshot_attributes(**named)
    rds.describe_db_cluster_snapshots()
    places.pass_time()
    rds.delete_db_cluster_snapshot(**named)


def _call_the_rest(rds: Any, far: Any) -> None:
    rds.describe_events()
    rds.describe_account_attributes()
    rds.describe_source_regions()
    rds.describe_db_clusters()
    rds.describe_db_cluster_snapshots()
    found = rds.describe_db_instances(DBInstanceIdentifier="db")["DBInstances"][0]
    arn = found["DBInstanceArn"]
    far.start_db_instance_automated_backups_replication(
        SourceDBInstanceArn=arn, KmsKeyId="alias/own"
    )
    far.describe_db_instance_automated_backups()
    far.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=arn)
    far.delete_db_instance_automated_backup(DbiResourceId=found["DbiResourceId"])
    rds.describe_db_instance_automated_backups()


def test_every_answer_of_the_lab_has_its_shape(places: Places, scene: Account) -> None:
    witness = Witness()
    rds, far = witness.watch(scene.rds), witness.watch(scene.rds_in(FRANKFURT))
    _call_snapshots(rds, places, scene)
    _call_instances(rds, places)
    _call_clusters(rds, places)
    _call_the_rest(rds, far)
    assert witness.strange == []
    assert _own_operations() - witness.seen == set()


def test_the_witness_sees_what_is_wrong() -> None:
    operation = _service_model().operation_model("DescribeDBSnapshots")
    body = b"""<R><DescribeDBSnapshotsResult><DBSnapshots><DBSnapshot><Colour>red</Colour>
    <AllocatedStorage>many</AllocatedStorage></DBSnapshot></DBSnapshots>
    </DescribeDBSnapshotsResult></R>"""
    assert strange_in(body, operation) == [
        "DescribeDBSnapshots.DBSnapshots[]: unknown <Colour>",
        "DescribeDBSnapshots.DBSnapshots[].AllocatedStorage: 'many' is no integer",
    ]


def test_a_listed_snapshot_and_a_created_one_are_told_alike(places: Places, scene: Account) -> None:
    """moto renders the one, the lab the other."""
    made = scene.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="db")
    listed = scene.rds.describe_db_snapshots(DBSnapshotIdentifier="one")
    assert listed["DBSnapshots"] == [made["DBSnapshot"]]
