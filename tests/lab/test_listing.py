"""Listing snapshots: pages, filters, kinds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.conftest import Refusing
from tests.lab.places import IRELAND, Account, Places

CREATED = "2026-01-01T00:00:00Z"


def _many(count: int) -> list[dict[str, Any]]:
    return [{"identifier": f"s-{number:03}", "created": CREATED} for number in range(count)]


def test_a_page_has_a_hundred_unless_asked_otherwise(places: Places) -> None:
    account = places.account({}, snapshots=_many(130))
    first = account.rds.describe_db_snapshots()
    assert len(first["DBSnapshots"]) == 100
    second = account.rds.describe_db_snapshots(Marker=first["Marker"])
    assert len(second["DBSnapshots"]) == 30
    assert second.get("Marker") is None
    assert len(account.rds.describe_db_snapshots(MaxRecords=20)["DBSnapshots"]) == 20


def test_pages_add_up_to_everything_once_and_a_last_full_page_has_no_marker(
    places: Places,
) -> None:
    account = places.account({}, snapshots=_many(60))
    assert account.names(PaginationConfig={"PageSize": 20}) == [f"s-{n:03}" for n in range(60)]
    first = account.rds.describe_db_snapshots(MaxRecords=60)
    assert "Marker" not in first


def test_what_is_deleted_or_made_between_pages_neither_skips_nor_doubles(places: Places) -> None:
    account = places.account({}, snapshots=_many(60))
    first = account.rds.describe_db_snapshots(MaxRecords=20)
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="s-000")
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="s-019")
    account.rds.create_db_snapshot(DBSnapshotIdentifier="s-0001", DBInstanceIdentifier="db")
    second = account.rds.describe_db_snapshots(MaxRecords=20, Marker=first["Marker"])
    assert second["DBSnapshots"][0]["DBSnapshotIdentifier"] == "s-020"


@pytest.mark.parametrize("size", [19, 101, 0])
def test_odd_page_sizes_are_refused(places: Places, refused: Refusing, size: int) -> None:
    account = places.account({})
    for listing in (
        account.rds.describe_db_snapshots,
        account.rds.describe_db_instances,
        account.rds.describe_db_cluster_snapshots,
        account.rds.describe_events,
    ):
        with refused("InvalidParameterValue", "MaxRecords"):
            listing(MaxRecords=size)


def test_odd_markers_are_refused(places: Places, refused: Refusing) -> None:
    account = places.account({})
    with refused("InvalidParameterValue", "marker"):
        account.rds.describe_db_snapshots(Marker="%%%")
    with refused("InvalidParameterValue", "marker"):
        account.rds.describe_db_instances(Marker="bm90IGEgbnVtYmVy")


def test_instances_and_events_come_in_pages_too(places: Places) -> None:
    account = places.account(*({"identifier": f"db-{number:02}"} for number in range(25)))
    pages = list(
        account.rds.get_paginator("describe_db_instances").paginate(
            PaginationConfig={"PageSize": 20}
        )
    )
    assert [len(page["DBInstances"]) for page in pages] == [20, 5]
    for number in range(12):
        name = f"s{number}"
        account.rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier="db-00")
        places.pass_time()
    events = account.rds.get_paginator("describe_events").paginate(
        SourceType="db-snapshot", PaginationConfig={"PageSize": 20}
    )
    assert [len(page["Events"]) for page in events] == [20, 4]


def test_cluster_snapshots_come_in_pages(places: Places) -> None:
    account = places.account()
    account.rds.create_db_cluster(
        DBClusterIdentifier="aurora",
        Engine="aurora-postgresql",
        MasterUsername="admin",
        MasterUserPassword="password-1",
    )
    for number in range(25):
        account.rds.create_db_cluster_snapshot(
            DBClusterSnapshotIdentifier=f"s-{number}", DBClusterIdentifier="aurora"
        )
    pages = account.rds.get_paginator("describe_db_cluster_snapshots").paginate(
        SnapshotType="manual", PaginationConfig={"PageSize": 20}
    )
    assert [len(page["DBClusterSnapshots"]) for page in pages] == [20, 5]


@pytest.fixture
def mixed(places: Places) -> Account:
    return places.account(
        {},
        {"identifier": "other", "engine": "mysql"},
        snapshots=[
            {"identifier": "manual", "created": CREATED},
            {"identifier": "elsewhere", "created": CREATED, "instance": "other"},
            {"identifier": "rds:db-1", "created": CREATED, "type": "automated"},
            {"identifier": "awsbackup:job-1", "created": CREATED, "type": "awsbackup"},
        ],
    )


def test_kinds_are_told_apart(mixed: Account) -> None:
    assert mixed.names() == ["awsbackup:job-1", "elsewhere", "manual", "rds:db-1"]
    assert mixed.names(SnapshotType="manual") == ["elsewhere", "manual"]
    assert mixed.names(SnapshotType="automated") == ["rds:db-1"]
    assert mixed.names(SnapshotType="awsbackup") == ["awsbackup:job-1"]


def test_an_automated_snapshot_is_found_by_name_only_with_its_type(
    mixed: Account, refused: Refusing
) -> None:
    with refused("DBSnapshotNotFound"):
        mixed.names(DBSnapshotIdentifier="rds:db-1")
    named = mixed.names(DBSnapshotIdentifier="rds:db-1", SnapshotType="automated")
    assert named == ["rds:db-1"]


def test_snapshots_are_found_by_name_and_by_arn(mixed: Account) -> None:
    assert mixed.names(DBSnapshotIdentifier="MANUAL") == ["manual"]
    assert mixed.names(DBSnapshotIdentifier=mixed.arn("manual")) == ["manual"]


def test_snapshots_are_found_by_instance_and_by_resource_id(mixed: Account) -> None:
    found = mixed.rds.describe_db_instances(DBInstanceIdentifier="other")["DBInstances"][0]
    resource = found["DbiResourceId"]
    assert mixed.names(DBInstanceIdentifier="other") == ["elsewhere"]
    assert mixed.names(DBInstanceIdentifier=found["DBInstanceArn"]) == ["elsewhere"]
    assert mixed.names(DbiResourceId=resource) == ["elsewhere"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("db-instance-id", "other", ["elsewhere"]),
        ("db-snapshot-id", "manual", ["manual"]),
        ("snapshot-type", "automated", ["rds:db-1"]),
        ("engine", "mysql", ["elsewhere"]),
        ("engine", "oracle-ee", []),
    ],
)
def test_filters_apply(mixed: Account, name: str, value: str, expected: list[str]) -> None:
    assert mixed.names(Filters=[{"Name": name, "Values": [value]}]) == expected


def test_unknown_filters_and_kinds_are_refused(mixed: Account, refused: Refusing) -> None:
    with refused("InvalidParameterValue", "colour"):
        mixed.names(Filters=[{"Name": "colour", "Values": ["red"]}])
    with refused("InvalidParameterValue", "special"):
        mixed.names(SnapshotType="special")


def test_names_that_xml_would_misread_are_told_as_they_are(places: Places) -> None:
    tag = {"a": "b & <c>"}
    seeded = [{"identifier": "one", "created": CREATED, "tags": tag}]
    account = places.account({}, snapshots=seeded)
    found = account.rds.describe_db_snapshots()["DBSnapshots"][0]
    assert found["TagList"] == [{"Key": "a", "Value": "b & <c>"}]


def test_what_changes_is_told_at_once_though_it_was_rendered_before(places: Places) -> None:
    account = places.account({}, snapshots=[{"identifier": "one", "created": CREATED}])
    assert account.rds.describe_db_snapshots()["DBSnapshots"][0]["TagList"] == []
    arn = f"arn:aws:rds:{IRELAND}:{account.id}:snapshot:one"
    account.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "b"}])
    tags = account.rds.describe_db_snapshots()["DBSnapshots"][0]["TagList"]
    assert tags == [{"Key": "a", "Value": "b"}]
    account.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["a"])
    assert account.rds.describe_db_snapshots()["DBSnapshots"][0]["TagList"] == []
