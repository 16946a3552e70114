"""`make bench`: what whole commands cost, as whole processes, on this machine.

Seconds differ from machine to machine, so each is also given as a multiple of a yardstick that
runs right before it: Python reading the same recording with its own JSON parser.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.benchmarks.recordings import DAY, POINTS, TODAY

ENGINE = Path(sys.executable).with_name("engine")
YARDSTICK = """
import json, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.json")):
    json.loads(path.read_bytes())
"""
POLICY = """
version: 1
kind: policy
name: p{number}
select: {{identifiers: ["db-{number}-*"]}}
snapshots:
  schedule: {{every: 1d, window: "02:00-05:00"}}
  retention: {{keep: {{last: 3, daily: 7, weekly: 4, monthly: 12}}}}
  copies: [{{target: vault, retention: {{keep: {{daily: 35}}}}}}]
objectives: {{rpo: 26h}}
"""
ESTATE = """
version: 1
kind: estate
name: bench
accounts:
  prod: {id: "111111111111", regions: [eu-west-1]}
  vault: {id: "222222222222", regions: [eu-west-1]}
targets:
  vault: {account: vault, region: eu-west-1, key: alias/backups}
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds of wall clock and of processor, peak memory in MiB."""

    wall: float
    cpu: float
    peak: float
    code: int


def cost_of(*command: str | Path) -> Cost:
    """Run a command to its end, its output thrown away, and return what it took."""
    started = os.times().elapsed
    with subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = os.times().elapsed - started
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, process.returncode)


def show(what: str, cost: Cost, yardstick: Cost | None = None) -> None:
    """Print one row."""
    ratio = f"{cost.cpu / yardstick.cpu:6.1f}x" if yardstick else ""
    failed = "" if cost.code == 0 else f"  exit {cost.code}"
    row = f"{what:<52}{cost.wall:7.2f} s{cost.cpu:7.2f} s{cost.peak:7.0f} MiB {ratio}{failed}"
    sys.stdout.write(row + "\n")
    sys.stdout.flush()


def plan(folder: Path, sources: int, state: str, newest: datetime) -> None:
    """Time `engine plan -inventory` over a recording of this many sources."""
    maker = (sys.executable, "-m", "tests.benchmarks.recordings", folder, str(sources))
    subprocess.run([*map(str, maker), newest.isoformat()], check=True)
    policies, inventory = folder / "policies", folder / "inventory"
    yardstick = cost_of(sys.executable, "-c", YARDSTICK, inventory)
    command = (ENGINE, "plan", policies, "-inventory", inventory)
    what = f"plan {2 * POINTS * sources:,} snapshots of {sources:,}, {state}"
    show(what, cost_of(*command), yardstick)
    show(f"{what}, -json", cost_of(*command, "-json"), yardstick)


def validate(folder: Path, policies: int) -> None:
    """Time `engine validate` of many policies."""
    folder.mkdir()
    (folder / "estate.yaml").write_text(ESTATE)
    for number in range(policies):
        (folder / f"p{number}.yaml").write_text(POLICY.format(number=number))
    show(f"validate {policies:,} policies", cost_of(ENGINE, "validate", folder))


def main() -> int:
    """Print the table."""
    sys.stdout.write(f"{'':<52}{'wall':>9}{'cpu':>9}{'peak':>11}  of json.loads\n")
    show("--help", cost_of(ENGINE, "--help"))
    with tempfile.TemporaryDirectory() as scratch:
        validate(Path(scratch, "one"), 1)
        validate(Path(scratch, "many"), 1_000)
    for sources in (100, 1_000, 10_000):
        for state, newest in (("nothing due", TODAY), ("all due", TODAY - DAY)):
            with tempfile.TemporaryDirectory() as scratch:
                plan(Path(scratch, "bench"), sources, state, newest)
    return 0


if __name__ == "__main__":
    sys.exit(main())
