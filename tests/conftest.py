"""Options and fixtures of all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# `make test` tries the same examples each time, `make chaos` new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("chaos", derandomize=False, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate-golden",
        action="store_true",
        help="write the golden files anew instead of comparing with them; review the diff",
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file of that name in the folder `golden` beside the test."""
    folder = request.path.parent / "golden"
    regenerate = bool(request.config.getoption("--regenerate-golden"))

    def compare(name: str, text: str) -> None:
        path: Path = folder / name
        if regenerate:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
        assert path.exists(), f"no {path}: run pytest with --regenerate-golden and review it"
        assert text == path.read_bytes().decode("utf-8")

    return compare
