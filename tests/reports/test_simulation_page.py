"""What a browser shows of a simulation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.documents.scene import Happening
from engine.errors import ExitCode
from engine.inventory.records import Location
from engine.plans.codes import Action, StepReason, Verdict
from engine.reports.html import simulation_page
from engine.reports.html.simulation_page import simulation_as_html
from engine.reports.simulated.axis import PIECES, Axis
from engine.reports.simulated.drawing import chart, event_lines, lane_drawings
from engine.reports.simulated.histories import histories
from engine.reports.simulated.survey import survey
from engine.simulation.before import Standing
from engine.simulation.timeline import Entry, Happened, Simulation, Summary, Surprise, Unexpected
from tests.reports.pages import Page, check
from tests.simulation.playing import ADDRESS, FLEET, START, event, play, policy

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
HOME, AWAY = f"{ADDRESS.rpartition('/')[0]}", "222222222222/eu-west-1"
WEEK = [event(1.95, Happening.FAIL_OVER), event(3.95, Happening.FAIL_OVER)]


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """Three databases, one of which fails over and back."""
    fleet = FLEET.replace("orders-1", "orders-{n}\n    count: 3")
    return play(tmp_path_factory.mktemp("week"), fleet, policy("{last: 3}"), events=WEEK)


@pytest.fixture(scope="module")
def page(week: Simulation) -> Page:
    return check(simulation_as_html(week))


def told(
    entries: Sequence[Entry], days: int = 10, surprises: Iterable[Surprise] = ()
) -> Simulation:
    """A simulation of which nothing is known but its calls."""
    return Simulation(
        estate="acme",
        start=START,
        end=START + days * DAY,
        interval=timedelta(minutes=30),
        tell=lambda: iter(sorted(entries, key=lambda one: one.order)),
        happened=(),
        surprises=tuple(surprises),
        summary=Summary(),
    )


@pytest.fixture(scope="module")
def made(week: Simulation) -> Entry:
    """A point like any other."""
    return next(one for one in week.timeline() if one.action is Action.CREATE)


def at(entry: Entry, day: float, source: str = ADDRESS, **changes: object) -> Entry:
    time = START + day * DAY
    changed = {"slot": time, "ready_at": time + HOUR, "snapshot": f"{source}-{day}", **changes}
    return replace(entry, at=time, source=source, **changed)  # type: ignore[arg-type]


def removed(entry: Entry, day: float) -> Entry:
    gone = replace(entry, action=Action.DELETE, forecast=None, ready_at=None, reason="")
    return replace(gone, at=START + day * DAY)


# -- what is on the page -------------------------------------------------------------------------


def test_the_page_is_well_formed_and_asks_for_nothing(page: Page) -> None:
    titles = [one.text for one in page.root.all("h2")]
    assert titles[:6] == [
        "What surprises: 2",
        "Events",
        "Snapshots held over time",
        "Storage over time",
        "Age of the newest point over time",
        "Databases",
    ]


def test_storage_is_drawn_for_each_location(page: Page, week: Simulation) -> None:
    places = sorted({str(day.location) for day in week.stored.days})
    charts = [
        one for one in page.root.all("svg") if "storage at" in one.attributes.get("aria-label", "")
    ]
    assert len(charts) == len(places) == 2
    assert all(one.all("path")[0].attributes["d"].startswith("M") for one in charts)
    assert "at the peak" in page.root.text


def test_what_surprises_is_a_table(page: Page) -> None:
    rows = page.root.all("table")[0].all("tbody")[0].all("tr")
    assert len(rows) == 2
    assert "stored in full again" in rows[0].text
    assert "no snapshot of this database from euw1-az1 yet" in rows[0].text
    assert ADDRESS in rows[0].text


def test_nothing_that_surprises_is_said_too(made: Entry) -> None:
    shown = check(simulation_as_html(told([made])))
    assert "Nothing that a person would not expect." in shown.root.text


def test_alike_databases_are_drawn_once_and_all_are_named(page: Page) -> None:
    first, second = page.root.all("article")
    assert first.all("h3")[0].text == ADDRESS
    assert second.all("h3")[0].text == f"{HOME}/orders-2 and 1 alike"
    assert f"{HOME}/orders-3" in second.text
    assert "fail over" in first.text
    assert "fail over" not in second.text


def test_a_lane_says_what_is_made_how_it_is_stored_and_what_is_removed(page: Page) -> None:
    home, away = (
        one.all("figcaption")[0].text for one in page.root.all("article")[0].all("figure")
    )
    assert home.startswith(f"{HOME} 7 made, 2 in full, 5 incremental, 3 removed, 4 at the end")
    assert away.startswith(f"{AWAY} 7 made, 2 in full, 4 incremental, 1 likely incremental")


def test_a_lane_has_a_line_for_each_point_and_each_line_its_words(page: Page) -> None:
    lane = page.root.all("article")[0].all("svg")[0]
    marks = {"removed", "first"}
    lines = [path for path in lane.all("path") if path.attributes["class"] not in marks]
    words = [path.all("title")[0].inside[0] for path in lines]
    assert words[0] == "2026-11-16 02:00Z: in full, removed 2026-11-19 02:35Z"
    assert Counter(path.attributes["class"] for path in lines) == {
        "full": 2,
        "incremental": 5,
        "event": 2,
    }
    assert lane.attributes["aria-label"].startswith(f"points of {ADDRESS} at {HOME}")


def test_chains_are_told_with_their_zones_and_points(page: Page) -> None:
    rows = page.root.all("article")[0].all("tbody")[0].all("tr")
    assert [(one.all("td")[0].text, one.all("td")[2].text) for one in rows] == [
        *(("euw1-az2", "5"), ("euw1-az1", "2")),
        *(("euw1-az2", "5"), ("euw1-az1", "2")),
    ]


def test_texts_from_elsewhere_become_no_markup(made: Entry) -> None:
    name = f"{HOME}/</title><script>alert(1)</script>"
    surprise = Surprise(START, name, HOME, Unexpected.WAITS, "x", "<img src=x> \u202e")
    entries = [at(made, day, name, zone="<b>\u05d0") for day in range(3)]
    shown = check(simulation_as_html(told(entries, surprises=[surprise])))
    assert len(shown.root.all("script")) == 1
    assert name in shown.root.text
    assert "\u202e" not in shown.root.text


# -- how much there is when ----------------------------------------------------------------------


def test_what_is_held_is_counted_at_most_in_each_piece_of_time(week: Simulation) -> None:
    seen = survey(week, ())
    for location, counts in seen.held.items():
        assert max(counts) == week.summary.most[Location(*location.split("/"))]
        changes = [one for one in week.timeline() if str(one.location) == location]
        making = sum(one.ready_at is not None for one in changes)
        assert counts[-1] == making - (len(changes) - making)


def test_what_is_held_stays_until_it_is_deleted(made: Entry) -> None:
    first, second = at(made, 1), at(made, 2)
    entries = [first, second, removed(first, 2.01), removed(second, 6)]
    counts = survey(told(entries), ()).held[HOME]
    assert len(counts) == PIECES
    assert [counts[int(PIECES * day / 10)] for day in (0.5, 1.5, 2, 2.5, 5.9, 6, 6.5)] == [
        *(0, 1, 2, 1, 1, 1, 0)
    ]


def test_ages_are_those_of_the_summary_at_worst(week: Simulation) -> None:
    seen = survey(week, ())
    top = max(age for age in seen.ages if age is not None)
    assert top == pytest.approx(max(week.summary.worst_rpo.values()) / HOUR, abs=0.2)
    worst = {source: group.worst for group in seen.groups for source in group.sources}
    assert worst[ADDRESS] == week.summary.worst_rpo[ADDRESS]


def test_an_age_grows_through_every_piece_of_an_outage(made: Entry) -> None:
    ages = survey(told([at(made, 0), at(made, 8)]), ()).ages
    assert [round(ages[int(PIECES * day / 10)] or 0) for day in (2, 4, 6)] == [49, 97, 145]
    assert max(age or 0 for age in ages) == pytest.approx(8 * 24 + 1)


def test_a_deleted_database_grows_no_older(week: Simulation, tmp_path: Path) -> None:
    gone = play(tmp_path, policy(), events=[event(2.5, Happening.DELETE)], days=7)
    ages = survey(gone, ()).ages
    assert max(age or 0 for age in ages) < 25


def test_an_order_that_does_not_matter_keeps_nothing_apart(made: Entry) -> None:
    other = f"{HOME}/orders-2"
    first = [at(made, 0), at(made, 1), removed(at(made, 0), 1.1)]
    late = [at(made, 0, other), at(made, 1, other), removed(at(made, 0, other), 1.2)]
    assert [one.number for one in survey(told([*first, *late]), ()).groups] == [2]
    full = replace(made.forecast, verdict=Verdict.INCREMENTAL)  # type: ignore[type-var]
    apart = [at(made, 0, other), at(made, 1, other, forecast=full), removed(at(made, 0, other), 2)]
    assert [one.number for one in survey(told([*first, *apart]), ()).groups] == [1, 1]


def test_databases_that_surprise_come_first(made: Entry) -> None:
    names = [f"{HOME}/orders-{number}" for number in range(3)]
    entries = [at(made, day, name) for name in names for day in (0, 1)]
    surprise = Surprise(START, names[2], HOME, Unexpected.WAITS, "x", "x")
    groups = survey(told(entries, surprises=[surprise]), ()).groups
    assert [one.sources for one in groups] == [(names[2],), tuple(names[:2])]


# -- what becomes of a database ------------------------------------------------------------------


def test_points_that_were_there_before_are_shown_until_they_go(made: Entry) -> None:
    old = Standing(ADDRESS, HOME, "old", START - 3 * DAY, "euw1-az2", "k", True, START - 3 * DAY)
    bridge = replace(old, snapshot="bridge", is_point=False)
    gone = removed(replace(made, snapshot="old", source=ADDRESS), 2)
    simulation = told([at(made, 0), gone])
    (lane,) = histories(simulation, [old, bridge], [ADDRESS])[ADDRESS].lanes
    first, _ = lane.points
    assert (first.verdict, first.gone) == (None, START + 2 * DAY)
    assert survey(simulation, [old, bridge]).held[HOME][0] == 3
    assert "there before, removed 2026-11-18 02:05Z" in simulation_as_html(simulation, [old])


def test_what_happens_to_a_place_or_to_all_is_drawn_with_every_database(made: Entry) -> None:
    happened = (
        Happened(START + DAY, "outage", "vault/eu-west-1"),
        Happened(START + 2 * DAY, "miss_runs", ""),
        Happened(START + 3 * DAY, "fail_over", f"{HOME}/another"),
    )
    simulation = replace(told([at(made, 0)]), happened=happened)
    history = histories(simulation, (), [ADDRESS])[ADDRESS]
    assert [one.told for one in event_lines(history, Axis(START, START + 10 * DAY))] == [
        "outage vault/eu-west-1 2026-11-17 02:05Z",
        "miss runs 2026-11-18 02:05Z",
    ]


def test_a_bridge_is_no_point(made: Entry) -> None:
    bridge = at(made, 1, action=Action.COPY, reason=StepReason.ROUTE_NEEDS_BRIDGE)
    (lane,) = histories(told([at(made, 0), bridge]), (), [ADDRESS])[ADDRESS].lanes
    assert len(lane.points) == 1


@pytest.mark.parametrize(
    ("days", "gaps"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], []),
        ([0, 1, 2, 3, 6, 7, 8, 9], [(4, 6)]),
        ([0, 1, 2, 3, 4], [(5, 10)]),
        ([0, 1, 2, 3, 4, 7, 8, 9], [(5, 7)]),
        ([0, 5], []),
    ],
)
def test_a_gap_is_where_the_rhythm_of_a_place_has_a_point(
    made: Entry, days: list[int], gaps: list[tuple[int, int]]
) -> None:
    simulation = told([at(made, day) for day in days])
    (lane,) = histories(simulation, (), [ADDRESS])[ADDRESS].lanes
    assert [((a - START) / DAY, (b - START) / DAY) for a, b in lane.gaps] == gaps


def test_weekends_are_no_gaps_where_points_are_made_on_weekdays(made: Entry) -> None:
    days = [day for day in range(28) if day % 7 < 5]
    (lane,) = histories(told([at(made, day) for day in days], 28), (), [ADDRESS])[ADDRESS].lanes
    assert lane.gaps == ()


def test_many_points_share_a_line_and_what_is_full_keeps_a_mark(made: Entry) -> None:
    full, plain = made.forecast, replace(made.forecast, verdict=Verdict.INCREMENTAL)  # type: ignore[type-var]
    entries = [at(made, day / 8, forecast=full if day == 40 else plain) for day in range(80)]
    (drawing,) = lane_drawings(
        histories(told(entries), (), [ADDRESS])[ADDRESS], Axis(START, START + 10 * DAY)
    )
    looks = {one.look: one.path.count("M") for one in drawing.strokes}
    assert looks == {"full": 1, "incremental": 79, "first": 1}
    assert drawing.strokes[-1].look == "first"
    assert drawing.height < 200


def test_a_chart_begins_where_there_is_something() -> None:
    assert chart([None, 2.0, 2.0, 1.0]).path == "M250 64V4H750V64zM750 64V34H1000V64z"
    assert chart([None, None]).path == chart([0.0]).path == ""


# -- the page stays small ------------------------------------------------------------------------


def test_a_page_draws_only_what_it_has_room_for(
    made: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{HOME}/tenant-{number:03}" for number in range(60)]
    entries = [at(made, 9 * n / 60 + d / 10, name) for n, name in enumerate(names) for d in (0, 1)]
    monkeypatch.setattr(simulation_page, "GROUPS", 20)
    shown = check(simulation_as_html(told(entries)))
    assert len(shown.root.all("article")) == 20
    assert "Not drawn: 40 databases" in shown.root.text
    monkeypatch.setattr(simulation_page, "BYTES", 1000)
    small = check(simulation_as_html(told(entries)))
    assert 0 < len(small.root.all("article")) < 20


def test_a_thousand_alike_databases_are_one_drawing(made: Entry) -> None:
    names = [f"{HOME}/tenant-{number:04}" for number in range(1000)]
    html = simulation_as_html(told([at(made, d, name) for name in names for d in (0, 1)]))
    assert html.count("<article") == 1
    assert "tenant-0000 and 999 alike" in html
    assert len(html) < 120_000


def test_the_same_simulation_gives_the_same_bytes(week: Simulation) -> None:
    assert simulation_as_html(week) == simulation_as_html(week)


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "week.html"
    words = ["simulate", "docs/examples/simulation", "-days", "7", "-at", "2026-11-16T02:05:00Z"]
    assert main([*words, "-html", str(file)]) == ExitCode.OK
    assert "In 7 days: 21 snapshots made" in capsys.readouterr().out
    assert check(file.read_text()).root.all("article")
