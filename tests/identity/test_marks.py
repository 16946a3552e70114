"""The engine's tags: written, read back, and believed only where the hash agrees."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.identity import marks as tag
from engine.identity.marks import (
    Marks,
    Role,
    adoption_proof,
    fingerprint,
    key_mark,
    owned_marks,
    read_marks,
    tags_of,
    time_text,
)
from engine.inventory.records import Snapshot, SnapshotType
from tests.planning.builders import (
    ESTATE,
    PROD,
    PROD_KEY,
    REMOTE,
    SLOT,
    VAULT,
    a_snapshot,
    an_instance,
    marks,
)

ORDERS = an_instance()
PRIMARY = marks(ORDERS, SLOT)
COPY = marks(ORDERS, SLOT, role=Role.COPY)


def _retagged(snapshot: Snapshot, **tags: str) -> Snapshot:
    named = {f"engine:{key.replace('_', '-')}": value for key, value in tags.items()}
    return replace(snapshot, tags={**snapshot.tags, **named})


@pytest.mark.parametrize(
    "written",
    [
        PRIMARY,
        COPY,
        replace(COPY, role=Role.BRIDGE, keys=("aaaaaaaa", "bbbbbbbb")),
        replace(PRIMARY, keys=(tag.NO_KEY,)),
        replace(PRIMARY, zone_checked=False),
        replace(PRIMARY, shared=frozenset({"222222222222", "333333333333"})),
        replace(PRIMARY, gone_since=SLOT + timedelta(hours=1)),
        replace(PRIMARY, pin="case 7"),
        replace(PRIMARY, pin=""),
        replace(PRIMARY, adopted="0123456789abcdef"),
        replace(PRIMARY, shared_by_policy=frozenset({"222222222222", "333333333333"})),
        replace(PRIMARY, shared_by_policy=frozenset({"222222222222"}), being_given=True),
        replace(PRIMARY, unshared_at=SLOT + timedelta(hours=1)),
    ],
)
def test_marks_are_read_back_as_they_were_written(written: Marks) -> None:
    assert read_marks(tags_of(written)) == written


def test_the_tags_are_those_of_the_contract() -> None:
    shared = frozenset({"333333333333", "222222222222"})
    written = replace(COPY, keys=("aaaaaaaa", tag.NO_KEY), shared=shared, gone_since=SLOT)
    assert tags_of(written) == {
        "engine:estate": "acme",
        "engine:policy": "gold",
        "engine:slot": "2026-11-21T02:00:00Z",
        "engine:role": "copy",
        "engine:resource": "db-ORDERS-1",
        "engine:source": "arn:aws:rds:eu-west-1:111111111111:db:orders-1",
        "engine:volume": "db-ORDERS-1",
        "engine:az": "euw1-az2",
        "engine:keys": "aaaaaaaa/none",
        "engine:origin": COPY.origin,
        "engine:az-checked": "true",
        "engine:shared": "222222222222+333333333333",
        "engine:gone-since": "2026-11-21T02:00:00Z",
    }


@pytest.mark.parametrize("missing", sorted(tags_of(PRIMARY).keys() - {tag.ZONE_CHECKED}))
def test_marks_that_lack_a_tag_are_none(missing: str) -> None:
    assert read_marks({k: v for k, v in tags_of(PRIMARY).items() if k != missing}) is None


@pytest.mark.parametrize("role", [Role.COPY, Role.BRIDGE])
def test_what_was_copied_must_name_its_origin(role: Role) -> None:
    assert read_marks(tags_of(replace(COPY, role=role, origin=None))) is None


@pytest.mark.parametrize(
    "slot",
    [
        "",
        "today",
        "2026-11-21",
        "2026-11-21T02:00:00",
        "2026-11-21T02:00:00.5Z",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
    ],
)
def test_a_slot_that_makes_no_sense_is_none_of_the_engines(slot: str) -> None:
    for key in (tag.SLOT, tag.GONE_SINCE):
        assert read_marks({**tags_of(replace(PRIMARY, gone_since=SLOT)), key: slot or "?"}) is None


def test_a_role_that_nobody_knows_is_none_of_the_engines() -> None:
    assert read_marks({**tags_of(PRIMARY), tag.ROLE: "spare"}) is None


def test_times_are_read_and_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert time_text(datetime(2026, 11, 21, 3, 0, tzinfo=berlin)) == "2026-11-21T02:00:00Z"
    found = read_marks({**tags_of(PRIMARY), tag.SLOT: "2026-11-21T03:00:00+01:00"})
    assert found is not None
    assert found.slot == SLOT
    assert found.slot.tzinfo is UTC


def test_a_key_is_marked_by_eight_hex_digits_of_its_arn() -> None:
    assert key_mark(PROD_KEY) == hashlib.sha256(PROD_KEY.encode()).hexdigest()[:8]
    assert key_mark(None) == "unknown"
    assert key_mark(None, encrypted=False) == "none"
    assert key_mark(PROD_KEY, encrypted=False) == "none"


def test_the_hash_covers_estate_role_location_resource_policy_and_slot() -> None:
    base = (ESTATE, Role.PRIMARY, PROD, "db-1", "gold", SLOT)
    changed = (
        ("other", Role.PRIMARY, PROD, "db-1", "gold", SLOT),
        (ESTATE, Role.COPY, PROD, "db-1", "gold", SLOT),
        (ESTATE, Role.PRIMARY, VAULT, "db-1", "gold", SLOT),
        (ESTATE, Role.PRIMARY, REMOTE, "db-1", "gold", SLOT),
        (ESTATE, Role.PRIMARY, PROD, "db-2", "gold", SLOT),
        (ESTATE, Role.PRIMARY, PROD, "db-1", "silver", SLOT),
        (ESTATE, Role.PRIMARY, PROD, "db-1", "gold", SLOT + timedelta(seconds=1)),
    )
    hashes = {fingerprint(*words) for words in (base, *changed)}
    assert len(hashes) == len(changed) + 1
    assert fingerprint(*base) == fingerprint(*base)
    assert all(len(one) == 8 and int(one, 16) >= 0 for one in hashes)


def test_an_object_is_owned_when_its_estate_its_tags_and_its_hash_agree() -> None:
    assert owned_marks(a_snapshot(ORDERS, SLOT), ESTATE) == PRIMARY
    assert owned_marks(a_snapshot(ORDERS, SLOT, VAULT), ESTATE) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"estate": "other"},
        {"policy": "silver"},
        {"slot": "2026-11-20T02:00:00Z"},
        {"role": "bridge", "origin": "arn:aws:rds:eu-west-1:111111111111:snapshot:x"},
        {"resource": "db-OTHER"},
    ],
)
def test_tags_that_the_hash_does_not_cover_up_for_prove_nothing(change: dict[str, str]) -> None:
    assert owned_marks(_retagged(a_snapshot(ORDERS, SLOT), **change), ESTATE) is None


def test_tags_that_travelled_to_another_id_prove_nothing() -> None:
    mine = a_snapshot(ORDERS, SLOT)
    stolen = replace(mine, identifier="final-snapshot", arn=f"{mine.arn}-final")
    assert owned_marks(stolen, ESTATE) is None


def test_an_id_that_was_copied_to_another_place_proves_nothing() -> None:
    mine = a_snapshot(ORDERS, SLOT)
    assert owned_marks(replace(mine, location=VAULT), ESTATE) is None


def test_the_hash_must_be_a_word_of_its_own() -> None:
    mine = a_snapshot(ORDERS, SLOT)
    glued = mine.identifier[:-9] + "x" + mine.identifier[-8:]
    assert owned_marks(replace(mine, identifier=glued), ESTATE) is None


def test_whatever_stands_before_the_hash_it_is_the_point() -> None:
    mine = a_snapshot(ORDERS, SLOT)
    assert owned_marks(replace(mine, identifier=f"x-{mine.identifier[-8:]}"), ESTATE) == PRIMARY


@pytest.mark.parametrize("kind", [k for k in SnapshotType if k is not SnapshotType.MANUAL])
def test_only_manual_snapshots_are_owned(kind: SnapshotType) -> None:
    assert owned_marks(replace(a_snapshot(ORDERS, SLOT), type=kind), ESTATE) is None


def test_an_adopted_object_is_owned_where_its_proof_fits_its_arn() -> None:
    plain = a_snapshot(ORDERS, SLOT, record={"identifier": "before-the-upgrade"})
    proof = adoption_proof(PRIMARY, plain.arn)
    assert owned_marks(_retagged(plain, adopted=proof), ESTATE) is not None
    assert owned_marks(_retagged(plain, adopted="yes"), ESTATE) is None
    elsewhere = replace(_retagged(plain, adopted=proof), arn=f"{plain.arn}-copy")
    assert owned_marks(elsewhere, ESTATE) is None
    assert owned_marks(_retagged(plain, adopted=proof, policy="silver"), ESTATE) is None


def test_an_object_whose_slot_is_beyond_the_calendar_is_not_owned_and_does_no_harm() -> None:
    odd = _retagged(a_snapshot(ORDERS, SLOT), slot="0001-01-01T00:00:00+23:00")
    assert owned_marks(odd, ESTATE) is None
