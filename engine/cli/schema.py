"""`engine schema`: the JSON Schemas of the documents that are read and written."""

from __future__ import annotations

import argparse
import sys

from engine.documents.shapes import schema_text
from engine.errors import ExitCode, UsageError

SCHEMAS = {
    "estate": ("estate.v1.json", "accounts, targets, defaults and guards of a repository"),
    "accounts": ("accounts.v1.json", "more accounts of the estate"),
    "policy": ("policy.v1.json", "what is protected, when, for how long, copied where"),
    "plan": ("plan.v1.json", "what `engine plan -json` prints"),
    "drift": ("drift.v1.json", "what `engine drift -json` prints"),
    "fleet": ("fleet.v1.json", "databases that are made up, for `engine simulate`"),
    "events": ("events.v1.json", "what happens while `engine simulate` plays"),
    "simulation": ("simulation.v1.json", "what `engine simulate -json` prints"),
    "controls": ("controls.v1.json", "rules of auditors over policies and what exists"),
    "audit": ("audit.v1.json", "what `engine audit -format json` prints"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help=f"one of {', '.join(SCHEMAS)}; none lists them"
    )


def run(args: argparse.Namespace) -> int:
    """Print a schema, or the kinds of documents that have one."""
    if args.kind is None:
        for kind, (_, meaning) in SCHEMAS.items():
            sys.stdout.write(f"{kind:<10} {meaning}\n")
        return int(ExitCode.OK)
    if args.kind not in SCHEMAS:
        raise UsageError(
            f"there is no kind of document {args.kind!r}", fix=f"say one of {', '.join(SCHEMAS)}"
        )
    sys.stdout.write(schema_text(SCHEMAS[args.kind][0]))
    return int(ExitCode.OK)
