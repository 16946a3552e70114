"""Sharing as policy: the newest points are readable, older ones are taken back, routes go on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import CopyRule, Documents, Incremental, ShareRule
from engine.identity.marks import SHARED, SHARED_BY_POLICY, UNSHARED, read_marks
from engine.inventory.records import Quota, ScopeStatus, Snapshot
from engine.plans.plan import Plan, Step
from engine.retention.keep import Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
    REMOTE,
    SLOT,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    deleted,
    documents,
    inventory,
    kept,
    plan,
    reasons,
    step_of,
    steps,
    terms,
    waits,
)

ORDERS = an_instance()
STRANGER = "999999999999"
OTHER = "888888888888"
TEST = ShareRule((STRANGER,))


def sharing(*rules: ShareRule, copies: Iterable[CopyRule] = (), **changes: Any) -> Documents:
    return documents(a_policy(terms=terms(copies=copies, share_with=rules, **changes)))


def planned(docs: Documents, *found: Snapshot, now: Any = NOW, **world: Any) -> Plan:
    return plan(docs, inventory([ORDERS], found, **world), now)


def given(snapshot: Snapshot, *accounts: str, **tags: str) -> Snapshot:
    """A snapshot that the engine shared because a policy said so."""
    shared = "+".join(sorted(accounts))
    return replace(
        snapshot, tags={**snapshot.tags, SHARED: shared, SHARED_BY_POLICY: shared, **tags}
    )


def ahead(found: Plan, step: Step) -> set[str]:
    by_id = {one.id: one for one in found.steps}
    names, seen = list(step.depends_on), set()
    while names:
        name = names.pop()
        if name not in seen:
            seen.add(name)
            names += by_id[name].depends_on
    return seen


def test_the_newest_point_is_shared_in_one_call_that_tags_before_and_after() -> None:
    today = a_snapshot(ORDERS, SLOT)
    found = planned(sharing(ShareRule((STRANGER, "vault"))), today, a_snapshot(ORDERS, ago(1)))
    (share,) = steps(found, "share_snapshot")
    assert share.arn == today.arn
    both = f"{VAULT.account}+{STRANGER}"
    assert share.parameters == {
        "ValuesToAdd": [VAULT.account, STRANGER],
        "Tags": {SHARED: both, SHARED_BY_POLICY: f"giving:{both}"},
        "TagsAfterwards": {SHARED_BY_POLICY: both},
    }
    assert [one.check.value for one in share.preconditions] == ["snapshot_status", "owned"]


def test_what_is_shared_already_is_left_alone() -> None:
    assert planned(sharing(TEST), given(a_snapshot(ORDERS, SLOT), STRANGER)).steps == ()


def test_a_share_that_was_cut_short_is_made_again() -> None:
    half = given(a_snapshot(ORDERS, SLOT), STRANGER, **{SHARED_BY_POLICY: f"giving:{STRANGER}"})
    assert step_of(planned(sharing(TEST), half), "share_snapshot").arn == half.arn


def test_a_point_this_plan_makes_is_shared_and_displaces_what_was_shared_before() -> None:
    old = given(a_snapshot(ORDERS, ago(1)), STRANGER)
    found = planned(sharing(TEST), old)
    create, share, unshare = (
        step_of(found, f"{one}_snapshot") for one in ("create", "share", "unshare")
    )
    assert share.arn == create.arn
    assert create.id in share.depends_on
    assert unshare.arn == old.arn
    assert share.id in unshare.depends_on
    assert unshare.parameters == {
        "ValuesToRemove": [STRANGER],
        "Tags": {UNSHARED: "2026-11-21T02:10:00Z"},
        "RemoveTags": [SHARED, SHARED_BY_POLICY],
    }


def test_as_many_of_the_newest_as_the_policy_says_are_shared() -> None:
    found = planned(sharing(ShareRule((STRANGER,), newest=2)), *daily(ORDERS, (0, 1, 2)))
    shared = {step.slot for step in steps(found, "share_snapshot")}
    assert shared == {SLOT, ago(1)}


def test_the_copies_of_a_target_are_shared_where_the_policy_says_so() -> None:
    local = CopyRule("local")
    found = planned(
        sharing(ShareRule((STRANGER, "vault", "prod"), origin="local"), copies=[local]),
        a_snapshot(ORDERS, SLOT),
        a_snapshot(ORDERS, SLOT, VAULT),
    )
    share = step_of(found, "share_snapshot")
    assert (share.location.account, share.parameters["ValuesToAdd"]) == (
        VAULT.account,
        [PROD.account, STRANGER],
    )


def test_nothing_is_shared_with_the_account_that_holds_it() -> None:
    docs = sharing(ShareRule(("prod",)))
    assert planned(docs, a_snapshot(ORDERS, SLOT)).steps == ()
    half = given(a_snapshot(ORDERS, SLOT), OTHER, **{SHARED_BY_POLICY: f"giving:{OTHER}"})
    assert steps(planned(docs, half), "share_snapshot") == []


def test_the_copies_of_a_target_that_gets_none_are_not_shared() -> None:
    rule = ShareRule((STRANGER,), origin="remote")
    found = planned(
        sharing(rule, copies=[CopyRule("local")]),
        a_snapshot(ORDERS, SLOT),
        a_snapshot(ORDERS, SLOT, VAULT),
        a_snapshot(ORDERS, SLOT, REMOTE),
    )
    assert steps(found, "share_snapshot") == []


@pytest.mark.parametrize("status", ["creating", "failed", "deleting", "odd"])
def test_only_what_is_available_is_shared(status: str) -> None:
    found = planned(
        sharing(TEST), a_snapshot(ORDERS, SLOT, status=status), a_snapshot(ORDERS, ago(1))
    )
    assert {step.slot for step in steps(found, "share_snapshot")} <= {ago(1), SLOT}
    unmade = [s for s in steps(found, "share_snapshot") if s.slot == SLOT]
    assert all(any("create:" in name for name in step.depends_on) for step in unmade)


# -- taken back ----------------------------------------------------------------------------------


def test_what_the_policy_no_longer_says_is_taken_back_at_once() -> None:
    today = given(a_snapshot(ORDERS, SLOT), STRANGER, OTHER)
    found = planned(sharing(TEST), today)
    unshare = step_of(found, "unshare_snapshot")
    assert unshare.depends_on == ()
    assert unshare.parameters["ValuesToRemove"] == [OTHER]
    assert unshare.parameters["Tags"] == {
        SHARED: STRANGER,
        SHARED_BY_POLICY: STRANGER,
        UNSHARED: "2026-11-21T02:10:00Z",
    }


def test_all_is_taken_back_once_the_policy_shares_nothing() -> None:
    found = planned(sharing(), given(a_snapshot(ORDERS, SLOT), STRANGER, OTHER))
    first, second = steps(found, "unshare_snapshot")
    assert second.depends_on == (first.id,)
    assert second.parameters["RemoveTags"] == [SHARED, SHARED_BY_POLICY]


def test_what_was_shared_with_a_stranger_by_other_means_stays_shared() -> None:
    today = a_snapshot(ORDERS, SLOT)
    today = replace(today, tags={**today.tags, SHARED: STRANGER})
    found = planned(sharing(), today)
    assert steps(found, "unshare_snapshot") == []
    assert waits(found) == ["unshare_after_copy"]


def test_what_an_account_of_the_estate_is_copying_is_not_taken_back_yet() -> None:
    today = given(a_snapshot(ORDERS, SLOT), VAULT.account)
    own = a_snapshot(
        ORDERS,
        ago(9),
        VAULT,
        policy="other",
        record={"source_snapshot": today.arn},
        status="copying",
    )
    theirs = replace(own, tags={})
    found = planned(sharing(), today, theirs)
    assert steps(found, "unshare_snapshot") == []
    assert waits(found) == ["unshare_after_copy"]
    assert steps(planned(sharing(), today), "unshare_snapshot") != []


def test_what_is_shared_stays_so_while_nobody_can_tell_which_policy_holds() -> None:
    today = given(a_snapshot(ORDERS, SLOT), STRANGER)
    unread = {PROD: {"status": ScopeStatus.FAILED, "instances": None}}
    assert planned(sharing(), today, scopes=unread).steps == ()
    rival = a_policy("also", select=a_policy().select)
    docs = documents(a_policy(terms=terms()), rival)
    assert steps(planned(docs, today), "unshare_snapshot") == []


def test_the_points_of_a_database_that_no_policy_takes_are_shared_no_longer() -> None:
    today = given(a_snapshot(ORDERS, SLOT), STRANGER)
    docs = documents(a_policy("other"), a_policy(select=a_policy("none").select))
    assert step_of(planned(docs, today), "unshare_snapshot").arn == today.arn


# -- beside routes -------------------------------------------------------------------------------


def test_a_route_does_not_take_away_what_the_policy_shares() -> None:
    docs = sharing(ShareRule(("vault",)), copies=[CopyRule("local")])
    today = given(a_snapshot(ORDERS, SLOT), VAULT.account)
    found = planned(docs, today)
    assert steps(found, "copy_snapshot") != []
    assert steps(found, "unshare_snapshot") == []


def test_a_policy_does_not_take_away_what_a_route_needs() -> None:
    docs = sharing(copies=[CopyRule("local")])
    today = given(a_snapshot(ORDERS, SLOT), VAULT.account)
    found = planned(docs, today)
    unshare = step_of(found, "unshare_snapshot")
    assert step_of(found, "copy_snapshot").id in unshare.depends_on
    assert unshare.parameters["RemoveTags"] == [SHARED, SHARED_BY_POLICY]


def test_a_share_for_the_policy_stays_when_the_copy_beside_it_is_withheld() -> None:
    docs = sharing(TEST, copies=[CopyRule("local")], incremental="ignore")
    guarded = replace(
        docs,
        estate=replace(
            docs.estate,
            guards=replace(docs.estate.guards, full_copies=type(docs.estate.guards.full_copies)(0)),
        ),
    )
    found = planned(guarded, a_snapshot(ORDERS, SLOT))
    held = {step.id: step.withheld_by for step in found.steps}
    assert any(one is not None for name, one in held.items() if name.startswith("copy:"))
    policy = [one for name, one in held.items() if name.endswith("/policy")]
    assert policy == [None]


def test_what_only_a_copy_that_is_withheld_would_displace_is_shared() -> None:
    last = CopyRule("local", keep=Keep(last=1))
    docs = sharing(replace(TEST, origin="local"), copies=[last], incremental=Incremental.REQUIRE)
    there = a_snapshot(ORDERS, ago(1), VAULT)
    found = planned(
        docs, a_snapshot(ORDERS, SLOT, zone="euw1-az1"), a_snapshot(ORDERS, ago(1)), there
    )
    assert step_of(found, "copy_snapshot").withheld_by is not None
    given_now = [one for one in steps(found, "share_snapshot") if one.withheld_by is None]
    assert [one.arn for one in given_now] == [there.arn]


# -- deleting ------------------------------------------------------------------------------------


def test_what_goes_is_taken_back_first_and_goes_once_nobody_can_be_copying_it() -> None:
    old = given(a_snapshot(ORDERS, ago(4)), STRANGER)
    rest = daily(ORDERS, (0, 1, 2))
    docs = sharing(ShareRule((STRANGER,), newest=9))
    found = planned(docs, old, *rest)
    assert step_of(found, "unshare_snapshot").arn == old.arn
    assert kept(found, old) == ["shared"]
    assert "not in the estate" in reasons(found, old)["shared"].text

    back = a_snapshot(ORDERS, ago(4))
    back = replace(back, tags={**back.tags, UNSHARED: "2026-11-19T02:10:01Z"})
    assert kept(planned(docs, back, *rest), back) == ["shared"]
    later = planned(docs, back, *rest, now=NOW + timedelta(seconds=1))
    assert deleted(later) == {back.arn}


def test_what_goes_and_was_shared_inside_the_estate_goes_after_its_unshare() -> None:
    old = given(a_snapshot(ORDERS, ago(4)), VAULT.account)
    found = planned(sharing(ShareRule(("vault",), newest=9)), old, *daily(ORDERS, (0, 1, 2)))
    assert deleted(found) == {old.arn}
    unshare = next(s for s in steps(found, "unshare_snapshot") if s.arn == old.arn)
    assert unshare.id in step_of(found, "delete_snapshot").depends_on


def test_what_goes_stays_while_an_account_of_the_estate_copies_it_and_may_read_it() -> None:
    old = given(a_snapshot(ORDERS, ago(4)), VAULT.account)
    copying = {"source_snapshot": old.arn}
    theirs = a_snapshot(ORDERS, ago(9), VAULT, status="copying", record=copying)
    found = planned(sharing(), old, replace(theirs, tags={}), *daily(ORDERS, (0, 1, 2)))
    assert found.steps == ()
    assert reasons(found, old)["shared"].text == f"{VAULT.account} may still read it"


def test_a_short_quota_makes_no_circle_of_shares_and_deletes() -> None:
    old = given(a_snapshot(ORDERS, ago(1)), VAULT.account)
    docs = sharing(ShareRule(("vault",)), keep=Keep(last=1))
    found = planned(docs, old, quotas={PROD: Quota(100, 100)})
    for step in found.steps:
        assert step.id not in ahead(found, step)


# -- what AWS refuses ----------------------------------------------------------------------------


def test_points_under_the_default_key_are_not_shared_and_the_check_says_the_way_out() -> None:
    instance = replace(ORDERS, kms_key=DEFAULT_KEY)
    today = a_snapshot(instance, SLOT, keys=(DEFAULT_KEY,))
    found = plan(sharing(TEST), inventory([instance], [today]))
    assert steps(found, "share_snapshot") == []
    (warned,) = [one for one in found.warnings if one.code == "E331 share-default-key"]
    assert warned.fix is not None
    assert "from: TARGET" in warned.fix


def test_points_with_tde_are_not_shared_and_the_check_says_so() -> None:
    today = a_snapshot(ORDERS, SLOT, record={"tde": True})
    found = planned(sharing(TEST), today)
    assert steps(found, "share_snapshot") == []
    assert "E332 share-tde" in {one.code for one in found.warnings}


def test_what_cannot_be_shared_is_told_once_for_a_place() -> None:
    today = a_snapshot(ORDERS, SLOT, record={"tde": True})
    found = planned(sharing(TEST, ShareRule((OTHER,))), today)
    assert [one.code for one in found.warnings] == ["E332 share-tde"]


def test_an_unencrypted_point_is_shared() -> None:
    instance = replace(ORDERS, encrypted=False, kms_key=None)
    found = plan(sharing(TEST), inventory([instance], [a_snapshot(instance, SLOT, keys=(None,))]))
    assert step_of(found, "share_snapshot").parameters["ValuesToAdd"] == [STRANGER]


def test_automated_snapshots_are_never_shared() -> None:
    automated = replace(
        a_snapshot(ORDERS, SLOT), type=type(a_snapshot(ORDERS, SLOT).type).AUTOMATED
    )
    found = planned(sharing(TEST), automated)
    assert automated.arn not in {step.arn for step in steps(found, "share_snapshot")}


def test_twenty_accounts_fit_into_a_tag() -> None:
    accounts = tuple(f"{number:012}" for number in range(20))
    found = planned(sharing(ShareRule(accounts)), a_snapshot(ORDERS, SLOT))
    share = step_of(found, "share_snapshot")
    assert all(len(value) <= 256 for value in share.parameters["Tags"].values())
    marks = read_marks({**a_snapshot(ORDERS, SLOT).tags, **share.parameters["Tags"]})
    assert marks is not None
    assert marks.shared == marks.shared_by_policy == frozenset(accounts)
