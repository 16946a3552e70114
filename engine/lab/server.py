"""The lab's process: `python -m engine.lab.server --port 0`.

Prints one line of JSON when it is ready: `{"endpoint": "http://127.0.0.1:PORT", "pid": …}`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from engine.lab.callers import Callers
from engine.lab.clock import Clock, time_of
from engine.lab.errors import LabError
from engine.lab.settings import Rules, Settings
from engine.lab.world import World

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

    from engine.lab.seeds import Seed

HOST = "127.0.0.1"


def build(world: World, callers: Callers) -> Any:
    """Return the lab as a WSGI application. Once per process: moto's state is the process's."""
    from engine.lab.control import Control
    from engine.lab.front import Front
    from engine.lab.grafts import graft

    moto = graft(world, callers)
    return Front(world, callers, moto, Control(world, callers))


def open_port(port: int) -> socket.socket:
    """Open a port on loopback, a free one for 0.

    Raises:
        LabError: it is taken.
    """
    try:
        return socket.create_server((HOST, port))
    except (OSError, OverflowError) as error:
        raise LabError(f"port {port} cannot be opened ({error})", "give another, or 0") from None


def listen(application: Any, opened: socket.socket) -> BaseWSGIServer:
    """Serve on a port that is open."""
    from werkzeug.serving import make_server

    from engine.lab.connections import Handler

    port, fd = opened.getsockname()[1], opened.fileno()
    return make_server(HOST, port, application, threaded=True, request_handler=Handler, fd=fd)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; with --parent-pipe also until standard input ends."""
    asked = _parser().parse_args(arguments)
    try:
        seed = _read_seed(asked.seed) if asked.seed else None
        start = time_of(asked.at) if asked.at else (seed and seed.at) or datetime.now(UTC)
        # It stands still until there is somebody to see it run.
        clock = Clock(start, 0)
        world, callers = World(clock, Settings(rules=Rules(asked.rules))), Callers()
        opened = open_port(asked.port)
        server = listen(build(world, callers), opened)
        if seed is not None:
            _plant(seed, world, callers)
        clock.speed = asked.speed
    except LabError as error:
        _say({"error": error.what, "remedy": error.remedy})
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _end())
    if asked.parent_pipe:
        threading.Thread(target=_follow_parent, daemon=True).start()
    _say({"endpoint": f"http://{HOST}:{opened.getsockname()[1]}", "pid": os.getpid()})
    server.serve_forever()
    return 0


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _read_seed(named: str) -> Seed:
    """Read a seed from a file, or the first line of standard input."""
    from engine.lab.seeds import read_seed

    try:
        text = sys.stdin.readline() if named == "-" else Path(named).read_text(encoding="utf-8")
        return read_seed(msgspec.json.decode(text))
    except (OSError, ValueError, RecursionError, msgspec.DecodeError) as error:
        raise LabError(f"the seed {named} cannot be read: {error}", "give a JSON file") from None


def _plant(seed: Seed, world: World, callers: Callers) -> None:
    from engine.lab.seeding import plant

    plant(seed, world, callers)


def _end() -> None:
    # Nothing is to be saved, and waiting for clients that keep connections open takes seconds.
    os._exit(0)


def _follow_parent() -> None:
    sys.stdin.buffer.read()
    _end()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine.lab.server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 is a free one")
    parser.add_argument("--at", help="the lab's first time, RFC 3339; else the seed's, else now")
    parser.add_argument("--speed", type=float, default=1.0, help="lab seconds per real second")
    parser.add_argument(
        "--rules", choices=[str(one) for one in Rules], default=str(Rules.DOCUMENTATION)
    )
    parser.add_argument("--seed", help="a JSON file to start from; - is a line of input")
    parser.add_argument("--parent-pipe", action="store_true", help="stop when standard input ends")
    return parser


if __name__ == "__main__":
    sys.exit(main())
