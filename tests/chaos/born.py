"""What the forked processes do: serve a lab, or run one command of the engine.

This module is imported once, by the fork server, with everything that a run needs; every child
inherits that. The engine in it is the one that is installed, but for its real-time waits: backoff
lasts milliseconds and the rate budget does not bind, since the lab's time is not real either.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# What a run imports where it is used, imported before the fork.
import boto3
import botocore.client
import botocore.httpsession
import botocore.loaders
import botocore.retries.standard
import cronsim  # noqa: F401
import msgspec  # noqa: F401
import networkx  # noqa: F401
import yaml  # noqa: F401

import engine.aws.clients
import engine.cli.apply
import engine.cli.plan
import engine.inventory.live
import engine.lab.rds.backend
import engine.lab.rds.responses
import engine.lab.sts
import engine.planning.plan
import engine.reports.text
from engine.applying import performing
from engine.applying.calls import Call
from engine.applying.clock import SystemClock, ThreadWorkers
from engine.applying.ports import Cloud
from engine.cli.main import main
from engine.documents.shapes import shape_of
from engine.inventory.records import Location
from engine.lab.callers import Callers
from engine.lab.clock import Clock
from engine.lab.control import Control
from engine.lab.front import Front
from engine.lab.grafts import graft
from engine.lab.seeding import plant
from engine.lab.seeds import read_seed
from engine.lab.server import HOST, listen, open_port
from engine.lab.settings import Rules, Settings
from engine.lab.world import World
from tests.applying.killed import deadly
from tests.chaos.sabotage import SABOTAGES, found_in, put
from tests.chaos.witness import Witness, telling

REPLY_SECONDS = 20
FASTER = 150.0


@dataclass(frozen=True, slots=True)
class LabOrder:
    """A lab to start: its seed, its time, whose rules its ground truth follows."""

    seed: Any
    at: datetime
    rules: str


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
    """When a run kills itself: at the `number`-th line or call, from 1."""

    moment: Moment
    number: int


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


def _remember(place: object, name: str) -> None:
    """Let a method of all objects of a class answer the same question but once, for all children.

    The questions are about files of botocore, which do not change.
    """
    method, known = found_in(place, name), dict[Any, Any]()

    def remembered(self: Any, *asked: Any, **more: Any) -> Any:
        question = (asked, tuple(sorted(more.items())))
        if question not in known:
            known[question] = method(self, *asked, **more)
        return known[question]

    put(place, name, remembered)


def _remember_models() -> None:
    """Let children inherit what every client of AWS begins with: most of a run's time else."""
    loader = botocore.loaders.Loader
    for name in ("load_service_model", "load_data", "load_data_with_path"):
        _remember(loader, name)
    context = botocore.httpsession.create_urllib3_context()
    put(botocore.httpsession, "create_urllib3_context", lambda *_, **__: context)
    _remember_methods()
    session = boto3.session.Session("AKIA", "secret", region_name="eu-west-1")
    for service in ("rds", "kms", "ec2", "sts", "s3"):
        make: Any = session.client
        make(service).can_paginate("describe_db_snapshots")


def _remember_methods() -> None:
    """Let the methods of a service's clients, hundreds for RDS, be made once for all children."""
    create, known = found_in(botocore.client.ClientCreator, "_create_methods"), dict[str, Any]()

    def create_methods(self: Any, model: Any) -> Any:
        if model.service_name not in known:
            known[model.service_name] = create(self, model)
        return dict(known[model.service_name])

    put(botocore.client.ClientCreator, "_create_methods", create_methods)


def _import_all() -> None:
    """Let children inherit every module of the engine: it imports them where they are used."""
    for found in pkgutil.walk_packages(engine.__path__, "engine."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def _prepare() -> None:
    """Let children inherit the shapes of documents: compiling them takes a twentieth second."""
    for kind in ("estate", "policy"):
        shape_of(kind)


def _hurry() -> None:
    """Let a second of the engine's waits last a `FASTER`th: nothing waits for AWS here."""
    sleep, elapsed, receive = SystemClock.sleep, SystemClock.elapsed, ThreadWorkers.receive

    def quick_sleep(self: SystemClock, seconds: float) -> None:
        sleep(self, seconds / FASTER)

    def quick_elapsed(self: SystemClock) -> float:
        return elapsed(self) * FASTER

    def quick_receive(self: ThreadWorkers[Any], seconds: float) -> Any:
        return receive(self, seconds / FASTER)

    put(SystemClock, "sleep", quick_sleep)
    put(SystemClock, "elapsed", quick_elapsed)
    put(ThreadWorkers, "receive", quick_receive)
    backoff = botocore.retries.standard.ExponentialBackoff
    delay = backoff.delay_amount
    put(backoff, "delay_amount", lambda self, context: delay(self, context) / FASTER)
    put(engine.aws.clients, "REPLY_SECONDS", REPLY_SECONDS)


def _doomed(death: Death) -> None:
    """Let this process kill itself as ordered."""
    match death.moment:
        case Moment.BEFORE_LINE:
            deadly("before", death.number)
        case Moment.AFTER_LINE:
            deadly("after", death.number)
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
            os.kill(os.getpid(), signal.SIGKILL)
        send(call, cloud, at)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)

    put(performing, "send", counted)


def run_engine(order: EngineOrder) -> None:
    """Run a command as the installed program would, and end with its exit code."""
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    for stream, path in ((sys.stdout, order.out), (sys.stderr, order.err)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    if order.sabotage is not None:
        SABOTAGES[order.sabotage]()
    if order.death is not None:
        _doomed(order.death)
    sys.exit(main(order.words))


def serve_lab(order: LabOrder, line: Connection) -> None:
    """Serve a lab until the other end of the line is closed; say its endpoint there first."""
    clock = Clock(order.at, 0)
    world, callers = World(clock, Settings(rules=Rules(order.rules))), Callers()
    witness = Witness(world, graft(world, callers))
    front = Front(world, callers, witness, Control(world, callers))
    opened = open_port(0)
    server = listen(telling(witness, front), opened)
    plant(read_seed(order.seed), world, callers)
    threading.Thread(target=_follow, args=(line,), daemon=True).start()
    line.send(f"http://{HOST}:{opened.getsockname()[1]}")
    server.serve_forever()


def _follow(line: Connection) -> None:
    line.poll(None)
    os._exit(0)


_import_all()
_remember_models()
_prepare()
_hurry()
# A child's collector would touch, and so copy, all that it shares with the others.
gc.collect()
gc.freeze()
