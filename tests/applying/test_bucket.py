"""S3 as a store: what its answers mean, from an endpoint on loopback that answers as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from engine.applying.bucket import Bucket
from engine.applying.objects import ConflictError, DoubtError
from engine.applying.s3_lock import Slot
from engine.aws.clients import Clients
from engine.aws.errors import AwsError
from engine.documents.model import Account
from engine.errors import EngineError
from tests.applying.world import VAULT
from tests.aws.scripted_aws import set_environment

WRITTEN = "Sat, 21 Nov 2026 02:00:00 GMT"
NOW = "Sat, 21 Nov 2026 02:03:10 GMT"


@dataclass(frozen=True)
class Said:
    """An answer; no status: the connection is dropped."""

    status: int | None = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def fault(status: int, code: str) -> Said:
    return Said(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


@dataclass
class Scripted:
    answers: list[Said] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the name that http.server calls
            self.answer()

        def do_PUT(self) -> None:
            self.answer()

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            script.asked.append((self.command, self.path, headers, body))
            said = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            if said.status is None:
                self.close_connection = True
                return
            self.send_response_only(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.port = server.server_port
    set_environment(monkeypatch, f"http://localhost:{script.port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    yield script
    server.shutdown()
    thread.join()
    server.server_close()


def bucket() -> Bucket:
    clients = Clients("acme", [Account("vault", VAULT.account, (VAULT.region,))])
    return Bucket(clients, VAULT, "acme-engine")


def test_a_write_names_its_condition_and_asks_nothing_first(s3: Scripted) -> None:
    s3.answers = [Said(headers={"ETag": '"1"'})]
    assert bucket().write("a/lock.json", b"{}", over=None) == '"1"'
    assert bucket().write("a/lock.json", b"{}", over='"0"') == '"1"'
    (fresh, over) = s3.asked
    # Path style: an endpoint of one's own has no host for each bucket.
    assert (fresh[0], fresh[1], fresh[3]) == ("PUT", "/acme-engine/a/lock.json", b"{}")
    assert fresh[2]["if-none-match"] == "*"
    assert "if-match" not in fresh[2]
    assert over[2]["if-match"] == '"0"'
    assert "if-none-match" not in over[2]
    assert "expect" not in fresh[2]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (fault(412, "PreconditionFailed"), ConflictError),
        (fault(409, "ConditionalRequestConflict"), ConflictError),
        (fault(404, "NoSuchKey"), ConflictError),
        (Said(412), ConflictError),
        (Said(409), ConflictError),
        (Said(None), DoubtError),
        (fault(500, "InternalError"), DoubtError),
        (fault(503, "SlowDown"), DoubtError),
        (Said(502, b"<html>bad gateway"), DoubtError),
        (Said(200, b"<html>welcome"), DoubtError),
        (fault(403, "AccessDenied"), AwsError),
        (fault(404, "NoSuchBucket"), AwsError),
        (fault(400, "RequestTimeTooSkewed"), AwsError),
    ],
    ids=str,
)
def test_what_an_answer_to_a_write_means(
    s3: Scripted, said: Said, error: type[EngineError]
) -> None:
    s3.answers = [said]
    with pytest.raises(EngineError) as caught:
        bucket().write("lock.json", b"{}", over='"0"')
    assert type(caught.value) is error


def test_the_age_of_an_object_is_by_the_clock_of_s3(s3: Scripted) -> None:
    tag = {"ETag": '"1"'}
    s3.answers = [
        Said(200, b"x", {**tag, "Date": NOW, "Last-Modified": WRITTEN}),
        Said(200, b"x", {**tag, "Last-Modified": WRITTEN}),
        Said(200, b"x", {**tag, "Date": NOW}),
        Said(200, b"x", {**tag, "Date": "soon", "Last-Modified": WRITTEN}),
        Said(200, b"x", {**tag, "Date": WRITTEN, "Last-Modified": NOW}),
    ]
    ages = [found.age for _ in range(5) if (found := bucket().read("lock.json"))]
    # What is not known is young: a lease of unknown age is never taken over.
    assert ages == [timedelta(seconds=190), *[timedelta()] * 4]


def test_what_is_not_there_is_none_and_what_cannot_be_read_is_an_error(s3: Scripted) -> None:
    s3.answers = [fault(404, "NoSuchKey")]
    assert bucket().read("lock.json") is None
    for said in (
        *(fault(403, "AccessDenied"), fault(404, "NoSuchBucket"), fault(500, "InternalError")),
        *(Said(None), Said(200, b"<html>welcome")),
    ):
        s3.answers = [said]
        with pytest.raises(AwsError):
            bucket().read("lock.json")


def test_a_page_of_a_proxy_is_no_lease(s3: Scripted) -> None:
    s3.answers = [Said(200, b"<html>welcome", {"ETag": '"1"'})]
    with pytest.raises(EngineError, match="makes no sense"):
        Slot(bucket(), "lock.json").read()


def test_a_bucket_that_is_missing_says_what_to_do(s3: Scripted) -> None:
    s3.answers = [fault(404, "NoSuchBucket")]
    with pytest.raises(AwsError) as caught:
        bucket().read("lock.json")
    assert "create the bucket" in str(caught.value)
