"""Forecast against observation: per rule and kind of work, how often the one held the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from engine.costs.history import Observation
from engine.costs.ranges import Range


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one forecast rule foresaw of one kind of work, and what was seen; seconds.

    Of `count` durations `within` can lie in what was foreseen; the others were surely `faster` or
    `slower`. Those of which nothing was foreseen count in none of the three.
    """

    rule: str
    verdict: str
    work: str
    count: int
    seen: Range
    foreseen: Range | None
    within: int
    faster: int
    slower: int


def calibrate(observations: Iterable[Observation]) -> tuple[Calibration, ...]:
    """Return the comparison, by rule, verdict and kind of work."""
    groups: dict[tuple[str, str, str], list[Observation]] = defaultdict(list)
    for one in observations:
        groups[one.rule, one.verdict, one.work].append(one)
    return tuple(_compared(*names, alike) for names, alike in sorted(groups.items()))


def _compared(rule: str, verdict: str, work: str, alike: list[Observation]) -> Calibration:
    foreseen = [(one.seen, one.foreseen) for one in alike if one.foreseen is not None]
    faster = sum(seen.high < forecast.low for seen, forecast in foreseen)
    slower = sum(seen.low > forecast.high for seen, forecast in foreseen)
    return Calibration(
        rule=rule,
        verdict=verdict,
        work=work,
        count=len(alike),
        seen=_over(one.seen for one in alike),
        foreseen=_over(forecast for _, forecast in foreseen) if foreseen else None,
        within=len(foreseen) - faster - slower,
        faster=faster,
        slower=slower,
    )


def _over(ranges: Iterable[Range]) -> Range:
    known = list(ranges)
    return Range(min(one.low for one in known), max(one.high for one in known))
