"""How long work takes: wide ranges, until history tells better."""

from __future__ import annotations

import pytest

from engine.costs.durations import ASSUMED_PACES, Pace, Paces, Work, work_of_copy
from engine.costs.ranges import Range, exactly

HERE = ("111111111111", "eu-west-1")


@pytest.mark.parametrize("work", Work)
def test_every_kind_of_work_has_an_assumed_pace(work: Work) -> None:
    pace = ASSUMED_PACES[work]
    assert 0 < pace.seconds.low < pace.seconds.high
    assert 0 < pace.mib_per_second.low < pace.mib_per_second.high
    assert pace.seen == 0


def test_the_time_is_that_of_starting_and_that_of_the_data() -> None:
    paces = Paces({Work.CREATE: Pace(Range(60, 120), Range(50, 100), seen=4)})
    assert paces.seconds(Work.CREATE, Range(10, 100)) == Range(60 + 102.4, 120 + 2048)
    assert paces.seconds(Work.CREATE, exactly(0)) == Range(60, 120)


def test_what_was_not_learned_is_assumed() -> None:
    paces = Paces({Work.CREATE: Pace(Range(1, 2), Range(1, 2), seen=4)})
    assert paces.of(Work.COPY_FAR) is ASSUMED_PACES[Work.COPY_FAR]


def test_a_copy_is_told_by_its_ends() -> None:
    assert work_of_copy(HERE, HERE) is Work.RE_KEY
    assert work_of_copy(HERE, ("222222222222", "eu-west-1")) is Work.COPY_NEAR
    assert work_of_copy(HERE, ("222222222222", "eu-central-1")) is Work.COPY_FAR
    assert work_of_copy(HERE, ("111111111111", "eu-central-1")) is Work.COPY_FAR
