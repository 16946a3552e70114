"""Ids: people read the front, the hash at the end decides."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.identity.names import (
    derived_id,
    ends_in_hash,
    key_location,
    location_of,
    snapshot_arn,
    snapshot_id,
)
from engine.inventory.records import Location
from tests.planning.builders import SLOT, VAULT

HASH = "1f0c9a3e"
LEGAL = re.compile(r"[a-z](-?[a-z0-9])*")


def test_an_id_names_instance_policy_slot_and_zone_and_ends_in_the_hash() -> None:
    found = snapshot_id("orders-1", "gold", SLOT, "euw1-az2", HASH)
    assert found == "orders-1-gold-20261121t0200z-euw1az2-1f0c9a3e"


def test_the_slot_in_an_id_is_in_utc() -> None:
    slot = datetime(2026, 11, 21, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert "-20261120t1945z-" in snapshot_id("db", "gold", slot, "z", HASH)


@pytest.mark.parametrize(
    ("instance", "policy", "zone"),
    [
        ("i" * 63, "p" * 40, "euw1-az2"),
        ("i" * 63, "p" * 40, "us-west-2-lax-1a" * 3),
        ("Orders-1", "gold", "unknown"),
        ("i" * 300, "p" * 40, "euw1-az2"),
        ("i" * 244 + "-", "p", "euw1-az2"),
        ("i" * 245 + "-", "p", "euw1-az2"),
        ("i" * 246 + "-", "p", "euw1-az2"),
    ],
)
def test_an_id_is_one_that_aws_takes(instance: str, policy: str, zone: str) -> None:
    found = snapshot_id(instance, policy, datetime(2026, 1, 2, tzinfo=UTC), zone, HASH)
    assert len(found) <= 255
    assert LEGAL.fullmatch(found)
    assert found.endswith(f"-{HASH}")


def test_a_long_instance_name_keeps_the_whole_id() -> None:
    found = snapshot_id("i" * 63, "p" * 40, SLOT, "euw1-az2", HASH)
    assert found == f"{'i' * 63}-{'p' * 40}-20261121t0200z-euw1az2-{HASH}"


def test_a_copy_has_its_origins_id_but_for_the_hash() -> None:
    assert derived_id("orders-1-gold-20261121t0200z-euw1az2-00000000", HASH) == (
        f"orders-1-gold-20261121t0200z-euw1az2-{HASH}"
    )


@pytest.mark.parametrize("adopted", ["x", "upgrade", "before-the-upgrade", "a" * 255])
def test_a_copy_of_an_adopted_object_keeps_its_name_before_the_hash(adopted: str) -> None:
    found = derived_id(adopted, HASH)
    assert found == f"{adopted[:246]}-{HASH}"
    assert LEGAL.fullmatch(found)
    assert len(found) <= 255


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("orders-1f0c9a3e", True),
        ("orders-1f0c9a3", False),
        ("orders-1f0c9a3g", False),
        ("orders1f0c9a3e", False),
        ("orders-1f0c9a3e\n", False),
    ],
)
def test_an_id_of_the_engine_ends_in_a_hyphen_and_eight_hex_digits(
    identifier: str, expected: bool
) -> None:
    assert ends_in_hash(identifier) is expected


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_an_arn_keeps_its_partition(partition: str) -> None:
    like = f"arn:{partition}:rds:eu-west-1:111111111111:db:orders-1"
    expected = f"arn:{partition}:rds:eu-west-1:222222222222:snapshot:x"
    assert snapshot_arn(like, VAULT, "x") == expected


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:rds:eu-west-1:222222222222:db:x", Location("222222222222", "eu-west-1")),
        ("arn:aws:rds:eu-west-1:222222222222:snapshot:rds:x-2026", VAULT),
        ("orders-1", None),
        ("arn:aws:rds:eu-west-1:222222222222", None),
        ("urn:aws:rds:eu-west-1:222222222222:db:x", None),
    ],
)
def test_an_arn_tells_its_location(arn: str, expected: Location | None) -> None:
    assert location_of(arn) == expected


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:kms:eu-west-1:222222222222:key/0f1e2d3c", VAULT),
        ("arn:aws:kms:eu-west-1:222222222222:alias/backups", None),
        ("alias/backups", None),
        ("urn:aws:kms:eu-west-1:222222222222:key/0f1e2d3c", None),
    ],
)
def test_the_arn_of_a_key_tells_where_it_lies(arn: str, expected: Location | None) -> None:
    assert key_location(arn) == expected
