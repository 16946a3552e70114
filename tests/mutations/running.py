"""Tries mutants in copies of the code, so that nobody meets a broken working tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue

from tests.mutations.mutant import Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("engine", "tests", "schemas", "policies", "pyproject.toml", "setup.cfg")
SECONDS = 300
_TESTS_FAILED = 1
_FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)
_WHERE = "import engine, pathlib; print(pathlib.Path(engine.__file__).parents[1].resolve())"


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed by"
    SURVIVED = "SURVIVED"
    MISMATCH = "MISMATCH"
    """The code has changed: the mutant has to be written anew."""
    BROKEN = "BROKEN"
    """The tests did not run to a verdict, which proves nothing."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A mutant and what became of it; `said` is the test that failed, or what went wrong."""

    mutant: Mutant
    fate: Fate
    said: str

    @property
    def line(self) -> str:
        """The trial in one line."""
        return f"{self.mutant.name:<44} {self.fate} {self.said}".rstrip()


@contextmanager
def copy_of(root: Path) -> Iterator[Path]:
    """Give a copy of the code, from which nothing of the original is imported.

    Raises:
        RuntimeError: the copy would run the original all the same.
    """
    with tempfile.TemporaryDirectory(prefix="engine-mutant-") as folder:
        copy = Path(folder).resolve()
        for name in COPIED:
            source = root / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / name)
        found = _python(copy, "-c", _WHERE).stdout.strip()
        if found != str(copy):
            raise RuntimeError(f"{copy} would run the code of {found}")
        yield copy


def try_out(mutant: Mutant, copy: Path) -> Trial:
    """Break the copy, run the tests that must notice, and mend it again."""
    mismatch = mutant.mismatch(copy)
    if mismatch is not None:
        return Trial(mutant, Fate.MISMATCH, mismatch)
    path = copy / mutant.file
    whole = path.read_text(encoding="utf-8")
    _write(path, mutant.applied(whole))
    try:
        done = _python(copy, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests)
    except subprocess.TimeoutExpired:
        return Trial(mutant, Fate.BROKEN, f"no verdict within {SECONDS} s")
    finally:
        _write(path, whole)
    if done.returncode == 0:
        return Trial(mutant, Fate.SURVIVED, f"{' '.join(mutant.tests)}; lost: {mutant.breaks}")
    failed = _FAILED.search(done.stdout)
    if done.returncode != _TESTS_FAILED or failed is None:
        return Trial(mutant, Fate.BROKEN, (done.stdout + done.stderr).strip()[-300:])
    return Trial(mutant, Fate.KILLED, failed[1])


def try_all(mutants: Sequence[Mutant], root: Path = ROOT, processes: int = 2) -> Iterator[Trial]:
    """Try mutants in their order, in so many copies at a time."""
    with _copies(root, processes) as copies, ThreadPoolExecutor(processes) as pool:
        yield from pool.map(lambda one: _with_a_copy(one, copies), mutants)


def _with_a_copy(mutant: Mutant, copies: SimpleQueue[Path]) -> Trial:
    copy = copies.get()
    try:
        return try_out(mutant, copy)
    finally:
        copies.put(copy)


@contextmanager
def _copies(root: Path, number: int) -> Iterator[SimpleQueue[Path]]:
    from contextlib import ExitStack

    with ExitStack() as stack:
        copies: SimpleQueue[Path] = SimpleQueue()
        for _ in range(number):
            copies.put(stack.enter_context(copy_of(root)))
        yield copies


def _python(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "HYPOTHESIS_PROFILE": "repeatable"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _write(path: Path, text: str) -> None:
    """Write a module; what Python has compiled of it may be as old as this second."""
    path.write_text(text, encoding="utf-8")
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()
