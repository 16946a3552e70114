"""Who may read what the engine owns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.documents.model import CopyRule, ShareRule
from engine.identity.marks import Role
from engine.inventory.records import Snapshot
from engine.planning.drift.shares import Depth, shares_read, snapshots_to_ask_about
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import PlanOptions
from tests.planning.builders import (
    NOW,
    PROD,
    VAULT,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    documents,
    inventory,
    terms,
)
from tests.planning.drift.estate import (
    COPIES,
    DOCUMENTS,
    HOME,
    KEEP,
    ORDERS,
    copied,
    drifted,
    instead,
    primary,
    the_drift,
)

STRANGER = "999999999999"


def shared(
    *accounts: str, marked: str | None = None, snapshot: Snapshot | None = None
) -> list[Snapshot]:
    """Everything, one snapshot shared, and perhaps marked so by the engine."""
    snapshot = snapshot or primary(0)
    tags = {**snapshot.tags, "engine:shared": marked} if marked else snapshot.tags
    return instead(snapshot, shared_with=frozenset(accounts), tags=tags)


def test_a_public_snapshot_is_an_error() -> None:
    found = the_drift(drifted(shared("all")), DriftCode.PUBLIC)
    assert (found.severity, found.arn) == (DriftSeverity.ERROR, primary(0).arn)
    assert found.fix.endswith("--values-to-remove all")


def test_an_account_outside_the_estate_is_an_error_and_named() -> None:
    found = the_drift(drifted(shared(STRANGER)), DriftCode.SHARED_OUTSIDE)
    assert found.severity is DriftSeverity.ERROR
    assert STRANGER in found.text
    assert (found.expected, found.found) == (None, STRANGER)


def test_a_copy_can_be_shared_by_somebody_too() -> None:
    found = the_drift(drifted(shared(STRANGER, snapshot=copied(3))), DriftCode.SHARED_OUTSIDE)
    assert found.arn == copied(3).arn


def test_an_account_of_the_estate_that_the_engine_did_not_mark_is_a_warning() -> None:
    found = the_drift(drifted(shared(VAULT.account)), DriftCode.SHARED_INSIDE)
    assert found.severity is DriftSeverity.WARNING
    assert "vault" in found.text


def test_what_the_engine_shares_is_no_drift() -> None:
    assert drifted(shared(VAULT.account, marked=VAULT.account)) == []


def test_a_mark_does_not_excuse_an_account_outside_the_estate() -> None:
    the_drift(drifted(shared(STRANGER, marked=STRANGER)), DriftCode.SHARED_OUTSIDE)


def test_each_kind_of_reader_is_told() -> None:
    codes = [one.code for one in drifted(shared("all", STRANGER, VAULT.account))]
    assert codes == [DriftCode.PUBLIC, DriftCode.SHARED_OUTSIDE, DriftCode.SHARED_INSIDE]


def test_a_recipients_listing_tells_without_a_call_per_snapshot() -> None:
    received = (replace(primary(2), location=VAULT, tags={}),)
    found = the_drift(drifted(scopes={VAULT: {"shared": received}}), DriftCode.SHARED_INSIDE)
    assert found.arn == primary(2).arn


def test_what_others_share_of_their_own_is_none_of_our_business() -> None:
    theirs = a_foreign_snapshot(ORDERS, ago(1), shared_with=frozenset({STRANGER, "all"}))
    scopes = {VAULT: {"shared": (theirs,)}}
    assert drifted([*HOME, *COPIES, theirs], scopes=scopes) == []


# -- which are asked about -----------------------------------------------------------------------


def asked(depth: Depth, *snapshots: Snapshot, only: tuple[str, ...] = ()) -> set[str]:
    found = inventory([ORDERS, an_instance("stock")], snapshots or (*HOME, *COPIES))
    return set(snapshots_to_ask_about(DOCUMENTS, found, NOW, PlanOptions(only), depth))


def test_the_newest_of_each_source_and_location_is_asked_about() -> None:
    stock = a_snapshot(an_instance("stock"), ago(3))
    newest = {primary(0).arn, copied(0).arn, stock.arn}
    assert asked(Depth.NEWEST, *HOME, *COPIES, stock) == newest


def test_whatever_is_marked_as_shared_is_asked_about() -> None:
    marked = replace(primary(7), tags={**primary(7).tags, "engine:shared": VAULT.account})
    assert primary(7).arn in asked(Depth.NEWEST, *HOME[:7], marked, *COPIES)


def test_bridges_and_what_is_on_its_way_are_not_the_newest() -> None:
    bridge = a_snapshot(ORDERS, ago(0), PROD, role=Role.BRIDGE)
    coming = primary(0, status="creating")
    assert asked(Depth.NEWEST, bridge, coming, *HOME[1:]) == {primary(1).arn}


def test_all_are_all_of_the_engines_and_none_are_none() -> None:
    foreign = a_foreign_snapshot(ORDERS, ago(1))
    assert asked(Depth.ALL, *HOME, *COPIES, foreign) == {one.arn for one in (*HOME, *COPIES)}
    assert asked(Depth.NONE) == set()


def test_only_what_is_selected_is_asked_about() -> None:
    stock = a_snapshot(an_instance("stock"), ago(3))
    assert asked(Depth.ALL, *HOME, stock, only=("prod/*/stock",)) == {stock.arn}


@pytest.mark.parametrize("known", [0, 3])
def test_it_is_counted_of_how_many_the_shares_are_known(known: int) -> None:
    read = [replace(one, shared_with=frozenset()) for one in HOME[:known]]
    found = inventory([ORDERS], [*read, *HOME[known:], *COPIES])
    arns = [one.arn for one in (*HOME[:3], *COPIES[:1])]
    told = shares_read(DOCUMENTS, found, NOW, PlanOptions(), arns)
    assert (told.snapshots, told.known, told.refused) == (20, known, 4 - known)


# -- what policies share -------------------------------------------------------------------------

SHARING = documents(
    a_policy(terms=terms(KEEP, [CopyRule("local")], share_with=(ShareRule((STRANGER,)),)))
)


def by_policy(account: str, **changes: Any) -> list[Snapshot]:
    """Everything, the newest point shared with an account, as the engine's tags say."""
    tags = {"engine:shared": account, "engine:shared-by-policy": account}
    newest = primary(0)
    return instead(
        newest, shared_with=frozenset({account}), tags={**newest.tags, **tags}, **changes
    )


def test_what_the_policy_shares_outside_the_estate_is_no_drift() -> None:
    assert drifted(by_policy(STRANGER), SHARING) == []


def test_what_the_policy_shared_and_the_plan_takes_back_is_no_drift() -> None:
    assert drifted(by_policy(STRANGER)) == []


def test_a_mark_by_hand_excuses_nothing_that_the_policy_does_not_say() -> None:
    only_told = shared(STRANGER)
    the_drift(drifted(only_told, SHARING), DriftCode.SHARED_OUTSIDE)
