"""`engine drift`: what is not as the engine left it, or not as the documents say. Read-only."""

from __future__ import annotations

import argparse
import sys
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
from engine.errors import ExitCode, worst
from engine.inventory.records import Inventory
from engine.plans.plan import PlanOptions

if TYPE_CHECKING:
    from engine.plans.drift import DriftFound

FORMATS = ("text", "json", "markdown")
DEPTHS = ("newest", "all", "none")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_policies(parser)
    parser.add_argument(
        "-format",
        "--format",
        choices=FORMATS,
        default="text",
        help="text (default), json, or markdown as pull requests show it",
    )
    parser.add_argument("-json", "--json", action="store_true", help="the same as -format json")
    parser.add_argument("-full", "--full", action="store_true", help="unfold what is alike")
    parser.add_argument(
        "-shares",
        "--shares",
        choices=DEPTHS,
        default="newest",
        help="of which snapshots to ask AWS with whom they are shared, a call for each: the newest "
        "of each database and location and what is marked as shared (default), all, or none",
    )
    for flag, text in (
        ("only", "look at these sources only: ACCOUNT/REGION/IDENTIFIER, globs"),
        ("exclude", "leave these sources out"),
    ):
        parser.add_argument(
            f"-{flag}", f"--{flag}", action="append", default=[], metavar="ADDRESS-GLOB", help=text
        )
    add_at(parser)
    parser.add_argument(
        "-inventory", "--inventory", metavar="DIR", help="look at a recording, no credentials"
    )


def run(args: argparse.Namespace) -> int:
    """Look, tell; exit 2 when there is any drift, 3 when not everything could be read."""
    check_choice("-format", "ENGINE_FORMAT", args.format, FORMATS)
    check_choice("-shares", "ENGINE_SHARES", args.shares, DEPTHS)
    if args.at:
        parse_time(args.at)
    from engine.inventory.bulk import collector_paused

    with collector_paused():
        found = _find(args)
        _show(found, args)
    return int(exit_code(found))


def exit_code(found: DriftFound) -> ExitCode:
    """Return the exit code that a report gives."""
    codes = {ExitCode.OK}
    if not found.complete:
        codes.add(ExitCode.PARTIAL)
    if found.drift:
        codes.add(ExitCode.CHANGES)
    return worst(codes)


def _find(args: argparse.Namespace) -> DriftFound:
    documents = read_documents(args)
    options = PlanOptions(tuple(args.only), tuple(args.exclude))
    if args.inventory:
        from engine.inventory.recorded import read_inventory

        inventory = read_inventory(Path(args.inventory))
        return _judge(documents, inventory, the_time(args, inventory), options)
    return _look(documents, the_time(args), options, args.shares)


def _look(documents: Documents, now: datetime, options: PlanOptions, depth: str) -> DriftFound:
    from engine.applying.clock import SystemClock
    from engine.applying.rates import RateBudget
    from engine.inventory.live import clients_of, read_live
    from engine.inventory.shares import with_shares
    from engine.planning.drift.shares import Depth, snapshots_to_ask_about

    clients = clients_of(documents.estate)
    inventory = read_live(documents.estate, clients, now, documents.kinds)
    if depth == Depth.NONE:
        return _judge(documents, inventory, now, options)
    asked = snapshots_to_ask_about(documents, inventory, now, options, Depth(depth))
    known = with_shares(inventory, clients, asked, RateBudget(SystemClock()).take)
    return _judge(documents, known, now, options, asked, len(inventory.notes))


def _judge(
    documents: Documents,
    inventory: Inventory,
    now: datetime,
    options: PlanOptions,
    asked: tuple[str, ...] = (),
    old_notes: int | None = None,
) -> DriftFound:
    """Return what drifted; notes beyond the old ones tell of shares that could not be read."""
    import engine
    from engine.planning.drift.shares import shares_read
    from engine.planning.plan import NOTHING_SELECTED, make_plan
    from engine.plans.drift import DRIFT_FORMAT_VERSION, DriftFound, summary_of

    plan = make_plan(documents, inventory, now, options)
    nothing_selected = [one.text for one in plan.warnings if one.code == NOTHING_SELECTED]
    for note in (*inventory.notes, *nothing_selected):
        sys.stderr.write(f"engine: {note}\n")
    unknown = old_notes is not None and len(inventory.notes) > old_notes
    return DriftFound(
        format_version=DRIFT_FORMAT_VERSION,
        engine_version=engine.__version__,
        estate=plan.estate,
        as_of=plan.as_of,
        policies_digest=plan.policies_digest,
        inventory=plan.inventory,
        shares=shares_read(documents, inventory, now, options, asked),
        summary=summary_of(plan.drift),
        drift=plan.drift,
        only=options.only,
        exclude=options.exclude,
        complete=plan.complete and not unknown,
    )


def _show(found: DriftFound, args: argparse.Namespace) -> None:
    from engine.cli.output import screen_of, write_document, write_text

    if args.json or args.format == "json":
        from engine.plans.json_form import dumps_drift

        write_document(dumps_drift(found))
    elif args.format == "markdown":
        from engine.reports.markdown import drift_as_markdown

        write_document(drift_as_markdown(found, full=args.full).encode())
    else:
        from engine.reports.text import drift_as_text

        write_text(drift_as_text(found, screen_of(sys.stdout), full=args.full))
