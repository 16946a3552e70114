"""The sections about what is not as it should be, whether or not the plan changes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from engine.plans.codes import PROTECTIONS
from engine.plans.plan import At, Kept, Plan, SourceRef, Unmanaged, Waits, Warned
from engine.reports.drift_sections import drift_section
from engine.reports.folding import common, grouped
from engine.reports.lines import Line, Section, Span, Tone, line, listed, name
from engine.reports.objective_sections import objective_section
from engine.reports.wording import PROTECTED, UNMANAGED, WAITING, count, moment, place, span_of

# How many entries a folded list shows before it says how many more there are.
ENTRIES = 12


def problem_sections(plan: Plan, *, full: bool) -> Iterator[Section]:
    """Yield conflicts, errors, gaps in protection, what waits, warnings: the worst first."""
    limit = None if full else ENTRIES
    errors = [warned for warned in plan.warnings if warned.severity == "error"]
    others = [warned for warned in plan.warnings if warned.severity != "error"]
    yield from _conflicts(plan, limit)
    yield from drift_section(plan.drift, full=full)
    if errors:
        lines = _warned(errors, limit)
        yield Section(f"Errors: {len(errors):,}", tuple(lines), Tone.PROBLEM)
    yield from objective_section(plan.objectives, full=full)
    yield from _holds(plan, limit)
    yield from _unprotected(plan, limit)
    yield from _unmanaged(plan)
    yield from _waiting(plan, limit)
    if others:
        yield Section(f"Warnings: {len(others):,}", tuple(_warned(others, limit)), Tone.FULL)


def kept_sections(plan: Plan, *, full: bool) -> Iterator[Section]:
    """Yield what is protected although no rule might keep it; in full, everything that stays."""
    protected = [kept for kept in plan.kept if _protections(kept)]
    if full and plan.kept:
        title = f"Kept: {count(len(plan.kept), 'snapshot')}"
        yield Section(title, tuple(_kept_lines(plan.kept)), aside=True)
    elif protected:
        title = f"Protected: {count(len(protected), 'snapshot')}"
        codes = Counter(code for kept in protected for code in _protections(kept))
        lines = [
            line(f"{number:,} ", PROTECTED.get(code, code), level=1)
            for code, number in codes.most_common()
        ]
        yield Section(title, tuple(lines), aside=True)


def retained_section(plan: Plan) -> Iterator[Section]:
    """Yield the automated backups that outlived their database or their replication."""
    lines: list[Line] = []
    groups = grouped(plan.retained, lambda one: (one.text, one.location))
    for (text, location), alike in groups.items():
        lines.append(line(name(place(location)), f": {text}", level=1))
        for one in alike:
            until = f"until {moment(one.until)}" if one.until else "AWS does not tell until when"
            days = count(one.retention_days, "day")
            lines.append(line(name(one.source.identifier), f" {until}, kept {days}", level=2))
    if lines:
        title = f"Retained automated backups: {count(len(plan.retained), 'database')}"
        yield Section(title, tuple(lines), aside=True)


def _protections(kept: Kept) -> list[str]:
    return [reason.code for reason in kept.reasons if reason.code in PROTECTIONS]


def _kept_lines(kept: Iterable[Kept]) -> Iterator[Line]:
    for one in kept:
        yield line(name(one.arn.rpartition(":")[2]), level=1)
        reasons = (
            f"{reason.text} (until {reason.until})" if reason.until else reason.text
            for reason in one.reasons
        )
        yield line("in ", name(place(one.location)), f": {', '.join(reasons)}", level=2)


def _conflicts(plan: Plan, limit: int | None) -> Iterator[Section]:
    lines: list[Line] = []
    groups = grouped(plan.conflicts, lambda conflict: (conflict.text, conflict.location))
    for (text, location), alike in groups.items():
        entries = [
            line(
                name(one.arn.rpartition(":")[2]),
                f" (slot {moment(one.slot)} of {one.source.identifier})",
                level=1,
            )
            for one in alike
        ]
        lines += _entries(entries, limit, level=1)
        lines.append(line("in ", name(place(location)), f": {text}", level=2))
    if lines:
        title = f"Conflicts: {count(len(plan.conflicts), 'snapshot')} not the engine's"
        yield Section(title, tuple(lines), Tone.PROBLEM)


def _unprotected(plan: Plan, limit: int | None) -> Iterator[Section]:
    lines: list[Line] = []
    groups = grouped(plan.unprotected, lambda one: (one.text, _home(one.source)))
    for (text, home), alike in groups.items():
        names = sorted(f"{one.source.identifier} ({one.engine})" for one in alike)
        lines.append(line(name(place(home)), f": {text}", level=1))
        lines.append(line(*listed(names, limit), level=2))
    if lines:
        title = f"Unprotected: {count(len(plan.unprotected), 'database')}"
        yield Section(title, tuple(lines), Tone.PROBLEM)


def _holds(plan: Plan, limit: int | None) -> Iterator[Section]:
    lines: list[Line] = []
    groups = grouped(plan.holds, lambda one: (one.policy, one.reason))
    for (policy, reason), alike in groups.items():
        snapshots = count(sum(one.snapshots for one in alike), "snapshot")
        lines.append(
            line(Span(policy, Tone.STRONG), f": {reason}; {snapshots}, none is deleted", level=1)
        )
        names = [f"{place(_home(one.source))}/{one.source.identifier}" for one in alike]
        lines.append(line(*listed(names, limit), level=2))
    if lines:
        databases = len({one.source for one in plan.holds})
        yield Section(f"On hold: {count(databases, 'database')}", tuple(lines), Tone.FULL)


def _unmanaged(plan: Plan) -> Iterator[Section]:
    lines: list[Line] = []

    def alike(one: Unmanaged) -> tuple[str, str, At]:
        return one.code, one.policy, one.location

    for (code, policy, location), points in grouped(plan.unmanaged, alike).items():
        why = common(point.text for point in points) or UNMANAGED.get(code, code)
        lines.append(
            line(
                f"{len(points):,} of policy ",
                name(policy),
                " in ",
                name(place(location)),
                f", {span_of(point.slot for point in points)}: {why}",
                level=1,
            )
        )
    if lines:
        lines.append(
            line("They stay until the estate retires them (", name("retire:"), ").", level=1)
        )
        title = f"Unmanaged: {count(len(plan.unmanaged), 'snapshot')} that no policy decides about"
        yield Section(title, tuple(lines), Tone.FULL)


def _waiting(plan: Plan, limit: int | None) -> Iterator[Section]:
    lines: list[Line] = []

    def alike(one: Waits) -> tuple[str, str, At]:
        return one.policy, one.code, one.location

    for (policy, code, location), waits in grouped(plan.waiting, alike).items():
        why = common(one.text for one in waits) or WAITING.get(code, code)
        names = sorted({one.source.identifier for one in waits})
        about = (Span(policy or "no policy", Tone.STRONG), " in ", name(place(location)))
        lines.append(line(*about, f": {why}", level=1))
        slots = [one.slot for one in waits if one.slot is not None]
        lines.append(line(f"{span_of(slots)}: " if slots else "", *listed(names, limit), level=2))
    if lines:
        title = f"Waiting: {len(plan.waiting):,} for a later run"
        yield Section(title, tuple(lines))


def _warned(warnings: Iterable[Warned], limit: int | None) -> Iterator[Line]:
    def alike(one: Warned) -> tuple[str, str, str, str]:
        return one.code, one.policy or "", one.text, one.fix or ""

    lines: list[Line] = []
    for (code, policy, text, fix), same in grouped(warnings, alike).items():
        sources = sorted({one.source for one in same if one.source})
        about: list[str | Span] = [f" {policy}"] if policy else []
        lines.append(line(Span(code, Tone.STRONG), *about, f": {text}", level=1))
        if sources:
            lines.append(line(*listed(sources, limit), level=2))
        if fix:
            lines.append(line(f"to do: {fix}", level=2))
    return iter(lines)


def _entries(lines: Iterable[Line], limit: int | None, level: int) -> Iterator[Line]:
    known = list(lines)
    if limit is None or len(known) <= limit + 1:
        yield from known
        return
    yield from known[:limit]
    yield line(f"and {len(known) - limit:,} more (-full shows them)", level=level)


def _home(source: SourceRef) -> At:
    return At(source.account, source.region)
