"""Locations that answer nothing, or too slowly: what they cost themselves, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

import pytest

from engine.applying.clock import SystemClock, ThreadWorkers
from engine.applying.executor import Executor, Listed, Mode, Settings
from engine.applying.ledger import Ledger, Problems
from engine.applying.listings import Listings
from engine.applying.outages import FAILURES, LOOK_AGAIN, PATIENCE, Outages
from engine.applying.outcome import StepResult, StepState, Stop
from engine.applying.performing import Performer, Report
from engine.applying.ports import CloudError, Trouble
from engine.applying.retries import LOCATION_DOWN
from engine.applying.run import locations_read
from engine.applying.stopping import StopFlag
from engine.applying.traffic import traffic_of
from engine.errors import ExitCode
from engine.plans.plan import Step
from tests.applying.slow_run import RealClock
from tests.applying.stage import FreeLock, Stage, Watching, hold, states
from tests.applying.world import (
    AWAY,
    ESTATE,
    HOME,
    VAULT,
    FakeClock,
    FakeCloud,
    Fault,
    copy_of,
    copy_step,
    create_step,
    database,
    delete_step,
    plan_of,
    primary,
)

DOWN = Fault(Trouble.NO_REPLY, "NoReply", "connection timed out")
ERROR = CloudError(Trouble.SERVER_FAULT, "503", "down")


def creates(stage: Stage, number: int) -> list[Step]:
    steps = []
    for one in (database(f"orders-{count}", f"db-{count}") for count in range(number)):
        stage.cloud.databases[one.arn] = one
        steps.append(create_step(primary(instance=one.identifier, resource=one.resource_id)))
    return steps


@pytest.mark.parametrize("trouble", [Trouble.NO_REPLY, Trouble.SERVER_FAULT, Trouble.THROTTLED])
@pytest.mark.parametrize("mode", Mode)
def test_a_region_that_is_down_costs_a_run_minutes_not_minutes_per_step(
    stage: Stage, trouble: Trouble, mode: Mode
) -> None:
    points = [primary(days) for days in range(200)]
    hold(stage, *points)
    stage.cloud.dark[AWAY] = replace(DOWN, trouble=trouble)
    lost = [copy_step(copy_of(point, AWAY)) for point in points]
    outcome = stage.run(plan_of(*lost, *creates(stage, 20)), mode=mode)

    assert outcome.counts[StepState.FAILED] == 200
    assert len(outcome.in_state(StepState.DONE, StepState.RUNNING)) == 20
    assert outcome.exit_code is ExitCode.PARTIAL
    assert stage.clock.seconds < 300
    assert stage.cloud.made("snapshots").count(str(AWAY)) < 20
    last = outcome.results[199]
    assert last.code == LOCATION_DOWN
    assert f"{AWAY} has not answered for 2 minutes" in last.text
    assert last.fix is not None


def test_steps_elsewhere_do_not_wait_for_a_region_that_is_down(stage: Stage) -> None:
    """Nothing of the dead region is tried while a worker finds out, but by that worker."""
    points = [primary(days) for days in range(30)]
    hold(stage, *points)
    stage.cloud.dark[AWAY] = DOWN
    lost = [copy_step(copy_of(point, AWAY)) for point in points]
    others = creates(stage, 20)
    stage.run(plan_of(*lost, *others), mode=Mode.LEAVE)
    order = [step for step, state in stage.watching.events if state is StepState.CALLING]
    ids = {step.id for step in others}
    assert sum(1 for step in order[:24] if step in ids) == 20


def test_a_region_that_comes_back_in_time_loses_nothing(stage: Stage) -> None:
    points = [primary(days) for days in range(10)]
    hold(stage, *points)
    stage.cloud.dark[AWAY] = DOWN

    def recover(_operation: str) -> None:
        if stage.clock.seconds > PATIENCE - 60:
            stage.cloud.dark.clear()

    stage.cloud.before_call = recover
    outcome = stage.run(plan_of(*(copy_step(copy_of(point, AWAY)) for point in points)))
    assert outcome.counts == {StepState.DONE: 10}


def test_a_step_that_needs_to_look_at_a_dead_region_fails_and_one_that_does_not_goes_on(
    stage: Stage,
) -> None:
    """A delete asks everywhere whether a copy reads from its object; a create does not."""
    old = primary(1)
    hold(stage, old)
    stage.cloud.dark[AWAY] = DOWN
    outcome = stage.run(plan_of(delete_step(old), *creates(stage, 1)))
    assert states(outcome) == [StepState.FAILED, StepState.DONE]
    assert stage.cloud.made("delete") == []
    assert stage.clock.seconds < 300


def outage(seconds: float) -> tuple[FakeClock, Outages]:
    clock = FakeClock()
    outages = Outages(clock)
    while clock.seconds <= seconds:
        outages.failed(HOME, ERROR)
        clock.seconds += 10
    return clock, outages


def test_a_location_is_given_up_once_its_patience_is_used_up_and_not_before() -> None:
    _, early = outage(PATIENCE - 30)
    assert early.in_doubt(HOME)
    assert not early.is_down(HOME)
    _, late = outage(PATIENCE)
    assert late.is_down(HOME)
    assert late.barring(HOME) is not None
    assert not late.in_doubt(AWAY)


def test_a_location_that_is_down_is_looked_at_again_now_and_then() -> None:
    clock, outages = outage(PATIENCE)
    clock.seconds += LOOK_AGAIN
    assert outages.barring(HOME) is None
    outages.failed(HOME, ERROR)
    assert outages.barring(HOME) is not None
    outages.answered(HOME)
    assert outages.barring(HOME) is None
    assert not outages.in_doubt(HOME)


def test_a_refusal_is_an_answer_and_one_call_that_hangs_is_no_outage() -> None:
    _, outages = outage(PATIENCE)
    outages.failed(HOME, CloudError(Trouble.DENIED, "AccessDenied", ""))
    assert not outages.in_doubt(HOME)
    clock = FakeClock()
    hanging = Outages(clock)
    hanging.failed(HOME, ERROR)
    clock.seconds += 2 * PATIENCE
    for _ in range(FAILURES):
        hanging.failed(HOME, ERROR)
    assert not hanging.is_down(HOME)


class UntilAll(Watching):
    """Ends a run once so many steps of a kind are under way; remembers when."""

    def __init__(self, word: str, number: int, stop: StopFlag) -> None:
        super().__init__()
        self.word, self.left, self.stop = word, number, stop
        self.done_at: float | None = None

    def changed(self, result: StepResult) -> None:
        if result.state is StepState.RUNNING and result.step.id.startswith(self.word):
            self.left -= 1
            if self.left == 0:
                self.done_at = monotonic()
                self.stop.request(Stop.INTERRUPTED)


def test_workers_that_wait_for_a_throttled_location_leave_the_others_theirs() -> None:
    stage = Stage()
    stop = StopFlag()
    clock = SystemClock(stop.event)
    stage.cloud = FakeCloud(RealClock(), takes=600)
    points = [primary(days) for days in range(12)]
    hold(stage, *points)
    slow = [copy_step(copy_of(point, at)) for point in points for at in (VAULT, AWAY)]
    steps = [*slow, *creates(stage, 12)]
    plan = plan_of(*steps)
    traffic = traffic_of(clock, stop.is_set)
    for at in (VAULT, AWAY):
        for _ in range(10):
            traffic.budget.throttled(at, clock.elapsed())
    performer = Performer(
        estate=ESTATE,
        locations=locations_read(plan),
        cloud=stage.cloud,
        clock=clock,
        listings=Listings(stage.cloud, clock, traffic),
        traffic=traffic,
        ledger=Ledger(None, FreeLock(), Problems()),
        problems=Problems(),
    )
    workers: ThreadWorkers[Report | Listed] = ThreadWorkers(20)
    watching = UntilAll("create", 12, stop)
    began = monotonic()
    try:
        Executor(plan, performer, workers, Settings(parallelism=2), watching, stop).run()
    finally:
        stop.event.set()
        workers.close()
        stage.folder.cleanup()
    assert watching.done_at is not None
    # One call at either slow location takes four seconds.
    assert watching.done_at - began < 3
    assert traffic.budget.rate(HOME) == 20.0
