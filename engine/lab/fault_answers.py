"""What struck calls are answered, each in its API's own format.

Codes: RDS API Reference, Common errors and CopyDBSnapshot; the two messages of
SnapshotQuotaExceeded are those that users report.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.lab.callers import Doubt
from engine.lab.calls import Asked
from engine.lab.fault_book import Strike
from engine.lab.faults import THROTTLE_CODES, Body, Kind
from engine.lab.settings import Settings
from engine.lab.wire import Answer, ApiError, doubt_answer, error_answer, protocol_of

# Well-formed, as some proxies' pages are, so that it passes for XML.
_PAGE = (
    b"<html><head><title>502 Bad Gateway</title></head>\n"
    b"<body><h1>502 Bad Gateway</h1><p>proxy</p></body></html>\n"
)
_NOISE = bytes(range(256))
_DENIED = {
    "ec2": ("UnauthorizedOperation", 403),
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
}


def refusal(strike: Strike, asked: Asked, settings: Settings) -> Answer | None:
    """Return the answer of a fault that answers itself, None for one that does not."""
    make = _ANSWERS.get(strike.fault.kind)
    return None if make is None else make(strike, asked, settings)


def _throttle(strike: Strike, asked: Asked, _: Settings) -> Answer:
    usual = ("SlowDown",) if asked.service == "s3" else THROTTLE_CODES
    code = strike.fault.code or usual[strike.number % len(usual)]
    status = 503 if code in {"RequestLimitExceeded", "SlowDown"} else 400
    return _error(asked, ApiError(status, code, "Rate exceeded"))


def _server_error(strike: Strike, asked: Asked, _: Settings) -> Answer:
    if strike.fault.status == 503:
        return _unavailable(asked)
    code = "InternalError" if asked.service == "s3" else "InternalFailure"
    message = "The request processing has failed because of an unknown error."
    return _error(asked, ApiError(500, code, message))


def _unavailable(asked: Asked) -> Answer:
    message = "The request has failed due to a temporary failure of the server."
    return _error(asked, ApiError(503, "ServiceUnavailable", message))


def _region_down(strike: Strike, asked: Asked, _: Settings) -> Answer | None:
    return _unavailable(asked) if strike.fault.status == 503 else None


def _garbage(strike: Strike, _: Asked, __: Settings) -> Answer:
    status = strike.fault.status or 200
    bodies = (Body.HTML,) if status == 502 else tuple(Body)
    body = strike.fault.body or bodies[strike.number % len(bodies)]
    headers = (("Content-Type", "text/html"),)
    return Answer(status, headers, _PAGE if body is Body.HTML else _NOISE)


def _access_denied(_: Strike, asked: Asked, __: Settings) -> Answer:
    code, status = _DENIED.get(protocol_of(asked.service), ("AccessDenied", 403))
    who = f"role/{asked.role}" if asked.role else "root"
    message = (
        f"User: arn:aws:iam::{asked.account}:{who} is not authorized to perform: "
        f"{asked.service}:{asked.operation} on resource: {asked.resource or '*'}"
    )
    return _error(asked, ApiError(status, code, message))


def _expired(_: Strike, asked: Asked, __: Settings) -> Answer:
    return doubt_answer(asked.service, protocol_of(asked.service), Doubt.EXPIRED)


def _key_not_accessible(_: Strike, asked: Asked, __: Settings) -> Answer:
    message = (
        "The target KMS key does not exist, is not enabled or you do not have permissions to "
        "access it."
    )
    return _error(asked, ApiError(400, "KMSKeyNotAccessibleFault", message))


def _quota_total(_: Strike, asked: Asked, settings: Settings) -> Answer:
    return _quota(asked, f"Cannot create more than {settings.manual_snapshots} manual snapshots")


def _quota_in_flight(_: Strike, asked: Asked, settings: Settings) -> Answer:
    limit = settings.copies_in_flight
    return _quota(asked, f"Cannot copy more than {limit} snapshots across regions")


def _quota(asked: Asked, message: str) -> Answer:
    return _error(asked, ApiError(400, "SnapshotQuotaExceeded", message))


def _error(asked: Asked, error: ApiError) -> Answer:
    return error_answer(asked.service, protocol_of(asked.service), error)


_ANSWERS: dict[Kind, Callable[[Strike, Asked, Settings], Answer | None]] = {
    Kind.THROTTLE: _throttle,
    Kind.SERVER_ERROR: _server_error,
    Kind.GARBAGE: _garbage,
    Kind.REGION_DOWN: _region_down,
    Kind.ACCESS_DENIED: _access_denied,
    Kind.EXPIRED_CREDENTIALS: _expired,
    Kind.KEY_NOT_ACCESSIBLE: _key_not_accessible,
    Kind.QUOTA_TOTAL: _quota_total,
    Kind.QUOTA_IN_FLIGHT: _quota_in_flight,
}
