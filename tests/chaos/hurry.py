"""Shortens the real-time waits of the engine: nothing waits for AWS here, and the lab's time is not
real either. In the forked child alone; the rest of the engine there is the one that is installed.
"""

from __future__ import annotations

from typing import Any

import botocore.retries.standard

import engine.aws.clients
from engine.applying import performing, s3_lock
from engine.applying.clock import SystemClock, ThreadWorkers
from engine.applying.s3_lock import Terms
from tests.forking.patching import put

REPLY_SECONDS = 20
HASTY = Terms(lease=2.0, grace=1.0, renewal=0.5, passes=0.6 * 150.0, again=0.3, look=20.0)
"""The lease in S3, which tells whole seconds of its own clock; `passes`, `look` are hurried."""
FASTER = 150.0
SENT_WITHIN = 1.0 * 150.0
"""What passes after 0.6 s may be sent a second later: the lease has not run out by then."""


def hurry() -> None:
    """Let a second of the waits of this process's engine last a `FASTER`th."""
    sleep, elapsed, receive = SystemClock.sleep, SystemClock.elapsed, ThreadWorkers.receive

    def quick_sleep(self: SystemClock, seconds: float) -> None:
        sleep(self, seconds / FASTER)

    def quick_elapsed(self: SystemClock) -> float:
        return elapsed(self) * FASTER

    def quick_receive(self: ThreadWorkers[Any], seconds: float) -> Any:
        return receive(self, seconds / FASTER)

    put(SystemClock, "sleep", quick_sleep)
    put(SystemClock, "elapsed", quick_elapsed)
    put(ThreadWorkers, "receive", quick_receive)
    backoff = botocore.retries.standard.ExponentialBackoff
    delay = backoff.delay_amount
    put(backoff, "delay_amount", lambda self, context: delay(self, context) / FASTER)
    put(engine.aws.clients, "REPLY_SECONDS", REPLY_SECONDS)
    put(performing, "SENT_WITHIN", SENT_WITHIN)
    acquire = s3_lock.acquire

    def acquire_hastily(*given: Any, terms: Terms, **more: Any) -> Any:
        return acquire(*given, terms=HASTY, **more)

    put(s3_lock, "acquire", acquire_hastily)
