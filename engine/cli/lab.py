"""`engine lab`: the AWS stand-in on loopback."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from engine.cli import lab_fault
from engine.cli.inputs import parse_seconds, parse_time
from engine.errors import EngineError, ExitCode, UsageError

DEFAULT_SEED = "small"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words behind `lab` and what each takes."""
    words = parser.add_subparsers(dest="word", metavar="WORD", required=True)
    up = words.add_parser("up", help="start a lab; prints export lines for the shell")
    up.add_argument("-seed", "--seed", default=DEFAULT_SEED, help="an estate, or a JSON file")
    up.add_argument("-speed", "--speed", type=float, default=1.0, help="lab seconds per second")
    up.add_argument("-at", "--at", metavar="TIME", help="the lab's time at its start")
    up.add_argument("-rules", "--rules", choices=("documentation", "blog"), default="documentation")
    up.add_argument("-port", "--port", type=int, default=0, help="0 is a free one")
    words.add_parser("down", help="stop it")
    seed = words.add_parser("seed", help="put an estate into it")
    seed.add_argument("name", metavar="NAME|FILE")
    clock = words.add_parser("clock", help="print its time, moved first if so asked")
    move = clock.add_mutually_exclusive_group()
    move.add_argument("-forward", "--forward", metavar="D", help="a duration, like 1d or 90m")
    move.add_argument("-to", "--to", metavar="TIME")
    failover = words.add_parser("failover", help="fail a Multi-AZ instance over to its standby")
    failover.add_argument("address", metavar="ACCOUNT-ID/REGION/IDENTIFIER")
    lab_fault.add_arguments(words)
    calls = words.add_parser("calls", help="print the calls it got, as JSON")
    calls.add_argument("-forget", "--forget", action="store_true", help="and forget them")
    words.add_parser("truth", help="print what was stored in full and what was not, as JSON")


def run(args: argparse.Namespace) -> int:
    """Do what the word says; the lab's own errors become the engine's."""
    from engine.lab.errors import LabError

    try:
        return int(_WORDS[args.word](args))
    except LabError as error:
        raise EngineError(error.what, fix=error.remedy) from error


def _up(args: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import Start, named_seed, up

    at = parse_time(args.at) if args.at else None
    start = Start(
        seed=named_seed(args.seed, at), speed=args.speed, at=at, rules=args.rules, port=args.port
    )
    sys.stdout.write(up(start).exports())
    sys.stderr.write("The lab runs until `engine lab down`.\n")
    return ExitCode.OK


def _down(args: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import down

    sys.stderr.write("stopped\n" if down() else "no lab ran here\n")
    return ExitCode.OK


def _seed(args: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import seed

    return _print(seed(args.name))


def _clock(args: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import clock

    forward = None if args.forward is None else parse_seconds("-forward", args.forward)
    to = None if args.to is None else parse_time(args.to)
    sys.stdout.write(clock(forward=forward, to=to) + "\n")
    return ExitCode.OK


def _failover(args: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import attached

    parts = args.address.split("/")
    if len(parts) != 3:
        raise UsageError(
            f"{args.address} is no address", fix="write it like 111111111111/eu-west-1/orders-1"
        )
    attached().fail_over(*parts)
    return ExitCode.OK


def _calls(args: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import calls

    return _print(calls(forget=args.forget))


def _truth(args: argparse.Namespace) -> ExitCode:
    from engine.lab.commands import truth

    return _print(truth())


def _print(value: Any) -> ExitCode:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
    return ExitCode.OK


_WORDS: dict[str, Callable[[argparse.Namespace], ExitCode]] = {
    "up": _up,
    "down": _down,
    "seed": _seed,
    "clock": _clock,
    "failover": _failover,
    "fault": lab_fault.run,
    "calls": _calls,
    "truth": _truth,
}
