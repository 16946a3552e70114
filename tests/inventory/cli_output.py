"""Writes recordings as a person with the AWS CLI would make them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ACCOUNT = "111111111111"
REGION = "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1f0c9a3e-0000-4000-8000-000000000001"

Json = dict[str, Any]


def snapshot(identifier: str = "orders-before-upgrade", **fields: Any) -> Json:
    """Return a snapshot as AWS CLI v2 prints it; a field that is None is left out."""
    whole = {
        "DBSnapshotIdentifier": identifier,
        "DBInstanceIdentifier": "orders",
        "SnapshotCreateTime": "2026-11-21T02:00:13.123000+00:00",
        "Engine": "postgres",
        "AllocatedStorage": 500,
        "Status": "available",
        "Port": 5432,
        "AvailabilityZone": "eu-west-1a",
        "VpcId": "vpc-0a1b2c3d4e5f60718",
        "InstanceCreateTime": "2024-03-02T10:20:30.400000+00:00",
        "MasterUsername": "postgres",
        "EngineVersion": "16.3",
        "LicenseModel": "postgresql-license",
        "SnapshotType": "manual",
        "OptionGroupName": "default:postgres-16",
        "PercentProgress": 100,
        "StorageType": "gp3",
        "Encrypted": True,
        "KmsKeyId": KEY,
        "DBSnapshotArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:{identifier}",
        "IAMDatabaseAuthenticationEnabled": False,
        "ProcessorFeatures": [],
        "DbiResourceId": "db-ORDERS00000000000000000001",
        "TagList": [{"Key": "tier", "Value": "gold"}],
        "OriginalSnapshotCreateTime": "2026-11-21T02:00:13.123000+00:00",
        "SnapshotTarget": "region",
        "DedicatedLogVolume": False,
    }
    return _without_nones(whole | fields)


def instance(identifier: str = "orders", **fields: Any) -> Json:
    """Return an instance as AWS CLI v2 prints it; a field that is None is left out."""
    whole = {
        "DBInstanceIdentifier": identifier,
        "DBInstanceClass": "db.m6g.large",
        "Engine": "postgres",
        "DBInstanceStatus": "available",
        "MasterUsername": "postgres",
        "Endpoint": {"Address": f"{identifier}.abc.eu-west-1.rds.amazonaws.com", "Port": 5432},
        "AllocatedStorage": 500,
        "InstanceCreateTime": "2024-03-02T10:20:30.400000+00:00",
        "PreferredBackupWindow": "00:00-00:30",
        "BackupRetentionPeriod": 7,
        "AvailabilityZone": "eu-west-1a",
        "PreferredMaintenanceWindow": "sun:05:00-sun:05:30",
        "PendingModifiedValues": {},
        "LatestRestorableTime": "2026-11-21T09:55:00+00:00",
        "MultiAZ": True,
        "EngineVersion": "16.3",
        "ReadReplicaDBInstanceIdentifiers": ["orders-replica"],
        "OptionGroupMemberships": [{"OptionGroupName": "default:postgres-16", "Status": "in-sync"}],
        "SecondaryAvailabilityZone": "eu-west-1b",
        "StorageEncrypted": True,
        "StorageEncryptionType": "sse-kms",
        "KmsKeyId": KEY,
        "DbiResourceId": "db-ORDERS00000000000000000001",
        "DBInstanceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{identifier}",
        "CopyTagsToSnapshot": True,
        "TagList": [{"Key": "tier", "Value": "gold"}],
    }
    return _without_nones(whole | fields)


def _without_nones(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def record(root: Path, files: dict[str, Any], account: str = ACCOUNT, region: str = REGION) -> Path:
    """Write files of one location: JSON values indented as the AWS CLI does, texts as they are."""
    folder = root / account / region
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, indent=4) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
    return root


def listing(*, instances: list[Json] | None = None, snapshots: list[Json] | None = None) -> Json:
    """Return the files of instances and snapshots."""
    return {
        "describe-db-instances.json": {"DBInstances": instances or []},
        "describe-db-snapshots.json": {"DBSnapshots": snapshots or []},
    }
