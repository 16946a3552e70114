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
