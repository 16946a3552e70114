"""Starts and stops a lab of its own process."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from engine.lab.client import LabClient, environment
from engine.lab.errors import LabError

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


class LabProcess:
    """A lab that lives as long as this object: it stops with its parent, however that ends.

    Use it as a context manager, or call `stop`.

    Attributes:
        endpoint: what to give to AWS clients as their endpoint.
        pid: its process id.
        client: talks to the lab's own interface.
    """

    def __init__(self, process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
        self._process = process
        self.endpoint = endpoint
        self.pid = process.pid
        self.log = log
        self.client = LabClient(endpoint)

    @classmethod
    def start(
        cls,
        seed: Any = None,
        speed: float = 1.0,
        *,
        at: datetime | None = None,
        rules: str = "documentation",
        port: int = 0,
    ) -> Self:
        """Start a lab and wait until it answers.

        Args:
            seed: a seed document to put in, None for an empty lab.
            speed: lab seconds per real second.
            at: the lab's time to start at, by default the seed's, else now.
            rules: `documentation` or `blog`, which the ground truth follows.
            port: 0 is a free one.

        Raises:
            LabError: it does not start, or refuses the seed.
        """
        return cls._started(ServerOrder(seed, speed, at, rules, port))

    @classmethod
    def _started(cls, order: ServerOrder) -> Self:
        with tempfile.NamedTemporaryFile(prefix="engine-lab-", suffix=".log", delete=False) as log:
            process, endpoint = launch(order, log, ["--parent-pipe"])
        return cls(process, endpoint, Path(log.name))

    def environment(self, account: str, region: str) -> dict[str, str]:
        """Return the variables that point AWS tools to this lab, as an account's own caller."""
        return environment(self.endpoint, account, region)

    def stop(self) -> None:
        """Stop the lab; a second time does nothing."""
        _close(self._process.stdin)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _close(self._process.stdout)
        self.log.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Return the running lab."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        self.stop()


@dataclass(frozen=True, slots=True)
class ServerOrder:
    """How to start a lab; see `LabProcess.start`."""

    seed: Any = None
    speed: float = 1.0
    at: datetime | None = None
    rules: str = "documentation"
    port: int = 0

    @property
    def command(self) -> list[str]:
        """The command that serves it."""
        return [sys.executable, "-m", "engine.lab.server", *self.arguments]

    @property
    def arguments(self) -> list[str]:
        """What that command is given."""
        words = ["--port", str(self.port), "--speed", str(self.speed), "--rules", self.rules]
        words += ["--at", self.at.isoformat()] if self.at else []
        return words + (["--seed", "-"] if self.seed is not None else [])


def launch(
    order: ServerOrder, log: IO[bytes], more: Sequence[str] = (), *, detached: bool = False
) -> tuple[subprocess.Popen[bytes], str]:
    """Start a lab's server and wait until it answers; return its process and endpoint.

    Args:
        order: what to start.
        log: where its standard error goes.
        more: further arguments.
        detached: whether it outlives this process.

    Raises:
        LabError: it does not start, or refuses the seed.
    """
    process = subprocess.Popen(
        [*order.command, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        start_new_session=detached,
    )
    if order.seed is not None and process.stdin is not None:
        # A server that ends before it reads says why on its output.
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(order.seed).encode() + b"\n")
            process.stdin.flush()
    endpoint = _read_ready(process, Path(log.name))
    if detached:
        _close(process.stdin)
        _close(process.stdout)
    return process, endpoint


def _read_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    output = process.stdout
    readable = select.select([output], [], [], _START_SECONDS)[0] if output else []
    line = output.readline() if output and readable else b""
    try:
        told = json.loads(line)
    except ValueError:
        told = {}
    if "endpoint" in told:
        return str(told["endpoint"])
    process.kill()
    process.wait()
    if "error" in told:
        raise LabError(str(told["error"]), str(told["remedy"]))
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise LabError(
        "the lab does not start: " + (said[-1] if said else "it says nothing"),
        "see whether `python -m engine.lab.server` works, and whether moto is installed "
        "(`pip install 'engine[lab]'`)",
    )


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None and not stream.closed:
        stream.close()
