"""Roles may do with DB clusters what policies ask for, and where none asks, nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.documents.model import Documents
from engine.inventory.records import Kind
from engine.permissions.operations import OPERATIONS
from tests.permissions.reading import actions, allows, documents, statements
from tests.permissions.test_permissions import PROD, VAULT, found, reader, role

CLUSTER = f"arn:aws:rds:eu-west-1:{PROD}:cluster:ledger"
SNAPSHOT = f"arn:aws:rds:eu-west-1:{PROD}:cluster-snapshot:ledger-1"
COPY = f"arn:aws:rds:eu-west-1:{VAULT}:cluster-snapshot:ledger-1"
TAGGED = {"aws:RequestTag/engine:estate": "acme"}
OURS = {"aws:ResourceTag/engine:estate": "acme"}


def of_clusters(folder: Path) -> Documents:
    plain = documents(folder)
    gold = replace(plain.policies["gold"], protects=Kind.CLUSTER)
    return replace(plain, policies={"gold": gold})


def of_both(folder: Path) -> Documents:
    plain = documents(folder)
    gold = plain.policies["gold"]
    silver = replace(gold, name="silver", protects=Kind.CLUSTER)
    return replace(plain, policies={"gold": gold, "silver": silver})


def test_snapshots_of_clusters_are_made_copied_and_removed_by_their_own_actions(
    tmp_path: Path,
) -> None:
    permissions = found(of_clusters(tmp_path))
    prod, vault = (role(permissions, one).document() for one in (PROD, VAULT))
    for resource in (CLUSTER, SNAPSHOT):
        assert allows(prod, "rds:CreateDBClusterSnapshot", resource, TAGGED)
        assert not allows(prod, "rds:CreateDBClusterSnapshot", resource)
    for resource in (SNAPSHOT, COPY):
        assert allows(vault, "rds:CopyDBClusterSnapshot", resource, TAGGED)
    for action in ("DeleteDBClusterSnapshot", "ModifyDBClusterSnapshotAttribute"):
        assert allows(prod, f"rds:{action}", SNAPSHOT, OURS)
        assert not allows(prod, f"rds:{action}", SNAPSHOT)
    assert allows(prod, "rds:AddTagsToResource", SNAPSHOT, TAGGED)
    assert allows(prod, "rds:RemoveTagsFromResource", SNAPSHOT, OURS)


def test_no_instance_is_snapshotted_where_policies_protect_clusters_only(tmp_path: Path) -> None:
    allowed = actions(role(found(of_clusters(tmp_path)), PROD).document())
    assert not allowed & {"rds:CreateDBSnapshot", "rds:ModifyDBSnapshotAttribute"}


def test_without_a_policy_for_them_clusters_may_only_be_looked_at(tmp_path: Path) -> None:
    permissions = found(documents(tmp_path))
    for account in (PROD, VAULT):
        for policy in (role(permissions, account), reader(permissions, account)):
            of_clusters = {one for one in actions(policy.document()) if "DBCluster" in one}
            assert all(one.startswith("rds:Describe") for one in of_clusters)
        assert "rds:DescribeDBClusterSnapshots" in actions(reader(permissions, account).document())


def test_the_reading_role_lists_clusters_and_their_snapshots(tmp_path: Path) -> None:
    allowed = actions(reader(found(of_both(tmp_path)), VAULT).document())
    assert {"rds:DescribeDBClusters", "rds:DescribeDBClusterSnapshots"} <= allowed
    assert "rds:DescribeDBInstances" in allowed


def test_policies_of_both_kinds_need_both_and_name_each_statement_once(tmp_path: Path) -> None:
    policy = role(found(of_both(tmp_path)), PROD).document()
    sids = [one["Sid"] for one in statements(policy)]
    assert len(set(sids)) == len(sids)
    assert {"CreateSnapshots", "CreateClusterSnapshots"} <= set(sids)
    listed = {one.action for one in OPERATIONS}
    assert {one for one in actions(policy) if one.startswith("rds:")} <= listed


def test_keys_of_clusters_let_the_accounts_in_that_copy(tmp_path: Path) -> None:
    keys = [one.keys for one in found(of_clusters(tmp_path)).accounts]
    assert keys == [one.keys for one in found(documents(tmp_path)).accounts]
