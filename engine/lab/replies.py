"""How an answer goes out: whole, cut off, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from engine.lab.wire import Answer

StartResponse = Callable[..., Any]

_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 500: "Server Error"}


class Ending(Enum):
    """How a connection ends: as it should, inside the body, in silence, or by a TCP reset."""

    WHOLE = auto()
    TRUNCATED = auto()
    DROPPED = auto()
    RESET = auto()


class HangUpError(ConnectionError):
    """The server is to close the connection now; `ending` says how."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.name)
        self.ending = ending


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and how much of it goes out; None where nothing does."""

    answer: Answer | None
    ending: Ending = Ending.WHOLE

    @property
    def status(self) -> int:
        """The HTTP status that is sent, 0 for none."""
        return self.answer.status if self.answer is not None else 0


SILENCE = Reply(None, Ending.DROPPED)
RESET = Reply(None, Ending.RESET)


def send(reply: Reply, method: str, start_response: StartResponse) -> Iterable[bytes]:
    """Send a reply.

    Raises:
        HangUpError: the connection is to be closed; while iterating, too.
    """
    answer = reply.answer
    if answer is None:
        raise HangUpError(reply.ending)
    status = f"{answer.status} {_REASONS.get(answer.status, 'Status')}"
    if reply.ending is Ending.WHOLE:
        start_response(status, list(answer.headers))
        return [b"" if method == "HEAD" else answer.body]
    headers = [one for one in answer.headers if one[0].lower() != "content-length"]
    # An answer without a body is cut off all the same.
    length = max(len(answer.body), 1)
    start_response(status, [*headers, ("Content-Length", str(length))])
    return _half(answer.body, reply.ending)


def _half(body: bytes, ending: Ending) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise HangUpError(ending)
