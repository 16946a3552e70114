"""Starts and stops a lab of its own process."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from engine.lab.client import LabClient, environment
from engine.lab.clock import text_of, time_of
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
    ) -> LabProcess:
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
        command = [*server_command(port, speed, rules), "--parent-pipe"]
        command += start_arguments(at, seed)
        with tempfile.NamedTemporaryFile(prefix="engine-lab-", suffix=".log", delete=False) as log:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        path = Path(log.name)
        lab = cls(process, read_ready(process, path), path)
        if seed is not None:
            try:
                lab.client.seed(seed)
            except LabError:
                lab.stop()
                raise
        return lab

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


def server_command(port: int, speed: float, rules: str) -> list[str]:
    """Return the command that serves a lab."""
    command = [sys.executable, "-m", "engine.lab.server"]
    return [*command, "--port", str(port), "--speed", str(speed), "--rules", rules]


def start_arguments(at: datetime | None, seed: Any) -> list[str]:
    """Return what tells the server its first time: that given, else the seed's, else nothing."""
    told = seed.get("at") if isinstance(seed, dict) else None
    if at is None and isinstance(told, str):
        at = time_of(told)
    return ["--at", text_of(at)] if at else []


def read_ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for a lab's first line; return its endpoint.

    Raises:
        LabError: it ends before, or says nothing for a minute.
    """
    output = process.stdout
    if output is None:
        raise LabError("the lab's output is not read", "start it with a pipe")
    readable, _, _ = select.select([output], [], [], _START_SECONDS)
    line = output.readline() if readable else b""
    try:
        return str(json.loads(line)["endpoint"])
    except (ValueError, KeyError):
        process.kill()
        process.wait()
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise LabError(
            "the lab does not start: " + (said[-1] if said else "it says nothing"),
            "see whether `python -m engine.lab.server` works, and whether moto is installed "
            "(`pip install 'engine[lab]'`)",
        ) from None


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None and not stream.closed:
        stream.close()
