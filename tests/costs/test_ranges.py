"""Amounts between bounds: sums, quotients, what is left."""

from __future__ import annotations

from engine.costs.ranges import NOTHING, Range, exactly, total


def test_ranges_add_up_bound_by_bound() -> None:
    assert Range(1, 2) + Range(3, 5) == Range(4, 7)
    assert total([Range(1, 2), Range(3, 5), exactly(1)]) == Range(5, 8)
    assert total([]) == NOTHING


def test_the_least_time_is_the_least_amount_at_the_best_pace() -> None:
    assert Range(10, 100) / Range(2, 5) == Range(2, 50)
    assert Range(1, 2) * Range(3, 4) == Range(3, 8)
    assert Range(1, 2) * 3 == Range(3, 6)


def test_what_is_saved_is_least_where_least_is_paid_for_it() -> None:
    assert Range(-10, -2) * Range(3, 5) == Range(-50, -6)
    assert Range(-10, 2) * Range(3, 5) == Range(-50, 10)


def test_what_goes_beyond_is_never_less_than_nothing() -> None:
    assert Range(5, 10).beyond(Range(2, 7)) == Range(0, 8)
    assert Range(1, 2).beyond(Range(5, 6)) == NOTHING


def test_a_change_rests_on_the_same_unknowns_before_and_after() -> None:
    assert Range(0, 1000).change_to(Range(0, 990)) == Range(-10, 0)
    assert Range(5, 10).change_to(Range(6, 30)) == Range(1, 20)


def test_a_range_can_be_capped_and_widened() -> None:
    assert Range(1, 9).up_to(4) == Range(1, 4)
    assert Range(1, 2).or_range(Range(5, 6)) == Range(1, 6)
    assert Range(1.5, 2).pair == (1.5, 2)
