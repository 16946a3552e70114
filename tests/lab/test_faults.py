"""Faults as a plain boto3 client meets them, and what the lab's records say of them."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError

from engine.lab.callers import SECRET, access_key_of
from engine.lab.errors import LabError
from engine.lab.faults import Kind
from engine.lab.process import LabProcess
from tests.lab.conftest import Refusing
from tests.lab.places import FRANKFURT, IRELAND, SESSION, Account, Places

ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=20)
COPY, CREATE = "CopyDBSnapshot", "CreateDBSnapshot"


@pytest.fixture(scope="module")
def own() -> Iterator[LabProcess]:
    """A lab whose faults strike nobody else."""
    with LabProcess.start(speed=0, at=datetime(2026, 3, 2, 12, tzinfo=UTC)) as running:
        yield running


@pytest.fixture
def places(own: LabProcess) -> Iterator[Places]:
    before = own.client.settings()
    yield Places(own)
    own.client.clear_faults()
    own.client.change_settings(**before)


@pytest.fixture
def account(places: Places) -> Account:
    return places.account({})


def once(account: Account, service: str = "rds", region: str = IRELAND, **more: Any) -> Any:
    """Return a client that tries once."""
    return SESSION.client(
        service,
        region_name=region,
        endpoint_url=account.lab.endpoint,
        aws_access_key_id=access_key_of(account.id),
        aws_secret_access_key=SECRET,
        config=ONCE.merge(Config(**more)),
    )


def create(account: Account, name: str = "one") -> Any:
    return once(account).create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier="db")


def last(account: Account) -> dict[str, Any]:
    """Return the last recorded call of an account."""
    return [one for one in account.lab.client.calls() if one["account"] == account.id][-1]


def record(account: Account) -> tuple[str, int, bool, str | None]:
    """Return how the last call ended: outcome, status, applied, fault."""
    call = last(account)
    return call["outcome"], call["status"], call["applied"], call["fault"]


@pytest.mark.parametrize(
    ("code", "status"),
    [("Throttling", 400), ("ThrottlingException", 400), ("RequestLimitExceeded", 503)],
)
def test_a_throttled_call_is_refused_with_the_code_that_was_asked_for(
    account: Account, refused: Refusing, code: str, status: int
) -> None:
    fault = account.lab.client.add_fault("throttle", account=account.id, code=code)
    with refused(code, "Rate exceeded", status=status):
        create(account)
    assert record(account) == (code, status, False, fault)
    account.lab.client.clear_faults()
    assert account.names() == []


def test_throttle_codes_are_taken_in_turn(account: Account) -> None:
    account.lab.client.add_fault("throttle", account=account.id, count=4)
    codes = []
    for _ in range(4):
        with pytest.raises(ClientError) as raised:
            create(account)
        codes.append(raised.value.response["Error"]["Code"])
    expected = ["Throttling", "ThrottlingException", "RequestLimitExceeded", "Throttling"]
    assert codes == expected
    create(account)


def test_the_state_in_s3_meets_faults_in_s3s_words(account: Account, refused: Refusing) -> None:
    s3, bucket = once(account, "s3"), f"b-{account.id}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": IRELAND})
    put = {"Bucket": bucket, "Key": "lock", "Body": b"mine", "IfNoneMatch": "*"}
    account.lab.client.add_fault("throttle", service="s3", operation="PutObject", count=1)
    with refused("SlowDown", status=503):
        s3.put_object(**put)
    account.lab.client.add_fault("server_error", service="s3", resource=f"{bucket}/*", count=1)
    with refused("InternalError", status=500):
        s3.put_object(**put)
    account.lab.client.add_fault("lost_reply", service="s3", operation="PutObject", count=1)
    with pytest.raises(ConnectionClosedError):
        s3.put_object(**put)
    with refused("PreconditionFailed"):
        s3.put_object(**put)
    account.lab.client.add_fault("truncate", service="s3", operation="GetObject", count=1)
    with pytest.raises(ResponseStreamingError):
        s3.get_object(Bucket=bucket, Key="lock")["Body"].read()
    account.lab.client.add_fault("access_denied", service="s3", operation="HeadObject", count=1)
    with refused("403", status=403):
        s3.head_object(Bucket=bucket, Key="lock")


def test_botocores_own_retries_get_past_throttling(account: Account) -> None:
    fault = account.lab.client.add_fault("throttle", account=account.id, count=2)
    assert len(account.rds.describe_db_instances()["DBInstances"]) == 1
    [armed] = account.lab.client.faults()
    assert (armed["id"], armed["fired"]) == (fault, 2)


@pytest.mark.parametrize(
    ("status", "code"), [(500, "InternalFailure"), (503, "ServiceUnavailable")]
)
def test_a_server_error_comes_before_or_after_the_call_is_applied(
    account: Account, refused: Refusing, status: int, code: str
) -> None:
    client = account.lab.client
    for after in (False, True):
        client.add_fault("server_error", operation=CREATE, status=status, after=after, count=1)
        with refused(code, status=status):
            create(account, f"s-{after:d}")
        assert last(account)["applied"] is after
    assert account.names() == ["s-1"]


def test_a_reset_is_a_reset(account: Account) -> None:
    fault = account.lab.client.add_fault("reset", account=account.id, operation=CREATE)
    with pytest.raises(ConnectionClosedError):
        create(account)
    assert record(account) == ("reset", 0, False, fault)
    assert account.names() == []


def ask_raw(lab: LabProcess) -> bytes:
    """Send a call over a bare socket; return all that comes back."""
    host, _, port = lab.endpoint.removeprefix("http://").partition(":")
    body = b"Action=AssumeRoleWithSAML"
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
        return b"".join(parts)


def test_connections_end_as_each_kind_says(places: Places) -> None:
    client, only = places.lab.client, {"operation": "AssumeRoleWithSAML", "count": 1}
    client.add_fault("reset", **only)
    with pytest.raises(ConnectionResetError):
        ask_raw(places.lab)
    client.add_fault("reset", after=True, **only)
    with pytest.raises(ConnectionResetError):
        ask_raw(places.lab)
    client.add_fault("lost_reply", **only)
    assert ask_raw(places.lab) == b""
    client.add_fault("truncate", **only)
    head, _, body = ask_raw(places.lab).partition(b"\r\n\r\n")
    [length] = re.findall(rb"content-length: (\d+)", head.lower())
    assert 0 < len(body) < int(length)


def test_a_lost_reply_is_of_a_call_that_was_applied(account: Account) -> None:
    fault = account.lab.client.add_fault("lost_reply", account=account.id, operation=CREATE)
    with pytest.raises(ConnectionClosedError):
        create(account)
    assert record(account) == ("lost_reply", 0, True, fault)
    assert account.names() == ["one"]
    with pytest.raises(ConnectionClosedError):
        create(account)
    assert record(account) == ("lost_reply", 0, False, fault)


def test_botocores_own_retry_after_a_lost_reply_meets_what_it_made(
    account: Account, refused: Refusing
) -> None:
    account.lab.client.add_fault("lost_reply", account=account.id, operation=CREATE, count=1)
    with refused("DBSnapshotAlreadyExists"):
        account.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="db")


def test_a_truncated_answer_is_shorter_than_it_says(account: Account) -> None:
    fault = account.lab.client.add_fault("truncate", account=account.id, operation=CREATE)
    with pytest.raises((ResponseStreamingError, HTTPClientError, ResponseParserError)):
        create(account)
    assert record(account) == ("truncate", 200, True, fault)
    assert account.names() == ["one"]


@pytest.mark.parametrize("after", [False, True])
def test_garbage_is_no_answer_of_the_api(account: Account, after: bool) -> None:
    fault = account.lab.client.add_fault(
        "garbage", account=account.id, operation=CREATE, body="noise", after=after
    )
    with pytest.raises(ResponseParserError):
        create(account)
    assert record(account) == ("garbage", 200, after, fault)
    assert account.names() == ["one"] * after


def test_a_proxys_page_is_an_error_without_a_code_of_the_api(account: Account) -> None:
    account.lab.client.add_fault("garbage", account=account.id, operation=CREATE, status=502)
    with pytest.raises(ClientError) as raised:
        create(account)
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502
    assert raised.value.response["Error"]["Code"] == "502"
    assert record(account)[:3] == ("garbage", 502, False)


def test_a_page_that_passes_for_xml_gets_through_botocores_parser(account: Account) -> None:
    account.lab.client.add_fault("garbage", account=account.id, operation=CREATE, body="html")
    with pytest.raises(KeyError, match="CreateDBSnapshotResult"):
        create(account)
    assert record(account)[:3] == ("garbage", 200, False)


@pytest.mark.parametrize("after", [False, True])
def test_a_delayed_call_is_applied_though_the_client_has_given_up(
    account: Account, after: bool
) -> None:
    fault = account.lab.client.add_fault(
        "delay", account=account.id, operation=CREATE, seconds=0.6, after=after
    )
    with pytest.raises(ReadTimeoutError):
        once(account, read_timeout=0.2).create_db_snapshot(
            DBSnapshotIdentifier="one", DBInstanceIdentifier="db"
        )
    assert account.names() == ["one"] * after
    deadline = time.monotonic() + 10
    while account.names() != ["one"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert account.names() == ["one"]
    [call] = [one for one in account.lab.client.calls() if one["fault"] == fault]
    assert (call["outcome"], call["applied"]) == ("ok", True)


def test_others_are_answered_while_a_delayed_call_waits(account: Account) -> None:
    account.lab.client.add_fault("delay", account=account.id, operation=CREATE, seconds=1.5)
    with pytest.raises(ReadTimeoutError):
        once(account, read_timeout=0.1).create_db_snapshot(
            DBSnapshotIdentifier="one", DBInstanceIdentifier="db"
        )
    start = time.monotonic()
    assert account.names() == []
    account.lab.client.faults()
    assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("rds", "describe_db_instances", "AccessDenied", 403),
        ("kms", "list_keys", "AccessDeniedException", 400),
        ("ec2", "describe_availability_zones", "UnauthorizedOperation", 403),
        ("s3", "list_buckets", "AccessDenied", 403),
    ],
)
def test_access_is_denied_in_each_apis_own_words(
    account: Account, refused: Refusing, service: str, call: str, code: str, status: int
) -> None:
    account.lab.client.add_fault("access_denied", account=account.id, service=service)
    with refused(code, "is not authorized to perform", status=status):
        getattr(once(account, service), call)()
    assert record(account)[:3] == (code, status, False)


def test_a_role_may_be_denied_and_others_not(places: Places, refused: Refusing) -> None:
    account = places.account(roles={"backup-engine": None, "backup-reader": None})
    arn = f"arn:aws:iam::{account.id}:role/"
    places.lab.client.add_fault("access_denied", operation="AssumeRole", resource="*/backup-engine")
    sts = once(account, "sts")
    with refused("AccessDenied", "sts:AssumeRole", "backup-engine", status=403):
        sts.assume_role(RoleArn=f"{arn}backup-engine", RoleSessionName="tests")
    sts.assume_role(RoleArn=f"{arn}backup-reader", RoleSessionName="tests")


def test_the_calls_of_one_role_may_be_denied(places: Places, refused: Refusing) -> None:
    account = places.account({}, roles={"backup-reader": None})
    given = once(account, "sts").assume_role(
        RoleArn=f"arn:aws:iam::{account.id}:role/backup-reader", RoleSessionName="tests"
    )["Credentials"]
    reader = SESSION.client(
        "rds",
        region_name=IRELAND,
        endpoint_url=account.lab.endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    places.lab.client.add_fault("access_denied", account=account.id, role="backup-reader")
    with refused("AccessDenied", f"{account.id}:role/backup-reader"):
        reader.describe_db_instances()
    assert last(account)["role"] == "backup-reader"
    assert len(account.rds.describe_db_instances()["DBInstances"]) == 1


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("rds", "describe_db_instances", "ExpiredToken"),
        ("kms", "list_keys", "ExpiredTokenException"),
        ("ec2", "describe_availability_zones", "RequestExpired"),
    ],
)
def test_credentials_are_expired_in_each_apis_own_words(
    account: Account, refused: Refusing, service: str, call: str, code: str
) -> None:
    account.lab.client.add_fault("expired_credentials", account=account.id)
    with refused(code, "expired", status=403):
        getattr(once(account, service), call)()


def test_both_quotas_have_one_code_and_two_messages(places: Places, refused: Refusing) -> None:
    account, client = places.account({}), places.lab.client
    client.change_settings(manual_snapshots=40, copies_in_flight=5)
    places.snapshot(account, "one")
    order = {"SourceDBSnapshotIdentifier": "one", "TargetDBSnapshotIdentifier": "two"}
    client.add_fault("quota_total", account=account.id)
    with refused("SnapshotQuotaExceeded", "Cannot create more than 40 manual", status=400):
        create(account, "two")
    with refused("SnapshotQuotaExceeded", "Cannot create more than 40 manual", status=400):
        once(account).copy_db_snapshot(**order)
    client.clear_faults()
    client.add_fault("quota_in_flight", account=account.id)
    create(account, "two")
    order["TargetDBSnapshotIdentifier"] = "three"
    with refused("SnapshotQuotaExceeded", "Cannot copy more than 5 snapshots across regions"):
        once(account).copy_db_snapshot(**order)


def test_a_key_is_not_accessible(places: Places, refused: Refusing) -> None:
    account = places.account({})
    places.snapshot(account, "one")
    places.lab.client.add_fault("key_not_accessible", account=account.id)
    with refused("KMSKeyNotAccessibleFault", status=400):
        once(account).copy_db_snapshot(
            SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="two"
        )
    assert account.names() == ["one"]


@pytest.mark.parametrize("status", [None, 503])
def test_a_region_is_down_for_a_while_and_others_are_not(
    places: Places, account: Account, status: int | None
) -> None:
    more = {} if status is None else {"status": status}
    places.lab.client.add_fault(
        "region_down", account=account.id, region=IRELAND, lasts=600, **more
    )
    expected = ClientError if status else (ConnectionClosedError, HTTPClientError)
    for service, call in (("rds", "describe_db_instances"), ("kms", "list_keys")):
        with pytest.raises(expected):
            getattr(once(account, service), call)()
    once(account, region=FRANKFURT).describe_db_instances()
    places.pass_time(599)
    with pytest.raises(expected):
        once(account).describe_db_instances()
    places.pass_time(1)
    once(account).describe_db_instances()


def test_a_copy_that_fails_is_accepted_and_fails_halfway(places: Places) -> None:
    account = places.account({})
    places.snapshot(account, "one")
    fault = places.lab.client.add_fault("copy_fails", account=account.id)
    once(account).copy_db_snapshot(
        SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="two"
    )
    assert record(account) == ("ok", 200, True, fault)
    assert account.status("two") == "copying"
    half = places.lab.client.settings()["copy_seconds"] / 2
    places.pass_time(half - 0.1)
    assert account.status("two") == "copying"
    places.pass_time(0.1)
    assert account.status("two") == "failed"
    assert account.status("one") == "available"
    told = places.stored(account.arn("two"))
    assert (told["completed"], told["exists"], told["deleted_at"]) == (False, False, None)
    assert told["failed_at"] is not None
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="two")
    assert places.stored(account.arn("two"))["deleted_by"] == account.id
    assert account.names() == ["one"]


def test_a_snapshot_that_fails_frees_its_instance_and_is_no_base(places: Places) -> None:
    account = places.account({"retention_days": 0})
    places.lab.client.add_fault("snapshot_fails", account=account.id, count=1)
    places.snapshot(account, "one")
    assert account.status("one") == "failed"
    places.snapshot(account, "two")
    assert account.status("two") == "available"
    assert places.stored(account.arn("two"))["stored"] == "full"


def test_what_is_invisible_is_found_by_nothing_but_deletes_and_quotas(
    places: Places, refused: Refusing
) -> None:
    account = places.account({"retention_days": 0})
    rds = once(account)
    places.lab.client.add_fault("invisible", account=account.id, seconds=60, count=1)
    create(account)
    places.pass_time(59)
    named, arn = {"DBSnapshotIdentifier": "one"}, {"ResourceName": account.arn("one")}
    share = {**named, "AttributeName": "restore", "ValuesToAdd": ["2" * 12]}
    copy = {"SourceDBSnapshotIdentifier": "one", "TargetDBSnapshotIdentifier": "two"}
    assert account.names() == []
    for call, parameters in (
        (rds.describe_db_snapshots, named),
        (rds.add_tags_to_resource, {**arn, "Tags": [{"Key": "a", "Value": "b"}]}),
        (rds.list_tags_for_resource, arn),
        (rds.describe_db_snapshot_attributes, named),
        (rds.modify_db_snapshot_attribute, share),
        (rds.copy_db_snapshot, copy),
    ):
        with refused("DBSnapshotNotFound"):
            call(**parameters)
    with refused("DBSnapshotAlreadyExists"):
        create(account)
    quotas = rds.describe_account_attributes()["AccountQuotas"]
    assert {one["AccountQuotaName"]: one["Used"] for one in quotas}["ManualSnapshots"] == 1
    places.pass_time(1)
    assert account.names() == ["one"]
    places.lab.client.add_fault("invisible", account=account.id, seconds=60)
    create(account, "two")
    places.pass_time(10)
    rds.delete_db_snapshot(DBSnapshotIdentifier="two")
    places.pass_time(60)
    assert account.names() == ["one"]


def test_bad_faults_are_refused_with_what_is_allowed(places: Places) -> None:
    client = places.lab.client
    for fields, words in (
        ({"kind": "flood"}, "throttle, server_error, reset"),
        ({"kind": "throttle", "colour": 1}, "known are kind, account"),
        ({"kind": "throttle", "seconds": 1}, "has no 'seconds'"),
        ({"kind": "throttle", "code": "No"}, "RequestLimitExceeded"),
        ({"kind": "throttle", "probability": 2}, "probability"),
        ({"kind": "throttle", "count": 0}, "count"),
        ({"kind": "server_error", "status": 404}, "500 or 503"),
        ({"kind": "garbage", "body": "poem"}, "body"),
        ({"kind": "delay"}, "give `seconds`"),
        ({"kind": "region_down"}, "give `region`"),
        ({"kind": "copy_fails", "operation": CREATE}, COPY),
        ({"kind": "stop"}, "give `instance`"),
        ({"kind": "stop", "instance": "db"}, "111111111111/eu-west-1/orders-1"),
        ({"kind": "rename", "instance": "a/b/c"}, "give `name`"),
    ):
        with pytest.raises(LabError, match=words):
            client.add_faults([{"kind": "reset", "count": 1}, fields])
    with pytest.raises(LabError, match="is no fault"):
        client._ask("POST", "/faults", ["reset"])
    assert client.faults() == []


def test_the_page_of_the_lab_names_every_kind() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lab.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert set(Kind) <= named
