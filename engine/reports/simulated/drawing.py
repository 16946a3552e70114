"""Where the lines of a drawing lie; what they look like is a matter of the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from engine.plans.codes import Verdict
from engine.reports.simulated.axis import WIDTH, Axis
from engine.reports.simulated.histories import History, Lane, PastPoint
from engine.reports.wording import VERDICTS, moment
from engine.simulation.timeline import Happened

# A lane is as high as its points need, within bounds.
_ROW, _LOWEST, _HIGHEST = 9, 18, 150
_STRIP = 7
_THINNEST, _THICKEST = 0.8, 5.0
# Up to so many points each has its own words.
_TOLD = 40
# Even what is removed at once can be seen.
_SHORTEST = 3
# What is stored in full begins with a mark of this height, up and down: not by colour alone.
_TICK = 7
_MARK = "first"
CHART_HEIGHT = 64
_MISSING = "no point, though the rhythm of this place has one"

_CLASSES = {
    Verdict.FULL: "full",
    Verdict.INCREMENTAL: "incremental",
    Verdict.LIKELY_INCREMENTAL: "likely",
    Verdict.UNKNOWN: "unknown",
    None: "before",
}


@dataclass(frozen=True, slots=True)
class Stroke:
    """Lines that look alike, as the data of an SVG path; `told` says what a single one is."""

    look: str
    path: str
    told: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the time."""

    look: str
    x: int
    width: int
    told: str


@dataclass(frozen=True, slots=True)
class LaneDrawing:
    """A lane: a line for each point from its making to its end, below them what chain is made."""

    lane: Lane
    height: int
    strip: int
    thickness: float
    strokes: tuple[Stroke, ...]
    gaps: tuple[Box, ...]
    chains: tuple[Box, ...]
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Chart:
    """Values over time as the outline of an area; `top` is the highest value."""

    path: str
    top: float


def lane_drawings(history: History, axis: Axis) -> Iterator[LaneDrawing]:
    """Yield the drawing of each lane of a database."""
    for lane in history.lanes:
        height = max(_LOWEST, min(_HIGHEST, len(lane.points) * _ROW))
        yield LaneDrawing(
            lane=lane,
            height=height + _STRIP + 2,
            strip=height + 2,
            thickness=max(_THINNEST, min(_THICKEST, round(0.6 * height / len(lane.points), 1))),
            strokes=tuple(_strokes(lane, height, axis)),
            gaps=tuple(
                _box("missing", axis, *gap, "no point, though one is made so often")
                for gap in lane.gaps
            ),
            chains=tuple(_chain_boxes(lane, axis)),
            counts=_counts(lane),
        )


def event_lines(history: History, axis: Axis) -> tuple[Box, ...]:
    """Return what happens to a database, to places and to all, as lines through its lanes."""
    return tuple(
        Box("event", axis.x(one.at), 0, f"{_event(one, history.source)} {moment(one.at)}")
        for one in history.happened
    )


def _event(happened: Happened, source: str) -> str:
    what = happened.what.replace("_", " ")
    return what if happened.about in {"", source} else f"{what} {happened.about}"


def chart(values: Sequence[float | None]) -> Chart:
    """Return values over time, one for each piece of it, as an area above its bottom."""
    top = max((value for value in values if value is not None), default=0.0)
    width = WIDTH / max(1, len(values))
    rows = []
    for value, alike in groupby(enumerate(values), key=lambda item: item[1]):
        places = [number for number, _ in alike]
        if value is not None and top:
            left, right = round(places[0] * width), round((places[-1] + 1) * width)
            height = round((CHART_HEIGHT - 4) * value / top)
            rows.append(f"M{left} {CHART_HEIGHT}V{CHART_HEIGHT - height}H{right}V{CHART_HEIGHT}z")
    return Chart("".join(rows), top)


def _strokes(lane: Lane, height: int, axis: Axis) -> Iterator[Stroke]:
    step = height / len(lane.points)
    told = len(lane.points) <= _TOLD
    paths: dict[str, list[str]] = defaultdict(list)
    for number, point in enumerate(lane.points):
        y_of = step * (number + 0.5)
        y = _short(y_of)
        left, right = axis.x(point.made), axis.x(point.gone or axis.end)
        path = f"M{left} {y}H{max(right, left + _SHORTEST)}"
        if told:
            yield Stroke(_CLASSES[point.verdict], path, _words(point))
        else:
            paths[_CLASSES[point.verdict]].append(path)
        if point.verdict is Verdict.FULL:
            paths[_MARK].append(f"M{left} {_short(y_of - _TICK)}V{_short(y_of + _TICK)}")
        if point.gone is not None:
            paths["removed"].append(
                f"M{right} {_short(step * number)}V{_short(step * (number + 1))}"
            )
    for look, rows in sorted(paths.items(), key=lambda item: (item[0] == _MARK, item[0])):
        yield Stroke(look, "".join(rows))


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _words(point: PastPoint) -> str:
    stored = "there before" if point.verdict is None else VERDICTS[point.verdict]
    gone = f", removed {moment(point.gone)}" if point.gone else ""
    return f"{moment(point.slot)}: {stored}{gone}"


def _chain_boxes(lane: Lane, axis: Axis) -> Iterator[Box]:
    """Yield which chain points are made in: each reaches until the next one begins."""
    made = [one for one in sorted(lane.points, key=lambda one: one.made) if one.verdict is not None]
    runs = [list(run) for _, run in groupby(made, key=lambda one: one.chain)]
    for number, run in enumerate(runs):
        end = runs[number + 1][0].made if number + 1 < len(runs) else axis.end
        chain = lane.chains[_position(lane, run[0].chain)]
        words = f"points in {chain.zone or 'an unknown zone'} from {moment(run[0].slot)}"
        yield _box(f"chain-{run[0].chain % 4}", axis, run[0].made, end, words)


def _position(lane: Lane, chain: int) -> int:
    return sorted({one.chain for one in lane.points}).index(chain)


def _box(look: str, axis: Axis, start: datetime, end: datetime, told: str) -> Box:
    left, right = axis.x(start), axis.x(end)
    return Box(look, left, max(1, right - left), told)


def _counts(lane: Lane) -> dict[str, int]:
    made = [one for one in lane.points if one.verdict is not None]
    counts = {VERDICTS[verdict]: sum(one.verdict is verdict for one in made) for verdict in Verdict}
    return {
        "made": len(made),
        **{words: number for words, number in counts.items() if number},
        "removed": sum(one.gone is not None for one in lane.points),
        "at the end": sum(one.gone is None for one in lane.points),
    }
