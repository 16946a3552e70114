"""Sharing snapshots with accounts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.conftest import Refusing
from tests.lab.places import FRANKFURT, Account, Places

ONE = {"identifier": "one", "created": "2026-01-01T00:00:00Z", "tags": {"secret": "yes"}}


def _share(account: Account, *accounts: str, name: str = "one") -> list[str]:
    answer = account.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=list(accounts)
    )
    return answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"][0]["AttributeValues"]


def test_the_recipient_sees_the_arn_for_identifier_and_no_tags(places: Places) -> None:
    owner, other = places.account({}, snapshots=[ONE]), places.account()
    _share(owner, other.id)
    found = other.rds.describe_db_snapshots(SnapshotType="shared", IncludeShared=True)
    assert [
        (one["DBSnapshotIdentifier"], one["DBSnapshotArn"], one["SnapshotType"], one["TagList"])
        for one in found["DBSnapshots"]
    ] == [(owner.arn("one"), owner.arn("one"), "shared", [])]
    assert owner.rds.describe_db_snapshots()["DBSnapshots"][0]["TagList"] == [
        {"Key": "secret", "Value": "yes"}
    ]


def test_shared_snapshots_are_listed_only_when_asked_for(places: Places) -> None:
    own = {"identifier": "mine", "created": "2026-01-01T00:00:00Z"}
    owner, other = places.account({}, snapshots=[ONE]), places.account({}, snapshots=[own])
    _share(owner, other.id)
    assert other.names() == ["mine"]
    assert other.names(IncludeShared=True) == ["mine", owner.arn("one")]
    assert other.names(SnapshotType="manual", IncludeShared=True) == ["mine"]
    assert other.names(FRANKFURT, SnapshotType="shared", IncludeShared=True) == []


def test_filters_apply_to_shared_snapshots_too(places: Places) -> None:
    two = {"identifier": "two", "created": "2026-01-01T00:00:00Z", "instance": "second"}
    owner = places.account({}, {"identifier": "second"}, snapshots=[ONE, two])
    other = places.account()
    _share(owner, other.id)
    _share(owner, other.id, name="two")
    shared: dict[str, Any] = {"SnapshotType": "shared", "IncludeShared": True}
    assert other.names(**shared, DBInstanceIdentifier="second") == [owner.arn("two")]
    assert other.names(**shared, DBSnapshotIdentifier=owner.arn("one")) == [owner.arn("one")]


def test_unsharing_takes_it_from_the_recipient(places: Places) -> None:
    owner, other = places.account({}, snapshots=[ONE]), places.account()
    assert _share(owner, other.id) == [other.id]
    owner.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="one", AttributeName="restore", ValuesToRemove=[other.id]
    )
    assert other.names(SnapshotType="shared", IncludeShared=True) == []
    attributes = owner.rds.describe_db_snapshot_attributes(DBSnapshotIdentifier="one")
    result = attributes["DBSnapshotAttributesResult"]
    assert result["DBSnapshotAttributes"] == [{"AttributeName": "restore", "AttributeValues": []}]


def test_a_deleted_snapshot_is_shared_no_more(places: Places) -> None:
    owner, other = places.account({}, snapshots=[ONE]), places.account()
    _share(owner, other.id)
    owner.rds.delete_db_snapshot(DBSnapshotIdentifier="one")
    assert other.names(SnapshotType="shared", IncludeShared=True) == []


def test_an_account_is_noted_once_and_only_twenty_are(places: Places, refused: Refusing) -> None:
    owner = places.account({}, snapshots=[ONE])
    accounts = [str(400_000_000_000 + number) for number in range(20)]
    assert _share(owner, *accounts) == accounts
    assert _share(owner, accounts[0]) == accounts
    with refused("SharedSnapshotQuotaExceeded", status=400):
        _share(owner, "500000000000")


@pytest.mark.parametrize("account", ["12345", "prod", "1111111111111"])
def test_odd_account_ids_are_refused(places: Places, refused: Refusing, account: str) -> None:
    owner = places.account({}, snapshots=[ONE])
    with refused("InvalidParameterValue", account):
        _share(owner, account)


def test_only_unencrypted_snapshots_are_shared_with_everybody(
    places: Places, refused: Refusing
) -> None:
    plain, other = places.account({}, snapshots=[ONE]), places.account()
    _share(plain, "all")
    assert plain.arn("one") in other.names(SnapshotType="public", IncludePublic=True)
    key = {"alias": "alias/own"}
    encrypted = places.account({"key": "alias/own"}, keys=[key], snapshots=[ONE])
    with refused("InvalidParameterValue", "encrypted"):
        _share(encrypted, "all")


def test_snapshots_under_the_default_key_cannot_be_shared(
    places: Places, refused: Refusing
) -> None:
    owner = places.account({"key": "aws/rds"}, snapshots=[ONE])
    with refused("InvalidParameterValue", "default"):
        _share(owner, "400000000000")


def test_only_available_manual_snapshots_are_shared(places: Places, refused: Refusing) -> None:
    created = "2026-01-01T00:00:00Z"
    owner = places.account(
        {},
        snapshots=[
            {"identifier": "rds:db-1", "type": "automated", "created": created},
            {"identifier": "awsbackup:job-1", "type": "awsbackup", "created": created},
        ],
    )
    for name in ("rds:db-1", "awsbackup:job-1"):
        with refused("InvalidParameterValue", "not a valid identifier"):
            _share(owner, "400000000000", name=name)
    owner.rds.create_db_snapshot(DBSnapshotIdentifier="new", DBInstanceIdentifier="db")
    with refused("InvalidDBSnapshotState"):
        _share(owner, "400000000000", name="new")


def test_an_account_is_not_added_and_removed_at_once(places: Places, refused: Refusing) -> None:
    owner = places.account({}, snapshots=[ONE])
    with refused("InvalidParameterCombination"):
        owner.rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier="one",
            AttributeName="restore",
            ValuesToAdd=["400000000000"],
            ValuesToRemove=["400000000000"],
        )
