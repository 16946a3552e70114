"""What is stored over the days of a simulation, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.costs.ranges import NOTHING, Range
from engine.documents.scene import Event, Happening
from engine.identity.marks import ZONE
from engine.inventory.records import Location, Snapshot
from engine.plans.codes import Verdict
from engine.reports.screen import Screen
from engine.reports.simulation_report import simulation_as_text
from engine.simulation.ledger import Ledger
from engine.simulation.settings import Settings
from engine.simulation.shelves import UNITS, Change, Measured, Nature, Shelves
from engine.simulation.timeline import Simulation
from tests.planning.builders import a_snapshot, an_instance
from tests.simulation.playing import FLEET, PROD, START, VAULT, event, play, policy

AT = Location(PROD, "eu-west-1")
DATABASE = an_instance()
RARELY = Settings(interval=timedelta(hours=6))


def most(simulation: Simulation, account: str = PROD) -> list[float]:
    """Return how much there is at most at the end of each day in an account."""
    return [one.gib[1] for one in simulation.stored.days if one.location.account == account]


def days(folder: Path, *events: Event, count: int = 4, **words: str) -> Simulation:
    """Play a database of 100 GiB of which a day changes a tenth at most."""
    return play(
        folder, policy(**{"copies": "[]", **words}), days=count, events=events, settings=RARELY
    )


def test_a_first_point_takes_up_all_at_most_and_later_ones_what_a_day_changes(
    tmp_path: Path,
) -> None:
    assert most(days(tmp_path)) == [100, 110, 120, 130, 130]


def test_a_point_that_goes_frees_only_what_no_later_one_needs(tmp_path: Path) -> None:
    assert most(days(tmp_path, keep="{last: 2}")) == [100, 110, 110, 110, 110]


def test_a_point_after_a_failover_takes_up_all_again(tmp_path: Path) -> None:
    assert most(days(tmp_path, event(0.9, Happening.FAIL_OVER)))[:3] == [100, 200, 210]


def test_a_change_rate_holds_from_its_moment_on(tmp_path: Path) -> None:
    told = days(tmp_path, event(0.5, Happening.CHANGE_RATE, percent=50.0))
    assert most(told)[:3] == [100, 130, 180]


def test_a_change_rate_of_another_database_changes_nothing(tmp_path: Path) -> None:
    told = days(tmp_path, event(0.5, Happening.CHANGE_RATE, "prod/*/other", percent=50.0))
    assert most(told) == [100, 110, 120, 130, 130]


def test_what_grows_is_larger_from_its_next_point_on_and_more_of_it_is_free(
    tmp_path: Path,
) -> None:
    grown = days(tmp_path, event(1.5, Happening.GROW, gib=400))
    assert most(grown)[:4] == [100, 110, 150, 190]
    assert grown.stored.usd == (0.0, 0.0)
    assert days(tmp_path).stored.usd[1] > 0


def test_a_deleted_database_leaves_its_points_and_nothing_free(tmp_path: Path) -> None:
    gone = days(tmp_path, event(1.5, Happening.DELETE))
    assert most(gone) == [100, 110, 110, 110, 110]
    assert gone.stored.usd[1] > days(tmp_path).stored.usd[1]


def test_storage_is_billed_for_its_time_beyond_what_is_free(tmp_path: Path) -> None:
    stored = days(tmp_path, copies="[{target: local}]", count=1).stored
    home, vault = stored.places
    # 100 GiB for a day of the 30.4 of a month; nothing is free where there are no databases.
    assert home.gib_months[1] == pytest.approx(3.3)
    assert home.usd == (0.0, 0.0)
    assert vault.usd[1] == pytest.approx(0.23)
    assert stored.usd == vault.usd


def test_what_is_sent_to_another_region_is_paid_for_once(tmp_path: Path) -> None:
    stored = days(tmp_path, copies="[{target: remote}]", count=3).stored
    # 100 GiB, then 10 and 10 GiB, at $0.02 each.
    assert stored.usd_transfer == (0.0, 2.4)
    assert any("to send from eu-west-1 to eu-central-1" in one for one in stored.assumptions)


def test_a_copy_of_disputed_kind_takes_up_all_at_most(tmp_path: Path) -> None:
    moves = (event(0.9, Happening.FAIL_OVER), event(1.9, Happening.FAIL_OVER))
    told = days(tmp_path, *moves, copies="[{target: local}]")
    assert most(told, VAULT)[:3] == [100, 200, 300]


def test_databases_that_are_alike_count_as_often_as_there_are(tmp_path: Path) -> None:
    many = FLEET.replace("orders-1", "orders-{n}\n    count: 7")
    told = play(tmp_path, many, policy(copies="[]"), days=2, settings=RARELY)
    assert most(told) == [700, 770, 770]


def test_a_rate_that_a_policy_names_stands_for_the_assumed_one(tmp_path: Path) -> None:
    named = policy(copies="[]").replace("snapshots:\n", "snapshots:\n  changed_per_day: 20%\n")
    told = play(tmp_path, named, days=2, settings=RARELY)
    assert most(told) == [100, 120, 120]
    assert not any("where its policy does not say" in one for one in told.stored.assumptions)


def test_the_summary_says_what_is_held_and_billed_and_what_that_rests_on(tmp_path: Path) -> None:
    text = simulation_as_text(days(tmp_path, copies="[{target: remote}]"), Screen(width=200))
    assert "Storage and cost over the 4 days" in text
    assert "of it for what is sent" in text
    assert "assumed: a database changes 0.5 to 10 % of its storage a day" in text


# -- shelves and sums ----------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(list(Verdict))), max_size=20))
@settings(max_examples=40, deadline=None)
def test_changes_add_up_to_what_is_on_the_shelves(calls: list[tuple[int, Verdict]]) -> None:
    faster = ((START + timedelta(days=3), Range(0.5, 0.7)),)
    shelves = Shelves(natures={DATABASE.arn: Nature(40.0, faster)})
    there: dict[int, Snapshot] = {}
    low = high = 0
    for number, verdict in calls:
        taken_at = START + timedelta(days=number)
        if number in there:
            shelves.remove(there.pop(number), START)
        else:
            there[number] = a_snapshot(DATABASE, taken_at)
            shelves.put(there[number], taken_at, START, verdict)
        for one in shelves.told():
            assert isinstance(one, Change)
            low, high = low + one.low, high + one.high
    assert (low / UNITS, high / UNITS) == pytest.approx(on(shelves), abs=1e-3)


def on(shelves: Shelves) -> tuple[float, float]:
    """Return what is on shelves, each chain from its oldest."""
    found = NOTHING
    for chain, row in shelves.chains.items():
        for number, one in enumerate(row):
            found += one.gib(row[number - 1] if number else None, chain)
    return found.pair


def test_a_snapshot_moves_to_the_chain_that_its_new_tags_name() -> None:
    shelves = Shelves()
    first, second = (a_snapshot(DATABASE, START + timedelta(days=day)) for day in (0, 1))
    for one in (first, second):
        shelves.put(one, one.taken_at or START, START)
    assert on(shelves)[1] == 110
    other = replace(second, tags={**second.tags, ZONE: "euw1-az1"})
    shelves.relabel(second, other, START)
    assert on(shelves)[1] == 200
    shelves.remove(other, START)
    assert on(shelves)[1] == 100


def test_a_day_is_told_by_its_average_and_its_end() -> None:
    noon = datetime(2026, 11, 16, 12, tzinfo=UTC)
    ledger = Ledger(noon - timedelta(hours=6), noon + timedelta(hours=18))
    ledger.note([Change(noon, AT, Measured.HELD, 0, 30 * UNITS)], times=2)
    first, second = ledger.levels(AT, Measured.HELD)
    assert (first.day, first.seconds, second.seconds) == (noon.date(), 18 * 3600, 6 * 3600)
    assert first.average.high == pytest.approx(60 * 12 / 18)
    assert first.last.high == second.average.high == second.last.high == 60
