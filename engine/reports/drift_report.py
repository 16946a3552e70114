"""What drifted as a report."""

from __future__ import annotations

from collections.abc import Iterator

from engine.plans.drift import DriftFound
from engine.reports.drift_sections import drift_counts, drift_sections
from engine.reports.lines import Line, Report, Span, Tone, line, name
from engine.reports.reading import (
    recording,
    selection,
    unread_headline,
    unread_sections,
    what_was_read,
)
from engine.reports.wording import count, moment


def drift_report(found: DriftFound, *, full: bool = False) -> Report:
    """Return the report; `full` unfolds what is alike."""
    return Report(
        estate=found.estate,
        headline=tuple(_headline(found)),
        sections=(
            *drift_sections(found.drift, full=full),
            *unread_sections(found.inventory, "What drifted there is not known."),
        ),
        footer=tuple(_footer(found)),
        kind="drift",
        whole="engine drift -full",
    )


def _headline(found: DriftFound) -> Iterator[Line]:
    if found.drift:
        tone = Tone.PROBLEM if found.summary.error else Tone.STRONG
        yield line(Span("Drift: ", Tone.STRONG), Span(drift_counts(found.drift), tone))
    else:
        rest = "everything is as the engine left it."
        if not found.complete:
            rest = "what could be read is as the engine left it."
        yield line(Span("No drift: ", Tone.STRONG), rest)
    yield from unread_headline(found.inventory)
    if found.shares.refused:
        yield line(
            Span(
                f"With whom {count(found.shares.refused, 'snapshot')} are shared could not be read",
                Tone.PROBLEM,
            ),
            ".",
        )
    if found.inventory.recorded:
        yield line(f"This is from {recording(found.inventory)}.")
    if found.only or found.exclude:
        yield line(selection(found.only, found.exclude))


def _footer(found: DriftFound) -> Iterator[Line]:
    yield what_was_read(found.inventory)
    shares = found.shares
    way_on = ""
    if shares.known < shares.snapshots and not found.inventory.recorded:
        way_on = " (-shares all asks about all)"
    yield line(
        f"Shares are known of {shares.known:,} of the engine's "
        f"{count(shares.snapshots, 'available snapshot')}{way_on}."
    )
    yield line("Estate ", name(found.estate), f" as of {moment(found.as_of)}. Nothing was changed.")
