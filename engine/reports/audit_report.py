"""An audit as a report."""

from __future__ import annotations

from collections.abc import Iterator

from engine.plans.audit import AuditFound, ControlFound, Ruling, Written
from engine.plans.codes import ControlStatus, ObjectiveStatus
from engine.plans.objectives import told_of
from engine.reports.folding import grouped
from engine.reports.lines import Line, Report, Section, Span, Tone, line, name
from engine.reports.objective_sections import objective_counts, objective_section
from engine.reports.reading import recording, unread_headline, unread_sections, what_was_read
from engine.reports.wording import count, moment, place

# How many rulings of a control are shown before it is only said how many more there are.
SHOWN = 8
_SURVIVED = {
    ObjectiveStatus.BROKEN: "would break the RPO",
    ObjectiveStatus.UNKNOWN: "cannot be judged",
    ObjectiveStatus.MET: "is survived",
}
_SECTIONS = (
    (ControlStatus.BROKEN, "Broken", Tone.PROBLEM),
    (ControlStatus.NOT_JUDGED, "Not judged", Tone.PROBLEM),
    (ControlStatus.EXCEPTED, "Excepted", Tone.FULL),
)


def audit_report(found: AuditFound, *, full: bool = False) -> Report:
    """Return the report; `full` shows every ruling, those that passed too."""
    objectives = told_of(one.objective for one in found.objectives)
    return Report(
        estate=found.estate,
        headline=tuple(_headline(found)),
        sections=(
            *_sections(found, full=full),
            *_expired(found),
            *objective_section(objectives, full=full),
            *_survivals(found, full=full),
            *_passed(found, full=full),
            *unread_sections(found.inventory, "What depends on them is not judged."),
        ),
        footer=tuple(_footer(found)),
        kind="audit",
        whole="engine audit -full",
    )


def where(written: Written | None) -> str:
    """Return `FILE:LINE`, or nothing."""
    return "" if written is None else f"{written.file}:{written.line}"


def _headline(found: AuditFound) -> Iterator[Line]:
    summary = found.summary
    counts = (
        (summary.broken, "broken"),
        (summary.not_judged, "not judged"),
        (summary.excepted, "excepted"),
        (summary.passed, "passed"),
    )
    said = ", ".join(f"{number:,} {word}" for number, word in counts if number)
    tone = Tone.PROBLEM if summary.broken or summary.not_judged else Tone.PLAIN
    controls = f"{count(len(found.controls), 'control')}: {said}" if said else "no controls"
    objectives = objective_counts(told_of(one.objective for one in found.objectives))
    judged = f"; objectives: {objectives}" if found.objectives else "; no objectives"
    yield line(Span("Audit: ", Tone.STRONG), Span(controls, tone), f"{judged}.")
    yield from unread_headline(found.inventory)
    if found.inventory.recorded:
        yield line(f"This is from {recording(found.inventory)}.")


def _sections(found: AuditFound, *, full: bool) -> Iterator[Section]:
    for status, title, tone in _SECTIONS:
        lines: list[Line] = []
        controls = 0
        for control in found.controls:
            rulings = control.in_status(status)
            if rulings or (control.status is status and not control.rulings):
                controls += 1
                lines += _control(control, rulings, full=full)
        if lines:
            yield Section(f"{title}: {count(controls, 'control')}", tuple(lines), tone)


def _control(control: ControlFound, rulings: tuple[Ruling, ...], *, full: bool) -> Iterator[Line]:
    yield from _head(control, f"{len(rulings):,} of {count(len(control.rulings), 'database')}")
    if not control.rulings:
        yield line("it is for no database that there is", level=2)
    yield from _rulings(rulings, full=full)


def _head(control: ControlFound, said: str) -> Iterator[Line]:
    title = f": {control.title}" if control.title else f": {control.rule}"
    written = where(control.written)
    at = (", ", name(written)) if written else ()
    about = f"{title} ({control.severity}), {said}"
    yield line(Span(control.id, Tone.STRONG), about, *at, level=1)


def _rulings(rulings: tuple[Ruling, ...], *, full: bool) -> Iterator[Line]:
    shown = rulings if full or len(rulings) <= SHOWN + 1 else rulings[:SHOWN]
    for text, alike in grouped(shown, lambda one: one.text).items():
        for one in alike[:-1]:
            yield line(name(one.about), level=2)
        written = where(alike[-1].written)
        at = (" (", name(written), ")") if written else ()
        yield line(name(alike[-1].about), f": {text}", *at, level=2)
    if len(shown) < len(rulings):
        yield line(f"and {len(rulings) - len(shown):,} more (-full shows them)", level=2)


def _expired(found: AuditFound) -> Iterator[Section]:
    lines = [
        line(
            Span(one.control, Tone.STRONG),
            f": expired on {one.expired}: {one.reason}",
            *((" (", name(where(one.written)), ")") if one.written else ()),
            level=1,
        )
        for one in found.expired
    ]
    if lines:
        title = f"Expired exceptions: {len(found.expired):,}"
        yield Section(title, tuple(lines), Tone.FULL)


def _survivals(found: AuditFound, *, full: bool) -> Iterator[Section]:
    """Yield what disturbances would cost; in full also those that are survived."""
    told = [one.survival for one in found.survivals]
    shown = [one for one in told if full or one.status is not ObjectiveStatus.MET]
    lines: list[Line] = []
    for (policy, disturbance, status), alike in grouped(
        shown, lambda one: (one.policy, one.disturbance, one.status)
    ).items():
        what = f": {disturbance} {_SURVIVED[status]}, {count(len(alike), 'place')}"
        lines.append(line(Span(policy, Tone.STRONG), what, level=1))
        for one in alike if full else alike[:SHOWN]:
            out = f", {one.account} out" if one.account else ""
            about = (name(one.source.address), " in ", name(place(one.location)))
            lines.append(line(*about, f"{out}: {one.text}", level=2))
        if not full and len(alike) > SHOWN:
            lines.append(line(f"and {len(alike) - SHOWN:,} more (-full shows them)", level=2))
    if told:
        lines.append(
            line(
                f"Played for {count(found.days, 'day')}, each beginning with a slot; runs every "
                "30m; a snapshot takes 5m, a copy 10m, to another region 20m: assumed",
                level=1,
            )
        )
        broken = found.summary.disturbances_broken
        title = f"Disturbances: {broken:,} of {len(told):,} would break the RPO"
        yield Section(title, tuple(lines), Tone.PROBLEM if broken else Tone.STRONG)


def _passed(found: AuditFound, *, full: bool) -> Iterator[Section]:
    lines: list[Line] = []
    passed = [one for one in found.controls if one.status is ControlStatus.PASSED]
    for control in passed:
        lines += _head(control, count(len(control.rulings), "database"))
        lines += _rulings(control.rulings, full=True) if full else ()
    if lines:
        yield Section(f"Passed: {count(len(passed), 'control')}", tuple(lines), aside=True)


def _footer(found: AuditFound) -> Iterator[Line]:
    yield what_was_read(found.inventory)
    shares = found.shares
    yield line(
        f"Shares are known of {shares.known:,} of the engine's "
        f"{count(shares.snapshots, 'available snapshot')}."
    )
    yield line("Estate ", name(found.estate), f" as of {moment(found.as_of)}. Nothing was changed.")
