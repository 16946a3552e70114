"""Which commit of the repository a run works from."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Where CI services tell the commit that they check out, which may leave no repository behind:
# GitHub, GitLab, Bitbucket, AWS CodeBuild, Azure Pipelines, Jenkins, CircleCI, Buildkite.
_CI_COMMITS = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "BITBUCKET_COMMIT",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
    "BUILD_SOURCEVERSION",
    "GIT_COMMIT",
    "CIRCLE_SHA1",
    "BUILDKITE_COMMIT",
)
_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Origin:
    """A commit, and whether the documents differ from it; None where nobody knows."""

    commit: str | None = None
    is_changed: bool | None = None


def origin_of(paths: Sequence[Path]) -> Origin:
    """Return the commit that the documents in `paths` were checked out from.

    Git says so where they lie in a checkout, else the CI service does.
    """
    folder = _folder(paths)
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit is None:
        told = (os.environ.get(name) for name in _CI_COMMITS)
        return Origin(next(filter(None, told), None))
    names = (str(path.resolve()) for path in paths)
    changed = _git(folder, "status", "--porcelain", "--", *names)
    return Origin(commit, None if changed is None else bool(changed))


def _folder(paths: Sequence[Path]) -> Path:
    first = paths[0] if paths else Path()
    return first if first.is_dir() else first.parent


def _git(folder: Path, *words: str) -> str | None:
    """Return what git says, None where it has nothing to say or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
