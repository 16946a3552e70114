"""`engine drift` against a scripted AWS that refuses a part of what it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ExitCode
from tests.aws import scripted_aws as scripted
from tests.aws.scripted_aws import Asked, Reply, ScriptedAws, aws
from tests.cli.running import Ran, run
from tests.inventory.test_live import answer_everything, page, snapshot_xml

__all__ = ["aws"]

ESTATE = """\
version: 1
kind: estate
name: acme
accounts:
  prod: {id: "111111111111", regions: [eu-west-1]}
---
version: 1
kind: policy
name: gold
select: {identifiers: ["*"]}
snapshots:
  retention: {keep: {daily: 7}}
"""
Capture = pytest.CaptureFixture[str]


def but_for_shares(asked: Asked) -> Reply:
    if asked.parameters.get("SnapshotType") == "shared":
        return scripted.error("AccessDenied", "no", 403)
    return page(snapshot_xml("a"), "DBSnapshots")


def drift(capfd: Capture, folder: Path, *words: str) -> Ran:
    path = folder / "estate.yaml"
    path.write_text(ESTATE)
    return run(capfd, "drift", str(path), "-at", "2026-11-21T02:10:00Z", *words)


def test_shares_that_could_not_be_read_make_it_exit_3(
    aws: ScriptedAws, capfd: Capture, tmp_path: Path
) -> None:
    answer_everything(aws)
    assert drift(capfd, tmp_path).code == ExitCode.OK
    aws.on("DescribeDBSnapshots", but_for_shares)
    ran = drift(capfd, tmp_path)
    assert ran.code == ExitCode.PARTIAL
    assert ran.out.startswith("No drift: what could be read is as the engine left it.")
    assert "what others share with it is not known: AccessDenied" in ran.err
    assert drift(capfd, tmp_path, "-shares", "none").code == ExitCode.OK
