"""What a chain takes up: the oldest in full, the others what changed in between."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from engine.costs.ranges import Range
from engine.costs.rates import ASSUMED_RATE, Rate, rate_of
from engine.costs.storage import Body, Link, chain_storage, either, increment, stored
from engine.documents.model import SnapshotTerms, Terms

START = datetime(2026, 11, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)
TWO_TO_FIVE = Rate(Range(0.02, 0.05))


def chain(*days: float, body: Body, full: tuple[float, ...] = ()) -> list[Link]:
    return [Link(START + day * DAY, body, day in full) for day in days]


def test_of_a_full_snapshot_only_the_most_is_known_unless_aws_tells_its_size() -> None:
    assert Body(500).full == Range(0, 500)
    assert Body(500, 120.5).full == Range(120.5, 120.5)


def test_the_oldest_of_a_chain_counts_in_full_and_the_others_as_what_changed() -> None:
    found = chain_storage(chain(0, 1, 3, body=Body(500, 100.0)), TWO_TO_FIVE)
    assert found == [Range(100, 100), Range(2, 5), Range(4, 10)]


def test_removing_the_oldest_leaves_the_next_one_in_full() -> None:
    found = chain_storage(chain(1, 3, body=Body(500, 100.0)), TWO_TO_FIVE)
    assert found == [Range(100, 100), Range(4, 10)]


def test_removing_one_in_between_adds_its_changes_to_the_next() -> None:
    found = chain_storage(chain(0, 3, body=Body(500, 128.0)), Rate(Range(0.0625, 0.125)))
    assert found == [Range(128, 128), Range(24, 48)]


def test_what_is_known_to_be_full_counts_in_full() -> None:
    found = chain_storage(chain(0, 1, body=Body(500, 100.0), full=(1,)), TWO_TO_FIVE)
    assert found == [Range(100, 100), Range(100, 100)]


def test_no_increment_is_more_than_a_full_one() -> None:
    assert increment(Body(500, 100.0), 1000 * DAY, TWO_TO_FIVE) == Range(100, 100)
    assert increment(Body(500), 15 * DAY, TWO_TO_FIVE) == Range(0, 375)


def test_what_changes_of_storage_that_may_be_empty_may_be_nothing() -> None:
    assert increment(Body(500), DAY, TWO_TO_FIVE) == Range(0, 25)


def test_a_base_from_the_future_changes_nothing() -> None:
    link = Link(START, Body(500, 100.0))
    assert stored(link, START + DAY, TWO_TO_FIVE) == Range(0, 0)


def test_where_nobody_can_tell_it_is_anything_from_an_increment_to_a_full_one() -> None:
    assert either(Body(500, 100.0), DAY, TWO_TO_FIVE) == Range(2, 100)
    assert either(Body(500, 100.0), None, TWO_TO_FIVE) == Range(100, 100)


def test_a_policy_may_say_how_much_changes_else_it_is_assumed() -> None:
    said = Terms(snapshots=SnapshotTerms(changed_per_day=(2.0, 5.0)))
    assert rate_of(said) == TWO_TO_FIVE
    assert rate_of(Terms()) is ASSUMED_RATE
    assert rate_of(None).is_assumed


def test_a_million_objects_take_seconds_not_minutes() -> None:
    link = Link(START + DAY, Body(500, 100.0))
    began = time.perf_counter()
    for _ in range(20_000):
        stored(link, START, TWO_TO_FIVE)
    assert time.perf_counter() - began < 20_000 * 20e-6
