"""A scheduler runs `engine apply` every four hours of the lab, day after day, over failovers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from engine.lab.acme import HISTORY, NIGHT
from engine.lab.acme import acme as shipped
from engine.lab.estates import IRELAND, PROD, VAULT
from engine.lab.history import read_history
from engine.lab.seeds import SnapshotSeed, read_seed, seed_document
from tests.end_to_end.days import DURATIONS, PATIENT, Days, Failovers, Place
from tests.end_to_end.estates import (
    DEFAULT_KEY,
    DOCUMENTS,
    FRANKFURT,
    ORDERS,
    UNENCRYPTED,
    estate_of,
)
from tests.end_to_end.forecasts import wrong
from tests.end_to_end.harness import REPOSITORY, World, working_folder
from tests.forking.labs import ForkedLab
from tests.recordings.make_acme import ANALYTICS, acme

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


NEAR_ONLY = frozenset({(PROD, IRELAND), (VAULT, IRELAND)})
EVERYWHERE = NEAR_ONLY | {(VAULT, FRANKFURT)}
AT_HOME = frozenset({(PROD, IRELAND)})
IN_FRANKFURT = frozenset({(PROD, FRANKFURT), (VAULT, FRANKFURT)})


@dataclass(frozen=True, slots=True)
class Scene:
    """An estate at the beginning of its days, and what a point of each day is there for."""

    documents: Path | str
    seed: object
    start: datetime
    points: Mapping[str, frozenset[Place]]
    history: frozenset[str] = field(default=frozenset())


def paced(document: object, foreign: tuple[SnapshotSeed, ...] = ()) -> object:
    """Return a seed with AWS's own pace, and with snapshots that are not the engine's."""
    seed = read_seed(document)
    settings = seed.settings | DURATIONS | PATIENT
    more = msgspec.structs.replace(seed, settings=settings, snapshots=(*seed.snapshots, *foreign))
    found: object = seed_document(more)
    return found


def three_databases() -> Scene:
    """Return three databases that take every route there is."""
    return Scene(
        DOCUMENTS,
        paced(estate_of(ORDERS, DEFAULT_KEY, UNENCRYPTED), FOREIGN),
        datetime(2026, 11, 16, 2, 5, tzinfo=UTC),
        {"orders-1": EVERYWHERE, "legacy-1": NEAR_ONLY, "wiki-1": NEAR_ONLY},
    )


def small_company() -> Scene:
    """Return the estate of the recording, which begins without a history."""
    return Scene(
        REPOSITORY / "policies",
        paced(acme(), FOREIGN),
        datetime(2026, 11, 13, 1, 30, tzinfo=UTC),
        {
            "orders-1": EVERYWHERE,
            "orders-ledger": EVERYWHERE,
            "shop-1": NEAR_ONLY,
            "crm-1": IN_FRANKFURT,
            "wiki-1": AT_HOME,
            "warehouse-1": frozenset({(ANALYTICS, IRELAND)}),
        },
    )


def shipped_acme() -> Scene:
    """Return the estate that ships, after two weeks of its history."""
    history = read_history(files("engine.lab").joinpath(HISTORY).read_bytes())
    accounts = {"prod": PROD, "vault": VAULT, "analytics": ANALYTICS}
    gold = ("orders-1", "orders-ledger", "billing", "crm", "customers")
    return Scene(
        REPOSITORY / "policies",
        paced(shipped(NIGHT)),
        NIGHT,
        dict.fromkeys(gold, EVERYWHERE)
        | {
            "crm-eu": IN_FRANKFURT | {(VAULT, IRELAND)},
            "shop": NEAR_ONLY,
            "erp": NEAR_ONLY,
            "wiki": AT_HOME,
            "search": frozenset({(PROD, FRANKFURT)}),
            "warehouse": frozenset({(ANALYTICS, IRELAND)}),
        },
        frozenset(
            f"arn:aws:rds:{one.region}:{accounts[one.account]}:snapshot:{one.identifier}"
            for one in history
        ),
    )


@contextmanager
def days_of(scene: Scene, folder: Path, number: int, failovers: Failovers) -> Iterator[Days]:
    """Let days of a scene pass in a lab."""
    with ForkedLab.start(scene.seed, speed=1.0, at=scene.start) as lab:
        world = World(lab, working_folder(folder, scene.documents))
        days = Days(world, scene.start, scene.points, scene.history)
        days.pass_by(number, failovers)
        sys.stdout.write(days.figures())
        yield days


def of_prod(*named: str) -> list[tuple[str, str, str]]:
    """Return databases of the account in Ireland."""
    return [(PROD, IRELAND, name) for name in named]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """Four days of three databases, one of which fails over and back."""
    (orders,) = of_prod("orders-1")
    folder = tmp_path_factory.mktemp("few")
    with days_of(three_databases(), folder, 4, {(1, 2): orders, (2, 2): orders}) as days:
        yield days


@pytest.fixture(scope="module")
def few_of_acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """Three days of the estate that ships; what takes a bridge fails over and back."""
    (crm,) = of_prod("crm")
    folder = tmp_path_factory.mktemp("few-of-acme")
    with days_of(shipped_acme(), folder, 3, {(0, 2): crm, (1, 2): crm}) as days:
        yield days


@pytest.fixture(scope="module")
def thirty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """Thirty days of the example repository, as a small company would run it."""
    (orders,) = of_prod("orders-1")
    failovers = {(day, 2): orders for day in (3, 5, 17, 18, 26)}
    folder = tmp_path_factory.mktemp("thirty")
    with days_of(small_company(), folder, 30, failovers) as days:
        yield days


@pytest.fixture(scope="module")
def thirty_of_acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    """Thirty days of the estate that ships; all kinds of databases fail over, some of them back.

    One does so while its snapshot is being made, so that nobody knows the zone it came from.
    """
    orders, crm, erp, billing, shop, customers = of_prod(
        "orders-1", "crm", "erp", "billing", "shop", "customers"
    )
    failovers = {
        (2, 2): orders,
        (4, 2): crm,
        (6, 1): erp,
        (9, 2): orders,
        (10, 0): customers,
        (12, 5): (PROD, FRANKFURT, "crm-eu"),
        (13, 2): billing,
        (15, 3): shop,
        (20, 2): crm,
        (21, 2): crm,
        (25, 2): orders,
    }
    folder = tmp_path_factory.mktemp("thirty-of-acme")
    with days_of(shipped_acme(), folder, 30, failovers) as days:
        yield days


@pytest.fixture(
    params=[
        "few",
        "few_of_acme",
        pytest.param("thirty", marks=pytest.mark.slow),
        pytest.param("thirty_of_acme", marks=pytest.mark.slow),
    ]
)
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
    assert {entry["arn"] for entry in days.made()} == set(days.forecasts)


def test_what_is_not_the_engines_stays_as_it_was(days: Days) -> None:
    assert len(days.foreign_before) >= len(FOREIGN)
    assert days.foreign() == days.foreign_before


def test_no_call_is_made_in_vain(days: Days) -> None:
    assert days.refusals == []
    found = days.made()
    assert days.calls["CreateDBSnapshot"] == sum(entry["origin"] is None for entry in found)
    assert days.calls["CopyDBSnapshot"] == sum(entry["origin"] is not None for entry in found)
    assert days.calls["DeleteDBSnapshot"] == len(days.removed())
    assert days.calls["DeleteDBSnapshot"] > 0
    assert days.calls["ListTagsForResource"] == 0


def test_a_forecast_that_one_of_the_texts_denies_is_wrong() -> None:
    under = {
        "documentation": {"stored": "full", "rule": "most_recent_copy_deleted"},
        "blog": {"stored": "incremental", "rule": "newest_in_chain"},
    }
    truth = [{"arn": "copy", "under": under}]
    denied = "copy: forecast incremental, documentation: full (most_recent_copy_deleted)"
    assert wrong({"copy": "incremental"}, truth) == [denied]
    assert wrong({"copy": "likely_incremental"}, truth) == []
