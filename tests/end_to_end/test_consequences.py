"""What docs/consequences.md shows is what comes out, and the action of a pull request does it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documents.test_git import Repository
from tests.end_to_end.harness import REPOSITORY, clean_environment, run_program

EXAMPLE = REPOSITORY / "docs" / "examples" / "consequences"
PAGE = (REPOSITORY / "docs" / "consequences.md").read_text()
GH = """\
#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in *--paginate*) cat "$KNOWN";; esac
exit "${GH_CODE:-0}"
"""


def compared(tmp_path: Path, *words: str) -> str:
    shown = "docs/examples/consequences"
    folder = tmp_path / shown
    shutil.copytree(EXAMPLE, folder)
    sides = (f"{shown}/after", "-against", f"{shown}/before", "-inventory", f"{shown}/inventory")
    environment = clean_environment(tmp_path)
    return run_program("engine", ("plan", *sides, *words), tmp_path, environment).insist().out


def test_the_page_shows_what_comes_out(tmp_path: Path) -> None:
    compared(tmp_path, "-markdown", "review.md")
    report = (tmp_path / "review.md").read_text()
    before_steps = report[report.index("> Against") : report.index("<details>")]
    rows = [row for row in before_steps.splitlines() if row and "recording" not in row]
    assert len(rows) > 15
    for row in rows:
        assert row in PAGE


def test_from_35_to_14_days_shows_the_points_that_go_and_how_far_back_is_left(
    tmp_path: Path,
) -> None:
    found: Any = json.loads(compared(tmp_path, "-json"))["consequences"]
    places = {(one["source"]["identifier"], one["location"]["account"]) for one in found["reach"]}
    assert places == {(d, a) for d in ("billing", "orders-1") for a in ("111111111111", "2" * 12)}
    for one in found["reach"]:
        assert (one["oldest_before"][:10], one["oldest_after"][:10]) == ("2026-10-18", "2026-11-08")
        after = [point["after"] for point in one["points"]]
        assert (after.count("withheld"), after.count("later")) == (22, 13)
    assert found["chains"] == found["protection"] == []


@pytest.fixture
def checkout(tmp_path: Path) -> Repository:
    """A pull request that shortens retention, with a base branch that is fetched."""
    made = Repository(tmp_path / "repo")
    shutil.copytree(EXAMPLE / "before", made.top / "policies")
    shutil.copytree(EXAMPLE / "inventory", made.top / "inventory")
    made.commit()
    made.git("update-ref", "refs/remotes/origin/main", "HEAD")
    shutil.copytree(EXAMPLE / "after", made.top / "policies", dirs_exist_ok=True)
    made.commit()
    return made


def steps() -> dict[str, dict[str, Any]]:
    action = yaml.safe_load((REPOSITORY / "action.yml").read_text())
    return {step["name"]: step for step in action["runs"]["steps"] if "run" in step}


def run_step(name: str, checkout: Repository, **values: str) -> str:
    """Run a step of the action as GitHub does, `gh` being a stand-in that writes down calls."""
    scratch = checkout.top.parent
    tools = scratch / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    (scratch / "known").touch()
    environment = clean_environment(scratch) | {
        "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "POLICIES": "policies",
        "INVENTORY": "inventory",
        "RUNNER_TEMP": str(scratch),
        "GITHUB_STEP_SUMMARY": str(scratch / "summary.md"),
        "CALLS": str(scratch / "calls"),
        "KNOWN": str(scratch / "known"),
        "COMMENTS": "repos/o/r/issues/7/comments",
        "ONE": "repos/o/r/issues/comments",
        **values,
    }
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps()[name]["run"]],
        cwd=checkout.top, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_action_compares_with_the_base_branch_and_comments(checkout: Repository) -> None:
    assert "nothing wrong" in run_step("Validate", checkout)
    run_step("Plan", checkout, AGAINST="", BASE="main")
    summary = (checkout.top.parent / "summary.md").read_text()
    assert "Against origin/main (" in summary
    assert "136 points to go earlier" in summary
    run_step("Comment", checkout)
    (checkout.top.parent / "known").write_text("42\n")
    run_step("Comment", checkout)
    calls = (checkout.top.parent / "calls").read_text().splitlines()
    report = checkout.top.parent / "engine-review.md"
    assert calls[1] == f"api --silent repos/o/r/issues/7/comments -F body=@{report}"
    assert calls[3] == f"api --silent -X PATCH repos/o/r/issues/comments/42 -F body=@{report}"


def test_the_action_plans_where_there_is_nothing_to_compare_with(checkout: Repository) -> None:
    run_step("Plan", checkout, AGAINST="", BASE="nothing")
    assert "Against" not in (checkout.top.parent / "summary.md").read_text()
    run_step("Plan", checkout, AGAINST="HEAD~1", BASE="")
    assert "Against HEAD\\~1 (" in (checkout.top.parent / "summary.md").read_text()


def test_a_comment_that_is_refused_is_a_warning(checkout: Repository) -> None:
    run_step("Plan", checkout, AGAINST="", BASE="main")
    assert "::warning::" in run_step("Comment", checkout, GH_CODE="1")
