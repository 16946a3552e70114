"""`engine snapshot`: a point right now, before a risky change."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.cli.apply import add_run_flags, carry_out, insist_on_an_answer
from engine.cli.inputs import tag_text
from engine.errors import EngineError, ExitCode, UsageError, worst

if TYPE_CHECKING:
    from engine.aws.clients import Clients
    from engine.documents.model import Documents
    from engine.plans.plan import Plan

LONGEST = timedelta(days=36_525)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "address", metavar="ADDRESS-GLOB", help="databases: ACCOUNT/REGION/IDENTIFIER, a glob"
    )
    parser.add_argument("-reason", "--reason", metavar="TEXT", required=True, help="why")
    parser.add_argument(
        "-keep-for",
        "--keep-for",
        metavar="D",
        required=True,
        help="how long the point and its copies stay whatever rules say, like 30d",
    )
    parser.add_argument(
        "-no-copies", "--no-copies", action="store_true", help="send it to no target"
    )
    add_run_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Show what would be made, ask, make it and wait for it."""
    insist_on_an_answer(args)
    tag_text("-reason", args.reason)
    _keep_for(args)
    if getattr(args, "wait", None) is None:
        # A change that waits for its backup must know when it is there.
        args.wait = "wait"
    plans: list[Plan] = []

    def planned(
        documents: Documents, clients: Clients, now: datetime, args: argparse.Namespace
    ) -> Plan:
        plans.append(_planned(documents, clients, now, args))
        return plans[-1]

    code = ExitCode(carry_out(args, planned))
    lacking = any(_lacks_a_point(plan) for plan in plans)
    return int(worst({code, ExitCode.PARTIAL if lacking else ExitCode.OK}))


def _lacks_a_point(plan: Plan) -> bool:
    """Say whether a database that was meant gets no point."""
    from engine.planning.snapshotting import NO_POINT

    unselected = any(warned.code == NO_POINT for warned in plan.warnings)
    return unselected or bool(plan.waiting or plan.conflicts)


def _keep_for(args: argparse.Namespace) -> timedelta:
    from engine.retention.spans import SpanError, parse_span

    try:
        length = parse_span(args.keep_for).as_timedelta()
    except (SpanError, OverflowError) as error:
        raise UsageError(f"-keep-for {args.keep_for}: {error}", fix="write it like 30d") from error
    if not timedelta(0) < length <= LONGEST:
        raise UsageError(f"-keep-for {args.keep_for}: not between 1s and 100 years")
    return length


def _planned(
    documents: Documents, clients: Clients, now: datetime, args: argparse.Namespace
) -> Plan:
    from engine.inventory.live import read_live
    from engine.planning.snapshotting import Request, plan_snapshots

    inventory = read_live(documents.estate, clients, now, documents.kinds)
    request = Request(args.address, args.reason, _keep_for(args), stays_here=args.no_copies)
    plan = plan_snapshots(documents, inventory, now, request)
    if not plan.steps and not plan.waiting and plan.warnings:
        first = plan.warnings[0]
        raise EngineError(first.text, where=first.source, why="nothing was done", fix=first.fix)
    return plan
