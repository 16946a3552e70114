"""Where parts meet: one-off points, shares, replicas, adoption, holds, orphans and guards."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import (
    CopyRule,
    Documents,
    Incremental,
    OneOff,
    Orphans,
    ReplicaSource,
    Retire,
    ShareRule,
)
from engine.identity.marks import SHARED, SHARED_BY_POLICY, UNSHARED, Role, time_text
from engine.inventory.records import Snapshot
from engine.plans.codes import DriftCode
from engine.plans.plan import Plan
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    DAY,
    DEFAULT_KEY,
    NOW,
    PROD,
    REKEY,
    SLOT,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    daily,
    delete_of,
    deleted,
    documents,
    held_back,
    inventory,
    kept,
    plan,
    step_of,
    steps,
    terms,
    waits,
)

ORDERS = an_instance()
STRANGER = "999999999999"
LOCAL = CopyRule("local")
TEST = ShareRule((STRANGER,))
HOUR = timedelta(hours=1)
EVENT = OneOff(ago(1) + 12 * HOUR, "release", 30 * DAY)
ONE = Keep(last=1)


def gold(keep: Keep | None = None, *copies: CopyRule, **changes: Any) -> Documents:
    estate = changes.pop("estate", None)
    return documents(a_policy(terms=terms(keep, copies, **changes)), estate=estate)


def planned(docs: Documents, *found: Snapshot, now: datetime = NOW, **options: Any) -> Plan:
    return plan(docs, inventory([ORDERS], found), now, **options)


def one_off(slot: datetime = EVENT.at, *where: Any, **changes: Any) -> Snapshot:
    promise: dict[str, Any] = {"keep_until": slot + 30 * DAY, "reason": "release"}
    return a_snapshot(ORDERS, slot, *where, **(promise | changes))


def given(snapshot: Snapshot, *accounts: str) -> Snapshot:
    """A snapshot that the engine shared because a policy said so."""
    shared = "+".join(sorted(accounts))
    return replace(snapshot, tags={**snapshot.tags, SHARED: shared, SHARED_BY_POLICY: shared})


# -- one-off points and what regular ones are owed -----------------------------------------------


def test_a_one_off_point_does_not_let_the_first_regular_one_miss_its_window() -> None:
    late = SLOT + 8 * HOUR
    found = planned(gold(), one_off(), now=late)
    assert steps(found, "create_snapshot") == []
    assert waits(found) == ["window"]
    assert steps(planned(gold(), a_snapshot(ORDERS, ago(1)), now=late), "create_snapshot")


def test_a_one_off_copy_does_not_take_the_first_copy_from_the_regular_ones() -> None:
    docs = gold(None, LOCAL, incremental=Incremental.REQUIRE)
    other_chain: dict[str, Any] = {"volume": "db-ELSE"}
    there = [one_off(**other_chain), one_off(EVENT.at, VAULT, **other_chain)]
    found = planned(docs, *there, a_snapshot(ORDERS, SLOT))
    assert step_of(found, "copy_snapshot").slot == SLOT
    assert held_back(found) == {}
    regular = a_snapshot(ORDERS, ago(3), VAULT, **other_chain)
    found = planned(docs, *there, a_snapshot(ORDERS, SLOT), regular)
    assert set(held_back(found).values()) >= {"incremental_required"}


def test_a_one_off_copy_in_full_is_held_back_where_increments_are_required() -> None:
    docs = gold(None, LOCAL, incremental=Incremental.REQUIRE)
    regular = [a_snapshot(ORDERS, SLOT), a_snapshot(ORDERS, SLOT, VAULT)]
    found = planned(docs, one_off(volume="db-ELSE"), *regular)
    assert "incremental_required" in held_back(found).values()
    assert deleted(found) == set()


def test_a_one_off_copy_is_no_sign_that_somebody_deleted_an_older_regular_one() -> None:
    docs = gold(None, LOCAL)
    later = one_off(SLOT + timedelta(minutes=5))
    copied = one_off(SLOT + timedelta(minutes=5), VAULT)
    codes = [one.code for one in planned(docs, a_snapshot(ORDERS, SLOT), later, copied).drift]
    assert DriftCode.POINT_DELETED not in codes
    regular = a_snapshot(ORDERS, SLOT, VAULT)
    found = planned(docs, *daily(ORDERS, [0, 1]), a_snapshot(ORDERS, ago(2), VAULT), regular)
    assert DriftCode.POINT_DELETED in [one.code for one in found.drift]


def test_an_event_at_the_time_of_a_slot_makes_one_point_that_counts_for_both() -> None:
    event = OneOff(SLOT, "release", 2 * DAY)
    docs = gold(ONE, events=(event,))
    found = planned(docs, a_snapshot(ORDERS, ago(1)))
    assert step_of(found, "create_snapshot").slot == SLOT
    assert found.summary.delete == 0
    both = one_off(SLOT, keep_until=event.keep_until)
    over = planned(docs, a_snapshot(ORDERS, ago(1)), both, now=event.keep_until + HOUR)
    assert deleted(over) == {a_snapshot(ORDERS, ago(1)).arn, both.arn}
    assert step_of(over, "create_snapshot").slot == ago(-2)


# -- shares ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [(), (ShareRule((STRANGER,), origin="local"),)])
def test_what_was_shared_from_a_target_that_is_dropped_is_taken_back_and_stays(
    shares: tuple[ShareRule, ...],
) -> None:
    copy = given(a_snapshot(ORDERS, SLOT, VAULT), STRANGER)
    found = planned(gold(share_with=shares), a_snapshot(ORDERS, SLOT), copy)
    assert step_of(found, "unshare_snapshot").arn == copy.arn
    assert deleted(found) == set()
    assert kept(found, copy) == ["unmanaged"]


def test_a_shared_base_that_is_displaced_is_taken_back_and_stays_the_base() -> None:
    base = given(a_snapshot(ORDERS, ago(1)), STRANGER)
    today = a_snapshot(ORDERS, SLOT, zone="euw1-az1")
    found = planned(gold(ONE, share_with=(TEST,)), base, today)
    assert step_of(found, "share_snapshot").arn == today.arn
    assert step_of(found, "unshare_snapshot").arn == base.arn
    assert {"chain_base"} <= set(kept(found, base))
    assert deleted(found) == set()


def test_a_routes_share_names_nobody_whom_only_the_policy_lets_in() -> None:
    found = planned(gold(None, LOCAL, share_with=(TEST,)), a_snapshot(ORDERS, SLOT))
    for_route, for_policy = sorted(steps(found, "share_snapshot"), key=lambda step: step.id)
    assert for_route.parameters["Tags"] == {SHARED: VAULT.account}
    both = f"{VAULT.account}+{STRANGER}"
    assert for_policy.parameters["Tags"][SHARED] == both
    # Killed after the first: once a newer point is shared, this one may go like any other.
    cut_short = a_snapshot(ORDERS, ago(5), shared=frozenset({VAULT.account}))
    rest = [*daily(ORDERS, [0, 1]), *daily(ORDERS, [0, 1, 5], VAULT)]
    found = planned(gold(Keep(last=2), LOCAL, share_with=(TEST,)), cut_short, *rest)
    assert cut_short.arn in deleted(found)


def test_a_copy_that_is_held_back_does_not_keep_the_newest_from_being_shared() -> None:
    docs = gold(
        None,
        LOCAL,
        share_with=(ShareRule((STRANGER,), origin="local"),),
        incremental=Incremental.REQUIRE,
    )
    oldest = given(a_snapshot(ORDERS, ago(2), VAULT), STRANGER)
    newest = a_snapshot(ORDERS, ago(1), VAULT)
    today = a_snapshot(ORDERS, SLOT, volume="db-ELSE")
    points = [*daily(ORDERS, [1, 2]), today]
    found = planned(docs, *points, oldest, newest)
    held = held_back(found)
    copy = step_of(found, "copy_snapshot")
    assert copy.id in held
    share = next(step for step in steps(found, "share_snapshot") if step.arn == newest.arn)
    unshare = next(step for step in steps(found, "unshare_snapshot") if step.arn == oldest.arn)
    assert not {share.id, unshare.id} & set(held)
    assert unshare.depends_on == (share.id,)
    # What may be read stays readable until the copy comes.
    found = planned(docs, *points, given(newest, STRANGER))
    (unshare,) = (s for s in steps(found, "unshare_snapshot") if s.arn == newest.arn)
    assert unshare.id in held_back(found)


def test_a_one_off_point_that_is_the_newest_is_shared_as_long_as_it_is() -> None:
    newest = one_off(SLOT + timedelta(minutes=5))
    docs = gold(ONE, share_with=(TEST,))
    found = planned(docs, a_snapshot(ORDERS, SLOT), newest)
    assert step_of(found, "share_snapshot").arn == newest.arn
    found = planned(docs, given(newest, STRANGER), a_snapshot(ORDERS, ago(-1)), now=NOW + DAY)
    assert step_of(found, "unshare_snapshot").arn == newest.arn
    assert kept(found, newest) == ["event"]


def test_of_a_point_of_a_replica_under_the_default_key_only_the_copies_are_shared() -> None:
    replica = an_instance(
        "orders-1-a",
        multi_az=False,
        secondary_zone=None,
        replica_of="orders-1",
        replication="replicating",
        kms_key=DEFAULT_KEY,
    )
    database = replace(ORDERS, kms_key=DEFAULT_KEY, replicas=("orders-1-a",))
    shares = (TEST, ShareRule((STRANGER,), origin="local"))
    docs = gold(None, LOCAL, share_with=shares, source=ReplicaSource("orders-1-*"))
    volume: dict[str, Any] = {
        "volume": replica.resource_id,
        "record": {"resource_id": replica.resource_id},
    }
    point = a_snapshot(database, SLOT, keys=(DEFAULT_KEY,), **volume)
    found = plan(docs, inventory([database, replica], [point]))
    bridge, copy = steps(found, "copy_snapshot")
    to_vault, to_stranger = sorted(steps(found, "share_snapshot"), key=lambda step: step.id)
    assert (bridge.location.account, copy.location.account) == (PROD.account, VAULT.account)
    assert (to_vault.arn, to_vault.parameters["ValuesToAdd"]) == (bridge.arn, [VAULT.account])
    assert (to_stranger.arn, to_stranger.parameters["ValuesToAdd"]) == (copy.arn, [STRANGER])
    keys = (DEFAULT_KEY, REKEY, VAULT_KEY)
    rest = [
        a_snapshot(database, SLOT, role=Role.BRIDGE, keys=keys[:2], **volume),
        given(a_snapshot(database, SLOT, VAULT, keys=keys, **volume), STRANGER),
    ]
    assert plan(docs, inventory([database, replica], [point, *rest])).steps == ()


def test_shares_of_databases_that_are_not_selected_are_left_alone() -> None:
    users = an_instance("users-1")
    old = given(a_snapshot(users, SLOT), STRANGER)
    docs = gold()
    points = [a_snapshot(ORDERS, SLOT), old]
    assert (
        step_of(plan(docs, inventory([ORDERS, users], points)), "unshare_snapshot").arn == old.arn
    )
    for options in ({"only": ("prod/*/orders-1",)}, {"exclude": ("prod/*/users-1",)}):
        found = plan(docs, inventory([ORDERS, users], points), NOW, **options)
        assert (found.steps, found.drift) == ((), ())


# -- gone, retired, held ---------------------------------------------------------------------------


def test_points_of_a_gone_database_are_taken_back_and_keep_their_promises() -> None:
    gone: dict[str, Any] = {"gone_since": ago(60)}
    promised = given(one_off(**gone), STRANGER)
    regular = given(a_snapshot(ORDERS, ago(3), **gone), VAULT.account)
    last = a_snapshot(ORDERS, ago(2), **gone)
    docs = gold(share_with=(TEST,), orphans=Orphans(Span(days=30), keep_last=0))
    found = plan(docs, inventory([], [promised, regular, last]))
    assert {step.arn for step in steps(found, "unshare_snapshot")} == {promised.arn, regular.arn}
    assert deleted(found) == {regular.arn, last.arn}
    unshare = next(s for s in steps(found, "unshare_snapshot") if s.arn == regular.arn)
    assert unshare.id in delete_of(found, regular).depends_on
    assert "event" in kept(found, promised)


def test_retired_points_that_a_policy_shared_are_taken_back_before_they_go() -> None:
    estate = an_estate(retire=(Retire(policy="silver"),))
    inside, outside, newest = (
        given(a_snapshot(ORDERS, ago(5), policy="silver"), VAULT.account),
        given(a_snapshot(ORDERS, ago(4), policy="silver"), STRANGER),
        a_snapshot(ORDERS, SLOT),
    )
    docs = gold(estate=estate)
    found = planned(docs, inside, outside, newest)
    assert {step.arn for step in steps(found, "unshare_snapshot")} == {inside.arn, outside.arn}
    assert deleted(found) == {inside.arn}
    lately = a_snapshot(ORDERS, ago(4), policy="silver")
    lately = replace(lately, tags={**lately.tags, UNSHARED: time_text(NOW - DAY)})
    assert deleted(planned(docs, lately, newest)) == set()
    assert deleted(planned(docs, lately, newest, now=NOW + DAY + HOUR)) == {lately.arn}


def test_a_hold_keeps_what_is_no_longer_shared() -> None:
    old = given(a_snapshot(ORDERS, ago(1)), VAULT.account)
    found = planned(gold(ONE, hold="case 7"), old, a_snapshot(ORDERS, SLOT))
    assert step_of(found, "unshare_snapshot").arn == old.arn
    assert "held" in kept(found, old)
    assert [one.reason for one in found.holds] == ["case 7"]
