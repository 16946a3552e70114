"""The document of a simulation (`schemas/simulation.v1.json`), written piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

import engine
from engine.identity.marks import time_text
from engine.inventory.records import Location
from engine.plans.amounts import Pair
from engine.plans.codes import Verdict
from engine.plans.plan import At
from engine.simulation.stored import DayStored, PlaceStored, Stored
from engine.simulation.timeline import (
    Entry,
    Happened,
    Period,
    Simulation,
    Summary,
    Surprise,
    Unexpected,
)

FORMAT_VERSION = "1.1"
_HOUR = timedelta(hours=1)
_ENCODER = msgspec.json.Encoder()
_PIECE = 1 << 16


class _Forecast(msgspec.Struct):
    verdict: Verdict
    rule: str


class _Entry(msgspec.Struct):
    at: str
    action: str
    source: str
    location: At
    snapshot: str
    slot: str | None
    az: str | None
    forecast: _Forecast | None


class _Happened(msgspec.Struct):
    at: str
    what: str
    about: str


class _Surprise(msgspec.Struct):
    at: str
    source: str
    location: str
    kind: Unexpected
    code: str
    text: str


class _Place(msgspec.Struct):
    location: At
    gib_months: Pair
    storage_usd: Pair


class _WorstDay(msgspec.Struct):
    day: str
    created: int
    copied: int
    hours: float


class _Summary(msgspec.Struct):
    created: int
    copied: int
    deleted: int
    full: int
    incremental: int
    likely_incremental: int
    unknown: int
    rpo_worst_hours: dict[str, float]
    snapshots_max: dict[str, int]
    gib_months: Pair
    cost_usd: Pair
    transfer_usd: Pair
    places: list[_Place]
    assumptions: list[str]
    worst_day: _WorstDay | None


class _Day(msgspec.Struct):
    day: str
    location: At
    gib: Pair


class _Tally(msgspec.Struct):
    period: str
    created: int
    copied: int
    deleted: int


def dump(simulation: Simulation) -> Iterator[bytes]:
    """Yield the document in pieces: equal simulations give equal bytes.

    It is never held whole, so that a long timeline needs no more memory than a short one.
    """
    yield _head(simulation)
    yield from _array(b"timeline", (_entry(one) for one in simulation.timeline()))
    yield from _array(b"happened", (_happened(one) for one in simulation.happened))
    yield from _array(b"surprises", (_surprise(one) for one in simulation.surprises))
    for period in Period:
        tallies = simulation.summary.by(period).items()
        yield from _array(
            f"by_{period.value}".encode(),
            (_Tally(name, one.created, one.copied, one.deleted) for name, one in tallies),
        )
    yield from _array(b"storage_by_day", (_day(one) for one in simulation.stored.days))
    summary = _summary(simulation.summary, simulation.stored)
    yield b'"summary": ' + _ENCODER.encode(summary) + b"}\n"


def _head(simulation: Simulation) -> bytes:
    head = {
        "format_version": FORMAT_VERSION,
        "engine_version": engine.__version__,
        "estate": simulation.estate,
        "start": time_text(simulation.start),
        "end": time_text(simulation.end),
        "interval_seconds": int(simulation.interval.total_seconds()),
    }
    lines = (f'"{key}": '.encode() + _ENCODER.encode(value) for key, value in head.items())
    return b"{" + b",\n".join(lines) + b",\n"


def _array(name: bytes, items: Iterator[msgspec.Struct]) -> Iterator[bytes]:
    """Yield a list, one item a line."""
    piece = bytearray(b'"' + name + b'": [')
    before = b"\n"
    for item in items:
        piece += before + _ENCODER.encode(item)
        before = b",\n"
        if len(piece) > _PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece) + b"],\n"


def _entry(entry: Entry) -> _Entry:
    forecast = entry.forecast
    return _Entry(
        at=time_text(entry.at),
        action=entry.action,
        source=entry.source,
        location=_at(entry.location),
        snapshot=entry.snapshot,
        slot=_time(entry.slot),
        az=entry.zone or None,
        forecast=None if forecast is None else _Forecast(forecast.verdict, forecast.rule),
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)


def _happened(one: Happened) -> _Happened:
    return _Happened(time_text(one.at), one.what, one.about)


def _surprise(one: Surprise) -> _Surprise:
    at = time_text(one.at)
    return _Surprise(at, one.source, one.location, one.kind, one.code, one.text)


def _day(one: DayStored) -> _Day:
    return _Day(one.day.isoformat(), _at(one.location), one.gib)


def _place(one: PlaceStored) -> _Place:
    return _Place(_at(one.location), one.gib_months, one.usd)


def _at(location: Location) -> At:
    return At(location.account, location.region)


def _summary(summary: Summary, stored: Stored) -> _Summary:
    verdicts = summary.verdicts
    worst, most = summary.worst_rpo, summary.most
    return _Summary(
        created=summary.created,
        copied=summary.copied,
        deleted=summary.deleted,
        full=verdicts[Verdict.FULL],
        incremental=verdicts[Verdict.INCREMENTAL],
        likely_incremental=verdicts[Verdict.LIKELY_INCREMENTAL],
        unknown=verdicts[Verdict.UNKNOWN],
        rpo_worst_hours={source: round(worst[source] / _HOUR, 2) for source in sorted(worst)},
        snapshots_max={str(at): most[at] for at in sorted(most)},
        gib_months=stored.gib_months,
        cost_usd=stored.usd,
        transfer_usd=stored.usd_transfer,
        places=[_place(one) for one in stored.places],
        assumptions=list(stored.assumptions),
        worst_day=_worst_day(summary),
    )


def _worst_day(summary: Summary) -> _WorstDay | None:
    day = summary.worst_day
    if day is None:
        return None
    tally = summary.days[day]
    return _WorstDay(day.isoformat(), tally.created, tally.copied, round(tally.longest / _HOUR, 2))
