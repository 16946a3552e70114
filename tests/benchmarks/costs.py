"""What a command takes as a whole process, and rows of the table that `make bench` prints."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENGINE = Path(sys.executable).with_name("engine")
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: seconds of wall clock and of processor, peak memory in MiB."""

    wall: float
    cpu: float
    peak: float
    code: int


def cost_of(
    *command: str | Path, variables: Mapping[str, str] | None = None, folder: Path | None = None
) -> Cost:
    """Run a command to its end, its output thrown away, and return what it took.

    Args:
        command: its words.
        variables: of its environment, added to this process's.
        folder: where it runs, by default here.
    """
    started = os.times().elapsed
    with subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(variables or {})},
        cwd=folder,
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
    say(row)


def say(row: str) -> None:
    """Print a line now."""
    sys.stdout.write(row + "\n")
    sys.stdout.flush()
