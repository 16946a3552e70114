"""What plain moto does, so that the lab's patches are dropped when moto does the thing itself.

A failure here is good news: moto has learnt something. Look at the module of `engine/lab/rds`
that the test names, and drop what is no longer needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

NEW: dict[str, Any] = {
    "DBInstanceClass": "db.r6g.large",
    "Engine": "postgres",
    "AllocatedStorage": 20,
    "MultiAZ": True,
}


@pytest.fixture(scope="module")
def plain() -> Iterator[Any]:
    """Plain moto, with an instance `db`."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        client = boto3.client("rds", "eu-west-1")
        client.create_db_instance(DBInstanceIdentifier="db", **NEW)
        yield client


@pytest.fixture
def rds(plain: Any) -> Any:
    """Plain moto without manual snapshots."""
    for one in plain.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]:
        plain.delete_db_snapshot(DBSnapshotIdentifier=one["DBSnapshotIdentifier"])
    return plain


def _snapshot(rds: Any, name: str = "one") -> Any:
    return rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier="db")[
        "DBSnapshot"
    ]


def test_snapshots_are_available_at_once_and_have_no_zone(rds: Any) -> None:
    """models.py, snapshots.py."""
    snapshot = _snapshot(rds)
    assert snapshot["Status"] == "available"
    assert not {"AvailabilityZone", "PercentProgress"} & set(snapshot)


def test_instances_have_one_resource_id_and_no_second_zone(rds: Any) -> None:
    """models.py."""
    rds.create_db_instance(DBInstanceIdentifier="other", **NEW)
    found = rds.describe_db_instances()["DBInstances"]
    assert len({one["DbiResourceId"] for one in found}) == 1
    assert not any("SecondaryAvailabilityZone" in one for one in found)


def test_snapshots_are_not_paged(rds: Any) -> None:
    """listing.py, paging.py."""
    for number in range(21):
        _snapshot(rds, f"s{number}")
    answer = rds.describe_db_snapshots(MaxRecords=20)
    assert len(answer["DBSnapshots"]) > 20
    assert "Marker" not in answer


def test_events_are_not_paged(rds: Any) -> None:
    """responses.py."""
    for number in range(12):
        rds.create_db_instance(DBInstanceIdentifier=f"db{number}", **NEW)
    assert len(rds.describe_events(MaxRecords=20)["Events"]) > 20


def test_a_resource_id_finds_nothing_special(rds: Any) -> None:
    """listing.py."""
    _snapshot(rds)
    assert rds.describe_db_snapshots(DbiResourceId="db-NONE")["DBSnapshots"]


def test_an_arn_does_not_find_a_snapshot(rds: Any) -> None:
    """listing.py."""
    arn = _snapshot(rds)["DBSnapshotArn"]
    with pytest.raises(ClientError, match="not found"):
        rds.describe_db_snapshots(DBSnapshotIdentifier=arn)


def test_another_accounts_arn_copies_the_callers_own(rds: Any) -> None:
    """copying.py."""
    arn = _snapshot(rds)["DBSnapshotArn"].replace("123456789012", "111111111111")
    copy = rds.copy_db_snapshot(SourceDBSnapshotIdentifier=arn, TargetDBSnapshotIdentifier="copy")[
        "DBSnapshot"
    ]
    assert copy["Status"] == "available"
    assert "SourceDBSnapshotIdentifier" not in copy


def test_a_disabled_key_encrypts(rds: Any) -> None:
    """keys.py."""
    kms = boto3.client("kms", "eu-west-1")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key)
    _snapshot(rds)
    copy = rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="copy", KmsKeyId=key
    )
    assert copy["DBSnapshot"]["Encrypted"] is True


def test_the_default_key_is_the_customers(rds: Any) -> None:
    """keys.py."""
    kms = boto3.client("kms", "eu-west-1")
    found = kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]
    assert found["KeyManager"] == "CUSTOMER"


def test_an_arn_does_not_disable_a_key(rds: Any) -> None:
    """keys.py."""
    kms = boto3.client("kms", "eu-west-1")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    with pytest.raises(KeyError):
        kms.disable_key(KeyId=arn)


def test_odd_accounts_are_shared_with_twice(rds: Any) -> None:
    """sharing.py."""
    _snapshot(rds)
    for _ in range(2):
        answer = rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier="one", AttributeName="restore", ValuesToAdd=["x"]
        )
    result = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"][0]
    assert result["AttributeValues"] == ["x", "x"]


def test_automated_snapshots_are_deleted(rds: Any) -> None:
    """snapshots.py."""
    automated = rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"][0]
    rds.delete_db_snapshot(DBSnapshotIdentifier=automated["DBSnapshotIdentifier"])


def test_retention_of_36_days_and_short_windows_are_taken_at_once(rds: Any) -> None:
    """modifying.py, windows.py."""
    answer = rds.modify_db_instance(
        DBInstanceIdentifier="db",
        BackupRetentionPeriod=36,
        PreferredBackupWindow="01:00-01:10",
        AllocatedStorage=200,
    )["DBInstance"]
    assert (answer["BackupRetentionPeriod"], answer["AllocatedStorage"]) == (36, 200)


def test_a_forced_failover_does_nothing(rds: Any) -> None:
    """instances.py, events.py."""
    rds.reboot_db_instance(DBInstanceIdentifier="db", ForceFailover=True)
    events = rds.describe_events(EventCategories=["failover"])["Events"]
    assert all("failover" not in one["EventCategories"] for one in events)


def test_tags_of_another_regions_arn_are_taken(rds: Any) -> None:
    """tags.py."""
    arn = _snapshot(rds)["DBSnapshotArn"].replace("eu-west-1", "eu-central-1")
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "b"}])
    assert rds.list_tags_for_resource(ResourceName=arn)["TagList"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("describe_account_attributes", {}),
        ("describe_source_regions", {}),
        ("modify_db_snapshot", {"DBSnapshotIdentifier": "one"}),
        ("start_db_instance_automated_backups_replication", {"SourceDBInstanceArn": "a"}),
        ("stop_db_instance_automated_backups_replication", {"SourceDBInstanceArn": "a"}),
        ("delete_db_instance_automated_backup", {"DbiResourceId": "a"}),
    ],
)
def test_some_operations_are_missing(rds: Any, operation: str, parameters: Any) -> None:
    """responses.py."""
    call = getattr(rds, operation)
    with pytest.raises(NotImplementedError):
        call(**parameters)


def test_any_role_of_any_account_is_assumed(rds: Any) -> None:
    """sts.py, callers.py."""
    sts = boto3.client("sts", "eu-west-1")
    answer = sts.assume_role(
        RoleArn="arn:aws:iam::999999999999:role/none", RoleSessionName="session"
    )
    assert answer["AssumedRoleUser"]["Arn"].startswith("arn:aws:sts::999999999999:")


def test_moto_has_what_the_lab_takes_hold_of() -> None:
    """grafts.py, answering.py: names inside of moto that the lab overrides."""
    from moto.core.base_backend import AccountSpecificBackend, BaseBackend
    from moto.ec2.models import EC2Backend
    from moto.kms.models import KmsBackend
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication
    from moto.rds.models import RDSBackend, rds_backends

    assert rds_backends.backend.__name__ == RDSBackend.__name__
    assert "_url_module" in vars(BaseBackend)
    assert callable(AccountSpecificBackend._generate_regions)
    assert callable(KmsBackend._generate_default_keys)
    assert callable(DomainDispatcherApplication.get_backend_for_host)
    assert isinstance(EC2Backend.zones, dict)
