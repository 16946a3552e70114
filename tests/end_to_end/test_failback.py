"""The examples of failbacks: proposed and done with the AWS CLI, or done in the window."""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.lab.estates import IRELAND, PROD
from tests.end_to_end.estates import estate_of
from tests.end_to_end.harness import REPOSITORY, World, working_folder
from tests.end_to_end.story import DATABASE_NAME, FIRST_NIGHT, MULTI_AZ, SPEED, night
from tests.forking.labs import ForkedLab

EXAMPLE = REPOSITORY / "docs" / "examples" / "failback"
IN_WINDOW = REPOSITORY / "docs" / "examples" / "failback-in-window"
# The database is maintained on Sundays from six to half past; the first night is a Monday's.
WINDOW = FIRST_NIGHT + timedelta(days=6, hours=4)


def proposals(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in plan["warnings"] if one["code"] == "W406 fail-back"]


def test_a_failback_done_as_proposed_spares_what_was_said(tmp_path: Path) -> None:
    folder = working_folder(tmp_path / "work", EXAMPLE)
    with ForkedLab.start(estate_of(MULTI_AZ), speed=SPEED, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        world.apply("-wait").insist()
        lab.client.fail_over(PROD, IRELAND, DATABASE_NAME)
        world.move_to(night(2))
        moved = world.planned()
        (proposal,) = proposals(moved)
        assert "would spare 2 full snapshots and copies, up to 200 GiB" in proposal["text"]
        assert "(Multi-AZ instance failover completed)" in proposal["text"]
        assert moved["summary"]["full"] == 2
        assert "W406" in world.plan().insist().out

        _, _, command = proposal["fix"].partition(": aws ")
        world.aws(PROD, IRELAND, *shlex.split(command))
        lab.client.forward(60)
        shown = world.aws(PROD, IRELAND, "rds", "describe-db-instances")["DBInstances"]
        assert [one["AvailabilityZone"] for one in shown] == ["eu-west-1a"]

        back = world.planned()
        assert proposals(back) == []
        assert back["summary"]["full"] == 0
        assert back["summary"]["incremental"] == 2
        world.apply("-wait").insist()
        stored = [one["under"]["blog"]["stored"] for one in lab.client.truth()]
    assert sorted(stored) == ["full", "full", "incremental", "incremental"]


def zones(world: World) -> list[str]:
    shown = world.aws(PROD, IRELAND, "rds", "describe-db-instances")["DBInstances"]
    return [one["AvailabilityZone"] for one in shown]


def test_in_its_window_a_database_fails_back_once_somebody_acknowledged_it(tmp_path: Path) -> None:
    folder = working_folder(tmp_path / "work", IN_WINDOW)
    with ForkedLab.start(estate_of(MULTI_AZ), speed=SPEED, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        world.apply("-wait").insist()
        lab.client.fail_over(PROD, IRELAND, DATABASE_NAME)
        world.move_to(night(7))
        world.apply("-wait").insist()
        assert zones(world) == ["eu-west-1b"]

        world.move_to(WINDOW)
        held = world.planned()
        (guard,) = [one for one in held["guards"] if one["guard"] == "fail_back"]
        (proposal,) = proposals(held)
        assert guard["acknowledge"] in proposal["fix"]
        assert world.apply("-wait").code == 4
        assert zones(world) == ["eu-west-1b"]

        done = world.apply("-wait", "-acknowledge", guard["acknowledge"]).insist()
        assert "fail_over" in done.out + done.err
        lab.client.forward(60)
        assert zones(world) == ["eu-west-1a"]
        calls = [one for one in lab.client.calls() if one["operation"] == "RebootDBInstance"]
        assert len(calls) == 1

        world.move_to(night(8))
        assert not proposals(world.planned())
        world.apply("-wait").insist()
        stored = [one["under"]["blog"]["stored"] for one in lab.client.truth()]
    assert sorted(stored) == ["full", "full", "full", "full", "incremental", "incremental"]
