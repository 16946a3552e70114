"""The named formats of texts in the schemas: what a pattern cannot say, or not say well."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice

from engine.documents.diagnostics import Code
from engine.documents.suggestions import did_you_mean
from engine.retention.spans import Minutes, Span, SpanError, parse_span

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
LONGEST = timedelta(days=36_525)
# API reference, ModifyDBInstance, PreferredBackupWindow.
LEAST_BACKUP_MINUTES = 30
_CLOCK = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])\Z")
_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")
_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}\Z")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_YEARS = range(2000, 9000)
_AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?(-[0-9]{1,6}(\.[0-9]{1,6})?)?\Z")
_TAG_SIGNS = frozenset("_.:/=+-@")
_FIRST_YEAR = datetime(2024, 1, 1)  # noqa: DTZ001 - cron walks local times, a leap year first


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is not of a format; `offset` is where in the text."""

    code: Code
    summary: str
    fix: str | None = None
    offset: int = 0


Check = Callable[[str], Problem | None]


def _span(text: str) -> Problem | None:
    span = _parsed(text, Minutes.REFUSED)
    return span if isinstance(span, Problem) else None


def _elapsed(text: str) -> Problem | None:
    length = _fixed(text, Minutes.ALLOWED)
    return length if isinstance(length, Problem) else None


def _days(text: str) -> Problem | None:
    length = _fixed(text, Minutes.REFUSED)
    return length if isinstance(length, Problem) else None


def _period(text: str) -> Problem | None:
    length = _fixed(text, Minutes.ALLOWED)
    if isinstance(length, Problem):
        return length
    if length < DAY:
        if length < timedelta(minutes=1):
            return Problem(Code.BAD_PERIOD, "less than a minute apart", "write at least 15m")
        if DAY % length:
            near = _nearest_divisor(length)
            summary = f"{text} does not divide the day, so slots would drift"
            return Problem(Code.BAD_PERIOD, summary, f"write {near}, or use `cron`")
    elif length % DAY:
        days = max(1, round(length / DAY))
        summary = f"{text} is not whole days"
        return Problem(Code.BAD_PERIOD, summary, f"write {days}d, or use `cron`")
    return None


def _parsed(text: str, minutes: Minutes) -> Span | Problem:
    try:
        return parse_span(text, minutes)
    except SpanError as error:
        summary = f"`{_short(text)}`: {error.message}"
        return Problem(Code.BAD_DURATION, summary, _readable(text, minutes), error.position)


def _readable(text: str, minutes: Minutes) -> str:
    """Return what to write in place of a text that is no length of time."""
    squeezed = "".join(text.split()).lower()
    candidates = (squeezed, re.sub("m(?!o)", "mo", squeezed))
    near = next((candidate for candidate in candidates if _reads(candidate, minutes)), None)
    if near is None and squeezed.isdecimal():
        return f"add a unit, like {squeezed}d for days"
    return f"write {near}" if near else "write 36h, 30d, 18mo or a sum"


def _reads(text: str, minutes: Minutes) -> bool:
    try:
        parse_span(text, minutes)
    except SpanError:
        return False
    return True


def _fixed(text: str, minutes: Minutes) -> timedelta | Problem:
    span = _parsed(text, minutes)
    if isinstance(span, Problem):
        months = "mo" in (span.fix or "")
        return replace(span, fix="write days or hours, like 90d") if months else span
    try:
        length = span.as_timedelta()
    except SpanError as error:
        days = (span.years * 12 + span.months) * 30 + span.days
        return Problem(Code.BAD_DURATION, error.message, f"write days, like {days}d")
    if not SECOND <= length <= LONGEST:
        fix = "leave it out" if length < SECOND else "write at most 100 years, 36525d"
        return Problem(Code.OUT_OF_RANGE, f"{text} is no usable length", fix)
    return length


def _nearest_divisor(length: timedelta) -> str:
    hour = timedelta(hours=1)
    if length > hour:
        hours = min((1, 2, 3, 4, 6, 8, 12), key=lambda n: abs(n * hour - length))
        return f"{hours}h"
    minute = timedelta(minutes=1)
    minutes = min((1, 2, 3, 4, 5, 6, 10, 15, 20, 30, 60), key=lambda n: abs(n * minute - length))
    return f"{minutes}m"


def _window(text: str) -> Problem | None:
    start, dash, end = text.partition("-")
    clocks = _clock(start.strip()), _clock(end.strip())
    if not dash or None in clocks:
        fix = "write HH:MM-HH:MM, like 02:00-05:00"
        return Problem(Code.BAD_WINDOW, f"`{_short(text)}` is no window", fix)
    tidy = f"{clocks[0]}-{clocks[1]}"
    if clocks[0] == clocks[1]:
        fix = "write an end after the start; for the whole day leave the window out"
        return Problem(Code.BAD_WINDOW, f"the window {text} has no length", fix)
    return (
        None
        if tidy == text
        else Problem(Code.BAD_WINDOW, f"`{_short(text)}` is no window", f"write {tidy}")
    )


def _backup_window(text: str) -> Problem | None:
    problem = _window(text)
    if problem is not None:
        return problem
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in text.split("-"))
    if (end - start) % 1440 >= LEAST_BACKUP_MINUTES:
        return None
    summary = f"the window {text} is shorter than {LEAST_BACKUP_MINUTES} minutes"
    least = (start + LEAST_BACKUP_MINUTES) % 1440
    fix = f"write {text[:5]}-{least // 60:02}:{least % 60:02}, or longer"
    return Problem(Code.BAD_WINDOW, summary, fix)


def _clock(text: str) -> str | None:
    """Return a time of day as HH:MM, 24:00 as 00:00; None where it is none."""
    match = _CLOCK.match(text)
    if match is None or (match.group(1) == "24" and match.group(2) != "00"):
        return None
    return f"{int(match.group(1)) % 24:02}:{match.group(2)}"


@lru_cache(maxsize=256)
def _timezone(text: str) -> Problem | None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    try:
        # Zones are files: names of folders and paths fail in ways of their own.
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        pass
    else:
        return None
    known = available_timezones()
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(known)}
    fix = did_you_mean(text, known)
    if fix is None and (city := did_you_mean(text, cities)):
        fix = f"did you mean `{cities[city.split('`')[1]]}`?"
    summary = f"there is no time zone `{_short(text)}`"
    return Problem(Code.UNKNOWN_TIMEZONE, summary, fix or "write an IANA name, like Europe/Berlin")


@lru_cache(maxsize=1024)
def _cron(text: str) -> Problem | None:
    from cronsim import CronSim, CronSimError

    if len(text.split()) != 5:
        fix = 'write minute, hour, day of month, month and day of week: "0 2 * * *"'
        return Problem(Code.BAD_CRON, f"`{_short(text)}` does not have five fields", fix)
    try:
        fires = next(islice(CronSim(text, _FIRST_YEAR), 1), None)
    except CronSimError as error:
        summary = f"`{_short(text)}` is no cron expression: {_uncapitalised(str(error))}"
        return Problem(Code.BAD_CRON, summary, 'write for instance "0 2 * * *"')
    if fires is None:
        return Problem(Code.BAD_CRON, f"`{_short(text)}` never fires", "choose a day that exists")
    return None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]


def _glob(text: str) -> Problem | None:
    if text != text.strip():
        summary = f"`{_short(text)}` begins or ends with a space"
        return Problem(Code.BAD_GLOB, summary, f"write `{text.strip()}`")
    position = 0
    while (opening := text.find("[", position)) >= 0:
        inside = opening + 2 if text[opening + 1 : opening + 2] == "!" else opening + 1
        closing = text.find("]", inside + 1)
        if closing < 0:
            summary = f"`{_short(text)}`: a `[` without its `]`"
            return Problem(
                Code.BAD_GLOB, summary, "close it, or write `[[]` for a bracket", opening
            )
        position = closing + 1
    return None


def _bucket(text: str) -> Problem | None:
    """Check a bucket's name (S3 User Guide, General purpose bucket naming rules)."""
    if not 3 <= len(text) <= 63:
        summary = f"`{_short(text)}` has {len(text)} characters; a bucket's name has 3 to 63"
        return Problem(Code.BAD_VALUE, summary, "check the bucket's name")
    if text != text.lower() and _BUCKET.match(text.lower()):
        summary = f"`{text}` is no name of a bucket"
        return Problem(Code.BAD_VALUE, summary, f"write {text.lower()}")
    if _BUCKET.match(text) is None or _ADDRESS.match(text):
        fix = "write lower-case letters, digits, hyphens, and dots between them"
        return Problem(Code.BAD_VALUE, f"`{text}` is no name of a bucket", fix)
    if text.startswith(_RESERVED_STARTS) or text.endswith(_RESERVED_ENDS):
        summary = f"`{text}` is the name of something else than a general purpose bucket"
        return Problem(Code.BAD_VALUE, summary, "name the bucket itself")
    return None


def _moment(text: str) -> Problem | None:
    fix = "write a time with its offset in whole minutes, like 2026-12-01T20:00Z"
    try:
        moment = datetime.fromisoformat(text)
        utc = moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return Problem(Code.BAD_TIME, f"`{_short(text)}` is no time", fix)
    if utc is None:
        return Problem(Code.BAD_TIME, f"`{_short(text)}` has no offset from UTC", fix)
    if utc.second or utc.microsecond:
        return Problem(Code.BAD_TIME, f"`{_short(text)}` is not in whole minutes", fix)
    if utc.year not in _YEARS:
        return Problem(Code.OUT_OF_RANGE, f"`{_short(text)}` is no usable year", fix)
    return None


def bounds_of(text: str) -> tuple[float, float]:
    """Return the bounds of `0.09-0.10`, `1-5%` or of one amount, without the percent sign.

    Raises:
        ValueError: it is neither.
    """
    low, _, high = text.removesuffix("%").partition("-")
    return float(low), float(high or low)


def _amount(text: str) -> Problem | None:
    fix = "write one amount, or two as in 0.09-0.10"
    if _AMOUNT.match(text) is None:
        return Problem(Code.BAD_VALUE, f"`{_short(text)}` is no amount", fix)
    low, high = bounds_of(text)
    if low > high:
        return Problem(Code.OUT_OF_RANGE, f"`{_short(text)}` ends below where it starts", fix)
    return None


def _percentage(text: str) -> Problem | None:
    fix = "write one percentage, or two as in 1-5%"
    if not text.endswith("%") or _AMOUNT.match(text[:-1]) is None:
        return Problem(Code.BAD_VALUE, f"`{_short(text)}` is no percentage", fix)
    low, high = bounds_of(text)
    if low > high:
        return Problem(Code.OUT_OF_RANGE, f"`{_short(text)}` ends below where it starts", fix)
    if high > 100:
        return Problem(Code.OUT_OF_RANGE, f"`{_short(text)}` is more than all of it", fix)
    return None


def _day(text: str) -> Problem | None:
    fix = "write a day like 2027-03-31"
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return Problem(Code.BAD_TIME, f"`{_short(text)}` is no day", fix)
    if day.isoformat() != text:
        return Problem(Code.BAD_TIME, f"`{_short(text)}` is no day", f"write {day.isoformat()}")
    if day.year not in _YEARS:
        return Problem(Code.OUT_OF_RANGE, f"`{text}` is in no usable year", fix)
    return None


def tag_value_problem(text: str) -> Problem | None:
    """Return why AWS would refuse a text as the value of a tag (API reference, RDS Tag)."""
    for offset, sign in enumerate(text):
        if unicodedata.category(sign)[0] not in "LZN" and sign not in _TAG_SIGNS:
            summary = f"`{_short(text)}`: {sign!r} cannot stand in the value of a tag"
            fix = "write letters, digits, spaces and _ . : / = + - @"
            return Problem(Code.BAD_VALUE, summary, fix, offset)
    return None


FORMATS: dict[str, Check] = {
    "span": _span,
    "elapsed": _elapsed,
    "days": _days,
    "period": _period,
    "window": _window,
    "timezone": _timezone,
    "cron": _cron,
    "glob": _glob,
    "bucket": _bucket,
    "backup-window": _backup_window,
    "moment": _moment,
    "day": _day,
    "tag-value": tag_value_problem,
    "amount": _amount,
    "percentage": _percentage,
}
