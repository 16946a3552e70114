"""Whether a night's work fits its window: serial per database, so many at once per place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.costs.annotate import with_costs
from engine.costs.book import Book, book_of
from engine.costs.feasibility import Job, fit, lasting
from engine.costs.price_file import prices_of
from engine.costs.prices import Kept
from engine.costs.ranges import NOTHING, Range
from engine.documents.model import CopyRule, Every, Incremental, Schedule, Terms
from engine.plans.costs import Fit, Night
from tests.planning.builders import (
    DAY,
    PROD,
    REMOTE,
    VAULT,
    a_policy,
    an_instance,
    daily,
    documents,
    inventory,
    plan,
    terms,
)

ORDERS = an_instance()


def copy(source: str = "orders", **changes: Any) -> Job:
    return replace(Job(source, VAULT, Range(60, 600), is_copy=True), **changes)


def test_copies_of_one_database_run_one_after_the_other() -> None:
    assert lasting([copy(), copy(at=REMOTE)]).low == 120
    assert lasting([copy("orders"), copy("billing")]).low == 60


def test_a_snapshot_comes_before_its_copies() -> None:
    create = Job("orders", PROD, Range(30, 300), is_copy=False)
    assert lasting([create, copy()]) == Range(90, 900 + 600 / 20)


def test_into_one_place_go_twenty_copies_at_once() -> None:
    many = [copy(f"orders-{n}") for n in range(100)]
    assert lasting(many) == Range(300, 600 + 3000)
    assert lasting([*many, copy("last", at=REMOTE)]).low == 300


def test_of_clusters_only_five_copies_go_at_once() -> None:
    many = [copy(f"ledger-{n}", kept=Kept.CLUSTER_SNAPSHOT) for n in range(100)]
    assert lasting(many).low == 1200


def test_snapshots_that_are_no_copies_wait_for_no_place() -> None:
    many = [Job(f"orders-{n}", PROD, Range(60, 600), is_copy=False) for n in range(100)]
    assert lasting(many) == Range(60, 600)


def test_nothing_takes_no_time() -> None:
    assert lasting([]) == NOTHING


@pytest.mark.parametrize(
    ("seconds", "judged"),
    [
        (Range(60, 3600), Fit.FITS),
        (Range(3600, 3601), Fit.MAY_NOT),
        (Range(3601, 9000), Fit.DOES_NOT),
    ],
)
def test_only_what_is_certain_is_said_for_certain(seconds: Range, judged: Fit) -> None:
    assert fit(seconds, timedelta(hours=1)) is judged


def nights(policy_terms: Terms | None = None, *, known: bool = True) -> tuple[Night, ...]:
    found = documents(a_policy(terms=policy_terms or terms()))
    there = inventory([ORDERS], daily(ORDERS, [0]))
    book = book_of(found, prices_of(found.estate))
    made = with_costs(plan(found, there), there, book if known else Book(book.prices))
    assert made.costs is not None
    return made.costs.nights


def test_a_plan_says_whether_what_a_policy_makes_fits_its_window() -> None:
    (night,) = nights(terms(copies=[CopyRule("local"), CopyRule("remote")]))
    assert (night.policy, night.jobs, night.window_seconds) == ("gold", 2, 3 * 3600)
    assert night.seconds[0] >= 180
    assert night.fit in {Fit.MAY_NOT, Fit.FITS}


def test_without_a_window_nothing_has_to_fit() -> None:
    open_all_day = Schedule(Every(DAY))
    assert nights(terms(copies=[CopyRule("local")], schedule=open_all_day)) == ()
    assert nights(terms(copies=[CopyRule("local")], schedule=None)) == ()


def test_where_nothing_is_made_nothing_has_to_fit() -> None:
    assert nights() == ()
    assert nights(terms(copies=[CopyRule("local")]), known=False) == ()


def test_what_is_withheld_takes_no_time() -> None:
    assert nights(terms(copies=[CopyRule("local")], incremental=Incremental.REQUIRE)) != ()
    found = documents(
        a_policy(terms=terms(copies=[CopyRule("local")], incremental=Incremental.REQUIRE))
    )
    old = daily(ORDERS, [5], VAULT, zone="euw1-az1")
    there = inventory([ORDERS], [*daily(ORDERS, [0]), *old])
    made = with_costs(plan(found, there), there, book_of(found, prices_of(found.estate)))
    assert made.costs is not None
    assert all(step.withheld_by for step in made.steps if step.action == "copy_snapshot")
    assert made.costs.nights == ()
