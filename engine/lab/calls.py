"""What was called, by whom, and how it ended: the lab's own CloudTrail."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from engine.lab.clock import text_of

MOST_CALLS = 500_000


class Asked(NamedTuple):
    """What a call asks, and on whose behalf.

    Attributes:
        account: whose credentials signed it.
        role: the name of the role that signed it, empty for an account's own credentials.
        region: where it was sent.
        service: its signing name, such as `rds`.
        operation: such as `CreateDBSnapshot`; empty where it could not be told.
        resource: the identifier or ARN that it is about, empty where it names none.
    """

    account: str
    role: str
    region: str
    service: str
    operation: str
    resource: str

    @property
    def caller(self) -> str:
        """Who asks: ACCOUNT, or ACCOUNT/ROLE."""
        return f"{self.account}/{self.role}" if self.role else self.account


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an AWS API.

    Attributes:
        time: the lab's.
        asked: what it asked.
        status: HTTP status of the answer, 0 where none was sent.
        outcome: `ok`, AWS's error code, or the kind of fault that left no usable answer.
        applied: whether it did what it asked, whatever was answered.
        fault: id of the fault that struck it, None where none did.
    """

    time: datetime
    asked: Asked
    status: int
    outcome: str
    applied: bool
    fault: str | None = None


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
        **call.asked._asdict(),
        "outcome": call.outcome,
        "status": call.status,
        "applied": call.applied,
        "fault": call.fault,
    }
