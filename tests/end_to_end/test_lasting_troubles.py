"""Troubles that last, night after night: a dead target, and policies and tags that are removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.lab.estates import IRELAND, PROD, VAULT, small
from tests.end_to_end.harness import THIN, World, working_folder
from tests.forking.labs import ForkedLab

START = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
DAY = timedelta(days=1)
QUOTA = 4
NIGHTS = 7
DOCUMENT = (THIN / "thin.yaml").read_text()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = working_folder(tmp_path / "repository", DOCUMENT)
    with ForkedLab.start(small(), speed=20.0, at=START) as lab:
        yield World(lab, folder)


def edit(world: World, old: str, new: str) -> None:
    path = world.folder / "policies" / "all.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def slots(world: World, account: str) -> list[str]:
    """The slots of the engine's points in an account."""
    return sorted(one.slot or "" for one in world.owned().values() if one.account == account)


def night(number: int) -> str:
    return (START + number * DAY).strftime("%Y-%m-%dT02:00:00Z")


def test_a_target_that_stays_dead_does_not_fill_the_quota_of_the_source(world: World) -> None:
    world.apply("-wait").insist()
    kms = world.kms(VAULT, IRELAND)
    kms.delete_alias(AliasName="alias/backups")
    world.lab.client.change_settings(manual_snapshots=QUOTA)
    for number in range(1, NIGHTS):
        world.move_to(START + number * DAY)
        done = world.apply("-wait").insist(6)
        assert "check: " in done.out
        assert night(number) in slots(world, PROD), "the night has its point"
    assert slots(world, VAULT) == [night(0)], "what is there stays"
    assert len(slots(world, PROD)) <= QUOTA
    assert set(slots(world, PROD)) >= {night(NIGHTS - 2), night(NIGHTS - 1)}


def test_removing_a_tag_or_a_policy_deletes_nothing_until_the_estate_retires_it(
    world: World,
) -> None:
    for number in range(2):
        world.move_to(START + number * DAY)
        world.apply("-wait").insist()
    everything = set(world.owned())
    assert len(everything) == 4

    rds = world.rds(PROD, IRELAND)
    database = rds.describe_db_instances()["DBInstances"][0]["DBInstanceArn"]
    rds.remove_tags_from_resource(ResourceName=database, TagKeys=["tier"])
    world.move_to(START + 2 * DAY)
    assert left_alone(world, "source_unmatched") == everything

    edit(world, "\nname: gold", "\nname: silver")
    world.move_to(START + 60 * DAY)
    assert left_alone(world, "source_unmatched") == everything
    rds.add_tags_to_resource(ResourceName=database, Tags=[{"Key": "tier", "Value": "gold"}])
    world.apply("-wait").insist()
    assert set(world.owned()) > everything
    assert {one["code"] for one in world.planned()["unmanaged"]} == {"policy_gone"}

    edit(world, "targets:", "retire: [{policy: gold, reason: replaced by silver}]\ntargets:")
    world.apply("-wait").insist()
    assert not set(world.owned()) & everything
    assert len(world.owned()) == 2


def left_alone(world: World, code: str) -> set[str]:
    """Apply, and return what is there; all of it must be told of as unmanaged, in every form."""
    plan = world.planned()
    assert {one["code"] for one in plan["unmanaged"]} == {code}
    assert not [step for step in plan["steps"] if step["action"] == "delete_snapshot"]
    done = world.apply("-wait").insist()
    assert "Unmanaged: 4 snapshots that no policy decides about" in done.out
    assert {one["arn"] for one in world.planned()["unmanaged"]} == set(world.owned())
    return set(world.owned())
