"""What the journal tells of durations: for `engine runs -calibration`, and for later plans."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.applying.state import State
    from engine.costs.calibration import Calibration
    from engine.costs.history import History, Observation
    from engine.documents.model import Estate

LEARNED_RUNS = 1000
_WORK = {
    "create": "create",
    "re_key": "re-key",
    "copy_near": "copy in region",
    "copy_far": "copy to region",
}


def observations(state: State, limit: int) -> Iterator[Observation]:
    """Yield what the newest runs saw, oldest first; raises JournalError."""
    from engine.costs.history import observation

    for entry in state.observed(limit, datetime.now(UTC)):
        found = observation(entry.step or "", entry.detail)
        if found is not None:
            yield found


def local_history(estate: Estate) -> History:
    """Return what the journal of this machine tells; nothing where there is none.

    That of a team lies in S3: plans do not go there for the sake of an estimate.
    """
    from engine.applying.journal import JournalError
    from engine.applying.state import state_of
    from engine.costs.history import NO_HISTORY, history_of

    state = state_of(Path(), estate)
    if estate.state is not None or not Path(state.journal_place).is_file():
        return NO_HISTORY
    try:
        return history_of(observations(state, LEARNED_RUNS))
    except JournalError as error:
        sys.stderr.write(f"engine: durations are assumed, not learned: {error}\n")
        return NO_HISTORY


def as_json(found: tuple[Calibration, ...]) -> Iterator[str]:
    """Yield one JSON object for each rule, verdict and kind of work."""
    for one in found:
        words = {
            "rule": one.rule,
            "verdict": one.verdict,
            "work": one.work,
            "count": one.count,
            "seen_seconds": one.seen.pair,
            "foreseen_seconds": None if one.foreseen is None else one.foreseen.pair,
            "within": one.within,
            "faster": one.faster,
            "slower": one.slower,
        }
        yield json.dumps(words)


def as_text(found: tuple[Calibration, ...]) -> Iterator[str]:
    """Yield two lines for each rule, verdict and kind of work."""
    from engine.plans.amounts import lasting

    if not found:
        yield "no duration was seen yet: `engine apply -wait` sees them"
    for one in found:
        verdict = one.verdict.replace("_", " ")
        work = _WORK.get(one.work, one.work)
        yield f"{one.rule} ({verdict}), {work}: {one.count:,} seen, took {lasting(one.seen.pair)}"
        if one.foreseen is not None:
            judged = f"{one.within:,} within, {one.faster:,} faster, {one.slower:,} slower"
            yield f"  foreseen: {lasting(one.foreseen.pair)}; {judged}"
