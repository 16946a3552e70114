"""Stage 3, bridges: copies that only a route needs, because AWS's default key is not shared."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import Account, CopyRule, Documents, Policy, Target
from engine.identity.marks import Role, fingerprint
from engine.inventory.records import Instance, Key, KeyManager, Location, Snapshot
from engine.plans.plan import Plan, Step
from engine.retention.keep import ALL, Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    ESTATE,
    KEYS,
    NOW,
    PROD,
    PROD_KEY,
    REKEY,
    REMOTE,
    SLOT,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    an_account,
    an_estate,
    an_instance,
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
LEGACY = an_instance("legacy", kms_key=DEFAULT_KEY)
ALL_POINTS = Keep(last=ALL)
LOCAL, FAR = CopyRule("local"), CopyRule("remote")
SISTER = Location(PROD.account, "eu-central-1")
THIRD = Location("333333333333", "eu-west-1")
STRANGER = "999999999999"


def gold(*rules: CopyRule, keep: Keep = ALL_POINTS, **changes: Any) -> Policy:
    return a_policy(terms=terms(keep, rules or (LOCAL,), **changes))


def planned(
    *found: Snapshot,
    policy: Policy | None = None,
    instance: Instance = ORDERS,
    docs: Documents | None = None,
    now: datetime = NOW,
    **world: Any,
) -> Plan:
    return plan(docs or documents(policy or gold()), inventory([instance], found, **world), now)


def before(found: Plan, step: Step) -> set[str]:
    """Everything a step waits for, directly or not."""
    by_id = {one.id: one for one in found.steps}
    ahead, seen = list(step.depends_on), set()
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead.extend(by_id[name].depends_on)
    return seen


# -- re-key --------------------------------------------------------------------------------------


def legacy(slot: datetime = SLOT, **changes: Any) -> Snapshot:
    """A primary under AWS's default key."""
    return a_snapshot(LEGACY, slot, **({"keys": (DEFAULT_KEY,)} | changes))


def bridge(slot: datetime = SLOT, **changes: Any) -> Snapshot:
    return a_snapshot(LEGACY, slot, role=Role.BRIDGE, origin=legacy(slot).arn, **changes)


def vaulted(slot: datetime, location: Location = VAULT, **changes: Any) -> Snapshot:
    keys = (DEFAULT_KEY, REKEY, VAULT_KEY)
    return a_snapshot(LEGACY, slot, location, keys=keys, **changes)


def test_a_point_under_awss_default_key_is_rekeyed_before_it_is_shared() -> None:
    today = legacy()
    found = planned(today, instance=LEGACY)
    assert [step.action.value for step in found.steps] == [
        "copy_snapshot",
        "share_snapshot",
        "copy_snapshot",
        "unshare_snapshot",
    ]
    rekey, share, copy, unshare = found.steps
    assert origin_of(rekey) == today.arn
    assert rekey.parameters["KmsKeyId"] == REKEY
    assert rekey.parameters["Tags"]["engine:role"] == "bridge"
    assert (rekey.location.account, rekey.location.region) == (PROD.account, PROD.region)
    assert share.arn == unshare.arn == origin_of(copy) == rekey.arn
    assert rekey.id in before(found, share)
    assert copy.parameters["Tags"]["engine:origin"] == rekey.arn
    assert copy.parameters["Tags"]["engine:keys"].count("/") == 2


def test_a_default_key_is_known_by_who_manages_it_and_by_its_alias() -> None:
    for key in (
        Key(DEFAULT_KEY, KeyManager.AWS),
        Key(DEFAULT_KEY, KeyManager.CUSTOMER, aliases=("alias/aws/rds",)),
    ):
        keys = {PROD: {"keys": {**KEYS[PROD], DEFAULT_KEY: key}}}
        found = planned(legacy(), instance=LEGACY, scopes=keys)
        assert len(steps(found, "copy_snapshot", PROD)) == 1


def test_within_the_account_a_default_key_needs_no_bridge() -> None:
    targets = {"sister": Target("sister", "prod", SISTER.region, VAULT_KEY)}
    docs = documents(gold(CopyRule("sister")), estate=replace(an_estate(), targets=targets))
    places = (PROD, SISTER, VAULT, REMOTE)
    found = planned(legacy(), instance=LEGACY, docs=docs, locations=places)
    assert [step.location.region for step in found.steps] == [SISTER.region]


def test_a_bridge_that_is_there_is_used() -> None:
    there = bridge()
    found = planned(legacy(), there, instance=LEGACY)
    assert origin_of(step_of(found, "copy_snapshot")) == there.arn


@pytest.mark.parametrize("status", ["copying", "incompatible-something", "deleting"])
def test_a_bridge_that_is_not_ready_is_waited_for(status: str) -> None:
    found = planned(legacy(), bridge(status=status), instance=LEGACY)
    assert steps(found, "copy_snapshot") == []
    assert "bridge_in_flight" in waits(found, VAULT)


def test_of_several_bridges_of_a_slot_one_that_is_ready_is_used() -> None:
    ready = bridge(policy="silver")
    found = planned(legacy(), bridge(status="copying"), ready, instance=LEGACY)
    assert origin_of(step_of(found, "copy_snapshot", VAULT)) == ready.arn


def test_a_predecessors_bridge_is_not_one_of_its_heir() -> None:
    heir = replace(LEGACY, resource_id="db-RESTORED")
    own = a_snapshot(heir, SLOT, keys=(DEFAULT_KEY,))
    found = planned(legacy(), bridge(), vaulted(ago(1)), own, instance=heir)
    assert origin_of(step_of(found, "copy_snapshot", PROD)) == own.arn


def test_targets_share_one_bridge() -> None:
    found = planned(legacy(), instance=LEGACY, policy=gold(LOCAL, FAR))
    rekey = step_of(found, "copy_snapshot", PROD)
    assert {
        origin_of(step)
        for place in (VAULT, REMOTE)
        for step in steps(found, "copy_snapshot", place)
    } == {rekey.arn}
    assert len(steps(found, "share_snapshot")) == 1
    assert rekey.forecast is not None
    assert rekey.forecast.rule == "first_in_chain", "it is no base of itself"


def test_a_copy_within_the_account_is_not_taken_for_a_bridge() -> None:
    estate = an_estate()
    targets = {**estate.targets, "sister": Target("sister", "prod", SISTER.region, VAULT_KEY)}
    docs = documents(gold(CopyRule("sister"), LOCAL), estate=replace(estate, targets=targets))
    places = (PROD, SISTER, VAULT, REMOTE)
    found = planned(legacy(), instance=LEGACY, docs=docs, locations=places)
    rekey = step_of(found, "copy_snapshot", PROD)
    assert origin_of(step_of(found, "copy_snapshot", SISTER)) == legacy().arn
    assert origin_of(step_of(found, "copy_snapshot", VAULT)) == rekey.arn


def test_targets_that_want_different_slots_have_bridges_of_their_own() -> None:
    world = [legacy(), legacy(ago(1)), vaulted(ago(2)), vaulted(ago(1), REMOTE)]
    found = planned(*world, instance=LEGACY, policy=gold(LOCAL, FAR))
    assert {step.slot for step in steps(found, "copy_snapshot", PROD)} == {SLOT, ago(1)}
    for place, slot in ((VAULT, ago(1)), (REMOTE, SLOT)):
        copy = step_of(found, "copy_snapshot", place)
        assert copy.slot == slot
        assert origin_of(copy) == next(
            step.arn for step in steps(found, "copy_snapshot", PROD) if step.slot == slot
        )


def test_there_is_at_most_one_uncopied_bridge_per_source_and_route() -> None:
    policy = gold(CopyRule("local", backfill="all"))
    world = [legacy(ago(day)) for day in range(4)]
    found = planned(*world, instance=LEGACY, policy=policy)
    assert [step.slot for step in steps(found, "copy_snapshot", PROD)] == [ago(3)]
    there = planned(*world, bridge(ago(3)), instance=LEGACY, policy=policy)
    assert steps(there, "copy_snapshot", PROD) == []
    coming = vaulted(ago(3), status="copying", origin=bridge(ago(3)).arn)
    flying = planned(*world, bridge(ago(3)), coming, instance=LEGACY, policy=policy)
    assert steps(flying, "copy_snapshot") == []


def test_a_bridge_that_failed_is_made_again_but_holds_up_no_newer_point() -> None:
    world = [legacy(ago(1)), vaulted(ago(2)), bridge(ago(1), status="failed")]
    alone = planned(*world, instance=LEGACY, now=ago(0) - timedelta(hours=1))
    delete = step_of(alone, "delete_snapshot")
    rekey = step_of(alone, "copy_snapshot", PROD)
    assert rekey.arn == delete.arn
    assert delete.id in rekey.depends_on
    found = planned(*world, legacy(), instance=LEGACY)
    assert step_of(found, "copy_snapshot", PROD).slot == SLOT


def test_a_bridge_in_a_state_that_nobody_knows_holds_up_no_newer_point() -> None:
    odd = bridge(ago(1), status="incompatible-something")
    found = planned(legacy(ago(1)), vaulted(ago(2)), odd, legacy(), instance=LEGACY)
    assert step_of(found, "copy_snapshot", PROD).slot == SLOT


@pytest.mark.parametrize("rekey", [None, "alias/missing", "alias/aws/rds"])
def test_without_a_key_of_its_own_for_bridges_a_point_under_the_default_key_stays_at_home(
    rekey: str | None,
) -> None:
    estate = an_estate()
    accounts = {**estate.accounts, "prod": an_account("prod", PROD, rekey=rekey)}
    docs = documents(gold(keep=Keep(last=1)), estate=replace(estate, accounts=accounts))
    yesterday = legacy(ago(1))
    found = planned(legacy(), yesterday, vaulted(ago(2)), instance=LEGACY, docs=docs)
    assert steps(found, "copy_snapshot") == []
    assert "no_route" in waits(found, VAULT)


def test_rekeys_are_not_started_within_an_hour_of_the_automated_backup_window() -> None:
    near = replace(LEGACY, backup_window="03:00-03:30", backup_retention_days=7)
    found = planned(legacy(), instance=near)
    assert found.steps == ()
    assert waits(found, VAULT) == ["automated_backup_window"]
    after = planned(legacy(), instance=near, now=SLOT.replace(hour=4, minute=30))
    assert len(steps(after, "copy_snapshot")) == 2


def test_a_point_whose_rekey_waits_stays_until_it_is_copied() -> None:
    near = replace(LEGACY, backup_window="03:00-03:30", backup_retention_days=7)
    world = [legacy(), legacy(ago(1)), vaulted(ago(2))]
    found = planned(
        *world, instance=near, policy=gold(CopyRule("local", keep=ALL_POINTS), keep=Keep(last=1))
    )
    assert found.steps == ()
    assert kept(found, legacy(ago(1))) == ["not_copied_yet"]


def test_a_copy_across_accounts_does_not_wait_for_the_automated_backup_window() -> None:
    near = replace(ORDERS, backup_window="03:00-03:30", backup_retention_days=7)
    assert len(steps(planned(a_snapshot(ORDERS, SLOT), instance=near), "copy_snapshot")) == 1
    bridged = replace(LEGACY, backup_window="03:00-03:30", backup_retention_days=7)
    assert len(steps(planned(legacy(), bridge(), instance=bridged), "copy_snapshot")) == 1


def test_a_foreign_object_under_a_bridges_id_covers_its_slot_and_blocks_no_other() -> None:
    taken = replace(bridge(ago(1)), tags={})
    found = planned(legacy(ago(1)), legacy(), vaulted(ago(2)), taken, instance=LEGACY)
    assert step_of(found, "copy_snapshot", PROD).slot == SLOT
    assert [one.arn for one in found.conflicts] == [taken.arn]
    assert found.conflicts[0].slot == ago(1)


def test_a_foreign_object_under_the_id_of_a_bridged_copy_covers_its_slot() -> None:
    taken = replace(vaulted(SLOT), tags={})
    found = planned(legacy(), vaulted(ago(1)), taken, instance=LEGACY)
    assert found.steps == ()
    assert [one.arn for one in found.conflicts] == [taken.arn]


def test_a_foreign_object_under_a_bridges_id_is_no_conflict_where_none_is_needed() -> None:
    odd = replace(a_snapshot(ORDERS, SLOT, role=Role.BRIDGE), tags={})
    found = planned(odd, a_snapshot(ORDERS, SLOT))
    assert found.conflicts == ()
    assert len(steps(found, "copy_snapshot")) == 1


def test_a_foreign_object_beside_a_bridge_that_is_there_is_no_conflict() -> None:
    there = bridge()
    name = f"x-{there.identifier[-8:]}"
    odd = replace(there, identifier=name, arn=f"{there.arn}-x", tags={})
    found = planned(odd, there, legacy(), instance=LEGACY)
    assert found.conflicts == ()
    assert origin_of(step_of(found, "copy_snapshot")) == there.arn


def test_a_foreign_object_under_a_bridges_id_is_said_once_for_all_targets() -> None:
    taken = replace(bridge(), tags={})
    found = planned(legacy(), taken, instance=LEGACY, policy=gold(LOCAL, FAR))
    assert steps(found, "copy_snapshot") == []
    assert len(found.conflicts) == 1


def test_a_bridge_has_the_hash_of_its_own_role() -> None:
    found = planned(legacy(), instance=LEGACY)
    rekey = step_of(found, "copy_snapshot", PROD)
    proof = fingerprint(ESTATE, Role.BRIDGE, PROD, LEGACY.resource_id, "gold", SLOT)
    assert rekey.snapshot == f"{legacy().identifier[:-8]}{proof}"


# -- bridges go ----------------------------------------------------------------------------------


def bridged_history(*days: int) -> list[Snapshot]:
    return [
        one
        for day in days
        for one in (
            legacy(ago(day)),
            bridge(ago(day)),
            vaulted(ago(day), origin=bridge(ago(day)).arn),
        )
    ]


def test_a_bridge_goes_when_nobody_wants_its_slot_and_a_newer_one_of_its_chain_is_there() -> None:
    found = planned(*bridged_history(0, 1), instance=LEGACY)
    assert deleted(found) == {bridge(ago(1)).arn}
    assert step_of(found, "delete_snapshot").reason.code == "bridge_done"


def test_the_newest_bridge_of_a_chain_stays_as_its_base() -> None:
    found = planned(*bridged_history(0), instance=LEGACY)
    assert found.steps == ()
    assert kept(found, bridge()) == ["chain_base"]


def test_the_last_bridge_goes_once_its_chain_is_idle() -> None:
    policy = gold(schedule=None, idle_after=timedelta(days=3))
    assert deleted(planned(*bridged_history(2), instance=LEGACY, policy=policy)) == set()
    found = planned(*bridged_history(4), instance=LEGACY, policy=policy)
    assert deleted(found) == {bridge(ago(4)).arn}


def test_a_bridge_stays_while_a_target_wants_its_slot() -> None:
    world = [*bridged_history(0, 2), legacy(ago(1)), bridge(ago(1))]
    coming = vaulted(ago(1), status="copying", origin=bridge(ago(1)).arn)
    found = planned(*world, coming, instance=LEGACY)
    assert "bridge_needed" in kept(found, bridge(ago(1)))
    assert deleted(found) == {bridge(ago(2)).arn}


def test_a_bridge_goes_after_the_copy_that_is_made_from_it_now() -> None:
    world = [*bridged_history(2), legacy(ago(1)), bridge(ago(1)), legacy(), bridge()]
    found = planned(*world, instance=LEGACY)
    copy = step_of(found, "copy_snapshot")
    assert origin_of(copy) == bridge(ago(1)).arn
    deletes = {step.arn: step for step in steps(found, "delete_snapshot")}
    assert copy.id in before(found, deletes[bridge(ago(1)).arn])


def test_a_bridge_on_its_way_stays() -> None:
    found = planned(legacy(), bridge(status="copying"), instance=LEGACY)
    assert kept(found, bridge(status="copying")) == ["in_flight"]


def test_a_bridge_is_kept_while_a_target_could_not_be_read() -> None:
    found = planned(*bridged_history(0, 1), instance=LEGACY, scopes={VAULT: {"snapshots": None}})
    assert deleted(found) == set()
    assert "inventory_incomplete" in kept(found, bridge(ago(1)))


def test_without_its_target_a_bridge_is_wanted_no_more() -> None:
    world = [legacy(), bridge(), legacy(ago(1)), bridge(ago(1))]
    found = planned(*world, instance=LEGACY, policy=a_policy())
    assert deleted(found) == {bridge(ago(1)).arn}


# -- the estate's accounts -----------------------------------------------------------------------


def test_keys_for_bridges_are_those_of_the_account_a_database_is_in() -> None:
    estate = replace(
        an_estate(),
        accounts={
            "vault": Account("vault", VAULT.account, (VAULT.region,), rekey="alias/nothing"),
            "prod": an_account("prod", PROD),
        },
    )
    found = planned(legacy(), instance=LEGACY, docs=documents(gold(), estate=estate))
    assert step_of(found, "copy_snapshot", PROD).parameters["KmsKeyId"] == REKEY


def test_a_changed_key_of_a_database_asks_for_no_bridge() -> None:
    moved = replace(LEGACY, kms_key=PROD_KEY)
    found = planned(a_snapshot(LEGACY, SLOT, keys=(PROD_KEY,)), instance=moved)
    assert len(steps(found, "copy_snapshot")) == 1
