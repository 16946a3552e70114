"""The estates that ship with the lab hold what they say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.lab.acme import ANALYTICS, BUCKET, CUSTOMERS, CUSTOMERS_BEFORE, REPORTS, acme
from engine.lab.acme import NIGHT as ACME_NIGHT
from engine.lab.errors import LabError
from engine.lab.estates import PROD, VAULT
from engine.lab.history import read_history, write_history
from engine.lab.process import LabProcess
from engine.lab.seeds import read_seed
from tests.lab.places import FRANKFURT, IRELAND, Account

NIGHT = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def running() -> Iterator[LabProcess]:
    with LabProcess.start(acme(NIGHT), speed=0, at=NIGHT) as lab:
        yield lab


@pytest.fixture
def instances(running: LabProcess) -> dict[str, Any]:
    prod = Account(running, PROD)
    found = [
        *prod.rds.describe_db_instances()["DBInstances"],
        *prod.rds_in(FRANKFURT).describe_db_instances()["DBInstances"],
        *Account(running, ANALYTICS).rds.describe_db_instances()["DBInstances"],
    ]
    return {one["DBInstanceIdentifier"]: one for one in found}


@pytest.fixture
def snapshots(running: LabProcess) -> list[Any]:
    accounts = [Account(running, one) for one in (PROD, ANALYTICS)]
    return [
        one
        for account in accounts
        for page in account.rds.get_paginator("describe_db_snapshots").paginate()
        for one in page["DBSnapshots"]
    ]


def test_acme_has_engines_of_all_kinds_in_one_zone_and_in_two(instances: dict[str, Any]) -> None:
    engines = {one["Engine"] for one in instances.values()}
    assert engines == {"postgres", "mysql", "sqlserver-se", "oracle-ee"}
    assert {one["MultiAZ"] for one in instances.values()} == {True, False}
    assert {one["DBInstanceArn"].split(":")[3] for one in instances.values()} == {
        IRELAND,
        FRANKFURT,
    }


def test_acme_has_a_default_key_no_key_and_a_replica(
    running: LabProcess, instances: dict[str, Any]
) -> None:
    kms = Account(running, PROD).kms
    default = kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]
    assert instances["crm"]["KmsKeyId"] == default["Arn"]
    assert default["KeyManager"] == "AWS"
    assert instances["wiki"]["StorageEncrypted"] is False
    assert instances["shop-replica"]["ReadReplicaSourceDBInstanceIdentifier"] == "shop"


def test_acme_has_a_database_that_was_swapped_and_one_that_is_gone(
    instances: dict[str, Any], snapshots: list[Any]
) -> None:
    assert instances["customers"]["DbiResourceId"] == CUSTOMERS
    assert "reports" not in instances
    held = {one["DbiResourceId"] for one in snapshots}
    assert {CUSTOMERS, CUSTOMERS_BEFORE, REPORTS} <= held


def test_acme_has_snapshots_of_rds_of_aws_backup_and_of_people(snapshots: list[Any]) -> None:
    assert {one["SnapshotType"] for one in snapshots} == {"automated", "manual", "awsbackup"}
    assert all(one["SnapshotCreateTime"] <= NIGHT for one in snapshots)
    source = f"arn:aws:rds:{IRELAND}:{PROD}:db:orders-1"
    stolen = [
        one
        for one in snapshots
        if {"Key": "engine:source", "Value": source} in one["TagList"]
        and one["DBInstanceIdentifier"] != "orders-1"
    ]
    assert [one["DBInstanceIdentifier"] for one in stolen] == ["warehouse"]


def test_acme_has_a_history_that_ends_with_its_night() -> None:
    assert read_seed(acme()).at == ACME_NIGHT
    assert read_seed(acme(NIGHT)).at is None
    with pytest.raises(LabError, match="2026-11-21T01:05:00Z; 2026-11-20") as refused:
        acme(NIGHT - timedelta(days=1))
    assert "-at 2026-11-21T01:05:00Z" in refused.value.remedy


def test_a_folded_history_unfolds_to_what_it_was() -> None:
    snapshots = [one for one in read_seed(acme()).snapshots if one.tags.get("made-by") == "engine"]
    assert any(one.deleted for one in snapshots)
    assert any(one.copy_of for one in snapshots)
    unfolded = list(read_history(write_history(snapshots)))
    assert sorted(map(repr, unfolded)) == sorted(map(repr, snapshots))


def test_the_state_bucket_is_there(running: LabProcess) -> None:
    s3 = Account(running, VAULT).client("s3")
    assert [one["Name"] for one in s3.list_buckets()["Buckets"]] == [BUCKET]


def test_only_analytics_asks_for_an_external_id(running: LabProcess) -> None:
    from botocore.exceptions import ClientError

    sts = Account(running, PROD).client("sts")

    def assume(account: str, **more: str) -> None:
        role = f"arn:aws:iam::{account}:role/backup-engine"
        sts.assume_role(RoleArn=role, RoleSessionName="engine-acme", **more)

    assume(VAULT)
    assume(ANALYTICS, ExternalId="acme-backup")
    with pytest.raises(ClientError, match="AccessDenied"):
        assume(ANALYTICS)
