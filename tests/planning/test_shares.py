"""Stage 3, shares: given before a copy, taken back after it, and what dead runs leave of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from engine.documents.model import CopyRule, Documents, Estate, Policy, Target
from engine.inventory.records import Instance, Key, Location, Snapshot
from engine.plans.plan import Plan, Step
from engine.retention.keep import ALL, Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
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
    daily,
    documents,
    inventory,
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


def with_third(**changes: Any) -> Estate:
    """An estate with a third account and the target `third` there."""
    estate = an_estate()
    return replace(
        estate,
        accounts={**estate.accounts, "third": an_account("third", THIRD)},
        targets={**estate.targets, "third": Target("third", "third", THIRD.region, VAULT_KEY)},
        **changes,
    )


def shared(snapshot: Snapshot, *accounts: str) -> Snapshot:
    return replace(snapshot, tags={**snapshot.tags, "engine:shared": "+".join(sorted(accounts))})


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


# -- share -> copy -> unshare --------------------------------------------------------------------


def test_a_point_is_shared_before_it_is_copied_to_another_account_and_unshared_after() -> None:
    today = a_snapshot(ORDERS, SLOT)
    found = planned(today)
    share, copy, unshare = (
        step_of(found, f"{action}_snapshot") for action in ("share", "copy", "unshare")
    )
    assert share.arn == unshare.arn == today.arn
    assert share.parameters == {
        "ValuesToAdd": [VAULT.account],
        "Tags": {"engine:shared": VAULT.account},
    }
    assert unshare.parameters == {
        "ValuesToRemove": [VAULT.account],
        "RemoveTags": ["engine:shared"],
    }
    assert share.id in copy.depends_on
    assert copy.id in unshare.depends_on
    assert [one.check.value for one in unshare.preconditions] == ["owned", "no_copy_in_flight_to"]


def test_create_share_copy_and_unshare_follow_one_another() -> None:
    found = planned()
    order = [step.action.value.split("_")[0] for step in found.steps]
    assert order == ["create", "share", "copy", "unshare"]
    for earlier, later in zip(found.steps, found.steps[1:], strict=False):
        assert earlier.id in before(found, later)


def test_a_copy_within_the_account_needs_no_share() -> None:
    estate = an_estate()
    targets = {"sister": Target("sister", "prod", SISTER.region, "alias/backups")}
    docs = documents(gold(CopyRule("sister")), estate=replace(estate, targets=targets))
    places = (PROD, SISTER, VAULT, REMOTE)
    keys = {SISTER: {"keys": {"k": Key("k", aliases=("alias/backups",))}}}
    found = planned(a_snapshot(ORDERS, SLOT), docs=docs, locations=places, scopes=keys)
    assert [step.action.value for step in found.steps] == ["copy_snapshot"]


def test_an_unencrypted_point_is_shared_as_it_is() -> None:
    plain = replace(ORDERS, encrypted=False, kms_key=None)
    found = planned(a_snapshot(plain, SLOT, keys=(None,)), instance=plain)
    assert [step.action.value for step in found.steps] == [
        "share_snapshot",
        "copy_snapshot",
        "unshare_snapshot",
    ]


def test_targets_in_one_account_share_one_share() -> None:
    found = planned(a_snapshot(ORDERS, SLOT), policy=gold(LOCAL, FAR))
    share, unshare = step_of(found, "share_snapshot"), step_of(found, "unshare_snapshot")
    both = steps(found, "copy_snapshot")
    assert len(both) == 2
    assert all(share.id in copy.depends_on for copy in both)
    assert {copy.id for copy in both} <= set(unshare.depends_on)


def test_each_account_is_shared_with_and_unshared_on_its_own() -> None:
    docs = documents(gold(LOCAL, CopyRule("third")), estate=with_third())
    places = (PROD, VAULT, REMOTE, THIRD)
    found = planned(a_snapshot(ORDERS, SLOT), docs=docs, locations=places)
    shares, unshares = steps(found, "share_snapshot"), steps(found, "unshare_snapshot")
    everyone = f"{VAULT.account}+{THIRD.account}"
    assert [step.parameters["Tags"]["engine:shared"] for step in shares] == [everyone] * 2
    assert [step.parameters["ValuesToRemove"] for step in unshares] == [
        [VAULT.account],
        [THIRD.account],
    ]
    assert unshares[0].parameters["Tags"] == {"engine:shared": THIRD.account}
    assert unshares[1].parameters["RemoveTags"] == ["engine:shared"]
    for copy, share in zip(steps(found, "copy_snapshot"), shares, strict=True):
        assert copy.depends_on == (share.id,)


def test_the_tag_each_unshare_leaves_is_true_because_nothing_later_shares_again() -> None:
    docs = documents(gold(LOCAL, CopyRule("third")), estate=with_third())
    places = (PROD, VAULT, REMOTE, THIRD)
    found = planned(a_snapshot(ORDERS, SLOT), docs=docs, locations=places)
    shares, unshares = steps(found, "share_snapshot"), steps(found, "unshare_snapshot")
    for unshare in unshares:
        assert {share.id for share in shares} <= before(found, unshare)
    assert unshares[0].id in before(found, unshares[1])


# -- unshare waits -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["copying", "pending", "incompatible-something"])
def test_unshare_waits_for_every_copy_in_flight_to_that_account(status: str) -> None:
    today = shared(a_snapshot(ORDERS, SLOT), VAULT.account)
    coming = a_snapshot(ORDERS, SLOT, VAULT, status=status, origin=today.arn)
    found = planned(today, coming)
    assert steps(found, "unshare_snapshot") == []
    assert "unshare_after_copy" in waits(found, PROD)
    assert "still copied" in next(w.text for w in found.waiting if w.code == "unshare_after_copy")


def test_unshare_waits_for_a_copy_in_flight_to_another_region_of_that_account() -> None:
    today = shared(a_snapshot(ORDERS, SLOT), VAULT.account)
    coming = a_snapshot(ORDERS, SLOT, REMOTE, status="copying", origin=today.arn)
    found = planned(today, coming, policy=gold(LOCAL, FAR))
    assert [step.location.region for step in steps(found, "copy_snapshot")] == [VAULT.region]
    assert steps(found, "unshare_snapshot") == []
    assert waits(found, PROD) == ["unshare_after_copy"]


def test_a_copy_in_flight_to_one_account_holds_up_the_unshare_of_no_other() -> None:
    docs = documents(gold(LOCAL, CopyRule("third")), estate=with_third())
    today = shared(a_snapshot(ORDERS, SLOT), VAULT.account, THIRD.account)
    coming = a_snapshot(ORDERS, SLOT, VAULT, status="copying", origin=today.arn)
    done = a_snapshot(ORDERS, SLOT, THIRD, origin=today.arn)
    places = (PROD, VAULT, REMOTE, THIRD)
    found = planned(today, coming, done, docs=docs, locations=places)
    unshare = step_of(found, "unshare_snapshot")
    assert unshare.parameters["ValuesToRemove"] == [THIRD.account]
    assert unshare.parameters["Tags"] == {"engine:shared": VAULT.account}


def test_a_copy_of_another_point_does_not_hold_up_an_unshare() -> None:
    yesterday = shared(a_snapshot(ORDERS, ago(1)), VAULT.account)
    today = a_snapshot(ORDERS, SLOT)
    coming = a_snapshot(ORDERS, SLOT, VAULT, status="copying", origin=today.arn)
    found = planned(yesterday, today, coming, *daily(ORDERS, [1], VAULT))
    assert step_of(found, "unshare_snapshot").arn == yesterday.arn


def test_unshare_waits_where_the_account_could_not_be_read() -> None:
    today = shared(a_snapshot(ORDERS, SLOT), VAULT.account)
    done = a_snapshot(ORDERS, SLOT, VAULT)
    found = planned(today, done, scopes={REMOTE: {"snapshots": None}})
    assert found.steps == ()
    assert waits(found, PROD) == ["unshare_after_copy"]
    assert "could not be read" in found.waiting[-1].text


def test_unshare_waits_for_an_account_that_nobody_can_look_into() -> None:
    today = shared(a_snapshot(ORDERS, SLOT), STRANGER)
    found = planned(today, a_snapshot(ORDERS, SLOT, VAULT))
    assert found.steps == ()
    assert "not in the estate" in found.waiting[-1].text


# -- leftovers -----------------------------------------------------------------------------------


def test_a_share_that_a_dead_run_left_is_taken_back() -> None:
    today = shared(a_snapshot(ORDERS, SLOT), VAULT.account)
    found = planned(today, a_snapshot(ORDERS, SLOT, VAULT))
    assert [step.action.value for step in found.steps] == ["unshare_snapshot"]
    assert found.steps[0].depends_on == ()


def test_a_share_for_a_target_that_was_dropped_is_taken_back() -> None:
    today = shared(a_snapshot(ORDERS, SLOT), VAULT.account)
    found = planned(today, policy=a_policy())
    assert [step.action.value for step in found.steps] == ["unshare_snapshot"]


@pytest.mark.parametrize("tags", [{}, {"tier": "none"}])
def test_a_share_of_a_source_that_nobody_takes_any_more_is_taken_back(tags: dict[str, str]) -> None:
    today = shared(a_snapshot(ORDERS, SLOT), VAULT.account)
    found = planned(today, instance=replace(ORDERS, tags=tags))
    assert [step.action.value for step in found.steps] == ["unshare_snapshot"]


def test_a_share_of_a_source_that_is_gone_is_taken_back() -> None:
    today = shared(a_snapshot(ORDERS, SLOT), VAULT.account)
    found = plan(documents(gold()), inventory([], [today]))
    assert "unshare_snapshot" in [step.action.value for step in found.steps]


def test_an_old_share_is_taken_back_while_a_new_one_is_given() -> None:
    today = shared(a_snapshot(ORDERS, SLOT), THIRD.account)
    places = (PROD, VAULT, REMOTE, THIRD)
    docs = documents(gold(LOCAL), estate=with_third())
    found = planned(today, docs=docs, locations=places)
    share = step_of(found, "share_snapshot")
    old, new = sorted(steps(found, "unshare_snapshot"), key=lambda s: s.id, reverse=True)
    assert old.parameters["ValuesToRemove"] == [THIRD.account]
    assert new.parameters["ValuesToRemove"] == [VAULT.account]
    assert share.parameters["Tags"]["engine:shared"] == f"{VAULT.account}+{THIRD.account}"
    assert share.id in before(found, old)
    last = old if new.id in before(found, old) else new
    assert last.parameters["RemoveTags"] == ["engine:shared"]


def test_a_point_that_is_being_deleted_is_not_unshared() -> None:
    going = shared(a_snapshot(ORDERS, ago(1), status="deleting"), VAULT.account)
    found = planned(going, a_snapshot(ORDERS, SLOT), a_snapshot(ORDERS, SLOT, VAULT))
    assert found.steps == ()
