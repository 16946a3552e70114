"""Promise 1 for shares: only with accounts that a copy needs or that the policy names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.documents.model import CopyRule, ShareRule
from engine.identity.marks import SHARED_BY_POLICY, UNSHARED
from engine.inventory.records import Snapshot
from engine.plans.codes import Action
from engine.plans.plan import Step
from tests.verifying.scene import (
    DATABASE,
    GOLD,
    VAULT,
    Scene,
    copy,
    copying,
    create,
    delete,
    primary,
    step,
    terms_of,
)

STRANGER = "999999999999"


def share(snapshot: Snapshot, account: str, *after: Step) -> Step:
    return step(Action.SHARE, snapshot, after, {"ValuesToAdd": [account]})


def unshare(snapshot: Snapshot, account: str) -> Step:
    return step(Action.UNSHARE, snapshot, parameters={"ValuesToRemove": [account]})


def sharing(*rules: ShareRule) -> Scene:
    return Scene(policies=[terms_of(GOLD, share_with=rules)])


def given(snapshot: Snapshot, account: str) -> Snapshot:
    return replace(snapshot, tags={**snapshot.tags, SHARED_BY_POLICY: account})


def test_an_account_that_neither_a_copy_needs_nor_a_policy_names_is_given_nothing() -> None:
    assert Scene().broken(share(primary(4), STRANGER)) == [1]
    assert Scene().broken(share(primary(4), VAULT.account)) == [1]
    assert Scene().broken(share(primary(4), "all")) == [1]


def test_an_account_that_a_copy_needs_may_read_its_origin() -> None:
    shared = share(primary(4), VAULT.account)
    assert Scene().broken(shared, copying(primary(4), copy(5), shared)) == []
    assert Scene().broken(shared, copying(primary(3), copy(5), shared)) == [1]


def test_an_account_that_the_policy_names_may_read_points_of_that_place() -> None:
    assert sharing(ShareRule((STRANGER,))).broken(share(primary(4), STRANGER)) == []
    assert sharing(ShareRule((STRANGER,))).broken(share(copy(4), STRANGER)) == [1]
    assert sharing(ShareRule(("vault",))).broken(share(primary(4), VAULT.account)) == []
    at_target = sharing(ShareRule((STRANGER,), origin="local"))
    assert at_target.broken(share(copy(4), STRANGER)) == []
    assert at_target.broken(share(primary(4), STRANGER)) == [1]


def test_a_point_that_the_plan_makes_may_be_shared_as_the_policy_says() -> None:
    made = create(5)
    assert sharing(ShareRule((STRANGER,))).broken(made, share(primary(5), STRANGER, made)) == []
    assert Scene().broken(made, share(primary(5), STRANGER, made)) == [1]


def test_what_another_policy_says_shares_nothing() -> None:
    scene = sharing(ShareRule((STRANGER,)))
    scene.instances = [replace(DATABASE, identifier="billing")]
    assert scene.broken(share(primary(4), STRANGER)) == [1]


def test_only_what_a_policy_gave_is_taken_back_unseen() -> None:
    scene = Scene()
    assert scene.broken(unshare(primary(4), STRANGER)) == [1]
    assert scene.broken(unshare(primary(4), VAULT.account)) == []
    seen = scene.change(primary(4), tags=given(primary(4), STRANGER).tags)
    assert scene.broken(unshare(seen, STRANGER)) == []


@pytest.mark.parametrize("of", [primary, copy])
def test_what_a_policy_shares_is_deleted_only_once_it_is_taken_back(of: object) -> None:
    assert callable(of)
    for account, after in ((VAULT.account, []), (STRANGER, [4])):
        scene = Scene()
        seen = scene.change(of(1), tags=given(of(1), account).tags)
        assert scene.broken(delete(seen)) == [4]
        back = unshare(seen, account)
        assert scene.broken(back, delete(seen, back)) == after


def test_what_somebody_unseen_could_read_stays_for_two_days() -> None:
    for when, broken in (("2026-11-19T02:10:01Z", [4]), ("2026-11-19T02:10:00Z", [])):
        scene = Scene()
        seen = scene.change(primary(1), tags={**primary(1).tags, UNSHARED: when})
        assert scene.broken(delete(seen)) == broken


def test_a_target_that_the_policy_does_not_copy_to_is_no_place_of_shares() -> None:
    rules = (ShareRule((STRANGER,), origin="remote"),)
    assert sharing(*rules).broken(share(copy(4), STRANGER)) == [1]
    assert CopyRule("remote") not in GOLD.terms.snapshots.copies


def test_nobody_says_who_may_read_the_points_of_a_database_that_is_gone() -> None:
    scene = sharing(ShareRule((STRANGER,)))
    scene.instances = []
    assert scene.broken(share(primary(4), STRANGER)) == [1]
