"""Failovers: against the instance as it is now, once, and never twice for a reply that was lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.applying.calls import calls_of, insist_on_one_object, operation
from engine.applying.executor import Mode
from engine.applying.failing_over import TAKEN, UNKNOWN
from engine.applying.ledger import NEEDS_STATE
from engine.applying.outcome import StepState
from engine.applying.ports import Trouble
from engine.errors import EngineError
from engine.inventory.records import Event, Instance
from engine.plans.codes import EFFECTS, Action, Check, StepReason
from engine.plans.plan import At, Precondition, Reason, SourceRef, Step
from tests.applying.stage import Stage, states
from tests.applying.world import HOME, INSTANCE_ARN, RESOURCE, Fault, database, plan_of
from tests.applying.world import snapshot as a_snapshot

LOST = Fault(Trouble.NO_REPLY, takes_effect=True)
NOT_SENT = Fault(Trouble.NO_REPLY)
QUIET = timedelta(days=1)


def away(**changes: Any) -> Instance:
    given = {
        "multi_az": True,
        "availability_zone": "eu-west-1b",
        "secondary_zone": "eu-west-1a",
        "maintenance_window": "sat:02:00-sat:03:00",
    }
    return replace(database(), **{**given, **changes})


def failover(seen: Instance, before: str = "2026-11-21T03:00:00Z", **more: Any) -> Step:
    pair = f"{seen.availability_zone}/{seen.secondary_zone}"
    conditions = [
        (Check.INSTANCE, RESOURCE),
        (Check.ZONES, pair),
        (Check.READY_TO_FAIL_OVER, seen.readiness),
        (Check.NO_FAILOVER_FOR, "86400s"),
        (Check.NO_SNAPSHOT_BEING_MADE, RESOURCE),
        (Check.BEFORE, before),
    ]
    return Step(
        id="fail-over:111111111111/eu-west-1/orders-1",
        action=Action.FAIL_OVER,
        actions=(EFFECTS[Action.FAIL_OVER],),
        policy="gold",
        arn=INSTANCE_ARN,
        source=SourceRef(HOME.account, HOME.region, "orders-1", RESOURCE),
        slot=None,
        location=At(HOME.account, HOME.region),
        snapshot="",
        parameters={"DBInstanceIdentifier": "orders-1", "ForceFailover": True, **more},
        reason=Reason(StepReason.FAIL_BACK, "because"),
        preconditions=tuple(Precondition(check, INSTANCE_ARN, what) for check, what in conditions),
    )


def on_stage(found: Instance, *told: Event) -> Stage:
    stage = Stage()
    stage.cloud.databases[INSTANCE_ARN] = found
    stage.cloud.told.extend(told)
    return stage


def an_event(stage_now: timedelta, identifier: str = "orders-1", kind: str = "failover") -> Event:
    return Event(Stage().clock.now() - stage_now, identifier, "Multi-AZ failover", (kind,))


def test_it_is_made_once_and_done_when_aws_took_it() -> None:
    stage = on_stage(away(), an_event(2 * QUIET), an_event(QUIET / 2, "orders-2"))
    outcome = stage.run(plan_of(failover(away())), mode=Mode.LEAVE)
    assert states(outcome) == [StepState.DONE]
    assert outcome.results[0].text == TAKEN
    assert stage.cloud.made("fail_over") == ["orders-1"]


def test_a_database_that_is_back_already_is_left_alone() -> None:
    back = away(availability_zone="eu-west-1a", secondary_zone="eu-west-1b")
    stage = on_stage(back)
    assert states(stage.run(plan_of(failover(away())))) == [StepState.DONE]
    assert stage.cloud.made("fail_over") == []


@pytest.mark.parametrize(
    "now",
    [
        {"availability_zone": "eu-west-1c"},
        {"status": "modifying"},
        {"multi_az": False},
        {"pending": ("EngineVersion",)},
        {"maintenance_window": "sun:02:00-sun:03:00"},
        {"resource_id": "db-OTHER"},
        {
            "resource_id": "db-OTHER",
            "availability_zone": "eu-west-1a",
            "secondary_zone": "eu-west-1b",
        },
    ],
    ids=str,
)
def test_what_is_not_as_the_plan_saw_it_is_refused(now: dict[str, Any]) -> None:
    stage = on_stage(away(**now))
    assert states(stage.run(plan_of(failover(away())))) == [StepState.REFUSED]
    assert stage.cloud.made("fail_over") == []


def test_a_failover_within_the_quiet_time_is_refused() -> None:
    stage = on_stage(away(), an_event(QUIET / 2))
    outcome = stage.run(plan_of(failover(away())))
    assert [(one.state, one.code) for one in outcome.results] == [
        (StepState.REFUSED, "no_failover_for")
    ]


def test_it_is_refused_while_a_snapshot_is_being_made_of_it() -> None:
    arn = f"arn:aws:rds:{HOME.region}:{HOME.account}:snapshot:by-hand"
    stage = on_stage(away())
    stage.cloud.objects[arn] = replace(a_snapshot(arn, {}, status="creating"), resource_id=RESOURCE)
    outcome = stage.run(plan_of(failover(away())))
    assert [one.code for one in outcome.results] == ["no_snapshot_being_made"]


@pytest.mark.parametrize("before", ["2026-11-21T02:10:00Z", "2026-11-21", "soon"])
def test_it_is_refused_when_it_is_too_late(before: str) -> None:
    outcome = on_stage(away()).run(plan_of(failover(away(), before)))
    assert [(one.state, one.code) for one in outcome.results] == [(StepState.REFUSED, "before")]


def test_it_is_refused_what_no_plan_of_the_engine_says() -> None:
    """Without conditions it still takes an available Multi-AZ database with nothing pending."""
    bare = replace(failover(away()), preconditions=())
    busy = on_stage(away(pending=("parameter group own",)))
    assert states(busy.run(plan_of(bare))) == [StepState.REFUSED]
    strange = replace(
        bare, preconditions=(Precondition(Check.NO_FAILOVER_FOR, INSTANCE_ARN, "ever"),)
    )
    assert states(on_stage(away()).run(plan_of(strange))) == [StepState.REFUSED]
    gone = Stage().run(plan_of(bare))
    assert states(gone) == [StepState.REFUSED]


def test_after_a_lost_reply_what_is_seen_decides() -> None:
    stage = on_stage(away())
    stage.cloud.fail("fail_over", LOST)
    assert states(stage.run(plan_of(failover(away())))) == [StepState.DONE]
    rebooting = on_stage(away())
    rebooting.cloud.shows_failover = {"status": "rebooting"}
    rebooting.cloud.fail("fail_over", LOST)
    assert states(rebooting.run(plan_of(failover(away())))) == [StepState.DONE]
    for one in (stage, rebooting):
        assert one.cloud.made("fail_over") == ["orders-1"]


def test_where_nothing_is_seen_of_it_it_is_not_tried_again() -> None:
    """AWS may show the old zone for minutes: a second call could fail it over once more."""
    for trouble in (NOT_SENT, Fault(Trouble.SERVER_FAULT)):
        stage = on_stage(away())
        stage.cloud.fail("fail_over", trouble)
        (result,) = stage.run(plan_of(failover(away()))).results
        assert result.state is StepState.FAILED
        assert UNKNOWN in result.text
        assert stage.cloud.made("fail_over") == ["orders-1"]


def test_where_it_cannot_be_looked_at_it_is_not_tried_again_either() -> None:
    stage = on_stage(away())
    stage.cloud.fail("fail_over", LOST)

    def go_dark(operation: str) -> None:
        if operation == "fail_over":
            stage.cloud.fail("instance", *[Fault(Trouble.DENIED)] * 9)

    stage.cloud.before_call = go_dark
    (result,) = stage.run(plan_of(failover(away()))).results
    assert result.state is StepState.FAILED
    assert stage.cloud.made("fail_over") == ["orders-1"]


def test_a_call_that_was_turned_away_is_made_again() -> None:
    stage = on_stage(away())
    stage.cloud.fail("fail_over", Fault(Trouble.THROTTLED))
    assert states(stage.run(plan_of(failover(away())))) == [StepState.DONE]
    assert len(stage.cloud.made("fail_over")) == 2


def test_without_state_nothing_is_failed_over() -> None:
    assert Action.FAIL_OVER in NEEDS_STATE


def test_the_call_always_forces_a_failover_and_says_nothing_else() -> None:
    (call,) = calls_of(failover(away()), {})
    assert operation(call) == "RebootDBInstance"
    unknown: list[dict[str, Any]] = [{"ForceFailover": False}, {"ApplyImmediately": True}]
    for strange in unknown:
        with pytest.raises(EngineError):
            calls_of(failover(away(), **strange), {})
    with pytest.raises(EngineError):
        insist_on_one_object(failover(away(), DBInstanceIdentifier="orders-2"))
