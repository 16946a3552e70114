"""What earlier runs saw: how long work took, held against what was foreseen, and learned from.

The journal keeps of each step what was foreseen and what was seen of it; a poll sees only that
something is done since the last one, so what is seen is a range as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.costs.durations import Work
from engine.costs.ranges import Range
from engine.plans.plan import Step

Key = tuple[str, str, str, str]
"""A kind of work, the database, where it is stored, and whether in full."""

LEAST = 3
"""So many tell something; fewer could be chance."""
NEWEST = 10
DONE = "done"


def work_key(step: Step, work: Work) -> Key:
    """Return what earlier work a step is likened to."""
    at = f"{step.location.account}/{step.location.region}"
    verdict = step.forecast.verdict.value if step.forecast is not None else ""
    return work.value, step.source.resource_id, at, verdict


@dataclass(frozen=True, slots=True)
class Observation:
    """One step as it was foreseen and as it was seen; seconds.

    `foreseen` is None where no duration was, `full_gib` where AWS told no size.
    """

    step: str
    key: Key
    rule: str
    seen: Range
    foreseen: Range | None
    full_gib: float | None = None

    @property
    def work(self) -> str:
        """The kind of work."""
        return self.key[0]

    @property
    def verdict(self) -> str:
        """How AWS was expected to store it."""
        return self.key[3]


def observation(step: str, detail: Mapping[str, Any]) -> Observation | None:
    """Read what a journal keeps of a step; None where that tells no duration.

    Entries of engines that kept no observations tell none, and neither do those of steps that
    were not done, or that another run had begun.
    """
    forecast, seen = detail.get("forecast"), detail.get("seen")
    if detail.get("state") != DONE or not isinstance(forecast, dict) or not isinstance(seen, dict):
        return None
    lasted, work = _range(seen.get("seconds")), forecast.get("work")
    if lasted is None or work is None:
        return None
    full = seen.get("full_bytes")
    return Observation(
        step=step,
        key=(work, str(detail.get("resource")), str(detail.get("at")), str(forecast["verdict"])),
        rule=str(forecast["rule"]),
        seen=lasted,
        foreseen=_range(forecast.get("seconds")),
        full_gib=None if full is None else full / (1 << 30),
    )


def _range(pair: Any) -> Range | None:
    if not isinstance(pair, list | tuple) or len(pair) != 2 or None in pair:
        return None
    return Range(float(pair[0]), float(pair[1]))


@dataclass(frozen=True, slots=True)
class Learned:
    """How long the same work took before, over `count` times."""

    seconds: Range
    count: int


@dataclass(frozen=True, slots=True)
class History:
    """What was learned, by what work is likened to."""

    learned: Mapping[Key, Learned] = field(default_factory=dict)

    def of(self, key: Key) -> Learned | None:
        """Return what was learned of a kind of work, None where nothing was."""
        return self.learned.get(key)


NO_HISTORY = History()


def history_of(observations: Iterable[Observation]) -> History:
    """Learn from observations, oldest first; of each kind of work from its newest ones only.

    What was seen fewer than `LEAST` times teaches nothing.
    """
    by_key: dict[Key, list[Range]] = defaultdict(list)
    for one in observations:
        by_key[one.key].append(one.seen)
    return History(
        {key: _learned(seen[-NEWEST:]) for key, seen in by_key.items() if len(seen) >= LEAST}
    )


def _learned(seen: list[Range]) -> Learned:
    bounds = Range(min(one.low for one in seen), max(one.high for one in seen))
    return Learned(bounds, len(seen))
