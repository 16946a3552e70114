"""What was called, by whom, and how it ended: the lab's own CloudTrail."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.lab.clock import text_of

MOST_CALLS = 500_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an AWS API.

    Attributes:
        time: the lab's.
        account: whose credentials signed it.
        region: where it was sent.
        service: its signing name, such as `rds`.
        operation: such as `CreateDBSnapshot`; empty where it could not be told.
        status: HTTP status of the answer.
        error: AWS's error code, None where it worked.
    """

    time: datetime
    account: str
    region: str
    service: str
    operation: str
    status: int
    error: str | None


class Calls:
    """The newest calls, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=MOST_CALLS)

    def note(self, call: Call) -> None:
        """Add one."""
        self._calls.append(call)

    def clear(self) -> None:
        """Forget all."""
        self._calls.clear()

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls)


def call_document(call: Call) -> dict[str, Any]:
    """Write a call as JSON."""
    return {
        "time": text_of(call.time),
        "account": call.account,
        "region": call.region,
        "service": call.service,
        "operation": call.operation,
        "outcome": call.error or "ok",
        "status": call.status,
    }
