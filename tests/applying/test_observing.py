"""What the journal keeps of a step: what was foreseen, and what polls saw, at no extra call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.applying.executor import Mode
from engine.applying.journal import Kind
from engine.applying.local_journal import read_observed
from engine.applying.ports import Trouble
from engine.costs.history import Observation, observation
from engine.costs.ranges import Range
from engine.plans.codes import Verdict
from engine.plans.costs import Costs, StepCost
from engine.plans.plan import Forecast, Plan, Step
from tests.applying.stage import Stage, hold
from tests.applying.world import (
    VAULT,
    Fault,
    copy_of,
    copy_step,
    create_step,
    delete_step,
    plan_of,
    primary,
)

NOTHING = (0.0, 0.0)
FULL = Forecast(Verdict.FULL, "first_in_chain", "no snapshot yet", (0, 100))


def foreseen(*steps: Step) -> Plan:
    """A plan in which every step was foreseen to be a full one of a minute to an hour."""
    made = tuple(replace(step, forecast=FULL) for step in steps)
    costs = tuple(
        StepCost(step.id, (0.0, 100.0), NOTHING, NOTHING, (60.0, 3600.0), work="copy_near")
        for step in made
    )
    return replace(plan_of(*made), costs=Costs(NOTHING, NOTHING, NOTHING, costs))


def told(stage: Stage, step: Step) -> Mapping[str, Any]:
    """What the journal's last word on a step says."""
    found = [one for one in stage.entries() if one.kind is Kind.STEP and one.step == step.id]
    return found[-1].detail


def test_the_journal_keeps_what_was_foreseen_of_a_step(stage: Stage) -> None:
    create = create_step(primary())
    stage.run(foreseen(create))
    detail = told(stage, create)
    assert detail["forecast"] == {
        "verdict": "full",
        "rule": "first_in_chain",
        "gib": [0.0, 100.0],
        "seconds": [60.0, 3600.0],
        "work": "copy_near",
    }
    assert detail["resource"] == create.source.resource_id
    assert detail["at"] == f"{create.location.account}/{create.location.region}"


def test_it_keeps_between_which_polls_a_step_was_done_and_how_far_it_was_when(
    stage: Stage,
) -> None:
    create = create_step(primary())
    stage.cloud.takes = 75.0
    stage.run(foreseen(create))
    seen = told(stage, create)["seen"]
    assert seen["progress"] == [[30.0, 10]]
    assert seen["seconds"] == [60.0, 90.0]


def test_what_is_done_at_the_first_poll_took_no_longer_than_that(stage: Stage) -> None:
    create = create_step(primary())
    stage.cloud.takes = 1.0
    stage.run(foreseen(create))
    assert told(stage, create)["seen"] == {"seconds": [0.0, 30.0]}


def test_seeing_costs_no_call(stage: Stage) -> None:
    create = create_step(primary())
    stage.run(plan_of(create))
    bare = Counter(name for name, _ in stage.cloud.calls)
    other = Stage()
    other.cloud.databases = dict(stage.cloud.databases)
    other.run(foreseen(create))
    assert Counter(name for name, _ in other.cloud.calls) == bare


def test_what_is_still_under_way_at_the_end_took_at_least_so_long(stage: Stage) -> None:
    create = create_step(primary())
    stage.cloud.takes = 1000.0
    stage.run(foreseen(create), max_duration=100.0)
    detail = told(stage, create)
    assert detail["state"] == "running"
    least, most = detail["seen"]["seconds"]
    assert (least, most) == (90.0, None)
    assert observation(create.id, detail) is None


def test_what_another_run_began_has_no_known_duration(stage: Stage) -> None:
    new = primary()
    hold(stage, new)
    copied = copy_of(new)
    copy = copy_step(copied)
    stage.cloud.objects[copied.arn] = copied.record("copying")
    stage.cloud.ready_at[copied.arn] = 40.0
    stage.run(foreseen(copy))
    detail = told(stage, copy)
    assert detail["state"] == "done"
    assert detail["seen"]["seconds"] == [None, None]
    assert "progress" not in detail["seen"]
    assert observation(copy.id, detail) is None


def test_the_full_size_that_aws_tells_is_kept(stage: Stage) -> None:
    new = primary()
    create = create_step(new)

    def grow(operation: str) -> None:
        found = stage.cloud.objects.get(new.arn)
        if found is not None:
            stage.cloud.objects[new.arn] = replace(found, full_bytes=64 << 30)

    stage.cloud.before_call = grow
    stage.run(foreseen(create))
    found = observation(create.id, told(stage, create))
    assert found is not None
    assert found.full_gib == 64.0


def test_steps_that_store_nothing_are_as_short_as_ever(stage: Stage) -> None:
    old = primary(1)
    hold(stage, old)
    delete = delete_step(old)
    stage.run(plan_of(delete))
    assert set(told(stage, delete)) == {"state", "text"}


def test_a_plan_that_nobody_priced_keeps_the_rule_alone(stage: Stage) -> None:
    create = replace(create_step(primary()), forecast=FULL)
    stage.run(plan_of(create))
    detail = told(stage, create)
    assert detail["forecast"] == {"verdict": "full", "rule": "first_in_chain"}
    assert observation(create.id, detail) is None


def test_a_step_that_failed_tells_no_duration(stage: Stage) -> None:
    create = create_step(primary())
    stage.cloud.fail("create", Fault(Trouble.DENIED, "AccessDenied", "no"))
    stage.run(foreseen(create))
    detail = told(stage, create)
    assert detail["state"] == "failed"
    assert "seen" not in detail
    assert observation(create.id, detail) is None


def test_a_run_that_does_not_wait_tells_of_the_start_alone(stage: Stage) -> None:
    create = create_step(primary())
    stage.run(foreseen(create), mode=Mode.LEAVE)
    assert told(stage, create)["seen"]["seconds"] == [0.0, None]


def test_observations_are_read_back_from_the_journal(stage: Stage) -> None:
    new = primary()
    create, copied = create_step(new), copy_of(new)
    copy = copy_step(copied, create)
    stage.cloud.takes = 75.0
    stage.journal.run_started({"plan": "sha256:d"}) if stage.journal else None
    stage.run(foreseen(create, copy))
    entries = read_observed(stage.path, 5)
    found = [observation(entry.step or "", entry.detail) for entry in entries]
    assert [one.step for one in found if one is not None] == [create.id, copy.id]
    (_, of_copy) = found
    assert of_copy == Observation(
        step=copy.id,
        key=("copy_near", copy.source.resource_id, f"{VAULT.account}/{VAULT.region}", "full"),
        rule="first_in_chain",
        seen=Range(60.0, 90.0),
        foreseen=Range(60.0, 3600.0),
    )
