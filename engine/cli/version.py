"""`engine version`."""

from __future__ import annotations

import argparse
import json
import sys

import engine
from engine.errors import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("-json", "--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the version."""
    if args.json:
        words = {"version": engine.__version__, "plan_format_version": "1.0"}
        sys.stdout.write(json.dumps(words) + "\n")
    else:
        sys.stdout.write(f"engine {engine.__version__}\n")
    return int(ExitCode.OK)
