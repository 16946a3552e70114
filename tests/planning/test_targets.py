"""Stage 3, targets: broken, taken, misnamed or chosen by region, they hold up nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import (
    CopyRule,
    Policy,
    RegionalTarget,
    Target,
)
from engine.inventory.records import Instance, Key, Location, Snapshot
from engine.planning.routes import KeyChoice, RouteBook
from engine.plans.plan import Plan
from engine.retention.keep import ALL, Keep
from tests.planning.builders import (
    NOW,
    PROD,
    PROD_KEY,
    REMOTE,
    REMOTE_KEY,
    SLOT,
    VAULT,
    VAULT_KEY,
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
    origin_of,
    plan,
    step_of,
    steps,
    terms,
    waits,
)

ORDERS = an_instance()
ALL_POINTS = Keep(last=ALL)
LOCAL = CopyRule("local", keep=ALL_POINTS)
HOUR = timedelta(hours=1)


def gold(*rules: CopyRule, keep: Keep = ALL_POINTS, **changes: Any) -> Policy:
    return a_policy(terms=terms(keep, rules or (LOCAL,), **changes))


def planned(
    *found: Snapshot,
    policy: Policy | None = None,
    instance: Instance = ORDERS,
    now: datetime = NOW,
    **world: Any,
) -> Plan:
    return plan(documents(policy or gold()), inventory([instance], found, **world), now)


def sent(found: Plan, location: Location = VAULT) -> list[datetime | None]:
    return [step.slot for step in steps(found, "copy_snapshot", location)]


def primaries(days: Iterable[int]) -> list[Snapshot]:
    """Primaries so many days ago, today's (0) being available."""
    return daily(ORDERS, days)


def copies(days: Iterable[int], location: Location = VAULT) -> list[Snapshot]:
    return daily(ORDERS, days, location)


# -- failures ------------------------------------------------------------------------------------


def test_a_copy_that_failed_is_removed_and_then_made_again() -> None:
    failed = a_snapshot(ORDERS, SLOT, VAULT, status="failed")
    found = planned(*primaries([0, 1]), *copies([1]), failed)
    copy, delete = step_of(found, "copy_snapshot"), step_of(found, "delete_snapshot")
    assert copy.arn == delete.arn == failed.arn
    assert delete.id in copy.depends_on


def test_a_copy_that_failed_at_one_target_changes_no_order_at_another() -> None:
    failed = a_snapshot(ORDERS, ago(1), REMOTE, status="failed")
    found = planned(
        *primaries([0, 1]), *copies([2]), failed, policy=gold(LOCAL, CopyRule("remote"))
    )
    assert sent(found) == [ago(1)]


def test_a_copy_that_is_being_deleted_takes_no_place_from_what_a_target_wants() -> None:
    going = a_snapshot(ORDERS, SLOT, VAULT, status="deleting")
    policy = gold(CopyRule("local", keep=Keep(last=2)))
    assert sent(planned(*primaries(range(3)), *copies([3]), going, policy=policy)) == [ago(2)]


def test_a_copy_that_keeps_failing_does_not_hold_up_newer_ones() -> None:
    failed = a_snapshot(ORDERS, ago(2), VAULT, status="failed")
    found = planned(*primaries(range(3)), *copies([3]), failed)
    assert sent(found) == [ago(1)]


def test_a_point_whose_key_cannot_be_used_does_not_hold_up_the_others() -> None:
    old = "arn:aws:kms:eu-west-1:111111111111:key/old"
    keys = {PROD: {"keys": {old: Key(old, state="PendingDeletion"), PROD_KEY: Key(PROD_KEY)}}}
    lost = a_snapshot(ORDERS, ago(1), keys=(old,))
    found = planned(lost, *primaries([0]), *copies([2]), scopes=keys)
    assert sent(found) == [SLOT]
    assert waits(found, VAULT) == ["no_route"]
    assert "PendingDeletion" in found.waiting[0].text
    alone = planned(lost, *copies([0, 2]), scopes=keys)
    assert sent(alone) == []
    assert waits(alone, VAULT) == ["no_route"]


def test_a_target_that_could_not_be_read_gets_nothing() -> None:
    for unread in ({"snapshots": None}, {"snapshots": None, "cause": "AccessDenied"}):
        found = planned(*primaries([0, 1]), scopes={VAULT: unread})
        assert sent(found) == []
        assert waits(found, VAULT) == ["target_not_read"]


def test_a_broken_target_stops_neither_points_nor_other_targets() -> None:
    policy = gold(LOCAL, CopyRule("remote"))
    world = [*primaries([1]), *copies([1], REMOTE)]
    found = planned(*world, policy=policy, scopes={VAULT: {"snapshots": None}})
    assert [step.slot for step in steps(found, "create_snapshot")] == [SLOT]
    assert sent(found, REMOTE) == [SLOT]


# -- conflicts -----------------------------------------------------------------------------------


def foreign_copy(slot: datetime) -> Snapshot:
    """Somebody else's snapshot in the vault under the id of our copy of a slot."""
    mine = a_snapshot(ORDERS, slot, VAULT)
    return replace(mine, tags={})


def test_a_conflict_at_a_target_covers_its_slot_there_and_blocks_no_other() -> None:
    taken = foreign_copy(ago(1))
    found = planned(*primaries(range(3)), *copies([2]), taken)
    assert sent(found) == [SLOT]
    assert [one.arn for one in found.conflicts] == [taken.arn]
    assert taken.arn not in {step.arn for step in found.steps}


def test_whatever_stands_before_our_hash_it_is_a_conflict() -> None:
    mine = a_snapshot(ORDERS, SLOT, VAULT)
    other = replace(mine, identifier=f"x-{mine.identifier[-8:]}", tags={})
    found = planned(*primaries([0, 1]), *copies([1]), other)
    assert sent(found) == []
    assert [one.slot for one in found.conflicts] == [SLOT]


# -- targets -------------------------------------------------------------------------------------


def test_by_source_region_picks_the_target() -> None:
    estate = an_estate()
    frankfurt = Location(PROD.account, "eu-central-1")
    there = an_instance(
        "billing",
        location=frankfurt,
        arn=f"arn:aws:rds:eu-central-1:{PROD.account}:db:billing",
        kms_key=None,
        encrypted=False,
    )
    targets = {
        **estate.targets,
        "near": RegionalTarget("near", {"eu-west-1": "local", "eu-central-1": "remote"}),
    }
    accounts = dict(estate.accounts)
    accounts["prod"] = replace(accounts["prod"], regions=("eu-west-1", "eu-central-1"))
    docs = documents(
        gold(CopyRule("near")), estate=replace(estate, targets=targets, accounts=accounts)
    )
    places = (PROD, frankfurt, VAULT, REMOTE)
    found = plan(docs, inventory([ORDERS, there], locations=places))
    assert {
        (step.source.identifier, step.location.region) for step in steps(found, "copy_snapshot")
    } == {("orders-1", "eu-west-1"), ("billing", "eu-central-1")}


@pytest.mark.parametrize(
    "near",
    [
        {"eu-north-1": "local"},
        {"eu-west-1": "nowhere"},
        {"eu-west-1": "near"},
    ],
)
def test_a_region_without_a_target_is_said_and_stops_nothing_else(near: dict[str, str]) -> None:
    estate = an_estate()
    targets = {**estate.targets, "near": RegionalTarget("near", near)}
    policy = gold(CopyRule("near"), LOCAL)
    docs = documents(policy, estate=replace(estate, targets=targets))
    found = plan(docs, inventory([ORDERS], [*primaries([0, 1]), *copies([1])]))
    assert waits(found, PROD) == ["no_route"]
    assert sent(found) == [SLOT]


def test_a_target_where_the_source_is_or_another_target_leads_has_no_route() -> None:
    estate = an_estate()
    targets = {
        **estate.targets,
        "home": Target("home", "prod", PROD.region, "alias/orders"),
        "again": Target("again", "vault", VAULT.region, "alias/backups"),
    }
    policy = gold(CopyRule("home"), LOCAL, CopyRule("again"))
    docs = documents(policy, estate=replace(estate, targets=targets))
    found = plan(docs, inventory([ORDERS], primaries([0])))
    assert waits(found) == ["no_route", "no_route"]
    assert [step.location.account for step in steps(found, "copy_snapshot")] == [VAULT.account]


def test_a_target_whose_key_is_missing_is_sent_nothing_but_wants_all_the_same() -> None:
    policy = gold(LOCAL, keep=Keep(last=1))
    today, yesterday, day_before = primaries([0, 1, 2])
    world = [today, yesterday, day_before, *copies([2, 3])]
    found = planned(*world, policy=policy, scopes={VAULT: {"keys": {}}})
    assert sent(found) == []
    assert waits(found, VAULT) == ["no_route"]
    assert kept(found, yesterday) == ["not_copied_yet"]
    assert found.unmanaged == ()
    assert day_before.arn in deleted(found)


def test_a_route_whose_key_is_missing_is_not_open_and_its_key_is_unknown() -> None:
    found = inventory([ORDERS], scopes={VAULT: {"keys": {}}})
    [route], [miss] = RouteBook(an_estate(), dict(found.scopes)).routes(terms(copies=[LOCAL]), PROD)
    assert not route.is_open
    assert route.key == KeyChoice("alias/backups", None)
    assert route.key.mark == "unknown"
    assert miss.location == VAULT


def test_a_target_that_the_estate_does_not_have_is_said_and_stops_nothing_else() -> None:
    found = planned(*primaries([0, 1]), *copies([1]), policy=gold(CopyRule("nowhere"), LOCAL))
    assert waits(found, PROD) == ["no_route"]
    assert sent(found) == [SLOT]


def test_a_target_that_was_never_read_gets_nothing() -> None:
    found = planned(*primaries([0]), locations=(PROD,))
    assert sent(found) == []
    assert waits(found, VAULT) == ["target_not_read"]


def test_where_keys_could_not_be_read_an_alias_stands_for_itself() -> None:
    found = planned(*primaries([0]), scopes={VAULT: {"keys": None}})
    step = step_of(found, "copy_snapshot")
    assert step.parameters["KmsKeyId"] == "alias/backups"
    assert step.parameters["Tags"]["engine:keys"].endswith("/unknown")


@pytest.mark.parametrize(
    "key",
    [VAULT_KEY, "alias/backups", f"arn:aws:kms:eu-west-1:{VAULT.account}:alias/backups"],
)
def test_a_key_is_named_by_its_arn_or_by_an_alias(key: str) -> None:
    estate = an_estate()
    targets = {"local": Target("local", "vault", VAULT.region, key)}
    docs = documents(gold(), estate=replace(estate, targets=targets))
    found = plan(docs, inventory([ORDERS], primaries([0])))
    assert step_of(found, "copy_snapshot").parameters["KmsKeyId"] == VAULT_KEY


def test_where_the_sources_keys_could_not_be_read_its_points_are_sent_as_they_are() -> None:
    found = planned(*primaries([0]), scopes={PROD: {"keys": None}})
    assert sent(found) == [SLOT]


def test_what_is_neither_an_arn_nor_an_alias_is_no_key() -> None:
    targets = {"local": Target("local", "vault", VAULT.region, "backups")}
    docs = documents(gold(), estate=replace(an_estate(), targets=targets))
    found = plan(docs, inventory([ORDERS], primaries([0])))
    assert waits(found, VAULT) == ["no_route"]


def test_an_unencrypted_point_is_encrypted_on_its_way() -> None:
    plain = replace(ORDERS, encrypted=False, kms_key=None)
    found = planned(a_snapshot(plain, SLOT, keys=(None,)), instance=plain)
    step = step_of(found, "copy_snapshot")
    assert step.parameters["KmsKeyId"] == VAULT_KEY
    assert step.parameters["Tags"]["engine:keys"].startswith("none/")


# -- succession and other policies ---------------------------------------------------------------


def test_points_of_a_predecessor_are_sent_on_and_its_copies_count() -> None:
    restored = replace(ORDERS, resource_id="db-RESTORED")
    old = primaries([1, 2])
    found = planned(*old, *copies([2]), a_snapshot(restored, SLOT), instance=restored)
    assert sent(found) == [ago(1)]


def test_of_two_points_in_one_slot_the_sources_own_available_one_is_sent() -> None:
    restored = replace(ORDERS, resource_id="db-RESTORED")
    old, own = a_snapshot(ORDERS, SLOT), a_snapshot(restored, SLOT)
    found = planned(old, own, *copies([1]), instance=restored)
    assert [origin_of(step) for step in steps(found, "copy_snapshot")] == [own.arn]
    coming = a_snapshot(restored, SLOT, status="creating")
    found = planned(old, coming, *copies([1]), instance=restored)
    assert [origin_of(step) for step in steps(found, "copy_snapshot")] == [old.arn]


def test_a_copy_of_another_policy_is_not_sent_again() -> None:
    found = planned(*primaries([0, 1]), *daily(ORDERS, [0, 1], VAULT, policy="silver"))
    assert sent(found) == []


def test_a_source_that_no_policy_takes_sends_nothing() -> None:
    untagged = replace(ORDERS, tags={})
    assert sent(planned(*primaries([0, 1]), *copies([1]), instance=untagged)) == []


def test_a_copys_way_is_part_of_its_plan() -> None:
    found = planned(*primaries([0, 1]), *copies([1]), policy=gold(CopyRule("remote")))
    step = step_of(found, "copy_snapshot", REMOTE)
    assert step.parameters["KmsKeyId"] == REMOTE_KEY
    assert step.parameters["TagsFromOrigin"] == ["engine:az", "engine:az-checked"]
    assert step.forecast is not None


def test_somebody_elses_snapshots_are_never_sent() -> None:
    assert sent(planned(a_foreign_snapshot(ORDERS, SLOT), *copies([1]), now=SLOT - HOUR)) == []
