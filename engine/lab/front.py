"""The lab's front door: one call at a time, at one moment of the lab's time, recorded."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

from engine.lab.callers import UNKNOWN_ACCOUNT, Callers, Doubt, Signed, signed_part
from engine.lab.calls import Call
from engine.lab.signatures import is_genuine
from engine.lab.wire import (
    Answer,
    doubt_answer,
    error_answer,
    error_code,
    internal_failure,
    protocol_of,
    routed_operation,
    unknown_operation,
)
from engine.lab.world import World

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

CONTROL = "/_lab"
_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z0-9]+)")
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 500: "Server Error"}


class Front:
    """A WSGI application before moto's: tells callers apart, keeps time, records calls.

    One lock around everything makes each call atomic, which AWS's conditional writes are and
    moto's are not.
    """

    def __init__(
        self, world: World, callers: Callers, moto: Application, control: Application
    ) -> None:
        self._world = world
        self._callers = callers
        self._moto = moto
        self._control = control
        self._lock = threading.RLock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length or "chunked" in environ.get("HTTP_TRANSFER_ENCODING", ""):
            body = environ["wsgi.input"].read(length or -1)
        else:
            body = b""
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ.get("PATH_INFO", "")
        with self._lock:
            self._world.settle()
            if path == CONTROL or path.startswith(f"{CONTROL}/"):
                return self._control(environ, start_response)
            answer = self._answer(environ, body)
        reason = _REASONS.get(answer.status, "Status")
        start_response(f"{answer.status} {reason}", list(answer.headers))
        return [answer.body]

    def _answer(self, environ: Environ, body: bytes) -> Answer:
        signed = signed_part(environ)
        service = signed.service if signed else "s3"
        operation = operation_of(environ, body, service)
        account = self._callers.account_of(signed.access_key) if signed else UNKNOWN_ACCOUNT
        doubt = self._doubt(environ, body, signed, operation)
        if doubt is not None:
            answer = doubt_answer(service, protocol_of(service), doubt)
        else:
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
            answer = self._from_moto(environ, service, operation)
        self._world.calls.note(
            Call(
                time=self._world.now,
                account=account,
                region=signed.region if signed else "",
                service=service,
                operation=operation,
                status=answer.status,
                error=error_code(answer),
            )
        )
        return answer

    def _doubt(
        self, environ: Environ, body: bytes, signed: Signed | None, operation: str
    ) -> Doubt | None:
        if signed is None:
            return None if operation.startswith("AssumeRoleWith") else Doubt.MISSING
        doubt = self._callers.doubt(signed, environ.get("HTTP_X_AMZ_SECURITY_TOKEN"))
        if doubt is not None:
            return doubt
        secret = self._callers.secret_of(signed.access_key)
        forged = secret is not None and not is_genuine(environ, body, signed, secret)
        return Doubt.FORGED if forged else None

    def _from_moto(self, environ: Environ, service: str, operation: str) -> Answer:
        answer = collect(self._moto, environ)
        content = next((v for n, v in answer.headers if n.lower() == "content-type"), "")
        if answer.status < 400 or not content.startswith("text/html"):
            return answer
        # moto's own words are XML or JSON; a page is what its web framework says of a gap.
        if answer.body.lstrip()[:1] in {b"{", b"<"} and b"<html" not in answer.body[:200].lower():
            return answer
        protocol = protocol_of(service)
        if answer.status in {404, 405, 501}:
            return error_answer(service, protocol, unknown_operation(protocol, operation))
        return error_answer(service, protocol, internal_failure())


def collect(application: Application, environ: Environ) -> Answer:
    """Let a WSGI application answer, completely."""
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        told.append((status, headers))

    parts = application(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    status, headers = told[-1]
    return Answer(int(status.split()[0]), tuple(headers), body)


def operation_of(environ: Environ, body: bytes, service: str) -> str:
    """Return the operation that a request asks for, its method and path where it names none."""
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rpartition(".")[2]
    found = _ACTION.search(body)
    if found:
        return found[1].decode()
    asked = parse_qs(environ.get("QUERY_STRING", "")).get("Action")
    if asked:
        return str(asked[0])
    return routed_operation(environ, service)
