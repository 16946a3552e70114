"""`engine inventory export DIR`: record what exists, for plans without credentials."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.cli.inputs import add_at, add_policies_flag, read_documents, the_time
from engine.errors import ExitCode
from engine.inventory.records import Inventory, Kind, ScopeStatus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("word", choices=["export"], metavar="export", help="what to do")
    parser.add_argument("folder", metavar="DIR", help="where to; an older recording is replaced")
    parser.add_argument(
        "-clusters",
        "--clusters",
        action="store_true",
        help="record DB clusters though no policy protects any",
    )
    add_policies_flag(parser)
    add_at(parser)


def run(args: argparse.Namespace) -> int:
    """Read what exists and write it as AWS CLI output."""
    from engine.inventory.recording import check_replaceable, write_inventory

    folder = Path(args.folder)
    check_replaceable(folder)
    documents = read_documents(args)

    from engine.inventory.live import clients_of, read_live

    kinds = frozenset(Kind) if args.clusters else documents.kinds
    clients = clients_of(documents.estate)
    inventory = read_live(documents.estate, clients, the_time(args), kinds)
    write_inventory(inventory, folder)
    return int(_tell(inventory, args.folder))


def _tell(inventory: Inventory, folder: str) -> ExitCode:
    scopes = inventory.scopes.values()
    failed = [scope for scope in scopes if scope.status is not ScopeStatus.OK]
    for note in inventory.notes:
        sys.stderr.write(f"engine: {note}\n")
    for scope in failed:
        sys.stderr.write(f"engine: {scope.location} could not be read: {scope.cause}\n")
    instances = sum(len(scope.instances or ()) for scope in scopes)
    snapshots = sum(len(scope.snapshots or ()) for scope in scopes)
    clusters = [found for scope in scopes if (found := scope.clusters) is not None]
    for scope in scopes:
        if scope.clusters is not None and scope.clusters.cause is not None:
            cause = scope.clusters.cause
            sys.stderr.write(f"engine: DB clusters of {scope.location} not known: {cause}\n")
    more = ""
    if clusters:
        databases = sum(len(one.clusters or ()) for one in clusters)
        objects = sum(len(one.snapshots or ()) for one in clusters)
        more = f", {databases} clusters, {objects} cluster snapshots"
    incomplete = f", {len(failed)} of them incomplete" if failed else ""
    sys.stdout.write(
        f"{folder}: {len(inventory.scopes)} locations{incomplete},"
        f" {instances} instances, {snapshots} snapshots{more}\n"
    )
    return ExitCode.PARTIAL if failed else ExitCode.OK
