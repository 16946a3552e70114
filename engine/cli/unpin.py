"""`engine unpin`: let rules decide again about what was pinned."""

from __future__ import annotations

import argparse
from datetime import datetime
from typing import TYPE_CHECKING

from engine.cli.apply import add_run_flags, carry_out, insist_on_an_answer
from engine.cli.pin import add_names, insist_on_a_find

if TYPE_CHECKING:
    from engine.aws.clients import Clients
    from engine.documents.model import Documents
    from engine.plans.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_names(parser)
    add_run_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Show what the names fit, ask, take the pins off."""
    insist_on_an_answer(args)
    return carry_out(args, _planned)


def _planned(
    documents: Documents, clients: Clients, now: datetime, args: argparse.Namespace
) -> Plan:
    from engine.inventory.live import read_live
    from engine.planning.pinning import plan_unpin

    inventory = read_live(documents.estate, clients, now, documents.kinds)
    return insist_on_a_find(plan_unpin(documents, inventory, now, args.names))
