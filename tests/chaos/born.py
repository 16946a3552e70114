"""What the forked processes do: serve a lab, or run one command of the engine."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from multiprocessing.connection import Connection
from pathlib import Path

from engine.applying import performing
from engine.applying.calls import Call
from engine.applying.ports import Cloud
from engine.cli.main import main
from engine.inventory.records import Location
from engine.lab.callers import Callers
from engine.lab.clock import Clock
from engine.lab.control import Control
from engine.lab.front import Front
from engine.lab.grafts import graft
from engine.lab.server import HOST, listen, open_port
from engine.lab.settings import Settings
from engine.lab.world import World
from tests.applying.killed import deadly, signal_to_itself
from tests.chaos.hurry import hurry
from tests.chaos.sabotage import SABOTAGES
from tests.chaos.witness import Witness, telling
from tests.forking.patching import found_in, put
from tests.forking.programs import stand_in

TELL_STACKS = signal.SIGUSR1
"""What a run is sent that does not end: it writes where its threads are."""


class Moment(Enum):
    """What a deadly run counts, and on which side of it it dies."""

    BEFORE_LINE = auto()
    """Before it writes a line of the journal."""
    AFTER_LINE = auto()
    BEFORE_CALL = auto()
    """Before it sends a call that changes something."""
    AFTER_CALL = auto()


@dataclass(frozen=True, slots=True)
class Death:
    """When a run kills itself: at the `number`-th line or call, from 1; or stops, by SIGSTOP."""

    moment: Moment
    number: int
    by: int = signal.SIGKILL


@dataclass(frozen=True, slots=True)
class EngineOrder:
    """A command to run: where, with what, and when it dies."""

    folder: Path
    words: tuple[str, ...]
    environment: dict[str, str]
    out: Path
    err: Path
    death: Death | None = None
    sabotage: str | None = None


def _doomed(death: Death) -> None:
    """Let this process kill itself as ordered."""
    match death.moment:
        case Moment.BEFORE_LINE:
            deadly("before", death.number, death.by)
        case Moment.AFTER_LINE:
            deadly("after", death.number, death.by)
        case Moment.BEFORE_CALL | Moment.AFTER_CALL:
            _deadly_calls(death)


def _deadly_calls(death: Death) -> None:
    send, guard, sent = found_in(performing, "send"), threading.Lock(), 0

    def counted(call: Call, cloud: Cloud, at: Location) -> None:
        nonlocal sent
        with guard:
            sent += 1
            is_last = sent == death.number
        if is_last and death.moment is Moment.BEFORE_CALL:
            signal_to_itself(death.by)
        send(call, cloud, at)
        if is_last and death.moment is Moment.AFTER_CALL:
            signal_to_itself(death.by)

    put(performing, "send", counted)


def run_engine(order: EngineOrder) -> None:
    """Run a command as the installed program would, but in a hurry; end with its exit code."""
    hurry()
    stand_in(order.folder, order.environment, order.out, order.err)
    faulthandler.register(TELL_STACKS, sys.stderr)
    if order.sabotage is not None:
        SABOTAGES[order.sabotage]()
    if order.death is not None:
        _doomed(order.death)
    sys.exit(main(order.words))


def serve_lab(line: Connection, tick: timedelta) -> None:
    """Serve an empty lab whose clock stands, until the other end of the line is closed.

    Its endpoint is said there first. A `tick` passes whenever the engine lists snapshots.
    """
    world, callers = World(Clock(datetime.now(UTC), 0), Settings()), Callers()
    witness = Witness(world, graft(world, callers), tick)
    front = Front(world, callers, witness, Control(world, callers))
    opened = open_port(0)
    server = listen(telling(witness, front), opened)
    threading.Thread(target=_follow, args=(line,), daemon=True).start()
    line.send(f"http://{HOST}:{opened.getsockname()[1]}")
    server.serve_forever()


def _follow(line: Connection) -> None:
    line.poll(None)
    os._exit(0)
