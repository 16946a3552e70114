from __future__ import annotations

from dataclasses import replace

import pytest

from engine.applying.executor import Mode
from engine.applying.outcome import StepState, Stop
from engine.applying.ports import Trouble
from engine.errors import ExitCode
from tests.applying.stage import Stage, hold, states
from tests.applying.world import (
    AWAY,
    HOME,
    VAULT,
    Fault,
    copy_of,
    copy_step,
    create_step,
    delete_step,
    plan_of,
    primary,
    snapshot,
    tag_step,
)

D = StepState.DONE


def test_no_wait_ends_when_only_objects_in_flight_remain(stage: Stage) -> None:
    create = create_step(primary())
    plan = plan_of(create, copy_step(copy_of(primary(), AWAY), create))
    outcome = stage.run(plan, mode=Mode.LEAVE)
    assert states(outcome) == [StepState.RUNNING, StepState.NEXT_RUN]
    assert outcome.exit_code is ExitCode.OK
    assert stage.clock.seconds < 1


def test_no_wait_leaves_copies_beyond_the_limit_to_the_next_run(stage: Stage) -> None:
    points = [primary(days) for days in range(22)]
    hold(stage, *points)
    outcome = stage.run(plan_of(*(copy_step(copy_of(p)) for p in points)), mode=Mode.LEAVE)
    assert outcome.counts == {StepState.RUNNING: 20, StepState.NEXT_RUN: 2}
    assert outcome.exit_code is ExitCode.OK


def test_no_more_than_twenty_copies_fly_to_one_location_at_once(stage: Stage) -> None:
    points = [primary(days) for days in range(45)]
    hold(stage, *points)
    steps = [copy_step(copy_of(p, at)) for p in points for at in (VAULT, AWAY)]
    outcome = stage.run(plan_of(*steps), parallelism=64)
    assert outcome.counts == {StepState.DONE: 90}
    assert dict(stage.cloud.busiest) == {VAULT: 20, AWAY: 20}


def test_copies_of_others_count_against_the_limit(stage: Stage) -> None:
    new = primary()
    hold(stage, new)
    for number in range(20):
        arn = f"arn:aws:rds:eu-west-1:222222222222:snapshot:theirs-{number}"
        stage.cloud.objects[arn] = snapshot(arn, {}, status="copying")
        stage.cloud.ready_at[arn] = 100.0
    tag = tag_step(copy_of(primary(3)), {"engine:gone-since": "2026-11-21T00:00:00Z"})
    hold(stage, copy_of(primary(3)))
    copy = copy_step(copy_of(new), tag)  # the tag step makes the location's listing known
    outcome = stage.run(plan_of(tag, copy))
    assert states(outcome) == [D, D]
    assert dict(stage.cloud.busiest)[VAULT] == 1


def test_a_copy_that_aws_finds_too_many_waits_for_others_to_end(stage: Stage) -> None:
    new = primary()
    hold(stage, new)
    stage.cloud.fail("copy", Fault(Trouble.COPIES_IN_FLIGHT, "SnapshotQuotaExceeded"))
    outcome = stage.run(plan_of(copy_step(copy_of(new))))
    assert states(outcome) == [D]
    stage.cloud.fail("copy", Fault(Trouble.COPIES_IN_FLIGHT, "SnapshotQuotaExceeded"))
    left = stage.run(plan_of(copy_step(copy_of(new, AWAY))), mode=Mode.LEAVE)
    assert states(left) == [StepState.NEXT_RUN]
    assert left.exit_code is ExitCode.OK


def test_an_instance_that_is_busy_is_tried_again_for_a_while_then_refused(stage: Stage) -> None:
    busy = Fault(Trouble.WRONG_STATE, "InvalidDBInstanceState")
    stage.cloud.fail("create", busy, busy)
    assert states(stage.run(plan_of(create_step(primary())))) == [D]
    stage.cloud.objects.clear()
    stage.cloud.fail("create", *[busy] * 50)
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [StepState.REFUSED]
    assert outcome.exit_code is ExitCode.STALE


def test_one_listing_per_location_and_interval_serves_all_that_waits(stage: Stage) -> None:
    points = [primary(days) for days in range(15)]
    hold(stage, *points)
    stage.cloud.takes = 100.0
    outcome = stage.run(plan_of(*(copy_step(copy_of(point)) for point in points)))
    assert outcome.counts == {StepState.DONE: 15}
    assert len(stage.cloud.made("copy")) == 15
    # One for the preconditions at each location, then polls after 30, 60, 90 and 120 seconds.
    assert stage.cloud.made("snapshots").count(str(VAULT)) == 5
    assert stage.cloud.made("snapshots").count(str(HOME)) == 1
    assert stage.cloud.made("snapshot") == []


def test_progress_of_objects_in_flight_is_told_once_per_change(stage: Stage) -> None:
    stage.cloud.takes = 100.0
    stage.run(plan_of(create_step(primary())))
    assert stage.watching.percents == [10]


def test_an_object_that_aws_gives_up_is_a_failed_step(stage: Stage) -> None:
    new = primary()

    def break_it(operation: str) -> None:
        if operation == "snapshots" and new.arn in stage.cloud.objects:
            stage.cloud.ready_at.clear()
            stage.cloud.objects[new.arn] = replace(stage.cloud.objects[new.arn], status="failed")

    stage.cloud.before_call = break_it
    outcome = stage.run(plan_of(create_step(new)))
    assert states(outcome) == [StepState.FAILED]
    assert "failed" in outcome.results[0].text


def test_an_object_that_vanishes_is_a_failed_step(stage: Stage) -> None:
    new = primary()
    stage.cloud.takes = 1000.0

    def vanish(operation: str) -> None:
        if operation == "snapshots":
            stage.cloud.objects.pop(new.arn, None)

    stage.cloud.before_call = vanish
    outcome = stage.run(plan_of(create_step(new)))
    assert states(outcome) == [StepState.FAILED]


def test_a_status_nobody_knows_is_waited_for_like_one_in_progress(stage: Stage) -> None:
    new = primary()

    def rename(operation: str) -> None:
        if (
            operation == "snapshots"
            and stage.clock.seconds < 200
            and new.arn in stage.cloud.objects
        ):
            stage.cloud.ready_at[new.arn] = 200.0
            stage.cloud.objects[new.arn] = replace(stage.cloud.objects[new.arn], status="pondering")

    stage.cloud.before_call = rename
    assert states(stage.run(plan_of(create_step(new)))) == [D]


def test_a_location_that_cannot_be_polled_fails_its_objects_after_three_intervals(
    stage: Stage,
) -> None:
    stage.cloud.takes = 1000.0

    def deny(operation: str) -> None:
        if operation == "snapshots" and stage.cloud.made("create"):
            stage.cloud.fail("snapshots", Fault(Trouble.DENIED, "AccessDenied"))

    stage.cloud.before_call = deny
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [StepState.FAILED]
    assert outcome.exit_code is ExitCode.PARTIAL
    assert stage.clock.seconds == pytest.approx(90, abs=1)


def test_max_duration_stops_before_the_end(stage: Stage) -> None:
    stage.cloud.takes = 1000.0
    create = create_step(primary())
    plan = plan_of(create, copy_step(copy_of(primary(), AWAY), create))
    outcome = stage.run(plan, max_duration=100)
    assert states(outcome) == [StepState.RUNNING, StepState.NOT_STARTED]
    assert outcome.stop is Stop.TIME_UP
    assert outcome.exit_code is ExitCode.TIME_UP
    assert 100 <= stage.clock.seconds < 131


def test_max_duration_that_suffices_is_not_told(stage: Stage) -> None:
    outcome = stage.run(plan_of(create_step(primary())), max_duration=1000)
    assert outcome.stop is None
    assert outcome.exit_code is ExitCode.OK


def test_a_delete_that_others_wait_for_is_done_when_the_object_is_gone(stage: Stage) -> None:
    old = primary(1)
    hold(stage, old)
    delete = delete_step(old)
    create = replace(create_step(primary()), depends_on=(delete.id,))
    outcome = stage.run(plan_of(delete, create), mode=Mode.LEAVE)
    assert states(outcome) == [D, StepState.RUNNING]


def test_a_share_that_is_not_seen_yet_is_waited_for(stage: Stage) -> None:
    new = primary()
    hold(stage, new)
    unseen = Fault(Trouble.NOT_FOUND, "DBSnapshotNotFound")
    stage.cloud.fail("copy", *[unseen] * 6)
    assert states(stage.run(plan_of(copy_step(copy_of(new))))) == [D]
    stage.cloud.fail("copy", *[unseen] * 500)
    outcome = stage.run(plan_of(copy_step(copy_of(new, AWAY))))
    assert states(outcome) == [StepState.REFUSED]


def test_copies_do_not_wait_for_room_that_nobody_can_see(stage: Stage) -> None:
    points = [primary(days) for days in range(2)]
    hold(stage, *points, copy_of(primary(9)))
    for number in range(20):
        arn = f"arn:aws:rds:eu-west-1:222222222222:snapshot:theirs-{number}"
        stage.cloud.objects[arn] = snapshot(arn, {}, status="copying")

    def deny(operation: str) -> None:
        if operation == "snapshots" and stage.clock.seconds > 20:
            stage.cloud.fail("snapshots", Fault(Trouble.DENIED, "AccessDenied"))

    stage.cloud.before_call = deny
    tag = tag_step(copy_of(primary(9)), {"a": "b"})
    outcome = stage.run(plan_of(tag, *(copy_step(copy_of(point), tag) for point in points)))
    assert states(outcome) == [D, StepState.FAILED, StepState.FAILED]


def test_copies_of_this_run_count_once_though_listings_show_them_too(stage: Stage) -> None:
    points = [primary(days) for days in range(1, 21)]
    hold(stage, *points)
    create = create_step(primary())
    early = [copy_step(copy_of(point)) for point in points[:15]]
    late = [copy_step(copy_of(point), create) for point in points[15:]]
    for step in early:
        stage.cloud.slow[step.arn] = 500.0
    stage.run(plan_of(create, *early, *late))
    assert stage.cloud.busiest[VAULT] == 20


@pytest.mark.parametrize(
    ("left_behind", "state"),
    [("deleting", StepState.DONE), ("available", StepState.FAILED)],
)
def test_a_delete_that_others_wait_for_is_not_waited_for_for_ever(
    stage: Stage, left_behind: str, state: StepState
) -> None:
    old = primary(1)
    hold(stage, old)

    def linger(operation: str) -> None:
        if stage.cloud.made("delete") and operation == "snapshots":
            stage.cloud.objects[old.arn] = old.record(left_behind)

    stage.cloud.before_call = linger
    delete = delete_step(old)
    create = replace(create_step(primary()), depends_on=(delete.id,))
    outcome = stage.run(plan_of(delete, create))
    assert outcome.results[0].state is state
    assert stage.clock.seconds >= 120
