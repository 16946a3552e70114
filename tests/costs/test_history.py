"""What was seen teaches what to expect, and is held against what was foreseen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.costs.annotate import with_costs
from engine.costs.book import book_of
from engine.costs.calibration import Calibration, calibrate
from engine.costs.durations import Work
from engine.costs.history import (
    NO_HISTORY,
    Key,
    Learned,
    Observation,
    history_of,
    observation,
    work_key,
)
from engine.costs.price_file import prices_of
from engine.costs.ranges import Range
from tests.planning.builders import (
    a_policy,
    an_instance,
    daily,
    documents,
    inventory,
    plan,
    step_of,
)

KEY: Key = ("copy_far", "db-ORDERS", "222222222222/eu-central-1", "incremental")


def seen(low: float, high: float, key: Key = KEY, **changes: Any) -> Observation:
    made = Observation("copy:1", key, "base_in_chain", Range(low, high), Range(60.0, 600.0))
    return replace(made, **changes)


DETAIL: dict[str, Any] = {
    "state": "done",
    "text": "available",
    "resource": "db-ORDERS",
    "at": "222222222222/eu-central-1",
    "forecast": {
        "verdict": "incremental",
        "rule": "base_in_chain",
        "gib": [0, 10],
        "seconds": [60, 600],
        "work": "copy_far",
    },
    "seen": {"seconds": [30, 60.5], "progress": [[30, 50]], "full_bytes": 64 << 30},
}


def test_an_entry_of_the_journal_is_an_observation() -> None:
    assert observation("copy:1", DETAIL) == seen(30.0, 60.5, full_gib=64.0)
    alone = {**DETAIL, "seen": {"seconds": [30, 60.5]}}
    assert observation("copy:1", alone) == seen(30.0, 60.5)


@pytest.mark.parametrize(
    "detail",
    [
        {"state": "done", "text": "available"},
        {**DETAIL, "state": "running"},
        {**DETAIL, "seen": {"seconds": [30, None]}},
        {**DETAIL, "seen": {"seconds": None}},
        {**DETAIL, "seen": "nothing"},
        {**DETAIL, "forecast": {"verdict": "full", "rule": "first_in_chain"}},
        {**DETAIL, "forecast": None},
    ],
    ids=["old", "running", "unfinished", "no pair", "no map", "unpriced", "no forecast"],
)
def test_what_tells_no_duration_is_none(detail: dict[str, Any]) -> None:
    assert observation("copy:1", detail) is None


def test_the_same_work_is_expected_to_take_as_long_as_it_did() -> None:
    history = history_of([seen(100, 130), seen(60, 90), seen(90, 120)])
    assert history.of(KEY) == Learned(Range(60, 130), 3)
    assert history.of((*KEY[:3], "full")) is None


def test_twice_tells_nothing_yet() -> None:
    assert history_of([seen(1, 2), seen(1, 2)]) == NO_HISTORY


def test_only_the_newest_ones_teach() -> None:
    history = history_of([seen(9000, 9030), *[seen(60, 90)] * 10])
    assert history.of(KEY) == Learned(Range(60, 90), 10)


def test_a_plan_says_which_durations_come_from_history() -> None:
    orders, found = an_instance(), documents(a_policy())
    there = inventory([orders], daily(orders, [1]))
    made = plan(found, there)
    step = step_of(made, "create_snapshot")
    key = work_key(step, Work.CREATE)
    history = history_of([seen(60, 90, key)] * 3)
    costs = with_costs(made, there, book_of(found, prices_of(found.estate), history)).costs
    assert costs is not None
    (cost,) = [one for one in costs.steps if one.step == step.id]
    assert (cost.seconds, cost.seen, cost.work) == ((60.0, 90.0), 3, "create")
    assert "1 of 1 durations are learned from earlier runs" in costs.assumptions
    assert not any("is assumed where no earlier run" in text for text in costs.assumptions)


def test_forecasts_are_compared_per_rule_and_kind_of_work() -> None:
    found = calibrate(
        [
            seen(30, 50),
            seen(50, 70),
            seen(590, 620),
            seen(610, 640),
            seen(5, 9, foreseen=None),
            seen(1, 2, ("create", "db-ORDERS", "x/y", "full"), rule="first_in_chain"),
        ]
    )
    chain, first = found
    assert chain == Calibration(
        "base_in_chain", "incremental", "copy_far", 5, Range(5, 640), Range(60, 600), 2, 1, 1
    )
    assert first == Calibration(
        "first_in_chain", "full", "create", 1, Range(1, 2), Range(60, 600), 0, 1, 0
    )


def test_where_nothing_was_foreseen_nothing_is_judged() -> None:
    (found,) = calibrate([seen(5, 9, foreseen=None)])
    assert (found.foreseen, found.within, found.faster, found.slower) == (None, 0, 0, 0)
