"""An HTTP endpoint on loopback that answers as told, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

RDS_SPACE = "http://rds.amazonaws.com/doc/2014-10-31/"
STS_SPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its action, parameters, and headers by lower-case name."""

    action: str
    parameters: dict[str, str]
    headers: dict[str, str]

    @property
    def access_key(self) -> str:
        """Whose key signed it."""
        return self.headers["authorization"].partition("Credential=")[2].partition("/")[0]

    @property
    def region(self) -> str:
        """For which region it is signed."""
        return self.headers["authorization"].partition("Credential=")[2].split("/")[2]


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer; no status: drop the connection."""

    body: str
    status: int | None = 200
    type: str = "text/xml"


DROP = Reply("", None)
Script = Callable[[Asked], Reply]


@dataclass
class ScriptedAws:
    """Replies by action; an action without one is refused."""

    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    endpoint: str = ""

    def on(self, action: str, *replies: Reply | Script) -> None:
        """Answer `action` with these replies in turn, the last for ever."""
        waiting = list(replies)
        lock = threading.Lock()

        def next_reply(asked: Asked) -> Reply:
            with lock:
                reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            return reply if isinstance(reply, Reply) else reply(asked)

        self.scripts[action] = next_reply

    def calls(self, action: str) -> list[Asked]:
        """Return the requests of one action."""
        return [asked for asked in self.asked if asked.action == action]

    def reply(self, asked: Asked) -> Reply:
        """Remember a request and answer it."""
        self.asked.append(asked)
        refusal = error("AccessDenied", f"not allowed to call {asked.action}", status=403)
        script = self.scripts.get(asked.action)
        return refusal if script is None else script(asked)


def rds(action: str, inner: str) -> Reply:
    """Return an answer of RDS."""
    return Reply(
        f'<{action}Response xmlns="{RDS_SPACE}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{action}Response>"
    )


def error(code: str, message: str = "", status: int = 400) -> Reply:
    """Return an error as the query protocol writes it."""
    return Reply(
        f'<ErrorResponse xmlns="{RDS_SPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
        f"<Message>{message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>",
        status,
    )


def identity(account: str) -> Reply:
    """Return GetCallerIdentity's answer."""
    return Reply(
        f'<GetCallerIdentityResponse xmlns="{STS_SPACE}"><GetCallerIdentityResult>'
        f"<Arn>arn:aws:sts::{account}:assumed-role/r/s</Arn><UserId>U</UserId>"
        f"<Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    )


def granted(key: str, lasts: timedelta = timedelta(hours=1)) -> Reply:
    """Return AssumeRole's answer."""
    until = (datetime.now(UTC) + lasts).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Reply(
        f'<AssumeRoleResponse xmlns="{STS_SPACE}"><AssumeRoleResult><Credentials>'
        f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
        f"<SessionToken>token</SessionToken><Expiration>{until}</Expiration>"
        f"</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    aws: ScriptedAws

    def do_POST(self) -> None:  # the name that http.server calls
        length = int(self.headers.get("Content-Length", "0"))
        form = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        parameters = {name: values[0] for name, values in form.items()}
        action = headers.get("x-amz-target", "").rpartition(".")[2] or parameters.pop("Action", "")
        reply = self.aws.reply(Asked(action, parameters, headers))
        if reply.status is None:
            self.close_connection = True
            return
        body = reply.body.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAws]:
    """A scripted AWS that the environment points every client at; each call is tried twice."""
    scripted = ScriptedAws()
    handler = type("Handler", (_Handler,), {"aws": scripted})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scripted.endpoint = f"http://127.0.0.1:{server.server_port}"
    set_environment(monkeypatch, scripted.endpoint)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    yield scripted
    server.shutdown()
    thread.join()
    server.server_close()


def set_environment(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Point clients at `endpoint` with the caller's key OWNKEY, whatever the machine has set."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OWNKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
