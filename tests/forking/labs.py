"""A lab whose process is forked: the same server, without its imports."""

from __future__ import annotations

import json
import os
import sys
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Self

from engine.lab import server
from engine.lab.client import LabClient
from engine.lab.process import LabProcess, ServerOrder
from tests.forking.context import CONTEXT

START_SECONDS = 60.0
STOP_SECONDS = 10.0


class ForkedLab(LabProcess):
    """A lab that lives as long as this object."""

    def __init__(self, process: ForkServerProcess, line: Connection, endpoint: str) -> None:
        self._forked = process
        self._line = line
        self.endpoint = endpoint
        self.pid = process.pid or 0
        self.client = LabClient(endpoint)

    @classmethod
    def _started(cls, order: ServerOrder) -> Self:
        words = [*order.arguments, "--parent-pipe"]
        theirs, line = CONTEXT.Pipe(duplex=False)
        said, saying = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=become_lab, args=(words, theirs, saying), daemon=True)
        process.start()
        theirs.close()
        saying.close()
        if order.seed is not None:
            with os.fdopen(os.dup(line.fileno()), "wb") as file:
                file.write(json.dumps(order.seed).encode() + b"\n")
        assert said.poll(START_SECONDS), "the lab does not start"
        with os.fdopen(os.dup(said.fileno()), "rb") as file:
            told = json.loads(file.readline())
        said.close()
        assert "endpoint" in told, told
        return cls(process, line, told["endpoint"])

    def stop(self) -> None:
        """Stop the lab; a second time does nothing."""
        self._line.close()
        self._forked.join(STOP_SECONDS)
        if self._forked.exitcode is None:
            self._forked.kill()
            self._forked.join()


def become_lab(words: list[str], told: Connection, saying: Connection) -> None:
    """Be the lab's server from now on, with one end of a pipe as its input, one as its output."""
    os.dup2(told.fileno(), 0)
    os.dup2(saying.fileno(), sys.stdout.fileno())
    told.close()
    saying.close()
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.exit(server.main(words))
