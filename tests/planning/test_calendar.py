"""Stage 2, the calendar: when slots are due, over every kind of clock change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.documents.model import Cron, Every, Schedule, Window
from engine.planning.local_time import instant
from engine.planning.slots import due_between, latest_due, next_due, period_start

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
ZONES = (UTC_ZONE, BERLIN, LORD_HOWE, APIA, KATHMANDU)
SPRING = date(2026, 3, 29)  # Berlin: 02:00 -> 03:00
AUTUMN = date(2026, 10, 25)  # Berlin: 03:00 -> 02:00


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def every(**period: int) -> Schedule:
    return Schedule(Every(timedelta(**period)))


def windowed(start: str, end: str, **period: int) -> Schedule:
    return Schedule(Every(timedelta(**period)), window(start, end))


def window(start: str, end: str) -> Window:
    def minute(text: str) -> int:
        return 60 * int(text[:2]) + int(text[3:])

    return Window(minute(start), minute(end))


def due(schedule: Schedule, zone: ZoneInfo, now: str) -> datetime | None:
    slot = latest_due(schedule, zone, at(now))
    return None if slot is None else slot.at


def slots_between(schedule: Schedule, zone: ZoneInfo, start: str, end: str) -> list[str]:
    """All slots in (start, end], in local time with their offset."""
    found = []
    moment = next_due(schedule, zone, at(start))
    while moment is not None and moment <= at(end):
        found.append(moment.astimezone(zone).strftime("%d %H:%M %z"))
        moment = next_due(schedule, zone, moment)
    return found


# -- local times ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "minute", "expected"),
    [
        (BERLIN, SPRING, 119, "2026-03-29T00:59:00"),
        (BERLIN, SPRING, 120, "2026-03-29T01:00:00"),
        (BERLIN, SPRING, 150, "2026-03-29T01:00:00"),
        (BERLIN, SPRING, 179, "2026-03-29T01:00:00"),
        (BERLIN, SPRING, 180, "2026-03-29T01:00:00"),
        (BERLIN, SPRING, 181, "2026-03-29T01:01:00"),
        (LORD_HOWE, date(2026, 10, 4), 119, "2026-10-03T15:29:00"),
        (LORD_HOWE, date(2026, 10, 4), 135, "2026-10-03T15:30:00"),
        (LORD_HOWE, date(2026, 10, 4), 150, "2026-10-03T15:30:00"),
        (APIA, date(2011, 12, 29), 1439, "2011-12-30T09:59:00"),
        (APIA, date(2011, 12, 30), 0, "2011-12-30T10:00:00"),
        (APIA, date(2011, 12, 30), 720, "2011-12-30T10:00:00"),
        (APIA, date(2011, 12, 31), 0, "2011-12-30T10:00:00"),
        (APIA, date(2011, 12, 31), 60, "2011-12-30T11:00:00"),
        (KATHMANDU, date(2026, 6, 1), 0, "2026-05-31T18:15:00"),
        (KATHMANDU, date(1986, 1, 1), 5, "1985-12-31T18:30:00"),
        (KATHMANDU, date(1986, 1, 1), 15, "1985-12-31T18:30:00"),
    ],
)
def test_a_local_time_that_does_not_exist_is_the_next_valid_instant(
    zone: ZoneInfo, day: date, minute: int, expected: str
) -> None:
    assert instant(day, minute, zone) == at(expected)


@pytest.mark.parametrize(
    ("zone", "day", "minute", "expected"),
    [
        (BERLIN, AUTUMN, 119, "2026-10-24T23:59:00"),
        (BERLIN, AUTUMN, 120, "2026-10-25T00:00:00"),
        (BERLIN, AUTUMN, 179, "2026-10-25T00:59:00"),
        (BERLIN, AUTUMN, 180, "2026-10-25T02:00:00"),
        (LORD_HOWE, date(2026, 4, 5), 89, "2026-04-04T14:29:00"),
        (LORD_HOWE, date(2026, 4, 5), 90, "2026-04-04T14:30:00"),
        (LORD_HOWE, date(2026, 4, 5), 119, "2026-04-04T14:59:00"),
        (LORD_HOWE, date(2026, 4, 5), 120, "2026-04-04T15:30:00"),
    ],
)
def test_a_local_time_that_exists_twice_is_its_first(
    zone: ZoneInfo, day: date, minute: int, expected: str
) -> None:
    assert instant(day, minute, zone) == at(expected)


def test_a_local_time_past_midnight_is_of_the_next_day() -> None:
    assert instant(date(2026, 6, 1), 1440 + 90, BERLIN) == at("2026-06-01T23:30:00")


# -- below a day ---------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("hours", [1, 2, 3, 4, 6, 8, 12])
def test_below_a_day_slots_restart_each_local_day_at_midnight(zone: ZoneInfo, hours: int) -> None:
    expected = [f"09 {h:02d}:00" for h in range(0, 24, hours)] + ["10 00:00"]
    start, end = instant(date(2026, 6, 9), 0, zone), instant(date(2026, 6, 10), 0, zone)
    found = slots_between(
        every(hours=hours),
        zone,
        f"{start - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}",
        f"{end:%Y-%m-%dT%H:%M:%S}",
    )
    assert [text[:8] for text in found] == expected


def test_below_a_day_slots_restart_at_the_windows_start() -> None:
    found = slots_between(
        windowed("22:30", "04:00", hours=6), BERLIN, "2026-06-09T10:00:00", "2026-06-10T10:00:00"
    )
    assert found == ["09 16:30 +0200", "09 22:30 +0200", "10 04:30 +0200", "10 10:30 +0200"]


def test_below_a_day_hours_are_elapsed_so_that_the_long_day_has_a_slot_more() -> None:
    found = slots_between(every(hours=6), BERLIN, "2026-10-24T21:59:00", "2026-10-25T23:00:00")
    assert found == [
        "25 00:00 +0200",
        "25 05:00 +0100",
        "25 11:00 +0100",
        "25 17:00 +0100",
        "25 23:00 +0100",
        "26 00:00 +0100",
    ]


def test_below_a_day_the_short_day_ends_where_the_next_begins() -> None:
    found = slots_between(every(hours=12), BERLIN, "2026-03-28T22:59:00", "2026-03-30T10:00:00")
    assert found == ["29 00:00 +0100", "29 13:00 +0200", "30 00:00 +0200", "30 12:00 +0200"]


def test_below_a_day_an_hour_that_comes_twice_has_two_hourly_slots() -> None:
    found = slots_between(every(hours=1), BERLIN, "2026-10-24T23:30:00", "2026-10-25T02:00:00")
    assert found == ["25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100"]


def test_below_a_day_half_an_hours_change_shifts_the_rest_of_the_day() -> None:
    found = slots_between(every(hours=6), LORD_HOWE, "2026-04-04T12:59:00", "2026-04-05T13:30:00")
    assert found == [
        "05 00:00 +1100",
        "05 05:30 +1030",
        "05 11:30 +1030",
        "05 17:30 +1030",
        "05 23:30 +1030",
        "06 00:00 +1030",
    ]


def test_a_day_that_does_not_exist_has_no_slots_of_its_own() -> None:
    found = slots_between(every(hours=12), APIA, "2011-12-29T09:59:00", "2011-12-31T10:00:00")
    assert found == [
        "29 00:00 -1000",
        "29 12:00 -1000",
        "31 00:00 +1400",
        "31 12:00 +1400",
        "01 00:00 +1400",
    ]


# -- from a day on -------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_daily_slot_is_at_the_windows_start_on_each_local_day(zone: ZoneInfo) -> None:
    daily = windowed("04:00", "05:00", days=1)
    for offset in range(400):
        day = date(2026, 1, 1) + timedelta(days=offset)
        slot = instant(day, 240, zone)
        for now in (slot, slot + timedelta(hours=22)):
            found = latest_due(daily, zone, now)
            assert found is not None
            assert found.at == slot
            assert next_due(daily, zone, now) == instant(day + timedelta(days=1), 240, zone)


def test_a_daily_slot_in_the_hour_left_out_is_at_its_end() -> None:
    daily = windowed("02:30", "05:00", days=1)
    assert due(daily, BERLIN, "2026-03-29T00:59:59") == at("2026-03-28T01:30:00")
    assert due(daily, BERLIN, "2026-03-29T01:00:00") == at("2026-03-29T01:00:00")
    assert next_due(daily, BERLIN, at("2026-03-29T01:00:00")) == at("2026-03-30T00:30:00")


def test_a_daily_slot_in_the_hour_that_comes_twice_is_due_once() -> None:
    daily = windowed("02:30", "05:00", days=1)
    found = slots_between(daily, BERLIN, "2026-10-24T12:00:00", "2026-10-25T12:00:00")
    assert found == ["25 02:30 +0200"]
    assert due(daily, BERLIN, "2026-10-25T01:30:00") == at("2026-10-25T00:30:00")


def test_a_day_that_does_not_exist_is_due_when_the_next_begins() -> None:
    daily = windowed("02:00", "05:00", days=1)
    found = slots_between(daily, APIA, "2011-12-29T13:00:00", "2011-12-31T12:00:00")
    assert found == ["31 00:00 +1400", "31 02:00 +1400", "01 02:00 +1400"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (2, ["17", "19", "21", "23", "25"]),
        (3, ["16", "19", "22", "25"]),
        (7, ["16", "23"]),
    ],
)
def test_whole_days_are_counted_from_a_monday(days: int, expected: list[str]) -> None:
    schedule = windowed("23:00", "01:00", days=days)
    found = slots_between(schedule, KATHMANDU, "2026-11-16T00:00:00", "2026-11-25T17:16:00")
    assert [text[:2] for text in found] == expected
    assert {text[3:] for text in found} == {"23:00 +0545"}


def test_whole_days_are_counted_on_the_local_calendar() -> None:
    assert due(every(weeks=1), KATHMANDU, "2026-11-22T18:14:59") == at("2026-11-15T18:15:00")
    assert due(every(weeks=1), KATHMANDU, "2026-11-22T18:15:00") == at("2026-11-22T18:15:00")


def test_the_first_monday_is_that_of_1970_01_05() -> None:
    assert due(every(days=365), UTC_ZONE, "1971-01-04T23:59:59") == at("1970-01-05T00:00:00")
    assert due(every(days=365), UTC_ZONE, "1971-01-05T00:00:00") == at("1971-01-05T00:00:00")


# -- cron ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "zone", "start", "end", "expected"),
    [
        (
            "0 */3 * * *",
            UTC_ZONE,
            "2026-06-01T00:00:00",
            "2026-06-01T09:00:00",
            ["01 03:00 +0000", "01 06:00 +0000", "01 09:00 +0000"],
        ),
        (
            "30 2 * * *",
            BERLIN,
            "2026-03-28T12:00:00",
            "2026-03-30T12:00:00",
            ["29 03:00 +0200", "30 02:30 +0200"],
        ),
        (
            "30 2 * * *",
            BERLIN,
            "2026-10-24T12:00:00",
            "2026-10-26T12:00:00",
            ["25 02:30 +0200", "26 02:30 +0100"],
        ),
        (
            "0,30 2 * * *",
            BERLIN,
            "2026-10-24T23:00:00",
            "2026-10-25T12:00:00",
            ["25 02:00 +0200", "25 02:30 +0200"],
        ),
        (
            "15 2 * * *",
            LORD_HOWE,
            "2026-10-03T12:00:00",
            "2026-10-04T16:00:00",
            ["04 02:30 +1100", "05 02:15 +1100"],
        ),
        (
            "0 12 30 12 *",
            APIA,
            "2011-12-01T00:00:00",
            "2012-12-30T00:00:00",
            ["31 00:00 +1400", "30 12:00 +1400"],
        ),
        (
            "0 4 * * sun",
            KATHMANDU,
            "2026-11-16T00:00:00",
            "2026-11-22T00:00:00",
            ["22 04:00 +0545"],
        ),
    ],
)
def test_a_cron_expression_names_local_times(
    expression: str, zone: ZoneInfo, start: str, end: str, expected: list[str]
) -> None:
    assert slots_between(Schedule(Cron(expression)), zone, start, end) == expected


@pytest.mark.parametrize("expression", ["*/30 * * * *", "30 2 * * *", "0 */3 * * *"])
@pytest.mark.parametrize(
    ("zone", "around"),
    [
        (BERLIN, "2026-03-29"),
        (BERLIN, "2026-10-25"),
        (LORD_HOWE, "2026-04-05"),
        (LORD_HOWE, "2026-10-04"),
    ],
)
def test_looking_back_and_looking_ahead_find_the_same_slots_of_a_cron_expression(
    expression: str, zone: ZoneInfo, around: str
) -> None:
    schedule = Schedule(Cron(expression))
    now = at(f"{around}T00:00:00") - timedelta(hours=14)
    for _ in range(50):
        slot = latest_due(schedule, zone, now)
        following = next_due(schedule, zone, now)
        assert slot is not None
        assert following is not None
        assert slot.at <= now < following
        again = latest_due(schedule, zone, following)
        assert again is not None
        assert again.at == following
        assert next_due(schedule, zone, slot.at) == following
        now += timedelta(minutes=29)


def test_a_leap_day_is_found_years_later() -> None:
    schedule = Schedule(Cron("0 0 29 2 *"))
    assert due(schedule, UTC_ZONE, "2027-12-31T00:00:00") == at("2024-02-29T00:00:00")
    assert next_due(schedule, UTC_ZONE, at("2027-12-31T00:00:00")) == at("2028-02-29T00:00:00")


def test_a_cron_expression_that_has_not_been_due_for_years_has_no_slot() -> None:
    schedule = Schedule(Cron("0 0 29 2 *"))
    assert latest_due(schedule, UTC_ZONE, at("2103-12-31T00:00:00")) is None
    assert next_due(schedule, UTC_ZONE, at("2096-03-01T00:00:00")) is None


# -- windows -------------------------------------------------------------------------------------


def end_of(schedule: Schedule, zone: ZoneInfo, now: str) -> datetime | None:
    slot = latest_due(schedule, zone, at(now))
    assert slot is not None
    return slot.window_end


@pytest.mark.parametrize(
    ("schedule", "zone", "now", "expected"),
    [
        (windowed("02:00", "05:00", days=1), UTC_ZONE, "2026-06-01T12:00", "2026-06-01T05:00"),
        (windowed("02:30", "05:00", days=1), UTC_ZONE, "2026-06-01T12:00", "2026-06-01T05:00"),
        (windowed("23:00", "02:00", days=1), UTC_ZONE, "2026-06-01T12:00", "2026-06-01T02:00"),
        (windowed("23:00", "02:00", days=1), UTC_ZONE, "2026-06-01T23:00", "2026-06-02T02:00"),
        (windowed("00:00", "00:30", days=2), UTC_ZONE, "2026-06-01T12:00", "2026-05-31T00:30"),
        # over the clock change the window ends at its local time
        (windowed("01:00", "04:00", days=1), BERLIN, "2026-03-29T12:00", "2026-03-29T02:00"),
        (windowed("01:00", "04:00", days=1), BERLIN, "2026-10-25T12:00", "2026-10-25T03:00"),
        (windowed("23:00", "02:30", days=1), BERLIN, "2026-03-29T12:00", "2026-03-29T01:00"),
        (windowed("02:30", "05:00", days=1), BERLIN, "2026-03-29T12:00", "2026-03-29T03:00"),
    ],
)
def test_a_window_ends_at_its_local_time_and_may_wrap_midnight(
    schedule: Schedule, zone: ZoneInfo, now: str, expected: str
) -> None:
    assert end_of(schedule, zone, f"{now}:00") == at(f"{expected}:00")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("0 23 * * *", "2026-06-03T02:00:00"), ("30 0 * * *", "2026-06-03T02:00:00")],
)
def test_a_cron_slot_on_either_side_of_midnight_is_in_the_same_window(
    expression: str, expected: str
) -> None:
    schedule = Schedule(Cron(expression), window("22:00", "02:00"))
    assert end_of(schedule, UTC_ZONE, "2026-06-03T01:00:00") == at(expected)


@pytest.mark.parametrize(
    ("schedule", "zone", "now"),
    [
        (every(days=1), UTC_ZONE, "2026-06-01T12:00:00"),
        (Schedule(Cron("0 12 * * *")), UTC_ZONE, "2026-06-01T12:00:00"),
        # below a day the window only says where the day begins
        (windowed("02:00", "05:00", hours=6), UTC_ZONE, "2026-06-01T03:00:00"),
        # a window that its slot lies outside of
        (
            Schedule(Cron("0 12 * * *"), window("02:00", "05:00")),
            UTC_ZONE,
            "2026-06-01T12:00:00",
        ),
        # a window that the clock change leaves out altogether
        (windowed("02:00", "02:30", days=1), BERLIN, "2026-03-29T12:00:00"),
    ],
)
def test_a_slot_that_no_window_holds_is_open_until_the_next(
    schedule: Schedule, zone: ZoneInfo, now: str
) -> None:
    assert end_of(schedule, zone, now) is None
    slot = latest_due(schedule, zone, at(now))
    assert slot is not None
    assert slot.is_open(slot.at + timedelta(days=30))


def test_a_window_is_open_until_its_end_and_no_longer() -> None:
    slot = latest_due(windowed("02:00", "05:00", days=1), UTC_ZONE, at("2026-06-01T02:00:00"))
    assert slot is not None
    assert slot.is_open(at("2026-06-01T04:59:59"))
    assert not slot.is_open(at("2026-06-01T05:00:00"))


# -- periods of copies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "zone", "moment", "expected"),
    [
        (timedelta(days=1), BERLIN, "2026-06-01T21:59:59", "2026-05-31T22:00:00"),
        (timedelta(days=1), BERLIN, "2026-06-01T22:00:00", "2026-06-01T22:00:00"),
        (timedelta(weeks=1), UTC_ZONE, "2026-11-22T23:59:59", "2026-11-16T00:00:00"),
        (timedelta(weeks=1), UTC_ZONE, "2026-11-23T00:00:00", "2026-11-23T00:00:00"),
        (timedelta(hours=6), KATHMANDU, "2026-06-01T00:00:00", "2026-05-31T18:15:00"),
        (timedelta(hours=6), KATHMANDU, "2026-06-01T00:15:00", "2026-06-01T00:15:00"),
    ],
)
def test_a_period_begins_at_a_local_midnight(
    length: timedelta, zone: ZoneInfo, moment: str, expected: str
) -> None:
    assert period_start(length, zone, at(moment)) == at(expected)


# -- many at once --------------------------------------------------------------------------------

APIA = ZoneInfo("Pacific/Apia")
"""It had no 30 December 2011."""


@pytest.mark.parametrize("zone", [*ZONES, APIA], ids=str)
@pytest.mark.parametrize(
    "schedule",
    [
        windowed("02:30", "05:00", hours=6),
        windowed("02:30", "05:00", hours=1),
        windowed("02:30", "05:00", days=1),
        windowed("23:00", "01:00", days=3),
        Schedule(Cron("30 2 * * *")),
        Schedule(Cron("*/20 1-3 * * *")),
    ],
    ids=lambda schedule: str(schedule.cadence),
)
@pytest.mark.parametrize("start", ["2011-12-20", "2026-03-24", "2026-10-20"])
def test_slots_between_two_moments_are_those_that_follow_one_another(
    zone: ZoneInfo, schedule: Schedule, start: str
) -> None:
    since = at(f"{start}T01:00:00")
    until = since + timedelta(days=15)
    chain = []
    moment = next_due(schedule, zone, since)
    while moment is not None and moment <= until:
        chain.append(moment)
        moment = next_due(schedule, zone, moment)
    assert list(due_between(schedule, zone, since, until)) == chain
    assert chain == sorted(set(chain)) != []
    assert list(due_between(schedule, zone, since, chain[-1])) == chain
    assert list(due_between(schedule, zone, chain[0], until)) == chain[1:]


def test_leap_days_are_found_however_far_the_last_one_is() -> None:
    leap = Schedule(Cron("0 2 29 2 *"))
    since = at("2026-01-01T00:00:00")
    found = due_between(leap, BERLIN, since, since + timedelta(days=366 * 12))
    assert [slot.year for slot in found] == [2028, 2032, 2036]
