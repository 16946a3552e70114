"""Whole decisions, kept as files: `golden/NAME.txt`.

Lines that start with `#` say what the case shows, `keep` and `timezone` hold the arguments, and
then each line is a time, newest first, with its reasons or `-`. What is expected was computed by
the rules of restic's `forget` (version 0.19, `internal/data/snapshot_policy.go`), not by this
package.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.cli.retention import parse_keep
from engine.retention.decide import Decision, decide
from engine.retention.keep import Keep

CASES = sorted((Path(__file__).parent / "golden").glob("*.txt"))
Fate = tuple[datetime, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    keep: Keep
    timezone: ZoneInfo
    fates: list[Fate]


def read(path: Path) -> Case:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    keep, timezone = (line.split()[1] for line in lines[:2])
    fates = [_fate(*line.split()) for line in lines[2:]]
    return Case(parse_keep([keep]), ZoneInfo(timezone), fates)


def _fate(time: str, *reasons: str) -> Fate:
    return datetime.fromisoformat(time), () if reasons == ("-",) else reasons


def fates(decision: Decision) -> list[Fate]:
    kept: list[Fate] = [(entry.time, entry.reasons) for entry in decision.keep]
    removed: list[Fate] = [(time, ()) for time in decision.remove]
    return sorted(kept + removed, key=lambda fate: fate[0], reverse=True)


def test_the_golden_cases_are_there() -> None:
    assert len(CASES) > 60


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_decision_is_that_of_restic(path: Path) -> None:
    case = read(path)
    decision = decide([time for time, _ in case.fates], case.keep, case.timezone)
    assert by_time(fates(decision)) == by_time(case.fates)


def by_time(fates: list[Fate]) -> list[Fate]:
    """Order by time and, among equal times, by reasons: a decision does not interleave these."""
    return sorted(fates, reverse=True)
