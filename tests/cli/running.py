"""Running commands in this process, as the console script does."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.cli.main import main


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, its result, its log."""

    code: int
    out: str
    err: str


def run(capfd: pytest.CaptureFixture[str], *words: str) -> Ran:
    """Run a command; what argparse ends, ends here too."""
    capfd.readouterr()
    try:
        code = main(words)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    out, err = capfd.readouterr()
    return Ran(code, out, err)
