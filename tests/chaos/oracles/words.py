"""What runs said of themselves: no bug, no traceback, an exit code that fits."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

from tests.chaos.playing import Ending

_KNOWN = frozenset({0, 1, 3, 4, 5, 7, 11, -9})
_ENDED_BY_SIGNAL = frozenset({130, -signal.SIGTERM})
_TROUBLE = 6


def violations(ending: Ending) -> Iterator[str]:
    """Yield what no run may say, and exit codes that hide what happened."""
    for run in ending.runs:
        ended = run.ended
        where = f"run {run.number} at {run.at:%d %H:%M} (exit {ended.code})"
        # A program that is interrupted before it has begun says so in Python's words.
        is_begun = '"type": "run"' in ended.out or not run.visit.signals
        for text in ("Traceback", "bug of the engine") if is_begun else ():
            if text in ended.out or text in ended.err:
                start = (ended.out + ended.err).find(text)
                yield f"{where} says {(ended.out + ended.err)[start : start + 1500]!r}"
        explained = _KNOWN | (_ENDED_BY_SIGNAL if run.visit.signals else set())
        explained |= {_TROUBLE} if _tells_of_trouble(ended.out) else set()
        if ended.code not in explained:
            yield f"{where}: an exit code that nothing explains: {ended.err[-500:]}"
        if ended.code == 1 and not run.visit.is_disturbed:
            yield f"{where} failed in peace: {ended.err[-800:]}"
        failed = [line for line in _steps(ended.out) if line["state"] == "failed"]
        if failed and ended.code in {0, 4}:
            yield f"{where} hides that {failed[0]['id']} failed"


def _tells_of_trouble(out: str) -> bool:
    return any(
        json.loads(line)["troubles"]
        for line in out.splitlines()
        if '"type": "outcome"' in line and line.endswith("}")
    )


def _steps(out: str) -> Iterator[dict[str, str]]:
    for line in out.splitlines():
        if '"type": "step"' in line and line.endswith("}"):
            yield json.loads(line)
