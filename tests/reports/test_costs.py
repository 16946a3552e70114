"""What a plan costs, in its report: sums, places, and what all of it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.plans.costs import Costs, Fit, Night, PlaceCost, PolicyCost, StepCost
from engine.plans.plan import ForeignOrphan, Plan
from engine.reports.markdown import plan_as_markdown
from engine.reports.screen import Screen
from engine.reports.text import plan_as_text
from tests.plans.samples import NOW, PROD, REMOTE, VAULT, source, thin_path

Golden = Callable[[str, str], None]
NONE = (0.0, 0.0)
COSTS = Costs(
    usd_month=(12.0, 340.0),
    change_usd_month=(0.4, 4.8),
    usd_once=(0.0, 2.0),
    steps=(StepCost("copy:1", (0.0, 500.0), (0.0, 48.0), NONE, (60.0, 21000.0)),),
    policies=(
        PolicyCost("gold", PROD.account, PROD.region, 34, (80.0, 1200.0), NONE, (-3.0, -1.0)),
        PolicyCost(
            *("gold", REMOTE.account, REMOTE.region, 1035, (80.0, 2200.0)),
            *((12.0, 340.0), (1.4, 7.8)),
        ),
    ),
    places=(
        PlaceCost(
            *(PROD.account, PROD.region, (80.0, 1200.0), (0.0, 100.0), (0.0, 600.0)),
            *(NONE, (-3.0, -1.0)),
        ),
        PlaceCost(
            *(REMOTE.account, REMOTE.region, (80.0, 2200.0), NONE, NONE),
            *((12.0, 340.0), (1.4, 7.8)),
        ),
    ),
    assumptions=("a GiB costs $0.095 a month in eu-west-1 (2026-08)", "taxes are left out"),
    nights=(
        Night("bronze", 1, (60.0, 1300.0), 10800, Fit.FITS),
        Night("gold", 6, (240.0, 21000.0), 10800, Fit.MAY_NOT),
        Night("silver", 900, (12000.0, 90000.0), 10800, Fit.DOES_NOT),
    ),
)


def with_costs() -> Plan:
    return replace(thin_path(), costs=COSTS)


def test_costs_are_as_reviewed(golden: Golden) -> None:
    golden("costs.txt", plan_as_text(with_costs(), Screen()))
    golden("costs.md", plan_as_markdown(with_costs()))


def test_a_plan_that_nobody_priced_says_nothing_of_costs() -> None:
    assert "Costs" not in plan_as_text(thin_path(), Screen())
    kept_nothing = replace(thin_path(), costs=replace(COSTS, policies=()))
    assert "Costs" not in plan_as_text(kept_nothing, Screen())


def test_what_costs_no_transfer_speaks_of_none() -> None:
    near = replace(thin_path(), costs=replace(COSTS, usd_once=NONE))
    assert "Transfer" not in plan_as_text(near, Screen())
    assert "Transfer to other regions: up to $2.00, once." in plan_as_text(with_costs(), Screen())


def test_leftovers_tell_their_age_their_size_and_what_they_cost() -> None:
    def left(name: str, usd: tuple[float, float] | None) -> ForeignOrphan:
        arn = f"arn:aws:rds:eu-west-1:222222222222:snapshot:{name}"
        return ForeignOrphan(arn, VAULT, source("reports"), "manual", NOW, 200, usd)

    orphans = (left("final", (0.0, 19.0)), left("before", (1.0, 19.0)), left("undated", None))
    text = plan_as_text(replace(thin_path(), foreign_orphans=orphans), Screen(), full=True)
    flat = " ".join(text.split())
    assert "are gone: 3 snapshots, up to 600 GiB, $1.00 to $38 a month" in flat
    assert "3 snapshots, up to 600 GiB, $1.00 to $38 a month, the oldest 0 days old" in flat
    assert "final: manual, 0 days old, 200 GiB, up to $19 a month" in flat
    assert "undated: manual, 0 days old, 200 GiB brings" not in flat
    assert flat.count("a month") == 4
