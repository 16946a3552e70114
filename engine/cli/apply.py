"""`engine apply`: do what a plan says."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from engine.cli.inputs import (
    add_at,
    add_policies_flag,
    document_paths,
    read_documents,
    the_time,
)
from engine.cli.output import screen_of
from engine.cli.pricing import priced
from engine.errors import ExitCode, StaleError, UsageError

if TYPE_CHECKING:
    from engine.applying.executor import Settings
    from engine.applying.progress import Observer
    from engine.aws.clients import Clients
    from engine.documents.model import Documents
    from engine.plans.plan import Plan

MOST_PARALLEL = 64
SHORTEST_INTERVAL = 1
LAB_CLOCK = 'against the lab, give -at "$(engine lab clock)"'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="a plan saved by `plan -out`")
    parser.add_argument(
        "-acknowledge",
        "--acknowledge",
        action="append",
        default=[],
        metavar="DIGEST",
        help="let the steps of a tripped guard through",
    )
    add_run_flags(parser)


def add_run_flags(parser: argparse.ArgumentParser) -> None:
    """Declare what every command takes that does steps."""
    add_policies_flag(parser)
    parser.add_argument(
        "-auto-approve", "--auto-approve", action="store_true", help="do not ask before doing it"
    )
    parser.add_argument(
        "-local-lock",
        "--local-lock",
        action="store_true",
        help="without `state.s3`, let the lock of this machine suffice for -auto-approve",
    )
    wait = parser.add_mutually_exclusive_group()
    wait.add_argument(
        "-wait",
        "--wait",
        action="store_const",
        const="wait",
        dest="wait",
        default=argparse.SUPPRESS,
        help="go on until every step is done (default on a terminal)",
    )
    wait.add_argument(
        "-no-wait",
        "--no-wait",
        action="store_const",
        const="no-wait",
        dest="wait",
        default=argparse.SUPPRESS,
        help="end when only objects in flight remain; the next run goes on from there",
    )
    for flag, default, text in (
        ("max-duration", None, "start nothing more after this long, like 45m"),
        ("lock-timeout", "0s", "wait this long for another run's lock"),
        ("poll-interval", "30s", "list what is waited for this often"),
    ):
        parser.add_argument(f"-{flag}", f"--{flag}", metavar="D", default=default, help=text)
    parser.add_argument(
        "-parallelism", "--parallelism", metavar="N", default="10", help="steps at a time"
    )
    parser.add_argument(
        "-json", "--json", action="store_true", help="tell what happens as JSON Lines"
    )
    add_at(parser)


def run(args: argparse.Namespace) -> int:
    """Plan or read a plan, ask, do it."""
    from engine.cli.files import read_plan

    if args.json and not args.plan and not args.auto_approve:
        raise UsageError("-json cannot ask", fix="add -auto-approve, or give a saved PLAN")
    saved = read_plan(args.plan) if args.plan else None
    return carry_out(args, _planned, saved)


Planner = Callable[["Documents", "Clients", datetime, argparse.Namespace], "Plan"]


def carry_out(args: argparse.Namespace, planner: Planner, saved: Plan | None = None) -> int:
    """Do a saved plan, or make one under the lock, show it, ask, and do it."""
    from engine.applying.clock import SystemClock
    from engine.applying.cloud import AwsCloud
    from engine.applying.origin import origin_of
    from engine.applying.probing import AwsProbes
    from engine.applying.progress import outcome_text
    from engine.applying.run import apply_plan, held
    from engine.applying.state import state_of
    from engine.applying.stopping import StopFlag, ending_on_sigterm
    from engine.inventory.live import clients_of

    settings, started = _settings(args), time.monotonic()
    documents = read_documents(args)
    clients = clients_of(documents.estate)
    _insist_on_safety(args, documents, clients)
    now = the_time(args)
    if args.at is not None:
        settings = replace(settings, ahead=now - datetime.now(UTC))
    if saved is not None:
        _insist_on_fit(saved, documents, now, where=args.plan)
        saved = _acknowledged(saved, args.acknowledge)
    timeout = seconds("-lock-timeout", args.lock_timeout)
    state = state_of(Path(), documents.estate, clients)
    origin = origin_of(document_paths(args))
    with (
        ending_on_sigterm(),
        held(state, SystemClock(), lock_timeout=timeout, origin=origin) as hold,
    ):
        plan = saved or planner(documents, clients, now, args)
        if saved is None and not _is_approved(plan, args):
            sys.stdout.write("Nothing was done.\n")
            return int(ExitCode.ERROR)
        cloud = AwsCloud(clients)
        settings = _shortened(settings, time.monotonic() - started)
        probes = AwsProbes(clients)
        outcome = apply_plan(plan, cloud, probes, hold, settings, _observer(args), StopFlag())
    if not args.json:
        writer(sys.stdout)(outcome_text(outcome, screen_of(sys.stdout)))
    return int(outcome.exit_code)


def insist_on_an_answer(args: argparse.Namespace) -> None:
    """Refuse a command that would have to ask where nothing can be asked; raises UsageError."""
    if args.json and not args.auto_approve:
        raise UsageError("-json cannot ask", fix="add -auto-approve")


def _settings(args: argparse.Namespace) -> Settings:
    from engine.applying.executor import Mode, Settings

    # Two flags share the word, so that whichever is given beats the other one's variable.
    said = getattr(args, "wait", None)
    waits = sys.stdout.isatty() if said is None else said == "wait"
    if not args.parallelism.isdecimal() or not 1 <= int(args.parallelism) <= MOST_PARALLEL:
        raise UsageError(f"-parallelism {args.parallelism}: not a number from 1 to {MOST_PARALLEL}")
    interval = seconds("-poll-interval", args.poll_interval)
    if interval < SHORTEST_INTERVAL:
        raise UsageError(f"-poll-interval {args.poll_interval}: at least {SHORTEST_INTERVAL}s")
    return Settings(
        mode=Mode.FOLLOW if waits else Mode.LEAVE,
        parallelism=int(args.parallelism),
        poll_interval=interval,
        max_duration=(
            None if args.max_duration is None else seconds("-max-duration", args.max_duration)
        ),
    )


def _shortened(settings: Settings, spent: float) -> Settings:
    """Take what reading, planning and waiting for the lock took off the run's time."""
    if settings.max_duration is None:
        return settings
    return replace(settings, max_duration=max(0.0, settings.max_duration - spent))


def seconds(flag: str, text: str) -> int:
    """Return the seconds of a duration like 90s, 45m or 1h30m; raises UsageError."""
    from engine.retention.spans import Minutes, SpanError, parse_span

    try:
        return int(parse_span(text, Minutes.ALLOWED).as_timedelta().total_seconds())
    except SpanError as error:
        raise UsageError(
            f"{flag} {text}: {error.message}", fix="write it like 90s, 45m or 1h30m"
        ) from error


def _insist_on_safety(args: argparse.Namespace, documents: Documents, clients: Clients) -> None:
    """Keep what is only for the lab away from AWS."""
    from engine.applying.endpoints import all_on_loopback
    from engine.applying.state import state_location
    from engine.inventory.live import locations_of

    state = state_location(documents.estate)
    if args.at is None and (args.local_lock or state is not None or not args.auto_approve):
        return
    if all_on_loopback(clients, locations_of(documents.estate), state):
        return
    if args.at is not None:
        raise UsageError(
            "-at is only for the lab: AWS has its own time",
            fix="leave -at out, or point AWS_ENDPOINT_URL at a lab on this machine",
        )
    raise UsageError(
        "-auto-approve without a lock that others see",
        why="two machines could apply to the same estate at once",
        fix="keep state in S3 (`state.s3` of the estate), or add -local-lock if only this machine "
        "ever applies",
    )


def _insist_on_fit(plan: Plan, documents: Documents, now: datetime, *, where: str) -> None:
    """Refuse a saved plan that is not about this world any more; raises StaleError."""
    again = "plan again with `engine plan -out FILE`"
    if plan.inventory.recorded:
        raise StaleError(
            "the plan was made from a recorded inventory and is only for reading",
            where=where,
            fix="plan from AWS itself, without -inventory",
        )
    if plan.estate != documents.estate.name:
        raise StaleError(
            f"the plan is of estate {plan.estate}, not of {documents.estate.name}",
            where=where,
            fix="name its documents with -policies",
        )
    if plan.policies_digest != documents.digest:
        raise StaleError(
            "the documents have changed since the plan was made", where=where, fix=again
        )
    if now >= plan.expires_at:
        raise StaleError(
            f"the plan expired at {plan.expires_at:%Y-%m-%d %H:%M}Z",
            where=where,
            why=f"it is {now:%Y-%m-%d %H:%M}Z",
            fix=f"{again}; {LAB_CLOCK}",
        )


def _acknowledged(plan: Plan, digests: Sequence[str]) -> Plan:
    from engine.applying.acknowledging import acknowledge

    freed, unknown = acknowledge(plan, digests)
    for digest in sorted(unknown):
        sys.stderr.write(f"engine: -acknowledge {digest}: no guard of this plan has that digest\n")
    return freed


def _planned(
    documents: Documents, clients: Clients, now: datetime, args: argparse.Namespace
) -> Plan:
    from engine.inventory.live import read_live
    from engine.planning.plan import make_plan
    from engine.plans.plan import PlanOptions

    inventory = read_live(documents.estate, clients, now, documents.kinds)
    options = PlanOptions(acknowledged=frozenset(args.acknowledge))
    return priced(make_plan(documents, inventory, now, options), documents, inventory)


def _is_approved(plan: Plan, args: argparse.Namespace) -> bool:
    """Show the plan; ask unless nothing would be done or -auto-approve answers."""
    if args.json:
        return True
    from engine.reports.text import plan_as_text

    write = writer(sys.stdout)
    write(plan_as_text(plan, screen_of(sys.stdout)))
    if args.auto_approve or not plan.has_changes:
        return True
    write("\nDo this? Only `yes` is taken for an answer: ")
    return sys.stdin.readline().strip() == "yes"


def _observer(args: argparse.Namespace) -> Observer:
    from engine.applying.clock import SystemClock
    from engine.applying.progress import JsonLines, Lines

    if args.json:
        return JsonLines(writer(sys.stdout), SystemClock())
    return Lines(writer(sys.stderr), SystemClock(), screen_of(sys.stderr))


def writer(stream: TextIO) -> Callable[[str], None]:
    """Return what writes to a stream until that fails, and to nobody from then on.

    A run goes on to its end, and its exit code stays its own, though its reader leaves or the
    disk that its log goes to is full.
    """

    def write(text: str) -> None:
        try:
            stream.write(text)
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

    return write
