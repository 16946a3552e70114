"""`engine runs -calibration`: what was foreseen against what was seen, from old journals too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.applying.clock import SystemClock
from engine.applying.state import LocalState
from engine.cli.main import main
from tests.costs.test_history import DETAIL

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(REPOSITORY / "policies", tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def note(repository: Path, run: str, *details: dict[str, object]) -> None:
    journal = LocalState(repository, "acme").journal(run, SystemClock())
    journal.run_started({"plan": "sha256:d", "estate": "acme"})
    for detail in details:
        rest = {key: value for key, value in detail.items() if key not in {"state", "text"}}
        journal.step("copy:1", str(detail["state"]), str(detail["text"]), rest)
    journal.close()


def test_durations_are_compared_with_what_was_foreseen(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note(repository, "run-1", {"state": "done", "text": "of an older engine"}, DETAIL)
    note(repository, "run-2", DETAIL)
    assert main(["runs", "-calibration"]) == 0
    assert capsys.readouterr().out == (
        "base_in_chain (incremental), copy to region: 2 seen, took 1 min\n"
        "  foreseen: 1 min to 10 min; 2 within, 0 faster, 0 slower\n"
    )
    assert main(["runs", "-calibration", "-json", "-limit", "1"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "rule": "base_in_chain",
        "verdict": "incremental",
        "work": "copy_far",
        "count": 1,
        "seen_seconds": [30.0, 60.5],
        "foreseen_seconds": [60.0, 600.0],
        "within": 1,
        "faster": 0,
        "slower": 0,
    }


def test_a_journal_that_saw_nothing_says_so(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note(repository, "run-1", {"state": "done", "text": "of an older engine"})
    assert main(["runs", "-calibration"]) == 0
    assert "no duration was seen yet" in capsys.readouterr().out
    assert main(["runs", "-calibration", "-json"]) == 0
    assert capsys.readouterr().out == ""


def test_a_calibration_is_of_no_single_run(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "run-1", "-calibration"]) == 64
    assert "leave the ID out" in capsys.readouterr().err


def test_what_nothing_was_foreseen_of_is_told_alone(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forecast = {"verdict": "full", "rule": "first_in_chain", "seconds": None, "work": "create"}
    note(repository, "run-1", {**DETAIL, "forecast": forecast})
    assert main(["runs", "-calibration"]) == 0
    assert capsys.readouterr().out == "first_in_chain (full), create: 1 seen, took 1 min\n"
