"""What drifted, alike things together, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC

from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import At, Drift
from engine.reports.folding import common, grouped
from engine.reports.lines import Line, Section, Span, Tone, line, name
from engine.reports.wording import DRIFT, SEVERITIES, count, moment, place

# How many of what is alike a folded list shows, and how many still with their own words.
ENTRIES = 6
TALKATIVE = 2
_STAMP = "%Y%m%dt%H%Mz"  # as ids have it

_TONES = {
    DriftSeverity.ERROR: Tone.PROBLEM,
    DriftSeverity.WARNING: Tone.FULL,
    DriftSeverity.INFO: Tone.STRONG,
}


def drift_section(drift: Sequence[Drift], *, full: bool) -> Iterator[Section]:
    """Yield one section of a plan about what drifted; conflicts have their own."""
    shown = [one for one in drift if one.code is not DriftCode.CONFLICT]
    if shown:
        tone = _TONES[shown[0].severity]
        yield Section(f"Drift: {drift_counts(shown)}", tuple(_lines(shown, full)), tone)


def drift_sections(drift: Sequence[Drift], *, full: bool) -> Iterator[Section]:
    """Yield a section for each severity."""
    for severity, alike in grouped(drift, lambda one: one.severity).items():
        title = f"{SEVERITIES[severity][1].capitalize()}: {len(alike):,}"
        yield Section(title, tuple(_lines(alike, full)), _TONES[severity])


def drift_counts(drift: Iterable[Drift]) -> str:
    """Return `2 errors, 1 warning`."""
    groups = grouped(drift, lambda one: one.severity)
    return ", ".join(
        count(len(groups[one]), *SEVERITIES[one]) for one in SEVERITIES if one in groups
    )


def _lines(drift: Iterable[Drift], full: bool) -> Iterator[Line]:
    def alike(one: Drift) -> tuple[DriftCode, At]:
        return one.code, one.location

    for (code, location), same in grouped(drift, alike).items():
        noun, wrong = DRIFT[code]
        yield line(
            Span(count(len(same), noun), Tone.STRONG),
            f" {wrong}, in ",
            name(place(location)),
            f" ({code})",
            level=1,
        )
        yield from _entries(same, full)


def _entries(alike: Sequence[Drift], full: bool) -> Iterator[Line]:
    shown = alike if full or len(alike) <= ENTRIES + 1 else alike[:ENTRIES]
    why, fix = common(one.text for one in alike), common(one.fix for one in alike)
    if why is not None:
        yield line(why, level=2)
    for number, one in enumerate(shown):
        yield line(*_about(one), level=2)
        if full or number < TALKATIVE:
            yield from _words(one, why, fix)
    if len(shown) < len(alike):
        yield line(f"and {len(alike) - len(shown):,} more (-full shows them)", level=2)
    if fix is not None:
        yield line(f"to do: {fix}", level=2)


def _about(one: Drift) -> Iterator[str | Span]:
    """Yield the name of what drifted, and what that does not say itself."""
    identifier = one.arn.rpartition(":")[2] or one.arn
    yield name(identifier)
    about = []
    if one.slot is not None and one.slot.astimezone(UTC).strftime(_STAMP) not in identifier:
        about.append(f"slot {moment(one.slot)}")
    if one.source is not None and not identifier.startswith(f"{one.source.identifier}-"):
        about.append(f"of {one.source.identifier}")
    if about:
        yield f" ({' '.join(about)})"


def _words(one: Drift, why: str | None, fix: str | None) -> Iterator[Line]:
    """Yield what is to be said of one thing alone; values only where the text lacks them."""
    if why is None:
        yield line(one.text, level=3)
    is_told = one.found is not None and one.found in one.text
    if not is_told and (one.expected is not None or one.found is not None):
        values = (name(one.expected or "nothing"), ", found ", name(one.found or "nothing"))
        yield line("expected ", *values, level=3)
    if fix is None:
        yield line(f"to do: {one.fix}", level=3)
