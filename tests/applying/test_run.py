from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.applying.clock import SystemClock
from engine.applying.journal import Kind
from engine.applying.local_journal import default_path, read_run, read_runs
from engine.applying.local_lock import lock_path, read_lease
from engine.applying.outcome import Stop
from engine.applying.run import held, locations_read
from engine.applying.state import LocalState
from engine.applying.stopping import StopFlag
from engine.errors import LockedError
from tests.applying.world import ESTATE, HOME, VAULT, plan_of

REPOSITORY = Path(__file__).parents[2]


def start(root: Path, per_call: float, per_snapshot: float) -> subprocess.Popen[str]:
    words = [str(root), str(per_call), str(per_snapshot)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.applying.slow_run", *words],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_call(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("state") == "calling":
            return
    pytest.fail("the run ended before its first call")


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def lock_is_free(root: Path) -> bool:
    lease = read_lease(lock_path(root, ESTATE))
    return lease is not None and lease.run is None


def test_a_run_with_real_threads_comes_to_its_end(tmp_path: Path) -> None:
    process = start(tmp_path, 0.01, 0.1)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert events(out)[-1]["counts"] == {"done": 6}
    assert lock_is_free(tmp_path)
    (first, last) = read_runs(default_path(tmp_path), 1)
    assert (first.kind, last.kind) == (Kind.RUN_STARTED, Kind.RUN_ENDED)
    assert last.detail["exit_code"] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, 0.4, 60)
    wait_for_call(process)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert err == ""
    counts = events(out)[-1]["counts"]
    assert counts["not_started"] >= 4
    assert counts["running"] + counts["not_started"] == 6
    assert lock_is_free(tmp_path)
    entries = read_run(default_path(tmp_path), events(out)[-1]["run"])
    intents = [one for one in entries if one.kind is Kind.INTENT]
    outcomes = [one for one in entries if one.kind is Kind.OUTCOME]
    assert len(intents) == len(outcomes) == counts["running"]
    assert entries[-1].detail["exit_code"] == 130


def test_the_second_signal_ends_a_run_at_once_and_the_next_run_gets_the_lock(
    tmp_path: Path,
) -> None:
    process = start(tmp_path, 60, 60)
    wait_for_call(process)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert err == ""
    # Let go of, not only seen to be a dead process's: other machines cannot see that.
    assert lock_is_free(tmp_path)
    with held(LocalState(tmp_path, ESTATE), SystemClock(), lock_timeout=0) as hold:
        assert hold.lock is not None
        assert hold.lock.fence == 2


def test_a_second_run_is_turned_away_while_the_first_lives(tmp_path: Path) -> None:
    process = start(tmp_path, 60, 60)
    wait_for_call(process)
    with (
        pytest.raises(LockedError),
        held(LocalState(tmp_path, ESTATE), SystemClock(), lock_timeout=0.2),
    ):
        pytest.fail("two runs at once")
    process.kill()
    process.communicate(timeout=5)


def test_state_that_cannot_be_opened_is_a_problem_not_an_end(tmp_path: Path) -> None:
    (tmp_path / ".engine").write_text("a file where a folder should be")
    with held(LocalState(tmp_path, ESTATE), SystemClock(), lock_timeout=0) as hold:
        assert hold.lock is None
        assert hold.journal is None
        codes = {problem.code for problem in hold.problems.all()}
    assert codes == {"state_unreachable"}


def test_only_locations_that_the_plan_could_read_are_looked_at() -> None:
    plan = plan_of(locations=(HOME, VAULT))
    failed = replace(plan.inventory.scopes[1], status="failed")
    inventory = replace(plan.inventory, scopes=(plan.inventory.scopes[0], failed))
    assert locations_read(replace(plan, inventory=inventory)) == {HOME}


def test_a_signal_goes_before_every_other_reason_to_stop() -> None:
    flag = StopFlag()
    reasons = []
    for reason in (Stop.TIME_UP, Stop.LOCK_LOST, Stop.INTERRUPTED, Stop.TIME_UP):
        flag.request(reason)
        reasons.append(flag.reason)
    assert reasons == [Stop.TIME_UP, Stop.TIME_UP, Stop.INTERRUPTED, Stop.INTERRUPTED]
    assert not flag.event.is_set()
    flag.spread()
    assert flag.event.is_set()
