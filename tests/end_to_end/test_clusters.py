"""An Aurora cluster for three nights, as the AWS CLI shows what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.lab.estates import IRELAND, PROD, VAULT, small
from tests.end_to_end.harness import REPOSITORY, World, working_folder
from tests.forking.labs import ForkedLab

EXAMPLES = REPOSITORY / "docs" / "examples"
FIRST_NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
PARTNER = "444455556666"
LONG = "ledger-of-the-house-of-acme-and-its-daughters-in-all-countries"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three nights of the example, with a cluster of a long name that the AWS CLI made."""
    folder = working_folder(tmp_path_factory.mktemp("clusters"), EXAMPLES / "clusters")
    with ForkedLab.start(small(), speed=20.0, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        world.aws(
            PROD, IRELAND, "rds", "create-db-cluster", "--db-cluster-identifier", LONG,
            "--engine", "aurora-postgresql", "--master-username", "admin",
            "--master-user-password", "not-a-secret", "--storage-encrypted",
            "--kms-key-id", world.key(PROD, IRELAND, "alias/orders"),
            "--tags", "Key=tier,Value=gold",
        )  # fmt: skip
        for night in range(3):
            world.move_to(FIRST_NIGHT + timedelta(days=night))
            world.apply("-wait").insist()
        yield world


def shown(world: World, account: str) -> list[dict[str, Any]]:
    """The cluster snapshots of an account, as the AWS CLI lists them, by id."""
    listed = world.aws(account, IRELAND, "rds", "describe-db-cluster-snapshots")
    return sorted(
        listed["DBClusterSnapshots"], key=lambda one: str(one["DBClusterSnapshotIdentifier"])
    )


def test_a_night_of_a_cluster_ends_with_points_and_copies_under_the_vaults_key(
    world: World,
) -> None:
    own, copies = shown(world, PROD), shown(world, VAULT)
    names = [one["DBClusterSnapshotIdentifier"] for one in (*own, *copies)]
    assert max(map(len, names)) <= 63 < len(LONG) + len("-aurora-20261118t0200z-all-")
    assert [name.partition("-aurora-")[2][:17] for name in names] == [
        # The first one waits: an account that nobody sees could read it until this night.
        *("20261118t0200z-al", "20261119t0200z-al", "20261120t0200z-al"),
        *("20261119t0200z-al", "20261120t0200z-al"),
    ]
    assert {one["Status"] for one in (*own, *copies)} == {"available"}
    assert {one["KmsKeyId"] for one in copies} == {world.key(VAULT, IRELAND, "alias/backups")}
    origins = [one["DBClusterSnapshotArn"] for one in own]
    assert [one["SourceDBClusterSnapshotArn"] for one in copies] == origins[1:]
    tags = {tag["Key"]: tag["Value"] for tag in copies[1]["TagList"]}
    assert (tags["engine:role"], tags["engine:az"]) == ("copy", "all")
    assert [readers(world, name) for name in names[:3]] == [[], [], [PARTNER]]


def readers(world: World, name: str) -> list[str]:
    answer = world.rds(PROD, IRELAND).describe_db_cluster_snapshot_attributes(
        DBClusterSnapshotIdentifier=name
    )
    (attribute,) = answer["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    values: list[str] = attribute["AttributeValues"]
    return values


def test_nothing_is_left_to_do_and_the_instance_is_told_to_be_unprotected(world: World) -> None:
    plan = world.planned("-detailed-exitcode")
    assert (plan["steps"], plan["complete"]) == ([], True)
    assert [one["source"]["identifier"] for one in plan["unprotected"]] == ["orders-1"]
    manual = world.rds(PROD, IRELAND).describe_db_snapshots(SnapshotType="manual")
    assert manual["DBSnapshots"] == []


def test_everything_was_stored_in_full_as_the_plan_said(world: World) -> None:
    stored = [one for one in world.lab.client.truth() if ":cluster-snapshot:" in one["arn"]]
    assert [one["stored"] for one in stored] == ["full"] * 6
    gone = [one["deleted_by"] for one in stored if not one["exists"]]
    assert gone == [f"{VAULT}/backup-engine"]


def test_what_was_recorded_plans_the_same(world: World) -> None:
    told = world.run("inventory", "export", "recorded", "-at", world.now()).insist().out
    assert ", 1 clusters, 5 cluster snapshots" in told
    recorded = world.run("plan", "-inventory", "recorded", "-json").insist().out
    assert '"steps": []' in recorded


def test_points_of_the_last_policy_of_clusters_are_told_of_and_stay_until_they_are_retired(
    world: World,
) -> None:
    documents = world.folder / "policies" / "clusters.yaml"
    estate, _, _ = documents.read_text().rpartition("---")
    documents.write_text(estate)
    told = world.planned()
    assert {one["code"] for one in told["unmanaged"]} == {"source_unmatched"}
    assert len(told["unmanaged"]) == len(shown(world, PROD)) + len(shown(world, VAULT)) == 5
    # What a policy shared with others is taken back, as it is of instances.
    assert [one["action"] for one in told["steps"]] == ["unshare_snapshot"]
    world.apply("-wait").insist()
    assert len(shown(world, PROD)) == 3
    # An account that it was shared with may be copying it for a while.
    world.move_to(FIRST_NIGHT + timedelta(days=30))
    documents.write_text(f"{estate}guards: {{min_points: 0}}\nretire: [{{policy: aurora}}]\n")
    world.apply("-wait").insist()
    assert "could not be read" not in world.plan().insist().out
    assert shown(world, PROD) == shown(world, VAULT) == []
