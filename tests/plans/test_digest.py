"""Digests name effects, and nothing but effects."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from engine.plans.codes import Action, Check, Guard, StepReason, Verdict
from engine.plans.digest import guard_digest, plan_digest
from engine.plans.plan import Precondition, Reason
from tests.plans.samples import NOW, REMOTE, forecast, thin_path

STEPS = thin_path().steps


def test_a_plan_digest_is_a_sha256() -> None:
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", plan_digest(STEPS))
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", plan_digest(()))


@pytest.mark.parametrize(
    "change",
    [
        {"id": "delete:elsewhere"},
        {"action": Action.DELETE},
        {"arn": "arn:aws:rds:eu-west-1:111111111111:snapshot:another"},
        {"location": REMOTE},
        {"parameters": {"DBSnapshotIdentifier": "another"}},
        {"preconditions": ()},
        {"preconditions": (Precondition(Check.OWNED, "arn", "other"),)},
        {"depends_on": ("create:x",)},
        {"withheld_by": "max_deletes"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_an_effect_changes_the_digest(change: dict[str, Any]) -> None:
    changed = (replace(STEPS[0], **change), *STEPS[1:])
    assert plan_digest(changed) != plan_digest(STEPS)


def test_a_step_more_or_less_changes_the_digest() -> None:
    assert len({plan_digest(STEPS[:number]) for number in range(len(STEPS) + 1)}) == len(STEPS) + 1


@pytest.mark.parametrize(
    "change",
    [
        {"slot": NOW},
        {"reason": Reason(StepReason.RETIRED, "other words")},
        {"forecast": forecast(Verdict.UNKNOWN, "other")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_times_reasons_and_forecasts_do_not_change_the_digest(change: dict[str, Any]) -> None:
    changed = tuple(replace(step, **change) for step in STEPS)
    assert plan_digest(changed) == plan_digest(STEPS)


def test_order_does_not_change_the_digest() -> None:
    first, *others = STEPS
    both = (first.preconditions[0], Precondition(Check.ABSENT, first.arn, "x"))
    one = replace(
        first, preconditions=both, depends_on=("a", "b"), parameters={"a": {"x": 1, "y": 2}, "b": 2}
    )
    other = replace(
        first,
        preconditions=both[::-1],
        depends_on=("b", "a"),
        parameters={"b": 2, "a": {"y": 2, "x": 1}},
    )
    assert plan_digest((one, *others)) == plan_digest((*others, other))


def test_read_only_parameters_give_the_digest_of_plain_ones() -> None:
    frozen = tuple(replace(step, parameters=MappingProxyType(step.parameters)) for step in STEPS)
    assert plan_digest(frozen) == plan_digest(STEPS)


def test_parameters_without_a_json_form_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="object has no JSON form"):
        plan_digest([replace(STEPS[0], parameters={"a": object()})])


def test_a_guard_digest_names_the_guard_and_the_arns_in_any_order() -> None:
    digest = guard_digest(Guard.MAX_DELETES, ["arn:b", "arn:a"])
    assert re.fullmatch(r"[0-9a-f]{16}", digest)
    assert digest == guard_digest(Guard.MAX_DELETES, ["arn:a", "arn:b", "arn:a"])
    assert digest != guard_digest(Guard.FULL_COPIES, ["arn:a", "arn:b"])
    assert digest != guard_digest(Guard.MAX_DELETES, ["arn:a"])
    assert digest != guard_digest(Guard.MAX_DELETES, ["arn:a", "arn:b", "arn:c"])
