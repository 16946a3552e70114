"""Ending a run early: a flag that everybody watches, and the signals that set it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

from engine.applying.outcome import Stop
from engine.errors import ExitCode

LAST_WORDS_WITHIN = 5.0
"""Seconds that letting go of the lock may take when a run is to end at once."""


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
def stopping_on_signals(
    flag: StopFlag, wake: Callable[[], None], last_words: Callable[[], None] | None = None
) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the run in order, and the second one at once.

    A run ended in order finishes the calls under way, writes the journal and frees the lock. One
    that is ended at once says its last words, for which it has `LAST_WORDS_WITHIN` seconds, and
    goes; a third signal cuts these short.

    Args:
        flag: what is set.
        wake: makes the run notice.
        last_words: lets go of what others wait for: the lock. It is called in a thread of its own
            while the others go on, and whatever it raises, nobody is left to hear.
    """
    end = _End(last_words)

    def handle(_number: int, _frame: FrameType | None) -> None:
        if flag.reason is Stop.INTERRUPTED:
            end.at_once()
        flag.request(Stop.INTERRUPTED)
        wake()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        end.dismiss()


class _End:
    """Ends the process. The thread that says its last words waits from the start.

    A signal handler interrupts the main thread anywhere, holding any lock: it may not start a
    thread, nor do what takes one. Putting into a SimpleQueue is safe (Python library, queue).
    """

    def __init__(self, last_words: Callable[[], None] | None) -> None:
        self._said: SimpleQueue[bool] = SimpleQueue()
        self._is_ending = last_words is None
        if last_words is not None:
            threading.Thread(target=self._speak, args=(last_words,), daemon=True).start()

    def at_once(self) -> None:
        """End the process; in the signal handler."""
        if not self._is_ending:
            self._is_ending = True
            self._said.put(True)
            time.sleep(LAST_WORDS_WITHIN)
        os._exit(int(ExitCode.INTERRUPTED))

    def dismiss(self) -> None:
        """Let the thread go: the run has ended by itself."""
        self._said.put(False)

    def _speak(self, last_words: Callable[[], None]) -> None:
        if not self._said.get():
            return
        try:
            last_words()
        finally:
            os._exit(int(ExitCode.INTERRUPTED))
