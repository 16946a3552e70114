"""DB clusters in the lab: created by the API, snapshotted, copied, shared as AWS does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.conftest import Refusing
from tests.lab.places import FRANKFURT, IRELAND, Account, Places

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient

CLUSTER: dict[str, Any] = {
    "DBClusterIdentifier": "ledger",
    "Engine": "aurora-postgresql",
    "MasterUsername": "admin",
    "MasterUserPassword": "not-a-secret",
}


def with_cluster(places: Places, **changes: Any) -> Account:
    account = places.account(keys=[{"alias": "alias/own"}])
    account.rds.create_db_cluster(**{**CLUSTER, **changes})
    return account


def encrypted(places: Places, **changes: Any) -> Account:
    return with_cluster(places, StorageEncrypted=True, KmsKeyId="alias/own", **changes)


def snapshot(account: Account, name: str = "one") -> None:
    account.rds.create_db_cluster_snapshot(
        DBClusterIdentifier="ledger", DBClusterSnapshotIdentifier=name
    )


def done(places: Places, account: Account, name: str = "one") -> str:
    snapshot(account, name)
    places.lab.client.forward(10)
    return arn(account, name)


def arn(account: Account, name: str = "one", region: str = IRELAND) -> str:
    return f"arn:aws:rds:{region}:{account.id}:cluster-snapshot:{name}"


def the(rds: RDSClient, name: str = "one") -> Any:
    found = rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)
    return found["DBClusterSnapshots"][0]


def names(rds: RDSClient, **query: Any) -> list[str]:
    pages = rds.get_paginator("describe_db_cluster_snapshots").paginate(**query)
    return [
        one["DBClusterSnapshotIdentifier"] for page in pages for one in page["DBClusterSnapshots"]
    ]


def test_a_snapshot_of_a_cluster_takes_its_time(places: Places) -> None:
    account = encrypted(places)
    snapshot(account)
    begun = the(account.rds)
    assert (begun["Status"], begun["PercentProgress"]) == ("creating", 0)
    assert "SnapshotCreateTime" not in begun
    places.lab.client.forward(10)
    found = the(account.rds)
    cluster = account.rds.describe_db_clusters()["DBClusters"][0]
    assert (found["Status"], found["PercentProgress"]) == ("available", 100)
    assert found["DbClusterResourceId"] == cluster["DbClusterResourceId"]
    assert found["KmsKeyId"] == cluster["KmsKeyId"]


def test_its_id_has_63_characters_at_most(places: Places, refused: Refusing) -> None:
    account = with_cluster(places)
    snapshot(account, "a" * 63)
    with refused("InvalidParameterValue", "not a valid identifier"):
        snapshot(account, "a" * 64)
    with refused("DBClusterSnapshotAlreadyExistsFault"):
        snapshot(account, "a" * 63)


def test_clusters_have_a_quota_of_their_own(places: Places, refused: Refusing) -> None:
    places.lab.client.change_settings(manual_cluster_snapshots=1)
    account = with_cluster(places)
    snapshot(account)
    with refused("SnapshotQuotaExceeded", "Cannot create more than 1 manual snapshots"):
        snapshot(account, "two")
    quotas = account.rds.describe_account_attributes()["AccountQuotas"]
    told = {one["AccountQuotaName"]: (one["Used"], one["Max"]) for one in quotas}
    assert told["ManualClusterSnapshots"] == (1, 1)
    assert told["ManualSnapshots"] == (0, 100)


def test_what_is_of_no_cluster_is_refused(places: Places, refused: Refusing) -> None:
    account = places.account()
    with refused("DBClusterNotFoundFault"):
        snapshot(account)
    with refused("DBClusterSnapshotNotFoundFault"):
        the(account.rds)


def test_only_manual_snapshots_that_are_there_are_deleted(
    places: Places, refused: Refusing
) -> None:
    account = with_cluster(places)
    snapshot(account)
    with refused("InvalidDBClusterSnapshotStateFault"):
        account.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="one")
    places.lab.client.forward(10)
    account.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="one")
    assert names(account.rds) == []


def test_a_copy_to_another_account_needs_share_and_key(places: Places, refused: Refusing) -> None:
    account, other = encrypted(places), places.account(keys=[{"alias": "alias/theirs"}])
    origin = done(places, account)

    def copy(**more: Any) -> None:
        other.rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=origin,
            TargetDBClusterSnapshotIdentifier="copied",
            **more,
        )

    with refused("DBClusterSnapshotNotFoundFault"):
        copy(KmsKeyId="alias/theirs")
    share(account, add=[other.id])
    with refused("InvalidParameterValue", "KMS key"):
        copy()
    with refused("KMSKeyNotAccessibleFault", "source snapshot"):
        copy(KmsKeyId="alias/theirs")


def share(account: Account, **changes: Any) -> None:
    values = {"ValuesToAdd": changes.get("add", []), "ValuesToRemove": changes.get("remove", [])}
    account.rds.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="one",
        AttributeName="restore",
        **{name: value for name, value in values.items() if value},
    )


def test_a_copy_to_another_region_tells_its_origin(places: Places) -> None:
    account = with_cluster(places)
    origin = done(places, account)
    far = account.rds_in(FRANKFURT)
    far.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=origin,
        TargetDBClusterSnapshotIdentifier="far",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    assert the(far, "far")["Status"] == "copying"
    places.lab.client.forward(10)
    found = the(far, "far")
    assert (found["Status"], found["SourceDBClusterSnapshotArn"]) == ("available", origin)
    assert found["TagList"] == [{"Key": "a", "Value": "b"}]


def test_an_unencrypted_snapshot_is_not_encrypted_by_a_copy(
    places: Places, refused: Refusing
) -> None:
    account = with_cluster(places)
    origin = done(places, account)
    with refused("InvalidParameterCombination", "cannot be encrypted"):
        account.rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=origin,
            TargetDBClusterSnapshotIdentifier="two",
            KmsKeyId="alias/own",
        )


def test_five_copies_go_to_a_region_at_once(places: Places, refused: Refusing) -> None:
    places.lab.client.change_settings(cluster_copies_in_flight=1)
    account = with_cluster(places)
    origin = done(places, account)

    def copy(name: str) -> None:
        account.rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=origin, TargetDBClusterSnapshotIdentifier=name
        )

    copy("two")
    with refused("SnapshotQuotaExceeded", "Cannot copy more than 1 snapshots across regions"):
        copy("three")


def _share(account: Account) -> None:
    share(account, add=["222222222222"])


def _copy(account: Account) -> None:
    account.rds.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=arn(account), TargetDBClusterSnapshotIdentifier="two"
    )


@pytest.mark.parametrize("call", [_share, _copy])
def test_multi_az_clusters_are_neither_copied_nor_shared(
    places: Places, refused: Refusing, call: Callable[[Account], None]
) -> None:
    account = with_cluster(
        places, Engine="postgres", AllocatedStorage=100, DBClusterInstanceClass="db.m5d.large"
    )
    done(places, account)
    with refused("InvalidParameterValue", "Multi-AZ"):
        call(account)


def test_what_is_shared_is_listed_by_its_arn_and_without_tags(
    places: Places, refused: Refusing
) -> None:
    account, other = with_cluster(places), places.account()
    origin = done(places, account)
    share(account, add=[other.id])
    assert names(other.rds, SnapshotType="shared", IncludeShared=True) == [origin]
    shown = account.rds.describe_db_cluster_snapshot_attributes(DBClusterSnapshotIdentifier="one")
    (attribute,) = shown["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
    assert attribute["AttributeValues"] == [other.id]
    share(account, remove=[other.id])
    assert names(other.rds, SnapshotType="shared", IncludeShared=True) == []
    with refused("SharedSnapshotQuotaExceeded"):
        share(account, add=[str(number) for number in range(400_000_000_000, 400_000_000_021)])


def test_encrypted_snapshots_are_shared_with_nobody_under_the_default_key(
    places: Places, refused: Refusing
) -> None:
    account = with_cluster(places, StorageEncrypted=True)
    done(places, account)
    with refused("InvalidParameterValue", "default AWS KMS key"):
        share(account, add=["222222222222"])
    with refused("InvalidParameterValue", "publicly"):
        share(account, add=["all"])


def test_tags_are_set_and_removed_by_arn(places: Places) -> None:
    account = with_cluster(places)
    origin = done(places, account)
    account.rds.add_tags_to_resource(ResourceName=origin, Tags=[{"Key": "a", "Value": "b"}])
    assert the(account.rds)["TagList"] == [{"Key": "a", "Value": "b"}]
    account.rds.remove_tags_from_resource(ResourceName=origin, TagKeys=["a"])
    assert the(account.rds)["TagList"] == []


def test_every_snapshot_of_a_cluster_is_stored_in_full(places: Places) -> None:
    account = with_cluster(places)
    arns = [done(places, account, "one"), done(places, account, "two")]
    truth = {one["arn"]: one for one in places.lab.client.truth()}
    assert {(truth[one]["stored"], truth[one]["rule"]) for one in arns} == {
        ("full", "cluster_snapshot")
    }


def test_tags_of_a_cluster_go_to_its_snapshots_where_it_says_so(places: Places) -> None:
    account = with_cluster(places, CopyTagsToSnapshot=True, Tags=[{"Key": "tier", "Value": "gold"}])
    done(places, account)
    assert the(account.rds)["TagList"] == [{"Key": "tier", "Value": "gold"}]
