"""`engine init`: a commented starter repository."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.cli.starter import FILES
from engine.errors import EngineError, ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", help="where to write it (default: here)"
    )


def run(args: argparse.Namespace) -> int:
    """Write the files, none of which may be there."""
    folder = Path(args.folder)
    try:
        there = [name for name in FILES if (folder / name).exists()]
        if there:
            raise EngineError(
                f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already",
                where=str(folder),
                why="nothing is overwritten, and nothing was written",
                fix="name another folder: engine init DIR",
            )
        for name, text in FILES.items():
            _write(folder / name, text)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise EngineError(
            "the starter repository cannot be written",
            where=str(folder),
            why=why or str(error),
            fix="name a folder that can be written to: engine init DIR",
        ) from error
    for name in FILES:
        sys.stdout.write(f"wrote {folder / name}\n")
    path = folder / "policies"
    sys.stdout.write(f"\nPut your account ids into estate.yaml, then: engine validate {path}\n")
    return int(ExitCode.OK)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Mode x: a file that appeared meanwhile is not overwritten either.
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)
