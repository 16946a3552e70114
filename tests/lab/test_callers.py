"""Who may call: sessions, signatures, unknown keys; and calls that there are not."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from typing import Any

import pytest

from engine.lab.callers import UNKNOWN_ACCOUNT
from tests.lab.conftest import Refusing
from tests.lab.places import SESSION, Account, Places


def _stranger(places: Places, service: str, key: str = "testing", token: str | None = None) -> Any:
    return SESSION.client(
        service,
        region_name="eu-west-1",
        endpoint_url=places.lab.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key="whatever",
        aws_session_token=token,
    )


def _assume(places: Places, account: Account, **more: Any) -> dict[str, str]:
    answer = _stranger(places, "sts").assume_role(
        RoleArn=f"arn:aws:iam::{account.id}:role/backup-engine",
        RoleSessionName="engine-acme",
        **more,
    )
    credentials: dict[str, str] = answer["Credentials"]
    return credentials


def _client(places: Places, credentials: dict[str, str], service: str) -> Any:
    return SESSION.client(
        service,
        region_name="eu-west-1",
        endpoint_url=places.lab.endpoint,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_an_assumed_role_acts_in_its_account(places: Places) -> None:
    account, other = places.account({}), places.account()
    credentials = _assume(places, account)
    assert _client(places, credentials, "sts").get_caller_identity()["Account"] == account.id
    instances = _client(places, credentials, "rds").describe_db_instances()["DBInstances"]
    assert [one["DBInstanceIdentifier"] for one in instances] == ["db"]
    assert other.rds.describe_db_instances()["DBInstances"] == []


def test_roles_and_external_ids_are_checked(places: Places, refused: Refusing) -> None:
    account = places.account(roles={"backup-engine": "let-me-in", "other": None})
    for wrong in ({}, {"ExternalId": "something-else"}):
        with refused("AccessDenied", "sts:AssumeRole", status=403):
            _assume(places, account, **wrong)
    assert _assume(places, account, ExternalId="let-me-in")["AccessKeyId"]
    unknown = Account(places.lab, "888888888888")
    with refused("AccessDenied", status=403):
        _assume(places, unknown)


def test_expired_sessions_are_turned_away_in_each_protocol(
    places: Places, refused: Refusing
) -> None:
    credentials = _assume(places, places.account())
    places.lab.client.expire_sessions()
    with refused("ExpiredToken", status=403):
        _client(places, credentials, "rds").describe_db_instances()
    with refused("ExpiredTokenException", status=403):
        _client(places, credentials, "kms").list_keys()
    with refused("RequestExpired", status=403):
        _client(places, credentials, "ec2").describe_availability_zones()


def test_a_wrong_secret_or_token_is_turned_away(places: Places, refused: Refusing) -> None:
    credentials = _assume(places, places.account())
    with refused("SignatureDoesNotMatch", status=403):
        _client(places, {**credentials, "SecretAccessKey": "wrong"}, "rds").describe_events()
    with refused("InvalidClientTokenId", status=403):
        _client(places, {**credentials, "SessionToken": "wrong"}, "rds").describe_events()


def test_unknown_keys_do_nothing_and_their_account_stays_empty(
    places: Places, refused: Refusing
) -> None:
    rds = _stranger(places, "rds")
    with refused("InvalidClientTokenId", status=403):
        rds.describe_db_instances()
    with refused("InvalidClientTokenId", status=403):
        rds.create_db_instance(
            DBInstanceIdentifier="db", DBInstanceClass="db.r6g.large", Engine="postgres"
        )
    with refused("AccessDenied", status=403):
        _assume(places, Account(places.lab, UNKNOWN_ACCOUNT))
    held = [one for one in places.lab.client.accounts() if one["account"] == UNKNOWN_ACCOUNT]
    assert all((one["instances"], one["snapshots"]) == (0, 0) for one in held)


def test_unsigned_requests_are_turned_away(places: Places) -> None:
    request = urllib.request.Request(places.lab.endpoint, data=b"Action=DescribeDBInstances")
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    assert raised.value.code == 403


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("rds", "describe_certificates", {}, "InvalidAction"),
        ("rds", "describe_reserved_db_instances", {}, "InvalidAction"),
        ("ec2", "describe_verified_access_groups", {}, "InvalidAction"),
        ("kms", "describe_custom_key_stores", {}, "UnknownOperationException"),
        ("backup", "list_backup_jobs", {}, "UnknownOperationException"),
        ("sts", "get_delegated_access_token", {"TradeInToken": "t"}, "InvalidAction"),
    ],
)
def test_calls_that_there_are_not_answer_in_the_apis_own_format(
    places: Places, refused: Refusing, service: str, operation: str, parameters: Any, code: str
) -> None:
    client = places.account().client(service)
    with refused(code, status=400):
        getattr(client, operation)(**parameters)


def test_conditional_writes_have_one_winner(places: Places) -> None:
    """S3 User Guide, Conditional requests: lock records depend on it."""
    from botocore.exceptions import ClientError

    s3 = places.account().client("s3")
    bucket = "locks-of-a-test"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    before = s3.put_object(Bucket=bucket, Key="lock", Body=b"free")["ETag"]
    outcomes: list[str] = []

    def take(number: int) -> None:
        try:
            s3.put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfMatch=before)
            outcomes.append("won")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PreconditionFailed"] * 7 + ["won"]


def test_calls_are_recorded_with_caller_and_outcome(places: Places, refused: Refusing) -> None:
    account = places.account({})
    places.lab.client.forget_calls()
    account.rds.describe_db_instances()
    with refused("DBSnapshotNotFound"):
        account.rds.delete_db_snapshot(DBSnapshotIdentifier="none")
    account.kms.list_keys()
    calls = places.lab.client.calls()
    assert [(one["service"], one["operation"], one["outcome"]) for one in calls] == [
        ("rds", "DescribeDBInstances", "ok"),
        ("rds", "DeleteDBSnapshot", "DBSnapshotNotFound"),
        ("kms", "ListKeys", "ok"),
    ]
    assert {(one["account"], one["region"]) for one in calls} == {(account.id, "eu-west-1")}
    assert calls[1]["status"] == 404
    places.lab.client.forget_calls()
    assert places.lab.client.calls() == []
