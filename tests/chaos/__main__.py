"""`make chaos`: many seeded worlds, each with its faults and kills, judged by the lab's records.

Usage: python -m tests.chaos -worlds N -seed S [-processes P] [-only SEED]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.sabotage import SABOTAGES
from tests.chaos.worlds import Verdict, silent, world


def main() -> int:
    """Play worlds; say what is wrong with which, and how many there were; 1 if anything is."""
    asked = _parser().parse_args()
    seeds = range(asked.seed, asked.seed + asked.worlds)
    if asked.only is not None:
        seeds = range(asked.only, asked.only + 1)
    started, verdicts = time.monotonic(), []
    for verdict in _played(seeds, asked.processes, asked.sabotage, with_log=asked.only is not None):
        verdicts.append(verdict)
        for one in verdict.violations:
            _say(f"seed {verdict.seed}: {one}")
        if len(verdicts) % 20 == 0:
            _say(_summary(verdicts, seeds, time.monotonic() - started))
    _say(_summary(verdicts, seeds, time.monotonic() - started))
    return int(any(verdict.violations for verdict in verdicts))


def _played(
    seeds: range, processes: int, sabotage: str | None, *, with_log: bool
) -> Iterator[Verdict]:
    with ThreadPoolExecutor(processes) as pool:
        yield from pool.map(lambda seed: world(seed, _say if with_log else silent, sabotage), seeds)


def _summary(verdicts: list[Verdict], seeds: range, seconds: float) -> str:
    return (
        f"worlds: {len(verdicts)}  runs: {sum(one.runs for one in verdicts)}"
        f"  kills: {sum(one.kills for one in verdicts)}"
        f"  faults: {sum(one.faults for one in verdicts)}"
        f"  violations: {sum(len(one.violations) for one in verdicts)}"
        f"  seeds: {seeds.start}-{seeds.stop - 1}"
        f"  seconds per world: {seconds / max(1, len(verdicts)):.1f}"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("-worlds", type=int, default=100, help="how many")
    parser.add_argument("-seed", type=int, default=1, help="the first one's")
    parser.add_argument("-processes", type=int, default=2, help="worlds at a time")
    parser.add_argument("-only", type=int, help="play one seed and tell its story")
    parser.add_argument("-sabotage", choices=sorted(SABOTAGES), help="break the engine first")
    return parser


if __name__ == "__main__":
    sys.exit(main())
