"""`engine validate`: everything that is wrong with documents, at once."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.findings import FORMATS, Findings
from engine.cli.inputs import add_at, add_policies, document_paths, the_time
from engine.documents.load import load
from engine.documents.model import Documents
from engine.errors import ExitCode, UsageError
from engine.inventory.bulk import collector_paused

if TYPE_CHECKING:
    from engine.plans.plan import Warned


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_policies(parser)
    parser.add_argument(
        "-format",
        "--format",
        choices=list(FORMATS),
        default="text",
        help="text (default), json, github for annotations in pull requests, or sarif",
    )
    parser.add_argument(
        "-strict", "--strict", action="store_true", help="exit 1 on warnings as well"
    )
    parser.add_argument(
        "-inventory",
        "--inventory",
        metavar="DIR",
        help="also check the documents against a recorded inventory",
    )
    add_at(parser)


def run(args: argparse.Namespace) -> int:
    """Check the documents; exit 1 where they have errors."""
    if args.format not in FORMATS:
        raise UsageError(
            f"there is no format {args.format}",
            where="ENGINE_FORMAT",
            fix=f"say one of {', '.join(FORMATS)}",
        )
    # What is read lives as long as the command, and holds no circles worth looking for.
    with collector_paused():
        loaded = load(document_paths(args))
        warned: tuple[Warned, ...] = ()
        if args.inventory and loaded.documents is not None:
            warned = _with_inventory(loaded.documents, args)
    findings = Findings(loaded.diagnostics, warned, len(loaded.policy_sources))
    sys.stdout.buffer.write(FORMATS[args.format](findings).encode())
    sys.stdout.buffer.flush()
    failed = findings.errors or (args.strict and findings.warnings)
    return int(ExitCode.ERROR if failed else ExitCode.OK)


def _with_inventory(documents: Documents, args: argparse.Namespace) -> tuple[Warned, ...]:
    """Return what a recorded inventory shows to be wrong with the documents."""
    from engine.inventory.recorded import read_inventory
    from engine.planning.checks import check

    inventory = read_inventory(Path(args.inventory))
    return check(documents, inventory, the_time(args, inventory))
