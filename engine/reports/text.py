"""Plans as text, for terminals and logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from engine.plans.audit import AuditFound
from engine.plans.drift import DriftFound
from engine.plans.plan import Plan
from engine.reports.audit_report import audit_report
from engine.reports.drift_report import drift_report
from engine.reports.layout import laid_out
from engine.reports.lines import Line, Report, Section, Span, Tone, line
from engine.reports.neutral import neutral, neutral_ascii
from engine.reports.plan_report import plan_report
from engine.reports.screen import Screen
from engine.reports.tables import table_rows

# Select Graphic Rendition codes (ECMA-48, 8.3.117); all are readable on dark and on light.
_COLOURS = {
    Tone.STRONG: "1",
    Tone.NOTE: "2",
    Tone.ADD: "32",
    Tone.CHANGE: "36",
    Tone.FULL: "1;33",
    Tone.DELETE: "1;31",
    Tone.PROBLEM: "1;31",
}
_RESET = "\x1b[0m"


def plan_as_text(plan: Plan, screen: Screen, *, full: bool = False) -> str:
    """Return a plan as a person reads it.

    Args:
        plan: what to show.
        screen: no line is wider than it; colours and typography as it can show them.
        full: every step on its own with whole ids, and everything that stays, instead of folds.
    """
    return report_as_text(plan_report(plan, full=full), screen)


def drift_as_text(found: DriftFound, screen: Screen, *, full: bool = False) -> str:
    """Return what drifted as a person reads it; `full` unfolds what is alike."""
    return report_as_text(drift_report(found, full=full), screen)


def audit_as_text(found: AuditFound, screen: Screen, *, full: bool = False) -> str:
    """Return an audit as a person reads it; `full` shows every ruling."""
    return report_as_text(audit_report(found, full=full), screen)


def report_as_text(report: Report, screen: Screen) -> str:
    """Return a report as text for `screen`, ending in a line break."""
    blocks = [
        _rows(report.headline, screen),
        *(_section_rows(section, screen) for section in report.sections),
        _rows(report.footer, screen),
    ]
    return "\n".join("".join(f"{row}\n" for row in block) for block in blocks)


def _section_rows(section: Section, screen: Screen) -> Iterator[str]:
    yield from _rows([line(Span(section.title, section.tone)), *section.lines], screen)
    if section.table is not None:
        for row in table_rows(section.table, screen.width, _clean(screen)):
            yield _shown(row, screen)


def _rows(lines: Iterable[Line], screen: Screen) -> Iterator[str]:
    for one in lines:
        for row in laid_out(one, screen.width, _clean(screen)):
            yield _shown(row, screen)


def _clean(screen: Screen) -> Callable[[str], str]:
    return neutral if screen.unicode else neutral_ascii


def _shown(row: Iterable[Span], screen: Screen) -> str:
    return "".join(_painted(span) if screen.colour else span.text for span in row)


def _painted(span: Span) -> str:
    code = _COLOURS.get(span.tone)
    return f"\x1b[{code}m{span.text}{_RESET}" if code and span.text else span.text
