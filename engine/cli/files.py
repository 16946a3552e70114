"""Plans read from files, and results written to them."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from engine.errors import EngineError
from engine.plans.json_form import loads
from engine.plans.plan import Plan

# A hundred thousand steps. A value can need fifteen times the room of its text, and where memory
# ends while JSON is decoded the process ends without a word.
MAX_BYTES = 128 * 1024 * 1024
MAX_VALUES = 5_000_000


def read_plan(path: str) -> Plan:
    """Read the plan in the file at `path`, `-` for standard input.

    Raises:
        EngineError: it cannot be read, or is no plan.
        StaleError: its steps are not those it was made with.
    """
    if path == "-":
        return loads(_limited(sys.stdin.buffer, "standard input"), "standard input")
    try:
        with Path(path).open("rb") as file:
            data = _limited(file, path)
    except (OSError, ValueError) as error:
        raise EngineError(
            "the plan cannot be read",
            where=path,
            why=_cause(error),
            fix="name a file that `engine plan -out FILE` has written",
        ) from error
    return loads(data, path)


def _limited(stream: BinaryIO, where: str) -> bytes:
    data, fix = stream.read(MAX_BYTES + 1), "plan fewer databases at a time with -only"
    if len(data) > MAX_BYTES:
        raise EngineError(f"the plan is larger than {MAX_BYTES >> 20} MiB", where=where, fix=fix)
    if data.count(b",") > MAX_VALUES:
        raise EngineError(f"the plan holds more than {MAX_VALUES:,} values", where=where, fix=fix)
    return data


def write_whole(path: str, data: bytes) -> None:
    """Write the file at `path`; whoever reads it sees the old content or all of the new.

    Raises:
        EngineError: it cannot be written.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            # A pipe or a terminal, /dev/stdout for one: there is nothing to replace.
            target.write_bytes(data)
            return
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:80]}.")
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            draft.chmod(_mode(target))
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        raise EngineError(
            "the file cannot be written",
            where=path,
            why=_cause(error),
            fix="name a file in a folder that can be written to",
        ) from error


def _mode(target: Path) -> int:
    """Return the permissions of the file that is replaced, else what the umask leaves."""
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _cause(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
