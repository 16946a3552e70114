"""Routes that need more than a share: the default key, no key, two regions of one account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.lab.estates import IRELAND, PROD
from tests.end_to_end.estates import (
    DEFAULT_KEY,
    DEFAULT_KEY_TO_BOTH,
    DOCUMENTS,
    FAR,
    NEAR,
    ORDERS,
    SHARING,
    UNENCRYPTED,
    Alias,
    estate_of,
)
from tests.end_to_end.forecasts import forecasts_of, wrong
from tests.end_to_end.harness import (
    Seen,
    World,
    announced,
    keys_of_instances,
    working_folder,
)
from tests.forking.labs import ForkedLab

FIRST_NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
NIGHTS = 3


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = working_folder(tmp_path_factory.mktemp("routes"), DOCUMENTS)
    seed = estate_of(ORDERS, DEFAULT_KEY, DEFAULT_KEY_TO_BOTH, UNENCRYPTED)
    with ForkedLab.start(seed, speed=20.0, at=FIRST_NIGHT) as lab:
        yield World(lab, folder)


@pytest.fixture(scope="module")
def nights(world: World) -> list[dict[str, Any]]:
    """Apply a plan each night, hold what is there to what it announced; return the plans."""
    plans = []
    for night in range(NIGHTS):
        world.move_to(FIRST_NIGHT + timedelta(days=night))
        before = world.seen()
        plan = world.planned()
        done = world.apply("-wait", "-json").insist()
        assert done.outcome()["counts"] == {"done": len(plan["steps"])}
        assert world.seen() == announced(before, plan, keys_of_instances(world))
        world.plan("-detailed-exitcode").insist()
        plans.append(plan)
    return plans


def of(world: World, database: str, role: str) -> list[Seen]:
    """Return what the engine made of a database, in the order of its slots."""
    found = [one for one in world.owned().values() if (one.instance, one.role) == (database, role)]
    return sorted(found, key=lambda one: (one.region, one.slot or ""))


def key_of(world: World, alias: Alias) -> str:
    return world.key(alias.account, alias.region, alias.name)


def steps(plan: dict[str, Any], database: str) -> Counter[str]:
    return Counter(
        step["action"] for step in plan["steps"] if step["source"]["identifier"] == database
    )


@pytest.mark.usefixtures("nights")
def test_a_database_under_the_default_key_goes_through_one_bridge(world: World) -> None:
    default = {one.key for one in of(world, "legacy-1", "primary")}
    (bridge,) = of(world, "legacy-1", "bridge")
    copies = of(world, "legacy-1", "copy")
    assert default == {keys_of_instances(world)[f"arn:aws:rds:{IRELAND}:{PROD}:db:legacy-1"]}
    assert (bridge.account, bridge.key) == (PROD, key_of(world, SHARING))
    assert default != {bridge.key}
    assert [one.key for one in copies] == [key_of(world, NEAR)] * 2
    assert bridge.slot == copies[-1].slot
    assert copies[-1].tags["engine:origin"] == bridge.arn
    assert len(copies[-1].tags["engine:keys"].split("/")) == 3


def test_a_bridge_goes_once_its_successor_is_there(nights: list[dict[str, Any]]) -> None:
    made = {"create_snapshot": 1, "copy_snapshot": 2, "share_snapshot": 1, "unshare_snapshot": 1}
    assert steps(nights[0], "legacy-1") == made
    assert steps(nights[1], "legacy-1") == made | {"delete_snapshot": 1}
    assert steps(nights[2], "legacy-1") == made | {"delete_snapshot": 3}


@pytest.mark.usefixtures("nights")
def test_one_bridge_serves_two_regions(world: World) -> None:
    (bridge,) = of(world, "ledger-1", "bridge")
    copies = of(world, "ledger-1", "copy")
    assert [one.key for one in copies] == [key_of(world, FAR)] * 2 + [key_of(world, NEAR)] * 2
    newest = [one for one in copies if one.slot == bridge.slot]
    assert {one.tags["engine:origin"] for one in newest} == {bridge.arn}


@pytest.mark.usefixtures("nights")
def test_what_is_not_encrypted_is_in_the_vault(world: World) -> None:
    assert {one.key for one in of(world, "wiki-1", "primary")} == {None}
    assert of(world, "wiki-1", "bridge") == []
    assert [one.key for one in of(world, "wiki-1", "copy")] == [key_of(world, NEAR)] * 2


def test_two_regions_of_an_account_share_one_share(nights: list[dict[str, Any]]) -> None:
    for database in ("orders-1", "ledger-1"):
        counted = steps(nights[-1], database)
        assert counted["share_snapshot"] == counted["unshare_snapshot"] == 1
    assert steps(nights[-1], "orders-1")["copy_snapshot"] == 2
    (unshare,) = (
        step
        for step in nights[-1]["steps"]
        if step["action"] == "unshare_snapshot" and step["source"]["identifier"] == "orders-1"
    )
    assert len([one for one in unshare["depends_on"] if one.startswith("copy:")]) == 2


def test_forecasts_called_certain_came_true(world: World, nights: list[dict[str, Any]]) -> None:
    forecasts = {arn: said for plan in nights for arn, said in forecasts_of(plan).items()}
    assert wrong(forecasts, world.lab.client.truth()) == []
    encrypting = [arn for arn in forecasts if ":222222222222:snapshot:wiki-1-" in arn]
    assert [forecasts[arn] for arn in encrypting] == ["full"] * NIGHTS
    assert "incremental" in forecasts.values()


@pytest.mark.usefixtures("nights")
def test_nothing_stays_shared(world: World) -> None:
    assert [one.arn for one in world.seen().values() if one.shared_with] == []
