"""What each rule of auditors comes to, on values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.documents.control_model import (
    Covered,
    CustomerKeys,
    MinRetention,
    NewestPoint,
    NoForeignShares,
    NoGap,
    PointsIn,
    Where,
)
from engine.documents.model import AutomatedTerms, CopyRule
from engine.inventory.records import Key, KeyManager, ScopeStatus, Snapshot
from engine.plans.codes import ControlStatus
from engine.retention.keep import ALL, Keep
from tests.auditing.scene import COPIES, DAY, HOME, HOUR, ORDERS, ruling
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    daily,
    documents,
    terms,
)

PASSED, NOT_JUDGED, _, BROKEN = ControlStatus
UNREAD = {VAULT: {"status": ScopeStatus.FAILED, "cause": "AccessDenied", "snapshots": None}}
HOME_UNREAD = {PROD: {"status": ScopeStatus.FAILED, "cause": "down", "snapshots": None}}
NOBODY = documents()


# -- covered ---------------------------------------------------------------------------------------


def test_a_database_that_a_policy_backs_up_is_covered() -> None:
    found = ruling(Covered())
    assert (found.status, found.text) == (PASSED, "policy gold backs it up")


def test_a_database_that_no_policy_selects_is_not_covered() -> None:
    found = ruling(Covered(), docs=NOBODY)
    assert (found.status, found.text) == (BROKEN, "no policy selects it")


def test_a_policy_that_makes_nothing_covers_nothing() -> None:
    idle = documents(a_policy(terms=terms(schedule=None)))
    assert ruling(Covered(), docs=idle).text == "policy gold selects it and makes no points of it"
    backups = terms(schedule=None, automated=AutomatedTerms(retention_days=7))
    assert ruling(Covered(), docs=documents(a_policy(terms=backups))).status is PASSED


def test_what_the_engine_cannot_back_up_is_not_covered() -> None:
    member = replace(ORDERS, cluster="orders", engine="aurora-postgresql")
    assert "cannot back it up" in ruling(Covered(), instances=[member], snapshots=[]).text


# -- retention -------------------------------------------------------------------------------------


def kept(keep: Keep, *copies: CopyRule, **changes: Any) -> Any:
    return documents(a_policy(terms=terms(keep, copies, **changes)))


@pytest.mark.parametrize(
    ("keep", "status"),
    [
        (Keep(daily=35), PASSED),
        (Keep(daily=34), BROKEN),
        (Keep(last=35), PASSED),
        (Keep(weekly=7), PASSED),
        (Keep(weekly=5), BROKEN),
        (Keep(monthly=3), BROKEN),
        (Keep(monthly=4), PASSED),
        (Keep(yearly=2), BROKEN),
        (Keep(yearly=ALL), PASSED),
        (Keep(), PASSED),
    ],
    ids=str,
)
def test_what_rules_keep_reaches_back_that_far_at_all_times(
    keep: Keep, status: ControlStatus
) -> None:
    assert ruling(MinRetention(35 * DAY), docs=kept(keep)).status is status


def test_retention_at_any_location_counts_and_is_named() -> None:
    docs = kept(Keep(daily=7), CopyRule("local", keep=Keep(daily=35)))
    assert ruling(MinRetention(35 * DAY), docs=docs).text == (
        "policy gold keeps 35d back in 222222222222/eu-west-1"
    )
    weekly = kept(Keep(daily=7), CopyRule("local", every=7 * DAY, keep=Keep(last=6)))
    assert ruling(MinRetention(35 * DAY), docs=weekly).status is PASSED


def test_automated_backups_retain_too() -> None:
    backed_up = replace(ORDERS, backup_retention_days=35)
    found = ruling(MinRetention(35 * DAY), instances=[backed_up], docs=NOBODY)
    assert (found.status, found.text) == (PASSED, "automated backups are kept 35 days")


def test_without_a_policy_or_a_schedule_nothing_is_retained() -> None:
    assert "no policy keeps anything" in ruling(MinRetention(DAY), docs=NOBODY).text
    idle = kept(Keep(daily=9), schedule=None)
    assert ruling(MinRetention(DAY), docs=idle).status is BROKEN


# -- where points are ------------------------------------------------------------------------------


def test_points_in_two_accounts_are_counted() -> None:
    found = ruling(PointsIn(2))
    assert (found.status, found.text) == (
        PASSED,
        "points in 2 accounts and 1 region (111111111111/eu-west-1, 222222222222/eu-west-1)",
    )
    short = ruling(PointsIn(2, 2))
    assert short.status is BROKEN
    assert short.text.endswith("; 2 accounts and 2 regions are required")


def test_old_points_do_not_count_where_only_young_ones_do() -> None:
    old = daily(ORDERS, [9], VAULT)
    assert ruling(PointsIn(2), snapshots=[*HOME, *old]).status is PASSED
    found = ruling(PointsIn(2, 1, 8 * DAY), snapshots=[*HOME, *old])
    assert found.status is BROKEN
    assert found.text.startswith("points younger than 8d in 1 account and 1 region")


def test_points_that_may_be_where_nothing_was_read_are_not_judged() -> None:
    assert ruling(PointsIn(2), scopes=UNREAD).status is NOT_JUDGED
    assert ruling(PointsIn(1), scopes=UNREAD).status is PASSED


# -- keys ------------------------------------------------------------------------------------------


def encrypted(**record: Any) -> list[Snapshot]:
    return [a_snapshot(ORDERS, ago(1), record=record)]


def test_points_under_customer_managed_keys_pass() -> None:
    found = ruling(CustomerKeys())
    assert (found.status, found.text) == (PASSED, "18 snapshots under customer-managed keys")


@pytest.mark.parametrize(
    ("record", "text"),
    [
        ({"kms_key": DEFAULT_KEY}, f"1 of 1 snapshot under {DEFAULT_KEY}, which AWS manages"),
        ({"encrypted": False, "kms_key": None}, "1 of 1 snapshot not encrypted"),
        ({"kms_key": None}, "1 of 1 snapshot under a key that AWS owns"),
    ],
)
def test_other_keys_and_none_break_it(record: dict[str, Any], text: str) -> None:
    found = ruling(CustomerKeys(), snapshots=encrypted(**record))
    assert (found.status, found.text) == (BROKEN, text)


def test_a_key_that_is_not_known_is_not_judged_unless_another_is_wrong() -> None:
    stranger = "arn:aws:kms:eu-west-1:999999999999:key/x"
    unknown = encrypted(kms_key=stranger)
    assert ruling(CustomerKeys(), snapshots=unknown).status is NOT_JUDGED
    both = [*unknown, a_snapshot(ORDERS, ago(2), record={"kms_key": DEFAULT_KEY})]
    assert ruling(CustomerKeys(), snapshots=both).status is BROKEN


def test_a_key_is_looked_up_where_it_lies() -> None:
    keys = {VAULT: {"keys": {VAULT_KEY: Key(VAULT_KEY, KeyManager.AWS)}}}
    found = ruling(CustomerKeys(), snapshots=encrypted(kms_key=VAULT_KEY), scopes=keys)
    assert found.status is BROKEN


def test_failed_snapshots_hold_no_data_to_encrypt() -> None:
    failed = a_snapshot(ORDERS, ago(1), status="failed", record={"encrypted": False})
    assert ruling(CustomerKeys(), snapshots=[failed]).status is PASSED


def test_keys_of_what_was_not_read_are_not_judged() -> None:
    assert ruling(CustomerKeys(), scopes=UNREAD).status is NOT_JUDGED


# -- shares ----------------------------------------------------------------------------------------


def shared(*readers: str) -> list[Snapshot]:
    return [a_snapshot(ORDERS, ago(1), record={"shared_with": frozenset(readers)})]


def test_what_is_shared_inside_the_estate_alone_passes() -> None:
    assert ruling(NoForeignShares(), snapshots=shared()).status is PASSED
    assert ruling(NoForeignShares(), snapshots=shared(VAULT.account)).status is PASSED


@pytest.mark.parametrize(
    ("readers", "text"),
    [(("all",), "is public"), (("999999999999", VAULT.account), "is shared with 999999999999")],
)
def test_public_and_foreign_shares_break_it(readers: tuple[str, ...], text: str) -> None:
    found = ruling(NoForeignShares(), snapshots=shared(*readers))
    assert found.status is BROKEN
    assert found.text.startswith("1 of 1 snapshot: orders-1-gold-")
    assert found.text.endswith(text)


def test_shares_that_nobody_asked_about_are_not_judged() -> None:
    known, unknown = shared()[0], a_snapshot(ORDERS, ago(2))
    found = ruling(NoForeignShares(), snapshots=[known, unknown])
    assert (found.status, found.text) == (
        NOT_JUDGED,
        "with whom 1 of 2 snapshots are shared is not known",
    )


def test_a_listing_at_the_recipient_tells_too() -> None:
    (point,) = shared()
    listing = {VAULT: {"shared": (point,)}}
    assert ruling(NoForeignShares(), snapshots=[point], scopes=listing).status is PASSED


def test_many_alike_are_counted_and_three_are_named() -> None:
    public = [replace(one, shared_with=frozenset({"all"})) for one in HOME]
    found = ruling(NoForeignShares(), snapshots=public)
    assert found.text.startswith("9 of 9 snapshots: ")
    assert found.text.endswith("; and 6 more")


# -- ages ------------------------------------------------------------------------------------------


def test_the_newest_point_anywhere_is_young_enough() -> None:
    found = ruling(NewestPoint(26 * HOUR), snapshots=COPIES)
    assert found.status is PASSED
    assert found.text == "something younger than 26h can be restored (222222222222/eu-west-1)"


def test_at_the_source_or_everywhere_more_is_asked() -> None:
    late = daily(ORDERS, [3], VAULT)
    assert ruling(NewestPoint(26 * HOUR, Where.SOURCE), snapshots=COPIES).text == (
        "nothing can be restored in 111111111111/eu-west-1; younger than 26h is required"
    )
    everywhere = NewestPoint(26 * HOUR, Where.EVERYWHERE)
    assert ruling(everywhere).status is PASSED
    assert ruling(everywhere, snapshots=[*HOME, *late]).text == (
        "the newest in 222222222222/eu-west-1 is of 2026-11-18 02:10Z, 3d ago; "
        "younger than 26h is required"
    )
    assert ruling(everywhere, docs=NOBODY).status is PASSED


def test_exactly_as_old_is_not_younger() -> None:
    point = a_snapshot(ORDERS, ago(1), taken_at=NOW - 26 * HOUR)
    assert ruling(NewestPoint(26 * HOUR), snapshots=[point]).status is BROKEN


def test_young_and_late_places_are_told_apart() -> None:
    everywhere = NewestPoint(26 * HOUR, Where.EVERYWHERE)
    mixed = ruling(everywhere, snapshots=daily(ORDERS, [3]), scopes=UNREAD)
    assert mixed.status is BROKEN


def test_a_replicated_automated_backup_is_restorable_somewhere() -> None:
    replicated = replace(
        ORDERS, replications=("arn:aws:rds:eu-central-1:111111111111:auto-backup:ab-1",)
    )
    found = ruling(NewestPoint(26 * HOUR), snapshots=[], instances=[replicated])
    assert "111111111111/eu-central-1" in found.text


def test_an_age_at_what_was_not_read_is_not_judged() -> None:
    for where in Where:
        rule = NewestPoint(26 * HOUR, where)
        assert ruling(rule, snapshots=[], scopes=HOME_UNREAD).status is (
            BROKEN if where is Where.EVERYWHERE else NOT_JUDGED
        )
    only_vault = NewestPoint(26 * HOUR, Where.EVERYWHERE)
    assert ruling(only_vault, snapshots=HOME, scopes=UNREAD).status is NOT_JUDGED


def test_gaps_between_points_are_found() -> None:
    rule = NoGap(26 * HOUR, 7 * DAY)
    assert ruling(rule).status is PASSED
    missed = ruling(rule, snapshots=daily(ORDERS, [1, 2, 4, 5, 6, 7, 8]))
    assert (missed.status, missed.text) == (
        BROKEN,
        "the longest gap in 7d is 2d, from 2026-11-17 02:10Z to 2026-11-19 02:10Z; 26h is allowed",
    )


def test_the_gap_up_to_now_and_that_before_the_first_point_count() -> None:
    rule = NoGap(26 * HOUR, 7 * DAY)
    assert ruling(rule, snapshots=daily(ORDERS, range(2, 9))).status is BROKEN
    assert ruling(rule, snapshots=daily(ORDERS, range(1, 5))).status is BROKEN
    assert ruling(rule, snapshots=[]).text.startswith("the longest gap in 7d is 7d")


def test_a_young_database_has_no_gap_before_it_was_there() -> None:
    young = replace(ORDERS, created_at=NOW - 3 * DAY)
    rule = NoGap(26 * HOUR, 7 * DAY)
    points = daily(ORDERS, [1, 2])
    assert ruling(rule, instances=[young], snapshots=points).status is PASSED


def test_gaps_where_nothing_was_read_are_not_judged() -> None:
    assert ruling(NoGap(HOUR, DAY), snapshots=[], scopes=HOME_UNREAD).status is NOT_JUDGED


def test_rules_of_objects_hold_for_nothing_too() -> None:
    for rule in (CustomerKeys(), NoForeignShares()):
        found = ruling(rule, snapshots=[])
        assert (found.status, found.text[:11]) == (PASSED, "0 snapshots")
