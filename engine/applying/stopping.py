"""Ending a run early: a flag that everybody watches, and the signals that set it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from engine.applying.outcome import Stop
from engine.errors import ExitCode


class StopFlag:
    """Why the run is to end, None while it is not. The first reason stands, but for a signal's.

    `request` only writes a word, so that a signal handler may call it at any moment; `spread`
    then sets the event that sleepers wait for, which takes a lock.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self._reason: Stop | None = None

    @property
    def reason(self) -> Stop | None:
        """The reason, if there is one."""
        return self._reason

    def request(self, reason: Stop) -> None:
        """Ask the run to end."""
        if self._reason is None or reason is Stop.INTERRUPTED:
            self._reason = reason

    def spread(self) -> None:
        """Wake who sleeps, if the run is to end."""
        if self._reason is not None:
            self.event.set()

    def is_set(self) -> bool:
        """Tell whether the run is to end."""
        return self._reason is not None


@contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end what is within as Ctrl-C does, so that what it holds is let go."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stopping_on_signals(flag: StopFlag, wake: Callable[[], None]) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the run in order, and the second one at once.

    A run ended in order finishes the calls under way, writes the journal and frees the lock.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        if flag.reason is Stop.INTERRUPTED:
            # The lock frees itself: the next run sees that its process is gone.
            os._exit(int(ExitCode.INTERRUPTED))
        flag.request(Stop.INTERRUPTED)
        wake()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
