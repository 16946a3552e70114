from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from engine.applying.clock import SystemClock
from engine.applying.local_lock import LEASE, acquire, is_live, read_lease
from engine.applying.lock import LockLostError
from engine.applying.outcome import StepState, Stop
from engine.errors import EngineError, ExitCode, LockedError
from tests.applying.stage import Stage, states
from tests.applying.world import FakeClock, create_step, database, plan_of, primary

HOLDER = """
import sys, time
from pathlib import Path
from engine.applying.clock import SystemClock
from engine.applying.local_lock import acquire
lock = acquire(Path(sys.argv[1]), sys.argv[2], SystemClock(), who="other@host", timeout=0)
print(lock.fence, flush=True)
sys.stdin.readline()
lock.release()
"""


def holder(path: Path, run: str = "theirs") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), run],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdigit()
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=10)


def test_a_second_process_does_not_get_the_lock_and_learns_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    process = holder(path)
    try:
        with pytest.raises(LockedError) as caught:
            acquire(path, "ours", SystemClock(), who="me", timeout=0)
        assert caught.value.exit_code is ExitCode.LOCKED
        assert "other@host" in str(caught.value)
        assert "theirs" in str(caught.value)
    finally:
        end(process)
    lock = acquire(path, "ours", SystemClock(), who="me", timeout=0)
    assert lock.fence == 2
    lock.release()


def test_one_of_many_processes_gets_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path), f"run-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for number in range(6)
    ]
    # The winner holds on until a line is sent; the others end by themselves.
    deadline = time.monotonic() + 20
    while sum(one.poll() is None for one in crowd) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    winners = [one for one in crowd if one.poll() is None]
    for one in crowd:
        one.communicate("\n", timeout=10)
    assert len(winners) == 1
    assert sorted(one.returncode for one in crowd) == [0, 1, 1, 1, 1, 1]


def test_waiting_for_the_lock_gets_it_when_its_holder_is_done(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    process = holder(path)
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    lock = acquire(path, "ours", SystemClock(), who="me", timeout=10)
    assert lock.fence == 2
    lock.release()
    end(process)


def test_a_killed_holder_loses_the_lock_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    process = holder(path)
    process.send_signal(signal.SIGKILL)
    # Nobody has asked for its exit code: it still has a process id, and is dead all the same.
    lock = acquire(path, "ours", SystemClock(), who="me", timeout=2)
    assert lock.fence == 2
    lock.release()
    process.communicate()


def test_a_holder_on_another_machine_is_believed_until_its_lease_ends(tmp_path: Path) -> None:
    path, clock = tmp_path / "lock.json", FakeClock()
    acquire(path, "theirs", clock, who="them", timeout=0)
    words = json.loads(path.read_text())
    path.write_text(json.dumps({**words, "host": "another machine", "process": "1@1"}))
    with pytest.raises(LockedError):
        acquire(path, "ours", clock, who="me", timeout=LEASE.total_seconds() - 5)
    lock = acquire(path, "ours", clock, who="me", timeout=10)
    assert lock.fence == words["fence"] + 1


def test_who_lost_the_lock_may_do_nothing_more(tmp_path: Path) -> None:
    path, clock = tmp_path / "lock.json", FakeClock()
    slow = acquire(path, "slow", clock, who="me", timeout=0)
    slow.verify()
    words = json.loads(path.read_text())
    path.write_text(json.dumps({**words, "host": "another machine", "process": "1@1"}))
    clock.seconds += LEASE.total_seconds() + 1
    quick = acquire(path, "quick", clock, who="them", timeout=0)
    with pytest.raises(LockLostError):
        slow.verify()
    slow.release()
    quick.verify()
    lease = read_lease(path)
    assert lease is not None
    assert lease.run == "quick"


def test_a_lease_that_ran_out_unnoticed_is_taken_up_again_by_its_holder(tmp_path: Path) -> None:
    path, clock = tmp_path / "lock.json", FakeClock()
    lock = acquire(path, "slow", clock, who="me", timeout=0)
    clock.seconds += 10 * LEASE.total_seconds()
    lock.verify()
    lease = read_lease(path)
    assert lease is not None
    assert is_live(lease, clock.now() + LEASE - timedelta(seconds=2))
    lock.release()
    freed = read_lease(path)
    assert freed is not None
    assert not is_live(freed, clock.now())


def test_a_run_whose_lock_is_lost_starts_nothing_more(tmp_path: Path) -> None:
    stage = Stage()
    one = database()
    stage.cloud.databases[one.arn] = one

    class LostLock:
        fence = 1

        def verify(self) -> None:
            raise LockLostError("taken over")

        def release(self) -> None:
            return

    stage.lock = LostLock()
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [StepState.NOT_STARTED]
    assert outcome.stop is Stop.LOCK_LOST
    assert outcome.exit_code is ExitCode.LOCKED
    assert stage.cloud.made("create") == []
    stage.folder.cleanup()


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"fence": 1}'])
def test_a_lock_file_that_makes_no_sense_is_an_error_that_says_what_to_do(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "lock.json"
    path.write_text(text)
    with pytest.raises(EngineError, match="makes no sense") as caught:
        acquire(path, "ours", SystemClock(), who="me", timeout=0)
    assert "remove the file" in (caught.value.fix or "")


def test_a_folder_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="cannot be used"):
        acquire(tmp_path / "file" / "lock.json", "ours", SystemClock(), who="me", timeout=0)
