"""A whole run in a process of its own: real threads and clock, a cloud that takes its time.

Usage: slow_run.py ROOT SECONDS_PER_CALL SECONDS_PER_SNAPSHOT
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from engine.applying.clock import SystemClock
from engine.applying.executor import Settings
from engine.applying.progress import JsonLines
from engine.applying.run import apply_plan, held
from engine.applying.state import LocalState
from engine.applying.stopping import StopFlag, ending_on_sigterm
from tests.applying.probed import ProbedCloud
from tests.applying.world import (
    ESTATE,
    FakeClock,
    create_step,
    database,
    plan_of,
    primary,
)


class RealClock(SystemClock, FakeClock):
    """The cloud's objects become available in real time."""


def write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def main(root: str, per_call: float, per_snapshot: float) -> int:
    cloud = ProbedCloud(RealClock(), takes=per_snapshot)
    steps = []
    for number in range(6):
        one = database(f"orders-{number}", f"db-{number}")
        cloud.databases[one.arn] = one
        steps.append(create_step(primary(instance=one.identifier, resource=one.resource_id)))

    def dawdle(operation: str) -> None:
        if operation == "create":
            time.sleep(per_call)

    cloud.before_call = dawdle
    settings = Settings(parallelism=2, poll_interval=0.05)
    clock = SystemClock()
    state = LocalState(Path(root), ESTATE)
    with ending_on_sigterm(), held(state, clock, lock_timeout=0) as hold:
        observer = JsonLines(write, clock)
        plan = plan_of(*steps)
        outcome = apply_plan(plan, cloud, cloud, hold, settings, observer, StopFlag())
    return int(outcome.exit_code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
