"""The day on which what is made is there latest after its slot."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from engine.documents.scene import Happening
from engine.reports.screen import Screen
from engine.reports.simulation_report import simulation_as_text
from engine.simulation.json_form import dump
from engine.simulation.settings import Method, Settings
from tests.simulation.playing import event, play, policy

HOUR = timedelta(hours=1)
SLOW = event(2.9, Happening.MISS_RUNS, source="", lasts=9 * HOUR)


@pytest.mark.parametrize("method", Method)
def test_the_worst_day_is_the_one_whose_last_copy_is_there_latest(
    method: Method, tmp_path: Path
) -> None:
    played = play(tmp_path, policy(), events=[SLOW], settings=Settings(method=method))
    assert played.summary.worst_day == date(2026, 11, 19)
    latest = max(entry.lasting for entry in played.timeline())
    assert played.summary.days[date(2026, 11, 19)].longest == latest
    others = [one.longest for day, one in played.summary.days.items() if day.day != 19]
    assert max(others) < latest
    text = " ".join(simulation_as_text(played, Screen()).split())
    told = "The worst day is 2026-11-19: 1 made, 1 copied, the last of them there"
    assert f"{told} {latest / HOUR:.1f} h after its slot." in text
    assert b'"worst_day":{"day":"2026-11-19","created":1,"copied":1,' in b"".join(dump(played))


def test_of_days_alike_the_first_is_told(tmp_path: Path) -> None:
    assert play(tmp_path, policy()).summary.worst_day == date(2026, 11, 16)


def test_without_a_point_no_day_is_worst(tmp_path: Path) -> None:
    nothing = policy().replace('  schedule: {every: 1d, window: "02:00-05:00"}\n', "")
    played = play(tmp_path, nothing)
    assert played.summary.worst_day is None
    assert b'"worst_day":null' in b"".join(dump(played))
    assert "worst day" not in simulation_as_text(played, Screen())
