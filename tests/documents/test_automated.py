"""What a policy says of automated backups: read, merged, checked."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.documents.model import (
    AutomatedTerms,
    Documents,
    Replicating,
    Replication,
    Window,
)
from engine.documents.terms import terms_for
from engine.documents.windows import in_utc, meets_daily, overlap
from tests.documents.writing import ESTATE, codes, documents, load_text, policy

DEFAULTS = "defaults: {automated_backups: {retention_days: 7, replicate_to: {target: local}}}\n"
SNAPSHOTS = (
    'snapshots:\n  schedule: {every: 1d, window: "02:00-05:00"}\n'
    "  retention: {keep: {daily: 7}}\n  copies: [{target: local}]\n"
)


def load(folder: Path, *texts: str) -> Documents:
    result = load_text(folder, documents(*texts))
    assert result.documents is not None, codes(result)
    return result.documents


def automated(folder: Path, more: str, estate: str = ESTATE) -> AutomatedTerms:
    return load(folder, estate, policy(more)).policies["gold"].terms.automated


def test_a_policy_that_says_nothing_leaves_them_as_they_are(tmp_path: Path) -> None:
    assert automated(tmp_path, "") == AutomatedTerms(None, None, Replicating.AS_IT_IS)


def test_all_of_it_is_read(tmp_path: Path) -> None:
    text = (
        'automated_backups: {retention_days: 14, window: "23:30-00:15", '
        "replicate_to: {target: local, retention_days: 3}}\n"
    )
    assert automated(tmp_path, text) == AutomatedTerms(
        14, Window(23 * 60 + 30, 15), Replication("local", 3)
    )


def test_replication_keeps_seven_days_unless_told_otherwise(tmp_path: Path) -> None:
    found = automated(tmp_path, "automated_backups: {replicate_to: {target: local}}\n")
    assert found.replicate_to == Replication("local", 7)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{retention_days: 3}", AutomatedTerms(3, None, Replication("local", 7))),
        ("{replicate_to: none}", AutomatedTerms(7, None, Replicating.NONE)),
        ("{replicate_to: null}", AutomatedTerms(7, None, Replicating.AS_IT_IS)),
        ("null", AutomatedTerms()),
    ],
)
def test_null_takes_defaults_away_and_stops_nothing(
    tmp_path: Path, written: str, expected: AutomatedTerms
) -> None:
    found = automated(tmp_path, f"automated_backups: {written}\n", ESTATE + DEFAULTS)
    assert found == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{retention_days: 0, replicate_to: none}", AutomatedTerms(0, None, Replicating.NONE)),
        ("{replicate_to: null}", AutomatedTerms(7, None, Replicating.AS_IT_IS)),
        ("null", AutomatedTerms()),
    ],
)
def test_an_override_changes_what_it_names(
    tmp_path: Path, written: str, expected: AutomatedTerms
) -> None:
    more = f"overrides: [{{select: {{identifiers: [a]}}, automated_backups: {written}}}]\n"
    gold = load(tmp_path, ESTATE + DEFAULTS, policy(more)).policies["gold"]
    assert terms_for(gold, (0,)).automated == expected
    assert gold.terms.automated.retention_days == 7


def told(folder: Path, more: str) -> list[str]:
    return [one.split()[1] for one in codes(load_text(folder, documents(ESTATE, policy(more))))]


def test_turned_off_and_replicated_is_a_contradiction(tmp_path: Path) -> None:
    text = "automated_backups: {retention_days: 0, replicate_to: {target: local}}\n"
    assert "E216" in told(tmp_path, text)
    assert "E216" not in told(tmp_path, text.replace("{target: local}", "none"))


@pytest.mark.parametrize(
    ("window", "zone", "meets"),
    [
        ("05:00-05:30", "UTC", False),
        ("04:30-05:30", "UTC", True),
        # 02:00-05:00 in Berlin is 01:00-04:00 UTC in winter and 00:00-03:00 in summer.
        ("03:30-04:00", "Europe/Berlin", True),
        ("00:00-00:30", "Europe/Berlin", True),
        ("23:00-00:00", "Europe/Berlin", False),
        ("04:00-04:30", "Europe/Berlin", False),
    ],
)
def test_a_window_in_utc_is_held_against_local_ones_in_every_season(
    tmp_path: Path, window: str, zone: str, meets: bool
) -> None:
    text = f'timezone: {zone}\nautomated_backups: {{window: "{window}"}}\n{SNAPSHOTS}'
    assert ("W238" in told(tmp_path, text)) is meets


def test_a_target_that_no_database_of_the_policy_can_reach_is_warned_of(tmp_path: Path) -> None:
    text = "automated_backups: {replicate_to: {target: local}}\n"
    other = documents(ESTATE, policy(text).replace('identifiers: ["*"]', "accounts: [prod]"))
    assert any(" W239" in one for one in codes(load_text(tmp_path, other)))
    own = other.replace("accounts: [prod]", "accounts: [vault]")
    assert not any(" W239" in one for one in codes(load_text(tmp_path, own)))


def test_a_window_has_as_many_forms_as_its_zone_has_offsets() -> None:
    night = Window(120, 300)
    assert in_utc(night, ZoneInfo("UTC")) == (night,)
    assert in_utc(night, ZoneInfo("Europe/Berlin")) == (Window(60, 240), Window(0, 180))
    assert in_utc(night, ZoneInfo("Asia/Kolkata")) == (Window(1230, 1410),)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (Window(0, 30), Window(30, 60), False),
        (Window(0, 31), Window(30, 60), True),
        (Window(1410, 30), Window(0, 60), True),
        (Window(1410, 30), Window(30, 60), False),
        (Window(60, 120), Window(1430, 70), True),
        (Window(0, 1439), Window(700, 730), True),
    ],
)
def test_windows_overlap_also_around_midnight(one: Window, other: Window, together: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is together
    assert meets_daily(one, other, ZoneInfo("UTC")) is together
