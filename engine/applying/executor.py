"""Walks the plan's graph: starts what is ready, waits for AWS, isolates what fails."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from functools import partial
from math import inf

from engine.applying.graph import Graph, Lane
from engine.applying.listings import Holdings, Section
from engine.applying.observing import Observations
from engine.applying.outcome import BUG, Problem, StepResult, StepState, Stop
from engine.applying.performing import Performer, Report
from engine.applying.ports import CloudError, Trouble, Workers
from engine.applying.progress import Observer
from engine.applying.retries import LOCATION_DOWN, advice
from engine.applying.stopping import StopFlag
from engine.applying.turns import Places, Turns
from engine.applying.waiting import Pending, Resolved, Sighting, Waiting
from engine.inventory.records import Kind, Location, kind_of
from engine.plans.codes import Action
from engine.plans.plan import Plan, Step

COPIES_IN_FLIGHT = 20
CLUSTER_COPIES_IN_FLIGHT = 5
POSTPONED_FOR = 600.0
APPEARS_WITHIN = 60.0
"""Seconds for which even a run that does not wait comes back to what it does not see yet."""
TURN_COMES_WITHIN = 1.0


class Mode(Enum):
    """How long a run goes on."""

    FOLLOW = auto()
    """To the graph's end."""
    LEAVE = auto()
    """Until only objects in flight remain."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run goes about it; times in seconds, but for `ahead`: of its time before the clock's.

    AWS copies at most 20 snapshots at once into one region of an account, and 5 of clusters (RDS
    User Guide, Copying a DB snapshot, Limitations; Aurora User Guide, Copying a DB cluster
    snapshot).
    """

    mode: Mode = Mode.FOLLOW
    parallelism: int = 10
    poll_interval: float = 30.0
    max_duration: float | None = None
    copies_in_flight: int = COPIES_IN_FLIGHT
    ahead: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Listed:
    """A section's listing, or the error it brought; `seen_at` is when the reading began."""

    at: Section
    seen_at: float
    holdings: Holdings | None
    error: CloudError | None = None


@dataclass(frozen=True, slots=True)
class _Postponed:
    step: Step
    until: float


class Executor:
    """One run over one plan; `stop` ends it early."""

    def __init__(
        self,
        plan: Plan,
        performer: Performer,
        workers: Workers[Report | Listed],
        settings: Settings,
        observer: Observer,
        stop: StopFlag,
    ) -> None:
        """Take a plan; raises EngineError where its steps are no graph."""
        self._graph = Graph(plan, performer.locations)
        self._performer = performer
        self._clock = performer.clock
        self._workers = workers
        self._settings = settings
        self._observer = observer
        self._stop = stop
        self._turns = Turns(performer.traffic, settings.parallelism)
        self._is_holding = False
        self._waiting = Waiting(settings.poll_interval)
        self._active: dict[Future[Report | Listed], Step | Section] = {}
        self._copies: dict[Section, set[str]] = {}
        self._postponed: list[_Postponed] = []
        self._first_postponed: dict[str, float] = {}
        self._percent: dict[str, int] = {}
        self._observations = Observations(plan)

    def run(self, already: Iterable[StepResult] = ()) -> tuple[StepResult, ...]:
        """Work the graph off; return what became of each step, in the plan's order.

        `already` are final results of steps that are not even begun.
        """
        started = self._clock.elapsed()
        for result in already:
            self._settle(result)
        self._announce(self._graph.open())
        while True:
            self._mind_the_time(started)
            if self._stop.reason is None:
                self._bring_back_postponed()
                self._schedule()
                self._list_due()
            self._stop.spread()
            if self._is_over():
                return self._close()
            future = self._workers.receive(self._idle_seconds(started))
            if future is not None:
                self._take(future)

    # -- starting ----------------------------------------------------------------------------

    def _schedule(self) -> None:
        """Start ready steps, one of each lane in turn, as many as may be under way."""
        started = True
        while started:
            started = self._is_holding = False
            self._turns.look(lane.places for lane, _ in self._graph.ready_lanes())
            self._bar_lanes()
            for lane, steps in self._graph.ready_lanes():
                if not self._turns.allows(lane.places):
                    self._is_holding = True
                elif lane.is_copy and not self._has_room(lane.section):
                    self._waiting.watch(lane.section, self._clock.elapsed())
                else:
                    self._start(lane, steps.popleft())
                    started = True

    def _start(self, lane: Lane, step: Step) -> None:
        if lane.is_copy:
            self._copies.setdefault(lane.section, set()).add(step.arn)
        self._observer.changed(self._graph.begin(step, StepState.CALLING))
        self._submit(step, lane.places, partial(self._performer.perform, step))

    def _bar_lanes(self) -> None:
        """Give up the steps that need a location which is down; others may do without it."""
        for lane, steps in self._graph.ready_lanes():
            bar = self._turns.bar(lane.places)
            if bar is not None:
                fix = advice(bar.trouble)
                for step in tuple(steps):
                    text = bar.message
                    self._settle(StepResult(step, StepState.FAILED, text, LOCATION_DOWN, fix))
                steps.clear()

    def _has_room(self, section: Section) -> bool:
        ours = self._copies.get(section, set())
        others = self._performer.listings.copies_in_flight(section) - ours
        most = self._settings.copies_in_flight
        if section.kind is Kind.CLUSTER:
            most = min(most, CLUSTER_COPIES_IN_FLIGHT)
        return len(ours) + len(others) < most

    def _submit(self, step: Step, places: Places, work: partial[Report]) -> None:
        self._turns.begin(step.id, places)
        self._active[self._workers.submit(work)] = step

    def _bring_back_postponed(self) -> None:
        now = self._clock.elapsed()
        due = [one for one in self._postponed if one.until <= now]
        self._postponed = [one for one in self._postponed if one.until > now]
        for one in due:
            self._graph.enqueue(one.step)

    def _list_due(self) -> None:
        for at in self._waiting.due(self._clock.elapsed()):
            self._active[self._workers.submit(partial(self._list, at))] = at

    def _list(self, at: Section) -> Listed:
        seen_at, listings = self._clock.elapsed(), self._performer.listings
        try:
            return Listed(at, seen_at, listings.snapshots(at.at, since=seen_at, kind=at.kind))
        except CloudError as error:
            return Listed(at, seen_at, None, error)

    # -- ending ------------------------------------------------------------------------------

    def _mind_the_time(self, started: float) -> None:
        limit = self._settings.max_duration
        if limit is not None and self._clock.elapsed() - started >= limit:
            self._stop.request(Stop.TIME_UP)

    def _is_over(self) -> bool:
        if self._active:
            return False
        if self._stop.reason is not None:
            return True
        if self._settings.mode is Mode.LEAVE:
            awaited = any(one.is_delete for one in self._waiting.pending)
            return not (awaited or self._is_holding or self._postponed)
        return not (
            self._waiting or self._postponed or any(True for _ in self._graph.ready_lanes())
        )

    def _idle_seconds(self, started: float) -> float:
        limit = self._settings.max_duration
        moments = [self._waiting.next_due(), *(one.until for one in self._postponed)]
        if limit is not None:
            moments.append(started + limit)
        if self._is_holding:
            moments.append(self._clock.elapsed() + TURN_COMES_WITHIN)
        return min(3600.0, max(0.0, min(moments) - self._clock.elapsed()))

    def _close(self) -> tuple[StepResult, ...]:
        unstarted = StepState.NEXT_RUN if self._stop.reason is None else StepState.NOT_STARTED
        for result in self._graph.results():
            if result.state is StepState.WAITING:
                text = result.text or "waits for objects in flight"
                if unstarted is StepState.NOT_STARTED:
                    text = "the run was stopped before its turn"
                self._settle(replace(result, state=unstarted, text=text))
            elif result.state is StepState.RUNNING:
                self._ended(result)
        return self._graph.results()

    # -- what comes back ---------------------------------------------------------------------

    def _take(self, future: Future[Report | Listed]) -> None:
        about = self._active.pop(future)
        if isinstance(about, Step):
            self._turns.end(about.id)
        error = future.exception()
        if error is not None:
            self._crashed(about, error)
            return
        answer = future.result()
        if isinstance(answer, Listed):
            self._listed(answer)
        elif answer.postponed:
            self._postpone(answer)
        else:
            self._reported(answer)

    def _crashed(self, about: Step | Section, error: BaseException) -> None:
        """A bug of the engine costs its own step and nothing else."""
        where = about.id if isinstance(about, Step) else str(about)
        story = "".join(traceback.format_exception(error)).rstrip()
        self._performer.problems.add(Problem(BUG, where, f"a bug of the engine:\n{story}"))
        text = f"a bug of the engine: {type(error).__name__}: {error}"
        if isinstance(about, Step):
            self._settle(StepResult(about, StepState.FAILED, text, BUG))
        else:
            self._given_up(self._waiting.unreadable(about, self._clock.elapsed()), text, None)

    def _postpone(self, report: Report) -> None:
        """Come back to a step later: in this run if it waits anyway, else in the next."""
        step, now = report.step, self._clock.elapsed()
        self._leave_copies(step)
        first = self._first_postponed.setdefault(step.id, now)
        is_queue = report.code == Trouble.COPIES_IN_FLIGHT.value
        if now - first < self._patience(report.code):
            self._postponed.append(_Postponed(step, now + self._settings.poll_interval))
            self._observer.changed(self._graph.begin(step, StepState.WAITING, report.text))
        elif is_queue:
            self._settle(_result(replace(report, state=StepState.NEXT_RUN)))
        else:
            self._settle(_result(report))

    def _patience(self, code: str | None) -> float:
        """Return for how many seconds a run comes back to a step that is not possible yet."""
        if self._settings.mode is Mode.LEAVE:
            return APPEARS_WITHIN if code == Trouble.NOT_FOUND.value else 0.0
        return inf if code == Trouble.COPIES_IN_FLIGHT.value else POSTPONED_FOR

    def _reported(self, report: Report) -> None:
        step = report.step
        if report.lock_lost:
            self._stop.request(Stop.LOCK_LOST)
        if report.state is not StepState.RUNNING:
            self._settle(_result(report))
        elif step.action is Action.DELETE and not self._graph.has_dependents(step):
            self._settle(_result(replace(report, state=StepState.DONE)))
        else:
            pending = Pending(step, self._clock.elapsed(), report.made_here)
            self._observations.began(step, pending.since, made_here=report.made_here)
            self._waiting.add(_section(step), pending)
            self._observer.changed(self._graph.begin(step, StepState.RUNNING, report.text))

    def _listed(self, listed: Listed) -> None:
        now = self._clock.elapsed()
        if listed.holdings is None:
            # Copies that wait for room there must not wait for what nobody can see.
            self._performer.listings.forget(listed.at)
            text = f"{listed.at} could not be listed: {listed.error}"
            fix = advice(listed.error.trouble) if listed.error else None
            self._given_up(self._waiting.unreadable(listed.at, now), text, fix)
            return
        for one in self._waiting.resolve(listed.at, listed.holdings.records, now):
            self._resolved(one, listed.seen_at)

    def _resolved(self, one: Resolved, seen_at: float) -> None:
        step = one.pending.step
        self._observe(one, seen_at)
        if one.sighting is Sighting.LOST:
            self._settle(StepResult(step, StepState.FAILED, one.text, "object_lost"))
        elif one.sighting is Sighting.UNDER_WAY:
            self._progressed(step, one.progress)
        elif step.action is Action.CREATE and one.pending.made_here:
            work = partial(self._performer.confirm_zone, step, seen_at)
            self._submit(step, frozenset({_at(step)}), work)
        else:
            self._settle(StepResult(step, StepState.DONE, one.text))

    def _observe(self, one: Resolved, seen_at: float) -> None:
        step = one.pending.step
        if one.sighting is Sighting.ARRIVED:
            self._observations.arrived(step, self._clock.elapsed(), one.full_bytes)
        elif one.sighting is Sighting.UNDER_WAY:
            self._observations.under_way(step, seen_at, one.progress)

    def _progressed(self, step: Step, percent: int | None) -> None:
        if percent is not None and percent > self._percent.get(step.id, 0):
            self._percent[step.id] = percent
            self._observer.progressed(step, percent)

    def _given_up(self, pending: Iterable[Pending], text: str, fix: str | None) -> None:
        for one in pending:
            result = StepResult(one.step, StepState.FAILED, text, "location_unreadable", fix)
            self._settle(result)

    def _settle(self, result: StepResult) -> None:
        self._leave_copies(result.step)
        self._announce(self._graph.settle(result))

    def _leave_copies(self, step: Step) -> None:
        self._copies.get(_section(step), set()).discard(step.arn)

    def _announce(self, results: Iterable[StepResult]) -> None:
        for result in results:
            self._ended(result)
            self._observer.changed(result)

    def _ended(self, result: StepResult) -> None:
        self._performer.ledger.ended(result, self._observations.detail(result.step))


def _at(step: Step) -> Location:
    return Location(step.location.account, step.location.region)


def _section(step: Step) -> Section:
    return Section(_at(step), kind_of(step.arn))


def _result(report: Report) -> StepResult:
    return StepResult(report.step, report.state, report.text, report.code, report.fix)
