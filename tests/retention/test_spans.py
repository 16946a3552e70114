from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.retention.spans import EARLIEST, Minutes, Span, SpanError, parse_span

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", Span(seconds=90)),
        ("36h", Span(hours=36)),
        ("30d", Span(days=30)),
        ("5w", Span(days=35)),
        ("18mo", Span(months=18)),
        ("2y", Span(years=2)),
        ("1y2mo3d4h", Span(years=1, months=2, days=3, hours=4)),
        ("1w1d", Span(days=8)),
        ("1y2mo1w3d4h6s", Span(years=1, months=2, days=10, hours=4, seconds=6)),
        ("007d", Span(days=7)),
        ("0d", Span()),
        ("99999999s", Span(seconds=99999999)),
    ],
)
def test_a_length_is_a_number_and_a_unit_or_a_sum_of_such(text: str, span: Span) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "empty"),
        ("d", 0, "a number is missing before 'd'"),
        ("30", 2, "a unit is missing after 30"),
        ("1y30", 4, "a unit is missing after 30"),
        ("30 d", 2, "a unit is missing after 30"),
        (" 30d", 0, "no spaces"),
        ("1d 2h", 2, "no spaces"),
        ("30d\n", 3, "no spaces"),
        ("-1d", 0, "without a sign"),
        ("+1d", 0, "without a sign"),
        ("1.5d", 1, "a unit is missing after 1"),
        ("1d,2h", 2, "without a sign"),
        ("6m", 1, "write mo for months"),
        ("1y6m", 3, "write mo for months"),
        ("30D", 2, "write d"),
        ("3MO", 1, "write mo"),
        ("3days", 1, "days is no unit"),
        ("3x", 1, "x is no unit; the units are y, mo, w, d"),
        ("1d1d", 2, "d stands twice"),
        ("1d1y", 2, "from large to small"),
        ("1d1w", 2, "from large to small"),
        ("100000000s", 0, "at most 8 digits"),
        ("٣d", 0, "a number is missing before '٣'"),
    ],
)
def test_what_is_no_length_is_refused_with_its_place_and_the_way_out(
    text: str, position: int, message: str
) -> None:
    with pytest.raises(SpanError) as caught:
        parse_span(text)
    assert caught.value.position == position
    assert message in caught.value.message
    assert str(caught.value) == caught.value.message


def test_m_is_minutes_only_where_minutes_are_allowed() -> None:
    assert parse_span("1h30m", Minutes.ALLOWED) == Span(hours=1, minutes=30)
    with pytest.raises(SpanError, match="write mo for months"):
        parse_span("1h30m", Minutes.REFUSED)


@given(st.builds(Span, *[st.integers(0, 99_999_999)] * 6))
def test_a_length_is_written_in_one_way_that_reads_back(span: Span) -> None:
    assert parse_span(str(span), Minutes.ALLOWED) == span


def test_a_length_is_written_as_people_write_it() -> None:
    assert str(Span(1, 2, 3, 4, 5, 6)) == "1y2mo3d4h5m6s"
    assert str(Span(hours=36)) == "36h"
    assert str(Span()) == "0s"


def test_no_part_of_a_length_is_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Span(days=1, hours=-1)


def test_only_a_length_without_years_and_months_has_a_fixed_number_of_seconds() -> None:
    elapsed = Span(days=2, hours=3, minutes=4, seconds=5).as_timedelta()
    assert elapsed == timedelta(days=2, hours=3, minutes=4, seconds=5)
    for span in (Span(months=1), Span(years=1)):
        with pytest.raises(SpanError, match="no fixed length"):
            span.as_timedelta()


@pytest.mark.parametrize(
    ("span", "moment", "earlier"),
    [
        ("1mo", "2025-03-31", "2025-03-03"),
        ("1mo", "2024-03-31", "2024-03-02"),
        ("1y", "2024-02-29", "2023-03-01"),
        ("1mo", "2025-01-15", "2024-12-15"),
        ("13mo", "2025-01-15", "2023-12-15"),
        ("12mo", "2025-12-31", "2024-12-31"),
        ("6mo1d", "2025-12-31", "2025-06-30"),
        ("30d", "2025-03-01", "2025-01-30"),
    ],
)
def test_a_day_that_the_month_does_not_have_runs_over_into_the_next(
    span: str, moment: str, earlier: str
) -> None:
    at = datetime.fromisoformat(f"{moment}T12:34:56.789+00:00")
    assert parse_span(span).before(at) == datetime.fromisoformat(f"{earlier}T12:34:56.789+00:00")


def test_days_follow_the_local_clock_and_hours_elapse() -> None:
    after_the_change = datetime(2025, 10, 26, 12, tzinfo=BERLIN)
    day = Span(days=1).before(after_the_change)
    assert day.isoformat() == "2025-10-25T12:00:00+02:00"
    assert Span(hours=24).before(after_the_change).isoformat() == "2025-10-25T13:00:00+02:00"


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Europe/Berlin", "2025-10-26T02:30"), ("America/New_York", "2025-11-02T01:30")],
)
@pytest.mark.parametrize("fold", [0, 1])
def test_hours_elapse_from_either_of_two_equal_local_times(zone: str, day: str, fold: int) -> None:
    moment = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone), fold=fold)
    earlier = Span(hours=1).before(moment)
    assert moment.astimezone(UTC) - earlier.astimezone(UTC) == timedelta(hours=1)


def test_a_day_back_from_the_day_after_one_that_was_left_out_is_the_day_before_it() -> None:
    apia = ZoneInfo("Pacific/Apia")
    late = datetime(2011, 12, 31, 23, tzinfo=apia)
    assert Span(days=1).before(late).isoformat() == "2011-12-29T23:00:00-10:00"


@given(
    st.builds(
        Span,
        st.integers(0, 3),
        st.integers(0, 30),
        st.integers(0, 40),
        st.integers(0, 80),
        st.integers(0, 90),
        st.integers(0, 90),
    ),
    st.integers(0, 70 * 366 * 24 * 60).map(lambda minutes: EPOCH + timedelta(minutes=minutes)),
    st.sampled_from(["Europe/Berlin", "Pacific/Apia", "Pacific/Kwajalein", "Antarctica/Troll"]),
)
def test_any_length_leads_back_and_none_does_not(span: Span, moment: datetime, zone: str) -> None:
    earlier = span.before(moment.astimezone(ZoneInfo(zone))).astimezone(UTC)
    assert earlier == moment if span.is_zero else earlier < moment


@pytest.mark.parametrize("text", ["2026y", "99999999y", "99999999mo", "99999999w", "99999999d"])
def test_what_would_lie_before_the_calendar_is_its_beginning(text: str) -> None:
    assert parse_span(text).before(datetime(2026, 11, 21, tzinfo=BERLIN)) == EARLIEST


def test_a_moment_without_a_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match="no timezone"):
        Span(days=1).before(EPOCH.replace(tzinfo=None))
