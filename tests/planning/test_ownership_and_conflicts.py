"""Section 6: what the engine owns, and objects that bear its ids or tags without being its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.documents.model import CopyRule
from engine.identity import marks as identity
from engine.identity.marks import Marks, adoption_proof, tags_of
from engine.inventory.records import Location, Snapshot, SnapshotType
from engine.plans.plan import Plan
from engine.retention.keep import ALL, Keep
from tests.planning.builders import (
    DAY,
    NOW,
    PROD,
    SLOT,
    VAULT,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    daily,
    deleted,
    documents,
    inventory,
    kept,
    marks,
    plan,
    step_of,
    steps,
    terms,
)

ORDERS = an_instance()
KEEP_ONE = a_policy(terms=terms(Keep(last=1)))


def planned(*found: Snapshot, **world: Any) -> Plan:
    return plan(documents(KEEP_ONE), inventory([ORDERS], found, **world))


def touched(found: Plan) -> set[str]:
    """Every existing ARN that a step changes or reads."""
    made = {s.arn for action in ("create", "copy") for s in steps(found, f"{action}_snapshot")}
    read = {str(s.parameters.get("SourceDBSnapshotIdentifier")) for s in found.steps}
    return ({step.arn for step in found.steps} | read) - made - {"None"}


def retagged(snapshot: Snapshot, **tags: str) -> Snapshot:
    named = {f"engine:{key}": value for key, value in tags.items()}
    return replace(snapshot, tags={**snapshot.tags, **named})


OLD = a_snapshot(ORDERS, ago(5))
NOT_OURS = {
    "made by hand": a_foreign_snapshot(ORDERS, ago(5)),
    "an automated one": a_foreign_snapshot(
        ORDERS, ago(5), type=SnapshotType.AUTOMATED, identifier="rds:orders-1-2026-11-16-02-00"
    ),
    "an automated one that bears our tags": replace(OLD, type=SnapshotType.AUTOMATED),
    "one of AWS Backup": replace(OLD, type=SnapshotType.AWS_BACKUP),
    "our tags under another id": replace(OLD, identifier="final", arn=f"{OLD.arn}-final"),
    "another estate's": retagged(OLD, estate="globex"),
    "our id without tags": replace(OLD, tags={}),
    "a tag missing": replace(OLD, tags={k: v for k, v in OLD.tags.items() if k != "engine:az"}),
    "another policy's name": retagged(OLD, policy="silver"),
    "another slot": retagged(OLD, slot="2026-11-15T02:00:00Z"),
    "another database": retagged(OLD, resource="db-OTHER"),
    "a slot before all calendars": retagged(OLD, slot="0001-01-01T00:00:00+23:00"),
    "adopted, but not here": retagged(OLD, adopted="0123456789abcdef"),
    "the source of a dream": retagged(OLD, source="orders-1"),
}


@pytest.mark.parametrize("snapshot", NOT_OURS.values(), ids=NOT_OURS)
def test_a_snapshot_the_engine_does_not_own_is_never_deleted_changed_copied_or_shared(
    snapshot: Snapshot,
) -> None:
    policy = a_policy(terms=terms(Keep(last=1), [CopyRule("local", backfill="all")]))
    docs = documents(policy, estate=an_estate())
    for instances in ([ORDERS], []):
        found = plan(docs, inventory(instances, [snapshot, *daily(ORDERS, [0, 1])]))
        assert snapshot.arn not in touched(found)
        assert snapshot.arn not in {one.arn for one in found.kept}


def test_a_snapshot_the_engine_does_not_own_counts_for_no_rule() -> None:
    for snapshot in NOT_OURS.values():
        found = planned(snapshot, *daily(ORDERS, [6, 0]))
        assert deleted(found) == {a_snapshot(ORDERS, ago(6)).arn}


def test_what_is_owned_is_judged_although_its_neighbours_are_not() -> None:
    assert deleted(planned(OLD, a_snapshot(ORDERS, SLOT))) == {OLD.arn}


# -- conflicts -----------------------------------------------------------------------------------


def test_an_object_with_our_id_that_is_not_ours_is_a_conflict_and_covers_its_slot() -> None:
    taken = replace(a_snapshot(ORDERS, SLOT), tags={})
    found = planned(taken, a_snapshot(ORDERS, ago(1)))
    assert found.steps == ()
    [conflict] = found.conflicts
    assert (conflict.arn, conflict.slot) == (taken.arn, SLOT)
    assert conflict.source.identifier == "orders-1"
    assert "delete or rename it by hand" in conflict.text


@pytest.mark.parametrize(
    "thief",
    [
        replace(a_snapshot(ORDERS, SLOT), tags={}),
        retagged(a_snapshot(ORDERS, SLOT), policy="silver"),
        retagged(a_snapshot(ORDERS, SLOT), estate="globex"),
        retagged(a_snapshot(ORDERS, SLOT), slot="yesterday"),
        replace(a_snapshot(ORDERS, SLOT), status="failed", tags={}),
        replace(
            a_snapshot(ORDERS, SLOT),
            identifier=f"other-{a_snapshot(ORDERS, SLOT).identifier[-8:]}",
            tags={},
        ),
    ],
)
def test_a_conflict_is_never_deleted_and_blocks_nothing(thief: Snapshot) -> None:
    fine = an_instance("fine")
    world = [thief, a_snapshot(ORDERS, ago(1)), a_snapshot(ORDERS, ago(2))]
    found = plan(documents(KEEP_ONE), inventory([ORDERS, fine], world))
    assert [step.source.identifier for step in steps(found, "create_snapshot")] == ["fine"]
    assert deleted(found) == {a_snapshot(ORDERS, ago(2)).arn}
    assert [one.arn for one in found.conflicts] == [thief.arn]
    tomorrow = plan(documents(KEEP_ONE), inventory([ORDERS], world), NOW + (SLOT - ago(1)))
    assert [step.slot for step in steps(tomorrow, "create_snapshot")] == [SLOT + (SLOT - ago(1))]


@pytest.mark.parametrize("kind", [SnapshotType.AUTOMATED, SnapshotType.AWS_BACKUP])
def test_our_id_is_taken_whoever_made_the_snapshot(kind: SnapshotType) -> None:
    found = planned(replace(a_snapshot(ORDERS, SLOT), type=kind))
    assert len(found.conflicts) == 1
    assert steps(found, "create_snapshot") == []


def test_an_id_that_runs_into_our_hash_is_not_ours() -> None:
    mine = a_snapshot(ORDERS, SLOT)
    glued = f"x{mine.identifier[-8:]}"
    odd = replace(mine, identifier=glued, arn=mine.arn.replace(mine.identifier, glued), tags={})
    found = planned(odd, a_snapshot(ORDERS, ago(1)))
    assert found.conflicts == ()
    assert len(steps(found, "create_snapshot")) == 1


def test_our_id_elsewhere_is_no_conflict_here() -> None:
    mine = a_snapshot(ORDERS, SLOT)
    arn = mine.arn.replace(PROD.account, VAULT.account)
    elsewhere = replace(mine, location=VAULT, arn=arn, tags={})
    found = planned(elsewhere, a_snapshot(ORDERS, ago(1)))
    assert found.conflicts == ()
    assert len(steps(found, "create_snapshot")) == 1


def test_the_same_id_at_two_places_is_owned_at_its_own_only() -> None:
    mine = a_snapshot(ORDERS, ago(1))
    there = replace(mine, location=VAULT, arn=mine.arn.replace(PROD.account, VAULT.account))
    found = planned(mine, there, a_snapshot(ORDERS, SLOT))
    assert deleted(found) == {mine.arn}


def test_an_account_that_moved_leaves_its_points_to_nobody() -> None:
    moved = Location("555555555555", PROD.region)
    estate = an_estate()
    accounts = dict(estate.accounts)
    accounts["prod"] = replace(accounts["prod"], id=moved.account)
    instance = replace(ORDERS, location=moved, arn=ORDERS.arn.replace(PROD.account, moved.account))
    copies = daily(ORDERS, [1, 2], VAULT)
    docs = documents(KEEP_ONE, estate=replace(estate, accounts=accounts))
    found = plan(docs, inventory([instance], copies, locations=(moved, VAULT)))
    assert deleted(found) == set()
    assert [step.slot for step in steps(found, "create_snapshot")] == [SLOT]
    assert {one.code for one in found.unmanaged} == {"location_outside_estate"}


# -- hashes --------------------------------------------------------------------------------------


def test_two_points_whose_hashes_collide_are_both_made_and_both_owned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Two points whose eight digits agree cannot be found in a test's time: all agree here.
    for module in (
        "engine.identity.marks",
        "engine.planning.creating",
        "engine.planning.copying",
        "tests.planning.builders",
    ):
        monkeypatch.setattr(f"{module}.fingerprint", lambda *_: "0badf00d")
    other = an_instance("other")
    found = plan(documents(KEEP_ONE), inventory([ORDERS, other], [a_snapshot(other, SLOT)]))
    create = step_of(found, "create_snapshot")
    assert create.source.identifier == "orders-1"
    assert create.snapshot.endswith("-0badf00d")
    assert found.conflicts == ()
    both = [a_snapshot(ORDERS, SLOT), a_snapshot(other, SLOT)]
    settled = plan(documents(KEEP_ONE), inventory([ORDERS, other], both))
    assert settled.steps == ()
    assert {one.arn for one in settled.kept} == {one.arn for one in both}


# -- adopted -------------------------------------------------------------------------------------


def adopted(**changes: Any) -> Snapshot:
    """A snapshot that a person made and the engine was told to treat as its own."""
    by_hand = a_foreign_snapshot(ORDERS, ago(4), **changes)
    found: Marks = marks(ORDERS, ago(4))
    tags = tags_of(replace(found, adopted=adoption_proof(found, by_hand.arn)))
    return replace(by_hand, tags=tags)


def test_an_adopted_object_is_judged_like_any_point() -> None:
    assert deleted(planned(adopted(), a_snapshot(ORDERS, SLOT))) == {adopted().arn}
    alone = planned(adopted(), scopes={PROD: {"instances": None}})
    assert kept(alone, adopted()) == ["inventory_incomplete"]


def test_an_adopted_object_is_copied_under_an_id_of_the_engine() -> None:
    policy = a_policy(terms=terms(Keep(last=ALL), [CopyRule("local")], schedule=None))
    found = plan(documents(policy), inventory([ORDERS], [adopted()]))
    copy = step_of(found, "copy_snapshot")
    assert copy.snapshot.startswith("by-hand-")
    assert "engine:adopted" not in copy.parameters["Tags"]
    tags = copy.parameters["Tags"]
    made = replace(
        a_snapshot(ORDERS, ago(4), VAULT), identifier=copy.snapshot, arn=copy.arn, tags=tags
    )
    assert identity.owned_marks(made, "acme") is not None


def test_what_the_engine_makes_it_owns() -> None:
    policy = a_policy(terms=terms(Keep(last=ALL), [CopyRule("local")]))
    found = plan(documents(policy), inventory([ORDERS], [a_snapshot(ORDERS, ago(1))]))
    for step in found.steps:
        if step.action.value in {"create_snapshot", "copy_snapshot"}:
            made = Snapshot(
                arn=step.arn,
                location=Location(step.location.account, step.location.region),
                identifier=step.snapshot,
                instance="orders-1",
                resource_id=ORDERS.resource_id,
                type=SnapshotType.MANUAL,
                status="creating",
                tags=step.parameters["Tags"],
            )
            assert identity.owned_marks(made, "acme") is not None
    assert len(steps(found, "create_snapshot")) == len(steps(found, "copy_snapshot")) == 1


def test_snapshots_that_are_not_owned_are_counted_and_not_touched() -> None:
    instance = an_instance()
    by_hand = a_foreign_snapshot(instance, SLOT - DAY)
    automated = a_foreign_snapshot(
        instance,
        SLOT - DAY,
        arn=f"{by_hand.arn}-2",
        identifier="rds:orders-1-2026-11-20",
        type=SnapshotType.AUTOMATED,
    )
    found = plan(documents(a_policy()), inventory([instance], [by_hand, automated]))
    scopes = {(s.account, s.region): s.foreign for s in found.inventory.scopes}
    assert scopes[PROD.account, PROD.region] == 1
    assert not any(step.arn in {by_hand.arn, automated.arn} for step in found.steps)
