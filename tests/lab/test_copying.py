"""Copying snapshots across accounts, regions and keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.conftest import Refusing
from tests.lab.places import FRANKFURT, IRELAND, Account, Places

KEY = {"alias": "alias/own"}


@pytest.fixture
def prod(places: Places) -> Account:
    return places.account({"key": "alias/own"}, keys=[KEY, {"alias": "alias/other"}])


def _copy(account: Account, origin: str, name: str, region: str = IRELAND, **more: Any) -> Any:
    return account.rds_in(region).copy_db_snapshot(
        SourceDBSnapshotIdentifier=origin, TargetDBSnapshotIdentifier=name, **more
    )["DBSnapshot"]


def _vault(places: Places, prod: Account) -> Account:
    """Make a second account with a key, which may use prod's."""
    vault = places.account(keys=[KEY, {"alias": "alias/own", "region": FRANKFURT}])
    key = prod.kms.describe_key(KeyId="alias/own")["KeyMetadata"]["Arn"]
    prod.kms.create_grant(
        KeyId=key,
        GranteePrincipal=f"arn:aws:iam::{vault.id}:root",
        Operations=["Decrypt", "CreateGrant"],
    )
    return vault


def _share(prod: Account, name: str, vault: Account) -> None:
    prod.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=[vault.id]
    )


def test_a_copy_is_copying_with_progress_and_keeps_the_original_time(
    places: Places, prod: Account
) -> None:
    places.snapshot(prod, "one")
    origin = prod.rds.describe_db_snapshots()["DBSnapshots"][0]
    copy = _copy(prod, "one", "two")
    assert (copy["Status"], copy["PercentProgress"]) == ("copying", 0)
    assert "SnapshotCreateTime" not in copy
    places.pass_time()
    done = prod.rds.describe_db_snapshots(DBSnapshotIdentifier="two")["DBSnapshots"][0]
    assert done["Status"] == "available"
    assert done["OriginalSnapshotCreateTime"] == origin["OriginalSnapshotCreateTime"]
    assert done["SnapshotCreateTime"] > origin["SnapshotCreateTime"]
    assert done["KmsKeyId"] == origin["KmsKeyId"]
    # Set for copies from another account or region only (DBSnapshot reference).
    assert "SourceDBSnapshotIdentifier" not in done


def test_what_is_not_available_cannot_be_copied(
    places: Places, prod: Account, refused: Refusing
) -> None:
    prod.rds.create_db_snapshot(DBSnapshotIdentifier="one", DBInstanceIdentifier="db")
    with refused("InvalidDBSnapshotState"):
        _copy(prod, "one", "two")
    with refused("DBSnapshotNotFound", status=404):
        _copy(prod, "none", "two")
    with refused("InvalidParameterValue", "not a valid identifier"):
        _copy(prod, "one", "rds:two")


def test_an_automated_snapshot_can_be_copied_into_a_manual_one(places: Places) -> None:
    automated = {"identifier": "rds:db-1", "type": "automated", "created": "2026-01-01T00:00:00Z"}
    account = places.account({}, snapshots=[automated])
    _copy(account, account.arn("rds:db-1"), "manual")
    places.pass_time()
    found = account.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
    assert [one["DBSnapshotIdentifier"] for one in found] == ["manual"]


def test_another_accounts_snapshot_is_copied_only_when_it_is_shared(
    places: Places, prod: Account, refused: Refusing
) -> None:
    vault = _vault(places, prod)
    arn = places.snapshot(prod, "one")
    with refused("DBSnapshotNotFound"):
        _copy(vault, arn, "copy", KmsKeyId="alias/own")
    _share(prod, "one", vault)
    copy = _copy(vault, arn, "copy", KmsKeyId="alias/own")
    key = vault.kms.describe_key(KeyId="alias/own")["KeyMetadata"]["Arn"]
    assert copy["KmsKeyId"] == key
    assert copy["SourceDBSnapshotIdentifier"] == arn
    assert copy["SourceRegion"] == IRELAND
    places.pass_time()
    assert vault.status("copy") == "available"


def test_the_callers_own_snapshot_of_the_same_name_is_not_copied_instead(
    places: Places, prod: Account, refused: Refusing
) -> None:
    vault = places.account({})
    places.snapshot(vault, "one")
    with refused("DBSnapshotNotFound"):
        _copy(vault, places.snapshot(prod, "one"), "copy")


def test_an_encrypted_shared_snapshot_needs_a_key_of_the_caller(
    places: Places, prod: Account, refused: Refusing
) -> None:
    vault = _vault(places, prod)
    arn = places.snapshot(prod, "one")
    _share(prod, "one", vault)
    with refused("KMSKeyNotAccessibleFault", "The target KMS key [None]"):
        _copy(vault, arn, "copy")
    with refused("KMSKeyNotAccessibleFault", "The target KMS key [alias/missing]"):
        _copy(vault, arn, "copy", KmsKeyId="alias/missing")


def test_the_source_key_must_be_usable_by_the_caller(
    places: Places, prod: Account, refused: Refusing
) -> None:
    vault = places.account(keys=[KEY])
    arn = places.snapshot(prod, "one")
    _share(prod, "one", vault)
    with refused("KMSKeyNotAccessibleFault", "The source snapshot KMS key [arn:aws:kms:"):
        _copy(vault, arn, "copy", KmsKeyId="alias/own")


def test_a_disabled_key_refuses_copies(places: Places, prod: Account, refused: Refusing) -> None:
    places.snapshot(prod, "one")
    key = prod.kms.describe_key(KeyId="alias/other")["KeyMetadata"]["Arn"]
    prod.kms.disable_key(KeyId=key)
    with refused("KMSKeyNotAccessibleFault"):
        _copy(prod, "one", "two", KmsKeyId="alias/other")
    prod.kms.enable_key(KeyId=key)
    assert _copy(prod, "one", "two", KmsKeyId="alias/other")["KmsKeyId"] == key


def test_to_another_region_an_encrypted_snapshot_needs_a_key_of_that_region(
    places: Places, prod: Account, refused: Refusing
) -> None:
    arn = places.snapshot(prod, "one")
    with refused("InvalidParameterValue", "Must specify new KMS key"):
        _copy(prod, arn, "two", FRANKFURT)
    here = prod.kms.describe_key(KeyId="alias/own")["KeyMetadata"]["Arn"]
    with refused("KMSKeyNotAccessibleFault"):
        _copy(prod, arn, "two", FRANKFURT, KmsKeyId=here)
    key = prod.client("kms", FRANKFURT).create_key()["KeyMetadata"]["Arn"]
    copy = _copy(prod, arn, "two", FRANKFURT, KmsKeyId=key)
    assert (copy["SourceRegion"], copy["SourceDBSnapshotIdentifier"]) == (IRELAND, arn)
    assert "AvailabilityZone" not in copy


def test_account_and_region_can_be_crossed_in_one_step(places: Places, prod: Account) -> None:
    vault = _vault(places, prod)
    arn = places.snapshot(prod, "one")
    _share(prod, "one", vault)
    _copy(vault, arn, "copy", FRANKFURT, KmsKeyId="alias/own")
    places.pass_time()
    assert vault.status("copy", FRANKFURT) == "available"


def test_an_unencrypted_snapshot_is_encrypted_by_giving_a_key(places: Places) -> None:
    account = places.account({}, keys=[KEY])
    places.snapshot(account, "one")
    assert _copy(account, "one", "plain")["Encrypted"] is False
    assert _copy(account, "one", "encrypted", KmsKeyId="alias/own")["Encrypted"] is True


def test_copies_of_one_source_are_made_one_after_the_other(places: Places) -> None:
    account = places.account({}, {"identifier": "other"})
    places.snapshot(account, "one")
    places.snapshot(account, "two", "other")
    first, second = _copy(account, "one", "a"), _copy(account, "one", "b")
    third = _copy(account, "two", "c")
    assert [one["Status"] for one in (first, second, third)] == ["copying", "pending", "copying"]
    assert second["PercentProgress"] == 0
    places.pass_time(3)
    assert [account.status(name) for name in "abc"] == ["available", "copying", "available"]
    places.pass_time(3)
    assert account.status("b") == "available"


def test_a_region_takes_only_so_many_copies_at_once(places: Places, refused: Refusing) -> None:
    places.lab.client.change_settings(copies_in_flight=2)
    account = places.account({})
    places.snapshot(account, "one")
    _copy(account, "one", "a")
    _copy(account, "one", "b")
    with refused("SnapshotQuotaExceeded", "Cannot copy more than 2 snapshots across regions"):
        _copy(account, "one", "c")
    places.pass_time(3)
    _copy(account, "one", "c")


def test_twenty_copies_at_once_are_allowed_by_default(places: Places) -> None:
    assert places.lab.client.settings()["copies_in_flight"] == 20
    assert places.lab.client.settings()["manual_snapshots"] == 100


def test_deleting_a_copy_in_flight_cancels_it_and_lets_the_next_start(places: Places) -> None:
    account = places.account({})
    places.snapshot(account, "one")
    _copy(account, "one", "a")
    _copy(account, "one", "b")
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="a")
    assert account.names() == ["b", "one"]
    assert account.status("b") == "copying"
    places.pass_time(3)
    assert account.status("b") == "available"


def test_deleting_the_origin_fails_the_copy_which_can_then_be_deleted(places: Places) -> None:
    account = places.account({})
    places.snapshot(account, "one")
    _copy(account, "one", "copy")
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="one")
    places.pass_time()
    assert account.status("copy") == "failed"
    account.rds.delete_db_snapshot(DBSnapshotIdentifier="copy")
    assert account.names() == []


def test_unsharing_or_disabling_the_key_fails_the_copy(places: Places, prod: Account) -> None:
    vault = _vault(places, prod)
    arn = places.snapshot(prod, "one")
    _share(prod, "one", vault)
    _copy(vault, arn, "unshared", KmsKeyId="alias/own")
    prod.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="one", AttributeName="restore", ValuesToRemove=[vault.id]
    )
    places.pass_time()
    assert vault.status("unshared") == "failed"
    _share(prod, "one", vault)
    _copy(vault, arn, "disabled", KmsKeyId="alias/own")
    vault.kms.disable_key(KeyId=vault.kms.describe_key(KeyId="alias/own")["KeyMetadata"]["KeyId"])
    places.pass_time()
    assert vault.status("disabled") == "failed"


def test_tags_are_copied_inside_an_account_only(places: Places) -> None:
    prod, vault = places.account({}), places.account()
    arn = places.snapshot(prod, "one", Tags=[{"Key": "a", "Value": "b"}])
    _share(prod, "one", vault)
    assert _copy(prod, arn, "none")["TagList"] == []
    assert _copy(prod, arn, "all", CopyTags=True)["TagList"] == [{"Key": "a", "Value": "b"}]
    own = [{"Key": "c", "Value": "d"}]
    assert _copy(prod, arn, "own", CopyTags=True, Tags=own)["TagList"] == own
    assert _copy(vault, arn, "foreign", CopyTags=True)["TagList"] == []
    assert _copy(vault, arn, "tagged", Tags=own)["TagList"] == own


def test_reserved_tags_cannot_be_copied(places: Places, refused: Refusing) -> None:
    tags = {"aws:cloudformation:stack-name": "db"}
    seeded = {"identifier": "one", "created": "2026-01-01T00:00:00Z", "tags": tags}
    account = places.account({}, snapshots=[seeded])
    with refused("InvalidParameterValue", "reserved prefix"):
        _copy(account, "one", "two", CopyTags=True)


def test_elsewhere_a_copy_gets_the_default_option_group(places: Places) -> None:
    account = places.account({"engine": "oracle-ee", "option_group": "timezone"})
    arn = places.snapshot(account, "one")
    assert _copy(account, arn, "near")["OptionGroupName"] == "timezone"
    assert _copy(account, arn, "far", FRANKFURT)["OptionGroupName"].startswith("default:")
    given = _copy(account, arn, "given", FRANKFURT, OptionGroupName="timezone")
    assert given["OptionGroupName"] == "timezone"


def test_options_that_stay_for_good_want_an_option_group_where_the_copy_lies(
    places: Places, refused: Refusing
) -> None:
    oracle = {"engine": "oracle-ee", "persistent_options": ["Timezone"], "option_group": "zoned"}
    prod = places.account(oracle)
    arn = places.snapshot(prod, "one")
    with refused("InvalidParameterValue", "target option group", "[Timezone]"):
        _copy(prod, arn, "far", region=FRANKFURT)
    far = _copy(prod, arn, "far", region=FRANKFURT, OptionGroupName="zoned-there")
    assert far["OptionGroupName"] == "zoned-there"
    assert _copy(prod, arn, "near")["OptionGroupName"] == "zoned"


def test_only_options_of_the_time_zone_and_labels_may_be_shared(
    places: Places, refused: Refusing
) -> None:
    for options, may in ((["Timezone", "OLS"], True), (["TDE"], False)):
        prod = places.account({"engine": "oracle-ee", "persistent_options": options})
        vault = places.account()
        places.snapshot(prod, "one")
        if may:
            _share(prod, "one", vault)
        else:
            with refused("InvalidParameterValue", "cannot be shared"):
                _share(prod, "one", vault)
