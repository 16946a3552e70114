"""Runs of commands in this process, and what every run must end like."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from engine.cli.main import main
from engine.errors import ExitCode

SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


def ended(*words: str, stdin: bytes = b"") -> Ended:
    """Run a command; whatever it was given, it ends in time, with a code and a word on it."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    began = time.monotonic()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _standing_in_for_stdin(stdin),
    ):
        code = main(words)
    assert time.monotonic() - began < SECONDS
    found = Ended(code, _text_of(out), _text_of(err))
    assert code in set(ExitCode)
    assert code not in {ExitCode.USAGE, ExitCode.INTERRUPTED}
    assert found.out or found.err
    # A code that is not 0 says why, and not by a traceback.
    said = found.err or words[0] == "validate"
    assert said or code in {ExitCode.OK, ExitCode.CHANGES, ExitCode.PARTIAL, ExitCode.WITHHELD}
    assert "Traceback" not in found.err + found.out
    return found


def soak_seconds() -> float:
    """Return how long each of the long tests goes on; `FUZZING_SECONDS` says otherwise."""
    return float(os.environ.get("FUZZING_SECONDS", "60"))


def soaked(seconds: float, trial: Callable[[Random], object]) -> int:
    """Try it with ever new chances for so long; return how often. A failure names its chance."""
    number, began = int(time.time()) * 1000, time.monotonic()
    first = number
    while time.monotonic() - began < seconds:
        try:
            trial(Random(number))
        except BaseException as error:
            error.add_note(f"Random({number})")
            raise
        number += 1
    return number - first


@contextlib.contextmanager
def _standing_in_for_stdin(data: bytes) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8")
    try:
        yield
    finally:
        sys.stdin = before


def _text_of(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode()
