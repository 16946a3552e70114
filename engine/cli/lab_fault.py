"""`engine lab fault`: what goes wrong with the calls that the lab gets."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from engine.cli.inputs import parse_seconds
from engine.errors import ExitCode

_FILTERS = {
    "account": "account ids that call",
    "region": "regions that are called",
    "service": "such as rds, s3, kms, sts",
    "operation": "such as CreateDBSnapshot",
    "resource": "identifiers or ARNs that calls are about",
    "role": "names of roles that call",
}
_NUMBERS: dict[str, tuple[type, str]] = {
    "count": (int, "how often it strikes; without end if absent, events once"),
    "probability": (float, "of striking a call that fits"),
    "seed": (int, "of the dice: the same calls are struck again"),
    "status": (int, "of server_error (500, 503), garbage (200, 502), region_down (503)"),
    "seconds": (float, "of delay (real) and invisible (of the lab)"),
}
_TEXTS = {
    "code": "of throttle",
    "body": "of garbage: html, noise",
    "instance": "of an event: ACCOUNT-ID/REGION/IDENTIFIER",
    "name": "of an instance after rename",
    "when": "of an event: before the call, or after",
}


def add_arguments(words: Any) -> None:
    """Declare `fault` and its words among those of `lab`."""
    from engine.lab.faults import Kind

    fault = words.add_parser("fault", help="let calls go wrong")
    does = fault.add_subparsers(dest="does", metavar="add|list|clear", required=True)
    add = does.add_parser(
        "add", help="arm a fault; prints its id", epilog="Filters are globs; all must fit."
    )
    kinds = [str(kind) for kind in Kind]
    add.add_argument("kind", metavar="KIND", choices=kinds, help=", ".join(kinds))
    for name, text in {**_FILTERS, **_TEXTS}.items():
        add.add_argument(f"-{name}", f"--{name}", help=text)
    for name, (kind, text) in _NUMBERS.items():
        add.add_argument(f"-{name}", f"--{name}", type=kind, help=text)
    add.add_argument("-for", "--for", metavar="D", help="a duration of the lab, like 10m or 1h")
    add.add_argument(
        "-after", "--after", action="store_true", help="apply the call before it goes wrong"
    )
    does.add_parser("list", help="print the armed faults, as JSON")
    clear = does.add_parser("clear", help="disarm a fault, or all")
    clear.add_argument("id", nargs="?", metavar="ID")


def run(args: argparse.Namespace) -> ExitCode:
    """Do what the word says."""
    return _DOES[args.does](args)


def _add(args: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import attached

    fields = {name: getattr(args, name) for name in (*_FILTERS, *_TEXTS, *_NUMBERS)}
    lasts = getattr(args, "for")
    fields["for"] = None if lasts is None else parse_seconds("-for", lasts)
    fields["after"] = args.after or None
    given = {name: value for name, value in fields.items() if value is not None}
    sys.stdout.write(attached().add_fault(args.kind, **given) + "\n")
    return ExitCode.OK


def _list(_: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import attached

    sys.stdout.write(json.dumps(attached().faults(), indent=2) + "\n")
    return ExitCode.OK


def _clear(args: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import attached

    count = attached().clear_faults(args.id)
    sys.stderr.write(f"cleared {count}\n")
    return ExitCode.OK


_DOES: dict[str, Callable[[argparse.Namespace], ExitCode]] = {
    "add": _add,
    "list": _list,
    "clear": _clear,
}
