"""The sections about objectives that are broken or may be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.plans.codes import ObjectiveStatus
from engine.plans.objectives import Judgement, Objective, Objectives, lasting
from engine.plans.refs import At
from engine.reports.folding import grouped
from engine.reports.lines import Line, Section, Span, Tone, line, listed, name
from engine.reports.wording import count, place

# How many databases a folded group tells of in words before it only names them.
TOLD = 3
_WORST_FIRST = (ObjectiveStatus.BROKEN, ObjectiveStatus.UNKNOWN, ObjectiveStatus.UNCERTAIN)
_WORDS = {
    ObjectiveStatus.BROKEN: "broken",
    ObjectiveStatus.UNKNOWN: "cannot be judged",
    ObjectiveStatus.UNCERTAIN: "may be broken",
    ObjectiveStatus.MET: "met",
}


def objective_section(found: Objectives, *, full: bool) -> Iterator[Section]:
    """Yield what is known of the objectives that are not met for certain."""
    lines = [part for status in _WORST_FIRST for part in _of(status, found.told, full=full)]
    if lines:
        tone = Tone.PROBLEM if found.broken else Tone.FULL
        yield Section(f"Objectives: {objective_counts(found)}", tuple(lines), tone)


def objective_counts(found: Objectives) -> str:
    """Return how many are not met, and of how many: `2 broken, 1 unknown of 36`."""
    counts = (
        (found.broken, ObjectiveStatus.BROKEN),
        (found.unknown, ObjectiveStatus.UNKNOWN),
        (found.uncertain, ObjectiveStatus.UNCERTAIN),
    )
    parts = [f"{number:,} {status}" for number, status in counts if number]
    return f"{', '.join(parts) or 'none broken'} of {found.judged:,}"


def _of(status: ObjectiveStatus, told: Iterable[Objective], *, full: bool) -> Iterator[Line]:
    found = [
        (one, name_, judged)
        for one in told
        for name_, judged in one.judgements
        if judged.status is status
    ]

    def alike(entry: tuple[Objective, str, Judgement]) -> tuple[str, str, int, At]:
        one, name_, judged = entry
        return one.policy, name_, judged.limit, one.location

    for (policy, name_, limit, location), same in grouped(found, alike).items():
        what = f"{name_.upper()} of {lasting(limit)} {_WORDS[status]} in "
        databases = count(len(same), "database")
        yield line(
            Span(policy, Tone.STRONG), f": {what}", name(place(location)), f", {databases}", level=1
        )
        told_of = same if full or len(same) <= TOLD + 1 else same[:TOLD]
        for one, _, judged in told_of:
            yield line(name(one.source.identifier), f": {judged.text}", level=2)
            yield from _more(one, name_, full=full)
        rest = [one.source.identifier for one, _, _ in same[len(told_of) :]]
        if rest:
            yield line("and ", *listed(rest, TOLD), level=2)


def _more(one: Objective, name_: str, *, full: bool) -> Iterator[Line]:
    if name_ == "rpo" and one.mended_by is not None:
        yield line("a step of this plan mends it", level=3)
    if name_ == "rto" and (full or one.status is ObjectiveStatus.BROKEN):
        for part in one.inputs:
            yield line(f"{part.name}: {part.because}", level=3)
