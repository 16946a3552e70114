"""Section 10, `-only` and `-exclude`: plans about some of the databases."""

from __future__ import annotations

import pytest

from engine.documents.model import CopyRule
from engine.plans.plan import Plan
from tests.planning.builders import (
    PROD,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    documents,
    inventory,
    plan,
)
from tests.planning.judging import EVERYTHING, ONE, due

NAMES = ("orders-1", "orders-2", "users-1")
INSTANCES = [an_instance(name) for name in NAMES]


def chosen(only: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Plan:
    return plan(due(), inventory(INSTANCES), only=only, exclude=exclude)


def made(found: Plan) -> list[str]:
    return sorted(step.source.identifier for step in found.steps)


def test_without_either_all_are_planned() -> None:
    assert made(chosen()) == sorted(NAMES)


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("prod/eu-west-1/orders-1", ["orders-1"]),
        ("111111111111/eu-west-1/orders-1", ["orders-1"]),
        ("prod/*/orders-*", ["orders-1", "orders-2"]),
        ("*/users-?", ["users-1"]),
        ("vault/*", []),
        ("orders-1", []),
    ],
)
def test_only_names_databases_by_account_name_or_id(glob: str, expected: list[str]) -> None:
    assert made(chosen(only=(glob,))) == expected


def test_several_globs_are_alternatives() -> None:
    both = ("prod/*/orders-1", "prod/*/users-1")
    assert made(chosen(only=both)) == ["orders-1", "users-1"]
    assert made(chosen(exclude=both)) == ["orders-2"]


def test_exclude_leaves_out_what_only_takes_in() -> None:
    assert made(chosen(only=("prod/*/orders-*",), exclude=("*/orders-2",))) == ["orders-1"]


def test_the_plan_says_what_it_is_about() -> None:
    found = chosen(only=("prod/*/orders-*",), exclude=("*/orders-2",))
    assert (found.only, found.exclude) == (("prod/*/orders-*",), ("*/orders-2",))


def test_nothing_of_other_databases_is_in_it() -> None:
    stranger = an_instance("stranger", tags={})
    points = [s for one in INSTANCES for s in daily(one, [3, 2, 1])]
    found = plan(due(), inventory([*INSTANCES, stranger], points), only=("*/orders-1",))
    assert {one.source.identifier for one in found.steps} == {"orders-1"}
    assert all("/orders-1-" in one.arn or ":orders-1-" in one.arn for one in found.kept)
    assert found.unprotected == ()
    assert [one.creates for one in found.next] == [1]


def test_sources_that_are_gone_can_be_named_as_well() -> None:
    gone = a_snapshot(an_instance("gone"), ago(1))
    docs = due(ONE, CopyRule("local", keep=EVERYTHING))
    everything = plan(docs, inventory([], [gone]))
    assert {step.action.value for step in everything.steps} == {"tag_snapshot"}
    assert plan(docs, inventory([], [gone]), exclude=("prod/*/gone",)).steps == ()


def test_a_database_outside_the_estate_has_no_account_name() -> None:
    assert plan(due(), inventory([], locations=[PROD]), only=("prod/*",)).steps == ()


def test_a_selection_that_leaves_no_database_says_so() -> None:
    found = plan(documents(a_policy()), inventory([an_instance()]), only=("nosuch/*",))
    assert [warned.code for warned in found.warnings] == ["W403 nothing-selected"]
    assert "-only nosuch/*" in found.warnings[0].text
    everything = plan(documents(a_policy()), inventory([an_instance()]), exclude=("*",))
    assert "-exclude *" in everything.warnings[0].text
    assert not plan(documents(a_policy()), inventory([])).warnings
