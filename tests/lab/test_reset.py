"""One lab process serves many worlds, one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from engine.lab.callers import SECRET, access_key_of
from engine.lab.errors import LabError
from engine.lab.estates import PROD, VAULT, small
from engine.lab.process import LabProcess
from tests.lab.places import IRELAND, SESSION, Account

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def lab() -> Iterator[LabProcess]:
    with LabProcess.start(small(), speed=0, at=START) as running:
        yield running


def test_a_reset_leaves_nothing_of_the_world_before(lab: LabProcess) -> None:
    lab.client.reset(START, small())
    prod = Account(lab, PROD)
    given = prod.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{VAULT}:role/backup-engine", RoleSessionName="tests"
    )
    assert given["Credentials"]
    prod.client("s3").create_bucket(
        Bucket="books", CreateBucketConfiguration={"LocationConstraint": IRELAND}
    )
    prod.client("s3").put_object(Bucket="books", Key="one", Body=b"text")
    prod.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="orders-1")
    prod.rds.describe_events(Duration=60)
    lab.client.change_settings(manual_snapshots=3)
    lab.client.add_fault("reset", operation="DeleteDBSnapshot")
    assert lab.client.reset() == START
    assert lab.client.accounts() == []
    assert lab.client.calls() == lab.client.truth() == lab.client.faults() == []
    assert lab.client.settings()["manual_snapshots"] == 100
    assert lab.client.expire_sessions() == 0
    assert prod.names() == []
    assert prod.rds.describe_db_instances()["DBInstances"] == []
    assert prod.client("s3").list_buckets()["Buckets"] == []
    assert prod.rds.describe_events(Duration=60)["Events"] == []
    # What was on its way in the old world does not arrive in the new one.
    lab.client.forward(60)
    assert prod.names() == []


def test_the_clock_may_go_back_in_a_reset_only(lab: LabProcess) -> None:
    lab.client.reset(START)
    with pytest.raises(LabError, match="cannot go back"):
        lab.client.move_to(START - timedelta(days=1))
    assert lab.client.reset(START - timedelta(days=300)) == START - timedelta(days=300)
    assert lab.client.now() == START - timedelta(days=300)


def test_a_world_is_replaced_by_a_seeds_though_the_clock_runs(lab: LabProcess) -> None:
    for _ in range(3):
        lab.client.run_at(10_000)
        seed = {**small(), "at": START.isoformat()}
        assert lab.client.reset(seed=seed) == START
        assert lab.client.about()["speed"] == 10_000
        lab.client.run_at(0)
        prod = Account(lab, PROD)
        [instance] = prod.rds.describe_db_instances()["DBInstances"]
        assert instance["DBInstanceIdentifier"] == "orders-1"


def test_the_same_seed_gives_the_same_world_again(lab: LabProcess) -> None:
    resources = []
    for _ in range(2):
        lab.client.reset(START, small())
        prod = Account(lab, PROD)
        resources.append(prod.rds.describe_db_instances()["DBInstances"][0]["DbiResourceId"])
    assert resources[0] == resources[1]


def test_a_bad_reset_changes_nothing(lab: LabProcess) -> None:
    lab.client.reset(START, small())
    with pytest.raises(LabError, match="seed is not valid"):
        lab.client.reset(seed={"colour": 1})
    with pytest.raises(LabError, match="give at, seed or none"):
        lab.client._ask("POST", "/reset", {"speed": 1})
    assert len(Account(lab, PROD).rds.describe_db_instances()["DBInstances"]) == 1


def test_a_call_of_a_world_that_is_gone_does_not_reach_the_next(lab: LabProcess) -> None:
    lab.client.reset(START, small())
    lab.client.add_fault("delay", operation="CreateDBSnapshot", seconds=1)
    rds = SESSION.client(
        "rds",
        region_name=IRELAND,
        endpoint_url=lab.endpoint,
        aws_access_key_id=access_key_of(PROD),
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}),
    )
    ended: list[str] = []

    def call() -> None:
        try:
            rds.create_db_snapshot(DBSnapshotIdentifier="late", DBInstanceIdentifier="orders-1")
        except ConnectionClosedError as error:
            ended.append(type(error).__name__)

    thread = threading.Thread(target=call)
    thread.start()
    deadline = time.monotonic() + 10
    while not lab.client.faults()[0]["fired"] and time.monotonic() < deadline:
        time.sleep(0.02)
    lab.client.reset(START, small())
    thread.join()
    assert ended == ["ConnectionClosedError"]
    assert Account(lab, PROD).names() == []
