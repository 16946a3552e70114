"""The lab's front door: one call at a time, at one moment of the lab's time, recorded."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from engine.lab.asking import Environ, operation_of, resource_of
from engine.lab.callers import UNKNOWN_ACCOUNT, Callers, Doubt, Signed, signed_part
from engine.lab.calls import Asked, Call
from engine.lab.fault_book import Strike
from engine.lab.replies import RESET, Ending, HangUpError, Reply, StartResponse, send
from engine.lab.signatures import is_genuine
from engine.lab.striking import Struck, delay_of
from engine.lab.wire import (
    Answer,
    doubt_answer,
    error_answer,
    error_code,
    internal_failure,
    protocol_of,
    unknown_operation,
)
from engine.lab.world import Circumstances, World

Application = Callable[[Environ, StartResponse], Iterable[bytes]]

CONTROL = "/_lab"


class Front:
    """A WSGI application before moto's: tells callers apart, keeps time, records calls.

    One lock around everything makes each call atomic, which AWS's conditional writes are and
    moto's are not. Only a delayed call waits outside of it.
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
        """Answer a request.

        Raises:
            HangUpError: the connection is to be closed instead.
        """
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if length or "chunked" in environ.get("HTTP_TRANSFER_ENCODING", ""):
            body = environ["wsgi.input"].read(length or -1)
            if len(body) < length:
                # Whoever asks was gone before all was said.
                raise HangUpError(Ending.DROPPED)
        else:
            body = b""
        environ["wsgi.input"] = io.BytesIO(body)
        path = environ.get("PATH_INFO", "")
        with self._lock:
            self._world.settle()
            if path == CONTROL or path.startswith(f"{CONTROL}/"):
                return self._control(environ, start_response)
            world = self._world.number
            signed = signed_part(environ)
            asked = self._asked(environ, body, signed)
            strike = self._world.faults.strike(asked, self._world.now)
            first, last = delay_of(strike)
            reply = None if first else self._reply(environ, body, signed, asked, strike)
        if first or last:
            time.sleep(first or last)
        if reply is None:
            with self._lock:
                self._world.settle()
                # A call of a world that is gone must not reach the one after it.
                gone = world != self._world.number
                reply = RESET if gone else self._reply(environ, body, signed, asked, strike)
        return send(reply, environ["REQUEST_METHOD"], start_response)

    def _asked(self, environ: Environ, body: bytes, signed: Signed | None) -> Asked:
        service = signed.service if signed else "s3"
        return Asked(
            account=self._callers.account_of(signed.access_key) if signed else UNKNOWN_ACCOUNT,
            role=self._callers.role_of(signed.access_key) if signed else "",
            region=signed.region if signed else "",
            service=service,
            operation=operation_of(environ, body, service),
            resource=resource_of(environ, body, service),
        )

    def _reply(
        self,
        environ: Environ,
        body: bytes,
        signed: Signed | None,
        asked: Asked,
        strike: Strike | None,
    ) -> Reply:
        def ask(circumstances: Circumstances) -> Answer:
            with self._world.under(circumstances):
                return self._answer(environ, body, signed, asked)

        if strike is None:
            answer = ask(Circumstances(caller=asked.caller))
            reply, applied = Reply(answer), answer.status < 400
            outcome = error_code(answer) or "ok"
        else:
            struck = Struck(strike, asked, self._world)
            reply = struck.reply(ask)
            applied, outcome = struck.applied, struck.outcome(reply)
        self._world.calls.note(
            Call(
                time=self._world.now,
                asked=asked,
                status=reply.status,
                outcome=outcome,
                applied=applied,
                fault=strike.id if strike else None,
            )
        )
        return reply

    def _answer(self, environ: Environ, body: bytes, signed: Signed | None, asked: Asked) -> Answer:
        doubt = self._doubt(environ, body, signed, asked.operation)
        if doubt is not None:
            return doubt_answer(asked.service, protocol_of(asked.service), doubt)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = asked.account
        return self._from_moto(environ, asked.service, asked.operation)

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
