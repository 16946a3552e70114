"""Stage 5, chains: what the next increment builds on stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import (
    CopyRule,
    Guards,
    Retire,
)
from engine.identity.marks import Role
from engine.inventory.records import Location, Quota
from engine.retention.keep import Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    PROD,
    REKEY,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    daily,
    delete_of,
    deleted,
    documents,
    failed_over,
    inventory,
    kept,
    key_arn,
    plan,
    reasons,
    step_of,
    steps,
    terms,
    witnesses,
)
from tests.planning.judging import (
    AT_ONCE,
    EVERYTHING,
    ONE,
    ORDERS,
    OTHER,
    TO_VAULT,
    due,
    gold,
    judged,
)

# -- chain_base ----------------------------------------------------------------------------------


def test_a_base_is_kept_until_its_successor_is_available() -> None:
    base, flying, other = (
        a_snapshot(ORDERS, ago(3)),
        a_snapshot(ORDERS, ago(2), status="creating"),
        a_snapshot(ORDERS, ago(1), zone=OTHER),
    )
    found = judged(gold(), base, flying, other)
    assert {"chain_base", "in_flight"} == set(kept(found, base))
    arrived = replace(flying, status="available", created_at=ago(2))
    assert deleted(judged(gold(), base, arrived, other)) == {base.arn}


def test_a_planned_successor_is_waited_for_and_looked_at_again() -> None:
    base, other = a_snapshot(ORDERS, ago(3)), a_snapshot(ORDERS, ago(1), zone=OTHER)
    found = judged(due(Keep(last=2)), base, other)
    create = step_of(found, "create_snapshot")
    going = delete_of(found, base)
    assert going.depends_on == (create.id,)
    assert ("chain", create.arn) in witnesses(going)


@pytest.mark.parametrize(
    "changes",
    [
        {"volume": "db-REPLICA"},
        {"zone": OTHER},
        {"keys": (key_arn(PROD, "new"),)},
    ],
    ids=["another volume", "another zone", "another key"],
)
def test_only_an_object_of_the_same_chain_succeeds(changes: dict[str, Any]) -> None:
    base, newest = a_snapshot(ORDERS, ago(2)), a_snapshot(ORDERS, ago(1), **changes)
    assert kept(judged(gold(), base, newest), base) == ["chain_base"]


def test_a_copy_elsewhere_or_of_another_role_is_no_successor() -> None:
    base = a_snapshot(ORDERS, ago(3))
    copy, bridge = a_snapshot(ORDERS, ago(2), VAULT), a_snapshot(ORDERS, ago(2), role=Role.BRIDGE)
    newest = a_snapshot(ORDERS, ago(1), zone=OTHER)
    found = judged(gold(ONE, TO_VAULT), base, copy, bridge, newest)
    assert "chain_base" in kept(found, base)


def test_the_newest_by_data_and_the_newest_by_making_are_both_bases() -> None:
    oldest = a_snapshot(ORDERS, ago(6), VAULT)
    made_last = a_snapshot(ORDERS, ago(5), VAULT, made_at=ago(0))
    newest_data = a_snapshot(ORDERS, ago(3), VAULT)
    other_zone = a_snapshot(ORDERS, ago(1), VAULT, zone=OTHER)
    points = (oldest, made_last, newest_data, other_zone)
    found = judged(gold(ONE, CopyRule("local", keep=ONE)), *points)
    assert deleted(found) == {oldest.arn}
    assert kept(found, made_last) == kept(found, newest_data) == ["chain_base"]
    going = witnesses(delete_of(found, oldest))
    assert {("chain", made_last.arn), ("chain", newest_data.arn)} <= set(going)


def test_a_planned_copy_of_older_data_does_not_release_newer_data() -> None:
    """A copy that failed is made again late: newest by making, but not by data."""
    newer = a_snapshot(ORDERS, ago(4), VAULT)
    other_zone = a_snapshot(ORDERS, ago(1), VAULT, zone=OTHER)
    retry = a_snapshot(ORDERS, ago(7), VAULT, status="failed")
    oldest = a_snapshot(ORDERS, ago(9), VAULT)
    primary = a_snapshot(ORDERS, ago(7))
    docs = gold(EVERYTHING, CopyRule("local", keep=Keep(last=1, weekly=2)))
    found = judged(docs, newer, other_zone, retry, oldest, primary)
    assert step_of(found, "copy_snapshot").arn == retry.arn
    assert kept(found, newer) == ["chain_base"]


def test_an_unchecked_object_releases_no_base() -> None:
    base, unsure = a_snapshot(ORDERS, ago(2)), a_snapshot(ORDERS, ago(1), zone_checked=False)
    instance = failed_over(ORDERS)
    found = plan(gold(), inventory([instance], [base, unsure]))
    assert kept(found, base) == ["chain_base"]


@pytest.mark.parametrize("checked", [True, False])
def test_a_planned_copy_is_as_sure_of_its_zone_as_what_it_is_copied_from(checked: bool) -> None:
    """The zone is confirmed in this very plan, but the copy may be made before that."""
    base, other = a_snapshot(ORDERS, ago(3), VAULT), a_snapshot(ORDERS, ago(2), VAULT, zone=OTHER)
    origin = a_snapshot(ORDERS, ago(1), zone_checked=checked)
    found = judged(gold(EVERYTHING, CopyRule("local", keep=ONE)), base, other, origin)
    copy = step_of(found, "copy_snapshot")
    if checked:
        assert delete_of(found, base).depends_on == (copy.id,)
    else:
        assert kept(found, base) == ["chain_base"]


def test_a_copy_by_way_of_a_bridge_is_no_surer() -> None:
    sealed, way = replace(ORDERS, kms_key=DEFAULT_KEY), (DEFAULT_KEY, REKEY, VAULT_KEY)
    base = a_snapshot(sealed, ago(3), VAULT, keys=way)
    other = a_snapshot(sealed, ago(2), VAULT, keys=way, zone=OTHER)
    origin = a_snapshot(sealed, ago(1), keys=(DEFAULT_KEY,), zone_checked=False)
    docs = gold(EVERYTHING, CopyRule("local", keep=ONE))
    found = plan(docs, inventory([sealed], [base, other, origin]))
    assert len(steps(found, "copy_snapshot")) == 2
    assert kept(found, base) == ["chain_base"]


def test_an_unchecked_object_goes_once_a_checked_one_is_newer() -> None:
    unsure, newest = a_snapshot(ORDERS, ago(2), zone_checked=False), a_snapshot(ORDERS, ago(1))
    assert deleted(judged(gold(), unsure, newest)) == {unsure.arn}


def test_in_an_unknown_zone_everything_is_a_base() -> None:
    points = daily(ORDERS, [3, 2, 1], zone="unknown")
    found = judged(gold(), *points)
    assert kept(found, points[0]) == kept(found, points[1]) == ["chain_base"]


def test_a_check_that_confirmed_nothing_releases_nothing() -> None:
    """Zones that AWS does not tell compare equal: the pair was confirmed, the zone was not."""
    points = daily(ORDERS, [2, 1], zone="unknown", zone_checked=True)
    assert kept(judged(gold(), *points), points[0]) == ["chain_base"]


def test_what_is_planned_in_an_unknown_zone_releases_nothing() -> None:
    nowhere = replace(ORDERS, secondary_zone=None)
    base = a_snapshot(ORDERS, ago(2), zone="unknown")
    newest = a_snapshot(ORDERS, ago(1))
    found = plan(due(), inventory([nowhere], [base, newest]))
    assert step_of(found, "create_snapshot").parameters["Tags"]["engine:az"] == "unknown"
    assert "chain_base" in kept(found, base)


@pytest.mark.parametrize("location", [PROD, VAULT], ids=["at home", "at a target"])
def test_in_an_unknown_zone_the_newest_has_to_do_where_room_is_short(location: Location) -> None:
    points = daily(ORDERS, [3, 2, 1], location, zone="unknown", zone_checked=False)
    docs = gold(ONE, CopyRule("local", keep=ONE))
    found = judged(docs, *points, quotas={location: Quota(100, 100)})
    assert deleted(found) == {points[0].arn, points[1].arn}
    assert ("snapshot_status", points[2].arn) in witnesses(delete_of(found, points[0]))
    roomy = judged(docs, *points, quotas={location: Quota(3, 100)})
    assert deleted(roomy) == set()


def test_where_room_is_short_a_planned_point_of_an_unknown_zone_has_to_do() -> None:
    nowhere = replace(ORDERS, secondary_zone=None)
    old, base = daily(ORDERS, [2, 1], zone="unknown", zone_checked=False)
    found = plan(due(), inventory([nowhere], [old, base], quotas={PROD: Quota(2, 2)}))
    create = step_of(found, "create_snapshot")
    assert create.withheld_by is None
    assert create.depends_on == (delete_of(found, old).id,)
    late = delete_of(found, base)
    assert late.depends_on == (create.id,)
    assert ("snapshot_status", create.arn) in witnesses(late)
    assert "chain" not in [check for check, _ in witnesses(late)]


def test_what_goes_late_does_not_ask_for_what_goes_with_it() -> None:
    """The old one waits for its copy; by then the new one may be there, and the base gone."""
    docs = replace(due(ONE, TO_VAULT), estate=an_estate(guards=Guards(min_points=0)))
    old, base = daily(ORDERS, [2, 1])
    found = judged(docs, old, base, a_snapshot(ORDERS, ago(9), VAULT))
    create, copy = step_of(found, "create_snapshot"), step_of(found, "copy_snapshot")
    assert kept(found, base) == ["not_copied_yet"]
    found = judged(docs, old, base, *daily(ORDERS, [9, 1], VAULT))
    create, copy = step_of(found, "create_snapshot"), step_of(found, "copy_snapshot")
    assert delete_of(found, base).depends_on == (create.id,)
    going = delete_of(found, old)
    assert going.depends_on == (copy.id, create.id)
    assert {arn for _, arn in witnesses(going)} == {create.arn}


def test_what_goes_at_once_asks_for_what_goes_after_it() -> None:
    """Without room nothing could ever be made if the oldest had to wait as well."""
    estate = an_estate(guards=Guards(min_points=0))
    docs = replace(due(), estate=estate)
    old, base = daily(ORDERS, [2, 1])
    found = judged(docs, old, base, quotas={PROD: Quota(2, 2)})
    create, first = step_of(found, "create_snapshot"), delete_of(found, old)
    assert first.depends_on == ()
    assert witnesses(first) == [("chain", base.arn)]
    assert create.depends_on == (first.id,)
    assert delete_of(found, base).depends_on == (create.id,)


# -- idle chains ---------------------------------------------------------------------------------


def test_a_chain_is_idle_ninety_days_after_its_last_object() -> None:
    for days, going in ((91, True), (89, False)):
        base, newest = a_snapshot(ORDERS, ago(days), zone=OTHER), a_snapshot(ORDERS, ago(1))
        found = judged(gold(), base, newest)
        assert (deleted(found) == {base.arn}) is going


def test_a_policy_says_when_a_chain_is_idle() -> None:
    base, newest = a_snapshot(ORDERS, ago(8), zone=OTHER), a_snapshot(ORDERS, ago(1))
    week = gold(idle_after=timedelta(days=7))
    assert deleted(judged(week, base, newest)) == {base.arn}
    assert deleted(judged(gold(idle_after=timedelta(days=9)), base, newest)) == set()


def test_of_two_policies_with_a_say_the_patient_one_is_heard() -> None:
    base = a_snapshot(ORDERS, ago(8), zone=OTHER, policy="silver")
    newest = a_snapshot(ORDERS, ago(1))
    docs = documents(
        a_policy(terms=terms(ONE, schedule=None, idle_after=timedelta(days=7))),
        a_policy("silver", terms=terms(ONE, schedule=None)),
    )
    assert kept(judged(docs, base, newest), base) == ["chain_base"]


def test_the_last_object_of_a_chain_is_the_one_made_last() -> None:
    base = a_snapshot(ORDERS, ago(100), VAULT, zone=OTHER, made_at=ago(10))
    newest = a_snapshot(ORDERS, ago(1), VAULT)
    found = judged(gold(ONE, CopyRule("local", keep=ONE)), base, newest)
    assert kept(found, base) == ["chain_base"]


@pytest.mark.parametrize("joining", ["in flight", "planned"])
def test_a_chain_that_something_joins_is_not_idle(joining: str) -> None:
    base, other = a_snapshot(ORDERS, ago(100)), a_snapshot(ORDERS, ago(1), zone=OTHER)
    if joining == "planned":
        found = judged(due(), base, other)
        assert delete_of(found, base).depends_on == (step_of(found, "create_snapshot").id,)
    else:
        flying = a_snapshot(ORDERS, ago(0), status="creating")
        assert set(kept(judged(due(), base, other, flying), base)) >= {"chain_base"}


def test_members_of_an_idle_chain_go_late_without_a_successor() -> None:
    """One waits for its copy, one for the point that displaces it; nothing of their own comes."""
    old, newest = daily(ORDERS, [95, 94], zone=OTHER)
    there = daily(ORDERS, [96, 94], VAULT, zone=OTHER)
    docs = replace(due(ONE, TO_VAULT), estate=an_estate(guards=Guards(min_points=0)))
    found = judged(docs, old, newest, *there)
    assert delete_of(found, newest).depends_on == (step_of(found, "create_snapshot").id,)
    assert delete_of(found, old).depends_on == (step_of(found, "copy_snapshot").id,)


# -- sources that are gone, and points that are retired ------------------------------------------


def test_the_bases_of_a_source_that_is_gone_go() -> None:
    points = daily(ORDERS, [40, 39], gone_since=ago(30))
    docs = documents(a_policy(terms=terms(ONE, orphans=AT_ONCE)))
    found = plan(docs, inventory([], points))
    assert deleted(found) == {point.arn for point in points}
    assert not found.findings


def test_a_retired_point_leaves_its_chain_a_base() -> None:
    estate = an_estate(retire=(Retire(policy="bronze", reason="replaced by gold"),))
    old, newest = daily(ORDERS, [2, 1], policy="bronze")
    docs = replace(gold(), estate=estate)
    found = judged(docs, old, newest)
    assert deleted(found) == {old.arn}
    assert "chain_base" in kept(found, newest)


def test_the_newest_point_stays_even_if_it_is_retired_until_a_newer_one_is_there() -> None:
    estate = an_estate(retire=(Retire(policy="bronze"),), guards=Guards(min_points=0))
    newest = a_snapshot(ORDERS, ago(100), policy="bronze")
    found = judged(replace(gold(), estate=estate), newest)
    assert reasons(found, newest)["newest_at_location"].until == "a newer one is available there"
    later = plan(replace(due(), estate=estate), inventory([ORDERS], [newest]))
    assert delete_of(later, newest).depends_on == (step_of(later, "create_snapshot").id,)
