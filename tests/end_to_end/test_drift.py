"""Somebody changes by hand what the engine left, and `engine drift` tells; it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from engine.lab.estates import IRELAND, PROD, VAULT
from tests.end_to_end.estates import (
    DEFAULT_KEY,
    DOCUMENTS,
    FRANKFURT,
    NEAR,
    ORDERS,
    UNENCRYPTED,
    estate_of,
)
from tests.end_to_end.harness import Finished, Seen, World, working_folder
from tests.forking.labs import ForkedLab

FIRST_NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
STRANGER = "999999999999"
LOOKS = ("Describe", "List", "Get")
# Globs on every other operation, AssumeRole aside.
CHANGES = ("[!ADGL]*", "A[!s]*", "D[!e]*", "De[!s]*", "G[!e]*", "L[!i]*")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three nights of three databases; nothing may drift while the engine is at work."""
    folder = working_folder(tmp_path_factory.mktemp("drift"), DOCUMENTS)
    databases = (ORDERS, UNENCRYPTED, DEFAULT_KEY)
    with ForkedLab.start(estate_of(*databases), speed=20.0, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        for night in range(3):
            world.move_to(FIRST_NIGHT + timedelta(days=night))
            if night == 1:
                world.apply("-no-wait").insist()
                assert drift(world, "-shares", "all").insist().out.startswith("No drift")
            world.apply("-wait").insist()
        yield world


def drift(world: World, *words: str) -> Finished:
    return world.run("drift", *words, "-at", world.now())


def drifted(world: World, *words: str) -> list[dict[str, Any]]:
    """What drifted, as JSON; the exit code must agree."""
    done = drift(world, "-json", *words)
    found: list[dict[str, Any]] = json.loads(done.out)["drift"]
    assert done.code == (2 if found else 0), done.err
    return found


def told(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["code"], one["arn"]) for one in found}


def owned(world: World, instance: str, role: str, region: str = IRELAND) -> list[Seen]:
    """What the engine has of a database in a region, the oldest slot first."""
    found = [
        one
        for one in world.owned().values()
        if (one.instance, one.role, one.region) == (instance, role, region)
    ]
    return sorted(found, key=lambda one: one.slot or "")


def name_of(one: Seen) -> str:
    return one.arn.rpartition(":")[2]


def share(world: World, one: Seen, account: str) -> None:
    world.rds(one.account, one.region).modify_db_snapshot_attribute(
        DBSnapshotIdentifier=name_of(one), AttributeName="restore", ValuesToAdd=[account]
    )


def unshare(world: World, one: Seen, account: str) -> None:
    world.rds(one.account, one.region).modify_db_snapshot_attribute(
        DBSnapshotIdentifier=name_of(one), AttributeName="restore", ValuesToRemove=[account]
    )


def test_an_estate_that_the_engine_keeps_has_not_drifted(world: World) -> None:
    assert drifted(world) == []
    assert drifted(world, "-shares", "all") == []
    assert json.loads(world.plan("-json").insist().out)["drift"] == []


def test_it_only_looks_and_needs_to_be_allowed_nothing_else(world: World) -> None:
    before = world.seen()
    for operations in CHANGES:
        world.lab.client.add_fault("access_denied", operation=operations)
    with pytest.raises(ClientError, match="AccessDenied"):
        share(world, owned(world, "orders-1", "copy")[0], STRANGER)
    world.lab.client.forget_calls()
    done = drift(world, "-shares", "all")
    calls = world.lab.client.calls()
    world.lab.client.clear_faults()
    assert done.insist().out.startswith("No drift: everything is as the engine left it.")
    tried = {call["operation"] for call in calls}
    assert {one for one in tried if not one.startswith(LOOKS)} == {"AssumeRole"}
    assert {call["outcome"] for call in calls} == {"ok"}
    assert "DescribeDBSnapshotAttributes" in tried
    assert world.seen() == before


CONTROLS = """\
version: 1
kind: controls
controls:
  - {id: covered, require: {covered: true}}
  - {id: shares, severity: warning, require: {no_foreign_shares: true}}
  - {id: fresh, require: {newest_point: {younger_than: 26h, at: everywhere}}}
"""


def audit(world: World, *words: str) -> Finished:
    controls = world.folder / "controls.yaml"
    controls.write_text(CONTROLS)
    done = world.run("audit", "policies", "controls.yaml", *words, "-at", world.now())
    controls.unlink()
    return done


def test_an_audit_only_looks_too_and_tells_whom_a_point_is_shared_with(world: World) -> None:
    before, oldest = world.seen(), owned(world, "orders-1", "copy")[0]
    share(world, oldest, STRANGER)
    for operations in CHANGES:
        world.lab.client.add_fault("access_denied", operation=operations)
    world.lab.client.forget_calls()
    found = json.loads(audit(world, "-format", "json").insist(6).out)
    calls = world.lab.client.calls()
    world.lab.client.clear_faults()
    unshare(world, oldest, STRANGER)
    statuses = {one["id"]: one["status"] for one in found["controls"]}
    assert statuses == {"covered": "passed", "shares": "broken", "fresh": "passed"}
    assert found["complete"] is True
    tried = {call["operation"] for call in calls}
    assert {one for one in tried if not one.startswith(LOOKS)} == {"AssumeRole"}
    assert {call["outcome"] for call in calls} == {"ok"}
    assert audit(world, "-format", "sarif", "-out", "audit.sarif").insist().out == ""
    assert json.loads((world.folder / "audit.sarif").read_text())["runs"][0]["results"] == []
    assert world.seen() == before


def test_an_audit_that_may_not_read_shares_judges_nothing_of_them(world: World) -> None:
    world.lab.client.add_fault("access_denied", operation="DescribeDBSnapshotAttributes")
    done = audit(world)
    world.lab.client.clear_faults()
    assert "Not judged: 1 control" in done.insist(3).out
    assert "Passed: 2 controls" in done.out


def test_shares_that_may_not_be_read_make_it_exit_3(world: World) -> None:
    world.lab.client.add_fault("access_denied", operation="DescribeDBSnapshotAttributes")
    done = drift(world)
    world.lab.client.clear_faults()
    assert done.insist(3).out.startswith("No drift: what could be read is as the engine left it.")
    assert "With whom 7 snapshots are shared could not be read" in done.out


@pytest.mark.parametrize(("depth", "calls"), [("none", 0), ("newest", 7), ("all", 15)])
def test_it_asks_for_shares_as_deep_as_it_is_told(world: World, depth: str, calls: int) -> None:
    """Three databases have two points at home and in the vault, one in two regions; a bridge."""
    world.lab.client.forget_calls()
    drift(world, "-shares", depth).insist()
    made = [call["operation"] for call in world.lab.client.calls()]
    assert made.count("DescribeDBSnapshotAttributes") == calls


def test_a_share_with_a_stranger_and_a_public_snapshot_are_told(world: World) -> None:
    newest = owned(world, "orders-1", "copy")[-1]
    public = owned(world, "wiki-1", "primary")[-1]
    inside = owned(world, "orders-1", "primary")[0]
    share(world, newest, STRANGER)
    share(world, public, "all")
    share(world, inside, VAULT)
    found = told(drifted(world))
    for one, account in ((newest, STRANGER), (public, "all"), (inside, VAULT)):
        unshare(world, one, account)
    assert found == {
        ("shared_outside", newest.arn),
        ("public", public.arn),
        ("shared_inside", inside.arn),
    }
    assert drifted(world) == []


def test_an_old_snapshot_that_is_shared_takes_asking_about_all(world: World) -> None:
    oldest = owned(world, "orders-1", "copy")[0]
    share(world, oldest, STRANGER)
    newest, everything = told(drifted(world)), told(drifted(world, "-shares", "all"))
    unshare(world, oldest, STRANGER)
    assert (newest, everything) == (set(), {("shared_outside", oldest.arn)})


def test_tags_that_were_taken_or_changed_are_told_and_put_back(world: World) -> None:
    bare, changed = owned(world, "orders-1", "primary")[0], owned(world, "wiki-1", "copy")[0]
    ours = [key for key in bare.tags if key.startswith("engine:")]
    rds = world.rds(bare.account, bare.region)
    rds.remove_tags_from_resource(ResourceName=bare.arn, TagKeys=ours)
    vault = world.rds(changed.account, changed.region)
    slot = [{"Key": "engine:slot", "Value": "2026-11-01T02:00:00Z"}]
    vault.add_tags_to_resource(ResourceName=changed.arn, Tags=slot)
    found = drifted(world)
    for client, one in ((rds, bare), (vault, changed)):
        tags = [{"Key": key, "Value": value} for key, value in one.tags.items()]
        client.add_tags_to_resource(ResourceName=one.arn, Tags=tags)
    assert told(found) == {("untagged", bare.arn), ("retagged", changed.arn)}
    (retagged,) = [one for one in found if one["code"] == "retagged"]
    assert retagged["expected"] == f"engine:slot={changed.slot}"
    assert drifted(world) == []


def test_a_disabled_key_is_told_with_what_needs_it(world: World) -> None:
    arn = world.key(VAULT, IRELAND, NEAR.name)
    kms = world.kms(VAULT, IRELAND)
    kms.disable_key(KeyId=arn.rpartition("/")[2])
    found = drifted(world)
    kms.enable_key(KeyId=arn.rpartition("/")[2])
    assert told(found) == {("key_disabled", arn)}
    assert "target near needs it; 6 snapshots cannot be restored" in found[0]["text"]
    assert drifted(world) == []


def test_what_somebody_deleted_is_told(world: World) -> None:
    """The newest point of one database at home, and a point in the vault between others."""
    newest = owned(world, "wiki-1", "primary")[-1]
    oldest_far = owned(world, "orders-1", "copy", FRANKFURT)[-1]
    for one in (newest, oldest_far):
        world.rds(one.account, one.region).delete_db_snapshot(DBSnapshotIdentifier=name_of(one))
    found = drifted(world)
    assert told(found) == {("point_deleted", newest.arn)}
    assert found[0]["severity"] == "error"
    assert found[0]["location"] == {"account": PROD, "region": IRELAND}
    # What a target lacks at its end is sent again.
    plan = json.loads(world.plan("-json").insist().out)
    assert [one["arn"] for one in plan["steps"] if one["action"] == "copy_snapshot"] == [
        oldest_far.arn
    ]
    assert [one["arn"] for one in plan["drift"]] == [newest.arn]


def test_a_location_that_cannot_be_read_exits_3(world: World) -> None:
    policies = world.folder / "blind.yaml"
    policies.write_text(DOCUMENTS.replace("read_role: backup-reader", "read_role: nobody", 1))
    done = drift(world, "blind.yaml")
    assert done.code == 3
    assert "could not be read" in done.out
