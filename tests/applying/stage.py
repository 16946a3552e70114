"""Runs a plan on the world in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.applying.executor import Executor, Listed, Mode, Settings
from engine.applying.journal import Entry, Journal
from engine.applying.ledger import Ledger, Problems
from engine.applying.listings import Listings
from engine.applying.local_journal import SqlitePages, read_run
from engine.applying.lock import Lock
from engine.applying.outcome import RunOutcome, StepResult, StepState
from engine.applying.performing import Performer, Report
from engine.applying.retries import Patience
from engine.applying.run import locations_read, reason_that_counts
from engine.applying.stopping import StopFlag
from engine.applying.traffic import traffic_of
from engine.plans.plan import Plan, Step
from tests.applying.world import ESTATE, FakeClock, FakeCloud, InlineWorkers, Point


class FreeLock:
    """A lock that nobody contends for."""

    fence = 1

    def verify(self) -> None:
        return

    def release(self) -> None:
        return


@dataclass
class Watching:
    """Remembers every event."""

    events: list[tuple[str, StepState]] = field(default_factory=list)
    percents: list[int] = field(default_factory=list)

    def started(self, run: str, plan: Plan) -> None:
        return

    def changed(self, result: StepResult) -> None:
        self.events.append((result.step.id, result.state))

    def progressed(self, step: Step, percent: int) -> None:
        self.percents.append(percent)

    def ended(self, outcome: RunOutcome) -> None:
        return


class Stage:
    """A clock, a cloud, and everything a run needs around them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cloud: FakeCloud = FakeCloud(self.clock)
        self.stop = StopFlag()
        self.watching = Watching()
        self.problems = Problems()
        self.traffic = traffic_of(self.clock, self.stop.is_set, per_second=1000)
        self.lock: Lock | None = FreeLock()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal.sqlite"
        self.journal: Journal | None = Journal(SqlitePages(self.path), "run-1", self.clock)

    def run(
        self,
        plan: Plan,
        *,
        mode: Mode = Mode.FOLLOW,
        max_duration: float | None = None,
        parallelism: int = 4,
        already: Sequence[StepResult] = (),
    ) -> RunOutcome:
        patience = Patience(draw=lambda: 1.0)
        performer = Performer(
            estate=ESTATE,
            locations=locations_read(plan),
            cloud=self.cloud,
            clock=self.clock,
            listings=Listings(self.cloud, self.clock, self.traffic, patience),
            traffic=self.traffic,
            ledger=Ledger(self.journal, self.lock, self.problems),
            problems=self.problems,
            patience=patience,
        )
        workers: InlineWorkers[Report | Listed] = InlineWorkers(self.clock)
        settings = Settings(mode, parallelism, 30.0, max_duration)
        executor = Executor(plan, performer, workers, settings, self.watching, self.stop)
        started_at = self.clock.now()
        results = executor.run(already)
        workers.close()
        return RunOutcome(
            run="run-1",
            plan=plan,
            started_at=started_at,
            ended_at=self.clock.now(),
            results=results,
            stop=reason_that_counts(self.stop.reason, results, mode),
            problems=self.problems.all(),
        )

    def entries(self) -> Sequence[Entry]:
        return read_run(self.path, "run-1")


def states(outcome: RunOutcome) -> list[StepState]:
    return [result.state for result in outcome.results]


def hold(stage: Stage, *points: Point) -> None:
    for point in points:
        stage.cloud.objects[point.arn] = point.record(zone_checked=True)
