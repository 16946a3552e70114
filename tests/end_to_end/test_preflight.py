"""Keys and roles that turn out to be unusable between plan and apply, seen from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.lab.estates import IRELAND, PROD, VAULT
from engine.lab.seeds import AccountSeed, read_seed, seed_document
from tests.end_to_end.estates import (
    DEFAULT_KEY,
    DEFAULT_KEY_TO_BOTH,
    DOCUMENTS,
    FRANKFURT,
    ORDERS,
    estate_of,
)
from tests.end_to_end.harness import World, working_folder
from tests.forking.labs import ForkedLab

NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
SEED = estate_of(ORDERS, DEFAULT_KEY, DEFAULT_KEY_TO_BOTH)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ForkedLab.start(SEED, speed=20.0, at=NIGHT) as lab:
        yield World(lab, working_folder(tmp_path / "work", DOCUMENTS))


def made(world: World) -> Counter[tuple[str, str, str]]:
    """Return how many changing calls of each kind were made in which account and region."""
    return Counter(
        (call["account"], call["region"], call["operation"])
        for call in world.lab.client.calls()
        if call["operation"] in {"CreateDBSnapshot", "CopyDBSnapshot", "ModifyDBSnapshotAttribute"}
    )


def holdings(world: World) -> Counter[tuple[str, str, str]]:
    """Return how many objects of each role there are of which database, in which region."""
    return Counter((one.instance, one.region, one.role or "") for one in world.owned().values())


def failed(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line.get("state") == "failed"]


def test_a_key_disabled_after_the_plan_costs_only_what_needs_it(world: World) -> None:
    world.plan("-out", "night.plan").insist()
    world.kms(VAULT, IRELAND).disable_key(KeyId=world.key(VAULT, IRELAND, "alias/backups"))
    world.lab.client.forget_calls()
    done = world.run(
        "apply", "night.plan", "-wait", "-json", "-poll-interval", "1s", "-at", world.now()
    ).insist(3)
    # Primaries, and the way to Frankfurt with the bridge that it needs.
    assert holdings(world) == {
        ("orders-1", IRELAND, "primary"): 1,
        ("legacy-1", IRELAND, "primary"): 1,
        ("ledger-1", IRELAND, "primary"): 1,
        ("ledger-1", IRELAND, "bridge"): 1,
        ("orders-1", FRANKFURT, "copy"): 1,
        ("ledger-1", FRANKFURT, "copy"): 1,
    }
    # Nothing was even tried where the key is: no copy, and for legacy-1 neither bridge nor share.
    calls = made(world)
    assert calls[VAULT, IRELAND, "CopyDBSnapshot"] == 0
    assert calls[PROD, IRELAND, "CopyDBSnapshot"] == 1
    steps = failed(done.json_lines())
    assert [step["code"] for step in steps] == ["key_unusable"] * 3
    assert all("is Disabled" in step["text"] and step["fix"] for step in steps)
    assert done.outcome()["counts"]["failed"] == 3

    world.kms(VAULT, IRELAND).enable_key(KeyId=world.key(VAULT, IRELAND, "alias/backups"))
    world.apply("-wait").insist()
    world.apply("-wait").insist()
    world.plan("-detailed-exitcode").insist()
    assert holdings(world)["legacy-1", IRELAND, "copy"] == 1


def test_a_key_that_is_being_deleted_is_told_in_words(world: World) -> None:
    key = world.key(VAULT, FRANKFURT, "alias/backups")
    world.kms(VAULT, FRANKFURT).schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    done = world.apply("-wait").insist(3)
    assert f"key {key} in {VAULT}/{FRANKFURT}" in done.out
    assert "is PendingDeletion" in done.out
    assert "to do: enable the key, or name another one in the documents" in done.out
    assert made(world)[VAULT, FRANKFURT, "CopyDBSnapshot"] == 0
    assert holdings(world)["legacy-1", IRELAND, "copy"] == 1


def test_a_role_that_cannot_be_assumed_leaves_the_primaries(tmp_path: Path) -> None:
    seed = read_seed(SEED)
    reader_only: AccountSeed = msgspec.structs.replace(
        seed.accounts["vault"], roles={"backup-reader": None}
    )
    without = msgspec.structs.replace(seed, accounts={**seed.accounts, "vault": reader_only})
    folder = working_folder(tmp_path / "work", DOCUMENTS)
    with ForkedLab.start(seed_document(without), speed=20.0, at=NIGHT) as lab:
        world = World(lab, folder)
        done = world.apply("-wait", "-json").insist(3)
        assert {role for _, _, role in holdings(world)} == {"primary"}
        calls = made(world)
        assert calls[PROD, IRELAND, "CreateDBSnapshot"] == 3
        assert calls.total() == 3
        steps = failed(done.json_lines())
        assert {step["code"] for step in steps} == {"role_unusable"}
        assert {step["location"]["account"] for step in steps} == {VAULT}
        assert f"arn:aws:iam::{VAULT}:role/backup-engine" in steps[0]["text"]


def test_a_key_that_does_not_let_the_target_in_is_told_and_tried(tmp_path: Path) -> None:
    seed = read_seed(SEED)
    keys = tuple(
        msgspec.structs.replace(key, usable_by=()) if key.alias == "alias/orders" else key
        for key in seed.keys
    )
    folder = working_folder(tmp_path / "work", DOCUMENTS)
    shut = seed_document(msgspec.structs.replace(seed, keys=keys))
    with ForkedLab.start(shut, speed=20.0, at=NIGHT) as lab:
        world = World(lab, folder)
        done = world.apply("-wait", "-json").insist(3)
        problems = done.outcome()["problems"]
        assert {one["code"] for one in problems} == {"preflight_incomplete"}
        assert all("alias/orders" in one["text"] or "key/" in one["text"] for one in problems)
        assert {step["code"] for step in failed(done.json_lines())} == {"key"}
        assert holdings(world)["ledger-1", FRANKFURT, "copy"] == 1
