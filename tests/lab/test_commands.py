"""What `engine lab` does, as functions."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest

from engine.lab import commands
from engine.lab.errors import LabError
from engine.lab.estates import PROD

START = datetime(2026, 11, 21, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory with a lab of the small estate, standing still."""
    directory = tmp_path_factory.mktemp("home")
    seed = commands.named_seed("small")
    commands.up(commands.Start(seed=seed, speed=0, at=START), directory)
    yield directory
    commands.down(directory)


def test_up_prints_exports_that_a_shell_understands(home: Path) -> None:
    lab = commands.running(home)
    assert lab is not None
    shown = subprocess.run(
        ["/bin/sh", "-c", f"{lab.exports()}env"], capture_output=True, text=True, check=True, env={}
    ).stdout
    variables = dict(line.split("=", 1) for line in shown.splitlines())
    client = boto3.client(
        "rds",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )
    [instance] = client.describe_db_instances()["DBInstances"]
    assert instance["DBInstanceIdentifier"] == "orders-1"
    assert instance["DBInstanceArn"].split(":")[4] == PROD


def test_only_one_lab_runs_for_a_directory(home: Path) -> None:
    with pytest.raises(LabError, match="runs already"):
        commands.up(commands.Start(), home)


def test_the_clock_is_read_and_moved(home: Path) -> None:
    before = commands.clock(home)
    assert before.startswith("2026-11-21T02:")
    commands.clock(home, forward=60)
    assert commands.clock(home, to=START.replace(hour=5)) == "2026-11-21T05:00:00Z"
    assert commands.clock(home) == "2026-11-21T05:00:00Z"


def test_calls_and_truth_are_told(home: Path) -> None:
    commands.calls(home, forget=True)
    assert commands.calls(home) == []
    assert isinstance(commands.truth(home), list)


def test_a_seed_is_an_estate_or_a_file(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    path.write_text('{"accounts": {"more": {"id": "444444444444"}}}', encoding="utf-8")
    assert commands.seed(str(path), home)["accounts"] == 1
    with pytest.raises(LabError, match="small"):
        commands.seed("nothing", home)


def test_acme_is_planted_while_the_clock_runs(tmp_path: Path) -> None:
    commands.up(commands.Start(speed=1000.0, at=START), tmp_path)
    try:
        assert commands.seed("acme", tmp_path)["snapshots"] > 400
    finally:
        commands.down(tmp_path)


def test_without_a_lab_commands_say_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert commands.running(tmp_path) is None
    assert commands.down(tmp_path) is False
    with pytest.raises(LabError, match="engine lab up"):
        commands.clock(tmp_path)


def test_a_lab_is_found_by_endpoint_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = commands.running(home)
    assert lab is not None
    monkeypatch.setenv("AWS_ENDPOINT_URL", lab.endpoint)
    assert commands.clock(tmp_path) == commands.clock(home)


def test_a_state_file_of_a_dead_lab_is_no_lab(tmp_path: Path) -> None:
    state = tmp_path / commands.STATE
    state.parent.mkdir()
    document = {"pid": os.getpid(), "endpoint": "http://127.0.0.1:9", "account": "1", "region": "r"}
    state.write_text(json.dumps(document), encoding="utf-8")
    assert commands.running(tmp_path) is None
    state.write_text("[]", encoding="utf-8")
    with pytest.raises(LabError, match="does not name a lab"):
        commands.running(tmp_path)


def test_down_stops_the_lab(tmp_path: Path) -> None:
    lab = commands.up(commands.Start(), tmp_path)
    assert commands.down(tmp_path) is True
    with pytest.raises(LabError, match="no lab answers"):
        lab.client.about()
    assert commands.running(tmp_path) is None
