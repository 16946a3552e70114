"""Real time and real threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Message = TypeVar("Message")


class SystemClock:
    """The machine's clock; `stop` cuts every sleep short."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop or threading.Event()

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def elapsed(self) -> float:
        """Return seconds of a clock that never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, less when `stop` is set."""
        self._stop.wait(seconds)


class ThreadWorkers(Generic[Message]):
    """A pool of threads.

    `wake` may be called from a signal handler: SimpleQueue.put is reentrant, Queue.put is not
    (Python library reference, queue).
    """

    def __init__(self, parallelism: int) -> None:
        self._pool = ThreadPoolExecutor(parallelism, thread_name_prefix="apply")
        self._inbox: SimpleQueue[Future[Message] | None] = SimpleQueue()

    def submit(self, work: Callable[[], Message]) -> Future[Message]:
        """Have `work` done by a thread of the pool."""
        future = self._pool.submit(work)
        future.add_done_callback(self._inbox.put)
        return future

    def receive(self, seconds: float) -> Future[Message] | None:
        """Return the next work that ended, None after `seconds` or a wake."""
        try:
            return self._inbox.get(timeout=max(0.0, seconds))
        except Empty:
            return None

    def wake(self) -> None:
        """Make `receive` return at once."""
        self._inbox.put(None)

    def close(self) -> None:
        """Wait for work under way; take no more."""
        self._pool.shutdown(wait=True)
