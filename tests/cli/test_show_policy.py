"""`engine show policy`: what holds for it, and the file and line that say so."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cli import show_policy
from tests.cli.running import run
from tests.documents.writing import ESTATE, policy

Capture = pytest.CaptureFixture[str]

DEFAULTS = """\
defaults:
  timezone: Europe/Berlin
  snapshots:
    schedule: {every: 1d, window: "02:00-05:00"}
    tags: {a: x, b: "1"}
    incremental: ignore
  hold: everything
"""
GOLD = """\
snapshots:
  incremental: null
  tags:
    b: "true"
  retention: {keep: {daily: 7, within: 36h}}
  copies:
    - {target: local, backfill: all}
objectives: {rpo: 26h}
hold: null
overrides:
  - select: {identifiers: ["a b", "*"]}
    snapshots: {schedule: null}
  - select: {tags: {"x": [y]}}
    hold: "case: 17"
"""


@pytest.fixture
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "estate.yaml").write_text(ESTATE + DEFAULTS)
    (tmp_path / "policies" / "gold.yaml").write_text(policy(GOLD))
    (tmp_path / "policies" / "bare.yaml").write_text(policy("snapshots: null\n", "bare"))
    monkeypatch.chdir(tmp_path)


pytestmark = pytest.mark.usefixtures("_repository")


@pytest.mark.parametrize("name", ["gold", "bare"])
def test_each_field_is_shown_with_the_line_that_set_it(
    name: str, capfd: Capture, golden: Callable[[str, str], None]
) -> None:
    ran = run(capfd, "show", "policy", name)
    assert (ran.code, ran.err) == (0, "")
    golden(f"policy-{name}.txt", ran.out)


def test_as_json_the_same_is_told(capfd: Capture, golden: Callable[[str, str], None]) -> None:
    ran = run(capfd, "show", "policy", "gold", "-format", "json")
    told = json.loads(ran.out)
    places = {field["path"]: field["set_at"] for field in told["fields"]}
    assert places["timezone"] == "policies/estate.yaml:11"
    assert places["snapshots.tags.a"] == "policies/estate.yaml:14"
    assert places["snapshots.tags.b"] == "policies/gold.yaml:8"
    assert places["snapshots.incremental"] is None
    assert "hold" not in places
    assert [len(override["fields"]) for override in told["overrides"]] == [2, 2]
    golden("policy-gold.json", ran.out)


def test_an_unknown_policy_is_told_with_the_nearest_name(capfd: Capture) -> None:
    ran = run(capfd, "show", "policy", "glod")
    assert ran.code == 1
    assert "there is no policy 'glod'" in ran.err
    assert "did you mean `gold`?" in ran.err
    assert "the policies are bare, gold" in run(capfd, "show", "policy", "zzz").err


def test_errors_in_the_documents_are_told_instead(capfd: Capture) -> None:
    Path("policies/gold.yaml").write_text(policy("retenton: 7\n"))
    ran = run(capfd, "show", "policy", "gold")
    assert (ran.code, ran.out) == (1, "")
    assert "policies/gold.yaml:5:1: error E101 unknown-key" in ran.err


def test_its_arguments_can_be_declared_by_themselves(capfd: Capture) -> None:
    parser = argparse.ArgumentParser()
    show_policy.add_arguments(parser)
    args = parser.parse_args(["gold", "-policies", "policies"])
    assert show_policy.run(args) == 0
    assert capfd.readouterr().out.startswith("policy gold ")
