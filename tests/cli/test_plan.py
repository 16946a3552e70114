"""`engine plan` over recordings: exit codes, files, the same inputs the same bytes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from engine.cli.main import main
from engine.errors import ExitCode
from tests.benchmarks.recordings import DAY, TODAY, record

AT = "2026-11-21T02:10:00Z"


@pytest.fixture(scope="module")
def due(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of twenty databases whose points of today are due."""
    folder = tmp_path_factory.mktemp("due")
    record(folder, 20, TODAY - DAY)
    return folder


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in which nothing is due."""
    folder = tmp_path_factory.mktemp("settled")
    record(folder, 20, TODAY)
    return folder


def plan(folder: Path, *words: str) -> int:
    where = [str(folder / "policies"), "-inventory", str(folder / "inventory")]
    return main(["plan", *where, *words])


def test_changes_exit_2_only_with_detailed_exitcode(due: Path, settled: Path) -> None:
    assert plan(due) == ExitCode.OK
    assert plan(due, "-detailed-exitcode") == ExitCode.CHANGES
    assert plan(settled, "-detailed-exitcode") == ExitCode.OK


def test_a_withheld_step_exits_4_with_detailed_exitcode(due: Path, tmp_path: Path) -> None:
    policies = tmp_path / "policies.yaml"
    text = (due / "policies" / "bench.yaml").read_text()
    tight = text.replace("{daily: 5, weekly: 4}", "{last: 1}").replace(
        "targets:", "guards: {max_deletes: {count: 0, percent: 100}}\ntargets:", 1
    )
    policies.write_text(tight)
    where = [str(policies), "-inventory", str(due / "inventory")]
    assert main(["plan", *where]) == ExitCode.OK
    assert main(["plan", *where, "-detailed-exitcode"]) == ExitCode.WITHHELD


def test_a_location_that_was_not_read_exits_3(
    due: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policies = tmp_path / "policies.yaml"
    text = (due / "policies" / "bench.yaml").read_text()
    policies.write_text(text.replace("accounts:\n", 'accounts:\n  x: {id: "999999999999"}\n', 1))
    words = [str(policies), "-inventory", str(due / "inventory")]
    assert main(["plan", *words]) == ExitCode.PARTIAL
    assert "999999999999/eu-west-1" in capsys.readouterr().out


def test_the_same_inputs_give_the_same_bytes(
    due: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    outs = [tmp_path / "one", tmp_path / "two"]
    printed = []
    for out in outs:
        plan(due, "-json", "-out", str(out))
        printed.append(capfdbinary.readouterr().out)
    assert printed[0] == printed[1] == outs[0].read_bytes() == outs[1].read_bytes()


def test_now_is_when_the_recording_was_taken_unless_told_otherwise(
    due: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plan(due, "-json")
    assert json.loads(capfd.readouterr().out)["as_of"] == AT
    plan(due, "-json", "-at", "2026-11-22T04:10:00+02:00")
    assert json.loads(capfd.readouterr().out)["as_of"] == "2026-11-22T02:10:00Z"


@pytest.mark.parametrize("text", ["yesterday", "2026-11-21", "2026-11-21T02:10:00", ""])
def test_a_time_without_an_offset_is_wrong_usage(
    due: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = plan(due, "-at", text)
    if text == "":
        assert code == ExitCode.OK
    else:
        assert code == ExitCode.USAGE
        assert "2026-11-21T02:10:00Z" in capsys.readouterr().err


def test_only_and_exclude_pick_sources_by_address(
    due: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    plan(due, "-json", "-only", "prod0/*/*", "-exclude", "*/eu-central-1/*")
    document = json.loads(capfd.readouterr().out)
    addresses = {
        "/".join(step["source"][key] for key in ("account", "region", "identifier"))
        for step in document["steps"]
    }
    assert addresses == {"111111111100/eu-west-1/orders-00000"}


def test_a_plan_is_saved_whole_and_shown_again(
    due: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, review, page = (tmp_path / name for name in ("night.plan", "review.md", "night.html"))
    plan(due, "-out", str(saved), "-markdown", str(review), "-html", str(page))
    shown = capsys.readouterr().out
    assert shown.endswith(f"Saved to {saved}.\n"), "a plan from a recording is never applied"
    assert main(["show", str(saved)]) == ExitCode.OK
    assert capsys.readouterr().out.splitlines()[0] == shown.splitlines()[0]
    assert "### Plan: 20 to create, 20 to copy, 20 to delete" in review.read_text()
    assert "Deletes: 20 snapshots" in page.read_text()


def test_a_plan_takes_its_time_from_the_clock_where_nobody_recorded_one(
    settled: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    inventory = settled / "inventory" / "inventory.json"
    kept = inventory.read_text()
    try:
        inventory.unlink()
        plan(settled, "-json")
    finally:
        inventory.write_text(kept)
    as_of = datetime.fromisoformat(json.loads(capfd.readouterr().out)["as_of"])
    assert as_of > TODAY - 365 * DAY
