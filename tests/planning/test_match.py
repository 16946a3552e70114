"""Stage 1: which policy protects which database, and on what terms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.documents.model import Condition, Orphans, Override, Policy, Select, Terms
from engine.inventory.records import Instance
from engine.planning.matching import Matcher, address_matches
from engine.plans.plan import Plan
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    PROD,
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
    step_of,
    steps,
    terms,
)

ORDERS = an_instance()


def takes(select: Select, instance: Instance = ORDERS) -> bool:
    match = Matcher(documents(Policy("gold", select))).match(instance)
    return match.policy is not None


def when(**condition: Any) -> Select:
    return Select(Condition(**condition))


# -- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (when(accounts=("prod",)), True),
        (when(accounts=("vault", "pr*")), True),
        (when(accounts=("vault",)), False),
        (when(accounts=("111111111111",)), False),
        (when(regions=("eu-*",)), True),
        (when(regions=("us-east-1",)), False),
        (when(engines=("mysql", "postgres")), True),
        (when(engines=("mysql",)), False),
        (when(identifiers=("orders-?",)), True),
        (when(identifiers=("orders",)), False),
        (when(identifiers=("*rders",)), False),
        (when(identifiers=("ORDERS-1",)), False),
        (when(identifiers=("orders-[0-9]",)), True),
        (when(tags={"tier": ("gold",)}), True),
        (when(tags={"tier": ("silver", "g*")}), True),
        (when(tags={"tier": ("silver",)}), False),
        (when(tags={"owner": ("*",)}), False),
        (when(tags={"tier": ("gold",), "owner": ("*",)}), False),
        (when(identifiers=("*",), engines=("mysql",)), False),
    ],
)
def test_all_conditions_must_hold_and_lists_are_alternatives(
    select: Select, expected: bool
) -> None:
    assert takes(select) is expected


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        ((Condition(identifiers=("*-1",)),), False),
        ((Condition(identifiers=("*-2",)),), True),
        ((Condition(identifiers=("*-1",), tags={"tier": ("silver",)}),), True),
        ((Condition(identifiers=("*-1",), tags={"tier": ("gold",)}),), False),
        ((Condition(identifiers=("*-2",)), Condition(tags={"tier": ("gold",)})), False),
    ],
)
def test_an_entry_of_exclude_whose_conditions_all_hold_excludes(
    exclude: tuple[Condition, ...], expected: bool
) -> None:
    assert takes(Select(Condition(identifiers=("*",)), exclude)) is expected


def test_an_account_is_matched_by_its_name_and_by_its_id_where_it_has_none() -> None:
    elsewhere = replace(ORDERS, location=replace(PROD, account="444444444444"))
    assert takes(when(accounts=("444*",)), elsewhere)


def test_replicas_are_matched_only_when_asked_for() -> None:
    replica = replace(ORDERS, replica_of="orders-0")
    everything = when(identifiers=("*",))
    assert not takes(everything, replica)
    assert takes(replace(everything, replicas=True), replica)
    assert takes(replace(everything, replicas=True))


@pytest.mark.parametrize(
    "changes",
    [
        {"engine": "aurora-postgresql"},
        {"engine": "neptune"},
        {"engine": "docdb"},
        {"engine": "custom-oracle-ee"},
        {"cluster": "orders-cluster"},
    ],
)
def test_what_manual_snapshots_cannot_protect_is_matched_by_nothing(
    changes: dict[str, Any],
) -> None:
    odd = replace(ORDERS, **changes)
    assert not takes(when(identifiers=("*",)), odd)
    found = plan(documents(a_policy()), inventory([odd]))
    assert found.steps == ()
    assert found.unprotected[0].text in {
        "DocumentDB, Neptune and RDS Custom are not supported",
        "it is of a cluster, which only a policy with `protects: rds-cluster` protects",
    }


def test_rest_takes_what_no_other_policy_takes() -> None:
    rest = Policy("aaa-rest", Select(rest=True))
    matcher = Matcher(documents(a_policy(), rest))
    gold, other = matcher.match(ORDERS), matcher.match(an_instance("x", tags={}))
    assert gold.policy is not None
    assert other.policy is not None
    assert (gold.policy.name, gold.rivals) == ("gold", ())
    assert other.policy.name == "aaa-rest"


def test_rest_may_have_conditions_of_its_own() -> None:
    rest = Policy("rest", Select(Condition(engines=("mysql",)), rest=True))
    matcher = Matcher(documents(rest))
    assert matcher.match(ORDERS).policy is None
    assert matcher.match(replace(ORDERS, engine="mysql")).policy is not None


def test_a_database_that_no_policy_takes_is_reported() -> None:
    found = plan(documents(a_policy()), inventory([an_instance(tags={})]))
    assert [one.source.identifier for one in found.unprotected] == ["orders-1"]
    assert found.steps == ()


def test_a_source_that_two_policies_match_is_an_error_and_the_first_by_name_makes_its_points() -> (
    None
):
    rival = a_policy("bronze", select=when(identifiers=("*",)), terms=terms(Keep(last=1)))
    points = daily(ORDERS, range(1, 9))
    found = plan(documents(a_policy(), rival), inventory([ORDERS], points))
    assert step_of(found, "create_snapshot").policy == "bronze"
    assert any(one.code.startswith("E301") for one in found.warnings)
    doomed = steps(found, "delete_snapshot")
    assert doomed
    assert all(step.withheld_by is not None for step in doomed)


def test_two_policies_with_rest_are_rivals_too() -> None:
    rests = (Policy("b", Select(rest=True)), Policy("a", Select(rest=True)))
    match = Matcher(documents(*rests)).match(ORDERS)
    assert match.policy is not None
    assert (match.policy.name, match.rivals) == ("a", ("b",))


# -- overrides -----------------------------------------------------------------------------------


def override(select: Select, **changes: Any) -> Override:
    return Override(select, {("snapshots", name): value for name, value in changes.items()})


def keep_of(*overrides: Override, instance: Instance = ORDERS) -> Keep:
    policy = a_policy(overrides=overrides)
    found = Matcher(documents(policy)).match(instance).terms
    assert found is not None
    return found.snapshots.keep


def test_an_override_changes_the_terms_of_the_sources_it_selects() -> None:
    change = override(when(identifiers=("orders-1",)), keep=Keep(last=9))
    assert keep_of(change) == Keep(last=9)
    assert keep_of(change, instance=an_instance("orders-2")) == Keep(last=3)


def test_of_two_overrides_the_later_wins() -> None:
    first = override(when(identifiers=("*",)), keep=Keep(last=9))
    second = override(when(engines=("postgres",)), keep=Keep(last=8))
    assert keep_of(first, second) == Keep(last=8)
    assert keep_of(second, first) == Keep(last=9)


def test_an_override_excludes_as_a_policy_does() -> None:
    select = Select(Condition(identifiers=("*",)), (Condition(tags={"tier": ("gold",)}),))
    assert keep_of(override(select, keep=Keep(last=9))) == Keep(last=3)


def test_an_override_decides_about_retention() -> None:
    policy = a_policy(overrides=(override(when(identifiers=("orders-1",)), keep=Keep(last=1)),))
    found = plan(documents(policy), inventory([ORDERS], daily(ORDERS, range(3))))
    assert deleted(found) == {one.arn for one in daily(ORDERS, [1, 2])}


# -- the policy of now and the one that made it --------------------------------------------------


SILVER = a_policy("silver", terms=terms(Keep(last=1)))
GOLD = a_policy("gold", terms=terms(Keep(last=3)))
NOW_SILVER = an_instance(tags={"tier": "silver"})


def after(docs_policies: tuple[Policy, ...], instance: Instance, days: range, **marks: Any) -> Plan:
    points = daily(instance, days, **marks)
    return plan(documents(*docs_policies), inventory([instance], points))


def test_a_change_of_tier_never_drops_the_past_at_once() -> None:
    points = daily(NOW_SILVER, range(1, 5), policy="gold")
    today = a_snapshot(NOW_SILVER, SLOT, policy="silver")
    found = plan(documents(GOLD, SILVER), inventory([NOW_SILVER], [today, *points]))
    assert deleted(found) == {points[2].arn, points[3].arn}
    assert kept(found, points[0]) == ["last"]
    assert "policy gold" in next(k for k in found.kept if k.arn == points[1].arn).reasons[0].text


def test_a_point_goes_only_if_neither_policy_keeps_it() -> None:
    for now, maker in (("silver", "gold"), ("gold", "silver")):
        instance = an_instance(tags={"tier": now})
        found = after((GOLD, SILVER), instance, range(5), policy=maker)
        assert len(deleted(found)) == 2, "the three that gold keeps stay"


def test_a_policy_takes_over_the_points_of_its_former_names() -> None:
    platinum = a_policy("platinum", select=when(tags={"tier": ("gold",)}), formerly=("gold",))
    found = after((platinum,), ORDERS, range(5))
    assert found.unmanaged == ()
    assert len(deleted(found)) == 2


def test_a_living_policy_answers_for_its_name_before_one_that_was_called_so() -> None:
    other = a_policy("other", formerly=("gold",), terms=terms(Keep(last=1)))
    found = after((other, GOLD), ORDERS, range(5))
    assert len(deleted(found)) == 2
    matcher = Matcher(documents(other, GOLD))
    maker = matcher.maker("gold")
    assert maker is not None
    assert maker.name == "gold"


def test_of_two_policies_with_the_same_former_name_the_first_answers() -> None:
    pair = (a_policy("b", formerly=("old",)), a_policy("a", formerly=("old",)))
    maker = Matcher(documents(*pair)).maker("old")
    assert maker is not None
    assert maker.name == "a"
    assert Matcher(documents(*pair)).maker("older") is None


def test_retention_is_decided_per_source_and_location() -> None:
    other = an_instance("other")
    world = [*daily(ORDERS, range(3)), *daily(other, range(3)), *daily(ORDERS, range(3), VAULT)]
    found = plan(documents(a_policy()), inventory([ORDERS, other], world))
    assert deleted(found) == set()


# -- terms of a database that is gone ------------------------------------------------------------


def orphan_terms(*overrides: Override) -> list[Orphans | None]:
    policy = a_policy(terms=Terms(orphans=Orphans(Span(days=30))), select=when(identifiers=("*",)))
    policy = replace(policy, overrides=overrides)
    unknown = replace(ORDERS, tags={})
    possible = Matcher(documents(policy)).possible_terms(policy, unknown)
    return [one.orphans for one in possible]


def keep_for(days: int, select: Select) -> Override:
    return Override(select, {("orphans", "keep_for"): Span(days=days)})


DEFAULT = Orphans(Span(days=30))
LONG, SHORT = Orphans(Span(days=90)), Orphans(Span(days=1))


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], [DEFAULT]),
        ([keep_for(90, when(identifiers=("orders-1",)))], [LONG]),
        ([keep_for(90, when(identifiers=("other",)))], [DEFAULT]),
        ([keep_for(90, when(tags={"keep": ("long",)}))], [DEFAULT, LONG]),
        ([keep_for(90, when(identifiers=("other",), tags={"keep": ("long",)}))], [DEFAULT]),
        # what excludes by tags may have excluded it, so that the shorter time did not hold
        (
            [keep_for(1, Select(Condition(), (Condition(tags={"keep": ("long",)}),)))],
            [DEFAULT, SHORT],
        ),
        ([keep_for(1, Select(Condition(), (Condition(identifiers=("*",)),)))], [DEFAULT]),
        ([keep_for(1, Select(Condition(), (Condition(identifiers=("other",)),)))], [SHORT]),
        (
            [
                keep_for(90, when(tags={"keep": ("long",)})),
                keep_for(1, when(identifiers=("*",))),
            ],
            [SHORT, SHORT],
        ),
        (
            [
                keep_for(1, when(identifiers=("*",))),
                keep_for(90, when(tags={"keep": ("long",)})),
            ],
            [SHORT, LONG],
        ),
    ],
)
def test_whatever_its_tags_were_the_terms_of_a_gone_database_are_among_those_possible(
    overrides: list[Override], expected: list[Orphans]
) -> None:
    assert orphan_terms(*overrides) == expected


# -- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        ([], False),
        (["111111111111/eu-west-1/orders-1"], True),
        (["prod/eu-west-1/orders-1"], True),
        (["prod/*/orders-*"], True),
        (["vault/*/*"], False),
        (["vault/*/*", "prod/*"], True),
        (["orders-1"], False),
    ],
)
def test_an_address_names_an_account_by_id_or_by_name(globs: list[str], expected: bool) -> None:
    address = "111111111111/eu-west-1/orders-1"
    assert address_matches(globs, address, "prod") is expected
    assert not address_matches(["prod/*"], address, None)
    assert not address_matches(["None/*"], address, None)


def test_points_of_a_source_are_those_of_its_resource_wherever_they_lie() -> None:
    world = [a_snapshot(ORDERS, ago(1)), a_snapshot(ORDERS, ago(1), VAULT)]
    found = plan(documents(a_policy()), inventory([ORDERS], world), ago(0.1))
    assert {one.arn for one in found.kept} == {one.arn for one in world}
