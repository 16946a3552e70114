"""Doing an adoption: the one call that tags what is not owned, and what must hold before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from engine.applying.outcome import StepState
from engine.identity.marks import adoption_proof, owned_marks, read_marks, tags_of
from engine.inventory.records import Snapshot, SnapshotType
from engine.plans.codes import Check
from engine.plans.plan import Precondition, Step
from tests.applying.stage import Stage, states
from tests.applying.world import ESTATE, plan_of, primary, snapshot, tag_step

POINT = primary()
CASES: list[tuple[str, dict[str, object]]] = [
    ("adoptable", {"tags": {"engine:estate": "globex"}}),
    ("adoptable", {"tags": {"engine:slot": "2026-11-20T02:00:00Z"}}),
    ("adoptable", {"type": SnapshotType.AUTOMATED}),
    ("snapshot_status", {"status": "deleting"}),
    ("room_for_tags", {"tags": {f"key-{number}": "x" for number in range(45)}}),
]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    stage.cloud.objects[POINT.arn] = snapshot(POINT.arn, {"team": "orders"})
    yield stage
    stage.folder.cleanup()


def adoption() -> Step:
    """The step as planning makes it."""
    marks = read_marks(POINT.record().tags)
    assert marks is not None
    proven = replace(marks, adopted=adoption_proof(marks, POINT.arn))
    tags = tags_of(proven)
    return replace(
        tag_step(POINT, tags),
        preconditions=(
            Precondition(Check.SNAPSHOT_STATUS, POINT.arn, "available"),
            Precondition(Check.ADOPTABLE, POINT.arn, proven.adopted or ""),
            Precondition(Check.ROOM_FOR_TAGS, POINT.arn, str(len(tags))),
        ),
    )


def change(**fields: object) -> Callable[[Snapshot], Snapshot]:
    return lambda found: replace(found, **fields)  # type: ignore[arg-type] # any field


def test_an_adopted_object_is_owned_and_keeps_its_own_tags(stage: Stage) -> None:
    outcome = stage.run(plan_of(adoption()))
    assert states(outcome) == [StepState.DONE]
    found = stage.cloud.objects[POINT.arn]
    assert owned_marks(found, ESTATE) is not None
    assert found.tags["team"] == "orders"


def test_doing_it_again_changes_nothing(stage: Stage) -> None:
    stage.run(plan_of(adoption()))
    before = stage.cloud.objects[POINT.arn]
    assert states(stage.run(plan_of(adoption()))) == [StepState.DONE]
    assert stage.cloud.objects[POINT.arn] == before


@pytest.mark.parametrize(("check", "fields"), CASES)
def test_what_does_not_hold_any_more_is_refused(
    stage: Stage, check: str, fields: dict[str, object]
) -> None:
    stage.cloud.objects[POINT.arn] = change(**fields)(stage.cloud.objects[POINT.arn])
    before = stage.cloud.objects[POINT.arn]
    outcome = stage.run(plan_of(adoption()))
    assert [(one.state, one.code) for one in outcome.results] == [(StepState.REFUSED, check)]
    assert stage.cloud.objects[POINT.arn] == before


def test_what_is_gone_is_refused(stage: Stage) -> None:
    del stage.cloud.objects[POINT.arn]
    assert states(stage.run(plan_of(adoption()))) == [StepState.REFUSED]


def test_a_plan_that_forgets_to_ask_is_refused_all_the_same(stage: Stage) -> None:
    stage.cloud.objects[POINT.arn] = snapshot(POINT.arn, {"engine:estate": "globex"})
    outcome = stage.run(plan_of(replace(adoption(), preconditions=())))
    assert [(one.state, one.code) for one in outcome.results] == [(StepState.REFUSED, "adoptable")]


def test_no_other_tag_is_put_on_what_is_not_owned(stage: Stage) -> None:
    outcome = stage.run(plan_of(tag_step(POINT, {"engine:pin": "x"})))
    assert [(one.state, one.code) for one in outcome.results] == [(StepState.REFUSED, "owned")]
    assert "engine:pin" not in stage.cloud.objects[POINT.arn].tags


def test_what_the_engine_made_itself_is_not_adopted(stage: Stage) -> None:
    stage.cloud.objects[POINT.arn] = POINT.record()
    outcome = stage.run(plan_of(adoption()))
    assert [(one.state, one.code) for one in outcome.results] == [(StepState.REFUSED, "adoptable")]
