"""What the lab records of each call, and what the truth tells of each snapshot's life."""

from __future__ import annotations

from typing import Any

from engine.lab.asking import resource_of
from tests.lab.places import IRELAND, SESSION, Account, Places


def recorded(account: Account) -> list[tuple[str, str]]:
    calls = account.lab.client.calls()
    return [(one["operation"], one["resource"]) for one in calls if one["account"] == account.id]


def test_each_call_is_recorded_with_what_it_is_about(places: Places) -> None:
    account = places.account({})
    rds, arn = account.rds, account.arn("one")
    places.snapshot(account, "one")
    share: dict[str, Any] = {"AttributeName": "restore", "ValuesToAdd": ["2" * 12]}
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "b c"}])
    rds.modify_db_snapshot_attribute(DBSnapshotIdentifier="one", **share)
    rds.copy_db_snapshot(SourceDBSnapshotIdentifier=arn, TargetDBSnapshotIdentifier="two")
    rds.describe_db_instances()
    rds.describe_db_instances(DBInstanceIdentifier="db")
    rds.delete_db_snapshot(DBSnapshotIdentifier="one")
    s3, bucket = account.client("s3"), f"b-{account.id}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": IRELAND})
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"DBSnapshotIdentifier=no")
    key = account.kms.create_key()["KeyMetadata"]["KeyId"]
    account.kms.describe_key(KeyId=key)
    role = f"arn:aws:iam::{account.id}:role/any"
    account.client("sts").get_caller_identity()
    account.client("sts").assume_role(RoleArn=role, RoleSessionName="tests")
    assert recorded(account) == [
        ("CreateDBSnapshot", "one"),
        ("AddTagsToResource", arn),
        ("ModifyDBSnapshotAttribute", "one"),
        ("CopyDBSnapshot", "two"),
        ("DescribeDBInstances", ""),
        ("DescribeDBInstances", "db"),
        ("DeleteDBSnapshot", "one"),
        ("CreateBucket", bucket),
        ("PutObject", f"{bucket}/a/b"),
        ("CreateKey", ""),
        ("DescribeKey", key),
        ("GetCallerIdentity", ""),
        ("AssumeRole", role),
    ]


def test_a_call_that_no_fault_strikes_says_so(places: Places, refused: Any) -> None:
    account = places.account({})
    with refused("DBSnapshotNotFound"):
        account.rds.delete_db_snapshot(DBSnapshotIdentifier="one")
    account.rds.describe_db_instances()
    told = [
        (one["applied"], one["fault"])
        for one in account.lab.client.calls()
        if one["account"] == account.id
    ]
    assert told == [(False, None), (True, None)]


def test_what_a_body_that_is_no_text_is_about_is_not_guessed() -> None:
    assert resource_of({}, b"DBSnapshotIdentifier=%FF%FE&x=\xff", "rds") == "\ufffd\ufffd"
    assert resource_of({}, b'{"KeyId": "\xff"}', "kms") == "\ufffd"
    assert resource_of({}, b"\x00\x01", "rds") == ""


def test_the_truth_tells_a_snapshots_life(places: Places) -> None:
    account = places.account({})
    begun = places.lab.client.now()
    arn = places.snapshot(account, "one")
    told = places.stored(arn)
    assert told["begun_at"] == f"{begun:%Y-%m-%dT%H:%M:%SZ}"
    assert told["completed_at"] > told["begun_at"]
    assert (told["failed_at"], told["deleted_at"], told["deleted_by"]) == (None, None, None)
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="one")
    told = places.stored(arn)
    assert told["deleted_at"] == f"{places.lab.client.now():%Y-%m-%dT%H:%M:%SZ}"
    assert told["deleted_by"] == account.id
    order = told["order"]
    assert order["begun"] < order["completed"] < order["deleted"]
    assert order["failed"] is None


def test_the_truth_tells_which_role_deleted_and_what_aws_did_itself(places: Places) -> None:
    account = places.account({"retention_days": 1, "backup_window": "03:00-03:30"})
    given = account.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account.id}:role/backup-engine", RoleSessionName="tests"
    )["Credentials"]
    arn = places.snapshot(account, "one")
    as_role(places, given).delete_db_snapshot(DBSnapshotIdentifier="one")
    assert places.stored(arn)["deleted_by"] == f"{account.id}/backup-engine"
    places.pass_time(3 * 86_400)
    own = [one for one in places.lab.client.truth() if one["account"] == account.id]
    expired = [one for one in own if ":snapshot:rds:" in one["arn"] and one["deleted_at"]]
    assert expired
    assert {one["deleted_by"] for one in expired} == {None}


def as_role(places: Places, given: Any) -> Any:
    return SESSION.client(
        "rds",
        region_name=IRELAND,
        endpoint_url=places.lab.endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def test_seeded_snapshots_were_stored_when_they_were_made(places: Places) -> None:
    account = places.account(
        {}, snapshots=[{"identifier": "old", "created": "2026-01-01T00:00:00Z"}]
    )
    told = places.stored(account.arn("old"))
    assert told["begun_at"] == told["completed_at"] == "2026-01-01T00:00:00Z"
