"""`engine runs`: what runs did, from the journal of this machine."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.output import screen_of, write_text
from engine.errors import EngineError, ExitCode, UsageError

if TYPE_CHECKING:
    from engine.applying.journal import Entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", nargs="?", metavar="ID", help="show every entry of this run")
    parser.add_argument(
        "-limit", "--limit", metavar="N", default="20", help="list the newest N runs (20)"
    )
    parser.add_argument("-json", "--json", action="store_true", help="as JSON Lines")


def run(args: argparse.Namespace) -> int:
    """List runs, or the entries of one."""
    from engine.applying.journal import default_path, read_run, read_runs

    path = default_path(Path())
    if args.run:
        entries = read_run(path, args.run)
        if not entries:
            raise EngineError(
                f"no run {args.run}", where=str(path), fix="`engine runs` lists those there are"
            )
        _print(_as_json(entries) if args.json else _story(entries))
        return int(ExitCode.OK)
    if not args.limit.isdecimal() or int(args.limit) < 1:
        raise UsageError(f"-limit {args.limit}: not a number from 1")
    entries = read_runs(path, int(args.limit))
    _print(_as_json(entries) if args.json else _listing(entries))
    return int(ExitCode.OK)


def _print(lines: Iterable[str]) -> None:
    from engine.reports.neutral import neutral, neutral_ascii

    clean = neutral if screen_of(sys.stdout).unicode else neutral_ascii
    write_text("".join(f"{clean(line)}\n" for line in lines))


def _as_json(entries: Iterable[Entry]) -> Iterator[str]:
    for one in entries:
        words = {"run": one.run, "at": one.at, "kind": one.kind.value, "step": one.step}
        yield json.dumps({**words, "detail": one.detail})


def _listing(entries: Iterable[Entry]) -> Iterator[str]:
    """Show one line per run, the newest first."""
    from engine.applying.journal import Kind

    started: dict[str, Entry] = {}
    ended: dict[str, Entry] = {}
    for one in entries:
        (started if one.kind is Kind.RUN_STARTED else ended)[one.run] = one
    for run_id, start in reversed(started.items()):
        who = start.detail.get("who", {})
        end = ended.get(run_id)
        yield (
            f"{run_id}  {start.detail.get('estate', '?')}"
            f"  {who.get('user', '?')}@{who.get('host', '?')}  {_end(end)}"
        )


def _end(end: Entry | None) -> str:
    if end is None:
        return "did not end: killed, or still under way"
    return f"exit {end.detail.get('exit_code', '?')}  {_counts(end.detail.get('counts', {}))}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{state.replace('_', ' ')}: {n}" for state, n in counts.items()) or "no steps"


def _story(entries: Iterable[Entry]) -> Iterator[str]:
    """Show one line per entry."""
    for one in entries:
        yield f"{one.at}  {one.kind.value.replace('_', ' '):<11}  {_told(one)}"


def _told(one: Entry) -> str:
    from engine.applying.journal import Kind

    detail: Mapping[str, Any] = one.detail
    match one.kind:
        case Kind.RUN_STARTED:
            who = detail.get("who", {})
            return f"plan {detail.get('plan')} by {who.get('user')}@{who.get('host')}"
        case Kind.INTENT:
            attempt = detail.get("attempt", 1)
            again = f", attempt {attempt}" if attempt != 1 else ""
            return f"{detail.get('operation')} for {one.step}{again}"
        case Kind.OUTCOME:
            return f"{detail.get('operation')} for {one.step}: {detail.get('error') or 'accepted'}"
        case Kind.STEP:
            text = f": {detail['text']}" if detail.get("text") else ""
            return f"{one.step} {str(detail.get('state')).replace('_', ' ')}{text}"
        case Kind.RUN_ENDED:
            return f"exit {detail.get('exit_code')}  {_counts(detail.get('counts', {}))}"
