"""`engine lock`: who holds the lock of an estate, and letting go of it by hand."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from engine.cli.inputs import add_policies_flag, read_documents
from engine.cli.output import write_text
from engine.errors import ExitCode, LockedError
from engine.identity.marks import time_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=("status", "release"), help="what to do")
    parser.add_argument(
        "-force",
        "--force",
        action="store_true",
        help="release it even from a run that seems alive; that run then stops",
    )
    add_policies_flag(parser)


def run(args: argparse.Namespace) -> int:
    """Show the lock, or free it."""
    from engine.applying.state import state_of

    now = datetime.now(UTC)
    state = state_of(Path(), read_documents(args).estate)
    seen = state.standing(now)
    if seen is None or seen.lease.run is None:
        write_text("free\n")
        return int(ExitCode.OK)
    lease = seen.lease
    until = time_text(datetime.fromisoformat(lease.expires_at))
    told = f"held by {lease.who} (run {lease.run}) until {until}, fence {lease.fence}"
    if args.action == "status":
        write_text(f"{told}\n" if seen.is_live else f"free: was {told}, which has ended\n")
        return int(ExitCode.OK)
    if seen.is_live and not args.force:
        raise LockedError(
            "the run that holds the lock seems alive",
            where=state.lock_place,
            why=told,
            fix="end that run, or add -force if you know that it is gone",
        )
    state.free(seen)
    write_text(f"released: was {told}\n")
    return int(ExitCode.OK)
