"""What ends otherwise than in 0, and what was done all the same."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.lab.estates import IRELAND, PROD, small
from engine.lab.process import LabProcess
from engine.lab.seeds import KeySeed
from tests.end_to_end.estates import with_keys
from tests.end_to_end.harness import PROGRAMS, THIN, World, wait_until, working_folder

FIRST_NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
THIN_DOCUMENT = (THIN / "thin.yaml").read_text()


def edit(world: World, old: str, new: str) -> None:
    path = world.folder / "policies" / "all.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    folder = working_folder(tmp_path / "repository", THIN_DOCUMENT)
    with LabProcess.start(small(), speed=20.0, at=FIRST_NIGHT) as lab:
        yield World(lab, folder)


def roles(world: World) -> Counter[str | None]:
    return Counter(one.role for one in world.owned().values())


def test_a_guard_withholds_deletes_and_nothing_else_until_it_is_acknowledged(world: World) -> None:
    edit(world, "last: 2", "last: 6")
    edit(world, "targets:", "guards: {max_deletes: {count: 1}, min_points: 1}\ntargets:")
    for night in range(5):
        world.move_to(FIRST_NIGHT + timedelta(days=night))
        world.apply("-wait").insist()
    assert roles(world) == {"primary": 5, "copy": 5}
    edit(world, "last: 6", "last: 1")
    world.move_to(FIRST_NIGHT + timedelta(days=5))
    assert world.plan("-detailed-exitcode").code == 4
    assert world.plan().code == 0

    done = world.apply("-wait", "-json").insist(4)
    counts = done.outcome()["counts"]
    assert counts["done"] == 4
    assert counts["withheld"] > 0
    assert roles(world) == {"primary": 6, "copy": 6}

    tripped = [guard for guard in world.planned()["guards"] if guard["withholds"]]
    digests = {guard["acknowledge"] for guard in tripped}
    assert digests
    words = [word for digest in digests for word in ("-acknowledge", digest)]
    world.apply("-wait", *words).insist()
    assert roles(world) == {"primary": 1, "copy": 1}
    world.plan("-detailed-exitcode").insist()


def test_a_step_that_fails_gives_three_and_stops_only_what_builds_on_it(tmp_path: Path) -> None:
    folder = working_folder(tmp_path / "repository", THIN_DOCUMENT)
    closed = with_keys(
        small(),
        KeySeed("prod", IRELAND, "alias/orders"),
        KeySeed("vault", IRELAND, "alias/backups"),
    )
    with LabProcess.start(closed, speed=20.0, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        done = world.apply("-wait", "-json").insist(3)
        states = {
            line["action"]: line["state"] for line in done.json_lines() if line["type"] == "step"
        }
        assert states["create_snapshot"] == "done"
        assert states["copy_snapshot"] == "failed"
        assert roles(world) == {"primary": 1}
        said = world.apply("-wait").insist(3)
        assert "alias/" in said.out or "key" in said.out


@contextmanager
def running(world: World) -> Iterator[subprocess.Popen[bytes]]:
    """Run an apply that waits; it does not outlive this."""
    words = ("apply", "-auto-approve", "-wait", "-poll-interval", "1s", "-at", world.now())
    with subprocess.Popen(
        [str(PROGRAMS / "engine"), *words],
        cwd=world.folder,
        env=world.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_second_run_finds_the_lock_held_and_sigterm_lets_it_go(world: World) -> None:
    world.lab.client.change_settings(create_seconds=100_000)
    with running(world) as first:
        wait_until(lambda: roles(world)["primary"] == 1, "the first run makes its snapshot")
        second = world.apply("-wait")
        assert second.code == 11
        assert second.out == ""
        assert "held by" in world.run("lock", "status").insist().out
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 130
    assert world.run("lock", "status").insist().out == "free\n"
    ended = world.run("runs", "-json", "-limit", "1").insist().json_lines()[-1]
    assert (ended["kind"], ended["detail"]["exit_code"]) == ("run_ended", 130)
    # What it began goes on without it.
    later = json.loads(world.plan("-json").insist().out)
    assert not [step for step in later["steps"] if step["action"] == "create_snapshot"]
    assert {one.account for one in world.owned().values()} == {PROD}
