"""What holds for all times and rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, fields, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.retention.decide import Decision, decide
from engine.retention.keep import ALL, COUNTED, REACHING, Count, Keep, Rule
from engine.retention.spans import Span

# No deadline: a busy machine is no fault of the code.
QUICK = settings(deadline=None)
THOROUGH = settings(deadline=None, max_examples=300)
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "America/St_Johns",
    ]
).map(ZoneInfo)
# Around changes of the clocks, a leap day, a new year, and the day that Apia left out.
ANCHORS = st.sampled_from(
    [
        datetime(2010, 11, 7, 3, tzinfo=UTC),
        datetime(2011, 12, 31, 12, tzinfo=UTC),
        datetime(2024, 3, 1, tzinfo=UTC),
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime(2025, 3, 30, 3, tzinfo=UTC),
        datetime(2025, 10, 26, 3, tzinfo=UTC),
        datetime(2025, 11, 2, 8, tzinfo=UTC),
    ]
)
STEPS = st.sampled_from([timedelta(minutes=10), timedelta(hours=1), timedelta(hours=23)])
COUNTS: st.SearchStrategy[Count | None] = st.one_of(st.none(), st.integers(0, 5), st.just(ALL))
SPANS = st.one_of(
    st.none(),
    st.builds(Span, st.integers(0, 1), st.integers(0, 2), st.integers(0, 3), st.integers(0, 30)),
)
KEEPS = st.builds(Keep, *[COUNTS] * 6, *[SPANS] * 6)


@st.composite
def histories(draw: st.DrawFn) -> list[datetime]:
    anchor, step = draw(ANCHORS), draw(STEPS)
    ages = draw(st.lists(st.integers(-3, 60), max_size=40))
    return [anchor - step * age for age in ages]


def kept(decision: Decision) -> list[datetime]:
    return [entry.time for entry in decision.keep]


def with_rule(keep: Keep, rule: Rule, value: Any) -> Keep:
    return replace(keep, **{rule.value: value})


def removed(times: list[datetime], keep: Keep, zone: ZoneInfo) -> Counter[datetime]:
    return Counter(decide(times, keep, zone).remove)


@QUICK
@given(histories(), KEEPS, ZONES)
def test_what_is_kept_and_what_is_removed_are_together_what_was_given(
    times: list[datetime], keep: Keep, zone: ZoneInfo
) -> None:
    decision = decide(times, keep, zone)
    assert sorted([*kept(decision), *decision.remove]) == sorted(times)
    assert kept(decision) == sorted(kept(decision), reverse=True)
    assert list(decision.remove) == sorted(decision.remove, reverse=True)
    assert all(entry.reasons for entry in decision.keep)


@QUICK
@given(histories(), KEEPS, ZONES, st.randoms(use_true_random=False))
def test_the_order_of_the_times_decides_nothing(
    times: list[datetime], keep: Keep, zone: ZoneInfo, random: Random
) -> None:
    shuffled = random.sample(times, len(times))
    assert decide(shuffled, keep, zone) == decide(times, keep, zone)


@QUICK
@given(histories(), KEEPS, ZONES)
def test_the_zone_that_times_are_written_in_decides_nothing(
    times: list[datetime], keep: Keep, zone: ZoneInfo
) -> None:
    local = decide([time.astimezone(zone) for time in times], keep, zone)
    there = [(entry.time.astimezone(UTC), entry.reasons) for entry in local.keep]
    assert there == [(entry.time, entry.reasons) for entry in decide(times, keep, zone).keep]


@THOROUGH
@given(histories(), KEEPS, ZONES)
def test_deciding_again_over_what_was_kept_removes_nothing(
    times: list[datetime], keep: Keep, zone: ZoneInfo
) -> None:
    first = decide(times, keep, zone)
    again = decide(kept(first), keep, zone)
    assert kept(again) == kept(first)


@QUICK
@given(histories(), KEEPS, ZONES)
def test_the_newest_point_is_always_kept(times: list[datetime], keep: Keep, zone: ZoneInfo) -> None:
    assert kept(decide(times, keep, zone))[:1] == sorted(times, reverse=True)[:1]


@THOROUGH
@given(histories(), KEEPS, KEEPS, ZONES)
def test_more_rules_never_remove_more(
    times: list[datetime], keep: Keep, more: Keep, zone: ZoneInfo
) -> None:
    if keep.is_empty:
        keep = Keep(last=1)
    unset = [field.name for field in fields(keep) if not getattr(keep, field.name)]
    wider = replace(keep, **{name: getattr(more, name) for name in unset})
    assert removed(times, wider, zone) <= removed(times, keep, zone)


@THOROUGH
@given(histories(), KEEPS, ZONES, st.sampled_from(COUNTED), st.integers(1, 5))
def test_a_higher_count_never_removes_more(
    times: list[datetime], keep: Keep, zone: ZoneInfo, rule: Rule, count: int
) -> None:
    lower, higher = (with_rule(keep, rule, limit) for limit in (count, count + 1))
    assert removed(times, higher, zone) <= removed(times, lower, zone)


@THOROUGH
@given(histories(), KEEPS, ZONES, st.sampled_from(REACHING), st.integers(1, 48))
def test_a_longer_reach_never_removes_more(
    times: list[datetime], keep: Keep, zone: ZoneInfo, rule: Rule, hours: int
) -> None:
    shorter, longer = (with_rule(keep, rule, Span(hours=reach)) for reach in (hours, hours + 1))
    assert removed(times, longer, zone) <= removed(times, shorter, zone)


@QUICK
@given(histories(), KEEPS, ZONES, ANCHORS)
def test_points_in_the_future_change_nothing_about_the_others(
    times: list[datetime], keep: Keep, zone: ZoneInfo, now: datetime
) -> None:
    past = [time for time in times if time <= now]
    decision = decide(times, keep, zone, now=now)
    assert [entry for entry in decision.keep if entry.time <= now] == list(
        decide(past, keep, zone).keep
    )
    assert {entry.reasons for entry in decision.keep if entry.time > now} <= {("future",)}
    assert all(time <= now for time in decision.remove)


@QUICK
@given(histories(), KEEPS, ZONES)
def test_the_newest_available_point_is_by_default_the_newest(
    times: list[datetime], keep: Keep, zone: ZoneInfo
) -> None:
    newest = max(times, default=None)
    assert decide(times, keep, zone, newest) == decide(times, keep, zone)


@QUICK
@given(KEEPS)
def test_rules_are_empty_when_nothing_is_set(keep: Keep) -> None:
    assert keep.is_empty == (
        not any(count for count in astuple(keep)[:6])
        and all(span is None or not any(span) for span in astuple(keep)[6:])
    )
