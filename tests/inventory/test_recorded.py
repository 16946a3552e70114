from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.inventory.recorded import read_inventory
from engine.inventory.recorded_files import RecordingError
from engine.inventory.records import (
    Inventory,
    KeyManager,
    Location,
    Quota,
    Scope,
    ScopeStatus,
    Snapshot,
    SnapshotState,
    SnapshotType,
)
from tests.inventory.cli_output import (
    ACCOUNT,
    KEY,
    REGION,
    instance,
    listing,
    record,
    snapshot,
)

HERE = Location(ACCOUNT, REGION)
TAKEN = datetime(2026, 11, 21, 2, 0, 13, 123000, tzinfo=UTC)


def scope_of(root: Path) -> Scope:
    return read_inventory(root).scope(HERE)


def read_snapshot(root: Path, **fields: Any) -> Snapshot:
    (only,) = scope_of(record(root, listing(snapshots=[snapshot(**fields)]))).snapshots or ()
    return only


def test_what_the_aws_cli_prints_of_a_snapshot_becomes_a_record(tmp_path: Path) -> None:
    assert read_snapshot(tmp_path) == Snapshot(
        arn=f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:orders-before-upgrade",
        location=HERE,
        identifier="orders-before-upgrade",
        instance="orders",
        resource_id="db-ORDERS00000000000000000001",
        type=SnapshotType.MANUAL,
        status="available",
        engine="postgres",
        created_at=TAKEN,
        original_created_at=TAKEN,
        availability_zone="eu-west-1a",
        encrypted=True,
        kms_key=KEY,
        allocated_gib=500,
        progress=100,
        option_group="default:postgres-16",
        tags={"tier": "gold"},
    )


def test_what_the_aws_cli_prints_of_an_instance_becomes_a_record(tmp_path: Path) -> None:
    (only,) = scope_of(record(tmp_path, listing(instances=[instance()]))).instances or ()

    assert only.arn == f"arn:aws:rds:{REGION}:{ACCOUNT}:db:orders"
    assert only.resource_id == "db-ORDERS00000000000000000001"
    assert (only.engine, only.engine_version, only.status) == ("postgres", "16.3", "available")
    assert (only.multi_az, only.availability_zone, only.secondary_zone) == (
        True,
        "eu-west-1a",
        "eu-west-1b",
    )
    assert (only.encrypted, only.encryption_type, only.kms_key) == (True, "sse-kms", KEY)
    assert (only.backup_retention_days, only.backup_window) == (7, "00:00-00:30")
    assert only.maintenance_window == "sun:05:00-sun:05:30"
    assert only.latest_restorable_at == datetime(2026, 11, 21, 9, 55, tzinfo=UTC)
    assert only.created_at == datetime(2024, 3, 2, 10, 20, 30, 400000, tzinfo=UTC)
    assert only.copy_tags_to_snapshot
    assert only.replicas == ("orders-replica",)
    assert only.option_groups == ("default:postgres-16",)
    assert (only.allocated_gib, dict(only.tags)) == (500, {"tier": "gold"})
    assert (only.replica_of, only.cluster, only.aws_backup_arn) == (None, None, None)
    assert only.replication is None


def test_how_a_replica_fares_is_told_by_one_of_its_statuses(tmp_path: Path) -> None:
    statuses = [
        {"StatusType": "something else", "Normal": True, "Status": "fine"},
        {"StatusType": "read replication", "Normal": False, "Status": "error", "Message": "full"},
    ]
    replica = instance("orders-replica", StatusInfos=statuses)
    (only,) = scope_of(record(tmp_path, listing(instances=[replica]))).instances or ()
    assert only.replication == "error"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-11-21T02:00:13.123000+00:00", TAKEN),
        ("2026-11-21T02:00:13.123Z", TAKEN),
        ("2026-11-21T03:00:13.123+01:00", TAKEN),
        ("2026-11-21T02:00:13Z", TAKEN.replace(microsecond=0)),
        ("2026-11-21T02:00:13", TAKEN.replace(microsecond=0)),
        (1795226413, TAKEN.replace(microsecond=0)),
        (1795226413.5, TAKEN.replace(microsecond=500000)),
        ("0001-01-01T00:00:00+14:00", datetime(1, 1, 1, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_time_is_read_in_every_form_the_aws_cli_has_printed(
    tmp_path: Path, written: object, meant: datetime | None
) -> None:
    assert read_snapshot(tmp_path, SnapshotCreateTime=written).created_at == meant


def test_a_snapshot_that_is_creating_has_no_times_and_is_in_progress(tmp_path: Path) -> None:
    made = read_snapshot(
        tmp_path,
        Status="creating",
        PercentProgress=0,
        SnapshotCreateTime=None,
        OriginalSnapshotCreateTime=None,
    )

    assert (made.state, made.taken_at, made.progress) == (SnapshotState.IN_PROGRESS, None, 0)


def test_a_snapshot_of_which_only_the_name_is_told_is_read(tmp_path: Path) -> None:
    files = listing(snapshots=[{"DBSnapshotIdentifier": "bare"}])
    (only,) = scope_of(record(tmp_path, files)).snapshots or ()

    assert only.arn == f"arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:bare"
    assert only.type is SnapshotType.OTHER
    assert only.state is SnapshotState.UNKNOWN
    assert only.tags == {}


def test_a_status_that_aws_invents_later_is_unknown_but_no_harm(tmp_path: Path) -> None:
    assert read_snapshot(tmp_path, Status="teleporting").state is SnapshotState.UNKNOWN


def test_a_field_that_aws_adds_later_is_skipped(tmp_path: Path) -> None:
    added = {"Weight": {"Kg": [1, None]}}
    assert read_snapshot(tmp_path, **added).identifier == "orders-before-upgrade"


def test_a_null_counts_as_missing(tmp_path: Path) -> None:
    wire = snapshot() | {"KmsKeyId": None, "TagList": None, "AllocatedStorage": None}
    (only,) = scope_of(record(tmp_path, listing(snapshots=[wire]))).snapshots or ()
    assert (only.kms_key, dict(only.tags), only.allocated_gib) == (None, {}, 0)


@pytest.mark.parametrize(
    ("identifier", "said", "meant"),
    [
        ("orders-1", "manual", SnapshotType.MANUAL),
        ("orders-1", "automated", SnapshotType.AUTOMATED),
        ("rds:orders-2026-11-21-00-05", "automated", SnapshotType.AUTOMATED),
        ("rds:orders-2026-11-21-00-05", "manual", SnapshotType.AUTOMATED),
        ("awsbackup:job-1", "awsbackup", SnapshotType.AWS_BACKUP),
        ("awsbackup:job-1", "manual", SnapshotType.AWS_BACKUP),
        ("newservice:job-1", "manual", SnapshotType.OTHER),
        ("orders-1", "novel", SnapshotType.OTHER),
        ("orders-1", None, SnapshotType.OTHER),
    ],
)
def test_what_aws_made_is_never_manual(
    tmp_path: Path, identifier: str, said: str | None, meant: SnapshotType
) -> None:
    assert read_snapshot(tmp_path, identifier=identifier, SnapshotType=said).type is meant


def test_the_accounts_a_snapshot_is_shared_with_are_those_that_may_restore_it(
    tmp_path: Path,
) -> None:
    one, two, three = (snapshot(name) for name in ("one", "two", "three"))
    restore = {"AttributeName": "restore", "AttributeValues": ["222222222222", "333333333333"]}
    files = listing(snapshots=[one, two, three]) | {
        "describe-db-snapshot-attributes.json": {
            one["DBSnapshotArn"]: {
                "DBSnapshotAttributesResult": {
                    "DBSnapshotIdentifier": "one",
                    "DBSnapshotAttributes": [restore, {"AttributeName": "novel"}],
                }
            },
            two["DBSnapshotArn"]: {
                "DBSnapshotAttributes": [{"AttributeName": "restore", "AttributeValues": []}]
            },
        }
    }

    shares = [s.shared_with for s in scope_of(record(tmp_path, files)).snapshots or ()]

    assert shares == [frozenset({"222222222222", "333333333333"}), frozenset(), None]


def test_keys_are_found_by_arn_with_their_manager_state_and_aliases(tmp_path: Path) -> None:
    key_id = KEY.rsplit("/", 1)[1]
    default = {"KeyId": "d", "KeyManager": "AWS", "Enabled": True}
    files = {
        "describe-keys.json": {
            "Keys": [
                {
                    "AWSAccountId": ACCOUNT,
                    "KeyId": key_id,
                    "Arn": KEY,
                    "CreationDate": "2024-01-01T00:00:00.000000+01:00",
                    "Enabled": False,
                    "KeyState": "PendingDeletion",
                    "KeyManager": "CUSTOMER",
                    "Aliases": ["alias/backups", {"AliasName": "alias/a", "TargetKeyId": key_id}],
                },
                default,
            ]
        }
    }

    keys = scope_of(record(tmp_path, files)).keys or {}

    assert keys[KEY].aliases == ("alias/a", "alias/backups")
    assert (keys[KEY].manager, keys[KEY].state) == (KeyManager.CUSTOMER, "PendingDeletion")
    by_default = keys[f"arn:aws:kms:{REGION}:{ACCOUNT}:key/d"]
    assert (by_default.manager, by_default.state) == (KeyManager.AWS, "Enabled")


def test_zones_quota_and_events_are_read(tmp_path: Path) -> None:
    files = {
        "describe-availability-zones.json": {
            "AvailabilityZones": [
                {"State": "available", "ZoneName": "eu-west-1a", "ZoneId": "euw1-az3"},
                {"State": "available", "ZoneName": "eu-west-1b"},
            ]
        },
        "describe-account-attributes.json": {
            "AccountQuotas": [
                {"AccountQuotaName": "DBInstances", "Used": 7, "Max": 40},
                {"AccountQuotaName": "ManualSnapshots", "Used": 93, "Max": 100},
            ]
        },
        "describe-events.json": {
            "Events": [
                {
                    "SourceIdentifier": "orders",
                    "SourceType": "db-instance",
                    "Message": "Multi-AZ instance failover completed.",
                    "EventCategories": ["failover", "availability"],
                    "Date": "2026-11-20T13:00:00.000000+00:00",
                },
                {"SourceIdentifier": "orders"},
            ]
        },
    }

    scope = scope_of(record(tmp_path, files))

    assert scope.zones == {"eu-west-1a": "euw1-az3"}
    assert scope.zone_id("eu-west-1a") == "euw1-az3"
    assert scope.quota == Quota(93, 100)
    (event,) = scope.events or ()
    assert event.at == datetime(2026, 11, 20, 13, tzinfo=UTC)
    assert (event.source, event.categories) == ("orders", ("failover", "availability"))


def test_a_file_that_is_missing_means_not_known(tmp_path: Path) -> None:
    scope = scope_of(record(tmp_path, {"describe-db-snapshots.json": {"DBSnapshots": []}}))

    assert scope.snapshots == ()
    parts = (scope.instances, scope.keys, scope.quota, scope.zones, scope.events, scope.shared)
    assert parts == (None,) * 6
    assert not scope.is_complete


def test_a_folder_without_inventory_json_counts_as_read(tmp_path: Path) -> None:
    inventory = read_inventory(record(tmp_path, listing(instances=[instance()])))

    assert inventory.recorded
    assert inventory.taken_at is None
    assert inventory.scope(HERE).is_complete
    elsewhere = inventory.scope(Location(ACCOUNT, "eu-central-1"))
    assert elsewhere.status is ScopeStatus.NOT_READ


def header(root: Path, **fields: Any) -> Path:
    text = json.dumps({"format_version": "1.0"} | fields)
    (root / "inventory.json").write_text(text, encoding="utf-8")
    return root


def test_inventory_json_says_when_and_how_well_each_location_was_read(tmp_path: Path) -> None:
    other = Location("222222222222", "eu-west-1")
    record(tmp_path, listing(instances=[instance()]))
    cause = "AccessDenied on sts:AssumeRole"
    header(
        tmp_path,
        taken_at="2026-11-21T02:10:00Z",
        notes=["KMS could not be asked"],
        scopes=[
            {"account": HERE.account, "region": HERE.region, "status": "ok", "instances": 1},
            {
                "account": other.account,
                "region": other.region,
                "status": "failed",
                "cause": cause,
            },
        ],
    )

    inventory = read_inventory(tmp_path)

    assert inventory.taken_at == datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
    assert inventory.notes == ("KMS could not be asked",)
    assert inventory.scope(HERE).is_complete
    assert inventory.scope(other) == Scope(other, ScopeStatus.FAILED, cause)


def test_a_location_that_inventory_json_leaves_out_was_not_read(tmp_path: Path) -> None:
    record(tmp_path, listing(instances=[instance()]))
    record(tmp_path, listing(), account="222222222222")
    header(tmp_path, scopes=[{"account": "222222222222", "region": REGION, "status": "ok"}])

    scope = scope_of(tmp_path)

    assert scope.status is ScopeStatus.NOT_READ
    assert scope.instances
    assert not scope.is_complete


def test_an_inventory_json_without_scopes_vouches_for_all_of_them(tmp_path: Path) -> None:
    header(record(tmp_path, listing()), taken_at="2026-11-21T02:10:00Z")
    assert scope_of(tmp_path).is_complete


@pytest.mark.parametrize("mark", ["Marker", "NextToken"])
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("describe-db-instances.json", "DBInstances"),
        ("describe-db-snapshots.json", "DBSnapshots"),
    ],
)
def test_a_listing_that_was_cut_short_is_not_taken_for_all_there_is(
    tmp_path: Path, name: str, key: str, mark: str
) -> None:
    files = listing() | {name: {key: [], mark: "eyJNYXJrZXIiOiBudWxsfQ=="}}

    scope = scope_of(record(tmp_path, files))

    assert scope.status is ScopeStatus.FAILED
    assert scope.cause == f"{name} holds only its first pages"
    assert not scope.is_complete


def test_an_instance_without_a_resource_id_makes_its_location_incomplete(tmp_path: Path) -> None:
    files = listing(instances=[instance(), instance("old", DbiResourceId=None)])

    scope = scope_of(record(tmp_path, files))

    assert [i.identifier for i in scope.instances or ()] == ["orders"]
    assert scope.cause == "DB instance old has no DbiResourceId"
    assert not scope.is_complete


def test_snapshots_that_others_share_are_kept_apart_from_the_accounts_own(tmp_path: Path) -> None:
    theirs = snapshot(
        "theirs",
        DBSnapshotArn=f"arn:aws:rds:{REGION}:999999999999:snapshot:theirs",
        SnapshotType="shared",
    )

    with_flag = scope_of(record(tmp_path / "a", listing(snapshots=[snapshot(), theirs])))
    with_file = scope_of(
        record(
            tmp_path / "b",
            listing(snapshots=[snapshot()])
            | {"describe-db-snapshots.shared.json": {"DBSnapshots": [theirs]}},
        )
    )

    for scope in (with_flag, with_file):
        assert [s.identifier for s in scope.snapshots or ()] == ["orders-before-upgrade"]
        assert [s.identifier for s in scope.shared or ()] == ["theirs"]
        assert [s.type for s in scope.shared or ()] == [SnapshotType.OTHER]


def faults_of(root: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        read_inventory(root)
    return str(caught.value)


def test_every_broken_file_is_told_at_once_with_its_place(tmp_path: Path) -> None:
    record(
        tmp_path,
        {
            "describe-db-instances.json": '{"DBInstances": [',
            "describe-db-snapshots.json": {"DBSnapshots": [snapshot(AllocatedStorage="500 GB")]},
            "describe-events.json": "",
            "describe-keys.json": {"Aliases": []},
        },
    )
    record(tmp_path, {"describe-db-instances.json": []}, account="222222222222")

    text = faults_of(tmp_path)

    folder = tmp_path / ACCOUNT / REGION
    assert f"{folder / 'describe-db-instances.json'}: is no JSON" in text
    assert f"{folder / 'describe-db-snapshots.json'}: Expected `int | null`, got `str`" in text
    assert "$.DBSnapshots[0].AllocatedStorage" in text
    assert f"{folder / 'describe-events.json'}: is empty" in text
    assert "Object missing required field `Keys`" in text
    assert "Expected `object`, got `array`" in text
    assert "to do: make these files again with the AWS CLI" in text


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\xff\xfe{\x00}\x00", "is UTF-16 text"),
        (b"\x00\x01\x02", "is no JSON"),
        (b"   \n", "is empty"),
        (b"null", "got `null`"),
        (b'{"DBSnapshots": {}}', "$.DBSnapshots"),
        (b'{"DBSnapshots": [{"DBSnapshotIdentifier": "\xff"}]}', "is no JSON"),
        (b'{"DBSnapshots": [{}]}', "missing required field `DBSnapshotIdentifier`"),
        (b'{"DBSnapshots": [{"DBSnapshotIdentifier": 1}]}', "$.DBSnapshots[0]"),
        (b'{"a": ' + b"[" * 100_000, "is n"),
        (
            b'{"DBSnapshots": [{"DBSnapshotIdentifier": "a", "SnapshotCreateTime": 1e30}]}',
            "SnapshotCreateTime",
        ),
        (
            b'{"DBSnapshots": [{"DBSnapshotIdentifier": "a", "SnapshotCreateTime": "soon"}]}',
            "Invalid RFC3339",
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_named_and_no_traceback(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    record(tmp_path, {"describe-db-snapshots.json": ""})
    file = tmp_path / ACCOUNT / REGION / "describe-db-snapshots.json"
    file.write_bytes(content)

    text = faults_of(tmp_path)

    assert str(file) in text
    assert complaint in text


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    record(tmp_path, {"describe-db-snapshots.json": '\ufeff{"DBSnapshots": []}'})
    assert scope_of(tmp_path).snapshots == ()


@pytest.mark.parametrize(
    ("account", "region", "complaint"),
    [
        ("prod", "eu-west-1", "prod: is no account id"),
        ("11111111111", "eu-west-1", "is no account id"),
        (ACCOUNT, "ireland", "ireland: is no region"),
    ],
)
def test_a_folder_that_names_no_location_is_a_fault(
    tmp_path: Path, account: str, region: str, complaint: str
) -> None:
    assert complaint in faults_of(record(tmp_path, listing(), account, region))


def test_a_folder_without_any_location_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "describe-db-instances.json").write_text('{"DBInstances": []}')
    assert "holds no location: no ACCOUNT-ID/REGION folder" in faults_of(tmp_path)


def test_a_folder_that_does_not_exist_is_a_fault(tmp_path: Path) -> None:
    assert "nowhere: cannot be listed: No such file or directory" in faults_of(tmp_path / "nowhere")


@pytest.mark.parametrize("wrong", ["arn:aws:rds:eu-west-1:222222222222", "arn:aws:rds:us-east-1:1"])
def test_a_record_of_another_location_is_a_fault(tmp_path: Path, wrong: str) -> None:
    theirs = snapshot(DBSnapshotArn=f"{wrong}:snapshot:orders-before-upgrade")
    moved = instance(DBInstanceArn=f"{wrong}:db:orders")

    text = faults_of(record(tmp_path, listing(instances=[moved], snapshots=[theirs])))

    assert f"does not belong to {HERE} - at `$.DBSnapshots[0].DBSnapshotArn`" in text
    assert f"does not belong to {HERE} - at `$.DBInstances[0].DBInstanceArn`" in text


def test_a_record_whose_arn_is_that_of_another_is_a_fault(tmp_path: Path) -> None:
    here = f"arn:aws:rds:{REGION}:{ACCOUNT}"
    another = snapshot(DBSnapshotArn=f"{here}:snapshot:another")
    renamed = instance(DBInstanceArn=f"{here}:db:renamed")

    text = faults_of(record(tmp_path, listing(instances=[renamed], snapshots=[another])))

    assert f"{here}:snapshot:another is not the ARN of snapshot:orders-before-upgrade" in text
    assert f"{here}:db:renamed is not the ARN of db:orders - at `$.DBInstances[0]" in text


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"format_version": "2.0"}, "format_version 2.0, this engine reads 1.x"),
        ({"scopes": [{"account": ACCOUNT, "region": REGION, "status": "fine"}]}, "'fine'"),
        ({"scopes": [{"account": ACCOUNT, "status": "ok"}]}, "required field `region`"),
        ({"taken_at": "yesterday"}, "$.taken_at"),
        ({"scopes": [{"account": "../..", "region": REGION, "status": "ok"}]}, "$.scopes[0]"),
        ({"scopes": [{"account": ACCOUNT, "region": "x" * 5000, "status": "ok"}]}, "$.scopes[0]"),
    ],
)
def test_an_inventory_json_that_makes_no_sense_is_a_fault(
    tmp_path: Path, fields: dict[str, Any], complaint: str
) -> None:
    text = faults_of(header(record(tmp_path, listing()), **fields))
    assert str(tmp_path / "inventory.json") in text
    assert complaint in text


def test_a_file_of_no_known_name_is_noted(tmp_path: Path) -> None:
    files = listing() | {"describe-db-snapshot.json": {}}
    inventory = read_inventory(record(tmp_path, files))
    assert [note.split("/")[-1] for note in inventory.notes] == [
        "describe-db-snapshot.json: not read, the engine knows no file of this name"
    ]


def test_hidden_folders_and_loose_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("Recorded for the bug report.")
    inventory: Inventory = read_inventory(record(tmp_path, listing()))
    assert list(inventory.scopes) == [HERE]


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_arns_are_made_in_the_partition_of_the_region(
    tmp_path: Path, region: str, partition: str
) -> None:
    record(tmp_path, listing(snapshots=[{"DBSnapshotIdentifier": "a"}]), region=region)
    (only,) = read_inventory(tmp_path).scope(Location(ACCOUNT, region)).snapshots or ()
    assert only.arn == f"arn:{partition}:rds:{region}:{ACCOUNT}:snapshot:a"


def test_a_folder_in_the_place_of_a_file_is_a_fault(tmp_path: Path) -> None:
    record(tmp_path, listing())
    (tmp_path / ACCOUNT / REGION / "describe-events.json").mkdir()
    assert "describe-events.json: is no file" in faults_of(tmp_path)


def test_of_very_many_faults_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    for number in range(25):
        record(tmp_path, {"describe-events.json": "{"}, account=f"{number:012d}")
    assert faults_of(tmp_path).count("is no JSON") == 20
    assert "… and 5 more" in faults_of(tmp_path)


def test_a_quota_that_aws_does_not_tell_is_not_known(tmp_path: Path) -> None:
    empty: dict[str, Any] = {"AccountQuotas": []}
    files = {"describe-account-attributes.json": empty}
    assert scope_of(record(tmp_path, files)).quota is None


def test_equal_texts_are_kept_once(tmp_path: Path) -> None:
    files = listing(snapshots=[snapshot("a"), snapshot("b")])
    one, two = scope_of(record(tmp_path, files)).snapshots or ()
    assert one.engine is two.engine
    assert one.tags["tier"] is two.tags["tier"]
    assert next(iter(one.tags)) is next(iter(two.tags))
