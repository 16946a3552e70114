"""KMS keys as RDS needs them."""

from __future__ import annotations

from tests.lab.conftest import Refusing
from tests.lab.places import Places


def test_the_default_key_is_awss_and_others_are_the_customers(places: Places) -> None:
    account = places.account({"key": "aws/rds"}, keys=[{"alias": "alias/own"}])
    default = account.kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]
    own = account.kms.describe_key(KeyId="alias/own")["KeyMetadata"]
    assert (default["KeyManager"], own["KeyManager"]) == ("AWS", "CUSTOMER")
    instance = account.rds.describe_db_instances()["DBInstances"][0]
    assert instance["KmsKeyId"] == default["Arn"]
    assert instance["StorageEncryptionType"] == "sse-kms"


def test_aliases_of_keys_that_are_not_there_point_to_nothing(places: Places) -> None:
    account = places.account({"key": "aws/rds"})
    targets = {
        one["AliasName"]: one.get("TargetKeyId") for one in account.kms.list_aliases()["Aliases"]
    }
    keys = {one["KeyId"] for one in account.kms.list_keys()["Keys"]}
    assert targets["alias/aws/rds"] in keys
    assert targets["alias/aws/s3"] is None


def test_keys_are_disabled_and_enabled_by_arn_too(places: Places) -> None:
    account = places.account(keys=[{"alias": "alias/own"}])
    arn = account.kms.describe_key(KeyId="alias/own")["KeyMetadata"]["Arn"]
    account.kms.disable_key(KeyId=arn)
    assert account.kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    account.kms.enable_key(KeyId=arn)
    assert account.kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"


def test_awss_own_keys_cannot_be_disabled(places: Places, refused: Refusing) -> None:
    account = places.account({"key": "aws/rds"})
    key = account.kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["KeyId"]
    with refused("AccessDeniedException"):
        account.kms.disable_key(KeyId=key)


def test_a_seeded_key_may_be_used_by_the_accounts_it_names(places: Places) -> None:
    vault = places.account(keys=[{"alias": "alias/own"}])
    prod = places.account(
        {"key": "alias/own"},
        others=[vault.id],
        keys=[{"alias": "alias/own", "usable_by": [vault.id]}],
    )
    arn = places.snapshot(prod, "one")
    prod.rds.modify_db_snapshot_attribute(
        DBSnapshotIdentifier="one", AttributeName="restore", ValuesToAdd=[vault.id]
    )
    vault.rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier=arn,
        TargetDBSnapshotIdentifier="copy",
        KmsKeyId="alias/own",
    )
    places.pass_time()
    assert vault.status("copy") == "available"


def test_an_instance_cannot_be_created_under_a_key_that_is_not_usable(
    places: Places, refused: Refusing
) -> None:
    account = places.account(keys=[{"alias": "alias/off", "enabled": False}])
    with refused("KMSKeyNotAccessibleFault", status=400):
        account.rds.create_db_instance(
            DBInstanceIdentifier="db",
            DBInstanceClass="db.r6g.large",
            Engine="postgres",
            AllocatedStorage=20,
            StorageEncrypted=True,
            KmsKeyId="alias/off",
        )


def test_a_key_shows_itself_to_the_accounts_that_its_policy_names(
    places: Places, refused: Refusing
) -> None:
    vault, stranger = places.account(), places.account()
    prod = places.account(keys=[{"alias": "alias/own", "usable_by": [vault.id]}], others=[vault.id])
    arn = prod.kms.describe_key(KeyId="alias/own")["KeyMetadata"]["Arn"]
    assert vault.kms.describe_key(KeyId=arn)["KeyMetadata"]["Arn"] == arn
    with refused("AccessDeniedException"):
        stranger.kms.describe_key(KeyId=arn)
