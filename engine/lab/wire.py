"""Errors in the format of each AWS protocol.

Formats: the AWS query, EC2, JSON, REST-JSON and REST-XML protocols as botocore's parsers read them.
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from engine.lab.callers import Doubt

_CODE_IN_XML = re.compile(rb"<Code>([^<]*)</Code>")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, complete."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error as an API tells it."""

    status: int
    code: str
    message: str


def unknown_operation(protocol: str, operation: str) -> ApiError:
    """Return the error of an operation that there is not."""
    if protocol in {"query", "ec2"}:
        return ApiError(
            400, "InvalidAction", f"The action {operation} is not valid for this web service."
        )
    return ApiError(400, "UnknownOperationException", f"Unknown operation: {operation}")


def internal_failure() -> ApiError:
    """Return the error of something that broke inside."""
    return ApiError(
        500,
        "InternalFailure",
        "The request processing has failed because of an unknown error, exception or failure.",
    )


_UNKNOWN = "The security token included in the request is invalid."
_DOUBTS = {
    # Codes of query, EC2, and of the JSON protocols.
    Doubt.MISSING: (
        ("MissingAuthenticationToken", "MissingAuthenticationToken", "MissingAuthenticationToken"),
        "Request is missing Authentication Token",
    ),
    Doubt.UNKNOWN: (
        ("InvalidClientTokenId", "AuthFailure", "UnrecognizedClientException"),
        _UNKNOWN,
    ),
    Doubt.EXPIRED: (
        ("ExpiredToken", "RequestExpired", "ExpiredTokenException"),
        "The security token included in the request is expired",
    ),
    Doubt.FORGED: (
        ("SignatureDoesNotMatch", "AuthFailure", "InvalidSignatureException"),
        "The request signature we calculated does not match the signature you provided.",
    ),
}


def doubt_answer(service: str, protocol: str, doubt: Doubt) -> Answer:
    """Write in a protocol's format that credentials are no good."""
    codes, message = _DOUBTS[doubt]
    code = codes[{"query": 0, "rest-xml": 0, "ec2": 1}.get(protocol, 2)]
    return error_answer(service, protocol, ApiError(403, code, message))


def protocol_of(service: str) -> str:
    """Return the protocol of a service by its signing name; `query` where it is not known."""
    from botocore.exceptions import UnknownServiceError
    from moto.core.utils import get_service_model

    try:
        return str(get_service_model(service).metadata["protocol"])
    except UnknownServiceError:
        return "query"


def routed_operation(environ: dict[str, Any], service: str) -> str:
    """Return the operation that a method and path stand for; themselves where they are none."""
    from botocore.exceptions import UnknownServiceError
    from moto.core.request import Request
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import NotFound

    try:
        return str(get_service_router(service).match(Request(dict(environ)))[0].name)
    except (NotFound, NotImplementedError, UnknownServiceError):
        return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


def error_answer(service: str, protocol: str, error: ApiError) -> Answer:
    """Write an error in a protocol's format."""
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-RequestId": request_id}
    code, message = escape(error.code), escape(error.message)
    if protocol == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>"
            f"</Errors><RequestID>{request_id}</RequestID></Response>"
        )
        headers["Content-Type"] = "text/xml"
    elif protocol == "rest-xml" and service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        headers["Content-Type"] = "application/xml"
    elif protocol in {"query", "rest-xml"}:
        kind = "Sender" if error.status < 500 else "Receiver"
        body = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code>"
            f"<Message>{message}</Message></Error><RequestId>{request_id}</RequestId>"
            "</ErrorResponse>"
        )
        headers["Content-Type"] = "text/xml"
    else:
        body = json.dumps({"__type": error.code, "message": error.message})
        headers["Content-Type"] = "application/x-amz-json-1.1"
        headers["x-amzn-ErrorType"] = error.code
    return Answer(error.status, tuple(headers.items()), body.encode())


def error_code(answer: Answer) -> str | None:
    """Read the error code of an answer, None where it is no error."""
    if answer.status < 400:
        return None
    headers = {name.lower(): value for name, value in answer.headers}
    if "x-amzn-errortype" in headers:
        return headers["x-amzn-errortype"].split(":")[0]
    found = _CODE_IN_XML.search(answer.body)
    if found:
        return found[1].decode()
    try:
        document: Any = json.loads(answer.body)
    except ValueError:
        return str(answer.status)
    named = document.get("__type") if isinstance(document, dict) else None
    return str(named).rpartition("#")[2] if named else str(answer.status)
