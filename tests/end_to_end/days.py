"""Days of a schedule: what a scheduler does every four hours, and what each day leaves behind."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.errors import ExitCode
from tests.end_to_end.forecasts import Forecasts
from tests.end_to_end.harness import Sight, World

EVERY = timedelta(hours=4)
# As long as AWS may take: nothing that a run begins ends while it runs.
DURATIONS = {"create_seconds": 900.0, "copy_seconds": 1800.0, "cross_region_seconds": 3600.0}
PATIENT = {"failover_seconds": 60.0, "zone_lag_seconds": 120.0, "manual_snapshots": 1000}

Place = tuple[str, str]
"""An account and a region."""

Failovers = Mapping[tuple[int, int], tuple[str, str, str]]
"""By day and run of the day, after which it happens: account, region and name of the database."""


@dataclass
class Days:
    """What days of a schedule left behind, besides the world itself.

    `points` are the accounts and regions in which each instance has a point of each day, `history`
    the ARNs of what the engine had made before.
    """

    world: World
    start: datetime
    points: Mapping[str, frozenset[Place]]
    history: frozenset[str] = frozenset()
    forecasts: Forecasts = field(default_factory=dict)
    unsettled: list[str] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    foreign_before: Sight = field(default_factory=dict)
    known_before: dict[str, bool] = field(default_factory=dict)
    runs: int = 0
    seconds: float = 0.0

    def pass_by(self, number: int, failovers: Failovers) -> None:
        """Let days pass; databases fail over meanwhile."""
        began = time.monotonic()
        self.foreign_before = self.foreign()
        self.known_before = {one["arn"]: one["exists"] for one in self.world.lab.client.truth()}
        for day in range(number):
            today = self.start + timedelta(days=day)
            for run in range(timedelta(days=1) // EVERY):
                self.world.move_to(today + run * EVERY)
                self.run_once()
                if (day, run) in failovers:
                    self.world.lab.client.fail_over(*failovers[day, run])
            self.world.move_to(today + timedelta(hours=23))
            self.see_the_day(today.replace(minute=0))
        self.seconds = time.monotonic() - began

    def run_once(self) -> None:
        """Do what the scheduler does, and note what was forecast of what it began."""
        at = self.world.now()
        words = ("-auto-approve", "-local-lock", "-no-wait", "-json", "-at", at)
        self.world.lab.client.forget_calls()
        done = self.world.run("apply", *words)
        # What a database had before may be older than its RPO until the first copies are there.
        troubles = {one["kind"] for one in done.outcome()["troubles"]}
        ends = ExitCode.OBJECTIVE_BROKEN if troubles == {"objective"} else 0
        lines = done.insist(ends).json_lines()
        calls = self.world.lab.client.calls()
        self.runs += 1
        self.calls.update(call["operation"] for call in calls)
        self.refusals += [str(call) for call in calls if call["outcome"] != "ok"]
        begun = (line for line in lines if line.get("state") == "running" and "forecast" in line)
        self.forecasts |= {line["arn"]: line["forecast"]["verdict"] for line in begun}

    def see_the_day(self, slot: datetime) -> None:
        """Note what the day leaves undone, and what it did too often."""
        plan = self.world.plan("-detailed-exitcode")
        if plan.code != 0:
            self.unsettled.append(f"{slot}: exit {plan.code}\n{plan.out}")
        seen = self.world.owned().values()
        written = slot.strftime("%Y-%m-%dT%H:%M:%SZ")
        there = Counter(
            (one.instance, (one.account, one.region))
            for one in seen
            if one.slot == written and one.role != "bridge"
        )
        due = {(name, place) for name, places in self.points.items() for place in places}
        wrongly = [key for key in due if there[key] != 1] + [key for key in there if there[key] > 1]
        self.amiss += [f"{slot}: {key} is there {there[key]} times" for key in wrongly]
        self.amiss += [f"{slot}: {one.arn} stays shared" for one in seen if one.shared_with]

    def foreign(self) -> Sight:
        """Return what neither the engine nor a backup window makes or removes."""
        mine = self.history | set(self.forecasts)
        return {
            arn: one
            for arn, one in self.world.seen().items()
            if one.type != "automated" and arn not in mine
        }

    def made(self) -> list[dict[str, Any]]:
        """Return what the lab knows of everything that was begun in these days."""
        return [one for one in self._of_calls() if one["arn"] not in self.known_before]

    def removed(self) -> list[dict[str, Any]]:
        """Return what the lab knows of everything that went in these days."""
        return [
            one
            for one in self._of_calls()
            if not one["exists"] and self.known_before.get(one["arn"], True)
        ]

    def figures(self) -> str:
        """Return a line for people."""
        verdicts = ", ".join(f"{n} {name}" for name, n in Counter(self.forecasts.values()).items())
        return (
            f"{self.runs} runs in {self.seconds:.0f} s: {len(self.made())} snapshots made "
            f"({verdicts}), {len(self.removed())} removed, {len(self.foreign_before)} foreign ones "
            f"untouched, {sum(self.calls.values())} calls, {len(self.refusals)} of them refused\n"
        )

    def _of_calls(self) -> list[dict[str, Any]]:
        automated = re.compile(r":snapshot:rds:")
        truth = self.world.lab.client.truth()
        return [one for one in truth if not automated.search(one["arn"])]
