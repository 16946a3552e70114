"""The examples of docs/sources.md: a replica as the source, and copies of automated snapshots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from engine.lab.estates import IRELAND, PROD, VAULT
from tests.end_to_end.estates import estate_of
from tests.end_to_end.forecasts import Forecasts, forecasts_of, wrong
from tests.end_to_end.harness import REPOSITORY, World, working_folder
from tests.end_to_end.story import DATABASE_NAME, FIRST_NIGHT, FOLLOWED, REPLICA, SPEED, night
from tests.forking.labs import ForkedLab

EXAMPLES = REPOSITORY / "docs" / "examples"
Shown = dict[str, Any]


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = working_folder(tmp_path_factory.mktemp("replica"), EXAMPLES / "replica")
    with ForkedLab.start(estate_of(FOLLOWED, REPLICA), speed=SPEED, at=FIRST_NIGHT) as lab:
        lab.client.change_settings(automated_backups=False)
        yield World(lab, folder)


def test_the_example_goes_on_through_failover_lag_and_a_new_replica(world: World) -> None:
    forecasts: Forecasts = {}
    said: list[Shown] = []

    def a_night(day: int) -> Shown:
        """Let a night pass; return what the AWS CLI shows of its point."""
        world.move_to(night(day))
        plan = world.planned()
        forecasts.update(forecasts_of(plan))
        said.append(plan)
        world.apply("-wait").insist()
        return newest(world, PROD)

    first = a_night(1)
    world.lab.client.fail_over(PROD, IRELAND, DATABASE_NAME)
    second = a_night(2)
    assert taken_of(first) == taken_of(second) == (REPLICA.identifier, first["DbiResourceId"])

    world.lab.client.change_settings(replica_lag_seconds=7200.0)
    late = a_night(3)
    behind = moment(late, "OriginalSnapshotCreateTime") - moment(late, "SnapshotDatabaseTime")
    assert behind == timedelta(hours=2)
    world.lab.client.change_settings(replica_lag_seconds=0.0)
    stood_in = a_night(4)
    assert stood_in["DBInstanceIdentifier"] == DATABASE_NAME
    assert warned(said[-1]) == ["W404 replica-missed"]
    assert a_night(5)["DBInstanceIdentifier"] == REPLICA.identifier

    build_anew(world)
    rebuilt = a_night(6)
    assert rebuilt["DBInstanceIdentifier"] == REPLICA.identifier
    assert rebuilt["DbiResourceId"] not in {first["DbiResourceId"], stood_in["DbiResourceId"]}

    assert [verdict(plan, PROD) for plan in said] == [
        "full", "incremental", "incremental", "full", "incremental", "full",
    ]  # fmt: skip
    assert wrong(forecasts, world.lab.client.truth()) == []
    assert [warned(plan) for plan in said[:3] + said[4:]] == [[]] * 5
    for account in (PROD, VAULT):
        points = world.aws(account, IRELAND, *LISTING)["DBSnapshots"]
        assert len(points) == 6
        assert len({tag(one, "engine:resource") for one in points}) == 1
    world.plan("-detailed-exitcode").insist()


@dataclass(frozen=True)
class Copied:
    """What three nights of copies of automated snapshots left, and a fourth one without any."""

    plans: list[Shown]
    forecasts: Forecasts
    wrong: list[str]
    calls: Counter[str]
    waiting: list[str]
    point: Shown
    automated: list[Shown]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Copied:
    folder = working_folder(tmp_path_factory.mktemp("automated"), EXAMPLES / "seeding")
    database = msgspec.structs.replace(FOLLOWED, retention_days=7)
    plans: list[Shown] = []
    forecasts: Forecasts = {}
    with ForkedLab.start(estate_of(database), speed=SPEED, at=night(0)) as lab:
        world = World(lab, folder)
        for day in (1, 2, 3):
            world.move_to(night(day))
            plans.append(world.planned())
            forecasts |= forecasts_of(plans[-1])
            done = world.apply("-wait", "-json").insist().outcome()
            assert done["counts"] == {"done": len(plans[-1]["steps"])}
            world.plan("-detailed-exitcode").insist()
        lab.client.change_settings(automated_backups=False)
        world.move_to(night(5))
        automated = world.aws(PROD, IRELAND, *LISTING[:2], "--snapshot-type", "automated")
        return Copied(
            plans,
            forecasts,
            wrong(forecasts, lab.client.truth()),
            Counter(call["operation"] for call in lab.client.calls()),
            [one["code"] for one in world.planned()["waiting"]],
            newest(world, PROD),
            automated["DBSnapshots"],
        )


def test_the_aws_cli_shows_the_automated_snapshot_that_a_point_is_a_copy_of(
    copied: Copied,
) -> None:
    point = copied.point
    by_time = {one["OriginalSnapshotCreateTime"]: one for one in copied.automated}
    origin = by_time[point["OriginalSnapshotCreateTime"]]
    assert (point["SnapshotType"], origin["SnapshotType"]) == ("manual", "automated")
    assert point["KmsKeyId"] == origin["KmsKeyId"]
    assert tag(point, "engine:role") == "primary"
    assert tag(point, "engine:az-checked") == "true"
    (step,) = (one for one in copied.plans[-1]["steps"] if one["reason"]["code"] == "slot_due")
    assert step["parameters"]["SourceDBSnapshotIdentifier"] == origin["DBSnapshotArn"]
    assert step["action"] == "copy_snapshot"


def test_a_database_whose_automated_snapshots_are_copied_is_never_snapshotted(
    copied: Copied,
) -> None:
    assert copied.calls["CreateDBSnapshot"] == 0
    assert copied.calls["CopyDBSnapshot"] == 6
    assert copied.waiting == ["no_automated_snapshot"]


def test_forecasts_of_copies_of_automated_snapshots_hold(copied: Copied) -> None:
    assert Counter(copied.forecasts.values()) == {"full": 2, "likely_incremental": 4}
    assert copied.wrong == []


LISTING = ("rds", "describe-db-snapshots", "--snapshot-type", "manual")


def newest(world: World, account: str) -> Shown:
    shown = world.aws(account, IRELAND, *LISTING)["DBSnapshots"]
    found: Shown = max(shown, key=lambda one: tag(one, "engine:slot"))
    return found


def taken_of(shown: Shown) -> tuple[str, str]:
    return shown["DBInstanceIdentifier"], tag(shown, "engine:volume")


def tag(shown: Shown, key: str) -> str:
    (value,) = (one["Value"] for one in shown["TagList"] if one["Key"] == key)
    return str(value)


def moment(shown: Shown, name: str) -> datetime:
    return datetime.fromisoformat(shown[name])


def warned(plan: Shown) -> list[str]:
    return [one["code"] for one in plan["warnings"] if one["code"].startswith("W404")]


def verdict(plan: Shown, account: str) -> str:
    (found,) = (
        step["forecast"]["verdict"]
        for step in plan["steps"]
        if step["action"] == "create_snapshot" and step["location"]["account"] == account
    )
    return str(found)


def build_anew(world: World) -> None:
    """Let somebody delete the replica and make another one under its name."""
    rds = world.rds(PROD, IRELAND)
    rds.delete_db_instance(DBInstanceIdentifier=REPLICA.identifier, SkipFinalSnapshot=True)
    world.lab.client.forward(60)
    rds.create_db_instance_read_replica(
        DBInstanceIdentifier=REPLICA.identifier,
        SourceDBInstanceIdentifier=DATABASE_NAME,
        AvailabilityZone="eu-west-1c",
        MultiAZ=False,
    )
    world.lab.client.forward(60)
