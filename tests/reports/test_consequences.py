"""What a change does, as people read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.plans.codes import Leaving, ProtectionChange
from engine.plans.consequences import CostChange, NewChain, Protected
from engine.plans.refs import At
from engine.reports.markdown import plan_as_markdown
from engine.reports.screen import Screen
from engine.reports.text import plan_as_text
from tests.plans.consequence_samples import (
    CONSEQUENCE_SAMPLES,
    found,
    shortened,
    shorter,
)
from tests.plans.samples import PROD, VAULT, empty, source

Golden = Callable[[str, str], None]


@pytest.mark.parametrize("sample", CONSEQUENCE_SAMPLES)
def test_text_and_markdown_are_as_reviewed(sample: str, golden: Golden) -> None:
    plan = CONSEQUENCE_SAMPLES[sample]()
    golden(f"{sample}.txt", plan_as_text(plan, Screen()))
    golden(f"{sample}.md", plan_as_markdown(plan))


@pytest.mark.parametrize("sample", ["rearranged", "hostile_change"])
def test_unfolded_text_is_as_reviewed(sample: str, golden: Golden) -> None:
    golden(f"{sample}.full.txt", plan_as_text(CONSEQUENCE_SAMPLES[sample](), Screen(), full=True))


def test_a_change_comes_before_the_steps_and_into_the_headline() -> None:
    rows = plan_as_text(shortened(), Screen(width=200)).splitlines()
    assert rows[1] == "Against origin/main (9f2c1e7d0): 748 points to go earlier."
    assert rows[3] == "Points that go earlier by the change: 748"


def test_a_thousand_databases_take_no_more_rows_than_one() -> None:
    many = tuple(shorter(f"orders-{number}", PROD, Leaving.NOW) for number in range(1000))
    plan = replace(empty(), consequences=found(reach=many))
    few = replace(empty(), consequences=found(reach=many[:10]))
    text = plan_as_text(plan, Screen())
    assert len(text.splitlines()) == len(plan_as_text(few, Screen()).splitlines())
    assert "1,000: orders-0, orders-1, orders-10" in text
    assert "34,000" in text
    whole = plan_as_text(plan, Screen(), full=True)
    assert "orders-999" in whole


def test_many_places_share_a_row_unless_each_is_asked_for() -> None:
    homes = [At(f"{number:012}", "eu-west-1") for number in range(20)]
    name = "orders"
    rows = tuple(
        replace(shorter(name, at, Leaving.NOW), source=source(name, home))
        for home in homes
        for at in (home, VAULT)
    )
    chains = tuple(
        NewChain(source(name, home), home, "gold", None, (0, 1), True, "why") for home in homes
    )
    lost = tuple(
        Protected(source(name, home), home, ProtectionChange.LOST, "gold", None) for home in homes
    )
    costs = tuple(CostChange("gold", home, (1.0, 2.0), (0.5, 1.0)) for home in homes)
    change = found(reach=rows, chains=chains, protection=lost, costs=costs)
    plan = replace(empty(), consequences=change)
    text = plan_as_text(plan, Screen(width=200))
    assert text.count("gold in 20 locations") == 3
    assert "gold in 222222222222/eu-west-1" in text
    assert "$20 to $40" in text
    assert "000000000019" not in text
    whole = plan_as_text(plan, Screen(width=200), full=True)
    assert whole.count("gold in 000000000019/eu-west-1") == 3


def test_a_plan_that_was_compared_with_nothing_says_nothing_of_it() -> None:
    text = plan_as_text(empty(), Screen())
    assert "Against" not in text
    assert "change" not in text


def test_points_that_go_nobody_knows_when_are_told_all_the_same() -> None:
    shown = shortened()
    assert shown.consequences is not None
    first = shown.consequences.reach[0]
    timeless = tuple(replace(one, after=Leaving.LATER, after_at=None) for one in first.points)
    found = replace(shown.consequences, reach=(replace(first, points=timeless),))
    text = plan_as_text(replace(shown, consequences=found), Screen(width=200))
    assert f"{len(timeless)} at an unknown time" in text
