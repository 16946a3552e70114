"""One world: its story played with its disturbances and without, and judged."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

from botocore.exceptions import ClientError

from engine.errors import EngineError
from engine.lab.errors import LabError
from tests.chaos.nursery import Lab
from tests.chaos.oracles import judged, twins
from tests.chaos.playing import Player
from tests.chaos.story import Story, story_of
from tests.chaos.widening import widened

MEMORY = Path("/dev/shm")
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a world."""

    seed: int
    runs: int
    kills: int
    faults: int
    violations: tuple[str, ...]


def silent(_: str) -> None:
    """Log nothing."""


def world(seed: int, log: Log = silent, sabotage: str | None = None) -> Verdict:
    """Play the world of a seed, and judge it; with an engine that is broken if so asked."""
    # Nothing here has to outlive the machine, and a journal on disk costs more than all calls.
    scratch = tempfile.mkdtemp(prefix="chaos-", dir=MEMORY if MEMORY.is_dir() else None)
    lab = _lab()
    try:
        return _judge(widened(story_of(seed)), Path(scratch), lab, log, sabotage)
    except (
        EngineError,
        LabError,
        ClientError,
        ArithmeticError,
        LookupError,
        TypeError,
        ValueError,
        OSError,
        subprocess.SubprocessError,
        AssertionError,
    ):
        # A world that cannot be played to its end is a finding like any other.
        _lab.cache_clear()
        lab.end()
        return Verdict(seed, 0, 0, 0, (f"not played to its end: {traceback.format_exc()}",))
    finally:
        shutil.rmtree(scratch)


@cache
def _lab() -> Lab:
    """Return the lab of this process."""
    return Lab()


def worlds(seeds: Iterable[int], processes: int, sabotage: str | None = None) -> Iterator[Verdict]:
    """Play worlds, so many at a time, each time by a process that has a fork server of its own."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(partial(world, sabotage=sabotage), seeds)


def _judge(story: Story, scratch: Path, lab: Lab, log: Log, sabotage: str | None) -> Verdict:
    log(f"=== seed {story.seed}, {'gentle' if story.is_gentle else 'rough'}, {story.rules}")
    for one in (*story.instances, *story.policies):
        log(str(one))
    ending = Player(
        story, scratch / "disturbed", lab, disturbed=True, log=log, sabotage=sabotage
    ).play()
    log("=== undisturbed")
    twin = Player(story, scratch / "twin", lab, disturbed=False, log=log).play()
    found = [*judged(ending), *(f"twin: {one}" for one in judged(twin))]
    found += [f"end: {one}" for one in twins.violations(ending, twin)]
    runs = len(ending.runs) + len(twin.runs)
    return Verdict(story.seed, runs, ending.kills, ending.faults, tuple(found))
