"""The sections about snapshots of others: what becomes of adopted ones, and what is left behind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from engine.plans.amounts import money
from engine.plans.codes import PROTECTIONS, Fate
from engine.plans.plan import Afterwards, ForeignOrphan, Plan
from engine.reports.lines import Line, Section, Span, Tone, line, name
from engine.reports.wording import PROTECTED, count, moment, place, span_of

_FATES = {
    Fate.DELETABLE: "would be deleted by the next run",
    Fate.WITHHELD: "would be deleted, did a guard not withhold it",
}


def afterwards_sections(plan: Plan, *, full: bool) -> Iterator[Section]:
    """Yield what the next plan would do with what this one adopts: what would go, then the rest."""
    going = [one for one in plan.afterwards if one.fate is not Fate.KEPT]
    staying = [one for one in plan.afterwards if one.fate is Fate.KEPT]
    if going:
        title = f"Afterwards no rule keeps: {count(len(going), 'snapshot')}"
        lines = [row for one in going for row in _going(one)]
        lines.append(line("Nothing is deleted now, and later deletes count as excess.", level=1))
        yield Section(title, tuple(lines), Tone.FULL)
    if staying:
        title = f"Afterwards kept: {count(len(staying), 'snapshot')}"
        yield Section(title, tuple(_unfolded(staying) if full else _folded(staying)))


def _going(one: Afterwards) -> Iterator[Line]:
    yield line(name(one.arn.rpartition(":")[2]), f" of {moment(one.slot)}", level=1)
    yield line("in ", name(place(one.location)), f": {_FATES[one.fate]}: {one.text}", level=2)


def _folded(staying: list[Afterwards]) -> Iterator[Line]:
    groups: dict[tuple[str, ...], list[Afterwards]] = defaultdict(list)
    for one in staying:
        groups[tuple(_why(one))].append(one)
    for why, alike in groups.items():
        slots = span_of(one.slot for one in alike)
        yield line(f"{len(alike):,} of {slots}: {', '.join(why)}", level=1)
        yield line(_names(alike), level=2)


def _why(one: Afterwards) -> Iterator[str]:
    """Yield what keeps a snapshot, once for each rule, and until when it is protected."""
    for code in dict.fromkeys(reason.code for reason in one.reasons):
        reason = next(reason for reason in one.reasons if reason.code == code)
        text = PROTECTED.get(code, code) if code in PROTECTIONS else code
        yield f"{text} (until {reason.until})" if reason.until else text


def _names(alike: list[Afterwards]) -> str:
    sources = Counter(one.source.identifier for one in alike)
    return ", ".join(f"{number:,} of {source}" for source, number in sorted(sources.items()))


def _unfolded(staying: list[Afterwards]) -> Iterator[Line]:
    for one in staying:
        yield line(name(one.arn.rpartition(":")[2]), f" of {moment(one.slot)}", level=1)
        reasons = (
            f"{reason.text} (until {reason.until})" if reason.until else reason.text
            for reason in one.reasons
        )
        yield line("in ", name(place(one.location)), f": {', '.join(reasons)}", level=2)


def orphan_sections(plan: Plan, *, full: bool) -> Iterator[Section]:
    """Yield what others left of databases that are gone, by database; in full, each snapshot."""
    if not plan.foreign_orphans:
        return
    groups: dict[tuple[str, str], list[ForeignOrphan]] = defaultdict(list)
    for one in plan.foreign_orphans:
        groups[one.source.address, place(one.location)].append(one)
    lines = [
        row
        for (address, where), alike in groups.items()
        for row in _leftovers(address, where, alike, plan.as_of, full)
    ]
    if any(one.type == "manual" for one in plan.foreign_orphans):
        lines.append(line(name("engine adopt"), " brings manual ones under a policy.", level=1))
    total = sum(one.gib for one in plan.foreign_orphans)
    number = count(len(plan.foreign_orphans), "snapshot")
    title = (
        f"Left behind by others, of databases that are gone: {number}, up to {total:,} GiB"
        f"{_costing(plan.foreign_orphans)}"
    )
    yield Section(title, tuple(lines), aside=True)


def _leftovers(
    address: str, where: str, alike: list[ForeignOrphan], now: datetime, full: bool
) -> Iterator[Line]:
    gib = sum(one.gib for one in alike)
    away: list[str | Span] = [] if address.startswith(f"{where}/") else [" in ", name(where)]
    about = f": {count(len(alike), 'snapshot')}, up to {gib:,} GiB{_costing(alike)}"
    times = [one.taken_at for one in alike if one.taken_at is not None]
    oldest = f", the oldest {_age(min(times), now)} old" if times else ""
    yield line(name(address), *away, about, oldest, level=1)
    if full:
        for one in alike:
            age = "of unknown age" if one.taken_at is None else f"{_age(one.taken_at, now)} old"
            made = f"{one.type}, {age}, {one.gib:,} GiB{_costing([one])}"
            yield line(name(one.arn.partition("snapshot:")[2] or one.arn), f": {made}", level=2)


def _costing(orphans: Iterable[ForeignOrphan]) -> str:
    """Return what they cost, with a comma before it; empty where nobody reckoned it."""
    known = [one.usd_month for one in orphans if one.usd_month is not None]
    if not known:
        return ""
    return f", {money((sum(low for low, _ in known), sum(high for _, high in known)))} a month"


def _age(taken_at: datetime, now: datetime) -> str:
    return count(max(0, (now - taken_at).days), "day")
