"""The figures of the AWS Database Blog, Optimize Amazon RDS Multi-AZ backups with incremental
snapshots, told beforehand: seven days, a failover and a failback.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from engine.documents.scene import Happening
from engine.planning import plan as planning
from engine.planning import protecting
from engine.simulation import outcomes
from engine.simulation.settings import Pace, Settings
from engine.simulation.timeline import Simulation
from tests.cli.running import run
from tests.simulation.playing import ESTATE, FLEET, PROD, VAULT, event, made, play, policy

SEVEN_LINES = """\
version: 1
kind: events
events:
- at: 2026-11-18T01:00Z
  fail_over: prod/eu-west-1/orders-1
- at: 2026-11-20T01:00Z
  fail_over: prod/eu-west-1/orders-1
"""
MOVES = (event(2 - 1 / 24, Happening.FAIL_OVER), event(4 - 1 / 24, Happening.FAIL_OVER))
NAIVE = policy(keep="{last: 2}")
DAYS = range(1, 8)


def full_on(*days: int) -> dict[int, str]:
    return {day: "full" if day in days else "incremental" for day in DAYS}


@pytest.mark.parametrize("keep", ["{daily: 14}", "{last: 2}"])
@pytest.mark.parametrize("pace", list(Pace))
def test_the_first_point_and_the_one_after_the_failover_are_full(
    tmp_path: Path, keep: str, pace: Pace
) -> None:
    told = play(tmp_path, policy(keep=keep), events=MOVES, settings=Settings(pace=pace))
    assert made(told, PROD) == full_on(1, 3)
    assert made(told, VAULT) == full_on(1, 3) | {5: "likely_incremental"}


def test_without_protection_the_points_after_the_failback_are_full_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = unprotected(tmp_path, monkeypatch)
    assert made(told, PROD) == full_on(1, 3, 5)
    assert made(told, VAULT) == full_on(1, 3, 5)


def unprotected(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Simulation:
    """Play the naive retention with a planner that protects no base, and nobody to object."""
    left = tuple(one for one in protecting._PROTECTIONS if one is not protecting._chain_base)
    monkeypatch.setattr(protecting, "_PROTECTIONS", left)
    for module in (planning, outcomes):
        monkeypatch.setattr(module, "verify", lambda *_: ())
    return play(folder, NAIVE, events=MOVES)


def test_the_command_tells_it_with_an_event_file_of_seven_lines(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert len(SEVEN_LINES.splitlines()) == 7
    for name, text in (("estate", ESTATE), ("gold", NAIVE)):
        (tmp_path / "policies").mkdir(exist_ok=True)
        (tmp_path / "policies" / f"{name}.yaml").write_text(text)
    (tmp_path / "fleet.yaml").write_text(FLEET)
    (tmp_path / "events.yaml").write_text(SEVEN_LINES)
    words = ("simulate", str(tmp_path / "policies"), "-days", "7", "-at", "2026-11-16T02:05:00Z")
    files = ("-fleet", str(tmp_path / "fleet.yaml"), "-events", str(tmp_path / "events.yaml"))
    ran = run(capfd, *words, *files, "-json")
    assert ran.code == 0, ran.err
    timeline = json.loads(ran.out)["timeline"]
    for action, disputed in (
        ("create_snapshot", "incremental"),
        ("copy_snapshot", "likely_incremental"),
    ):
        verdicts = [one["forecast"]["verdict"] for one in timeline if one["action"] == action]
        assert verdicts == list((full_on(1, 3) | {5: disputed}).values())
    ran = run(capfd, *words, *files)
    assert "7 snapshots made, 7 copied, 8 deleted" in ran.out
    assert "stored in full: no snapshot of this database from euw1-az1" in ran.out


def test_the_newest_point_is_never_older_than_a_day_and_what_a_snapshot_takes(
    tmp_path: Path,
) -> None:
    told = play(tmp_path, NAIVE, events=MOVES)
    assert set(told.summary.worst_rpo.values()) == {timedelta(days=1, minutes=5)}
