"""Compares what was simulated with what the lab recorded, call by call."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.chaos.nursery import Lab
from tests.chaos.records import Deed
from tests.chaos.worlds import MEMORY, silent
from tests.end_to_end.forecasts import wrong
from tests.simulation_lab.days import days_of
from tests.simulation_lab.living import NO_TIME, Life, Lived, Log

_ACTIONS = {
    "CreateDBSnapshot": "create_snapshot",
    "CopyDBSnapshot": "copy_snapshot",
    "DeleteDBSnapshot": "delete_snapshot",
}


@dataclass(frozen=True, slots=True, order=True)
class Act:
    """A call that made or deleted a snapshot, and what was said of it."""

    at: datetime
    arn: str
    action: str
    slot: datetime
    zone: str
    verdict: str
    rule: str

    def __str__(self) -> str:
        words = (self.action, self.arn, f"slot {self.slot:%d %H:%M}", self.zone, self.verdict)
        return " ".join((f"{self.at:%d %H:%M}", *words, self.rule))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a seed's days: how many runs and calls there were, and what is not equal."""

    seed: int
    runs: int
    acts: int
    deletes: int
    differences: tuple[str, ...]


def compare(seed: int, log: Log = silent) -> Verdict:
    """Simulate and live the days of a seed."""
    days = days_of(seed)
    log(f"=== seed {seed}: {days.count} days from {days.start}, every {days.interval}")
    for one in (*days.story.instances, *days.story.policies, *days.happenings):
        log(str(one))
    log(str(days.story.settings))
    scratch = tempfile.mkdtemp(prefix="lived-", dir=MEMORY if MEMORY.is_dir() else None)
    try:
        life = Life(days, Path(scratch), _lab(), log)
        told = life.simulated()
        lived = life.lived()
    finally:
        shutil.rmtree(scratch)
    beforehand = sorted(_simulated(told["timeline"]))
    return Verdict(
        seed,
        lived.runs,
        len(beforehand),
        sum(one.action == "delete_snapshot" for one in beforehand),
        tuple(_differences(beforehand, lived)),
    )


def compare_all(seeds: Iterable[int], processes: int) -> Iterator[Verdict]:
    """Simulate and live the days of seeds, so many at a time."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(compare, seeds)


@cache
def _lab() -> Lab:
    """Return the lab of this process, whose clock stands while the engine runs."""
    return Lab(NO_TIME)


def _differences(beforehand: list[Act], lived: Lived) -> Iterator[str]:
    yield from (f"odd end: {one}" for one in lived.odd)
    afterwards = sorted(_lived(lived))
    for one in sorted({*beforehand} ^ {*afterwards}):
        yield f"only {'simulated' if one in beforehand else 'lived'}: {one}"
    if len(afterwards) != len({*afterwards}) or len(beforehand) != len({*beforehand}):
        yield "something was done twice"
    forecasts = {one.arn: one.verdict for one in beforehand if one.verdict}
    stored = {entry["arn"] for entry in lived.truth}
    known = {arn: verdict for arn, verdict in forecasts.items() if arn in stored}
    yield from (f"never begun: {arn}" for arn in sorted(forecasts.keys() - known.keys()))
    yield from (f"not stored so: {one}" for one in wrong(known, lived.truth))


def _simulated(timeline: Iterable[Mapping[str, Any]]) -> Iterator[Act]:
    for one in timeline:
        at, forecast = one["location"], one["forecast"] or {}
        yield Act(
            datetime.fromisoformat(one["at"]),
            f"arn:aws:rds:{at['region']}:{at['account']}:snapshot:{one['snapshot']}",
            one["action"],
            datetime.fromisoformat(one["slot"]),
            one["az"] or "",
            forecast.get("verdict", ""),
            forecast.get("rule", ""),
        )


def _lived(lived: Lived) -> Iterator[Act]:
    for deed in lived.deeds:
        if deed.by_engine and deed.took_effect and deed.operation in _ACTIONS:
            tags = _tags(deed)
            forecast = lived.said.get((deed.time, deed.arn), {})
            yield Act(
                deed.time,
                deed.arn,
                _ACTIONS[deed.operation],
                datetime.fromisoformat(tags["engine:slot"]),
                tags.get("engine:az", ""),
                forecast.get("verdict", ""),
                forecast.get("rule", ""),
            )


def _tags(deed: Deed) -> Mapping[str, str]:
    """Return the tags of what is made, or of what is deleted as it was then."""
    if deed.makes:
        return deed.tags
    assert deed.scene is not None
    assert deed.scene.victim is not None
    return deed.scene.victim.tags
