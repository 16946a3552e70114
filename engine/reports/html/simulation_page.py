"""A simulation as a page: what surprises, how much there is when, what becomes of each database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.plans.amounts import gib
from engine.reports.folding import grouped
from engine.reports.html.rendering import rendered
from engine.reports.html.report_page import Tile
from engine.reports.html.sections import parts
from engine.reports.lines import Column, Span, Table, Tone, cell, listed, name
from engine.reports.simulated.axis import WIDTH, Axis
from engine.reports.simulated.drawing import (
    CHART_HEIGHT,
    Box,
    Chart,
    LaneDrawing,
    chart,
    event_lines,
    lane_drawings,
)
from engine.reports.simulated.histories import histories
from engine.reports.simulated.survey import Alike, Survey, survey
from engine.reports.simulation_report import simulation_report
from engine.reports.wording import count, moment
from engine.simulation.before import Standing
from engine.simulation.timeline import Simulation, Surprise, Unexpected

# A page that a browser opens at once: the drawings of databases end where these are reached.
GROUPS = 150
BYTES = 2_000_000
NAMES = 8
# Sections of the report that the page shows in its own way, or in its own place.
_OWN = frozenset({"Surprises"})
_EVENTS = "Events"
_HOUR = timedelta(hours=1)
_DAYS = timedelta(days=30)

_KINDS = {
    Unexpected.FULL_AGAIN: "stored in full again",
    Unexpected.REFUSED: "refused by AWS",
    Unexpected.WITHHELD: "withheld by a guard",
    Unexpected.WAITS: "a point that waits",
    Unexpected.VERIFIER: "a bug of the engine",
    Unexpected.NO_EFFECT: "an event without effect",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """The drawings of databases that are alike, of which one is shown."""

    alike: Alike
    worst: str
    lanes: tuple[LaneDrawing, ...]
    events: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """How many snapshots there are at a location, over time."""

    location: str
    chart: Chart
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Stored:
    """How much the snapshots at a location take up at most, day by day, and what is told of it."""

    location: str
    chart: Chart
    last: str
    top: str


def simulation_as_html(simulation: Simulation, before: Sequence[Standing] = ()) -> str:
    """Return a simulation as a page of at most some megabytes, however long and large it is.

    Args:
        simulation: what to show; its timeline is read twice.
        before: what was there before it began.
    """
    seen = survey(simulation, before)
    drawn, undrawn = _drawn(simulation, before, seen)
    report = simulation_report(simulation)
    others = tuple(parts(one for one in report.sections if one.title not in _OWN))
    return rendered(
        "simulation.html",
        simulation=simulation,
        report=report,
        tiles=tuple(_tiles(simulation)),
        surprises=_surprises(simulation.surprises),
        events=tuple(part for part in others if part.title == _EVENTS),
        others=tuple(part for part in others if part.title != _EVENTS),
        held=tuple(_held(seen)),
        stored=tuple(_stored(simulation)),
        ages=chart(seen.ages),
        drawn=drawn,
        undrawn=undrawn,
        ticks=tuple(_ticks(seen.axis)),
        width=WIDTH,
        chart_height=CHART_HEIGHT,
        names=NAMES,
        anchors={},
        count=count,
        moment=moment,
    )


def _ticks(axis: Axis) -> Iterator[str]:
    """Yield what stands below a drawing: days, with the time of day where days are few."""
    few = axis.end - axis.start < _DAYS
    for tick in axis.ticks:
        text = moment(tick)
        yield text[5:] if few else text[:10]


def _tiles(simulation: Simulation) -> Iterator[Tile]:
    summary = simulation.summary
    verdicts = {verdict.value: number for verdict, number in summary.verdicts.items()}
    yield Tile("surprises", len(simulation.surprises), Tone.PROBLEM)
    yield Tile("stored in full", verdicts["full"], Tone.FULL)
    yield Tile("made", summary.created, Tone.ADD)
    yield Tile("copied", summary.copied, Tone.ADD)
    yield Tile("deleted", summary.deleted, Tone.DELETE)


def _surprises(surprises: Sequence[Surprise]) -> Table | None:
    if not surprises:
        return None
    columns = ("first", "what", "why", "where", "databases")

    def alike(one: Surprise) -> tuple[Unexpected, str, str, str]:
        return one.kind, one.code, one.location, one.text

    rows = []
    for (kind, _, location, text), found in grouped(surprises, alike).items():
        sources = sorted({one.source for one in found})
        number: list[str | Span] = [f"{len(sources):,}: "] if len(sources) > 1 else []
        rows.append(
            (
                cell(moment(min(one.at for one in found))),
                cell(Span(_KINDS[kind], Tone.PROBLEM)),
                cell(text),
                cell(name(location)) if location else (),
                cell(*number, *listed(sources, NAMES)),
            )
        )
    rows.sort(key=lambda row: row[0][0].text)
    return Table(tuple(Column(title) for title in columns), tuple(rows))


def _held(seen: Survey) -> Iterator[Held]:
    for location, counts in seen.held.items():
        yield Held(location, chart(counts), counts[0], counts[-1])


def _stored(simulation: Simulation) -> Iterator[Stored]:
    for location, days in grouped(simulation.stored.days, lambda one: one.location).items():
        ends = [day.gib for day in days]
        top = max(ends, key=lambda pair: pair[1])
        yield Stored(str(location), chart([high for _, high in ends]), gib(ends[-1]), gib(top))


def _drawn(
    simulation: Simulation, before: Sequence[Standing], seen: Survey
) -> tuple[tuple[Drawn, ...], tuple[Alike, ...]]:
    """Return what is drawn, and the groups for which there is no room."""
    shown = seen.groups[:GROUPS]
    known = histories(simulation, before, (group.sources[0] for group in shown))
    drawn: list[Drawn] = []
    room = BYTES
    for group in shown:
        history = known[group.sources[0]]
        lanes = tuple(lane_drawings(history, seen.axis))
        room -= sum(len(stroke.path) + 60 for lane in lanes for stroke in lane.strokes)
        if room < 0:
            break
        worst = f"{group.worst / _HOUR:.1f} h" if group.worst is not None else "no point"
        drawn.append(Drawn(group, worst, lanes, event_lines(history, seen.axis)))
    return tuple(drawn), seen.groups[len(drawn) :]
