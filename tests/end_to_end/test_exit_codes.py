"""What ends otherwise than in 0, and what was done all the same."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.lab.estates import IRELAND, PROD, small
from engine.lab.seeds import KeySeed
from tests.end_to_end.estates import with_keys
from tests.end_to_end.gate import Gate, opened
from tests.end_to_end.harness import PROGRAMS, THIN, World, wait_until, working_folder
from tests.forking.labs import ForkedLab

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
    with ForkedLab.start(small(), speed=20.0, at=FIRST_NIGHT) as lab:
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
    with ForkedLab.start(closed, speed=20.0, at=FIRST_NIGHT) as lab:
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
def running(world: World, wait: str = "-wait") -> Iterator[subprocess.Popen[bytes]]:
    """Run an apply; it does not outlive this."""
    words = ("apply", "-auto-approve", wait, "-poll-interval", "1s", "-at", world.now())
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


@contextmanager
def held_up_at(world: World, action: str) -> Iterator[tuple[World, Callable[[], None]]]:
    """The world behind a gate that holds its first call of a kind back until it is let through.

    Gives a function too that waits for that call.
    """
    reached, through = threading.Event(), threading.Event()

    def arrives(called: str) -> None:
        if called == action:
            reached.set()
            assert through.wait(60)

    def wait() -> None:
        assert reached.wait(60), f"{action} was never called"
        # What the signal is to interrupt is under way a moment later.
        threading.Timer(1.0, through.set).start()

    with opened(Gate(world.lab.endpoint, arrives=arrives)) as endpoint:
        try:
            yield world.through(endpoint), wait
        finally:
            through.set()


@pytest.mark.parametrize(
    ("action", "mode"),
    [
        ("DescribeDBInstances", "-no-wait"),
        ("CreateDBSnapshot", "-wait"),
        pytest.param("DescribeDBInstances", "-wait", marks=pytest.mark.slow),
        pytest.param("CreateDBSnapshot", "-no-wait", marks=pytest.mark.slow),
    ],
)
def test_sigterm_ends_a_run_in_order_while_it_reads_and_while_it_changes(
    world: World, action: str, mode: str
) -> None:
    with held_up_at(world, action) as (behind, wait), running(behind, mode) as process:
        wait()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130
    assert world.run("lock", "status").insist().out == "free\n"
    # A call that was under way is not taken back: the next run goes on from it.
    assert roles(world) == ({"primary": 1} if action == "CreateDBSnapshot" else {})
    world.apply("-wait").insist()
    assert roles(world) == {"primary": 1, "copy": 1}


def test_a_second_interrupt_ends_a_run_at_once_and_leaves_no_lock(world: World) -> None:
    reached, through = threading.Event(), threading.Event()

    def arrives(called: str) -> None:
        if called == "CreateDBSnapshot":
            reached.set()
            through.wait(60)

    with opened(Gate(world.lab.endpoint, arrives=arrives)) as endpoint:
        try:
            with running(world.through(endpoint)) as process:
                assert reached.wait(60)
                process.send_signal(signal.SIGINT)
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(1)
                process.send_signal(signal.SIGINT)
                assert process.wait(3) == 130
        finally:
            through.set()
    assert world.run("lock", "status").insist().out == "free\n"


def test_max_duration_ends_a_run_that_waits_with_seven(world: World) -> None:
    world.lab.client.change_settings(create_seconds=100_000)
    done = world.apply("-wait", "-max-duration", "8s", "-json").insist(7)
    assert done.outcome()["stopped"] == "time_up"
    assert done.outcome()["counts"]["running"] == 1
    assert done.outcome()["unfinished"][0]["next_run"]
    assert world.run("lock", "status").insist().out == "free\n"
