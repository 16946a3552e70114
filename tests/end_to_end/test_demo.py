"""The demo, as `make demo` runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.end_to_end.harness import REPOSITORY, clean_environment

DEMO = REPOSITORY / "docs" / "demo.sh"


def test_the_demo_runs_to_its_end_and_leaves_nothing(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before = lying_about()
    variables = clean_environment(tmp_path) | {"TMPDIR": str(scratch)}
    done = subprocess.run(
        ["bash", str(DEMO)],
        cwd=tmp_path,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(scratch.iterdir()) == []
    assert lying_about() == before
    assert running(scratch) == []
    first, second = done.stdout.split("Nothing to do: what is due exists")
    assert "Plan: 11 to create, 15 to copy, 4 to delete\n" in first
    assert "done: 46, running: 0" in first
    assert "Plan: 11 to create, 15 to copy, 1 to delete (2 stored in full)" in second
    assert "done: 43, running: 0" in second
    assert "\033" not in done.stdout
    assert done.stderr == ""


def test_the_demo_stops_its_lab_when_something_goes_wrong(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    broken = tmp_path / "repository" / "docs" / "demo.sh"
    broken.parent.mkdir(parents=True)
    broken.write_text(DEMO.read_text())
    # A repository without policies: the lab is up by the time they are missed.
    (tmp_path / "repository" / "policies").mkdir()
    variables = clean_environment(tmp_path) | {"TMPDIR": str(scratch)}
    done = subprocess.run(
        ["bash", str(broken)],
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "engine lab up" in done.stdout
    assert list(scratch.iterdir()) == []
    assert running(scratch) == []


def lying_about() -> list[str]:
    """Return what lies where the demo could leave something in the repository."""
    folders = (REPOSITORY / "docs", REPOSITORY / "policies")
    found = [str(path) for folder in folders for path in folder.rglob("*")]
    return sorted([*found, *(str(path) for path in REPOSITORY.glob(".engine"))])


def running(folder: Path) -> list[str]:
    """Return the command lines of processes that work, or worked, in or under a folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            directory = os.readlink(process / "cwd")
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if directory.startswith(str(folder)):
            found.append(words.replace(b"\0", b" ").decode())
    return found
