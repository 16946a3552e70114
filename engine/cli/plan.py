"""`engine plan`: what apply would do, and why."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.cli.against import compared, read_before
from engine.cli.files import write_whole
from engine.cli.inputs import add_at, add_policies, document_paths, parse_time, the_time
from engine.cli.pricing import priced
from engine.errors import ExitCode, worst
from engine.plans.plan import Plan, PlanOptions
from engine.plans.troubles import codes_of, troubles_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_policies(parser)
    parser.add_argument("-out", "--out", metavar="FILE", help="save the plan for `engine apply`")
    parser.add_argument("-json", "--json", action="store_true", help="print the plan as JSON")
    parser.add_argument(
        "-detailed-exitcode",
        "--detailed-exitcode",
        action="store_true",
        help="exit 2 when there are changes, 4 when a guard withholds, 6 on errors and conflicts",
    )
    for flag, text in (
        ("only", "plan only these sources: ACCOUNT/REGION/IDENTIFIER, globs"),
        ("exclude", "leave these sources out"),
        ("acknowledge", "let the steps of a tripped guard through"),
    ):
        metavar = "DIGEST" if flag == "acknowledge" else "ADDRESS-GLOB"
        parser.add_argument(
            f"-{flag}", f"--{flag}", action="append", default=[], metavar=metavar, help=text
        )
    add_at(parser)
    parser.add_argument(
        "-inventory", "--inventory", metavar="DIR", help="plan from a recording, no credentials"
    )
    parser.add_argument("-markdown", "--markdown", metavar="FILE", help="write it for a review")
    parser.add_argument("-html", "--html", metavar="FILE", help="write it as a page for a browser")
    parser.add_argument(
        "-against",
        "--against",
        metavar="REF",
        help="tell what changes against these documents: a git ref, or a folder of policies",
    )
    parser.add_argument("-full", "--full", action="store_true", help="unfold alike steps")


def run(args: argparse.Namespace) -> int:
    """Plan, show, save."""
    from engine.inventory.bulk import collector_paused

    # A plan lives as long as the command and holds no circles worth looking for.
    with collector_paused():
        plan = _plan(args)
        if args.out:
            write_whole(args.out, _as_json(plan))
        if args.markdown:
            from engine.reports.markdown import plan_as_markdown

            write_whole(args.markdown, plan_as_markdown(plan, full=args.full).encode())
        if args.html:
            from engine.reports.html.report_page import plan_as_html

            write_whole(args.html, plan_as_html(plan, full=args.full).encode())
        _show(plan, args)
    return int(exit_code(plan, detailed=args.detailed_exitcode))


def _plan(args: argparse.Namespace) -> Plan:
    if args.at:
        parse_time(args.at)
    from engine.documents.load import documents_of, load

    paths = document_paths(args)
    loaded = load(paths)
    documents = documents_of(loaded)
    before = None if args.against is None else read_before(args.against, paths)
    if args.inventory:
        from engine.inventory.recorded import read_inventory

        inventory = read_inventory(Path(args.inventory))
        now = the_time(args, inventory)
    else:
        from engine.inventory.live import clients_of, read_live

        now = the_time(args)
        clients = clients_of(documents.estate)
        known = before.loaded.documents if before is not None else None
        kinds = documents.kinds | (known.kinds if known is not None else frozenset())
        inventory = read_live(documents.estate, clients, now, kinds)
    from engine.planning.plan import make_plan

    options = PlanOptions(tuple(args.only), tuple(args.exclude), frozenset(args.acknowledge))
    plan = priced(make_plan(documents, inventory, now, options), documents, inventory)
    return plan if before is None else compared(plan, before, loaded, documents, inventory)


def _show(plan: Plan, args: argparse.Namespace) -> None:
    from engine.cli.output import screen_of, write_document, write_text

    if args.json:
        write_document(_as_json(plan))
        return
    from engine.reports.text import plan_as_text

    text = plan_as_text(plan, screen_of(sys.stdout), full=args.full)
    if args.out:
        way_on = "" if plan.inventory.recorded else f" To do exactly this: engine apply {args.out}"
        text += f"\nSaved to {args.out}.{way_on}\n"
    write_text(text)


def exit_code(plan: Plan, *, detailed: bool) -> ExitCode:
    """Return the exit code that this plan gives."""
    codes = {ExitCode.OK}
    if plan.errored:
        codes.add(ExitCode.ERROR)
    if not plan.inventory.complete:
        codes.add(ExitCode.PARTIAL)
    if detailed:
        codes |= codes_of(troubles_of(plan))
    if detailed and plan.has_changes:
        codes.add(ExitCode.CHANGES)
    return worst(codes)


def _as_json(plan: Plan) -> bytes:
    from engine.plans.json_form import dumps

    return dumps(plan)
