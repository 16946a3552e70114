from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from engine.retention.decide import Decision, Kept, decide
from engine.retention.keep import ALL, Keep
from engine.retention.spans import Span

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
NEWEST = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TWO_DAYS = Span(days=2)
EVERY_RULE = Keep(
    last=ALL,
    hourly=ALL,
    daily=ALL,
    weekly=ALL,
    monthly=ALL,
    yearly=ALL,
    within=TWO_DAYS,
    within_hourly=TWO_DAYS,
    within_daily=TWO_DAYS,
    within_weekly=TWO_DAYS,
    within_monthly=TWO_DAYS,
    within_yearly=TWO_DAYS,
)


def daily(count: int) -> list[datetime]:
    return [NEWEST - DAY * age for age in range(count)]


def fates(decision: Decision) -> dict[datetime, str]:
    kept = {entry.time: " ".join(entry.reasons) for entry in decision.keep}
    return kept | dict.fromkeys(decision.remove, "-")


def ages(decision: Decision) -> list[int]:
    return [(NEWEST - entry.time) // DAY for entry in decision.keep]


def test_nothing_is_decided_about_nothing() -> None:
    assert decide([], EVERY_RULE, UTC_ZONE, now=NEWEST) == Decision((), ())


def test_without_rules_everything_is_kept() -> None:
    decision = decide(daily(3), Keep(last=0, within=Span()), UTC_ZONE)
    assert decision.keep == tuple(Kept(time, ("no-rule",)) for time in daily(3))
    assert not decision.remove


def test_kept_and_removed_come_newest_first_whatever_the_order_was() -> None:
    mixed = [daily(5)[index] for index in (3, 0, 4, 1, 2)]
    decision = decide(mixed, Keep(last=2), UTC_ZONE)
    assert [entry.time for entry in decision.keep] == daily(5)[:2]
    assert list(decision.remove) == daily(5)[2:]


def test_a_point_has_every_reason_that_keeps_it_in_the_order_of_the_rules() -> None:
    (kept,) = decide([NEWEST], EVERY_RULE, UTC_ZONE).keep
    assert kept.reasons == (
        "last-1",
        "hourly-1",
        "daily-1",
        "weekly-1",
        "monthly-1",
        "yearly-1",
        "within-2d",
        "within-hourly-2d",
        "within-daily-2d",
        "within-weekly-2d",
        "within-monthly-2d",
        "within-yearly-2d",
    )


def test_periods_without_a_point_are_not_counted() -> None:
    times = [NEWEST, NEWEST - 10 * DAY, NEWEST - 11 * DAY, NEWEST - 300 * DAY]
    assert fates(decide(times, Keep(daily=3), UTC_ZONE)) == {
        times[0]: "daily-1",
        times[1]: "daily-2",
        times[2]: "daily-3",
        times[3]: "-",
    }


def test_the_newest_point_of_a_period_is_the_one_that_is_kept() -> None:
    times = [NEWEST, NEWEST - HOUR, NEWEST - DAY, NEWEST - DAY - HOUR, NEWEST - 2 * DAY]
    assert fates(decide(times, Keep(daily=2), UTC_ZONE)) == {
        times[0]: "daily-1",
        times[1]: "-",
        times[2]: "daily-2",
        times[3]: "-",
        times[4]: "-",
    }


def test_a_young_history_keeps_its_oldest_point_until_the_counts_are_used_up() -> None:
    keep = Keep(monthly=2)
    assert fates(decide(daily(5), keep, UTC_ZONE))[daily(5)[-1]] == "oldest-monthly"
    assert fates(decide(daily(30), keep, UTC_ZONE))[daily(30)[-1]] == "-"


def test_the_timezone_says_when_a_day_ends() -> None:
    times = [datetime(2026, 11, 20, hour, 30, tzinfo=UTC) for hour in (23, 22, 1, 0)]
    assert fates(decide(times, Keep(daily=1), UTC_ZONE)) == dict(
        zip(times, ["daily-1", "-", "-", "-"], strict=True)
    )
    assert fates(decide(times, Keep(daily=3), BERLIN)) == dict(
        zip(times, ["daily-1", "daily-2", "-", "oldest-daily"], strict=True)
    )


# -- within --------------------------------------------------------------------------------------


def test_within_reaches_back_from_the_newest_point_and_not_from_now() -> None:
    years_later = NEWEST + 2000 * DAY
    decision = decide(daily(5), Keep(within=Span(days=2)), UTC_ZONE, now=years_later)
    assert ages(decision) == [0, 1]


def test_within_reaches_back_from_the_newest_available_point() -> None:
    keep = Keep(within=Span(days=2), within_daily=Span(days=3))
    decision = decide(daily(6), keep, UTC_ZONE, newest_available=NEWEST - DAY)
    assert [entry.reasons for entry in decision.keep] == [
        ("within-2d", "within-daily-3d"),
        ("within-2d", "within-daily-3d"),
        ("within-2d", "within-daily-3d"),
        ("within-daily-3d",),
    ]


def test_a_newest_available_point_after_a_gap_leaves_nothing_in_reach() -> None:
    decision = decide(daily(3), Keep(within=Span(days=2)), UTC_ZONE, NEWEST + 9 * DAY)
    assert list(decision.remove) == daily(3)


def test_the_newest_point_is_in_its_own_reach_after_a_day_that_was_left_out() -> None:
    apia = ZoneInfo("Pacific/Apia")
    late = datetime(2011, 12, 31, 9, tzinfo=UTC)
    decision = decide([late, late - HOUR], Keep(within=Span(days=1)), apia)
    assert [entry.time for entry in decision.keep] == [late, late - HOUR]


def test_the_newest_point_is_in_its_own_reach_in_an_hour_that_comes_twice() -> None:
    first = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    decision = decide([first, first - HOUR], Keep(within=Span(hours=1)), BERLIN)
    assert fates(decision) == {first: "within-1h", first - HOUR: "-"}


def test_months_back_overflow_as_in_restic() -> None:
    newest = datetime(2025, 3, 31, tzinfo=UTC)
    times = [newest, *(datetime(2025, 3, day, tzinfo=UTC) for day in (4, 3, 2, 1))]
    decision = decide(times, Keep(within=Span(months=1)), UTC_ZONE)
    assert [entry.time.day for entry in decision.keep] == [31, 4]


def test_a_reach_beyond_the_calendar_keeps_everything() -> None:
    decision = decide(daily(4), Keep(within=Span(years=99_999_999)), BERLIN)
    assert not decision.remove


# -- the future ----------------------------------------------------------------------------------


def test_points_in_the_future_are_kept_and_no_rule_counts_them() -> None:
    keep = Keep(last=1, daily=2, within=Span(hours=1))
    now = NEWEST - 2 * DAY
    assert fates(decide(daily(5), keep, UTC_ZONE, now=now)) == {
        NEWEST: "future",
        NEWEST - DAY: "future",
        NEWEST - 2 * DAY: "last-1 daily-1 within-1h",
        NEWEST - 3 * DAY: "daily-2",
        NEWEST - 4 * DAY: "-",
    }


def test_points_in_the_future_stay_when_no_other_is_there() -> None:
    decision = decide(daily(2), Keep(last=1), UTC_ZONE, now=NEWEST - 9 * DAY)
    assert [entry.reasons for entry in decision.keep] == [("future",), ("future",)]


def test_without_a_now_no_point_is_in_the_future() -> None:
    decision = decide(daily(2), Keep(last=1), UTC_ZONE)
    assert fates(decision) == {NEWEST: "last-1", NEWEST - DAY: "-"}


# -- times ---------------------------------------------------------------------------------------


def test_equal_times_are_separate_points_told_apart_by_their_order() -> None:
    east = timezone(timedelta(hours=9))
    same = [NEWEST, NEWEST.astimezone(east), NEWEST.astimezone(BERLIN)]
    decision = decide(same, Keep(last=1, daily=2), UTC_ZONE)
    assert [entry.time.tzinfo for entry in decision.keep] == [UTC, BERLIN]
    assert [entry.reasons for entry in decision.keep] == [("last-1", "daily-1"), ("oldest-daily",)]
    assert [time.tzinfo for time in decision.remove] == [east]


def test_times_are_ordered_as_they_happened_and_not_as_clocks_showed_them() -> None:
    early = datetime(2025, 10, 26, 2, 45, tzinfo=BERLIN)
    late = datetime(2025, 10, 26, 2, 15, fold=1, tzinfo=BERLIN)
    decision = decide([early, late], Keep(last=1), BERLIN)
    assert [entry.time.isoformat() for entry in decision.keep] == ["2025-10-26T02:15:00+01:00"]


def test_a_time_without_a_timezone_is_refused() -> None:
    naive = NEWEST.replace(tzinfo=None)
    with pytest.raises(ValueError, match="2026-11-21T02:10:00 has no timezone"):
        decide([NEWEST, naive], Keep(last=1), UTC_ZONE)


@pytest.mark.parametrize(
    "edge",
    [
        datetime(1, 1, 1, tzinfo=timezone(14 * HOUR)),
        datetime(9999, 12, 31, 23, tzinfo=timezone(-14 * HOUR)),
        datetime(9999, 12, 31, 23, 30, tzinfo=UTC),
    ],
)
def test_a_time_at_the_end_of_the_calendar_is_refused(edge: datetime) -> None:
    with pytest.raises(ValueError, match="beyond the years 2 to 9998"):
        decide([edge], Keep(daily=1), BERLIN)
