"""The journal tells the truth: nothing was done that it had not announced, nor claimed in vain."""

from __future__ import annotations

import signal
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.diary import Row
from tests.chaos.playing import Ending, Played
from tests.chaos.records import Deed

INTERRUPTED = 130
_CUT_OFF = frozenset({INTERRUPTED, -signal.SIGKILL, -signal.SIGTERM})
MOST_UNDER_WAY = 10
"""How many calls a run makes at a time: what a freeze catches between its check and its call."""
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
    if ending.made and not ending.journal:
        yield "there is no journal"
    journal, owed = _read(ending.journal), Counter[Said]()
    numbers = Counter(process for run in ending.runs for process in run.processes)
    for run in ending.runs:
        mine = [one for process in run.processes for one in journal[process]]
        deeds = Counter(map(_of_deed, (one for one in ending.deeds_of(run) if one.by_engine)))
        intents = sum((one.intents for one in mine), Counter[Said]())
        accepted = sum((one.accepted for one in mine), Counter[Said]())
        where = f"run {run.number} at {run.at:%d %H:%M}"
        if any(numbers[process] > 1 for process in run.processes):
            # Its process has the number of an earlier one: nobody can tell their entries apart.
            owed += intents
            continue
        late = ending.late_deeds_of(run)
        if len(late) > MOST_UNDER_WAY:
            yield f"{where}: it went on though its lock was lost: {list(map(str, late))}"
        if run.visit.state_away:
            # Backups go on without a journal; what takes something away does not.
            yield from (f"{where}: without its state: {one}" for one in filter(_takes, deeds))
            continue
        # One intent may stand before two deeds: botocore repeats a call whose reply is lost.
        strange = deeds.keys() - intents.keys() - owed.keys()
        yield from (f"{where}: not announced: {one}" for one in strange)
        if run.ended.code in _CUT_OFF:
            # A call that was under way may take effect once the run that made it is dead.
            owed += intents - deeds
        yield from (f"{where}: accepted, yet never done: {one}" for one in accepted - deeds)
        yield from (f"{where}: an outcome without intent: {s}" for one in mine for s in one.stray)
        if run.thawed is None and not run.visit.twice:
            yield from (f"{where}: {one}" for one in _ends(run, mine))


def _ends(run: Played, mine: list[Entries]) -> Iterator[str]:
    ended = [one.ended for one in mine if one.ended is not None]
    code = run.ended.code
    if run.ended.was_killed:
        # A run may be killed after its last line, as long as that is what is told.
        if ended and not run.visit.is_disturbed:
            yield "it was killed, but the journal says that it ended"
        return
    if run.visit.signals and code == INTERRUPTED:
        if len(run.visit.signals) == 1 and ended and ended[-1]["exit_code"] != code:
            yield f"it was interrupted, but the journal says {ended[-1]['exit_code']}"
        return
    if code == -signal.SIGTERM:
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


def _takes(said: Said) -> bool:
    return said[0] == "DeleteDBSnapshot"


def _read(rows: Iterable[Row]) -> defaultdict[int, list[Entries]]:
    """Return the journal's runs by the id of their process."""
    runs: defaultdict[str, Entries] = defaultdict(Entries)
    pending: dict[tuple[str, str, str, int], Said] = {}
    for row in rows:
        run, step, detail = row.run, row.step, row.detail
        entries = runs[run]
        match row.kind:
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
    found: defaultdict[int, list[Entries]] = defaultdict(list)
    for entries in runs.values():
        found[entries.process].append(entries)
    return found


def _of_intent(detail: dict[str, Any]) -> Said:
    arguments = detail["arguments"]
    name = arguments.get("snapshot") or arguments["arn"].rpartition(":snapshot:")[2]
    return detail["operation"], detail["at"], name
