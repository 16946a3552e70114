"""`engine retention`: try keep rules on a list of times."""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import MAXYEAR, UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import EngineError, ExitCode, UsageError
from engine.retention.decide import Decision, decide
from engine.retention.keep import ALL, COUNTED, REACHING, Count, Keep
from engine.retention.spans import MAX_DIGITS, Span, SpanError, parse_span

NAME = "retention"
HELP = "try keep rules on a list of times"

_STDIN = "-"
_RULES = {str(rule): rule for rule in (*COUNTED, *REACHING)}
_EXAMPLE = "write RULE=VALUE,..., like daily=7,yearly=all,within=36h"
_TIME_FIX = "write one RFC 3339 time per line, like 2026-11-21T02:10:00Z"
_AT_FIX = "write an RFC 3339 time, like 2026-11-21T02:10:00Z"
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-][0-9]{2}:[0-9]{2}))"
)
_SHOWN = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "-keep",
        "--keep",
        action="append",
        metavar="RULE=VALUE,...",
        help="keep rules: last, hourly, daily, weekly, monthly, yearly take a count or `all`; "
        "within, within_hourly, ... within_yearly take a length like 36h, 30d, 18mo; "
        "may be given several times",
    )
    parser.add_argument(
        "-times",
        "--times",
        metavar="FILE|-",
        help="one RFC 3339 time per line; - is standard input",
    )
    parser.add_argument(
        "-timezone",
        "--timezone",
        default="UTC",
        metavar="TZ",
        help="whose hours, days, weeks, months and years count (default: UTC)",
    )
    parser.add_argument(
        "-at",
        "--at",
        metavar="TIME",
        help="what counts as now (default: the clock); later times stay and no rule counts them",
    )
    parser.add_argument("-json", "--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what the rules keep and remove.

    Raises:
        UsageError: when the arguments cannot be meant as they stand.
        EngineError: when the times cannot be read.
    """
    if not args.keep:
        raise UsageError("-keep is missing", fix=_EXAMPLE)
    if not args.times:
        raise UsageError("-times is missing", fix="name a file with one time per line, or -")
    keep = parse_keep(args.keep)
    zone = _timezone(args.timezone)
    now = _now(args.at)
    times, faults = read_times(args.times)
    for fault in faults:
        sys.stderr.write(f"engine: {fault}\n")
    if faults:
        return int(ExitCode.ERROR)
    decision = decide(times, keep, zone, now=now)
    sys.stdout.write(_as_json(decision) if args.json else _as_text(decision, keep, zone))
    return int(ExitCode.OK)


# -- reading -------------------------------------------------------------------------------------


def parse_keep(texts: list[str]) -> Keep:
    """Read keep rules such as `daily=7,within=36h`, from one or several texts.

    Raises:
        UsageError: at the first rule that is unknown, given twice, or has a value it cannot take.
    """
    rules: dict[str, Any] = {}
    for term in (term.strip() for text in texts for term in text.split(",")):
        name, equals, value = term.partition("=")
        where = f"-keep {_excerpt(term)}"
        rule = _RULES.get(name.replace("-", "_"))
        if not equals or not value:
            raise UsageError("a keep rule is a name and a value", where=where, fix=_EXAMPLE)
        if rule is None:
            raise UsageError(f"{_excerpt(name)} is no keep rule", where=where, fix=_nearest(name))
        if rule in rules:
            raise UsageError(f"{rule} is given twice", where=where, fix="give each rule once")
        rules[rule] = _count(value, where) if rule in COUNTED else _span(value, where)
    return Keep(**rules)


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), _RULES, n=1)
    return f"did you mean {near[0]}?" if near else f"the rules are {', '.join(_RULES)}"


def _span(value: str, where: str) -> Span:
    try:
        return parse_span(value)
    except SpanError as error:
        raise UsageError(
            f"{_excerpt(value)} is no length",
            where=f"{where}, character {error.position + 1} of the length",
            why=error.message,
            fix="write a length like 36h, 30d, 5w, 18mo, 2y or 1y2mo3d4h",
        ) from error


def _count(value: str, where: str) -> Count:
    if value == ALL.value:
        return ALL
    if re.fullmatch(f"[0-9]{{1,{MAX_DIGITS}}}", value):
        return int(value)
    raise UsageError(
        f"{_excerpt(value)} is no count",
        where=where,
        fix=f"write a whole number of at most {MAX_DIGITS} digits, or all",
    )


def _timezone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"{_excerpt(name)} is no timezone",
            where="-timezone",
            fix="write a name of the IANA database, like Europe/Berlin or UTC",
        ) from error


def _now(at: str | None) -> datetime:
    if at is None:
        return datetime.now(UTC)
    try:
        return _time_of(at)
    except EngineError as fault:
        raise UsageError(fault.what, where="-at", why=fault.why, fix=_AT_FIX) from fault


def read_times(name: str) -> tuple[list[datetime], list[EngineError]]:
    """Read one time per line from the file `name`, or from standard input for `-`.

    Returns the times in the order of the file, and a fault for each line that is none. Empty
    lines are passed over.

    Raises:
        EngineError: when the file cannot be read.
    """
    if name == _STDIN:
        return _times_of(sys.stdin.buffer, "<stdin>")
    try:
        with Path(name).open("rb") as lines:
            return _times_of(lines, name)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise EngineError(
            "the times cannot be read", where=_excerpt(name), why=why, fix="name a readable file"
        ) from error


def _times_of(lines: BinaryIO, name: str) -> tuple[list[datetime], list[EngineError]]:
    times: list[datetime] = []
    faults: list[EngineError] = []
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if text:
                times.append(_time_of(text))
        except UnicodeDecodeError:
            faults.append(EngineError("not UTF-8", where=f"{name}:{number}", fix=_TIME_FIX))
        except EngineError as fault:
            fault.where = f"{name}:{number}"
            faults.append(fault)
    return times, faults


def _time_of(text: str) -> datetime:
    """Read an RFC 3339 time; digits beyond the microsecond are dropped.

    Raises:
        EngineError: without a place.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise EngineError(f"{_excerpt(text)} is no time", why=_why_no_time(text), fix=_TIME_FIX)
    date, clock, fraction, offset = match.groups()
    try:
        iso = f"{date}T{clock}.{(fraction or '')[:6]:0<6}{offset or '+00:00'}"
        time = datetime.fromisoformat(iso).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        why = "seconds go to 59 here" if clock.endswith(":60") else str(error)
        raise EngineError(f"{text} does not exist", why=why, fix="correct the time") from error
    if not 1 < time.year < MAXYEAR:
        raise EngineError(f"{text} is out of range", fix="write a year from 0002 to 9998")
    return time


def _why_no_time(text: str) -> str | None:
    if _TIME.fullmatch(text + "Z"):
        return "it does not say in which timezone: add Z or an offset like +01:00"
    if len(text.split()) > 1 and all(_TIME.fullmatch(word) for word in text.split()):
        return "more than one time on the line"
    return None


def _excerpt(text: str) -> str:
    """Return `text` fit for a terminal: control characters escaped, not too long."""
    shown = text if text.isprintable() else repr(text)[1:-1]
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"


# -- printing ------------------------------------------------------------------------------------


def _as_json(decision: Decision) -> str:
    document = {
        "keep": [{"time": _utc(kept.time), "reasons": kept.reasons} for kept in decision.keep],
        "remove": [{"time": _utc(time)} for time in decision.remove],
    }
    return json.dumps(document, indent=2) + "\n"


def _as_text(decision: Decision, keep: Keep, zone: ZoneInfo) -> str:
    lines = [f"{keeping}  {stamp}  {why}".rstrip() for keeping, stamp, why in _rows(decision, zone)]
    lines += [""] if lines else []
    lines.append(f"rules: {keep.sentence()} (timezone {zone.key})")
    lines.append(f"{len(decision.keep)} kept, {len(decision.remove)} removed")
    return "\n".join(lines) + "\n"


def _rows(decision: Decision, zone: ZoneInfo) -> list[tuple[str, str, str]]:
    """Return for each time, newest first, what becomes of it, when it was, and the reasons."""
    fates = [("keep  ", kept.time, ", ".join(kept.reasons)) for kept in decision.keep]
    fates += [("remove", time, "no rule keeps it") for time in decision.remove]
    fates.sort(key=lambda fate: fate[1], reverse=True)
    stamps = [time.astimezone(zone).isoformat(sep=" ") for _, time, _ in fates]
    width = max(map(len, stamps), default=0)
    return [
        (fate, stamp.ljust(width), why) for (fate, _, why), stamp in zip(fates, stamps, strict=True)
    ]


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
