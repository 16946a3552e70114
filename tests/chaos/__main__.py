"""`make chaos`: many seeded worlds, each with its faults and kills, judged by the lab's records.

Usage: python -m tests.chaos -worlds N -seed S [-processes P] [-only SEED]
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.chaos.sabotage import SABOTAGES
from tests.chaos.worlds import Verdict, world, worlds


def main() -> int:
    """Play worlds; say what is wrong with which, and how many there were; 1 if anything is."""
    asked = _parser().parse_args()
    seeds = range(asked.seed, asked.seed + asked.worlds)
    started, verdicts = time.monotonic(), []
    if asked.only is not None:
        played = iter([world(asked.only, _say, asked.sabotage)])
    else:
        played = worlds(seeds, asked.processes, asked.sabotage)
    for verdict in played:
        verdicts.append(verdict)
        for one in verdict.violations:
            _say(f"seed {verdict.seed}: {one}")
        if len(verdicts) % 10 == 0:
            _say(_summary(verdicts, seeds, time.monotonic() - started))
    _say(_summary(verdicts, seeds, time.monotonic() - started))
    return int(any(verdict.violations for verdict in verdicts))


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
