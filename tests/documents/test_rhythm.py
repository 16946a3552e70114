"""Schedules and keep rules over a sample year agree with the rules themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.documents import rhythm
from engine.documents.model import UTC_ZONE, Cron, Every
from engine.retention.decide import decide
from engine.retention.keep import ALL, Keep
from engine.retention.spans import Span

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CADENCES = (Every(HOUR), Every(3 * HOUR), Every(DAY), Every(2 * DAY), Every(7 * DAY))
LONG_AGO = datetime(1990, 1, 1, tzinfo=UTC)

counts = st.one_of(st.none(), st.integers(0, 4), st.just(ALL))
spans = st.one_of(
    st.none(),
    st.builds(Span, days=st.integers(0, 9), hours=st.integers(0, 30)),
    st.just(Span(years=1)),
)
keeps = st.builds(
    Keep,
    last=counts,
    hourly=counts,
    daily=counts,
    weekly=counts,
    monthly=counts,
    yearly=counts,
    within=spans,
    within_daily=spans,
    within_weekly=spans,
)


@settings(max_examples=40, deadline=None)
@given(keep=keeps, cadence=st.sampled_from(CADENCES), every=st.sampled_from([None, DAY, 7 * DAY]))
def test_survivors_are_what_the_rules_keep_when_the_next_point_comes(
    keep: Keep, cadence: Every, every: timedelta | None
) -> None:
    if keep.is_empty:
        return
    times = rhythm.slots(cadence, every)
    kept = 0
    for older, newer in pairwise(times):
        staying = {each.time for each in decide([newer, older, LONG_AGO], keep, UTC_ZONE).keep}
        kept += older in staying
    assert rhythm.survivors(keep, cadence, every) == (kept, len(times) - 1)


@settings(max_examples=40, deadline=None)
@given(
    keep=keeps,
    cadence=st.sampled_from(CADENCES),
    rpo=st.builds(timedelta, hours=st.integers(1, 24 * 14)),
)
def test_a_keep_reaches_the_rpo_if_its_oldest_point_does(
    keep: Keep, cadence: Every, rpo: timedelta
) -> None:
    times = rhythm.slots(cadence)
    oldest = decide(times, keep, UTC_ZONE).keep[-1].time
    age = times[-1] - oldest + cadence.period
    assert rhythm.reaches(keep, cadence, rpo) == (age >= rpo or oldest == times[0])


def test_slots_of_a_year_are_as_many_as_it_has() -> None:
    assert len(rhythm.slots(Every(DAY))) == 367
    assert len(rhythm.slots(Every(7 * DAY))) == 53
    assert len(rhythm.slots(Every(HOUR))) == rhythm.MAX_SLOTS


def test_whole_days_count_from_the_first_monday_of_1970() -> None:
    monday = datetime(1970, 1, 5, tzinfo=UTC)
    for days in (2, 3, 7, 10):
        first = rhythm.slots(Every(days * DAY))[0]
        assert (first - monday) % (days * DAY) == timedelta()


def test_a_copy_rule_takes_the_first_slot_of_each_period() -> None:
    assert rhythm.slots(Every(HOUR), DAY)[1] == rhythm.FIRST + DAY
    assert rhythm.slots(Every(HOUR), 6 * HOUR)[:2] == (rhythm.FIRST, rhythm.FIRST + 6 * HOUR)
    assert len(rhythm.slots(Every(DAY), 7 * DAY)) == 53


@pytest.mark.parametrize(
    ("cadence", "gap"),
    [
        (Every(3 * HOUR), 3 * HOUR),
        (Cron("0 2 * * *"), DAY),
        (Cron("0 2 * * 1-5"), 3 * DAY),
        (Cron("0 9,17 * * *"), 16 * HOUR),
        (Cron("0 0 29 2 *"), timedelta(days=1461)),
    ],
)
def test_the_longest_gap_is_that_between_slots_in_a_row(
    cadence: Every | Cron, gap: timedelta
) -> None:
    assert rhythm.longest_gap(cadence) == gap
