"""Amounts as people read them: two figures, no false precision."""

from __future__ import annotations

import pytest

from engine.plans.amounts import added, figures, gib, lasting, money, rounded, signed


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        ((0, 0), "nothing"),
        ((0, 0.004), "up to $0.01"),
        ((0, 0.4), "up to $0.40"),
        ((1.234, 5.678), "$1.20 to $5.70"),
        ((12.3, 345.6), "$12 to $350"),
        ((1234, 98765), "$1,200 to $99,000"),
        ((101, 104), "$100"),
    ],
)
def test_money_has_two_figures(pair: tuple[float, float], text: str) -> None:
    assert money(pair) == text


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        ((0, 0), "nothing"),
        ((0, 500), "up to 500 GiB"),
        ((2.44, 47.3), "2.4 to 47 GiB"),
        ((3, 3), "3 GiB"),
    ],
)
def test_sizes_have_two_figures(pair: tuple[float, float], text: str) -> None:
    assert gib(pair) == text


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        ((0, 20), "1 min"),
        ((60, 900), "1 min to 15 min"),
        ((600, 19_000), "10 min to 5.3 h"),
        ((36_000, 250_000), "10 h to 69 h"),
        ((86_400 * 3, 86_400 * 11), "3 days to 11 days"),
        ((3600 * 2, 3600 * 2), "2 h"),
    ],
)
def test_times_are_told_in_the_unit_that_fits(pair: tuple[float, float], text: str) -> None:
    assert lasting(pair) == text


def test_figures_are_those_that_mean_something() -> None:
    assert figures(0.0) == 0
    assert figures(0.012345) == 0.012
    assert figures(-1234.5) == -1200
    assert figures(1234.5, 3) == 1230


@pytest.mark.parametrize(
    ("pair", "text", "short"),
    [
        ((0, 0), "adds nothing", "nothing"),
        ((0, 4.81), "adds up to $4.80", "up to +$4.80"),
        ((1, 4.81), "adds $1.00 to $4.80", "+$1.00 to +$4.80"),
        ((-30, -20), "saves $20 to $30", "-$20 to -$30"),
        ((-30, 0), "saves up to $30", "up to -$30"),
        ((-30, 2), "saves up to $30 or adds up to $2.00", "-$30 to +$2.00"),
    ],
)
def test_what_is_added_may_be_saved(pair: tuple[float, float], text: str, short: str) -> None:
    assert added(pair) == text
    assert signed(pair) == short


def test_both_bounds_are_rounded() -> None:
    assert rounded((1.234, 5678.9)) == (1.2, 5700)
