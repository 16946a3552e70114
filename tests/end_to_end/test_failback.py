"""The example of a failback that a plan proposes, and a person does with the AWS CLI."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from engine.lab.estates import IRELAND, PROD
from engine.lab.process import LabProcess
from tests.end_to_end.estates import estate_of
from tests.end_to_end.harness import REPOSITORY, World, working_folder
from tests.end_to_end.story import DATABASE_NAME, FIRST_NIGHT, MULTI_AZ, SPEED, night

EXAMPLE = REPOSITORY / "docs" / "examples" / "failback"


def proposals(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in plan["warnings"] if one["code"] == "W406 fail-back"]


def test_a_failback_done_as_proposed_spares_what_was_said(tmp_path: Path) -> None:
    folder = working_folder(tmp_path / "work", EXAMPLE)
    with LabProcess.start(estate_of(MULTI_AZ), speed=SPEED, at=FIRST_NIGHT) as lab:
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
