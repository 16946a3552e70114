"""A whole run: lock, journal, executor and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from engine.applying.clock import SystemClock, ThreadWorkers
from engine.applying.executor import Executor, Listed, Mode, Settings
from engine.applying.journal import Journal, JournalError, new_run_id, who
from engine.applying.ledger import Ledger, Problems, told
from engine.applying.listings import Listings
from engine.applying.lock import Lock
from engine.applying.origin import Origin
from engine.applying.outcome import (
    STATE_UNREACHABLE,
    Problem,
    RunOutcome,
    StepResult,
    StepState,
    Stop,
)
from engine.applying.performing import Performer, Report
from engine.applying.ports import Clock, Cloud, Probes
from engine.applying.preflight import Preflight
from engine.applying.progress import Observer
from engine.applying.state import State
from engine.applying.stopping import StopFlag, stopping_on_signals
from engine.applying.traffic import traffic_of
from engine.errors import EngineError, LockedError
from engine.identity.marks import time_text
from engine.inventory.records import Location, ScopeStatus
from engine.plans.plan import Plan

NO_ORIGIN = Origin()


@dataclass(frozen=True, slots=True)
class Held:
    """The lock and the journal of one run; None where it could not be reached.

    `origin` is the commit that it works from.
    """

    run: str
    journal: Journal | None
    lock: Lock | None
    problems: Problems
    origin: Origin = NO_ORIGIN


@contextmanager
def held(
    state: State, clock: Clock, *, lock_timeout: float, origin: Origin = NO_ORIGIN
) -> Iterator[Held]:
    """Take the lock of an estate and open its journal; free both at the end.

    Where they cannot be reached the run goes on without deletes and unshares, and with a problem.

    Raises:
        LockedError: another run holds the lock for longer than `lock_timeout` seconds.
    """
    run = new_run_id(clock.now())
    problems = Problems()
    lock = _lock(state, run, clock, problems, lock_timeout)
    journal = _journal(state, run, clock, problems)
    try:
        yield Held(run, journal, lock, problems, origin)
    finally:
        # The outcome must not be lost over these: what the journal lacks is a problem of it
        # already, and a lease ends by itself.
        if journal is not None:
            with suppress(JournalError):
                journal.close()
        if lock is not None:
            with suppress(EngineError):
                lock.release()


def apply_plan(
    plan: Plan,
    cloud: Cloud,
    probes: Probes,
    hold: Held,
    settings: Settings,
    observer: Observer,
    stop: StopFlag,
) -> RunOutcome:
    """Do what a plan says; SIGINT and SIGTERM end it in order.

    Raises:
        EngineError: the plan's steps are no graph.
    """
    clock = SystemClock(stop.event)
    locations = locations_read(plan)
    # Steps at locations in trouble, and listings, come on top of the parallelism.
    most = settings.parallelism * (len(locations) + 1) + 2
    workers: ThreadWorkers[Report | Listed] = ThreadWorkers(most)
    traffic = traffic_of(clock, stop.is_set)
    cloud.tell(traffic)
    listings = Listings(cloud, clock, traffic)
    preflight = Preflight(probes, listings, clock, hold.problems)
    performer = Performer(
        estate=plan.estate,
        locations=locations,
        cloud=cloud,
        clock=clock,
        listings=listings,
        traffic=traffic,
        ledger=Ledger(hold.journal, hold.lock, hold.problems),
        problems=hold.problems,
        ahead=settings.ahead,
    )
    executor = Executor(plan, performer, workers, settings, observer, stop)
    started_at = clock.now()
    _note_start(plan, hold)
    observer.started(hold.run, plan)
    with stopping_on_signals(stop, workers.wake, hold.lock.release if hold.lock else None):
        try:
            results = executor.run(preflight.results(plan))
        finally:
            workers.close()
        outcome = RunOutcome(
            run=hold.run,
            plan=plan,
            started_at=started_at,
            ended_at=clock.now(),
            results=results,
            stop=reason_that_counts(stop.reason, results, settings.mode),
            problems=hold.problems.all(),
        )
        outcome = _note_end(outcome, hold)
    observer.ended(outcome)
    return outcome


def locations_read(plan: Plan) -> frozenset[Location]:
    """Return the locations that the plan could read and rests on."""
    return frozenset(
        Location(scope.account, scope.region)
        for scope in plan.inventory.scopes
        if scope.status == ScopeStatus.OK
    )


def reason_that_counts(
    reason: Stop | None, results: tuple[StepResult, ...], mode: Mode
) -> Stop | None:
    """Return why the run ended early; time that ran out when all was done does not count."""
    left = {StepState.NOT_STARTED} | ({StepState.RUNNING} if mode is Mode.FOLLOW else set())
    if reason is Stop.TIME_UP and not any(result.state in left for result in results):
        return None
    return reason


def _lock(state: State, run: str, clock: Clock, problems: Problems, timeout: float) -> Lock | None:
    known = who()
    try:
        return state.acquire(run, clock, who=f"{known['user']}@{known['host']}", timeout=timeout)
    except LockedError:
        raise
    except EngineError as error:
        problems.add(_unreachable(error, state.lock_place))
        return None


def _journal(state: State, run: str, clock: Clock, problems: Problems) -> Journal | None:
    try:
        return state.journal(run, clock)
    except JournalError as error:
        problems.add(_unreachable(error, state.journal_place))
        return None


def _unreachable(error: EngineError, place: str) -> Problem:
    text = f"{told(error)}; deletes and unshares wait for the next run"
    return Problem(STATE_UNREACHABLE, error.where or place, text)


def _note_start(plan: Plan, hold: Held) -> None:
    if hold.journal is None:
        return
    detail = {
        "plan": plan.digest,
        "policies": plan.policies_digest,
        "estate": plan.estate,
        "as_of": time_text(plan.as_of),
        "engine": plan.engine_version,
        "steps": len(plan.steps),
        "fence": hold.lock.fence if hold.lock else None,
        "commit": hold.origin.commit,
        "changed": hold.origin.is_changed,
    }
    try:
        hold.journal.run_started(detail)
    except JournalError as error:
        hold.problems.add(_unreachable(error, ""))


def _note_end(outcome: RunOutcome, hold: Held) -> RunOutcome:
    """Write how the run ended; a journal that fails is one more problem of the outcome."""
    if hold.journal is None:
        return outcome
    detail = {
        "exit_code": int(outcome.exit_code),
        "seconds": round((outcome.ended_at - outcome.started_at).total_seconds(), 1),
        "stop": outcome.stop.value if outcome.stop else None,
        "counts": {state.value: count for state, count in outcome.counts.items()},
        "problems": [{"code": p.code, "where": p.where, "text": p.text} for p in outcome.problems],
    }
    try:
        hold.journal.run_ended(detail)
    except JournalError as error:
        hold.problems.add(_unreachable(error, ""))
        return replace(outcome, problems=hold.problems.all())
    return outcome
