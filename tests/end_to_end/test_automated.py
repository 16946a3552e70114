"""The example of docs/automated-backups.md against the lab, with the AWS CLI as the witness."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.lab.estates import IRELAND, PROD, ROLES, zones_of
from engine.lab.seeds import AccountSeed, InstanceSeed, KeySeed, Seed, seed_document
from tests.end_to_end.estates import FRANKFURT
from tests.end_to_end.harness import REPOSITORY, World, working_folder
from tests.forking.labs import ForkedLab

EXAMPLE = REPOSITORY / "docs" / "examples" / "automated"
# A Wednesday; the maintenance window opens on Sunday.
NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def database(name: str, **more: Any) -> InstanceSeed:
    return InstanceSeed(
        "prod",
        IRELAND,
        name,
        tags={"tier": "gold"},
        key="alias/orders",
        maintenance_window="sun:06:00-sun:06:30",
        **more,
    )


def seed() -> Any:
    return seed_document(
        Seed(
            accounts={
                "prod": AccountSeed(PROD, zones={IRELAND: zones_of(IRELAND, 3, 1, 2)}, roles=ROLES)
            },
            keys=(
                KeySeed("prod", IRELAND, "alias/orders"),
                KeySeed("prod", FRANKFURT, "alias/backups"),
            ),
            instances=(
                database("orders-1"),
                database("archive", retention_days=0),
                database("orders-scratch"),
                database("leaving"),
            ),
        )
    )


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = working_folder(tmp_path_factory.mktemp("automated") / "work", EXAMPLE)
    with ForkedLab.start(seed(), speed=20.0, at=NOON) as lab:
        yield World(lab, folder)


def instances(world: World) -> dict[str, dict[str, Any]]:
    listed = world.aws(PROD, IRELAND, "rds", "describe-db-instances")["DBInstances"]
    return {one["DBInstanceIdentifier"]: one for one in listed}


def received(world: World) -> dict[tuple[str, str], int]:
    """What Frankfurt has, by database and status: its retention."""
    listed = world.aws(PROD, FRANKFURT, "rds", "describe-db-instance-automated-backups")
    return {
        (one["DBInstanceIdentifier"], one["Status"]): one["BackupRetentionPeriod"]
        for one in listed["DBInstanceAutomatedBackups"]
    }


def regions(instance: dict[str, Any]) -> list[str]:
    links = instance.get("DBInstanceAutomatedBackupsReplications", [])
    return [one["DBInstanceAutomatedBackupsArn"].split(":")[3] for one in links]


def about_backups(plan: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    """What a plan does about automated backups, of which database, and what withholds it."""
    return [
        (step["action"], step["source"]["identifier"], step["withheld_by"])
        for step in plan["steps"]
        if step["slot"] is None and step["arn"].split(":")[5] == "db"
    ]


def rewrite(world: World, old: str, new: str) -> None:
    file = world.folder / "policies" / "automated.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_example_does_what_its_page_says(world: World) -> None:
    # Somebody left something pending that is none of the engine's business.
    world.aws(
        PROD, IRELAND, "rds", "modify-db-instance",
        "--db-instance-identifier", "orders-1", "--allocated-storage", "500",
    )  # fmt: skip

    done = world.apply("-json", "-wait").insist(4).outcome()

    assert done["exit_code"] == 4
    now = instances(world)
    settings = {
        name: (one["BackupRetentionPeriod"], one["PreferredBackupWindow"], regions(one))
        for name, one in now.items()
    }
    assert settings == {
        "orders-1": (14, "00:00-00:45", [FRANKFURT]),
        "archive": (0, "00:00-00:45", []),
        "orders-scratch": (1, "00:00-00:45", []),
        "leaving": (14, "00:00-00:45", [FRANKFURT]),
    }
    assert now["orders-1"]["PendingModifiedValues"] == {"AllocatedStorage": 500}
    assert received(world) == {("orders-1", "replicating"): 7, ("leaving", "replicating"): 7}
    again = world.planned()
    assert about_backups(again) == [("modify_automated_backups", "archive", "backup_outage")]
    _turned_on_in_the_maintenance_window(world, again)
    _moved_to_another_retention_and_stopped(world)


def _turned_on_in_the_maintenance_window(world: World, plan: dict[str, Any]) -> None:
    (guard,) = [one for one in plan["guards"] if one["guard"] == "backup_outage"]
    world.apply("-wait", "-acknowledge", guard["acknowledge"]).insist()
    archive = instances(world)["archive"]
    assert archive["BackupRetentionPeriod"] == 0
    assert archive["PendingModifiedValues"] == {"BackupRetentionPeriod": 14}
    waiting = world.planned()
    assert about_backups(waiting) == []
    assert {"backups_pending", "backups_off"} <= {one["code"] for one in waiting["waiting"]}
    world.move_to(SUNDAY)
    assert instances(world)["archive"]["BackupRetentionPeriod"] == 14
    world.apply("-wait").insist()
    assert regions(instances(world)["archive"]) == [FRANKFURT]


def _moved_to_another_retention_and_stopped(world: World) -> None:
    rewrite(world, "retention_days: 7}}", "retention_days: 3}}")
    moved = [action for action, _, _ in about_backups(world.planned())]
    assert sorted(moved) == ["replicate_automated_backups"] * 3 + ["stop_replication"] * 3
    world.apply("-wait").insist()
    found = received(world)
    assert found["orders-1", "replicating"] == 3
    assert found["orders-1", "retained"] == 7

    rewrite(world, "{target: far, retention_days: 3}", "null")
    silent = world.planned()
    assert about_backups(silent) == []
    assert sum(one["code"].startswith("W351") for one in silent["warnings"]) == 3

    rewrite(world, "replicate_to: null", "replicate_to: none")
    world.apply("-wait").insist()
    assert {status for _, status in received(world)} == {"retained"}
    assert not any(regions(one) for one in instances(world).values())
    kept = world.planned()["retained"]
    assert {(one["location"]["region"], one["text"]) for one in kept} == {
        (FRANKFURT, "its replication to here was stopped")
    }


def test_silent_death_and_what_is_retained_are_told(world: World) -> None:
    world.apply("-wait").insist(4)
    key = world.key(PROD, FRANKFURT, "alias/backups")
    world.aws(
        PROD, IRELAND, "rds", "delete-db-instance", "--db-instance-identifier", "leaving",
        "--skip-final-snapshot", "--no-delete-automated-backups",
    )  # fmt: skip
    world.kms(PROD, FRANKFURT).disable_key(KeyId=key)
    world.move_to(NOON + 3 * HOUR)

    plan = world.planned()
    assert [one["source"] for one in plan["warnings"] if one["code"].startswith("E349")] == [
        f"{PROD}/{IRELAND}/orders-1"
    ]
    (gone,) = [one for one in plan["retained"] if one["location"]["region"] == IRELAND]
    assert (gone["source"]["identifier"], gone["text"]) == ("leaving", "the database is deleted")
    end = datetime.fromisoformat(gone["until"])
    assert NOON + timedelta(days=14) - HOUR < end < NOON + timedelta(days=14) + 3 * HOUR
    assert "Retained automated backups: 1 database" in world.plan().insist().out
    drift = world.run("drift", "-json", "-at", world.now()).insist(2)
    assert [one["code"] for one in json.loads(drift.out)["drift"]].count("replication_died") == 1

    # The way out that the warning names: enable the key, stop it by hand, apply.
    world.kms(PROD, FRANKFURT).enable_key(KeyId=key)
    world.move_to(NOON + 40 * HOUR)
    assert any(one["code"].startswith("E349") for one in world.planned()["warnings"])
    arn = instances(world)["orders-1"]["DBInstanceArn"]
    world.aws(
        PROD, FRANKFURT, "rds", "stop-db-instance-automated-backups-replication",
        "--source-db-instance-arn", arn,
    )  # fmt: skip
    world.apply("-wait").insist(4)
    assert regions(instances(world)["orders-1"]) == [FRANKFURT]
    assert not any(one["code"].startswith("E349") for one in world.planned()["warnings"])


def test_what_somebody_changes_after_the_plan_is_not_overwritten(world: World) -> None:
    saved = world.folder / "noon.plan"
    world.plan("-out", str(saved)).insist()
    world.aws(
        PROD, IRELAND, "rds", "modify-db-instance",
        "--db-instance-identifier", "orders-1", "--backup-retention-period", "30",
    )  # fmt: skip
    world.apply(str(saved), "-wait").insist(5)
    now = instances(world)
    assert now["orders-1"]["BackupRetentionPeriod"] == 30
    assert now["leaving"]["BackupRetentionPeriod"] == 14
    drift = json.loads(world.run("drift", "-json", "-at", world.now()).insist(2).out)["drift"]
    (changed,) = [one for one in drift if one["source"]["identifier"] == "orders-1"]
    assert (changed["code"], changed["found"]) == (
        "backups_differ",
        "30 days, 13:14-13:44 UTC",
    )
    assert "Backup retention period changed" in changed["text"]
