"""What the engine made and somebody took the tags of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from engine.identity.marks import Role
from engine.inventory.records import Snapshot
from engine.plans.codes import DriftCode, DriftSeverity
from tests.planning.builders import (
    PROD,
    SLOT,
    VAULT,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    documents,
    inventory,
    plan,
)
from tests.planning.drift.estate import (
    COPIES,
    HOME,
    ORDERS,
    copied,
    drifted,
    instead,
    planned,
    primary,
    the_drift,
)


def tagged(snapshot: Snapshot, **tags: str) -> dict[str, str]:
    return {**snapshot.tags, **{f"engine:{key}": value for key, value in tags.items()}}


def less(snapshot: Snapshot, *keys: str) -> Mapping[str, str]:
    gone = {f"engine:{key}" for key in keys}
    return {key: value for key, value in snapshot.tags.items() if key not in gone}


def test_what_the_engine_left_has_not_drifted() -> None:
    assert drifted() == []


@pytest.mark.parametrize("snapshot", [primary(4), copied(4)], ids=["primary", "copy"])
def test_a_snapshot_without_any_tag_is_known_by_its_id(snapshot: Snapshot) -> None:
    found = the_drift(drifted(instead(snapshot, tags={"mine": "yes"})), DriftCode.UNTAGGED)
    assert found.severity is DriftSeverity.ERROR
    assert (found.arn, found.slot) == (snapshot.arn, ago(4))
    assert found.source is not None
    assert found.source.identifier == "orders-1"
    assert "all its engine: tags are gone" in found.text
    assert found.expected is not None
    assert f"engine:resource={ORDERS.resource_id}" in found.expected
    assert found.found is None


def test_the_tags_that_are_gone_are_named() -> None:
    found = the_drift(
        drifted(instead(primary(4), tags=less(primary(4), "az", "slot"))), DriftCode.UNTAGGED
    )
    assert "engine:slot, engine:az are gone" in found.text
    assert found.expected == f"engine:slot={primary(4).tags['engine:slot']}"


def test_a_copy_must_name_its_origin() -> None:
    found = the_drift(
        drifted(instead(copied(4), tags=less(copied(4), "origin"))), DriftCode.UNTAGGED
    )
    assert "engine:origin is gone" in found.text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("policy", "silver"),
        ("estate", "globex"),
        ("role", "copy"),
        ("role", "nonsense"),
        ("resource", "db-OTHER"),
        ("slot", "2026-11-01T02:00:00Z"),
        ("slot", "yesterday"),
    ],
)
def test_a_tag_under_the_hash_that_was_changed_is_named(key: str, value: str) -> None:
    tags = tagged(primary(4), **{key: value}) | {"engine:origin": primary(5).arn}
    found = the_drift(drifted(instead(primary(4), tags=tags)), DriftCode.RETAGGED)
    assert f"engine:{key} was changed" in found.text
    assert found.expected == f"engine:{key}={primary(4).tags[f'engine:{key}']}"
    assert found.found == f"engine:{key}={value}"


def test_a_source_that_is_no_arn_is_named() -> None:
    tags = tagged(primary(4), source="orders-1")
    found = the_drift(drifted(instead(primary(4), tags=tags)), DriftCode.RETAGGED)
    assert "engine:source was changed" in found.text


@pytest.mark.parametrize("tags", [{"pin": "mine"}, {"shared": "999999999999"}])
def test_pins_and_shares_are_anybodys_to_set(tags: dict[str, str]) -> None:
    assert drifted(instead(primary(4), tags=tagged(primary(4), **tags))) == []


def test_a_policy_that_is_gone_does_not_hide_what_it_made() -> None:
    old = a_snapshot(ORDERS, ago(30), policy="long-gone")
    found = the_drift(drifted([*HOME, *COPIES, replace(old, tags={})]), DriftCode.UNTAGGED)
    assert found.arn == old.arn
    assert found.expected is not None
    assert "engine:policy=long-gone" in found.expected


def test_a_copy_made_under_another_policy_than_its_origin_is_known_by_its_id() -> None:
    copy = a_snapshot(ORDERS, ago(4), VAULT, policy="silver")
    renamed = copy.identifier.replace("-silver-", "-gold-")
    arn = copy.arn.replace("-silver-", "-gold-")
    stray = replace(copy, identifier=renamed, arn=arn, tags={})
    docs = documents(a_policy(), a_policy("silver"))
    found = [one for one in drifted([*HOME, stray], docs) if one.code is DriftCode.UNTAGGED]
    assert [one.arn for one in found] == [arn]


@pytest.mark.parametrize(
    "stranger",
    [
        a_foreign_snapshot(ORDERS, ago(5)),
        replace(primary(4), identifier="by-hand-20261117t0200z-euw1az2-0123abcd", tags={}),
        replace(primary(4), location=VAULT, tags=primary(4).tags),
        replace(primary(4), identifier=f"{primary(4).identifier}-restored"),
        replace(primary(4), resource_id="db-OTHER", tags={}),
    ],
    ids=["by hand", "no hash of ours", "copied elsewhere", "restored", "another database"],
)
def test_what_the_engine_never_made_is_no_drift(stranger: Snapshot) -> None:
    elsewhere = replace(stranger, arn=f"{stranger.arn}-x")
    assert drifted([*HOME, *COPIES, elsewhere]) == []


def test_a_stray_is_not_reported_as_deleted_as_well() -> None:
    strays = [replace(one, tags={}) for one in HOME]
    assert {one.code for one in drifted([*strays, *COPIES])} == {DriftCode.UNTAGGED}


def test_a_stray_in_the_place_of_a_point_is_told_once() -> None:
    taken = replace(a_snapshot(ORDERS, SLOT), tags={})
    found = planned([taken, *HOME[1:]])
    assert [one.arn for one in found.conflicts] == [taken.arn]
    the_drift(found.drift, DriftCode.UNTAGGED)


def test_a_stranger_in_the_place_of_a_point_is_a_conflict() -> None:
    mine = a_snapshot(ORDERS, SLOT)
    thief = replace(mine, tags={}, resource_id="db-OTHER")
    found = the_drift(drifted([thief, *HOME[1:]]), DriftCode.CONFLICT)
    assert (found.arn, found.severity) == (thief.arn, DriftSeverity.ERROR)


def test_a_stray_of_a_database_that_nobody_knows_is_told_unless_others_are_asked_for() -> None:
    old = a_snapshot(an_instance("gone", resource_id="db-GONE"), ago(30))
    world = inventory([ORDERS], [*HOME, replace(old, tags={})])
    docs = documents(a_policy())
    found = the_drift(plan(docs, world).drift, DriftCode.UNTAGGED)
    assert found.source is None
    assert plan(docs, world, only=("prod/*/orders-*",)).drift == ()


def test_a_database_that_only_the_tags_name_is_believed_where_the_id_proves_it() -> None:
    """What is taken from a replica is a point of the database that the replica follows."""
    tags = tagged(primary(4), policy="silver")
    of_replica = instead(primary(4), resource_id="db-REPLICA", tags=tags)
    found = the_drift(drifted(of_replica), DriftCode.RETAGGED)
    assert found.source is not None
    assert found.source.identifier == "orders-1"


def test_a_bridge_is_known_by_its_id() -> None:
    bridge = a_snapshot(ORDERS, ago(1), PROD, role=Role.BRIDGE)
    found = the_drift(drifted([*HOME, *COPIES, replace(bridge, tags={})]), DriftCode.UNTAGGED)
    assert found.expected is not None
    assert "engine:role=bridge" in found.expected
