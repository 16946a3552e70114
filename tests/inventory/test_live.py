from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.documents.model import Account, Estate, RegionalTarget, Target
from engine.inventory.live import clients_of, locations_of, read_live
from engine.inventory.recorded import read_inventory
from engine.inventory.recording import write_inventory
from engine.inventory.records import (
    AutomatedState,
    Inventory,
    KeyManager,
    Location,
    Quota,
    Scope,
    ScopeStatus,
    SnapshotType,
)
from tests.aws import scripted_aws as scripted
from tests.aws.moto_server import boto_client
from tests.aws.scripted_aws import Asked, Reply, ScriptedAws

NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
PROD, VAULT = "111111111111", "222222222222"
HERE = Location(PROD, "eu-west-1")
KEY = f"arn:aws:kms:eu-west-1:{PROD}:key/k-1"
BACKUP = f"arn:aws:rds:eu-west-1:{PROD}:auto-backup:ab-gone"


def estate_of(*accounts: Account, **targets: Target | RegionalTarget) -> Estate:
    return Estate("acme", {account.name: account for account in accounts}, targets)


def account(number: str = PROD, *regions: str, role: str | None = None) -> Account:
    return Account(f"a{number[0]}", number, regions or ("eu-west-1",), role=role)


def test_the_locations_of_an_estate_are_its_accounts_regions_and_its_targets() -> None:
    estate = estate_of(
        account(PROD, "eu-west-1", "eu-central-1"),
        account(VAULT),
        remote=Target("remote", "a2", "us-east-1", "alias/backups"),
        same=Target("same", "a2", "eu-west-1", "alias/backups"),
        near=RegionalTarget("near", {"eu-west-1": "remote"}),
    )

    assert locations_of(estate) == (
        Location(PROD, "eu-central-1"),
        Location(PROD, "eu-west-1"),
        Location(VAULT, "eu-west-1"),
        Location(VAULT, "us-east-1"),
    )


# -- a scripted AWS ------------------------------------------------------------------------------


def page(items: str, name: str, marker: str | None = None) -> Reply:
    mark = f"<Marker>{marker}</Marker>" if marker else ""
    return scripted.rds(f"Describe{name}", f"{mark}<{name}>{items}</{name}>")


def instance_xml(name: str) -> str:
    return (
        f"<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier>"
        f"<DbiResourceId>db-{name}</DbiResourceId><KmsKeyId>{KEY}</KmsKeyId></DBInstance>"
    )


BACKUP_XML = (
    "<DBInstanceAutomatedBackup><DBInstanceIdentifier>gone</DBInstanceIdentifier>"
    f"<DBInstanceArn>arn:aws:rds:{HERE.region}:{PROD}:db:gone</DBInstanceArn>"
    f"<DBInstanceAutomatedBackupsArn>{BACKUP}</DBInstanceAutomatedBackupsArn>"
    "<DbiResourceId>db-GONE</DbiResourceId><Status>retained</Status>"
    "<BackupRetentionPeriod>7</BackupRetentionPeriod><RestoreWindow>"
    "<EarliestTime>2026-11-13T02:00:00Z</EarliestTime><LatestTime>2026-11-20T01:55:00Z</LatestTime>"
    "</RestoreWindow></DBInstanceAutomatedBackup>"
)


def snapshot_xml(name: str) -> str:
    return (
        f"<DBSnapshot><DBSnapshotIdentifier>{name}</DBSnapshotIdentifier>"
        "<SnapshotType>manual</SnapshotType><AllocatedStorage>20</AllocatedStorage>"
        "<SnapshotCreateTime>2026-11-21T02:00:13.123Z</SnapshotCreateTime>"
        "<TagList><Tag><Key>tier</Key><Value>gold</Value></Tag></TagList></DBSnapshot>"
    )


def answer_everything(aws: ScriptedAws, number: str = PROD) -> None:
    aws.on("GetCallerIdentity", scripted.identity(number))
    aws.on("DescribeDBInstances", page(instance_xml("orders"), "DBInstances"))
    aws.on("DescribeDBSnapshots", page(snapshot_xml("a"), "DBSnapshots"))
    aws.on("DescribeDBClusterSnapshots", page("", "DBClusterSnapshots"))
    aws.on("DescribeEvents", page("", "Events"))
    aws.on(
        "DescribeDBInstanceAutomatedBackups",
        page("", "DBInstanceAutomatedBackups"),
    )
    quota = (
        "<AccountQuota><AccountQuotaName>ManualSnapshots</AccountQuotaName>"
        "<Used>7</Used><Max>100</Max></AccountQuota>"
    )
    quotas = f"<AccountQuotas>{quota}</AccountQuotas>"
    aws.on("DescribeAccountAttributes", scripted.rds("DescribeAccountAttributes", quotas))
    zone = "<item><zoneName>eu-west-1a</zoneName><zoneId>euw1-az3</zoneId></item>"
    aws.on(
        "DescribeAvailabilityZones",
        Reply(
            '<DescribeAvailabilityZonesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
            f"<availabilityZoneInfo>{zone}</availabilityZoneInfo>"
            "</DescribeAvailabilityZonesResponse>"
        ),
    )
    aliases = [
        {"AliasName": "alias/backups", "TargetKeyId": "k-2"},
        {"AliasName": "alias/aws/rds", "TargetKeyId": "k-3"},
        {"AliasName": "alias/aws/s3", "TargetKeyId": "k-4"},
        {"AliasName": "alias/aws/ebs"},
    ]
    aws.on("ListAliases", as_json({"Aliases": aliases, "Truncated": False}))
    aws.on("DescribeKey", lambda asked: as_json({"KeyMetadata": key_metadata(asked)}))


def as_json(value: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(value), status, "application/x-amz-json-1.1")


def key_metadata(asked: Asked) -> dict[str, Any]:
    arn = json.loads(next(iter(asked.parameters)))["KeyId"]
    return {
        "Arn": arn,
        "KeyId": arn.rpartition("/")[2],
        "CreationDate": 1.7e9,
        "KeyManager": "CUSTOMER",
        "KeyState": "Enabled",
    }


def read_one(aws: ScriptedAws) -> tuple[Scope, Inventory]:
    estate = estate_of(account())
    inventory = read_live(estate, clients_of(estate), NOW)
    return inventory.scope(HERE), inventory


def test_everything_about_a_location_is_read(aws: ScriptedAws) -> None:
    answer_everything(aws)
    aws.on("DescribeDBInstanceAutomatedBackups", page(BACKUP_XML, "DBInstanceAutomatedBackups"))

    scope, inventory = read_one(aws)

    assert scope.is_complete
    assert [i.resource_id for i in scope.instances or ()] == ["db-orders"]
    (snapshot,) = scope.snapshots or ()
    assert snapshot.type is SnapshotType.MANUAL
    assert snapshot.allocated_gib == 20
    assert snapshot.created_at == datetime(2026, 11, 21, 2, 0, 13, 123000, tzinfo=UTC)
    assert dict(snapshot.tags) == {"tier": "gold"}
    assert scope.quota == Quota(7, 100)
    assert scope.zones == {"eu-west-1a": "euw1-az3"}
    assert scope.events == ()
    (backup,) = scope.automated or ()
    assert (backup.arn, backup.state) == (BACKUP, AutomatedState.RETAINED)
    assert backup.expires_at == datetime(2026, 11, 27, 1, 55, tzinfo=UTC)
    assert (inventory.recorded, inventory.taken_at, inventory.notes) == (False, NOW, ())


def test_keys_that_have_an_alias_or_are_used_are_described_and_no_others(
    aws: ScriptedAws,
) -> None:
    answer_everything(aws)

    scope, _ = read_one(aws)

    keys = {key.arn.rpartition("/")[2]: key for key in (scope.keys or {}).values()}
    assert {name: key.aliases for name, key in keys.items()} == {
        "k-1": (),
        "k-2": ("alias/backups",),
        "k-3": ("alias/aws/rds",),
    }
    assert keys["k-2"].manager is KeyManager.CUSTOMER
    assert keys["k-3"].manager is KeyManager.AWS
    assert len(aws.calls("DescribeKey")) == 3


def test_a_key_of_another_account_is_left_to_that_accounts_own_reading(aws: ScriptedAws) -> None:
    answer_everything(aws)
    foreign = KEY.replace(PROD, VAULT)
    xml = snapshot_xml("a").replace("<TagList>", f"<KmsKeyId>{foreign}</KmsKeyId><TagList>")
    aws.on("DescribeDBSnapshots", page(xml, "DBSnapshots"))

    scope, _ = read_one(aws)

    assert [s.kms_key for s in scope.snapshots or ()] == [foreign]
    assert foreign not in (scope.keys or {})
    assert len(aws.calls("DescribeKey")) == 3


def test_listings_are_read_to_their_last_page(aws: ScriptedAws) -> None:
    answer_everything(aws)

    def snapshots(asked: Asked) -> Reply:
        here = int(asked.parameters.get("Marker", "0"))
        following = str(here + 1) if here < 4 else None
        return page(snapshot_xml(f"s{here}"), "DBSnapshots", following)

    aws.on("DescribeDBSnapshots", snapshots)

    scope, _ = read_one(aws)

    assert [s.identifier for s in scope.snapshots or ()] == ["s0", "s1", "s2", "s3", "s4"]
    assert {asked.parameters["MaxRecords"] for asked in aws.calls("DescribeDBSnapshots")} == {"100"}


def test_databases_are_read_after_the_snapshots_that_their_zones_speak_for(
    aws: ScriptedAws,
) -> None:
    answer_everything(aws)
    read_one(aws)
    asked = [one.action for one in aws.asked]
    assert asked.index("DescribeDBInstances") > asked.index("DescribeDBSnapshots")


def test_tags_come_with_the_listing_never_by_a_call_per_snapshot(aws: ScriptedAws) -> None:
    answer_everything(aws)
    many = "".join(snapshot_xml(f"s{number}") for number in range(50))
    aws.on("DescribeDBSnapshots", page(many, "DBSnapshots"))

    scope, _ = read_one(aws)

    assert all(s.tags for s in scope.snapshots or ())
    assert sorted({asked.action for asked in aws.asked}) == [
        "DescribeAccountAttributes",
        "DescribeAvailabilityZones",
        "DescribeDBClusterSnapshots",
        "DescribeDBInstanceAutomatedBackups",
        "DescribeDBInstances",
        "DescribeDBSnapshots",
        "DescribeEvents",
        "DescribeKey",
        "GetCallerIdentity",
        "ListAliases",
    ]
    assert len(aws.asked) == 12


@pytest.mark.parametrize(
    ("action", "lost", "kept"),
    [
        ("DescribeDBInstances", "instances", "snapshots"),
        ("DescribeDBSnapshots", "snapshots", "instances"),
    ],
)
def test_a_location_whose_listing_fails_is_named_with_its_cause(
    aws: ScriptedAws, action: str, lost: str, kept: str
) -> None:
    answer_everything(aws)
    aws.on(action, scripted.error("AccessDenied", "no", 403))

    scope, _ = read_one(aws)

    assert (scope.status, scope.cause) == (ScopeStatus.FAILED, f"AccessDenied on rds:{action}: no")
    assert getattr(scope, lost) is None
    assert getattr(scope, kept)
    assert scope.quota == Quota(7, 100)
    assert not scope.is_complete


def test_a_listing_that_breaks_off_is_not_taken_for_all_there_is(aws: ScriptedAws) -> None:
    answer_everything(aws)
    first = page(snapshot_xml("a"), "DBSnapshots", "1")
    aws.on("DescribeDBSnapshots", first, scripted.error("Throttling", "Rate exceeded"))

    scope, _ = read_one(aws)

    assert scope.snapshots is None
    assert scope.cause == "Throttling on rds:DescribeDBSnapshots: Rate exceeded"


@pytest.mark.parametrize(
    ("action", "part", "note"),
    [
        ("ListAliases", "keys", "keys not known: AccessDeniedException on kms:ListAliases"),
        ("DescribeAccountAttributes", "quota", "snapshot quota not known: AccessDenied"),
        ("DescribeEvents", "events", "events not known: AccessDenied on rds:DescribeEvents"),
        ("DescribeAvailabilityZones", "zones", "zone ids not known: UnauthorizedOperation"),
        ("DescribeDBInstanceAutomatedBackups", "automated", "automated backups not known: Access"),
    ],
)
def test_a_lesser_part_that_fails_is_noted_and_the_location_still_counts(
    aws: ScriptedAws, action: str, part: str, note: str
) -> None:
    answer_everything(aws)
    refusals = {
        "ListAliases": as_json({"__type": "AccessDeniedException", "message": "no"}, 400),
        "DescribeAvailabilityZones": Reply(
            "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message>"
            "</Error></Errors><RequestID>r</RequestID></Response>",
            403,
        ),
    }
    aws.on(action, refusals.get(action, scripted.error("AccessDenied", "no", 403)))

    scope, inventory = read_one(aws)

    assert getattr(scope, part) is None
    assert scope.is_complete
    (told,) = inventory.notes
    assert told.startswith(f"{HERE}: {note}")


def test_a_key_that_does_not_let_itself_be_described_is_noted_and_others_are_read(
    aws: ScriptedAws,
) -> None:
    answer_everything(aws)

    def describe(asked: Asked) -> Reply:
        metadata = key_metadata(asked)
        if metadata["KeyId"] == "k-1":
            return as_json({"__type": "AccessDeniedException", "message": "no"}, 400)
        if metadata["KeyId"] == "k-2":
            return as_json({"__type": "NotFoundException", "message": "gone"}, 400)
        return as_json({"KeyMetadata": metadata})

    aws.on("DescribeKey", describe)

    scope, inventory = read_one(aws)

    assert [arn.rpartition("/")[2] for arn in scope.keys or {}] == ["k-3"]
    assert scope.hidden_keys == {KEY}
    assert inventory.notes == (
        f"{HERE}: a key is not known: AccessDeniedException on kms:DescribeKey: no",
    )


def test_the_credentials_of_another_account_read_nothing(aws: ScriptedAws) -> None:
    answer_everything(aws, number="999999999999")

    scope, _ = read_one(aws)

    assert scope == Scope(
        HERE,
        ScopeStatus.FAILED,
        "the credentials for it, arn:aws:sts::999999999999:assumed-role/r/s,"
        " belong to account 999999999999",
    )
    assert not aws.calls("DescribeDBSnapshots")


def test_an_account_that_cannot_be_entered_leaves_the_others_alone(aws: ScriptedAws) -> None:
    answer_everything(aws)
    aws.on(
        "AssumeRole",
        lambda asked: (
            scripted.granted("KEY")
            if PROD in asked.parameters["RoleArn"]
            else scripted.error("AccessDenied", "not trusted", 403)
        ),
    )
    estate = estate_of(account(role="r"), account(VAULT, "eu-west-1", "eu-central-1", role="r"))

    inventory = read_live(estate, clients_of(estate), NOW)

    assert inventory.scope(HERE).is_complete
    for region in ("eu-west-1", "eu-central-1"):
        scope = inventory.scope(Location(VAULT, region))
        assert scope.cause == "AccessDenied on sts:AssumeRole: not trusted"
    assert sum(VAULT in asked.parameters["RoleArn"] for asked in aws.calls("AssumeRole")) == 1


def test_a_region_that_is_down_fails_alone_and_soon(aws: ScriptedAws) -> None:
    answer_everything(aws)
    answers = dict(aws.scripts)
    down = scripted.error("ServiceUnavailable", status=503)
    for action, answer in answers.items():
        aws.on(action, partial(_up_but_for, "eu-central-1", answer, down))
    estate = estate_of(account(PROD, "eu-central-1", "eu-west-1"))

    inventory = read_live(estate, clients_of(estate), NOW)

    assert inventory.scope(HERE).is_complete
    broken = inventory.scope(Location(PROD, "eu-central-1"))
    assert (broken.instances, broken.snapshots, broken.quota) == (None, None, None)
    assert "ServiceUnavailable on rds:DescribeDBInstances" in (broken.cause or "")
    asked = {one.action for one in aws.asked if one.region == "eu-central-1"}
    assert asked == {"GetCallerIdentity", "DescribeDBInstances", "DescribeDBSnapshots"}


def _up_but_for(region: str, answer: Callable[[Asked], Reply], down: Reply, asked: Asked) -> Reply:
    return down if asked.region == region else answer(asked)


def test_a_region_that_makes_no_sense_fails_alone(aws: ScriptedAws) -> None:
    answer_everything(aws)
    estate = estate_of(account(PROD, "eu-west-1", "no region!"))

    inventory = read_live(estate, clients_of(estate), NOW)

    assert inventory.scope(HERE).is_complete
    broken = inventory.scope(Location(PROD, "no region!"))
    assert broken.status is ScopeStatus.FAILED
    assert "region" in (broken.cause or "")


def test_events_are_read_as_far_back_as_rds_keeps_them(aws: ScriptedAws) -> None:
    answer_everything(aws)

    read_one(aws)

    (asked,) = aws.calls("DescribeEvents")
    since = datetime.fromisoformat(asked.parameters["StartTime"])
    assert timedelta(days=13, hours=23) < NOW - since <= timedelta(days=14)


# -- moto ----------------------------------------------------------------------------------------


def seed_moto() -> str:
    """Make an encrypted database with two snapshots in PROD; return the key's ARN."""
    kms = boto_client("kms", PROD, "eu-west-1")
    key: str = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/orders", TargetKeyId=key)
    rds = boto_client("rds", PROD, "eu-west-1")
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        StorageEncrypted=True,
        KmsKeyId=key,
        MasterUsername="postgres",
        MasterUserPassword="not-a-secret",
        Tags=[{"Key": "tier", "Value": "gold"}],
    )
    for name in ("orders-1", "orders-2"):
        rds.create_db_snapshot(
            DBInstanceIdentifier="orders",
            DBSnapshotIdentifier=name,
            Tags=[{"Key": "made-by", "Value": "hand"}],
        )
    return key


def test_what_plain_boto3_made_is_found_in_the_account_where_it_made_it(moto_aws: str) -> None:
    key = seed_moto()
    estate = estate_of(
        account(PROD, "eu-west-1", "eu-central-1", role="reader"), account(VAULT, role="reader")
    )

    inventory = read_live(estate, clients_of(estate), NOW)

    scope = inventory.scope(HERE)
    (instance,) = scope.instances or ()
    assert (instance.identifier, instance.kms_key) == ("orders", key)
    assert dict(instance.tags) == {"tier": "gold"}
    made = {s.identifier: s for s in scope.snapshots or () if s.type is SnapshotType.MANUAL}
    assert sorted(made) == ["orders-1", "orders-2"]
    assert made["orders-1"].arn == f"arn:aws:rds:eu-west-1:{PROD}:snapshot:orders-1"
    assert (scope.keys or {})[key].aliases == ("alias/orders",)
    assert "euw1-az1" in (scope.zones or {}).values()
    for other in (Location(PROD, "eu-central-1"), Location(VAULT, "eu-west-1")):
        assert inventory.scope(other).is_complete
        assert inventory.scope(other).snapshots == ()


def test_a_recording_of_what_was_read_is_read_as_the_same(moto_aws: str, tmp_path: Path) -> None:
    seed_moto()
    estate = estate_of(account(role="reader"), account(VAULT, role="reader"))
    live = read_live(estate, clients_of(estate), NOW)

    write_inventory(live, tmp_path / "inv")
    recorded = read_inventory(tmp_path / "inv")

    assert recorded.recorded
    assert recorded.scopes == live.scopes
    assert (recorded.taken_at, recorded.notes) == (live.taken_at, live.notes)
