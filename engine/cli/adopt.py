"""`engine adopt`: bring snapshots of other tools under a policy, without moving data."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.files import write_whole
from engine.cli.inputs import add_at, add_policies_flag, parse_time, read_documents, the_time
from engine.cli.output import screen_of, write_document, write_text
from engine.documents.suggestions import did_you_mean
from engine.errors import UsageError
from engine.inventory.records import Kind

if TYPE_CHECKING:
    from engine.planning.adoptable import Wanted
    from engine.plans.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "address", metavar="ADDRESS-GLOB", help="databases: ACCOUNT/REGION/IDENTIFIER, a glob"
    )
    parser.add_argument(
        "-policy", "--policy", metavar="NAME", required=True, help="the policy they come under"
    )
    for flag, metavar, text in (
        ("identifiers", "GLOB", "only snapshots whose id fits"),
        ("after", "TIME", "only snapshots taken at this time or later"),
        ("before", "TIME", "only snapshots taken before this time"),
        ("out", "FILE", "save the plan for `engine apply`; without it this only shows"),
    ):
        parser.add_argument(f"-{flag}", f"--{flag}", metavar=metavar, help=text)
    parser.add_argument("-json", "--json", action="store_true", help="print the plan as JSON")
    parser.add_argument("-full", "--full", action="store_true", help="unfold alike steps")
    parser.add_argument(
        "-inventory", "--inventory", metavar="DIR", help="plan from a recording, no credentials"
    )
    add_policies_flag(parser)
    add_at(parser)


def run(args: argparse.Namespace) -> int:
    """Plan the adoption, show it and what would follow, save it."""
    from engine.cli.plan import exit_code

    wanted = _wanted(args)
    plan = _plan(args, wanted)
    if args.out:
        write_whole(args.out, _as_json(plan))
    if args.json:
        write_document(_as_json(plan))
    else:
        write_text(_as_text(plan, args))
    return int(exit_code(plan, detailed=False))


def _wanted(args: argparse.Namespace) -> Wanted:
    from engine.planning.adoptable import Wanted

    return Wanted(
        address=args.address,
        policy=args.policy,
        identifiers=args.identifiers,
        before=parse_time(args.before, "-before") if args.before else None,
        after=parse_time(args.after, "-after") if args.after else None,
    )


def _plan(args: argparse.Namespace, wanted: Wanted) -> Plan:
    from engine.planning.adopting import plan_adoption

    documents = read_documents(args)
    if wanted.policy not in documents.policies:
        known = sorted(documents.policies)
        raise UsageError(
            f"there is no policy {wanted.policy!r}",
            fix=did_you_mean(wanted.policy, known) or f"the policies are {', '.join(known)}",
        )
    if documents.policies[wanted.policy].protects is Kind.CLUSTER:
        raise UsageError(
            f"policy {wanted.policy} protects DB clusters, whose snapshots cannot be adopted",
            fix="name a policy that protects DB instances",
        )
    if args.inventory:
        from engine.inventory.recorded import read_inventory

        inventory = read_inventory(Path(args.inventory))
        return plan_adoption(documents, inventory, the_time(args, inventory), wanted)
    from engine.inventory.live import clients_of, read_live

    now = the_time(args)
    inventory = read_live(documents.estate, clients_of(documents.estate), now)
    return plan_adoption(documents, inventory, now, wanted)


def _as_text(plan: Plan, args: argparse.Namespace) -> str:
    from engine.reports.text import plan_as_text

    text = plan_as_text(plan, screen_of(sys.stdout), full=args.full)
    if not plan.has_changes:
        return text
    if not args.out:
        return f"{text}\nNothing was done. Save it with -out FILE to apply it.\n"
    way_on = "" if plan.inventory.recorded else f" To do exactly this: engine apply {args.out}"
    return f"{text}\nSaved to {args.out}.{way_on}\n"


def _as_json(plan: Plan) -> bytes:
    from engine.plans.json_form import dumps

    return dumps(plan)
