"""`engine inventory export DIR`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import ExitCode, UsageError
from engine.inventory.records import Inventory, ScopeStatus

NAME = "inventory"
HELP = "record what exists, for plans without credentials"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("word", choices=["export"], metavar="export", help="what to do")
    parser.add_argument("folder", metavar="DIR", help="where to; replaced when it is a recording")
    parser.add_argument(
        "-policies",
        "--policies",
        nargs="+",
        default=["policies"],
        metavar="PATH",
        help="documents that name the estate (policies/)",
    )
    parser.add_argument(
        "-at", "--at", metavar="TIME", help="RFC 3339 time to record instead of the clock's"
    )


def run(args: argparse.Namespace) -> int:
    """Read what exists and write it as AWS CLI output."""
    from engine.documents.load import load_or_raise

    now = _time(args.at) if args.at else datetime.now(UTC)
    documents = load_or_raise([Path(path) for path in args.policies])

    from engine.inventory.live import clients_of, read_live
    from engine.inventory.recording import write_inventory

    inventory = read_live(documents.estate, clients_of(documents.estate), now)
    write_inventory(inventory, Path(args.folder))
    return int(_tell(inventory, args.folder))


def _tell(inventory: Inventory, folder: str) -> ExitCode:
    scopes = inventory.scopes.values()
    failed = [scope for scope in scopes if scope.status is not ScopeStatus.OK]
    for note in inventory.notes:
        sys.stderr.write(f"note: {note}\n")
    for scope in failed:
        sys.stderr.write(f"engine: {scope.location}: not read: {scope.cause}\n")
    instances = sum(len(scope.instances or ()) for scope in scopes)
    snapshots = sum(len(scope.snapshots or ()) for scope in scopes)
    sys.stdout.write(
        f"{folder}: {len(inventory.scopes)} locations, {len(failed)} of them incomplete,"
        f" {instances} instances, {snapshots} snapshots\n"
    )
    return ExitCode.PARTIAL if failed else ExitCode.OK


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _no_time(text) from None
    if moment.tzinfo is None:
        raise _no_time(text)
    return moment.astimezone(UTC)


def _no_time(text: str) -> UsageError:
    return UsageError(f"-at {text}: no RFC 3339 time", fix="write 2026-11-21T02:10:00Z")
