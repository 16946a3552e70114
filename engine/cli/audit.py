"""`engine audit`: do objectives and controls hold? Read-only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.inputs import (
    add_at,
    add_policies,
    check_choice,
    parse_time,
    read_documents,
    the_time,
)
from engine.documents.model import Documents
from engine.errors import UsageError
from engine.inventory.records import Inventory

if TYPE_CHECKING:
    from engine.plans.audit import AuditFound

FORMATS = ("text", "json", "markdown", "sarif", "junit")
# A disturbance begins with a slot two days ahead at the earliest.
LEAST_DAYS, MOST_DAYS = 4, 60
DEPTHS = ("auto", "newest", "all", "none")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_policies(parser)
    parser.add_argument(
        "-format",
        "--format",
        choices=FORMATS,
        default="text",
        help="text (default), json, markdown, sarif for code scanning, or junit for CI servers",
    )
    parser.add_argument("-json", "--json", action="store_true", help="the same as -format json")
    parser.add_argument("-out", "--out", metavar="FILE", help="write the result to a file")
    parser.add_argument("-full", "--full", action="store_true", help="show every ruling")
    parser.add_argument(
        "-shares",
        "--shares",
        choices=DEPTHS,
        default="auto",
        help="of which snapshots to ask AWS with whom they are shared, a call for each: auto "
        "(default) asks about all where a control needs it",
    )
    parser.add_argument(
        "-days",
        "--days",
        default="7",
        metavar="N",
        help="how many days to play for each disturbance of `objectives.survive` (default: 7)",
    )
    add_at(parser)
    parser.add_argument(
        "-inventory", "--inventory", metavar="DIR", help="judge a recording, no credentials"
    )


def run(args: argparse.Namespace) -> int:
    """Judge, tell; exit 6 when something is broken, 3 when not everything could be judged."""
    check_choice("-format", "ENGINE_FORMAT", args.format, FORMATS)
    check_choice("-shares", "ENGINE_SHARES", args.shares, DEPTHS)
    if args.at:
        parse_time(args.at)
    days = _days(args.days)
    from engine.inventory.bulk import collector_paused

    with collector_paused():
        found = _audit(args, days)
        _show(found, args)
    return int(found.exit_code)


def _days(text: str) -> int:
    if not text.isdecimal() or (text != "0" and not LEAST_DAYS <= int(text) <= MOST_DAYS):
        raise UsageError(
            f"-days {text}: not a number of days from {LEAST_DAYS} to {MOST_DAYS}",
            fix="write it like 7; 0 plays no disturbances",
        )
    return int(text)


def _audit(args: argparse.Namespace, days: int) -> AuditFound:
    from engine.auditing.audit import audit

    documents = read_documents(args)
    if args.inventory:
        from engine.inventory.recorded import read_inventory

        inventory = read_inventory(Path(args.inventory))
        now = the_time(args, inventory)
        asked: tuple[str, ...] = ()
    else:
        now = the_time(args)
        inventory, asked = _look(documents, now, args.shares)
    for note in inventory.notes:
        sys.stderr.write(f"engine: {note}\n")
    return audit(documents, inventory, now, asked, days)


def _look(documents: Documents, now: datetime, depth: str) -> tuple[Inventory, tuple[str, ...]]:
    """Return what exists, and of which snapshots it was asked with whom they are shared."""
    from engine.applying.clock import SystemClock
    from engine.applying.rates import RateBudget
    from engine.auditing.audit import asks_for_shares
    from engine.inventory.live import clients_of, read_live
    from engine.inventory.shares import with_shares
    from engine.planning.drift.shares import Depth, snapshots_to_ask_about
    from engine.plans.plan import PlanOptions

    if depth == "auto":
        depth = Depth.ALL if asks_for_shares(documents) else Depth.NONE
    clients = clients_of(documents.estate)
    inventory = read_live(documents.estate, clients, now, documents.kinds)
    if depth == Depth.NONE:
        return inventory, ()
    asked = snapshots_to_ask_about(documents, inventory, now, PlanOptions(), Depth(depth))
    return with_shares(inventory, clients, asked, RateBudget(SystemClock()).take), asked


def _show(found: AuditFound, args: argparse.Namespace) -> None:
    from engine.cli.output import screen_of, write_document, write_text

    name = "json" if args.json else args.format
    if name == "text" and not args.out:
        from engine.reports.text import audit_as_text

        write_text(audit_as_text(found, screen_of(sys.stdout), full=args.full))
        return
    data = _FORMS[name](found, args.full)
    if args.out:
        from engine.cli.files import write_whole

        write_whole(args.out, data)
    else:
        write_document(data)


def _text(found: AuditFound, full: bool) -> bytes:
    from engine.reports.screen import Screen
    from engine.reports.text import audit_as_text

    return audit_as_text(found, Screen(), full=full).encode()


def _json(found: AuditFound, full: bool) -> bytes:
    from engine.plans.json_form import dumps_audit

    return dumps_audit(found)


def _markdown(found: AuditFound, full: bool) -> bytes:
    from engine.reports.markdown import audit_as_markdown

    return audit_as_markdown(found, full=full).encode()


def _sarif(found: AuditFound, full: bool) -> bytes:
    from engine.reports.sarif import audit_as_sarif

    return audit_as_sarif(found).encode()


def _junit(found: AuditFound, full: bool) -> bytes:
    from engine.reports.junit import audit_as_junit

    return audit_as_junit(found).encode()


_FORMS: dict[str, Callable[[AuditFound, bool], bytes]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "sarif": _sarif,
    "junit": _junit,
}
