"""The sections about what a change of documents would do, against the documents before it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from engine.plans.amounts import money
from engine.plans.codes import EditKind, Leaving, ProtectionChange
from engine.plans.consequences import (
    Consequences,
    CostChange,
    NewChain,
    PointChange,
    PolicyEdit,
    Protected,
    Reach,
)
from engine.plans.costs import Pair
from engine.plans.refs import At, SourceRef
from engine.reports.folding import grouped
from engine.reports.lines import Column, Line, Section, Span, Table, Tone, cell, line, listed, name
from engine.reports.wording import count, moment, place, size

# How many names of databases a folded row shows.
NAMES = 6
# How many different texts a folded cell shows.
TEXTS = 2
# How many rows a table has before those of different places fold.
PLACES = 12

_NEAREST = list(Leaving)
_Row = tuple[tuple[Span, ...], ...]


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
    yield from _ends(found, _earlier, "go earlier", Tone.DELETE, full=full)
    yield from _chains(found.chains, full=full)
    yield from _ends(found, _longer, "stay longer", Tone.STRONG, full=full)
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
    earlier = [p for one in found.reach for p in one.points if _earlier(p)]
    longer = [p for one in found.reach for p in one.points if _longer(p)]
    if lost:
        yield Span(f"{count(len(lost), 'database')} with less protection", Tone.PROBLEM)
    if earlier:
        yield Span(f"{count(len(earlier), 'point')} to go earlier", Tone.DELETE)
    if found.chains:
        gib = sum(one.gib[0] for one in found.chains), sum(one.gib[1] for one in found.chains)
        yield Span(f"{count(len(found.chains), 'new chain')} of {size(gib)}", Tone.FULL)
    if gained:
        yield Span(f"{count(len(gained), 'database')} with more protection")
    if longer:
        yield Span(f"{count(len(longer), 'point')} to stay longer")


# -- points --------------------------------------------------------------------------------------


def _earlier(point: PointChange) -> bool:
    return _order(point.after, point.after_at) < _order(point.before, point.before_at)


def _longer(point: PointChange) -> bool:
    return not _earlier(point)


def _order(leaving: Leaving, at: datetime | None) -> tuple[int, float]:
    return _NEAREST.index(leaving), at.timestamp() if at is not None else 0.0


def _ends(
    found: Consequences,
    chosen: Callable[[PointChange], bool],
    verb: str,
    tone: Tone,
    *,
    full: bool,
) -> Iterator[Section]:
    """Yield the section of the points whose end moves one way, a row for each policy and place."""
    about = sorted(
        (one for one in found.reach if any(map(chosen, one.points))),
        key=lambda one: (one.policy, one.location, one.source.address),
    )
    if not about or found.horizon is None:
        return
    points = [point for one in about for point in one.points if chosen(point)]
    title = f"Points that {verb} by the change: {len(points):,}"
    columns = (
        Column("policy and place"),
        Column("databases"),
        Column("points", right=True),
        Column("when"),
        Column("oldest restorable now"),
        Column(f"on {_day(found.horizon)}"),
    )

    def alike(one: Reach) -> Hashable:
        return one.policy, _is_home(one), one.source if full else None

    rows = tuple(_end_row(folded, chosen) for folded in _by_place(about, alike, full=full))
    lines = list(_point_lines(about, chosen)) if full else []
    if any(point.after is Leaving.WITHHELD for point in points):
        note = (
            "What is withheld goes only once somebody acknowledges it; dates are those after that."
        )
        lines.insert(0, line(note, level=1))
    yield Section(title, tuple(lines), tone, table=Table(columns, rows))


def _end_row(alike: Sequence[Reach], chosen: Callable[[PointChange], bool]) -> _Row:
    points = [point for one in alike for point in one.points if chosen(point)]
    # Where some points go earlier and others stay longer, the former tell how far back is left.
    told = [one for one in alike if chosen is _earlier or not any(map(_earlier, one.points))]
    now = [one.oldest_before for one in told], [one.oldest_after for one in told]
    later = [one.later_before for one in told], [one.later_after for one in told]
    return (
        _about(alike[0].policy, alike),
        cell(*_databases(alike)),
        cell(f"{len(points):,}"),
        cell(*_when(points)),
        cell(_moved(*now) if told else ""),
        cell(_moved(*later) if told else ""),
    )


class _Placed(Protocol):
    """Something about a database at a location."""

    @property
    def source(self) -> SourceRef:
        """The database."""

    @property
    def location(self) -> At:
        """Where it is about."""


PlacedT = TypeVar("PlacedT", bound=_Placed)


def _is_home(one: _Placed) -> bool:
    return one.location == At(one.source.account, one.source.region)


def _by_place(
    items: Sequence[PlacedT], alike: Callable[[PlacedT], Hashable], *, full: bool
) -> list[list[PlacedT]]:
    """Return what shares a row: what is alike at one place or, where these are many, anywhere."""
    groups = grouped(items, lambda one: (alike(one), one.location))
    if full or len(groups) <= PLACES:
        return list(groups.values())
    return list(grouped(items, alike).values())


def _about(policy: str, alike: Iterable[_Placed]) -> tuple[Span, ...]:
    return cell(Span(policy, Tone.STRONG), " in ", _places({one.location for one in alike}))


def _places(locations: Collection[At]) -> str | Span:
    if len(locations) == 1:
        return name(place(next(iter(locations))))
    return count(len(locations), "location")


def _databases(alike: Iterable[_Placed]) -> list[str | Span]:
    known = sorted({one.source: one.source.identifier for one in alike}.values())
    return [f"{len(known):,}: " if len(known) > 1 else "", *listed(known, NAMES)]


def _when(points: Sequence[PointChange]) -> Iterator[str | Span]:
    groups = grouped(points, lambda point: point.after)
    for number, leaving in enumerate(sorted(groups, key=_NEAREST.index)):
        yield from ("; " if number else "", *_when_of(leaving, groups[leaving]))


def _when_of(leaving: Leaving, points: Sequence[PointChange]) -> Iterator[str | Span]:
    number = f"{len(points):,}"
    match leaving:
        case Leaving.NOW:
            yield Span(f"{number} now", Tone.DELETE)
        case Leaving.WITHHELD:
            yield Span(f"{number} withheld", Tone.DELETE)
            yield from _acknowledged(points)
        case Leaving.PROTECTED:
            yield f"{number} protected: {_texts(point.text for point in points)}"
        case Leaving.LATER:
            days = sorted({_day(point.after_at) for point in points if point.after_at})
            yield f"{number} {_days(days)}{_shift(points)}"
        case Leaving.STAYS:
            yield f"{number} not as far as was looked ahead"


def _days(days: Sequence[str]) -> str:
    if not days:
        return "at an unknown time"
    return f"on {days[0]}" if len(days) == 1 else f"from {days[0]} to {days[-1]}"


def _acknowledged(points: Sequence[PointChange]) -> Iterator[str | Span]:
    digests = sorted({point.acknowledge for point in points if point.acknowledge})
    if digests:
        yield from (" until acknowledged (", *listed(digests, TEXTS), ")")


def _texts(texts: Iterable[str]) -> str:
    known = sorted(set(texts))
    more = f"; and {len(known) - TEXTS:,} other reasons" if len(known) > TEXTS else ""
    return "; ".join(known[:TEXTS]) + more


def _shift(points: Sequence[PointChange]) -> str:
    """Return by how many days the ends move, where that is known of all."""
    ends = [(point.before_at, point.after_at) for point in points]
    days = [abs((before - after).days) for before, after in ends if before and after]
    if not days or len(days) < len(points):
        return ""
    least, most = min(days), max(days)
    word = "earlier" if _earlier(points[0]) else "later"
    return f", {count(most, 'day') if least == most else f'{least} – {most} days'} {word}"


def _moved(before: Iterable[datetime | None], after: Iterable[datetime | None]) -> str:
    was, will = _span(before), _span(after)
    return was if was == will else f"{was} → {will}"


def _span(moments: Iterable[datetime | None]) -> str:
    days = sorted({"nothing" if one is None else _day(one) for one in moments})
    return days[0] if len(days) == 1 else f"{days[0]} – {days[-1]}"


def _day(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d")


def _point_lines(about: Iterable[Reach], chosen: Callable[[PointChange], bool]) -> Iterator[Line]:
    for one in about:
        for point in filter(chosen, one.points):
            yield line(name(point.arn.rpartition(":")[2]), f" of {moment(point.slot)}", level=1)
            was, will = (
                _end(point.before, point.before_at),
                _end(point.after, point.after_at),
            )
            where = name(place(one.location))
            yield line("in ", where, f": {was} → {will}; {point.text}", level=2)


def _end(leaving: Leaving, at: datetime | None) -> str:
    return f"{leaving.value} ({_day(at)})" if at is not None else leaving.value


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

    rows = tuple(_chain_row(folded) for folded in _by_place(chains, alike, full=full))
    yield Section(title, (), Tone.FULL, table=Table(columns, rows))


def _chain_row(alike: Sequence[NewChain]) -> _Row:
    gib = sum(one.gib[0] for one in alike), sum(one.gib[1] for one in alike)
    slots = sorted(one.slot for one in alike if one.slot is not None)
    return (
        _about(alike[0].policy, alike),
        cell(*_databases(alike)),
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
        return one.change, one.before, one.after, _is_home(one), one.source if full else None

    in_order = sorted(changes, key=lambda one: order.index(one.change))
    rows = tuple(_protection_row(folded) for folded in _by_place(in_order, alike, full=full))
    title = f"Protection by the change: {count(len({one.source for one in changes}), 'database')}"
    yield Section(title, (), tone, table=Table(columns, rows))


def _protection_row(alike: Sequence[Protected]) -> _Row:
    one = alike[0]
    policies = [policy for policy in (one.before, one.after) if policy]
    return (
        cell(_TURNS[one.change]),
        cell(Span(" → ".join(policies), Tone.STRONG)),
        cell("" if _is_home(one) else "copies in ", _places({each.location for each in alike})),
        cell(*_databases(alike)),
    )


def _costs(found: Consequences, *, full: bool) -> Iterator[Section]:
    if not found.costs or found.horizon is None:
        return
    was = _sum(one.usd_month_before for one in found.costs)
    will = _sum(one.usd_month_after for one in found.costs)
    title = f"Cost a month of what it is about: {money(was)} → {money(will)}"
    day = _day(found.horizon)
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


def _cost_row(alike: Sequence[CostChange]) -> _Row:
    locations = {one.location for one in alike}
    return (
        cell(Span(alike[0].policy, Tone.STRONG), " in ", _places(locations)),
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
