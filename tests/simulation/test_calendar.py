"""A year of the example repository, held against a calendar: over both clock changes, in zones
north and south of the equator, one of which moves its clocks by half an hour.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.documents.load import load
from engine.simulation.beginning import made_up_inventory
from engine.simulation.json_form import dump
from engine.simulation.settings import Settings
from engine.simulation.simulate import simulate
from tests.cli.running import run

POLICIES = Path(__file__).parents[2] / "policies"
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
FLEET = """\
version: 1
kind: fleet
databases:
  - {account: prod, region: eu-west-1, identifier: gold, tags: {tier: gold}, key: alias/app}
  - {account: prod, region: eu-west-1, identifier: bronze, tags: {tier: bronze}, key: alias/app}
quotas:
  - {account: vault, region: eu-west-1, manual_snapshots: 500}
"""
GOLD, BRONZE = "111111111111/eu-west-1/gold", "111111111111/eu-west-1/bronze"
HOME, NEAR, FAR = "111111111111/eu-west-1", "222222222222/eu-west-1", "222222222222/eu-central-1"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Which days are played, by the clocks of which zone."""

    zone: ZoneInfo
    start: datetime
    days: int


YEARS = [Span(ZoneInfo(name), datetime(2026, 2, 1, 12, tzinfo=UTC), 365) for name in ZONES]
SPRING = Span(ZoneInfo(ZONES[0]), datetime(2026, 3, 10, 12, tzinfo=UTC), 40)
SPANS = [SPRING, *(pytest.param(year, marks=pytest.mark.slow) for year in YEARS)]


@pytest.fixture(scope="module", params=SPANS, ids=lambda span: f"{span.zone.key}-{span.days}")
def span(request: pytest.FixtureRequest) -> Span:
    assert isinstance(request.param, Span)
    return request.param


@pytest.fixture(scope="module")
def told(span: Span, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is told of these days, with the time zone of the example replaced."""
    folder = tmp_path_factory.mktemp("policies")
    for file in POLICIES.glob("*.yaml"):
        text = file.read_text().replace("timezone: Europe/Berlin", f"timezone: {span.zone.key}")
        (folder / file.name).write_text(text)
    (folder / "fleet.yaml").write_text(FLEET)
    loaded = load([folder])
    assert loaded.documents is not None, loaded.diagnostics
    inventory = made_up_inventory(loaded.documents, loaded.scene.fleets, span.start)
    rhythm = Settings(interval=HOUR)
    simulation = simulate(loaded.documents, inventory, span.start, span.days, (), rhythm)
    document: dict[str, Any] = json.loads(b"".join(dump(simulation)))
    return document


def two_o_clock(day: date, zone: ZoneInfo) -> datetime:
    """The first minute of a day at which its clocks show two o'clock, or are past it."""
    minute = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while True:
        local = minute.astimezone(zone)
        if local.date() == day and local.hour >= 2:
            return minute
        minute += MINUTE if local.date() == day or local.hour == 23 else HOUR


def slots(span: Span) -> list[datetime]:
    """When points are due in the days that are played."""
    days = (span.start.date() + count * DAY for count in range(-1, span.days + 2))
    due = (two_o_clock(day, span.zone) for day in days)
    return [at for at in due if span.start <= at < span.start + span.days * DAY]


def made(told: dict[str, Any], source: str, location: str, action: str) -> list[datetime]:
    return [
        datetime.fromisoformat(one["slot"])
        for one in told["timeline"]
        if one["source"] == source and one["action"] == action and place(one) == location
    ]


def place(one: dict[str, Any]) -> str:
    return f"{one['location']['account']}/{one['location']['region']}"


def left(told: dict[str, Any], source: str, location: str) -> set[datetime]:
    """The slots of what there is of a database at a location in the end."""
    born = made(told, source, location, "create_snapshot")
    born += made(told, source, location, "copy_snapshot")
    return set(born) - set(made(told, source, location, "delete_snapshot"))


def newest_of_each(times: Sequence[datetime], bucket: Any, count: int) -> set[datetime]:
    """The newest of the last so many days, weeks or months; of fewer ones the oldest as well."""
    newest: dict[Any, datetime] = {}
    for at in sorted(times):
        newest[bucket(at)] = at
    kept = set(sorted(newest.values())[-count:])
    return kept if len(newest) >= count else {*kept, min(times)}


def test_there_is_a_point_for_each_day_and_no_other(told: dict[str, Any], span: Span) -> None:
    for source in (GOLD, BRONZE):
        assert made(told, source, HOME, "create_snapshot") == slots(span)
    assert len(slots(span)) == span.days
    for location in (NEAR, FAR):
        assert made(told, GOLD, location, "copy_snapshot") == slots(span)


def test_clocks_change_in_these_days(span: Span) -> None:
    offsets = [at.astimezone(span.zone).utcoffset() for at in slots(span)]
    changes = sum(one != other for one, other in pairwise(offsets))
    assert changes == (1 if span is SPRING else 2)


def test_what_comes_once_a_week_comes_first_thing_in_the_week(
    told: dict[str, Any], span: Span
) -> None:
    weekly = made(told, BRONZE, NEAR, "copy_snapshot")
    firsts: dict[tuple[int, int], datetime] = {}
    for at in slots(span):
        firsts.setdefault(at.astimezone(span.zone).isocalendar()[:2], at)
    assert weekly == list(firsts.values())
    assert {at.astimezone(span.zone).weekday() for at in weekly[1:]} == {0}


def test_what_is_left_is_what_a_calendar_says(told: dict[str, Any], span: Span) -> None:
    every = slots(span)

    def day(at: datetime) -> date:
        return at.astimezone(span.zone).date()

    def week(at: datetime) -> tuple[int, int]:
        return day(at).isocalendar()[:2]

    def month(at: datetime) -> tuple[int, int]:
        return day(at).year, day(at).month

    recent = {at for at in every if at > every[-1] - timedelta(hours=36)}
    gold = newest_of_each(every, day, 14) | newest_of_each(every, week, 8)
    gold |= newest_of_each(every, month, 12) | set(every[-3:]) | recent
    assert left(told, GOLD, HOME) == gold
    assert left(told, GOLD, FAR) == gold
    near = newest_of_each(every, day, 35) | newest_of_each(every, month, 12)
    assert left(told, GOLD, NEAR) == near
    weekly = made(told, BRONZE, NEAR, "copy_snapshot")
    assert left(told, BRONZE, NEAR) == newest_of_each(weekly, week, 4)


@pytest.mark.parametrize(
    ("period", "form"), [("by_day", "%Y-%m-%d"), ("by_week", "%G-W%V"), ("by_month", "%Y-%m")]
)
def test_the_counts_are_those_of_the_calendar(
    told: dict[str, Any], span: Span, period: str, form: str
) -> None:
    days = Counter(at.astimezone(span.zone).strftime(form) for at in slots(span))
    counted = {one["period"]: one["created"] for one in told[period] if one["created"]}
    assert counted == {name: 2 * count for name, count in days.items()}


def test_counts_are_printed_by_day_or_as_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    words = ("simulate", str(POLICIES), str(tmp_path), "-interval", "6h", "-days")
    by_day = run(capfd, *words, "3", "-at", "2026-02-01T02:00:00Z")
    assert by_day.out.count("\n  2026-02-0") == 3, by_day
    by_month = run(capfd, *words, "3", "-at", "2026-02-27T02:00:00Z", "-by", "month")
    assert "By month" in by_month.out
    assert "\n  2026-03 " in by_month.out
