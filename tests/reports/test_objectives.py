"""Objectives that are not met, as people read them in a plan."""

from __future__ import annotations

from dataclasses import replace

from engine.plans.objectives import Objective, told_of
from engine.plans.plan import Plan
from engine.reports.markdown import plan_as_markdown
from engine.reports.screen import Screen
from engine.reports.text import plan_as_text
from tests.plans.objective_samples import (
    BROKEN,
    HOSTILE_OBJECTIVE,
    MET,
    UNCERTAIN,
    UNKNOWN,
    objective,
)
from tests.plans.samples import PROD, empty

WIDE = Screen(width=200)


def with_objectives(*objectives: Objective) -> Plan:
    return replace(empty(), objectives=told_of(objectives))


def test_a_plan_whose_objectives_are_met_says_nothing_of_them() -> None:
    assert "Objectives" not in plan_as_text(empty(), WIDE)
    assert "Objectives" not in plan_as_text(with_objectives(objective(lost=MET)), WIDE)


def test_what_is_broken_is_told_with_place_limit_and_measure() -> None:
    text = plan_as_text(with_objectives(objective(), objective(lost=MET)), WIDE)
    assert "Objectives: 1 broken of 2\n" in text
    assert "gold: RPO of 26h broken in 222222222222/eu-west-1, 1 database\n" in text
    assert "orders-1: the newest that can be restored is 2d old; 26h are allowed\n" in text


def test_the_worst_is_told_first_and_everything_once() -> None:
    told = with_objectives(
        objective("a", MET, UNCERTAIN), objective("b", UNKNOWN), objective("c", BROKEN, MET)
    )
    text = plan_as_text(told, WIDE)
    assert "Objectives: 1 broken, 1 unknown, 1 uncertain of 3" in text
    assert text.index("broken in") < text.index("cannot be judged in") < text.index("may be broken")
    assert "RTO of 4h may be broken" in text
    assert "RTO of 4h met" not in text


def test_many_alike_fold_and_full_unfolds_them() -> None:
    many = with_objectives(*(objective(f"orders-{n}") for n in range(9)))
    folded = plan_as_text(many, WIDE)
    assert "9 databases" in folded
    assert folded.count("2d old") == 3
    assert "and orders-3, orders-4, orders-5 and 3 more" in folded
    assert plan_as_text(many, WIDE, full=True).count("2d old") == 9


def test_what_a_step_mends_and_what_an_estimate_rests_on_is_told() -> None:
    text = plan_as_text(with_objectives(objective(at=PROD)), WIDE)
    assert "a step of this plan mends it" in text
    broken = plan_as_text(with_objectives(objective(lost=None, lasts=BROKEN)), WIDE)
    assert "loading: 500 GiB allocated: at 60 MiB/s: assumed" in broken
    uncertain = with_objectives(objective(lost=None, lasts=UNCERTAIN))
    assert "loading" not in plan_as_text(uncertain, WIDE)
    assert "loading" in plan_as_text(uncertain, WIDE, full=True)


def test_markdown_shows_them_too_and_texts_stay_texts() -> None:
    text = plan_as_markdown(with_objectives(objective(), HOSTILE_OBJECTIVE))
    assert "#### Objectives: 2 broken of 2" in text
    assert "`222222222222/eu-west-1`" in text
    assert "\x1b" not in text
