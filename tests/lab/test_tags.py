"""Tags by ARN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.conftest import Refusing
from tests.lab.places import FRANKFURT, Places

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import TagTypeDef

ONE = {"identifier": "one", "created": "2026-01-01T00:00:00Z"}


def test_tags_are_set_replaced_and_removed(places: Places) -> None:
    account = places.account({"tags": {"a": "1"}})
    arn = account.rds.describe_db_instances()["DBInstances"][0]["DBInstanceArn"]
    account.rds.add_tags_to_resource(
        ResourceName=arn, Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}]
    )
    account.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["b"])
    tags = account.rds.list_tags_for_resource(ResourceName=arn)["TagList"]
    assert tags == [{"Key": "a", "Value": "2"}]
    assert account.rds.describe_db_instances()["DBInstances"][0]["TagList"] == tags


def test_the_arns_account_and_region_are_checked(places: Places, refused: Refusing) -> None:
    owner, other = places.account({}, snapshots=[ONE]), places.account({}, snapshots=[ONE])
    tags: list[TagTypeDef] = [{"Key": "a", "Value": "b"}]
    with refused("InvalidParameterValue", "in this region"):
        other.rds.add_tags_to_resource(ResourceName=owner.arn("one"), Tags=tags)
    with refused("InvalidParameterValue", "in this region"):
        other.rds.list_tags_for_resource(ResourceName=owner.arn("one"))
    with refused("InvalidParameterValue", "in this region"):
        owner.rds_in(FRANKFURT).remove_tags_from_resource(
            ResourceName=owner.arn("one"), TagKeys=["a"]
        )
    with refused("InvalidParameterValue", "Invalid resource name"):
        owner.rds.list_tags_for_resource(ResourceName="one")


def test_what_is_not_there_has_no_tags(places: Places, refused: Refusing) -> None:
    account = places.account()
    with refused("DBSnapshotNotFound", status=404):
        account.rds.list_tags_for_resource(ResourceName=account.arn("one"))
    with refused("DBInstanceNotFound", status=404):
        account.rds.list_tags_for_resource(
            ResourceName=account.arn("one").replace(":snapshot:", ":db:")
        )


@pytest.mark.parametrize(
    ("key", "value"),
    [("aws:a", "b"), ("rds:a", "b"), ("a" * 129, "b"), ("a", "b" * 257), ("a", "b;c")],
)
def test_tags_that_aws_would_not_take_are_refused(
    places: Places, refused: Refusing, key: str, value: str
) -> None:
    account = places.account({}, snapshots=[ONE])
    tags: list[TagTypeDef] = [{"Key": key, "Value": value}]
    with refused("InvalidParameterValue"):
        account.rds.add_tags_to_resource(ResourceName=account.arn("one"), Tags=tags)
    with refused("InvalidParameterValue"):
        account.rds.create_db_snapshot(
            DBSnapshotIdentifier="two", DBInstanceIdentifier="db", Tags=tags
        )


def test_a_resource_has_fifty_tags_at_most(places: Places, refused: Refusing) -> None:
    account = places.account({}, snapshots=[ONE])
    arn = account.arn("one")
    fifty: list[TagTypeDef] = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    account.rds.add_tags_to_resource(ResourceName=arn, Tags=fifty)
    account.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "k0", "Value": "new"}])
    with refused("InvalidParameterValue", "50"):
        account.rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "one", "Value": "more"}])
