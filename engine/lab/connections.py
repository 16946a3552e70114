"""How the lab speaks HTTP: connections stay open from call to call, as AWS's do.

werkzeug's own handler closes each after one call, and waits for what else the client may send.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler

from engine.lab.asking import Environ
from engine.lab.replies import Ending, HangUpError

_WITHOUT_BODY = ("204", "304")


class Handler(MotoRequestHandler):
    """Answers the calls of one connection, one after the other.

    The application must read a request to its end, since the next one follows it.
    """

    # Small answers must not wait for acknowledgements of their headers.
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def run_wsgi(self) -> None:
        """Answer a call; the connection ends with one that is cut off."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        try:
            self._answer(self.make_environ())
        except OSError as error:
            self.close_connection = True
            if isinstance(error, HangUpError) and error.ending is Ending.RESET:
                _reset(self.connection)

    def _answer(self, environ: Environ) -> None:
        told: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            told.append((status, headers))

        parts = self.server.app(environ, start_response)
        status, headers = told[-1]
        if not any(name.lower() == "content-length" for name, _ in headers):
            parts = [b"".join(parts)]
            if not status.startswith(_WITHOUT_BODY):
                headers = [*headers, ("Content-Length", str(len(parts[0])))]
        self._send(status, headers, parts)

    def _send(self, status: str, headers: list[tuple[str, str]], parts: Iterable[bytes]) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        for part in parts:
            self.wfile.write(part)

    def log_request(self, *_: Any) -> None:
        """Say nothing: the lab keeps its own list of calls."""


def _reset(connection: socket.socket) -> None:
    """End a connection by a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # The server would say goodbye first, and its files keep the socket open.
    os.close(connection.detach())
