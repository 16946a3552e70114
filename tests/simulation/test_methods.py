"""Both methods tell the same: planning by need leaves out only what makes no difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.documents.scene import Event, Happening
from engine.inventory.recorded import read_inventory
from engine.simulation.json_form import dump
from engine.simulation.settings import Method, Settings
from engine.simulation.simulate import simulate
from tests.simulation.playing import ESTATE, event, play

REPOSITORY = Path(__file__).parents[2]
SCHEDULES = (
    '{every: 1d, window: "02:00-05:00"}',
    '{every: 1d, window: "23:00-01:30", catch_up: in_window}',
    "{every: 6h}",
    '{cron: "30 3 * * *", catch_up: none}',
    '{every: 2d, window: "01:00-02:00"}',
)
KEEPS = ("{last: 1}", "{last: 2}", "{daily: 3}", "{within: 36h}", "{daily: 2, weekly: 1}", "{}")
COPIES = (
    "[]",
    "[{target: local}]",
    "[{target: local, retention: {keep: {last: 1}}}, {target: remote}]",
    "[{target: remote, every: 2d}, {target: local, backfill: 3}]",
)
MORE = (
    "",
    "objectives: {rpo: 26h}\n",
    "orphans: {keep_for: 1d, keep_last: 1}\n",
    'hold: "case 1"\n',
    "chains: {idle_after: 2d}\n",
    "share_with: [{accounts: ['999999999999'], from: source, newest: 1}]\n",
    "events: [{at: 2026-11-18T20:00Z, reason: upgrade, keep_for: 1d}]\n",
)
GUARDS = (
    "",
    "guards: {max_deletes: {count: 1, percent: 5}}\n",
    "guards: {full_copies: {count: 1}}\n",
    "guards: {min_points: 3}\n",
)
DATABASES = (
    "identifier: orders-{n}\n    count: 3\n    zones: [eu-west-1a, eu-west-1b]\n    key: alias/a",
    "identifier: sql\n    engine: sqlserver-se\n    zones: [eu-west-1a, eu-west-1b]",
    "identifier: plain-{n}\n    count: 2",
    "identifier: default\n    key: alias/aws/rds",
    "identifier: backed-up\n    key: alias/a\n"
    '    automated_backups: {retention_days: 1, window: "02:30-03:00"}',
)
QUOTAS = ("", "quotas:\n  - {account: prod, region: eu-west-1, manual_snapshots: 9}\n")


@st.composite
def worlds(draw: st.DrawFn) -> tuple[str, ...]:
    """Documents of a small estate."""
    chosen = draw(st.lists(st.sampled_from(DATABASES), min_size=1, max_size=3, unique=True))
    each = "".join(f"  - account: prod\n    region: eu-west-1\n    {one}\n" for one in chosen)
    fleet = f"version: 1\nkind: fleet\ndatabases:\n{each}{draw(st.sampled_from(QUOTAS))}"
    policy = (
        "version: 1\nkind: policy\nname: gold\nselect: {identifiers: ['*']}\nsnapshots:\n"
        f"  schedule: {draw(st.sampled_from(SCHEDULES))}\n"
        f"  retention: {{keep: {draw(st.sampled_from(KEEPS))}}}\n"
        f"  incremental: {draw(st.sampled_from(('require', 'prefer', 'ignore')))}\n"
        f"  copies: {draw(st.sampled_from(COPIES))}\n{draw(st.sampled_from(MORE))}"
    )
    return ESTATE + draw(st.sampled_from(GUARDS)), fleet, policy


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Something that happens in the first days."""
    day = draw(st.integers(0, 4 * 24)) / 24
    source = draw(st.sampled_from(("prod/*/*", "prod/*/orders-1", "prod/*/orders-*", "prod/*/sql")))
    what = draw(st.sampled_from(list(Happening)))
    lasts = timedelta(hours=draw(st.integers(1, 40)))
    match what:
        case Happening.OUTAGE:
            account = draw(st.sampled_from(("prod", "vault")))
            region = draw(st.sampled_from((None, "eu-west-1")))
            return event(day, what, "", account=account, region=region, lasts=lasts)
        case Happening.MISS_RUNS:
            return event(day, what, "", lasts=lasts)
        case Happening.ROTATE_KEY:
            return event(day, what, "", target="local", key="alias/other")
        case Happening.GROW:
            return event(day, what, source, gib=200)
        case Happening.CHANGE_RATE:
            return event(day, what, source, percent=5.0)
        case _:
            return event(day, what, source)


def rhythms(*hours: int) -> st.SearchStrategy[Settings]:
    """Settings with runs that come every so many hours."""
    return st.builds(
        Settings,
        interval=st.sampled_from([timedelta(hours=one) for one in hours]),
        copies_in_flight=st.sampled_from((1, 2, 20)),
        copy=st.sampled_from((timedelta(minutes=10), timedelta(hours=3))),
    )


def told(
    texts: tuple[str, ...], happenings: list[Event], rhythm: Settings, days: int
) -> tuple[bytes, bytes]:
    """Return what each of the methods tells."""
    with TemporaryDirectory() as folder:
        estate, *others = texts
        simulations = [
            play(
                Path(folder),
                *others,
                estate=estate,
                days=days,
                events=happenings,
                settings=replace(rhythm, method=method),
            )
            for method in Method
        ]
    whole, by_need = (b"".join(dump(one)) for one in simulations)
    return whole, by_need


def check(texts: tuple[str, ...], happenings: list[Event], rhythm: Settings, days: int) -> None:
    whole, by_need = told(texts, happenings, rhythm, days)
    assert by_need.decode().splitlines() == whole.decode().splitlines()


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(events(), max_size=3), rhythms(3, 5))
def test_planning_by_need_tells_what_planning_everything_tells(
    texts: tuple[str, ...], happenings: list[Event], rhythm: Settings
) -> None:
    check(texts, happenings, rhythm, 4)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.lists(events(), max_size=6), rhythms(1, 2, 5))
def test_planning_by_need_tells_what_planning_everything_tells_of_many_worlds(
    texts: tuple[str, ...], happenings: list[Event], rhythm: Settings
) -> None:
    check(texts, happenings, rhythm, 9)


def test_databases_part_where_aws_takes_only_some_of_their_copies(tmp_path: Path) -> None:
    fleet = (
        "version: 1\nkind: fleet\ndatabases:\n  - account: prod\n    region: eu-west-1\n"
        f"    {DATABASES[0].replace('count: 3', 'count: 9')}\n"
    )
    texts = (ESTATE, fleet, POLICY)
    moves = [event(2.9, Happening.FAIL_OVER, "prod/*/orders-4")]
    rhythm = Settings(interval=timedelta(hours=1), copies_in_flight=2)
    whole, by_need = told(texts, moves, rhythm, 3)
    assert by_need == whole
    copies = [line for line in whole.splitlines() if b"copy_snapshot" in line]
    assert len(copies) == 2 * 9 * 3
    assert max(sum(at in line for line in copies) for at in moments(copies)) == 4


def moments(lines: list[bytes]) -> set[bytes]:
    return {line[6:28] for line in lines}


POLICY = (
    "version: 1\nkind: policy\nname: gold\nselect: {identifiers: ['*']}\nsnapshots:\n"
    f"  schedule: {SCHEDULES[0]}\n  retention: {{keep: {{last: 2}}}}\n"
    "  copies: [{target: local}, {target: remote}]\n"
)


@pytest.mark.parametrize(("days", "hours"), [(2, 3), pytest.param(40, 1, marks=pytest.mark.slow)])
def test_both_begin_with_a_recording(days: int, hours: int) -> None:
    from engine.documents.load import load_or_raise

    documents = load_or_raise([REPOSITORY / "policies"])
    inventory = read_inventory(REPOSITORY / "tests" / "recordings" / "acme")
    assert inventory.taken_at is not None
    rhythm = Settings(interval=timedelta(hours=hours))
    outcomes = [
        b"".join(
            dump(
                simulate(
                    documents, inventory, inventory.taken_at, days, (), replace(rhythm, method=one)
                )
            )
        )
        for one in Method
    ]
    assert outcomes[0].decode().splitlines() == outcomes[1].decode().splitlines()
