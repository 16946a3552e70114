"""Labs and runs of the engine for a story: forked processes, to be killed and stopped."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3

from engine.lab.client import LabClient, environment
from tests.chaos import born
from tests.chaos.born import Death, EngineOrder
from tests.chaos.witness import COUNT, DEEDS, TICK, Deed
from tests.forking.context import CONTEXT, WARM

CONTEXT.set_forkserver_preload([WARM, born.__name__])
START_SECONDS = 60.0
RUN_SECONDS = 300.0
LOOK_SECONDS = 0.05
STACK_SECONDS = 2.0
# Models of services are loaded once for all clients of a session.
_SESSION = boto3.session.Session()


class Lab:
    """A lab of its own process, for one world after the other; ends with this process.

    Its clock stands, but a `tick` passes whenever the engine lists snapshots.
    """

    def __init__(self, tick: timedelta = TICK) -> None:
        ours, theirs = CONTEXT.Pipe()
        self._line: Connection = ours
        self._process: ForkServerProcess = CONTEXT.Process(
            target=born.serve_lab, args=(theirs, tick), daemon=True
        )
        self._process.start()
        theirs.close()
        if not ours.poll(START_SECONDS):
            raise TimeoutError("the lab does not start")
        self.endpoint: str = ours.recv()
        self.client = LabClient(self.endpoint)
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.Lock()

    def begin(self, at: datetime, seed: Any) -> None:
        """Replace the world by that of a seed."""
        self.client.reset(at, seed)

    def environment(self, account: str, region: str) -> dict[str, str]:
        """Return the variables that point AWS tools to this lab, as an account's own caller."""
        return environment(self.endpoint, account, region)

    def boto(self, service: str, account: str, region: str) -> Any:
        """Return a plain boto3 client that works as an account's own caller."""
        with self._lock:
            if (service, account, region) not in self._clients:
                said = self.environment(account, region)
                make: Any = _SESSION.client
                self._clients[service, account, region] = make(
                    service,
                    region_name=region,
                    endpoint_url=self.endpoint,
                    aws_access_key_id=said["AWS_ACCESS_KEY_ID"],
                    aws_secret_access_key=said["AWS_SECRET_ACCESS_KEY"],
                )
            return self._clients[service, account, region]

    def deeds(self) -> list[Deed]:
        """Return what was changed, in order."""
        found: list[Deed] = self._ask(DEEDS)
        return found

    def count_deeds(self) -> int:
        """Return how many deeds there are."""
        return int(self._ask(COUNT))

    def _ask(self, path: str) -> Any:
        connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=60)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def end(self) -> None:
        """End its process."""
        self._process.kill()
        self._process.join()
        self._line.close()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its exit code, the negative number of a signal that killed it, its words."""

    code: int
    out: str
    err: str

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.code == -signal.SIGKILL


class Run:
    """A run of the engine that has started."""

    def __init__(self, order: EngineOrder) -> None:
        self._order = order
        self._process: ForkServerProcess = CONTEXT.Process(target=born.run_engine, args=(order,))
        self._process.start()
        self.pid: int = self._process.pid or 0

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end; tell whether it came."""
        self._process.join(seconds)
        return self._process.exitcode is not None

    def stops(self) -> bool:
        """Wait until it has stopped, by SIGSTOP, or ended; tell whether it has stopped."""
        while not self.ends_within(LOOK_SECONDS):
            with contextlib.suppress(OSError):
                told = Path(f"/proc/{self.pid}/stat").read_text()
                if told.rpartition(") ")[2].startswith("T"):
                    return True
        return False

    def signal(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def end(self) -> Ended:
        """Wait for its end and return how it ended."""
        if not self.ends_within(RUN_SECONDS):
            self.signal(born.TELL_STACKS)
            self.ends_within(STACK_SECONDS)
            self.signal()
            self._process.join()
            told = self._order.err.read_text()
            raise TimeoutError(f"engine {' '.join(self._order.words)} does not end: {told}")
        code = self._process.exitcode
        assert code is not None
        self._process.close()
        return Ended(code, self._order.out.read_text(), self._order.err.read_text())


def order_engine(
    folder: Path,
    words: tuple[str, ...],
    variables: Mapping[str, str],
    number: int = 0,
    death: Death | None = None,
    sabotage: str | None = None,
) -> EngineOrder:
    """Return an order for the `number`-th run of the engine in a folder."""
    out, err = folder / f"out-{number}", folder / f"err-{number}"
    for path in (out, err):
        # The run may be killed before it opens them.
        path.touch()
    return EngineOrder(folder, words, dict(variables), out, err, death, sabotage)
