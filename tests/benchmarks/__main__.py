"""`make bench`: what whole commands cost, as whole processes, on this machine.

Seconds differ from machine to machine, so each is also given as a multiple of a yardstick that
runs right before it: Python reading the same recording with its own JSON parser. What AWS is
asked for is counted by the lab, and so is the same everywhere.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from tests.benchmarks import applying, reading, simulating
from tests.benchmarks.costs import ENGINE, cost_of, say, show
from tests.benchmarks.recordings import DAY, POINTS, TODAY

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
    say(f"{'':<52}{'wall':>9}{'cpu':>9}{'peak':>11}  of json.loads")
    show("--help", cost_of(ENGINE, "--help"))
    with tempfile.TemporaryDirectory() as scratch:
        validate(Path(scratch, "one"), 1)
        validate(Path(scratch, "many"), 1_000)
    for sources in (100, 1_000, 10_000):
        for state, newest in (("nothing due", TODAY), ("all due", TODAY - DAY)):
            with tempfile.TemporaryDirectory() as scratch:
                plan(Path(scratch, "bench"), sources, state, newest)
    reading.run()
    simulating.run()
    applying.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
