"""The lab's front door, on values: one call at a time, complete, with errors that are told."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from engine.lab.callers import Callers
from engine.lab.clock import Clock
from engine.lab.front import Application, Front
from engine.lab.settings import Settings
from engine.lab.wire import Answer, ApiError, error_answer, error_code
from engine.lab.world import World


def _world() -> World:
    return World(Clock(datetime(2026, 3, 2, tzinfo=UTC), 0), Settings())


def _nowhere(environ: Any, start_response: Any) -> Iterable[bytes]:
    raise AssertionError(f"nothing asks for {environ['PATH_INFO']}")


def _ask(front: Front, body: bytes = b"Action=AssumeRoleWithSAML") -> tuple[str, bytes]:
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    answer = b"".join(front(environ, lambda status, _: told.append(status)))
    return told[0], answer


def _front(moto: Application) -> Front:
    return Front(_world(), Callers(), moto, _nowhere)


def test_no_two_calls_are_answered_at_once() -> None:
    inside: list[int] = []
    most: list[int] = []

    def slow(environ: Any, start_response: Any) -> Iterable[bytes]:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()
        start_response("200 OK", [("Content-Type", "text/xml")])
        return [b"<A/>"]

    front = _front(slow)
    threads = [threading.Thread(target=_ask, args=(front,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_a_page_of_the_web_framework_becomes_an_error_of_the_api() -> None:
    def broken(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("500 INTERNAL SERVER ERROR", [("Content-Type", "text/html")])
        return [b"<!doctype html><html><title>500</title></html>"]

    status, body = _ask(_front(broken))
    assert status.startswith("500")
    assert b"<Code>InternalFailure</Code>" in body
    assert b"<html" not in body


def test_motos_own_errors_are_left_alone() -> None:
    def refusing(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("404 NOT FOUND", [("Content-Type", "text/html; charset=utf-8")])
        return [b"<Error><Code>NoSuchKey</Code></Error>"]

    assert _ask(_front(refusing))[1] == b"<Error><Code>NoSuchKey</Code></Error>"


def test_error_codes_are_read_back_from_every_protocol() -> None:
    error = ApiError(400, "SomeCode", "words & <more>")
    for service, protocol in (
        ("rds", "query"),
        ("ec2", "ec2"),
        ("kms", "json"),
        ("backup", "rest-json"),
        ("s3", "rest-xml"),
    ):
        assert error_code(error_answer(service, protocol, error)) == "SomeCode"
    assert error_code(Answer(200, (), b"<Code>none</Code>")) is None
    assert error_code(Answer(502, (), b"gateway")) == "502"
