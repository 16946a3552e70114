"""What a step calls for, and in which order."""

from __future__ import annotations

from dataclasses import replace

from engine.applying.calls import Copy, Share, Tag, calls_of
from engine.plans.codes import Action
from tests.applying.world import copy_of, copy_step, primary

GIVEN = "engine:shared-by-policy"


def test_a_policys_share_is_announced_made_and_confirmed() -> None:
    origin = primary()
    step = replace(
        copy_step(copy_of(origin)),
        action=Action.SHARE,
        parameters={
            "ValuesToAdd": ["444455556666"],
            "Tags": {GIVEN: "giving:444455556666"},
            "TagsAfterwards": {GIVEN: "444455556666"},
        },
    )
    assert calls_of(step, {}) == (
        Tag(step.arn, {GIVEN: "giving:444455556666"}),
        Share(step.snapshot, ("444455556666",)),
        Tag(step.arn, {GIVEN: "444455556666"}),
    )


def test_a_copy_is_put_into_the_option_group_that_its_step_names() -> None:
    step = copy_step(copy_of(primary()))
    (plain,) = calls_of(step, {})
    named = replace(step, parameters={**step.parameters, "OptionGroupName": "zoned"})
    (placed,) = calls_of(named, {})
    assert isinstance(plain, Copy)
    assert isinstance(placed, Copy)
    assert (plain.option_group, placed.option_group) == (None, "zoned")
