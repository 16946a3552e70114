"""A report as a page; a plan's has counts on top and unfolds to its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from engine.plans.costs import StepCost
from engine.plans.plan import Plan, Step, Summary
from engine.reports.html.rendering import rendered
from engine.reports.html.sections import parts
from engine.reports.lines import Form, Report, Section, Tone
from engine.reports.plan_report import plan_report
from engine.reports.step_table import step_table
from engine.reports.wording import VERBS


@dataclass(frozen=True, slots=True)
class Tile:
    """A count on top of a page."""

    title: str
    value: int
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a page says more of a step, and what a link to it is called."""

    anchor: str
    label: str


def plan_as_html(plan: Plan, *, full: bool = False) -> str:
    """Return a plan as a page: one file, in the order and the words of the plan as text.

    Every folded line can be unfolded to its steps, whose dependencies are links; `full` shows them
    unfolded, and everything that stays. The page is readable without its script, which filters
    and unfolds. Its size grows linearly with the plan.
    """
    report = plan_report(plan)
    if full:
        report = _with_folds_of(report, plan_report(plan, full=True))
    tiles = tuple(_tiles(plan.summary)) if plan.steps else ()
    costs = {cost.step: cost for cost in plan.costs.steps} if plan.costs else {}
    return report_as_html(report, tiles, _anchors(report), costs, unfolded=full)


def report_as_html(
    report: Report,
    tiles: Sequence[Tile] = (),
    anchors: Mapping[str, Anchor] = MappingProxyType({}),
    costs: Mapping[str, StepCost] = MappingProxyType({}),
    *,
    unfolded: bool = False,
) -> str:
    """Return any report as a page.

    Args:
        report: what to show.
        tiles: counts on top of it.
        anchors: where names lead to that are steps of the page.
        costs: what steps cost, by their ids.
        unfolded: whether folded lines show their steps at once.
    """
    return rendered(
        "report.html",
        report=report,
        tiles=tiles,
        parts=tuple(parts(report.sections)),
        anchors=anchors,
        unfolded=unfolded,
        step_table=partial(step_table, costs=costs),
    )


def _with_folds_of(folded: Report, whole: Report) -> Report:
    """Return all that the whole report says, but steps folded: a page unfolds them itself."""
    steps = {one.title: one for one in folded.sections if one.form is Form.STEPS}
    return replace(
        whole, sections=tuple(steps.get(section.title, section) for section in whole.sections)
    )


def _anchors(report: Report) -> dict[str, Anchor]:
    """Return where each step stands, by its id."""
    steps = (step for section in report.sections for step in _steps(section))
    return {
        step.id: Anchor(f"step-{number}", f"{VERBS[step.action]} {step.source.identifier}")
        for number, step in enumerate(steps, start=1)
    }


def _steps(section: Section) -> Iterator[Step]:
    for line in section.lines:
        yield from line.steps


def _tiles(counts: Summary) -> Iterator[Tile]:
    yield Tile("to delete", counts.delete, Tone.DELETE)
    yield Tile("stored in full", counts.full, Tone.FULL)
    yield Tile("to create", counts.create, Tone.ADD)
    yield Tile("to copy", counts.copy, Tone.ADD)
    changes = counts.share + counts.unshare + counts.tag + counts.update
    yield Tile("other changes", changes, Tone.CHANGE)
    yield Tile("withheld", counts.withheld, Tone.PROBLEM)
    yield Tile("protected", counts.protected, Tone.STRONG)
