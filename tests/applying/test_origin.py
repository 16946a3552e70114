from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from engine.applying.origin import _CI_COMMITS, Origin, origin_of


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in _CI_COMMITS:
        monkeypatch.delenv(name, raising=False)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    # What stands above the folder must not count.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.yaml").write_text("version: 1\n")
    return tmp_path


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=ana", "-c", "user.email=ana@example.com")
    done = subprocess.run(
        ["git", *who, "-C", str(folder), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def committed(folder: Path) -> str:
    git(folder, "init", "-q")
    git(folder, "add", "policies")
    git(folder, "commit", "-q", "-m", "policies")
    return git(folder, "rev-parse", "HEAD")


def test_the_commit_is_that_of_the_folder_of_the_documents(checkout: Path) -> None:
    commit = committed(checkout)
    assert origin_of([checkout / "policies"]) == Origin(commit, is_changed=False)
    assert origin_of([checkout / "policies" / "all.yaml"]) == Origin(commit, is_changed=False)


def test_documents_that_differ_from_their_commit_are_told(checkout: Path) -> None:
    commit = committed(checkout)
    (checkout / "notes").write_text("not a document")
    assert origin_of([checkout / "policies"]) == Origin(commit, is_changed=False)
    (checkout / "policies" / "new.yaml").write_text("version: 1\n")
    assert origin_of([checkout / "policies"]) == Origin(commit, is_changed=True)


def test_without_a_repository_the_ci_service_is_asked(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert origin_of([checkout / "policies"]) == Origin()
    monkeypatch.setenv("CI_COMMIT_SHA", "f00")
    assert origin_of([checkout / "policies"]) == Origin("f00")
    commit = committed(checkout)
    assert origin_of([checkout / "policies"]).commit == commit


def test_without_git_there_is_no_commit_and_no_error(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(checkout)
    monkeypatch.setenv("PATH", str(checkout))
    assert origin_of([checkout / "policies"]) == Origin()
    assert origin_of([]) == Origin()
