"""What stands on one line, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from engine.plans.codes import Action, StepReason, Verdict
from engine.plans.plan import At, Plan, Reason, Step
from engine.reports.folding import Fold, fold, partner_of
from tests.plans.samples import (
    DAY,
    PROD,
    REMOTE,
    SLOT,
    VAULT,
    create,
    delete,
    forecast,
    many,
    route,
    source,
)
from tests.plans.strategies import plans

ONE, TWO = source("orders-1"), source("orders-2")


def only(folds: tuple[Fold, ...]) -> Fold:
    assert len(folds) == 1
    return folds[0]


def test_alike_steps_of_several_databases_fold() -> None:
    entry = only(fold([create(ONE), create(TWO)]))
    assert entry.sources == 2
    assert entry.like.action is Action.CREATE
    assert entry.locations == (PROD,)


@pytest.mark.parametrize(
    "other",
    [
        create(TWO, policy="silver"),
        create(TWO, verdict=Verdict.UNKNOWN),
        delete(TWO, 3),
        replace(create(TWO), reason=Reason(StepReason.FAILED_OBJECT, "made again")),
    ],
    ids=["policy", "verdict", "action", "reason"],
)
def test_steps_that_differ_in_what_matters_do_not_fold(other: Step) -> None:
    assert len(fold([create(ONE), other])) == 2


def test_creates_of_different_locations_fold() -> None:
    elsewhere = source("orders-1", REMOTE)
    entry = only(fold([create(ONE), create(elsewhere)]))
    assert entry.locations == (PROD, REMOTE)
    assert entry.sources == 2


def test_increments_fold_whatever_the_rule_and_fulls_do_not() -> None:
    def pair(verdict: Verdict) -> list[Step]:
        other = replace(create(TWO), forecast=forecast(verdict, "another_rule"))
        return [create(ONE, verdict=verdict), other]

    assert len(fold(pair(Verdict.INCREMENTAL))) == 1
    assert len(fold(pair(Verdict.FULL))) == 2
    assert len(fold(pair(Verdict.LIKELY_INCREMENTAL))) == 2


def test_copies_fold_by_where_they_go_whatever_they_come_from() -> None:
    near = route(ONE, create(ONE), VAULT, Verdict.INCREMENTAL)[1]
    far = replace(
        route(TWO, create(TWO), VAULT, Verdict.INCREMENTAL)[1],
        parameters={"SourceDBSnapshotIdentifier": f"arn:aws:rds:{REMOTE.region}:9:snapshot:x"},
    )
    entry = only(fold([near, far]))
    assert entry.origins == (PROD, At("9", REMOTE.region))
    other = route(TWO, create(TWO), REMOTE, Verdict.INCREMENTAL)[1]
    assert [one.like.location for one in fold([near, other])] == [REMOTE, VAULT]


def test_a_copy_without_a_readable_origin_has_none() -> None:
    copy = replace(route(ONE, create(ONE), VAULT, Verdict.FULL)[1], parameters={})
    assert only(fold([copy])).origins == ()


def test_deletes_of_different_locations_do_not_fold() -> None:
    assert len(fold([delete(ONE, 8), delete(TWO, 8, location=VAULT)])) == 2


def test_shares_with_different_accounts_do_not_fold() -> None:
    shares = [
        route(ONE, create(ONE), At(account, "eu-west-1"), Verdict.FULL)[0]
        for account in ("222222222222", "333333333333")
    ]
    assert [entry.like.partner for entry in fold(shares)] == ["222222222222", "333333333333"]
    assert partner_of(replace(shares[0], parameters={})) == ""


def test_sources_with_as_many_steps_over_the_same_slots_share_a_line() -> None:
    third = source("orders-3")
    steps = [delete(database, age) for database in (ONE, TWO) for age in (8, 9)]
    shares = only(fold([*steps, delete(third, 9)])).shares(by_home=True)
    assert [(share.each, share.sources) for share in shares] == [
        (1, ("orders-3",)),
        (2, ("orders-1", "orders-2")),
    ]
    assert shares[1].slots == (SLOT - 9 * DAY, SLOT - 8 * DAY)


def test_steps_without_a_slot_have_no_slots() -> None:
    shares = only(fold([replace(delete(ONE, 8), slot=None)])).shares(by_home=True)
    assert shares[0].slots == ()


def test_databases_of_different_locations_stand_apart_where_that_is_asked_for() -> None:
    elsewhere = source("orders-1", REMOTE)
    entry = only(fold([delete(ONE, 8, location=VAULT), delete(elsewhere, 8, location=VAULT)]))
    assert [share.home for share in entry.shares(by_home=True)] == [PROD, REMOTE]
    (both,) = entry.shares(by_home=False)
    assert both.sources == ("orders-1", "orders-1")


def test_reasons_that_agree_are_quoted_and_others_are_named_by_their_code() -> None:
    first, second = delete(ONE, 8), delete(TWO, 8)
    assert only(fold([first, second])).why == first.reason.text
    differing = replace(second, reason=replace(second.reason, text="no rule keeps it: ever"))
    assert only(fold([first, differing])).why == "no rule keeps them"
    unknown = [replace(s, reason=Reason("new_code", s.id)) for s in (first, second)]
    assert only(fold(unknown)).why == "new_code"


def test_sizes_add_up() -> None:
    assert only(fold([create(ONE), create(TWO)])).gib == (0, 1000)


def test_unfolded_every_step_is_a_fold_of_its_own() -> None:
    steps = many(10).steps
    assert sorted(entry.steps[0].id for entry in fold(steps, unfold=True)) == sorted(
        step.id for step in steps
    )


def test_folds_stand_by_policy_and_then_in_the_order_of_what_happens() -> None:
    steps = [*many(2).steps, create(ONE, policy="bronze")]
    assert [(entry.like.policy, entry.like.action) for entry in fold(reversed(steps))] == [
        ("bronze", Action.CREATE),
        ("gold", Action.CREATE),
        ("gold", Action.SHARE),
        ("gold", Action.COPY),
        ("gold", Action.UNSHARE),
        ("gold", Action.DELETE),
    ]


@given(plans)
@settings(max_examples=60, deadline=None)
def test_no_step_is_lost_or_shown_twice(plan: Plan) -> None:
    folded = [step.id for entry in fold(plan.steps) for step in entry.steps]
    assert sorted(folded) == sorted(step.id for step in plan.steps)
