"""DB clusters and their snapshots: recorded by the AWS CLI, read live, and with their shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.identity.marks import Marks, Role, fingerprint, tags_of
from engine.inventory.live import clients_of, read_live
from engine.inventory.recorded import read_inventory
from engine.inventory.recorded_files import RecordingError
from engine.inventory.records import (
    Clusters,
    Inventory,
    Kind,
    Quota,
    Scope,
    ScopeStatus,
    SnapshotType,
    kind_of,
)
from engine.inventory.shares import NOBODY, with_shares
from tests.aws import scripted_aws as scripted
from tests.aws.scripted_aws import Asked, Reply, ScriptedAws
from tests.inventory.cli_output import ACCOUNT, KEY, REGION, instance, listing, record
from tests.inventory.test_live import HERE, PROD, account, answer_everything, estate_of, page
from tests.inventory.test_recorded import scope_of

CLUSTERS = "describe-db-clusters.json"
SNAPSHOTS = "describe-db-cluster-snapshots.json"
ARN = f"arn:aws:rds:{REGION}:{ACCOUNT}:"
TAKEN = datetime(2026, 11, 21, 2, 0, 13, tzinfo=UTC)
BOTH = frozenset(Kind)


def cluster(**fields: Any) -> dict[str, Any]:
    return {
        "DBClusterIdentifier": "ledger",
        "DBClusterArn": f"{ARN}cluster:ledger",
        "DbClusterResourceId": "cluster-LEDGER",
        "Engine": "aurora-postgresql",
        "Status": "available",
        "StorageEncrypted": True,
        "KmsKeyId": KEY,
        "AvailabilityZones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"],
        "CopyTagsToSnapshot": True,
        "TagList": [{"Key": "tier", "Value": "gold"}],
    } | fields


def snapshot(**fields: Any) -> dict[str, Any]:
    return {
        "DBClusterSnapshotIdentifier": "ledger-1",
        "DBClusterSnapshotArn": f"{ARN}cluster-snapshot:ledger-1",
        "DBClusterIdentifier": "ledger",
        "DbClusterResourceId": "cluster-LEDGER",
        "SnapshotType": "manual",
        "Status": "available",
        "SnapshotCreateTime": "2026-11-21T02:00:13+00:00",
        "StorageEncrypted": True,
        "KmsKeyId": KEY,
        "PercentProgress": 100,
    } | fields


def files(*snapshots: dict[str, Any], clusters: Any = None) -> dict[str, Any]:
    return {
        **listing(instances=[instance()]),
        "describe-db-snapshots.json": {"DBSnapshots": []},
        CLUSTERS: {"DBClusters": [cluster()] if clusters is None else clusters},
        SNAPSHOTS: {"DBClusterSnapshots": list(snapshots)},
    }


# -- recorded ------------------------------------------------------------------------------------


def test_an_arn_tells_the_kind_of_what_it_names() -> None:
    kinds = {
        f"{ARN}cluster:ledger": Kind.CLUSTER,
        f"{ARN}cluster-snapshot:rds:ledger-2026": Kind.CLUSTER,
        f"{ARN}db:cluster": Kind.INSTANCE,
        f"{ARN}snapshot:cluster-snapshot": Kind.INSTANCE,
        "cluster": Kind.INSTANCE,
    }
    assert {arn: kind_of(arn) for arn in kinds} == kinds


def test_clusters_stand_beside_the_instances_of_a_location(tmp_path: Path) -> None:
    quotas = [
        {"AccountQuotaName": "ManualSnapshots", "Used": 7, "Max": 100},
        {"AccountQuotaName": "ManualClusterSnapshots", "Used": 1, "Max": 50},
    ]
    told = files(snapshot()) | {"describe-account-attributes.json": {"AccountQuotas": quotas}}

    scope = scope_of(record(tmp_path, told))
    view = scope.of(Kind.CLUSTER)

    (found,) = view.instances or ()
    assert (found.arn, found.resource_id) == (f"{ARN}cluster:ledger", "cluster-LEDGER")
    assert (found.engine, found.kms_key, found.tags) == (
        "aurora-postgresql",
        KEY,
        {"tier": "gold"},
    )
    (kept,) = view.snapshots or ()
    assert (kept.instance, kept.type, kept.taken_at) == ("ledger", SnapshotType.MANUAL, TAKEN)
    assert (scope.quota, view.quota) == (Quota(7, 100), Quota(1, 50))
    assert [one.identifier for one in scope.of(Kind.INSTANCE).instances or ()] == ["orders"]
    assert view.is_complete
    assert scope.is_complete


def test_of_a_copy_nobody_knows_when_its_data_was_captured(tmp_path: Path) -> None:
    copied = snapshot(SourceDBClusterSnapshotArn=f"{ARN}cluster-snapshot:elsewhere")

    (found,) = scope_of(record(tmp_path, files(copied))).of(Kind.CLUSTER).snapshots or ()

    assert (found.original_created_at, found.created_at) == (None, TAKEN)


def test_what_others_share_is_not_the_locations_own(tmp_path: Path) -> None:
    foreign = f"arn:aws:rds:{REGION}:999999999999:cluster-snapshot:theirs"
    shared = snapshot(DBClusterSnapshotArn=foreign, SnapshotType="shared")
    attributes = {
        f"{ARN}cluster-snapshot:ledger-1": {
            "DBClusterSnapshotAttributesResult": {
                "DBClusterSnapshotAttributes": [
                    {"AttributeName": "restore", "AttributeValues": ["222222222222"]}
                ]
            }
        }
    }
    told = files(snapshot(), shared) | {
        "describe-db-cluster-snapshot-attributes.json": attributes,
    }
    listed = {"describe-db-cluster-snapshots.shared.json": {"DBClusterSnapshots": [shared]}}

    for recorded in (told, files(snapshot()) | listed):
        view = scope_of(record(tmp_path / str(len(recorded)), recorded)).of(Kind.CLUSTER)
        assert [one.arn for one in view.shared or ()] == [foreign]
        assert [one.identifier for one in view.snapshots or ()] == ["ledger-1"]
    (own,) = scope_of(record(tmp_path / "again", told)).of(Kind.CLUSTER).snapshots or ()
    assert own.shared_with == frozenset({"222222222222"})


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({CLUSTERS: None}, f"{CLUSTERS} is missing"),
        ({SNAPSHOTS: None}, f"{SNAPSHOTS} is missing"),
        (
            {SNAPSHOTS: {"DBClusterSnapshots": [], "Marker": "more"}},
            f"{SNAPSHOTS} holds only its first pages",
        ),
        (
            {CLUSTERS: {"DBClusters": [cluster(DbClusterResourceId=None)]}},
            "DB cluster ledger has no DbClusterResourceId",
        ),
    ],
)
def test_what_is_missing_of_clusters_leaves_instances_alone(
    tmp_path: Path, changes: dict[str, Any], cause: str
) -> None:
    told = {name: part for name, part in (files() | changes).items() if part is not None}

    scope = scope_of(record(tmp_path, told))

    assert scope.is_complete
    view = scope.of(Kind.CLUSTER)
    assert (view.is_complete, view.status, view.cause) == (False, ScopeStatus.FAILED, cause)


def test_without_any_file_of_them_clusters_are_not_known(tmp_path: Path) -> None:
    told = {name: part for name, part in files().items() if "cluster" not in name}

    scope = scope_of(record(tmp_path, told))

    assert scope.clusters is None
    assert scope.of(Kind.CLUSTER).cause == "its DB clusters were not read"


@pytest.mark.parametrize(
    "wrong",
    [
        {CLUSTERS: {"DBClusters": [cluster(DBClusterArn=f"{ARN}cluster:other")]}},
        {SNAPSHOTS: {"DBClusterSnapshots": [snapshot(DBClusterSnapshotArn=f"{ARN}snapshot:x")]}},
    ],
)
def test_an_arn_of_something_else_is_a_fault(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(RecordingError, match="is not the ARN of cluster"):
        read_inventory(record(tmp_path, files() | wrong))


# -- live ----------------------------------------------------------------------------------------

CLUSTER_XML = (
    "<DBCluster><DBClusterIdentifier>ledger</DBClusterIdentifier><Status>available</Status>"
    "<DbClusterResourceId>cluster-LEDGER</DbClusterResourceId><Engine>aurora-mysql</Engine>"
    f"<KmsKeyId>{KEY}9</KmsKeyId></DBCluster>"
)
SNAPSHOT_XML = (
    "<DBClusterSnapshot><DBClusterSnapshotIdentifier>ledger-1</DBClusterSnapshotIdentifier>"
    "<SnapshotType>manual</SnapshotType><Status>available</Status>"
    "<AllocatedStorage>20</AllocatedStorage>"
    "<SnapshotCreateTime>2026-11-21T02:00:13Z</SnapshotCreateTime></DBClusterSnapshot>"
)


def answer_clusters(aws: ScriptedAws) -> None:
    answer_everything(aws)
    aws.on("DescribeDBClusters", page(CLUSTER_XML, "DBClusters"))
    aws.on("DescribeDBClusterSnapshots", page(SNAPSHOT_XML, "DBClusterSnapshots"))


def left_xml() -> str:
    """A snapshot that a policy of the estate made of a cluster."""
    slot = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    marks = Marks(
        estate=estate_of(account()).name,
        policy="aurora",
        source=f"{ARN}cluster:ledger",
        resource="cluster-LEDGER",
        volume="cluster-LEDGER",
        slot=slot,
        role=Role.PRIMARY,
        zone="all",
        keys=(KEY,),
    )
    proof = fingerprint(marks.estate, marks.role, HERE, marks.resource, marks.policy, slot)
    tags = "".join(
        f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"
        for key, value in tags_of(marks).items()
    )
    return SNAPSHOT_XML.replace("ledger-1", f"ledger-aurora-{proof}").replace(
        "</DBClusterSnapshot>", f"<TagList>{tags}</TagList></DBClusterSnapshot>"
    )


def live(kinds: frozenset[Kind]) -> Scope:
    estate = estate_of(account())
    return read_live(estate, clients_of(estate), TAKEN, kinds).scope(HERE)


def test_clusters_are_read_where_somebody_asks_for_them(aws: ScriptedAws) -> None:
    answer_clusters(aws)

    scope = live(BOTH)

    view = scope.of(Kind.CLUSTER)
    assert [one.identifier for one in view.instances or ()] == ["ledger"]
    assert [one.allocated_gib for one in view.snapshots or ()] == [20]
    assert f"{KEY}9" in (scope.keys or {})
    assert view.is_complete
    asked = [one.action for one in aws.asked]
    assert asked.index("DescribeDBClusters") > asked.index("DescribeDBClusterSnapshots")


def test_without_a_policy_for_clusters_one_call_tells_that_nothing_of_them_is_left(
    aws: ScriptedAws,
) -> None:
    answer_clusters(aws)

    assert live(frozenset({Kind.INSTANCE})).clusters is None
    (only,) = [one for one in aws.asked if "Cluster" in one.action]
    assert (only.action, only.parameters["SnapshotType"]) == (
        "DescribeDBClusterSnapshots",
        "manual",
    )


def test_without_a_policy_for_clusters_all_is_read_where_a_gone_one_left_points(
    aws: ScriptedAws,
) -> None:
    answer_clusters(aws)
    aws.on("DescribeDBClusterSnapshots", page(left_xml(), "DBClusterSnapshots"))

    view = live(frozenset({Kind.INSTANCE})).of(Kind.CLUSTER)

    assert view.is_complete
    assert [one.identifier for one in view.instances or ()] == ["ledger"]
    assert [one.tags["engine:policy"] for one in view.snapshots or ()] == ["aurora"]


def test_clusters_are_read_everywhere_if_a_gone_policy_left_points_anywhere(
    aws: ScriptedAws,
) -> None:
    answer_clusters(aws)
    left = page(left_xml(), "DBClusterSnapshots")
    none = page("", "DBClusterSnapshots")
    aws.on("DescribeDBClusterSnapshots", lambda asked: left if asked.region == REGION else none)
    estate = estate_of(account(PROD, REGION, "eu-central-1"))

    found = read_live(estate, clients_of(estate), TAKEN).of(Kind.CLUSTER)

    assert [scope.is_complete for scope in found.scopes.values()] == [True, True]


def test_a_role_that_may_not_list_snapshots_of_clusters_costs_a_note_and_nothing_else(
    aws: ScriptedAws,
) -> None:
    answer_everything(aws)
    aws.on("DescribeDBClusterSnapshots", scripted.error("AccessDenied", "no", 403))

    estate = estate_of(account())
    found = read_live(estate, clients_of(estate), TAKEN)

    scope = found.scope(HERE)
    assert scope.is_complete
    assert scope.clusters is None
    (note,) = found.notes
    assert "snapshots of DB clusters not known: AccessDenied" in note


def test_clusters_that_may_not_be_listed_leave_instances_alone(aws: ScriptedAws) -> None:
    answer_clusters(aws)
    aws.on("DescribeDBClusters", scripted.error("AccessDenied", "no", 403))

    scope = live(BOTH)

    assert scope.is_complete
    view = scope.of(Kind.CLUSTER)
    assert view.cause == "AccessDenied on rds:DescribeDBClusters: no"
    assert (view.instances, len(view.snapshots or ())) == (None, 1)


# -- shares --------------------------------------------------------------------------------------


def with_clusters() -> Inventory:
    told = Clusters((), tuple(cluster_snapshots("ledger-1", "ledger-2")))
    return Inventory({HERE: Scope(HERE, snapshots=(), clusters=told)}, recorded=False)


def cluster_snapshots(*names: str) -> Any:
    from tests.inventory.test_shares import A

    for name in names:
        arn = f"arn:aws:rds:{HERE.region}:{HERE.account}:cluster-snapshot:{name}"
        yield replace(A, arn=arn, identifier=name)


def shared(asked: Asked) -> Reply:
    if asked.parameters["DBClusterSnapshotIdentifier"] == "ledger-2":
        return scripted.error("DBClusterSnapshotNotFoundFault", "gone", 404)
    inner = (
        "<DBClusterSnapshotAttributesResult><DBClusterSnapshotAttributes>"
        "<DBClusterSnapshotAttribute><AttributeName>restore</AttributeName><AttributeValues>"
        "<AttributeValue>222222222222</AttributeValue></AttributeValues>"
        "</DBClusterSnapshotAttribute></DBClusterSnapshotAttributes>"
        "</DBClusterSnapshotAttributesResult>"
    )
    return scripted.rds("DescribeDBClusterSnapshotAttributes", inner)


def test_shares_of_cluster_snapshots_are_read_by_their_own_calls(aws: ScriptedAws) -> None:
    aws.on("DescribeDBSnapshots", page("", "DBSnapshots"))
    aws.on("DescribeDBClusterSnapshots", page(SNAPSHOT_XML, "DBClusterSnapshots"))
    aws.on("DescribeDBClusterSnapshotAttributes", shared)
    before = with_clusters()
    asked = [one.arn for one in cluster_snapshots("ledger-1", "ledger-2")]

    found = with_shares(before, clients_of(estate_of(account(PROD))), asked, lambda at: None)

    view = found.scope(HERE).of(Kind.CLUSTER)
    assert [one.shared_with for one in view.snapshots or ()] == [{"222222222222"}, NOBODY]
    assert [one.identifier for one in view.shared or ()] == ["ledger-1"]
    assert len(aws.calls("DescribeDBClusterSnapshotAttributes")) == 2
    assert not aws.calls("DescribeDBSnapshotAttributes")
