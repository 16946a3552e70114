"""Calls that took effect though nobody heard of it, and objects that are not seen at once."""

from __future__ import annotations

import pytest

from engine.applying.executor import APPEARS_WITHIN, Mode
from engine.applying.outcome import StepState
from engine.applying.performing import APPEARS_WITHIN as EXISTS_UNSEEN
from engine.applying.ports import Trouble
from engine.errors import ExitCode
from engine.plans.plan import Step
from tests.applying.stage import Stage, hold, states
from tests.applying.world import (
    AWAY,
    VAULT,
    Fault,
    Point,
    copy_of,
    copy_step,
    create_step,
    delete_step,
    plan_of,
    primary,
    share_step,
    snapshot,
    tag_step,
    unshare_step,
)

D = StepState.DONE
NEW = primary()
LOST = Fault(Trouble.NO_REPLY, "NoReply", "reset", takes_effect=True)
MAKING = pytest.mark.parametrize(
    ("operation", "point", "step"),
    [("create", NEW, create_step(NEW)), ("copy", copy_of(NEW), copy_step(copy_of(NEW)))],
    ids=["create", "copy"],
)


def prepared(stage: Stage, operation: str) -> None:
    if operation == "copy":
        hold(stage, NEW)


@MAKING
@pytest.mark.parametrize(
    "fault",
    [
        LOST,
        Fault(Trouble.NO_REPLY, "UnreadableReply", "not well-formed", takes_effect=True),
        Fault(Trouble.SERVER_FAULT, "500", "", takes_effect=True),
        # The client's own retry met what its first request had made.
        Fault(Trouble.ALREADY_EXISTS, "DBSnapshotAlreadyExists", takes_effect=True),
    ],
    ids=lambda fault: fault.code,
)
def test_what_was_made_without_a_reply_is_known_for_ours_and_not_made_again(
    stage: Stage, operation: str, point: Point, step: Step, fault: Fault
) -> None:
    prepared(stage, operation)
    stage.cloud.fail(operation, fault)
    assert states(stage.run(plan_of(step))) == [D]
    assert stage.cloud.made(operation) == [point.identifier]


@MAKING
@pytest.mark.parametrize("seconds", [5.0, 45.0, EXISTS_UNSEEN - 25])
def test_what_was_made_without_a_reply_may_take_its_time_to_be_seen(
    stage: Stage, operation: str, point: Point, step: Step, seconds: float
) -> None:
    prepared(stage, operation)
    stage.cloud.fail(operation, LOST)
    stage.cloud.appears[point.arn] = seconds
    outcome = stage.run(plan_of(step))
    assert states(outcome) == [D]
    assert outcome.exit_code is ExitCode.OK


@MAKING
def test_what_exists_and_is_never_seen_is_refused_in_the_end(
    stage: Stage, operation: str, point: Point, step: Step
) -> None:
    prepared(stage, operation)
    stage.cloud.fail(operation, LOST)
    stage.cloud.appears[point.arn] = 10_000
    outcome = stage.run(plan_of(step))
    assert states(outcome) == [StepState.REFUSED]
    assert outcome.results[0].code == Trouble.ALREADY_EXISTS
    assert stage.clock.seconds < 2 * EXISTS_UNSEEN


@MAKING
def test_a_foreign_object_that_is_seen_late_is_no_lost_reply_of_ours(
    stage: Stage, operation: str, point: Point, step: Step
) -> None:
    prepared(stage, operation)
    stage.cloud.fail(operation, Fault(Trouble.NO_REPLY))
    stage.cloud.objects[point.arn] = snapshot(point.arn, {"owner": "somebody"})
    stage.cloud.hidden_until[point.arn] = 20.0
    outcome = stage.run(plan_of(step))
    assert states(outcome) == [StepState.REFUSED]
    assert outcome.results[0].code == "conflict"
    assert stage.cloud.objects[point.arn].tags == {"owner": "somebody"}


@pytest.mark.parametrize("operation", ["tag", "share", "unshare", "untag"])
def test_a_share_or_tag_without_a_reply_is_done_once_more_and_comes_to_the_same(
    stage: Stage, operation: str
) -> None:
    hold(stage, NEW)
    stage.cloud.fail(operation, LOST)
    share = share_step(NEW, VAULT.account)
    copy = copy_step(copy_of(NEW), share)
    outcome = stage.run(plan_of(share, copy, unshare_step(NEW, VAULT.account, copy)))
    assert states(outcome) == [D, D, D]
    assert len(stage.cloud.made(operation)) == 2
    assert stage.cloud.shared[NEW.identifier] == set()
    assert "engine:shared" not in stage.cloud.objects[NEW.arn].tags


def test_a_tag_without_a_reply_is_written_once_more(stage: Stage) -> None:
    hold(stage, NEW)
    stage.cloud.fail("tag", LOST)
    since = {"engine:gone-since": "2026-11-21T00:00:00Z"}
    assert states(stage.run(plan_of(tag_step(NEW, since)))) == [D]
    assert stage.cloud.objects[NEW.arn].tags.items() >= since.items()


def test_a_delete_without_a_reply_is_not_made_again_once_the_object_is_gone(stage: Stage) -> None:
    old = primary(1)
    hold(stage, old)
    stage.cloud.fail("delete", LOST)
    assert states(stage.run(plan_of(delete_step(old)))) == [D]
    assert stage.cloud.made("delete") == [old.identifier]


@MAKING
def test_what_aws_has_taken_on_may_stay_unseen_for_two_minutes(
    stage: Stage, operation: str, point: Point, step: Step
) -> None:
    prepared(stage, operation)
    stage.cloud.appears[point.arn] = 110.0
    assert states(stage.run(plan_of(step))) == [D]
    assert stage.cloud.made(operation) == [point.identifier]


@pytest.mark.parametrize("mode", Mode)
def test_an_origin_that_is_not_seen_yet_where_it_is_copied_is_waited_for(
    stage: Stage, mode: Mode
) -> None:
    hold(stage, NEW)
    unseen = Fault(Trouble.NOT_FOUND, "DBSnapshotNotFound")
    stage.cloud.fail("copy", *[unseen] * 6)
    outcome = stage.run(plan_of(copy_step(copy_of(NEW, AWAY))), mode=mode)
    assert states(outcome) == [D if mode is Mode.FOLLOW else StepState.RUNNING]
    assert outcome.exit_code is ExitCode.OK


def test_a_run_that_does_not_wait_gives_an_origin_a_minute_to_be_seen(stage: Stage) -> None:
    hold(stage, NEW)
    stage.cloud.fail("copy", *[Fault(Trouble.NOT_FOUND, "DBSnapshotNotFound")] * 500)
    outcome = stage.run(plan_of(copy_step(copy_of(NEW, AWAY))), mode=Mode.LEAVE)
    assert states(outcome) == [StepState.REFUSED]
    assert APPEARS_WITHIN <= stage.clock.seconds < 2 * APPEARS_WITHIN
