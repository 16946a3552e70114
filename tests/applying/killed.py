"""Runs `engine` and kills it with SIGKILL at one line of the journal.

Usage: killed.py before|after NUMBER COMMAND ARGUMENT…; lines count from 1.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from engine.applying.journal import Journal, Kind
from engine.cli.main import main


def signal_to_itself(number: int) -> None:
    """Send this process a signal, and let the caller do no more before it works.

    The kernel may hand it to another thread, and this one would go on for a while.
    """
    os.kill(os.getpid(), number)
    time.sleep(0.1)


def deadly(when: str, number: int, by: int = signal.SIGKILL) -> None:
    """Let the journal kill its process, or send it another signal, before or after a line."""
    write = Journal._append
    lines, guard = 0, threading.Lock()

    def append(self: Journal, kind: Kind, step: str | None, detail: Mapping[str, Any]) -> None:
        nonlocal lines
        # Other threads count on while this one writes.
        with guard:
            lines += 1
            mine = lines
        if mine == number and when == "before":
            signal_to_itself(by)
        write(self, kind, step, detail)
        if mine == number and when == "after":
            signal_to_itself(by)

    Journal._append = append  # type: ignore[method-assign] # the one place all lines pass


if __name__ == "__main__":
    deadly(sys.argv[1], int(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
