"""A scheduler runs `engine apply` every four hours of the lab, day after day, over failovers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engine.lab.estates import IRELAND, PROD, VAULT
from engine.lab.process import LabProcess
from engine.lab.seeds import SnapshotSeed, read_seed, seed_document
from tests.end_to_end.estates import (
    DEFAULT_KEY,
    DOCUMENTS,
    FRANKFURT,
    ORDERS,
    UNENCRYPTED,
    estate_of,
)
from tests.end_to_end.forecasts import Forecasts, forecasts_of, wrong
from tests.end_to_end.harness import REPOSITORY, Sight, World, working_folder
from tests.recordings.make_acme import ANALYTICS, acme

EVERY = timedelta(hours=4)
# As long as AWS may take: nothing that a run begins ends while it runs.
DURATIONS = {"create_seconds": 900.0, "copy_seconds": 1800.0, "cross_region_seconds": 3600.0}
PATIENT = {"failover_seconds": 60.0, "zone_lag_seconds": 120.0, "manual_snapshots": 1000}
FOREIGN = (
    SnapshotSeed(
        "prod", IRELAND, "orders-1-by-hand", datetime(2026, 10, 1, tzinfo=UTC), instance="orders-1",
        tags={"owner": "mara"}, shared_with=("vault",),
    ),
    SnapshotSeed(
        "prod", IRELAND, "awsbackup:job-1", datetime(2026, 10, 2, tzinfo=UTC), instance="orders-1",
        type="awsbackup",
    ),
    # Tags travel with restores and copies: those of an old point of the engine's own.
    SnapshotSeed(
        "prod", IRELAND, "orders-1-restored", datetime(2026, 10, 3, tzinfo=UTC),
        instance="orders-1",
        tags={
            "engine:estate": "acme", "engine:policy": "both", "engine:slot": "2026-10-03T02:00:00Z",
            "engine:role": "primary", "engine:resource": "db-OLD", "engine:volume": "db-OLD",
            "engine:source": f"arn:aws:rds:{IRELAND}:{PROD}:db:orders-1", "engine:az": "euw1-az1",
            "engine:keys": "none", "engine:az-checked": "true",
        },
    ),
)  # fmt: skip


Place = tuple[str, str]
NEAR_ONLY = frozenset({(PROD, IRELAND), (VAULT, IRELAND)})
EVERYWHERE = NEAR_ONLY | {(VAULT, FRANKFURT)}


@dataclass
class Days:
    """What days of a schedule left behind, besides the world itself.

    `points` are the accounts and regions in which each instance has a point of each day.
    """

    world: World
    start: datetime
    points: Mapping[str, frozenset[Place]]
    forecasts: Forecasts = field(default_factory=dict)
    unsettled: list[str] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    foreign_before: Sight = field(default_factory=dict)

    def pass_by(self, number: int, failovers: Collection[int]) -> None:
        """Let days pass; after the point of some of them, the database fails over."""
        self.foreign_before = self.foreign()
        for day in range(number):
            today = self.start + timedelta(days=day)
            for run in range(timedelta(days=1) // EVERY):
                self.world.move_to(today + run * EVERY)
                self.run_once()
                if day in failovers and run == 2:
                    self.world.lab.client.fail_over(PROD, IRELAND, "orders-1")
            self.world.move_to(today + timedelta(hours=23))
            self.see_the_day(today.replace(minute=0))

    def run_once(self) -> None:
        """Do what the scheduler does, and note what was forecast of what it began."""
        at = self.world.now()
        words = ("-auto-approve", "-local-lock", "-no-wait", "-json", "-at", at)
        plan = self.world.planned()
        self.world.lab.client.forget_calls()
        lines = self.world.run("apply", *words).insist().json_lines()
        calls = self.world.lab.client.calls()
        self.calls.update(call["operation"] for call in calls)
        self.refusals += [str(call) for call in calls if call["outcome"] != "ok"]
        (run,) = (line for line in lines if line["type"] == "run")
        assert run["plan"] == plan["digest"]
        begun = {line["arn"] for line in lines if line.get("state") == "running"}
        said = forecasts_of(plan)
        self.forecasts |= {arn: said[arn] for arn in begun if arn in said}

    def see_the_day(self, slot: datetime) -> None:
        """Note what the day leaves undone, and what it did too often."""
        plan = self.world.plan("-detailed-exitcode")
        if plan.code != 0:
            self.unsettled.append(f"{slot}: exit {plan.code}\n{plan.out}")
        seen = self.world.owned().values()
        written = slot.strftime("%Y-%m-%dT%H:%M:%SZ")
        there = Counter(
            (one.instance, (one.account, one.region))
            for one in seen
            if one.slot == written and one.role != "bridge"
        )
        due = {(name, place) for name, places in self.points.items() for place in places}
        self.amiss += [
            f"{slot}: {key} is there {there[key]} times" for key in due if there[key] != 1
        ]
        self.amiss += [f"{slot}: {one.arn} stays shared" for one in seen if one.shared_with]

    def foreign(self) -> Sight:
        """Return what is not the engine's and no backup window makes or removes."""
        return {
            arn: one
            for arn, one in self.world.seen().items()
            if arn.rsplit(":", 1)[1] in {one.identifier for one in FOREIGN}
            or arn.endswith("awsbackup:job-1")
        }


def with_foreign(document: object) -> object:
    """Return a seed with snapshots that are not the engine's, and with AWS's own pace."""
    seed = read_seed(document)
    settings = seed.settings | DURATIONS | PATIENT
    more = msgspec.structs.replace(seed, settings=settings, snapshots=(*seed.snapshots, *FOREIGN))
    found: object = seed_document(more)
    return found


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """Four days of three databases, one of which fails over and back."""
    folder = working_folder(tmp_path_factory.mktemp("days"), DOCUMENTS)
    seed = with_foreign(estate_of(ORDERS, DEFAULT_KEY, UNENCRYPTED))
    start = datetime(2026, 11, 16, 2, 5, tzinfo=UTC)
    points = {"orders-1": EVERYWHERE, "legacy-1": NEAR_ONLY, "wiki-1": NEAR_ONLY}
    with LabProcess.start(seed, speed=1.0, at=start) as lab:
        days = Days(World(lab, folder), start, points)
        days.pass_by(4, failovers={1, 2})
        yield days


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """Thirty days of the example repository, as a small company would run it."""
    folder = working_folder(tmp_path_factory.mktemp("month"), REPOSITORY / "policies")
    start = datetime(2026, 11, 13, 1, 30, tzinfo=UTC)
    points = {
        "orders-1": EVERYWHERE,
        "orders-ledger": EVERYWHERE,
        "shop-1": NEAR_ONLY,
        "crm-1": frozenset({(PROD, FRANKFURT), (VAULT, FRANKFURT)}),
        "wiki-1": frozenset({(PROD, IRELAND)}),
        "warehouse-1": frozenset({(ANALYTICS, IRELAND)}),
    }
    with LabProcess.start(with_foreign(acme()), speed=1.0, at=start) as lab:
        days = Days(World(lab, folder), start, points)
        days.pass_by(30, failovers={3, 5, 17, 18, 26})
        yield days


@pytest.fixture(params=["few", pytest.param("thirty", marks=pytest.mark.slow)])
def days(request: pytest.FixtureRequest) -> Days:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Days)
    return found


def test_every_day_ends_with_nothing_left_to_do(days: Days) -> None:
    assert days.unsettled == []


def test_every_day_has_its_point_once_in_every_place(days: Days) -> None:
    assert days.amiss == []


def test_what_was_forecast_for_certain_came_true(days: Days) -> None:
    assert wrong(days.forecasts, days.world.lab.client.truth()) == []
    assert {"full", "incremental"} <= set(days.forecasts.values())
    assert {entry["arn"] for entry in made(days)} == set(days.forecasts)


def test_what_is_not_the_engines_stays_as_it_was(days: Days) -> None:
    assert len(days.foreign_before) == len(FOREIGN)
    assert days.foreign() == days.foreign_before


def test_no_call_is_made_in_vain(days: Days) -> None:
    assert days.refusals == []
    found = made(days)
    assert days.calls["CreateDBSnapshot"] == sum(entry["origin"] is None for entry in found)
    assert days.calls["CopyDBSnapshot"] == sum(entry["origin"] is not None for entry in found)
    assert days.calls["DeleteDBSnapshot"] == sum(not entry["exists"] for entry in found)
    assert days.calls["DeleteDBSnapshot"] > 0
    assert days.calls["ListTagsForResource"] == 0


def made(days: Days) -> list[dict[str, Any]]:
    """Return what the lab knows of everything that the engine ever began."""
    named = re.compile(r":snapshot:[a-z0-9-]+-\d{8}t\d{4}z-[a-z0-9]+-[0-9a-f]{8}$")
    return [one for one in days.world.lab.client.truth() if named.search(one["arn"])]


def test_a_forecast_that_one_of_the_texts_denies_is_wrong() -> None:
    under = {
        "documentation": {"stored": "full", "rule": "most_recent_copy_deleted"},
        "blog": {"stored": "incremental", "rule": "newest_in_chain"},
    }
    truth = [{"arn": "copy", "under": under}]
    denied = "copy: forecast incremental, documentation: full (most_recent_copy_deleted)"
    assert wrong({"copy": "incremental"}, truth) == [denied]
    assert wrong({"copy": "likely_incremental"}, truth) == []
