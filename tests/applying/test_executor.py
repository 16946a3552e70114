from __future__ import annotations

from dataclasses import replace

import pytest

from engine.applying.outcome import StepState, Stop
from engine.applying.ports import Trouble
from engine.errors import EngineError, ExitCode
from engine.identity.marks import ZONE, ZONE_CHECKED
from engine.plans.plan import Finding
from tests.applying.stage import Stage, hold, states
from tests.applying.world import (
    AWAY,
    HOME,
    VAULT,
    Fault,
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
    stage.cloud.takes = 20.0  # so soon that the listing of instances from before is fresh enough
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


def test_credentials_that_stay_expired_fail_the_step_soon_and_with_advice(stage: Stage) -> None:
    stage.cloud.fail("create", *[Fault(Trouble.CREDENTIALS_EXPIRED, "ExpiredToken")] * 50)
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [StepState.FAILED]
    assert outcome.exit_code is ExitCode.PARTIAL
    assert outcome.results[0].fix == "renew the credentials"
    assert len(stage.cloud.made("create")) == 3
    assert stage.clock.seconds < 5


def test_throttling_slows_the_location_down_and_then_fails_the_step(stage: Stage) -> None:
    stage.cloud.fail("create", *[Fault(Trouble.THROTTLED, "Throttling")] * 30)
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [StepState.FAILED]
    assert len(stage.cloud.made("create")) == 8
    assert stage.traffic.budget.rate(HOME) < 500
    assert outcome.results[0].fix is not None


def test_every_account_and_region_has_its_own_turn(stage: Stage) -> None:
    hold(stage, primary(), primary(1))
    steps = [copy_step(copy_of(primary(days), at)) for at in (VAULT, AWAY) for days in (0, 1)]
    stage.run(plan_of(*steps), parallelism=1)
    places = [about for name, about in stage.cloud.calls if name == "snapshots"]
    assert places[:3] == [str(VAULT), str(HOME), str(AWAY)]
    assert HOME != VAULT


def test_a_step_waits_for_all_it_depends_on(stage: Stage) -> None:
    old, new = primary(1), primary()
    hold(stage, old)
    create, tag = create_step(new), tag_step(old, {"a": "b"})
    deleted_at: list[float] = []

    def look(operation: str) -> None:
        if operation == "delete":
            deleted_at.append(stage.clock.seconds)

    stage.cloud.before_call = look
    outcome = stage.run(plan_of(tag, create, delete_step(old, tag, create)))
    assert states(outcome) == [D, D, D]
    assert len(deleted_at) == 1
    assert deleted_at[0] >= stage.cloud.takes


def test_an_object_deleted_by_somebody_else_in_between_is_as_good_as_deleted(
    stage: Stage,
) -> None:
    old = primary(1)
    hold(stage, old)

    def snatch(operation: str) -> None:
        if operation == "delete":
            stage.cloud.objects.clear()

    stage.cloud.before_call = snatch
    outcome = stage.run(plan_of(delete_step(old)))
    assert states(outcome) == [D]
    assert len(stage.cloud.made("delete")) == 1
    assert stage.clock.seconds < 0.1


def test_an_object_that_is_being_deleted_is_left_alone(stage: Stage) -> None:
    old = primary(1)
    stage.cloud.objects[old.arn] = old.record("deleting", zone_checked=True)
    assert states(stage.run(plan_of(delete_step(old)))) == [D]
    assert stage.cloud.made("delete") == []


def test_an_interrupted_run_does_not_go_on_trying(stage: Stage) -> None:
    def interrupt(operation: str) -> None:
        if operation == "create":
            stage.stop.request(Stop.INTERRUPTED)

    stage.cloud.before_call = interrupt
    stage.cloud.fail("create", *[Fault(Trouble.THROTTLED, "Throttling")] * 3)
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [StepState.FAILED]
    assert len(stage.cloud.made("create")) == 1
    assert outcome.exit_code is ExitCode.INTERRUPTED


def test_an_interrupted_run_does_not_go_on_trying_to_read(stage: Stage) -> None:
    def interrupt(operation: str) -> None:
        stage.stop.request(Stop.INTERRUPTED)

    stage.cloud.before_call = interrupt
    stage.cloud.fail("snapshots", *[Fault(Trouble.SERVER_FAULT, "503")] * 5)
    outcome = stage.run(plan_of(create_step(primary())))
    assert states(outcome) == [StepState.FAILED]
    assert stage.cloud.calls == [("snapshots", str(HOME))]
