"""Recorded inventories of any size, as the AWS CLI prints them, and policies to go with them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.identity.marks import Marks, Role, fingerprint, key_mark, tags_of
from engine.identity.names import derived_id, snapshot_arn, snapshot_id
from engine.inventory.records import Location

NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
TODAY = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
REGIONS = ("eu-west-1", "eu-central-1")
PROD_ACCOUNTS = tuple(f"{111111111100 + n}" for n in range(10))
VAULT = "222222222222"
ESTATE = "bench"
POINTS = 5

POLICIES = """\
version: 1
kind: estate
name: bench
account_defaults: {regions: [eu-west-1, eu-central-1]}
accounts:
%s
  vault: {id: "222222222222"}
targets:
  west: {account: vault, region: eu-west-1, key: alias/backups}
  central: {account: vault, region: eu-central-1, key: alias/backups}
  near: {by_source_region: {eu-west-1: west, eu-central-1: central}}
---
version: 1
kind: policy
name: gold
select: {tags: {tier: gold}}
snapshots:
  schedule: {every: 1d, window: "02:00-05:00"}
  retention: {keep: {daily: 5, weekly: 4}}
  copies: [{target: near, retention: {keep: {daily: 5}}}]
"""


def record(folder: Path, sources: int, newest: datetime) -> None:
    """Write a recording in which every source has five points and five copies up to `newest`."""
    policies, inventory = folder / "policies", folder / "inventory"
    policies.mkdir(parents=True)
    accounts = "\n".join(f'  prod{n}: {{id: "{a}"}}' for n, a in enumerate(PROD_ACCOUNTS))
    (policies / "bench.yaml").write_text(POLICIES % accounts)
    homes = [Location(account, region) for account in PROD_ACCOUNTS for region in REGIONS]
    copies: dict[Location, list[dict[str, Any]]] = {Location(VAULT, r): [] for r in REGIONS}
    for index, home in enumerate(homes):
        names = [f"orders-{n:05d}" for n in range(index, sources, len(homes))]
        primaries = []
        for name in names:
            for primary, copy in _points(name, home, newest):
                primaries.append(primary)
                copies[Location(VAULT, home.region)].append(copy)
        _write(inventory, home, [_instance(name, home) for name in names], primaries)
    for location, held in copies.items():
        _write(inventory, location, [], held)
    (inventory / "inventory.json").write_text(
        json.dumps(
            {
                "format_version": "1.0",
                "taken_at": "2026-11-21T02:10:00Z",
                "scopes": [
                    {"account": at.account, "region": at.region, "status": "ok"}
                    for at in (*homes, *copies)
                ],
            }
        )
    )


def _write(
    inventory: Path,
    at: Location,
    instances: list[dict[str, Any]],
    snapshots: list[dict[str, Any]],
) -> None:
    folder = inventory / at.account / at.region
    folder.mkdir(parents=True)
    keys = [("backups" if at.account == VAULT else "orders")]
    files = {
        "describe-db-instances.json": {"DBInstances": instances},
        "describe-db-snapshots.json": {"DBSnapshots": snapshots},
        "describe-keys.json": {
            "Keys": [
                {
                    "KeyId": name,
                    "Arn": _key(at, name),
                    "KeyManager": "CUSTOMER",
                    "KeyState": "Enabled",
                    "Aliases": [f"alias/{name}"],
                }
                for name in keys
            ]
        },
        "describe-account-attributes.json": {
            "AccountQuotas": [
                {"AccountQuotaName": "ManualSnapshots", "Used": len(snapshots), "Max": 1_000_000}
            ]
        },
        "describe-availability-zones.json": {
            "AvailabilityZones": [
                {"ZoneName": f"{at.region}{letter}", "ZoneId": _zone_id(at.region, number)}
                for number, letter in enumerate("abc", 1)
            ]
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, indent=4))


def _zone_id(region: str, number: int) -> str:
    return f"{'euw1' if region == 'eu-west-1' else 'euc1'}-az{number}"


def _key(at: Location, name: str) -> str:
    return f"arn:aws:kms:{at.region}:{at.account}:key/{name}"


def _resource(name: str) -> str:
    return f"db-{name.upper().replace('-', '')}"


def _instance_arn(name: str, at: Location) -> str:
    return f"arn:aws:rds:{at.region}:{at.account}:db:{name}"


def _instance(name: str, at: Location) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": "db.r6g.large",
        "Engine": "postgres",
        "DBInstanceStatus": "available",
        "AllocatedStorage": 500,
        "PreferredBackupWindow": "23:00-23:30",
        "BackupRetentionPeriod": 7,
        "AvailabilityZone": f"{at.region}a",
        "SecondaryAvailabilityZone": f"{at.region}b",
        "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
        "MultiAZ": True,
        "EngineVersion": "16.4",
        "StorageEncrypted": True,
        "KmsKeyId": _key(at, "orders"),
        "DbiResourceId": _resource(name),
        "DBInstanceArn": _instance_arn(name, at),
        "CopyTagsToSnapshot": False,
        "TagList": [{"Key": "tier", "Value": "gold"}, {"Key": "team", "Value": "orders"}],
    }


def _points(
    name: str, home: Location, newest: datetime
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    vault = Location(VAULT, home.region)
    zone = _zone_id(home.region, 2)
    for age in reversed(range(POINTS)):
        slot = newest - age * DAY
        marks = Marks(
            estate=ESTATE,
            policy="gold",
            slot=slot,
            role=Role.PRIMARY,
            resource=_resource(name),
            source=_instance_arn(name, home),
            volume=_resource(name),
            zone=zone,
            keys=(key_mark(_key(home, "orders")),),
            zone_checked=True,
        )
        proof = fingerprint(ESTATE, Role.PRIMARY, home, marks.resource, "gold", slot)
        identifier = snapshot_id(name, "gold", slot, zone, proof)
        primary = _snapshot(name, home, home, identifier, slot, tags_of(marks), "orders")
        origin = primary["DBSnapshotArn"]
        copied = Marks(
            estate=ESTATE,
            policy="gold",
            slot=slot,
            role=Role.COPY,
            resource=marks.resource,
            source=marks.source,
            volume=marks.volume,
            zone=zone,
            keys=(*marks.keys, key_mark(_key(vault, "backups"))),
            origin=origin,
            zone_checked=True,
        )
        proof = fingerprint(ESTATE, Role.COPY, vault, marks.resource, "gold", slot)
        copy_id = derived_id(identifier, proof)
        yield primary, _snapshot(name, home, vault, copy_id, slot, tags_of(copied), "backups")


def _snapshot(
    name: str,
    home: Location,
    at: Location,
    identifier: str,
    slot: datetime,
    tags: dict[str, str],
    key: str,
) -> dict[str, Any]:
    taken = (slot + timedelta(minutes=7)).isoformat()
    return {
        "DBSnapshotIdentifier": identifier,
        "DBInstanceIdentifier": name,
        "SnapshotCreateTime": taken,
        "Engine": "postgres",
        "AllocatedStorage": 500,
        "Status": "available",
        "Port": 5432,
        "AvailabilityZone": f"{home.region}a",
        "VpcId": "vpc-0a1b2c3d",
        "InstanceCreateTime": "2025-01-13T09:12:44.281000+00:00",
        "MasterUsername": "orders",
        "EngineVersion": "16.4",
        "LicenseModel": "postgresql-license",
        "SnapshotType": "manual",
        "OptionGroupName": "default:postgres-16",
        "PercentProgress": 100,
        "StorageType": "gp3",
        "Encrypted": True,
        "KmsKeyId": _key(at, key),
        "DBSnapshotArn": snapshot_arn(_instance_arn(name, home), at, identifier),
        "IAMDatabaseAuthenticationEnabled": False,
        "ProcessorFeatures": [],
        "DbiResourceId": _resource(name),
        "TagList": [{"Key": k, "Value": v} for k, v in {**tags, "team": "orders"}.items()],
        "OriginalSnapshotCreateTime": taken,
        "SnapshotDatabaseTime": taken,
        "SnapshotTarget": "region",
        "StorageThroughput": 125,
    }


if __name__ == "__main__":
    # A process of its own, so that the memory it takes is not laid to what is measured.
    record(Path(sys.argv[1]), int(sys.argv[2]), datetime.fromisoformat(sys.argv[3]))
