"""Every code has words, and numbers read as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest

from engine.plans.codes import (
    PROTECTIONS,
    Action,
    Guard,
    StepReason,
    UnmanagedReason,
    Verdict,
    Waiting,
)
from engine.reports import folding, wording

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        (wording.VERBS, Action),
        (wording.STEP_REASONS, StepReason),
        (wording.UNMANAGED, UnmanagedReason),
        (wording.WAITING, Waiting),
        (wording.GUARDS, Guard),
        (wording.VERDICTS, Verdict),
        (dict.fromkeys(folding._ORDER), Action),
    ],
    ids=["verbs", "step reasons", "unmanaged", "waiting", "guards", "verdicts", "order"],
)
def test_every_code_has_words(words: dict[StrEnum, str], codes: type[StrEnum]) -> None:
    assert set(words) == set(codes)


def test_every_protection_has_words() -> None:
    assert set(wording.PROTECTED) == PROTECTIONS


def test_numbers_agree_with_their_nouns() -> None:
    assert wording.count(1, "snapshot") == "1 snapshot"
    assert wording.count(0, "snapshot") == "0 snapshots"
    assert wording.count(12_345, "copy", "copies") == "12,345 copies"


def test_times_are_told_in_utc() -> None:
    assert wording.moment(NOON.astimezone(timezone(timedelta(hours=5)))) == "2026-11-21 12:00Z"


def test_several_slots_are_told_by_the_oldest_and_the_newest() -> None:
    day = timedelta(days=1)
    assert wording.span_of([]) == "no slot"
    assert wording.span_of([NOON, NOON]) == "2026-11-21 12:00Z"
    assert wording.span_of([NOON, NOON - day, NOON + day]) == (
        "2026-11-20 12:00Z – 2026-11-22 12:00Z"
    )


def test_sizes_are_told_as_a_range() -> None:
    assert wording.size((0, 500)) == "up to 500 GiB"
    assert wording.size((20, 1500)) == "20 – 1,500 GiB"
    assert wording.size((500, 500)) == "500 GiB"
