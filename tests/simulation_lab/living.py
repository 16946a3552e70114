"""Simulates days, then lets the engine live them in a lab, run by run over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine.lab.estates import IRELAND, PROD
from tests.chaos.nursery import Ended, Lab, Run, order_engine
from tests.chaos.records import Deed, read_deeds
from tests.chaos.story import IDS
from tests.end_to_end.harness import clean_environment
from tests.simulation_lab.days import OTHER_KEY, Days, Happening, What
from tests.simulation_lab.scripts import simulate_words, text_of, write_documents, write_events

Log = Callable[[str], None]
NO_TIME = timedelta(0)
LATER = timedelta(days=3)
_FINE = frozenset({0, 4})
"""Exit codes of a run that does what its plan says: all of it, or but for what guards withhold."""
_PARTLY = _FINE | {3}


@dataclass(slots=True)
class Lived:
    """What the lab recorded of days that were lived.

    `said` holds the forecasts of steps, as the runs told them, by tick and ARN.
    """

    deeds: list[Deed] = field(default_factory=list)
    said: dict[tuple[datetime, str], dict[str, str]] = field(default_factory=dict)
    truth: list[dict[str, Any]] = field(default_factory=list)
    runs: int = 0
    odd: list[str] = field(default_factory=list)
    """Runs that ended as none should."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """When something happens or is over; else the scheduler runs the engine then."""

    at: datetime
    begins: Happening | None = None
    ends: Happening | None = None


class Life:
    """Days in a lab: what is told of them beforehand, and what comes of them."""

    def __init__(self, days: Days, folder: Path, lab: Lab, log: Log) -> None:
        self._days, self._folder, self._lab, self._log = days, folder, lab, log
        self._keys: dict[str, str] = {}
        self._out: dict[Happening, str] = {}
        lab.begin(days.start, days.story.lab_seed())
        folder.mkdir(parents=True, exist_ok=True)
        write_documents(folder, days, self._keys)
        write_events(folder, days)

    def simulated(self) -> dict[str, Any]:
        """Return what `engine simulate` tells of the days, from what there is in the lab."""
        ended = self._run(simulate_words(self._days), 0)
        assert ended.code == 0, ended.err
        found: dict[str, Any] = json.loads(ended.out)
        return found

    def lived(self) -> Lived:
        """Let the days come to pass."""
        lived = Lived()
        for moment in self._moments():
            self._lab.client.move_to(moment.at)
            self._take(moment, lived)
        # What is on its way when the days are over is stored in some way as well.
        self._lab.client.clear_faults()
        self._lab.client.forward(LATER.total_seconds())
        lived.deeds = [deed for _, deed in read_deeds(self._lab.deeds())]
        lived.truth = self._lab.client.truth()
        return lived

    def _moments(self) -> list[_Moment]:
        happenings = self._days.happenings
        found = [_Moment(tick) for tick in self._days.ticks()]
        found += [_Moment(one.at, begins=one) for one in happenings]
        found += [_Moment(one.ends, ends=one) for one in happenings if one.what is What.OUTAGE]
        return sorted((one for one in found if one.at < self._days.end), key=lambda one: one.at)

    def _take(self, moment: _Moment, lived: Lived) -> None:
        if moment.begins is not None:
            self._happen(moment.begins)
        elif moment.ends is not None:
            self._lab.client.clear_faults(self._out.pop(moment.ends))
        else:
            self._tick(moment.at, lived)

    # -- the engine -------------------------------------------------------------------------------

    def _tick(self, tick: datetime, lived: Lived) -> None:
        lived.runs += 1
        flags = ("-auto-approve", "-local-lock", "-json", "-no-wait", "-at", text_of(tick))
        ended = self._run(("apply", *flags), lived.runs)
        lines = [json.loads(line) for line in ended.out.splitlines()]
        for line in lines:
            if line["type"] == "step" and line.get("forecast"):
                lived.said[tick, line["arn"]] = line["forecast"]
        self._log(f"run at {tick:%d %H:%M}: exit {ended.code} {lines[-1].get('counts')}")
        if ended.code not in (_PARTLY if self._days.happenings else _FINE):
            lived.odd.append(f"{tick}: exit {ended.code}: {ended.out[-1500:]} {ended.err[-1500:]}")

    def _run(self, words: tuple[str, ...], number: int) -> Ended:
        variables = clean_environment(self._folder) | self._lab.environment(PROD, IRELAND)
        return Run(order_engine(self._folder, words, variables, number)).end()

    # -- what else happens ------------------------------------------------------------------------

    def _happen(self, one: Happening) -> None:
        self._log(f"{one.at:%d %H:%M} {one.what} {one.about} {one.lasts}")
        match one.what:
            case What.FAIL_OVER | What.DELETE:
                account, region, identifier = one.about.split("/")
                self._lab.client.let(one.what.value, IDS[account], region, identifier)
            case What.OUTAGE:
                account, region = one.about.split("/")
                where = {"account": IDS[account], "region": region}
                self._out[one] = self._lab.client.add_fault("region_down", **where)
            case What.ROTATE_KEY:
                self._keys[one.about] = OTHER_KEY
                write_documents(self._folder, self._days, self._keys)
            case What.MISS_RUNS:
                pass
