"""A gate between the engine and the lab: calls can be watched there, spoilt, or end a run."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CHANGES = frozenset(
    {
        "CreateDBSnapshot",
        "CopyDBSnapshot",
        "DeleteDBSnapshot",
        "ModifyDBSnapshotAttribute",
        "AddTagsToResource",
        "RemoveTagsFromResource",
    }
)
_OF_THE_CONNECTION = frozenset({"connection", "transfer-encoding", "keep-alive"})
_SECONDS = 60


class Moment(StrEnum):
    """When a run is ended: before AWS gets the call, or after it did, before it says so."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the lab answered, or what the engine is to be told that it did."""

    status: int
    body: bytes
    is_cut_short: bool = False
    """Whether the connection ends in the middle of the body."""


@dataclass
class Gate:
    """Passes calls on to `endpoint`; kills `victim` at its call number `fatal`, from 1.

    Only calls that change something count; with `words` only those whose forms hold all of them.
    `passed` are the names of all changes, in the order they came. `arrives` is told of every call
    before it is passed on; `meddle` makes of the lab's reply what the engine gets, None: nothing.
    Calls to the region `dark` get no reply and never arrive; `lost` counts them.
    """

    endpoint: str
    fatal: int | None = None
    moment: Moment = Moment.BEFORE
    words: tuple[str, ...] = ()
    arrives: Callable[[str], None] | None = None
    meddle: Callable[[str, Reply], Reply | None] | None = None
    passed: list[str] = field(default_factory=list)
    dark: str | None = None
    lost: int = 0
    counted: int = 0
    victim: subprocess.Popen[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_fatal(self, action: str, form: str) -> bool:
        """Count a call; tell whether it is the one."""
        if action not in CHANGES:
            return False
        with self._lock:
            self.passed.append(action)
            if not all(word in form for word in self.words):
                return False
            self.counted += 1
            return self.counted == self.fatal

    def kill(self) -> None:
        """Kill the run as nothing can prevent."""
        assert self.victim is not None
        os.kill(self.victim.pid, signal.SIGKILL)
        self.victim.wait(_SECONDS)


@contextmanager
def opened(gate: Gate) -> Iterator[str]:
    """Open a gate; give the endpoint before it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            form = body.decode("latin-1")
            action = parse_qs(form).get("Action", [""])[0]
            # The scope of a signature: key, day, region, service (SigV4).
            scope = self.headers.get("Authorization", "").partition("Credential=")[2].split("/")
            if gate.dark is not None and gate.dark in scope[:3]:
                gate.lost += 1
                self.close_connection = True
                return
            if gate.arrives is not None:
                gate.arrives(action)
            fatal = gate.is_fatal(action, form)
            if fatal and gate.moment is Moment.BEFORE:
                self._end()
                return
            answer, said = self._pass_on(body)
            if fatal:
                self._end()
                return
            told = Reply(answer.status, said)
            reply = told if gate.meddle is None else gate.meddle(action, told)
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_THE_CONNECTION | {"content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            half = len(reply.body) // 2
            self.wfile.write(reply.body[:half] if reply.is_cut_short else reply.body)
            self.close_connection = self.close_connection or reply.is_cut_short

        def _end(self) -> None:
            gate.kill()
            self.close_connection = True

        def _pass_on(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
            where = urlsplit(gate.endpoint)
            connection = http.client.HTTPConnection(where.netloc, timeout=_SECONDS)
            try:
                # The headers, Host among them, are signed: nothing may change.
                connection.request("POST", self.path, body, dict(self.headers.items()))
                answer = connection.getresponse()
                return answer, answer.read()
            finally:
                connection.close()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: who is killed closes connections as it likes."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
