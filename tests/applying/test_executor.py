from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.applying.executor import Mode
from engine.applying.outcome import StepState, Stop
from engine.applying.ports import Trouble
from engine.errors import EngineError, ExitCode
from engine.identity.marks import ZONE, ZONE_CHECKED
from engine.plans.plan import Finding
from tests.applying.stage import Stage, states
from tests.applying.world import (
    AWAY,
    HOME,
    VAULT,
    Fault,
    Point,
    copy_of,
    copy_step,
    create_step,
    database,
    delete_step,
    plan_of,
    primary,
    share_step,
    snapshot,
    tag_step,
    unshare_step,
)

D = StepState.DONE


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    one = database()
    stage.cloud.databases[one.arn] = one
    yield stage
    stage.folder.cleanup()


def hold(stage: Stage, *points: Point) -> None:
    for point in points:
        stage.cloud.objects[point.arn] = point.record(zone_checked=True)


def test_a_whole_route_is_followed_to_its_end(stage: Stage) -> None:
    old, new = primary(1), primary()
    hold(stage, old)
    copied = copy_of(new)
    create = create_step(new)
    share = share_step(new, VAULT.account, create)
    copy = copy_step(copied, share)
    unshare = unshare_step(new, VAULT.account, copy)
    delete = delete_step(old, create)

    outcome = stage.run(plan_of(create, share, copy, unshare, delete))

    assert states(outcome) == [D] * 5
    assert outcome.exit_code is ExitCode.OK
    assert set(stage.cloud.objects) == {new.arn, copied.arn}
    assert stage.cloud.shared[new.identifier] == set()
    assert "engine:shared" not in stage.cloud.objects[new.arn].tags


def test_a_created_snapshot_is_checked_for_its_zone_before_its_copy_inherits_that(
    stage: Stage,
) -> None:
    new = primary()
    create, copied = create_step(new), copy_of(new, AWAY)
    outcome = stage.run(plan_of(create, copy_step(copied, create)))
    assert states(outcome) == [D, D]
    assert stage.cloud.objects[new.arn].tags[ZONE_CHECKED] == "true"
    assert stage.cloud.objects[copied.arn].tags[ZONE_CHECKED] == "true"


def test_a_failover_while_a_snapshot_is_made_leaves_its_zone_unknown(stage: Stage) -> None:
    new = primary()
    create, copied = create_step(new), copy_of(new, AWAY)

    def fail_over(operation: str) -> None:
        if operation == "create":
            one = database()
            stage.cloud.databases[one.arn] = replace(
                one, availability_zone="eu-west-1b", secondary_zone="eu-west-1a"
            )

    stage.cloud.before_call = fail_over
    outcome = stage.run(plan_of(create, copy_step(copied, create)))
    assert states(outcome) == [D, D]
    assert stage.cloud.objects[copied.arn].tags[ZONE] == "unknown"
    assert ZONE_CHECKED not in stage.cloud.objects[copied.arn].tags


def test_a_zone_that_cannot_be_confirmed_is_a_problem_but_costs_no_copy(stage: Stage) -> None:
    new = primary()
    create, copied = create_step(new), copy_of(new, AWAY)
    stage.cloud.fail("tag", Fault(Trouble.DENIED, "AccessDenied"))
    outcome = stage.run(plan_of(create, copy_step(copied, create)))
    assert states(outcome) == [D, D]
    assert [problem.code for problem in outcome.problems] == ["zone_unconfirmed"]
    assert outcome.exit_code is ExitCode.PARTIAL


def test_a_failed_step_takes_its_dependents_with_it_and_nothing_else(stage: Stage) -> None:
    other = database("users-1", "db-USERS1")
    stage.cloud.databases[other.arn] = other
    one, two = primary(), primary(instance="users-1", resource="db-USERS1")
    first, second = create_step(one), create_step(two)
    copy, good = copy_step(copy_of(one, AWAY), first), copy_step(copy_of(two, AWAY), second)
    late = delete_step(copy_of(primary(9), AWAY), copy)
    stage.cloud.fail("create", Fault(Trouble.QUOTA, "SnapshotQuotaExceeded"))

    outcome = stage.run(plan_of(first, second, copy, good, late))

    assert states(outcome) == [StepState.FAILED, D, StepState.SKIPPED, D, StepState.SKIPPED]
    assert [result.because for result in outcome.results][2:] == [first.id, None, first.id]
    assert outcome.exit_code is ExitCode.PARTIAL
    assert "quota" in (outcome.results[0].fix or "")


def test_a_refused_step_is_stale_and_so_is_the_run(stage: Stage) -> None:
    gone = create_step(primary(instance="gone-1"))
    outcome = stage.run(plan_of(gone, create_step(primary())))
    assert states(outcome) == [StepState.REFUSED, D]
    assert outcome.exit_code is ExitCode.STALE


def test_withheld_steps_and_their_dependents_are_not_done(stage: Stage) -> None:
    old = primary(1)
    hold(stage, old)
    held = replace(create_step(primary()), withheld_by="max_deletes")
    outcome = stage.run(plan_of(held, delete_step(old, held)))
    assert states(outcome) == [StepState.WITHHELD, StepState.WITHHELD]
    assert outcome.exit_code is ExitCode.WITHHELD
    assert stage.cloud.calls == []


def test_a_lost_reply_is_resolved_by_looking(stage: Stage) -> None:
    stage.cloud.fail("create", Fault(Trouble.NO_REPLY, takes_effect=True))
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [D]
    assert len(stage.cloud.made("create")) == 1
    assert stage.cloud.objects[primary().arn].tags[ZONE_CHECKED] == "true"


def test_a_call_that_never_arrived_is_made_again(stage: Stage) -> None:
    stage.cloud.fail("create", Fault(Trouble.NO_REPLY), Fault(Trouble.THROTTLED))
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [D]
    assert len(stage.cloud.made("create")) == 3
    assert [seconds for seconds in stage.clock.slept if seconds > 0.1] == [0.5, 1.0]


def test_an_id_that_came_to_be_ours_in_between_counts_as_made(stage: Stage) -> None:
    """A reply is lost, looking fails, the repeated call says that the object exists."""
    stage.cloud.fail("create", Fault(Trouble.NO_REPLY, takes_effect=True))
    stage.cloud.fail("snapshot", Fault(Trouble.DENIED))
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [D]
    assert len(stage.cloud.made("create")) == 2


@pytest.mark.parametrize("operation", ["create", "copy"])
def test_a_foreign_object_under_our_id_is_a_conflict_and_never_touched(
    stage: Stage, operation: str
) -> None:
    new = primary()
    point = new if operation == "create" else copy_of(new)
    step = create_step(new) if operation == "create" else copy_step(point)
    if operation == "copy":
        hold(stage, new)

    def appear(called: str) -> None:
        if called == operation:
            stage.cloud.objects[point.arn] = snapshot(point.arn, {"owner": "somebody"})

    stage.cloud.before_call = appear
    outcome = stage.run(plan_of(step))
    assert states(outcome) == [StepState.REFUSED]
    assert outcome.results[0].code == "conflict"
    assert outcome.exit_code is ExitCode.STALE
    assert stage.cloud.objects[point.arn].tags == {"owner": "somebody"}


def test_a_plan_applied_twice_does_nothing_the_second_time(stage: Stage) -> None:
    old, new = primary(1), primary()
    hold(stage, old)
    create = create_step(new)
    plan = plan_of(create, delete_step(old, create))
    stage.run(plan)
    before = dict(stage.cloud.objects)
    outcome = stage.run(plan)
    assert states(outcome) == [D, D]
    assert stage.cloud.objects == before
    assert len(stage.cloud.made("create")) == len(stage.cloud.made("delete")) == 1


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


def test_an_interrupt_starts_nothing_more(stage: Stage) -> None:
    other = database("users-1", "db-USERS1")
    stage.cloud.databases[other.arn] = other

    def interrupt(operation: str) -> None:
        if operation == "create":
            stage.stop.request(Stop.INTERRUPTED)

    stage.cloud.before_call = interrupt
    two = create_step(primary(instance="users-1", resource="db-USERS1"))
    outcome = stage.run(plan_of(create_step(primary()), two), parallelism=1)
    assert states(outcome) == [StepState.RUNNING, StepState.NOT_STARTED]
    assert outcome.exit_code is ExitCode.INTERRUPTED


def test_a_bug_costs_its_own_step_and_is_told_loudly(stage: Stage) -> None:
    old = primary(1)
    hold(stage, old)

    def crash(operation: str) -> None:
        if operation == "delete":
            raise ZeroDivisionError

    stage.cloud.before_call = crash
    outcome = stage.run(plan_of(delete_step(old), create_step(primary())))
    assert states(outcome) == [StepState.FAILED, D]
    assert outcome.exit_code is ExitCode.ERROR
    assert "ZeroDivisionError" in outcome.problems[0].text


def test_a_delete_that_others_wait_for_is_done_when_the_object_is_gone(stage: Stage) -> None:
    old = primary(1)
    hold(stage, old)
    delete = delete_step(old)
    create = replace(create_step(primary()), depends_on=(delete.id,))
    outcome = stage.run(plan_of(delete, create), mode=Mode.LEAVE)
    assert states(outcome) == [D, StepState.RUNNING]


def test_a_verifiers_finding_is_an_error_after_the_rest(stage: Stage) -> None:
    finding = Finding("delete:x", 3, "would drop a base")
    plan = replace(plan_of(create_step(primary())), findings=(finding,))
    outcome = stage.run(plan)
    assert states(outcome) == [D]
    assert outcome.exit_code is ExitCode.ERROR


def test_a_location_the_plan_could_not_read_shows_in_the_exit_code(stage: Stage) -> None:
    plan = plan_of(create_step(primary()))
    outcome = stage.run(replace(plan, inventory=replace(plan.inventory, complete=False)))
    assert states(outcome) == [D]
    assert outcome.exit_code is ExitCode.PARTIAL


def test_steps_that_depend_on_nothing_there_or_in_a_circle_are_no_plan(stage: Stage) -> None:
    lost = replace(create_step(primary()), depends_on=("create:elsewhere",))
    with pytest.raises(EngineError, match="does not hold"):
        stage.run(plan_of(lost))
    one, two = create_step(primary()), create_step(primary(1))
    circle = (replace(one, depends_on=(two.id,)), replace(two, depends_on=(one.id,)))
    with pytest.raises(EngineError, match="circle"):
        stage.run(plan_of(*circle))


def test_a_step_without_its_parameters_fails_alone(stage: Stage) -> None:
    broken = replace(create_step(primary()), parameters={})
    other = database("users-1", "db-USERS1")
    stage.cloud.databases[other.arn] = other
    good = create_step(primary(instance="users-1", resource="db-USERS1"))
    outcome = stage.run(plan_of(broken, good))
    assert states(outcome) == [StepState.FAILED, D]
    assert "DBInstanceIdentifier" in outcome.results[0].text


def test_shares_are_written_down_before_they_are_granted_and_struck_out_after(
    stage: Stage,
) -> None:
    new = primary()
    hold(stage, new)
    share = share_step(new, VAULT.account)
    stage.run(plan_of(share, unshare_step(new, VAULT.account, share)))
    order = [name for name, _ in stage.cloud.calls if name in {"tag", "untag", "share", "unshare"}]
    assert order == ["tag", "share", "unshare", "untag"]


def test_expired_credentials_are_fetched_anew_by_trying_again(stage: Stage) -> None:
    stage.cloud.fail("create", Fault(Trouble.CREDENTIALS_EXPIRED, "ExpiredToken"))
    assert states(stage.run(plan_of(create_step(primary())))) == [D]


def test_throttling_slows_the_location_down_and_then_fails_the_step(stage: Stage) -> None:
    stage.cloud.fail("create", *[Fault(Trouble.THROTTLED, "Throttling")] * 30)
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [StepState.FAILED]
    assert len(stage.cloud.made("create")) == 8
    assert outcome.results[0].fix is not None


def test_every_account_and_region_has_its_own_turn(stage: Stage) -> None:
    hold(stage, primary(), primary(1))
    steps = [copy_step(copy_of(primary(days), at)) for at in (VAULT, AWAY) for days in (0, 1)]
    stage.run(plan_of(*steps), parallelism=1)
    places = [about for name, about in stage.cloud.calls if name == "snapshots"]
    assert places[:3] == [str(VAULT), str(HOME), str(AWAY)]
    assert HOME != VAULT


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
