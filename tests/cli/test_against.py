"""`engine plan -against`: a folder or a git ref, and what is told where it cannot be used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ExitCode
from tests.cli.running import Ran, run
from tests.documents.test_git import Repository
from tests.end_to_end.harness import REPOSITORY

RECORDING = str(REPOSITORY / "tests" / "recordings" / "acme")
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """The example repository under git, with a shorter retention that is not committed."""
    made = Repository(tmp_path / "repo")
    shutil.copytree(REPOSITORY / "policies", made.top / "policies")
    made.commit()
    estate = made.top / "policies" / "estate.yaml"
    estate.write_text(estate.read_text().replace("daily: 7, weekly: 4", "daily: 3, weekly: 1"))
    monkeypatch.chdir(made.top)
    return made


def plan(capfd: Capture, *words: str) -> Ran:
    return run(capfd, "plan", "-inventory", RECORDING, *words)


def told(ran: Ran) -> Any:
    assert ran.code == ExitCode.OK
    return json.loads(ran.out)["consequences"]


def test_a_ref_and_a_folder_tell_the_same(repository: Repository, capfd: Capture) -> None:
    commit = repository.git("rev-parse", "HEAD")
    by_ref = told(plan(capfd, "-against", "main", "-json"))
    assert (by_ref["against"], by_ref["commit"]) == ("main", commit)
    repository.git("worktree", "add", "-q", "--detach", "../before", "main")
    by_folder = told(plan(capfd, "-against", "../before/policies", "-json"))
    assert (by_folder["against"], by_folder["commit"]) == ("../before/policies", None)
    same = {"against", "commit"}
    assert {k: v for k, v in by_ref.items() if k not in same} == {
        k: v for k, v in by_folder.items() if k not in same
    }
    assert [edit["policy"] for edit in by_ref["edits"]] == ["bronze", "rest"]
    assert {one["source"]["identifier"] for one in by_ref["reach"]} == {"warehouse-1", "wiki-1"}


def test_nothing_else_of_the_plan_is_changed_by_a_comparison(
    repository: Repository, capfd: Capture
) -> None:
    alone = json.loads(plan(capfd, "-json").out)
    beside = json.loads(plan(capfd, "-json", "-against", "main").out)
    assert alone["consequences"] is None
    different = {key for key in alone if alone[key] != beside[key]}
    assert different == {"consequences", "seal"}
    for words in ((), ("-against", "main")):
        assert plan(capfd, "-detailed-exitcode", *words).code == ExitCode.CHANGES


def test_a_saved_plan_shows_what_it_was_compared_with(
    repository: Repository, capfd: Capture
) -> None:
    shown = plan(capfd, "-against", "main", "-out", "p.bin", "-markdown", "p.md").out
    assert "Against main (" in shown
    assert "14 points to go earlier" in run(capfd, "show", "p.bin").out
    assert "| **rest** in `111111111111/eu-west-1` |" in Path("p.md").read_text()


def test_old_documents_with_errors_are_told_beside_the_plan(
    repository: Repository, capfd: Capture
) -> None:
    gold = repository.top / "policies" / "gold.yaml"
    whole = gold.read_text()
    gold.write_text(whole.replace("retention:", "retntion:", 1))
    repository.commit()
    gold.write_text(whole)
    ran = plan(capfd, "-against", "main")
    assert ran.code == ExitCode.OK
    assert "Against main" in ran.out
    assert "main:policies/gold.yaml:12:" in ran.out
    assert "did you mean `retention`?" in ran.out
    assert "6 to create" in ran.out
    changed = told(plan(capfd, "-against", "main", "-json"))
    assert changed["policies_digest"] is None
    assert len(changed["problems"]) == 1


def test_an_environment_variable_stands_for_it(
    repository: Repository, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_AGAINST", "main")
    assert told(plan(capfd, "-json"))["against"] == "main"


@pytest.mark.parametrize("ref", ["", "-x"])
def test_what_can_be_neither_is_wrong_usage(
    repository: Repository, capfd: Capture, ref: str
) -> None:
    ran = plan(capfd, f"-against={ref}")
    assert ran.code == ExitCode.USAGE
    assert "-against origin/main" in ran.err


def test_a_name_of_both_is_wrong_usage_until_it_says_which(
    repository: Repository, capfd: Capture
) -> None:
    shutil.copytree("policies", "main")
    ran = plan(capfd, "-against", "main")
    assert ran.code == ExitCode.USAGE
    assert "write ./main for the folder, refs/heads/main for a branch" in ran.err
    assert told(plan(capfd, "-against", "./main", "-json"))["edits"] == []
    assert told(plan(capfd, "-against", "refs/heads/main", "-json"))["edits"] != []


def test_a_ref_that_is_not_there_ends_the_command_before_anything_is_read(
    repository: Repository, capfd: Capture
) -> None:
    ran = run(capfd, "plan", "-inventory", "no-such-folder", "-against", "nothing")
    assert ran.code == ExitCode.ERROR
    assert "git knows no commit nothing" in ran.err
