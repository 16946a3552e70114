"""Connections to the lab stay open, as those to AWS do."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

from engine.lab.process import LabProcess


def test_one_connection_serves_one_call_after_the_other(lab: LabProcess) -> None:
    connection = http.client.HTTPConnection(urlsplit(lab.endpoint).netloc, timeout=20)
    connection.connect()
    line = connection.sock
    for method, path, body in (
        ("GET", "/_lab/clock", None),
        ("POST", "/_lab/clock", '{"forward": 0}'),
        ("HEAD", "/bucket/key", None),
        ("GET", "/_lab/nowhere", None),
        ("GET", "/_lab", None),
    ):
        connection.request(method, path, body)
        assert connection.sock is line
        told = connection.getresponse().read()
    assert json.loads(told)["lab"] == "engine"
    assert connection.sock is line
    connection.close()


def test_a_call_that_is_cut_off_in_its_body_is_none(lab: LabProcess) -> None:
    lab.client.forget_calls()
    where = urlsplit(lab.endpoint)
    with socket.create_connection((where.hostname, where.port), timeout=20) as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: lab\r\nContent-Length: 90\r\n\r\nAction=Create")
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b""
    assert lab.client.calls() == []
