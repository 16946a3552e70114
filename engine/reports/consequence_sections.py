"""The sections about what a change of documents would do, against the documents before it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from engine.plans.amounts import money
from engine.plans.codes import EditKind, ProtectionChange
from engine.plans.consequences import (
    Consequences,
    CostChange,
    NewChain,
    PolicyEdit,
    Protected,
    WindowChange,
)
from engine.plans.costs import Pair
from engine.reports.folding import grouped
from engine.reports.lines import Column, Line, Section, Span, Table, Tone, cell, line, listed, name
from engine.reports.placing import (
    NAMES,
    PLACES,
    Row,
    about,
    by_place,
    databases,
    day_of,
    is_home,
    places,
)
from engine.reports.point_sections import goes_earlier, point_section, stays_longer
from engine.reports.wording import count, moment, size


def consequence_headline(found: Consequences | None) -> Iterator[Line]:
    """Yield one sentence on what the change does."""
    if found is not None:
        yield line(Span(f"Against {_name(found)}: ", Tone.STRONG), *_sentence(found))


def consequence_sections(found: Consequences | None, *, full: bool) -> Iterator[Section]:
    """Yield what the change does: what is said differently, then the worst first."""
    if found is None:
        return
    if found.problems:
        lines = [line(text, level=1) for problem in found.problems for text in problem.split("\n")]
        title = "Not compared: the documents before the change have errors"
        yield Section(title, tuple(lines), Tone.PROBLEM)
    yield from _protection(found.protection, full=full)
    yield from point_section(found, goes_earlier, "go earlier", Tone.DELETE, full=full)
    yield from _windows(found.windows)
    yield from _chains(found.chains, full=full)
    yield from point_section(found, stays_longer, "stay longer", Tone.STRONG, full=full)
    yield from _costs(found, full=full)
    yield from _edits(found.edits)


def _name(found: Consequences) -> str:
    return f"{found.against} ({found.commit[:9]})" if found.commit else found.against


def _sentence(found: Consequences) -> Iterator[str | Span]:
    if found.problems:
        yield "not compared, as its documents have errors."
        return
    parts = list(_parts(found))
    if not parts:
        nothing = "the change" if found.edits else "no policy says anything else: this"
        yield f"{nothing} has no consequences for what is there."
    for number, part in enumerate(parts):
        yield from (", " if number else "", part)
    if parts:
        yield "."


def _parts(found: Consequences) -> Iterator[Span]:
    lost = {one.source for one in found.protection if one.change is ProtectionChange.LOST}
    gained = {one.source for one in found.protection if one.change is ProtectionChange.GAINED}
    earlier = [p for one in found.reach for p in one.points if goes_earlier(p)]
    longer = [p for one in found.reach for p in one.points if stays_longer(p)]
    if lost:
        yield Span(f"{count(len(lost), 'database')} with less protection", Tone.PROBLEM)
    if earlier:
        yield Span(f"{count(len(earlier), 'point')} to go earlier", Tone.DELETE)
    less = sum(one.days_after < one.days_before for one in found.windows)
    if less:
        yield Span(f"{count(less, 'database')} with shorter automated backups", Tone.PROBLEM)
    more = len(found.windows) - less
    if more:
        yield Span(f"{count(more, 'database')} with longer automated backups")
    if found.chains:
        gib = sum(one.gib[0] for one in found.chains), sum(one.gib[1] for one in found.chains)
        yield Span(f"{count(len(found.chains), 'new chain')} of {size(gib)}", Tone.FULL)
    if gained:
        yield Span(f"{count(len(gained), 'database')} with more protection")
    if longer:
        yield Span(f"{count(len(longer), 'point')} to stay longer")


def _windows(changes: Sequence[WindowChange]) -> Iterator[Section]:
    if not changes:
        return
    shrinks = any(one.days_after < one.days_before for one in changes)
    columns = (Column("policy"), Column("databases"), Column("any second of the last"))
    groups = grouped(changes, lambda one: (one.policy, one.days_before, one.days_after))
    rows = tuple(
        (
            cell(Span(policy, Tone.STRONG)),
            cell(f"{len(alike):,}: ", *listed((one.source.identifier for one in alike), NAMES)),
            cell(f"{count(before, 'day')} → {count(after, 'day')}"),
        )
        for (policy, before, after), alike in groups.items()
    )
    title = f"Automated backups by the change: {count(len(changes), 'database')}"
    tone = Tone.PROBLEM if shrinks else Tone.STRONG
    yield Section(title, (), tone, table=Table(columns, rows))


# -- chains, protection, edits -------------------------------------------------------------------


def _chains(chains: Sequence[NewChain], *, full: bool) -> Iterator[Section]:
    if not chains:
        return
    gib = sum(one.gib[0] for one in chains), sum(one.gib[1] for one in chains)
    ended = sum(one.breaks for one in chains)
    broken = f", {ended:,} in place of one that ends" if ended else ""
    title = f"Chains that begin by the change: {len(chains):,}{broken}, {size(gib)} in full"
    columns = (
        Column("policy and place"),
        Column("databases"),
        Column("first in full"),
        Column("size", right=True),
        Column("because"),
    )

    def alike(one: NewChain) -> Hashable:
        return one.policy, one.because, one.breaks, one.source if full else None

    rows = tuple(_chain_row(folded) for folded in by_place(chains, alike, full=full))
    yield Section(title, (), Tone.FULL, table=Table(columns, rows))


def _chain_row(alike: Sequence[NewChain]) -> Row:
    gib = sum(one.gib[0] for one in alike), sum(one.gib[1] for one in alike)
    slots = sorted(one.slot for one in alike if one.slot is not None)
    return (
        about(alike[0].policy, alike),
        cell(*databases(alike)),
        cell(moment(slots[0]) if slots else "with the next point"),
        cell(size(gib)),
        cell(alike[0].because),
    )


_TURNS = {
    ProtectionChange.LOST: Span("loses", Tone.PROBLEM),
    ProtectionChange.GAINED: Span("gains", Tone.ADD),
    ProtectionChange.MOVED: Span("changes policy"),
}


def _protection(changes: Sequence[Protected], *, full: bool) -> Iterator[Section]:
    if not changes:
        return
    tone = Tone.STRONG
    if any(one.change is ProtectionChange.LOST for one in changes):
        tone = Tone.PROBLEM
    columns = (Column("protection"), Column("policy"), Column("location"), Column("databases"))
    order = list(ProtectionChange)

    def alike(one: Protected) -> Hashable:
        return one.change, one.before, one.after, is_home(one), one.source if full else None

    in_order = sorted(changes, key=lambda one: order.index(one.change))
    rows = tuple(_protection_row(folded) for folded in by_place(in_order, alike, full=full))
    title = f"Protection by the change: {count(len({one.source for one in changes}), 'database')}"
    yield Section(title, (), tone, table=Table(columns, rows))


def _protection_row(alike: Sequence[Protected]) -> Row:
    one = alike[0]
    policies = [policy for policy in (one.before, one.after) if policy]
    return (
        cell(_TURNS[one.change]),
        cell(Span(" → ".join(policies), Tone.STRONG)),
        cell("" if is_home(one) else "copies in ", places({each.location for each in alike})),
        cell(*databases(alike)),
    )


def _costs(found: Consequences, *, full: bool) -> Iterator[Section]:
    if not found.costs or found.horizon is None:
        return
    was = _sum(one.usd_month_before for one in found.costs)
    will = _sum(one.usd_month_after for one in found.costs)
    title = f"Cost a month of what it is about: {money(was)} → {money(will)}"
    day = day_of(found.horizon)
    columns = (
        Column("policy and place"),
        Column(f"before, on {day}", right=True),
        Column(f"after, on {day}", right=True),
    )
    folds = len(found.costs) > PLACES and not full
    groups = grouped(found.costs, lambda one: (one.policy, None if folds else one.location))
    rows = tuple(_cost_row(alike) for alike in groups.values())
    note = line("Before the free allowance, if all goes as scheduled until then.", level=1)
    yield Section(title, (note,), table=Table(columns, rows))


def _cost_row(alike: Sequence[CostChange]) -> Row:
    locations = {one.location for one in alike}
    return (
        cell(Span(alike[0].policy, Tone.STRONG), " in ", places(locations)),
        cell(money(_sum(one.usd_month_before for one in alike))),
        cell(money(_sum(one.usd_month_after for one in alike))),
    )


def _sum(pairs: Iterable[Pair]) -> Pair:
    known = list(pairs)
    return sum(low for low, _ in known), sum(high for _, high in known)


def _edits(edits: Sequence[PolicyEdit]) -> Iterator[Section]:
    lines: list[Line] = []
    for (kind, terms), alike in grouped(edits, lambda one: (one.edit, one.terms)).items():
        names = listed((one.policy for one in alike), NAMES)
        said = "" if kind is EditKind.CHANGED else f": {kind.value}"
        lines.append(line(*names, said, level=1))
        for term in terms:
            was, will = (
                text if text is not None else "nothing" for text in (term.before, term.after)
            )
            lines.append(line(name(term.term), f": {was} → {will}", level=2))
    if lines:
        title = f"Policies that the change is about: {len(edits):,}"
        yield Section(title, tuple(lines), aside=True)
