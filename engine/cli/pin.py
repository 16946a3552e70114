"""`engine pin`: keep snapshots whatever rules say, until they are unpinned."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from engine.cli.apply import add_run_flags, carry_out, insist_on_an_answer
from engine.cli.inputs import tag_text
from engine.errors import EngineError

if TYPE_CHECKING:
    from engine.aws.clients import Clients
    from engine.documents.model import Documents
    from engine.plans.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_names(parser)
    parser.add_argument("-reason", "--reason", metavar="TEXT", required=True, help="why")
    add_run_flags(parser)


def add_names(parser: argparse.ArgumentParser) -> None:
    """Declare how snapshots are named."""
    parser.add_argument(
        "names", nargs="+", metavar="SNAPSHOT", help="ids or ARNs of the engine's snapshots; globs"
    )


def run(args: argparse.Namespace) -> int:
    """Show what the names fit, ask, pin it."""
    insist_on_an_answer(args)
    tag_text("-reason", args.reason)
    return carry_out(args, _planned)


def _planned(
    documents: Documents, clients: Clients, now: datetime, args: argparse.Namespace
) -> Plan:
    from engine.inventory.live import read_live
    from engine.planning.pinning import plan_pin

    inventory = read_live(documents.estate, clients, now, documents.kinds)
    return insist_on_a_find(plan_pin(documents, inventory, now, args.names, args.reason))


def insist_on_a_find(plan: Plan) -> Plan:
    """Return the plan of what was found; raises EngineError where a name fits nothing."""
    from engine.planning.pinning import NOTHING_TO_PIN

    for warned in plan.warnings:
        if warned.code == NOTHING_TO_PIN:
            raise EngineError(warned.text, why="nothing was done", fix=warned.fix)
    return plan
