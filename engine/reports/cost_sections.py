"""The section about money: what is kept costs, what the plan adds, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterator

from engine.plans.amounts import added, gib, lasting, money, signed
from engine.plans.costs import Costs, Fit, Night, PlaceCost, PolicyCost
from engine.plans.plan import Plan
from engine.reports.lines import Column, Line, Section, Span, Table, Tone, line, name
from engine.reports.wording import count

_COLUMNS = (
    Column("policy"),
    Column("location"),
    Column("snapshots", right=True),
    Column("a month", right=True),
    Column("this plan", right=True),
)


def cost_section(plan: Plan) -> Iterator[Section]:
    """Yield what the plan costs, where that was reckoned and something is kept."""
    costs = plan.costs
    if costs is None or not costs.policies:
        return
    title = f"Costs: {money(costs.usd_month)} a month; this plan {added(costs.change_usd_month)}"
    rows = tuple(_row(one) for one in costs.policies)
    yield Section(title, tuple(_notes(costs)), aside=True, table=Table(_COLUMNS, rows))


def _row(one: PolicyCost) -> tuple[tuple[Span, ...], ...]:
    return (
        (Span(one.policy, Tone.STRONG),),
        (name(f"{one.account}/{one.region}"),),
        (Span(f"{one.snapshots:,}"),),
        (Span(money(one.usd_month)),),
        (Span(signed(one.change_usd_month)),),
    )


def _notes(costs: Costs) -> Iterator[Line]:
    if costs.usd_once[1] > 0:
        yield line(f"Transfer to other regions: {money(costs.usd_once)}, once.", level=1)
    for place in costs.places:
        yield _billed(place)
    for night in costs.nights:
        yield _night(night)
    yield line("This rests on:", level=1)
    for assumption in costs.assumptions:
        yield line(f"{assumption}.", level=2)


_FITS = {
    Fit.FITS: "fits",
    Fit.MAY_NOT: "may not be enough",
    Fit.DOES_NOT: "is not enough",
}


def _night(night: Night) -> Line:
    """Say whether what a policy makes fits its window; what does not is loud."""
    window = lasting((night.window_seconds, night.window_seconds))
    made = count(night.jobs, "snapshot or copy", "snapshots and copies")
    takes = "takes" if night.jobs == 1 else "take"
    tone = Tone.FULL if night.fit is Fit.DOES_NOT else Tone.PLAIN
    return line(
        Span(night.policy, Tone.STRONG),
        f": {made} {takes} {lasting(night.seconds)}; its window of {window} ",
        Span(_FITS[night.fit], tone),
        ".",
        level=1,
    )


def _billed(place: PlaceCost) -> Line:
    others = f", others' {gib(place.others_gib)}" if place.others_gib[1] else ""
    free = f", {gib(place.free_gib)} free" if place.free_gib[1] else ", nothing free"
    return line(
        name(f"{place.account}/{place.region}"),
        f": ours {gib(place.gib)}{others}{free}: {money(place.usd_month)} a month",
        level=1,
    )
