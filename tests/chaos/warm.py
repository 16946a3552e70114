"""What the fork server imports, once, before it forks: all that a run needs, and hurry.

The engine in the children is the one that is installed, but for its real-time waits: a second of
them lasts a `FASTER`th, since the lab's time is not real either. Nobody else may import this.
"""

from __future__ import annotations

import gc
import importlib
import pkgutil
from typing import Any

import boto3
import botocore.client
import botocore.hooks
import botocore.httpsession
import botocore.loaders
import botocore.retries.standard
from botocore.hooks import NodeList

import engine
import engine.aws.clients
import tests.chaos.born
from engine.applying import s3_lock
from engine.applying.clock import SystemClock, ThreadWorkers
from engine.applying.s3_lock import Terms
from engine.documents.shapes import shape_of
from tests.chaos.sabotage import found_in, put

_IMPORTED_LATE = ("cronsim", "networkx", "yaml")
REPLY_SECONDS = 20
HASTY = Terms(lease=2.0, grace=1.0, renewal=0.5, passes=0.6 * 150.0, again=0.3, look=20.0)
"""The lease in S3, which tells whole seconds of its own clock; `passes`, `look` are hurried."""
FASTER = 150.0


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


_PAGED = {
    "rds": "describe_db_snapshots",
    "s3": "list_objects_v2",
    "kms": "list_aliases",
    "ec2": "describe_instances",
    "sts": "get_caller_identity",
}


def _remember_models() -> None:
    """Let children inherit what every client of AWS begins with: most of a run's time else."""
    loader = botocore.loaders.Loader
    for name in ("load_service_model", "load_data", "load_data_with_path"):
        _remember(loader, name)
    context = botocore.httpsession.create_urllib3_context()
    put(botocore.httpsession, "create_urllib3_context", lambda *_, **__: context)
    _remember(botocore.client.ClientCreator, "_load_service_model")
    _remember(botocore.hooks.EventAliaser, "_alias_event_name")
    _remember_classes()
    _copy_quickly()
    session = boto3.session.Session("AKIA", "secret", region_name="eu-west-1")
    for service, paged in _PAGED.items():
        make: Any = session.client
        make(service).can_paginate(paged)


def _remember_classes() -> None:
    """Let the class of a service's clients, hundreds of methods for RDS, be made once."""
    create, known = (
        found_in(botocore.client.ClientCreator, "_create_client_class"),
        dict[str, Any](),
    )

    def create_class(self: Any, service: str, model: Any) -> Any:
        if service not in known:
            known[service] = create(self, service, model)
        return known[service]

    put(botocore.client.ClientCreator, "_create_client_class", create_class)


def _copy_quickly() -> None:
    """Let the handlers of a client be copied in a fifth of the time."""

    def copied(self: Any, node: dict[str, Any]) -> dict[str, Any]:
        return {
            key: copied(self, value)
            if isinstance(value, dict)
            else NodeList(*(list(part) for part in value))
            if isinstance(value, NodeList)
            else value
            for key, value in node.items()
        }

    put(found_in(botocore.hooks, "_PrefixTrie"), "_recursive_copy", copied)


def _import_all() -> None:
    """Let children inherit every module of the engine: it imports them where they are used."""
    for found in pkgutil.walk_packages(engine.__path__, "engine."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    for name in _IMPORTED_LATE:
        importlib.import_module(name)


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
    acquire = s3_lock.acquire

    def acquire_hastily(*given: Any, terms: Terms, **more: Any) -> Any:
        return acquire(*given, terms=HASTY, **more)

    put(s3_lock, "acquire", acquire_hastily)


tests.chaos.born.is_hurried = True
_import_all()
_remember_models()
_prepare()
_hurry()
# A child's collector would touch, and so copy, all that it shares with the others.
gc.collect()
gc.freeze()
