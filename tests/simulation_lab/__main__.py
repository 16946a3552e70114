"""Simulates days and lets the engine live them in a lab, seed by seed, and compares both.

Usage: python -m tests.simulation_lab -worlds N -seed S [-processes P] [-only SEED]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from tests.simulation_lab.comparing import Verdict, compare, compare_all


def main() -> int:
    """Say of each seed whether the days lived are those simulated; 1 if any are not."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation_lab", description=__doc__)
    parser.add_argument("-worlds", type=int, default=100, help="how many")
    parser.add_argument("-seed", type=int, default=1, help="the first one's")
    parser.add_argument("-processes", type=int, default=2, help="worlds at a time")
    parser.add_argument("-only", type=int, help="play one seed and tell its story")
    asked = parser.parse_args()
    seeds = range(asked.seed, asked.seed + asked.worlds)
    played: Iterable[Verdict] = (
        compare_all(seeds, asked.processes)
        if asked.only is None
        else iter([compare(asked.only, _say)])
    )
    verdicts = []
    for verdict in played:
        verdicts.append(verdict)
        for one in verdict.differences:
            _say(f"seed {verdict.seed}: {one}")
        _say(_summary(verdicts))
    return int(any(verdict.differences for verdict in verdicts))


def _summary(verdicts: list[Verdict]) -> str:
    equal = sum(not one.differences for one in verdicts)
    return (
        f"seed {verdicts[-1].seed}  equal: {equal} of {len(verdicts)}"
        f"  runs: {sum(one.runs for one in verdicts)}  calls: {sum(one.acts for one in verdicts)}"
        f"  of these deletes: {sum(one.deletes for one in verdicts)}"
    )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
