"""The installed command against the lab over HTTP; what came of it is read with plain boto3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.lab.estates import IRELAND, PROD, VAULT, small
from engine.lab.process import LabProcess
from tests.forking.labs import ForkedLab

REPOSITORY = Path(__file__).parents[2]
FIRST_NIGHT = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
DOCUMENTS = """\
version: 1
kind: estate
name: acme
account_defaults: {role: backup-engine, read_role: backup-reader, regions: [eu-west-1]}
accounts:
  prod:  {id: "111111111111"}
  vault: {id: "222222222222"}
targets:
  local: {account: vault, region: eu-west-1, key: alias/backups}
---
version: 1
kind: policy
name: gold
select: {tags: {tier: gold}}
snapshots:
  schedule: {every: 1d, window: "02:00-05:00"}
  retention: {keep: {last: 1}}
  copies:
    - {target: local}
"""


@dataclass(frozen=True)
class World:
    lab: LabProcess
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.lab.environment(PROD, IRELAND), "PYTHONPATH": str(REPOSITORY)}

    def now(self) -> str:
        return self.lab.client.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def engine(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run(["-m", "engine", command, *words, "-at", self.now()])

    def apply(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.engine("apply", "-auto-approve", "-poll-interval", "1s", *words)

    def apply_killed(self, when: str, line: int) -> int:
        words = ["apply", "-auto-approve", "-wait", "-poll-interval", "1s", "-at", self.now()]
        return self._run(["-m", "tests.applying.killed", when, str(line), *words]).returncode

    def plan_is_empty(self) -> bool:
        return self.engine("plan", "-detailed-exitcode").returncode == 0

    def _run(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def snapshots(self, account: str) -> list[dict[str, Any]]:
        """Return the manual snapshots of an account with tags and shares, as AWS tells them."""
        import boto3

        variables = self.lab.environment(account, IRELAND)
        rds = boto3.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
            region_name=IRELAND,
        ).client("rds", endpoint_url=self.lab.endpoint)
        found: list[Any] = list(rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"])
        for one in found:
            answer = rds.describe_db_snapshot_attributes(
                DBSnapshotIdentifier=one["DBSnapshotIdentifier"]
            )
            attributes = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
            one["shared"] = [value for each in attributes for value in each["AttributeValues"]]
            one["tags"] = {tag["Key"]: tag["Value"] for tag in one["TagList"]}
        return found

    def assert_one_point_each(self, slot: datetime) -> None:
        """Nothing but the point of `slot` and its copy: available, checked, not shared."""
        written = slot.strftime("%Y-%m-%dT%H:%M:%SZ")
        for account, role in ((PROD, "primary"), (VAULT, "copy")):
            (one,) = self.snapshots(account)
            assert one["Status"] == "available"
            assert one["tags"]["engine:slot"] == written
            assert one["tags"]["engine:role"] == role
            assert one["tags"]["engine:az-checked"] == "true"
            assert "engine:shared" not in one["tags"]
            assert one["shared"] == []

    def next_night(self) -> datetime:
        """Move to ten past two of the next day; return the slot that is due then."""
        today = self.lab.client.now()
        night = today.replace(hour=2, minute=10, second=0) + timedelta(days=1)
        self.lab.client.move_to(night)
        return night.replace(minute=0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("repository")
    (folder / "policies").mkdir()
    (folder / "policies" / "all.yaml").write_text(DOCUMENTS)
    with ForkedLab.start(small(), speed=10.0, at=FIRST_NIGHT) as lab:
        yield World(lab, folder)


def test_a_saved_plan_is_done_as_announced_and_the_next_plan_is_empty(world: World) -> None:
    slot = FIRST_NIGHT.replace(minute=0)
    assert world.engine("plan", "-out", "plan.json").returncode == 0
    world.lab.client.forget_calls()
    done = world.engine("apply", "plan.json", "-wait", "-poll-interval", "1s", "-json")
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert outcome["counts"] == {"done": 4}
    calls = Counter(call["operation"] for call in world.lab.client.calls())
    assert calls["CreateDBSnapshot"] == calls["CopyDBSnapshot"] == 1
    assert calls["ModifyDBSnapshotAttribute"] == 2
    # The zone confirmed, the share written down; the share struck out.
    assert calls["AddTagsToResource"] == 2
    assert calls["RemoveTagsFromResource"] == 1
    assert calls["ListTagsForResource"] == calls["DescribeDBSnapshotAttributes"] == 0
    world.assert_one_point_each(slot)
    (copy,) = world.snapshots(VAULT)
    assert copy["KmsKeyId"] != world.snapshots(PROD)[0]["KmsKeyId"]
    assert world.plan_is_empty()


def test_runs_that_do_not_wait_get_there_one_after_the_other(world: World) -> None:
    slot = world.next_night()
    running: list[int] = []
    for _ in range(8):
        done = world.apply("-no-wait", "-json")
        assert done.returncode == 0, done.stderr
        running.append(json.loads(done.stdout.splitlines()[-1])["running"])
        if world.plan_is_empty():
            break
        world.lab.client.forward(60)
    assert running[0] == 1
    assert len(running) <= 5
    world.assert_one_point_each(slot)


# One night: the run's start and end; two lines per call (create, confirm, note and grant the share,
# copy, take it back and note that, delete twice) and one per step.
LINES = 2 + 2 * 9 + 6
SAMPLE = (("before", 3), ("after", 9), ("after", 21))
EVERY = tuple((when, line) for line in range(1, LINES + 1) for when in ("before", "after"))


def settle_after_kill(world: World, when: str, line: int) -> None:
    slot = world.next_night()
    assert world.apply_killed(when, line) == -signal.SIGKILL
    for _ in range(3):
        done = world.apply("-wait")
        assert done.returncode == 0, done.stdout + done.stderr
        if world.plan_is_empty():
            break
    else:
        pytest.fail(f"killed {when} line {line}: three runs later the plan is still not empty")
    world.assert_one_point_each(slot)


@pytest.mark.parametrize(("when", "line"), SAMPLE)
def test_killed_and_run_again_it_comes_to_the_same_end(world: World, when: str, line: int) -> None:
    settle_after_kill(world, when, line)


@pytest.mark.slow
@pytest.mark.parametrize(("when", "line"), EVERY)
def test_killed_at_any_line_of_the_journal_it_comes_to_the_same_end(
    world: World, when: str, line: int
) -> None:
    settle_after_kill(world, when, line)


def test_a_plan_that_the_world_has_left_behind_is_refused_in_part(world: World) -> None:
    world.next_night()
    assert world.engine("plan", "-out", "plan.json").returncode == 0
    world.lab.client.fail_over(PROD, IRELAND, "orders-1")
    world.lab.client.forward(60)
    done = world.engine("apply", "plan.json", "-wait", "-poll-interval", "1s", "-json")
    assert done.returncode == 5, done.stdout
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    refused = [step for step in steps if step.get("state") == "refused"]
    assert [step["code"] for step in refused] == ["zones"]
    assert len(world.snapshots(PROD)) == 1
    assert world.apply("-wait").returncode == 0
    assert world.plan_is_empty()
