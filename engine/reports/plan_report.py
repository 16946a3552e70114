"""A plan as a report, in the order in which a person needs to read it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.plans.plan import Plan, Summary
from engine.reports.adoption import afterwards_sections, orphan_sections
from engine.reports.consequence_sections import consequence_headline, consequence_sections
from engine.reports.cost_sections import cost_section
from engine.reports.idle_sections import idle_section
from engine.reports.lines import Line, Report, Section, Span, Tone, line, name
from engine.reports.reading import (
    recording,
    selection,
    unread_headline,
    unread_sections,
    what_was_read,
)
from engine.reports.state_sections import kept_sections, problem_sections, retained_section
from engine.reports.step_sections import step_sections
from engine.reports.trees import tree_section
from engine.reports.withheld import acknowledged_section, finding_section, withheld_sections
from engine.reports.wording import moment

# Of plans that somebody asked for besides the policies: that nothing is due says nothing of them.
_ASKED_FOR = frozenset({"W421 not-adopted", "W424 pinned-already"})
_ALL_IS_WELL = "what is due exists, and nothing has to go."


def plan_report(plan: Plan, *, full: bool = False) -> Report:
    """Return the report of a plan; `full` unfolds every step and everything that stays."""
    return Report(
        estate=plan.estate,
        headline=tuple(_headline(plan)),
        sections=(
            *consequence_sections(plan.consequences, full=full),
            *step_sections(plan, full=full),
            *withheld_sections(plan, full=full),
            *finding_section(plan.findings),
            *acknowledged_section(plan),
            *problem_sections(plan, full=full),
            *kept_sections(plan, full=full),
            *retained_section(plan),
            *idle_section(plan),
            *afterwards_sections(plan, full=full),
            *orphan_sections(plan, full=full),
            *tree_section(plan),
            *_next(plan),
            *cost_section(plan),
            *unread_sections(plan.inventory, "Nothing whose safety depends on them is deleted."),
        ),
        footer=tuple(_footer(plan)),
    )


def summary_text(summary: Summary) -> str:
    """Return the counts of a plan as one sentence without its end."""
    return "".join(part if isinstance(part, str) else part.text for part in _counts(summary))


def _counts(summary: Summary) -> Iterator[str | Span]:
    yield f"{summary.create:,} to create, {summary.copy:,} to copy, "
    yield Span(f"{summary.delete:,} to delete", Tone.DELETE if summary.delete else Tone.PLAIN)
    if summary.tag and not (summary.create or summary.copy or summary.delete):
        yield f", {summary.tag:,} to tag"
    if summary.full:
        yield from (" (", Span(f"{summary.full:,} stored in full", Tone.FULL), ")")
    if summary.update:
        yield f", {summary.update:,} to change"
    asides = []
    if summary.protected:
        asides.append(f"{summary.protected:,} protected")
    if summary.withheld:
        asides.append(f"{summary.withheld:,} withheld")
    if asides:
        yield f"; {', '.join(asides)}"


def _headline(plan: Plan) -> Iterator[Line]:
    if plan.steps:
        yield line(Span("Plan: ", Tone.STRONG), *_counts(plan.summary))
    elif plan.waiting:
        yield line(Span("Nothing to do now: ", Tone.STRONG), "what is due exists or has to wait.")
    elif any(warned.code in _ASKED_FOR for warned in plan.warnings):
        yield line(Span("Nothing to do: ", Tone.STRONG), "see the warnings.")
    else:
        yield line(Span("Nothing to do: ", Tone.STRONG), _ALL_IS_WELL)
    yield from consequence_headline(plan.consequences)
    yield from unread_headline(plan.inventory)
    if plan.inventory.recorded:
        yield line(f"This plan is from {recording(plan.inventory)} and cannot be applied.")
    if plan.only or plan.exclude:
        yield line(selection(plan.only, plan.exclude))


def _next(plan: Plan) -> Iterator[Section]:
    lines = []
    for slot in plan.next:
        full = f" ({slot.full:,} in full)" if slot.full else ""
        made = f"{slot.creates:,} to create, {slot.copies:,} to copy{full}"
        lines.append(line(Span(slot.policy, Tone.STRONG), f" {moment(slot.slot)}: {made}", level=1))
    if lines:
        yield Section("Next slots", tuple(lines))


def _footer(plan: Plan) -> Iterator[Line]:
    yield what_was_read(plan.inventory)
    yield line(
        "Estate ",
        name(plan.estate),
        f" as of {moment(plan.as_of)}, expires {moment(plan.expires_at)}.",
    )
    yield line("Plan ", name(plan.digest))
