"""Holds are shown of every database that has one, whether or not anything of it would go."""

from __future__ import annotations

from dataclasses import replace

from engine.documents.model import CopyRule, Documents, Override, Retire, Select
from engine.inventory.records import Snapshot
from engine.plans.plan import Plan
from engine.retention.keep import Keep
from tests.planning.builders import (
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
    terms,
)

ORDERS = an_instance()
CASE = "case 2026-17"
ONE = Keep(last=1)


def holding(**changes: object) -> Documents:
    return documents(a_policy(terms=terms(ONE, [CopyRule("local")], hold=CASE, **changes)))


def told(found: Plan) -> list[tuple[str, str, str, int]]:
    return [(one.source.identifier, one.policy, one.reason, one.snapshots) for one in found.holds]


def planned(docs: Documents, *found: Snapshot) -> Plan:
    return plan(docs, inventory([ORDERS], found))


def test_a_hold_is_told_though_nothing_would_go() -> None:
    assert told(planned(holding())) == [("orders-1", "gold", CASE, 0)]
    assert planned(documents(a_policy(terms=terms()))).holds == ()


def test_a_hold_keeps_all_points_in_all_accounts_and_says_how_many_there_are() -> None:
    points = [*daily(ORDERS, (0, 1, 2)), *daily(ORDERS, (0, 1, 2), VAULT)]
    found = planned(holding(), *points)
    assert deleted(found) == set()
    assert all("held" in kept(found, one) for one in points if one.identifier[16:24] < "20261121")
    assert told(found) == [("orders-1", "gold", CASE, 6)]


def test_what_the_estate_retires_is_held_too() -> None:
    points = daily(ORDERS, (0, 1, 2), VAULT)
    for hold, goes in ((None, True), (CASE, False)):
        dropped = documents(a_policy(terms=terms(ONE, hold=hold)))
        retire = (Retire(locations="vault/*"),)
        retiring = replace(dropped, estate=replace(dropped.estate, retire=retire))
        assert bool(deleted(planned(retiring, a_snapshot(ORDERS, SLOT), *points))) is goes


def test_the_hold_of_the_policy_that_made_a_point_counts_and_is_told() -> None:
    maker = a_policy("old", select=a_policy("nothing").select, terms=terms(ONE, hold=CASE))
    docs = documents(a_policy(terms=terms(ONE)), maker)
    theirs = daily(ORDERS, (2, 3), policy="old")
    found = planned(docs, a_snapshot(ORDERS, SLOT), a_snapshot(ORDERS, ago(1)), *theirs)
    assert told(found) == [("orders-1", "old", CASE, 2)]
    assert not deleted(found) & {one.arn for one in theirs}


def test_an_override_holds_its_databases_only() -> None:
    gold = a_policy(
        terms=terms(ONE),
        overrides=(Override(Select(a_policy().select.condition), {("hold",): CASE}),),
    )
    elsewhere = replace(
        gold, overrides=(replace(gold.overrides[0], select=a_policy("other").select),)
    )
    assert told(planned(documents(gold))) == [("orders-1", "gold", CASE, 0)]
    assert planned(documents(elsewhere)).holds == ()
