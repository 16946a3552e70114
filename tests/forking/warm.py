"""What the fork server imports, once, before it forks: all that a run or a lab needs.

The engine in the children is the one that is installed; botocore's answers to questions about its
own files are remembered. Nobody else may import this.
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
from botocore.hooks import NodeList

import engine
from engine.documents.shapes import shape_of
from tests.forking.patching import found_in, put

_IMPORTED_LATE = ("cronsim", "networkx", "yaml")


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


_import_all()
_remember_models()
_prepare()
# A child's collector would touch, and so copy, all that it shares with the others.
gc.collect()
gc.freeze()
