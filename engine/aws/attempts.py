"""What goes on within a call: every request of it, those that botocore repeats by itself too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.aws.errors import AwsError, calling
from engine.inventory.records import Location

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient

Heard = Callable[[AwsError | None], bool]
"""Told of a request's error, or that it met none; returns whether it may be repeated."""
Asked = Callable[[], None]
"""Asked as a signed request is about to be sent; raises HeldBackError where it must not be."""


def watch(client: RDSClient, at: Location, heard: Heard) -> None:
    """Have `heard` called after each request of a client, in the thread that makes the call.

    Botocore asks all handlers of `needs-retry` and goes by the first that says anything: a false
    one ends the retries, none leaves the decision to the others.
    """

    def handle(
        operation: Any,
        response: tuple[Any, Mapping[str, Any]] | None,
        caught_exception: Exception | None,
        **_more: Any,
    ) -> bool | None:
        name = f"rds:{operation.name}"
        return None if heard(_error(name, at, response, caught_exception)) else False

    # The stubs know only handlers that answer nothing.
    handler: Any = handle
    client.meta.events.register_first("needs-retry.rds", handler)


def ask(client: RDSClient, asked: Asked) -> None:
    """Have `asked` called before each request of a client, in the thread that makes the call.

    It is the last moment at which a request can be held back: it may wait long before, for
    credentials, for a retry, or since the process was stopped.
    """

    def handle(**_more: Any) -> None:
        asked()

    client.meta.events.register_first("before-send.rds", handle)


def _error(
    name: str,
    at: Location,
    response: tuple[Any, Mapping[str, Any]] | None,
    caught: Exception | None,
) -> AwsError | None:
    if response is not None:
        told = response[1].get("Error")
        if told is None:
            return None
        return AwsError(told.get("Code") or "Unknown", told.get("Message") or "", name, at)
    if caught is None:
        return None
    try:
        with calling(name, at):
            raise caught
    except AwsError as error:
        return error
