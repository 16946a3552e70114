"""The sections about points that a change lets go earlier, or keeps longer."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime

from engine.plans.codes import Leaving
from engine.plans.consequences import Consequences, PointChange, Reach
from engine.reports.folding import grouped
from engine.reports.lines import Column, Line, Section, Span, Table, Tone, cell, line, listed, name
from engine.reports.placing import Row, about, by_place, databases, day_of, is_home
from engine.reports.wording import count, moment, place

# How many different texts a folded cell shows.
TEXTS = 2

_NEAREST = list(Leaving)


def goes_earlier(point: PointChange) -> bool:
    """Say whether a point is nearer to its end with the change."""
    return _order(point.after, point.after_at) < _order(point.before, point.before_at)


def stays_longer(point: PointChange) -> bool:
    """Say whether a point is farther from its end with the change."""
    return not goes_earlier(point)


def _order(leaving: Leaving, at: datetime | None) -> tuple[int, float]:
    return _NEAREST.index(leaving), at.timestamp() if at is not None else 0.0


def point_section(
    found: Consequences,
    chosen: Callable[[PointChange], bool],
    verb: str,
    tone: Tone,
    *,
    full: bool,
) -> Iterator[Section]:
    """Yield the section of the points whose end moves one way, a row for each policy and place."""
    moved = sorted(
        (one for one in found.reach if any(map(chosen, one.points))),
        key=lambda one: (one.policy, one.location, one.source.address),
    )
    if not moved or found.horizon is None:
        return
    points = [point for one in moved for point in one.points if chosen(point)]
    title = f"Points that {verb} by the change: {len(points):,}"
    columns = (
        Column("policy and place"),
        Column("databases"),
        Column("points", right=True),
        Column("when"),
        Column("oldest restorable now"),
        Column(f"on {day_of(found.horizon)}"),
    )

    def alike(one: Reach) -> Hashable:
        return one.policy, is_home(one), one.source if full else None

    rows = tuple(_end_row(folded, chosen) for folded in by_place(moved, alike, full=full))
    lines = list(_point_lines(moved, chosen)) if full else []
    if any(point.after is Leaving.WITHHELD for point in points):
        note = (
            "What is withheld goes only once somebody acknowledges it; dates are those after that."
        )
        lines.insert(0, line(note, level=1))
    yield Section(title, tuple(lines), tone, table=Table(columns, rows))


def _end_row(alike: Sequence[Reach], chosen: Callable[[PointChange], bool]) -> Row:
    points = [point for one in alike for point in one.points if chosen(point)]
    # Where some points go earlier and others stay longer, the former tell how far back is left.
    told = [
        one for one in alike if chosen is goes_earlier or not any(map(goes_earlier, one.points))
    ]
    now = [one.oldest_before for one in told], [one.oldest_after for one in told]
    later = [one.later_before for one in told], [one.later_after for one in told]
    return (
        about(alike[0].policy, alike),
        cell(*databases(alike)),
        cell(f"{len(points):,}"),
        cell(*_when(points)),
        cell(_moved(*now) if told else ""),
        cell(_moved(*later) if told else ""),
    )


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
            days = sorted({day_of(point.after_at) for point in points if point.after_at})
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
    word = "earlier" if goes_earlier(points[0]) else "later"
    return f", {count(most, 'day') if least == most else f'{least} – {most} days'} {word}"


def _moved(before: Iterable[datetime | None], after: Iterable[datetime | None]) -> str:
    was, will = _span(before), _span(after)
    return was if was == will else f"{was} → {will}"


def _span(moments: Iterable[datetime | None]) -> str:
    days = sorted({"nothing" if one is None else day_of(one) for one in moments})
    return days[0] if len(days) == 1 else f"{days[0]} – {days[-1]}"


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
    return f"{leaving.value} ({day_of(at)})" if at is not None else leaving.value
