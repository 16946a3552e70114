"""`engine COMMAND`, run by a process that is forked: the same `main`, without its imports."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.cli.main import main
from tests.forking.context import CONTEXT


@dataclass(frozen=True, slots=True)
class Order:
    """A command to run: where, with what, and where what it writes goes."""

    words: tuple[str, ...]
    folder: Path
    environment: dict[str, str]
    out: Path
    err: Path


def run_engine(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> tuple[int, bytes, bytes]:
    """Run a command to its end; return its exit code and what it wrote to its two streams.

    The code is the negative number of the signal that ended it, if one did.

    Raises:
        TimeoutError: it did not end in so many seconds; it has been killed.
    """
    with tempfile.TemporaryDirectory(prefix="engine-run-") as scratch:
        out, err = Path(scratch, "out"), Path(scratch, "err")
        order = Order(tuple(words), folder, dict(environment), out, err)
        process = CONTEXT.Process(target=become_engine, args=(order,))
        process.start()
        process.join(seconds)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        process.close()
        if code is None:
            told = err.read_text(errors="replace")
            raise TimeoutError(f"engine {' '.join(words)} does not end: {told}")
        return code, out.read_bytes(), err.read_bytes()


def become_engine(order: Order) -> None:
    """Be the installed program from now on, and end with its exit code."""
    stand_in(order.folder, order.environment, order.out, order.err)
    sys.exit(main(order.words))


def stand_in(folder: Path, environment: Mapping[str, str], out: Path, err: Path) -> None:
    """Be where a program was started, with what, and write where it was to write."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
