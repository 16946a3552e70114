"""`engine runs`: what runs did, from the journal of an estate."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.calibration import as_json, as_text, observations
from engine.cli.inputs import add_policies_flag, read_documents
from engine.cli.output import screen_of, write_text
from engine.errors import EngineError, ExitCode, UsageError

if TYPE_CHECKING:
    from engine.applying.journal import Entry

SHORT = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", nargs="?", metavar="ID", help="show every entry of this run")
    parser.add_argument(
        "-limit", "--limit", metavar="N", default="20", help="list the newest N runs (20)"
    )
    parser.add_argument("-json", "--json", action="store_true", help="as JSON Lines")
    parser.add_argument(
        "-calibration",
        "--calibration",
        action="store_true",
        help="compare what was foreseen with what the newest N runs saw, per rule",
    )
    add_policies_flag(parser)


def run(args: argparse.Namespace) -> int:
    """List runs, or the entries of one."""
    from engine.applying.state import state_of
    from engine.costs.calibration import calibrate

    if not args.limit.isdecimal() or int(args.limit) < 1:
        raise UsageError(f"-limit {args.limit}: not a number from 1")
    if args.run and args.calibration:
        raise UsageError("-calibration is over runs, not of one", fix="leave the ID out")
    state = state_of(Path(), read_documents(args).estate)
    if args.calibration:
        found = calibrate(observations(state, int(args.limit)))
        _print(as_json(found) if args.json else as_text(found))
        return int(ExitCode.OK)
    if args.run:
        entries = state.run(args.run)
        if not entries:
            raise EngineError(
                f"no run {args.run}",
                where=state.journal_place,
                fix="`engine runs` lists those there are",
            )
        _print(_as_json(entries) if args.json else _story(entries))
        return int(ExitCode.OK)
    entries = state.runs(int(args.limit), datetime.now(UTC))
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
        yield "  ".join(
            (
                run_id,
                str(start.detail.get("estate", "?")),
                _whom(start.detail),
                *_from_what(start.detail),
                _end(ended.get(run_id)),
            )
        )


def _whom(detail: Mapping[str, Any]) -> str:
    who = detail.get("who", {})
    return f"{who.get('user', '?')}@{who.get('host', '?')}"


def _from_what(detail: Mapping[str, Any]) -> Iterator[str]:
    """Name the plan and the commit, each short enough for a line and long enough to find it."""
    yield f"plan {str(detail.get('plan', '?')).removeprefix('sha256:')[:SHORT]}"
    if detail.get("commit"):
        yield f"commit {str(detail['commit'])[:SHORT]}{_changed(detail)}"


def _changed(detail: Mapping[str, Any]) -> str:
    return " with changes" if detail.get("changed") else ""


def _end(end: Entry | None) -> str:
    if end is None:
        return "did not end: killed, or still under way"
    code, counts = end.detail.get("exit_code", "?"), _counts(end.detail.get("counts", {}))
    return f"{_took(end.detail)}exit {code}  {counts}"


def _took(detail: Mapping[str, Any]) -> str:
    """Return how long something took, as in `2m05s`, with a gap after it; empty if unknown."""
    seconds = detail.get("seconds")
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f}s  "
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m{rest:02}s  " if hours else f"{minutes}m{rest:02}s  "


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{state.replace('_', ' ')}: {n}" for state, n in counts.items()) or "no steps"


def _story(entries: Iterable[Entry]) -> Iterator[str]:
    """Show one line per entry, and the problems of a run below its end."""
    for one in entries:
        yield f"{one.at}  {one.kind.value.replace('_', ' '):<11}  {_told(one)}"
        for problem in one.detail.get("problems", ()):
            yield f"  problem: {problem.get('where')}: {problem.get('text')}"


def _told(one: Entry) -> str:
    from engine.applying.journal import Kind

    detail: Mapping[str, Any] = one.detail
    match one.kind:
        case Kind.RUN_STARTED:
            commit = detail.get("commit")
            source = f" of commit {commit}{_changed(detail)}" if commit else ""
            return f"plan {detail.get('plan')}{source} by {_whom(detail)}"
        case Kind.INTENT:
            attempt = detail.get("attempt", 1)
            again = f", attempt {attempt}" if attempt != 1 else ""
            return f"{detail.get('operation')} for {one.step}{again}"
        case Kind.OUTCOME:
            answer = detail.get("error") or "accepted"
            return f"{_took(detail)}{detail.get('operation')} for {one.step}: {answer}"
        case Kind.STEP:
            text = f": {detail['text']}" if detail.get("text") else ""
            return f"{one.step} {str(detail.get('state')).replace('_', ' ')}{text}"
        case Kind.RUN_ENDED:
            return _end(one)
