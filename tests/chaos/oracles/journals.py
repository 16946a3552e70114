"""The journal tells the truth: nothing was done that it had not announced, nor claimed in vain."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.playing import Ending, Played
from tests.chaos.records import Deed

Said = tuple[str, str, str]
"""An operation, an account and region, and what it names."""


@dataclass(slots=True)
class Entries:
    """What the journal holds of one run."""

    process: int = 0
    intents: Counter[Said] = field(default_factory=Counter)
    accepted: Counter[Said] = field(default_factory=Counter)
    unanswered: int = 0
    stray: list[str] = field(default_factory=list)
    """Outcomes of what was never announced."""
    ended: dict[str, Any] | None = None


def violations(ending: Ending) -> Iterator[str]:
    """Yield where the journal and the lab's records differ."""
    path = ending.folder / ".engine" / "state" / "journal.sqlite"
    if not path.exists():
        if ending.made:
            yield "there is no journal"
        return
    journal = _read(path)
    for run in ending.runs:
        mine = [journal[process] for process in run.processes if process in journal]
        deeds = Counter(map(_of_deed, (one for one in ending.deeds_of(run) if one.by_engine)))
        intents = sum((one.intents for one in mine), Counter[Said]())
        accepted = sum((one.accepted for one in mine), Counter[Said]())
        where = f"run {run.number} at {run.at:%d %H:%M}"
        # One intent may stand before two deeds: botocore repeats a call whose reply is lost.
        yield from (f"{where}: not announced: {one}" for one in deeds.keys() - intents.keys())
        yield from (f"{where}: accepted, yet never done: {one}" for one in accepted - deeds)
        yield from (f"{where}: an outcome without intent: {s}" for one in mine for s in one.stray)
        if not run.visit.twice:
            yield from (f"{where}: {one}" for one in _ends(run, mine))


def _ends(run: Played, mine: list[Entries]) -> Iterator[str]:
    ended = [one.ended for one in mine if one.ended is not None]
    code = run.ended.code
    if run.ended.was_killed:
        # A run may be killed after its last line, as long as that is what is told.
        if ended and not run.visit.is_disturbed:
            yield "it was killed, but the journal says that it ended"
        return
    if mine and not ended:
        yield f"exit {code}, but the journal does not say that it ended"
    if ended and ended[-1]["exit_code"] != code:
        yield f"exit {code}, but the journal says {ended[-1]['exit_code']}"
    unanswered = sum(one.unanswered for one in mine)
    if unanswered:
        yield f"{unanswered} intents without an outcome, though nobody killed it"


def _of_deed(deed: Deed) -> Said:
    account, region = deed.place
    return deed.operation, f"{account}/{region}", deed.arn.rpartition(":snapshot:")[2]


def _read(path: object) -> dict[int, Entries]:
    """Return the journal's runs by the id of their process."""
    runs: defaultdict[str, Entries] = defaultdict(Entries)
    pending: dict[tuple[str, str, str, int], Said] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        rows = base.execute("SELECT run, kind, step, detail FROM entries ORDER BY seq").fetchall()
    for run, kind, step, text in rows:
        detail = json.loads(text)
        entries = runs[run]
        match kind:
            case "run_started":
                entries.process = detail["who"]["pid"]
            case "intent":
                said = _of_intent(detail)
                entries.intents[said] += 1
                entries.unanswered += 1
                pending[run, step, detail["operation"], detail["attempt"]] = said
            case "outcome":
                entries.unanswered -= 1
                announced = pending.get((run, step, detail["operation"], detail["attempt"]))
                if announced is None:
                    entries.stray.append(f"{detail['operation']} of {step}")
                elif detail["error"] is None:
                    entries.accepted[announced] += 1
            case "run_ended":
                entries.ended = detail
    return {entries.process: entries for entries in runs.values()}


def _of_intent(detail: dict[str, Any]) -> Said:
    arguments = detail["arguments"]
    name = arguments.get("snapshot") or arguments["arn"].rpartition(":snapshot:")[2]
    return detail["operation"], detail["at"], name
