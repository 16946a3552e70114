"""`engine inventory export DIR`: record what exists, for plans without credentials."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.cli.inputs import add_at, add_policies_flag, read_documents, the_time
from engine.errors import ExitCode
from engine.inventory.records import Inventory, ScopeStatus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("word", choices=["export"], metavar="export", help="what to do")
    parser.add_argument("folder", metavar="DIR", help="where to; an older recording is replaced")
    add_policies_flag(parser)
    add_at(parser)


def run(args: argparse.Namespace) -> int:
    """Read what exists and write it as AWS CLI output."""
    from engine.inventory.recording import check_replaceable, write_inventory

    folder = Path(args.folder)
    check_replaceable(folder)
    documents = read_documents(args)

    from engine.inventory.live import clients_of, read_live

    inventory = read_live(documents.estate, clients_of(documents.estate), the_time(args))
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
    incomplete = f", {len(failed)} of them incomplete" if failed else ""
    sys.stdout.write(
        f"{folder}: {len(inventory.scopes)} locations{incomplete},"
        f" {instances} instances, {snapshots} snapshots\n"
    )
    return ExitCode.PARTIAL if failed else ExitCode.OK
