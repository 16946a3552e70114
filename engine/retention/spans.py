"""Lengths of time as people write them: `36h`, `30d`, `18mo`, `1y2mo3d4h`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import MINYEAR, UTC, date, datetime, timedelta
from enum import Enum, auto

MAX_DIGITS = 8
EARLIEST = datetime.min.replace(tzinfo=UTC)

_TERM = re.compile(r"([0-9]+)([A-Za-z]*)")
_FIELDS = {
    "y": "years",
    "mo": "months",
    "w": "weeks",
    "d": "days",
    "h": "hours",
    "m": "minutes",
    "s": "seconds",
}
_UNITS = tuple(_FIELDS)
_WORDS = "y, mo, w, d, h, m and s"


class Minutes(Enum):
    """Whether `m` may be written. Where months are usual it is refused: `6m` would lose backups."""

    REFUSED = auto()
    ALLOWED = auto()


class SpanError(ValueError):
    """A text that is no length of time, or a length that has no fixed number of seconds.

    Attributes:
        message: what is wrong and what to write instead.
        position: where in the text, counted from 0.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True)
class Span:
    """A calendar length. Years, months and days follow the calendar, the rest is elapsed time.

    Raises:
        ValueError: when a part is negative.
    """

    years: int = 0
    months: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0

    def __post_init__(self) -> None:
        if min(self._parts()) < 0:
            raise ValueError(f"no part of a span can be negative: {self!r}")

    def __str__(self) -> str:
        units = ("y", "mo", "d", "h", "m", "s")
        terms = [f"{part}{unit}" for part, unit in zip(self._parts(), units, strict=True) if part]
        return "".join(terms) or "0s"

    @property
    def is_zero(self) -> bool:
        """Whether it has no length."""
        return not any(self._parts())

    def as_timedelta(self) -> timedelta:
        """Return the elapsed time, a day being 24 hours.

        Raises:
            SpanError: when the span has years or months, whose length depends on when they begin.
        """
        if self.years or self.months:
            raise SpanError(f"{self} has no fixed length: years and months differ; write days")
        return timedelta(days=self.days, seconds=self._elapsed_seconds())

    def before(self, moment: datetime) -> datetime:
        """Return the instant this long before `moment`, in the timezone of `moment`.

        Years, months and days are taken off the local date; a day that the month reached does not
        have runs over into the next month, so that 31 March minus 1mo is 3 March (2 March in leap
        years). This, and which instant is meant where the resulting local time exists twice or not
        at all, follows Go's `Time.AddDate`, on which restic's `forget` rests. Hours, minutes and
        seconds are then taken off as elapsed time. Unless the span is zero the result is earlier
        than `moment`, also where a whole day was left out (Apia, 30 December 2011). What would lie
        before year 1 is `EARLIEST`.

        Raises:
            ValueError: when `moment` has no timezone.
        """
        zone = moment.tzinfo
        if zone is None:
            raise ValueError(f"{moment} has no timezone")
        try:
            instant = moment.astimezone(UTC)
            if self.years or self.months or self.days:
                wall = self._earlier_wall_time(moment.replace(tzinfo=None))
                instant = _instant_before(moment, wall)
            return (instant - timedelta(seconds=self._elapsed_seconds())).astimezone(zone)
        except OverflowError:
            return EARLIEST

    def _earlier_wall_time(self, wall: datetime) -> datetime:
        months = wall.year * 12 + wall.month - 1 - self.years * 12 - self.months
        year, month = divmod(months, 12)
        if year < MINYEAR:
            raise OverflowError("before year 1")
        first = date(year, month + 1, 1)
        day = first - timedelta(days=self.days) + timedelta(days=wall.day - 1)
        return datetime.combine(day, wall.time())

    def _elapsed_seconds(self) -> int:
        return (self.hours * 60 + self.minutes) * 60 + self.seconds

    def _parts(self) -> tuple[int, int, int, int, int, int]:
        return self.years, self.months, self.days, self.hours, self.minutes, self.seconds


def parse_span(text: str, minutes: Minutes = Minutes.REFUSED) -> Span:
    """Read a length such as `90s`, `36h`, `30d`, `5w`, `18mo`, `2y` or a sum, `1y2mo3d4h`.

    Units stand in descending order, each at most once; a week is 7 days; nothing else, not even a
    space, may stand between. `minutes` says whether `m` is a unit here.

    Raises:
        SpanError: with the place in the text and what to write instead.
    """
    if not text:
        raise SpanError("empty; write a number and a unit, like 36h or 30d")
    amounts: dict[str, int] = {}
    position = 0
    while position < len(text):
        position = _read_term(text, position, amounts, minutes)
    days = amounts.pop("weeks", 0) * 7 + amounts.pop("days", 0)
    return Span(days=days, **amounts)


def _read_term(text: str, position: int, amounts: dict[str, int], minutes: Minutes) -> int:
    """Read the number and unit at `position` into `amounts`; return where the next one starts."""
    term = _TERM.match(text, position)
    if term is None:
        raise SpanError(_no_number(text[position]), position)
    digits, unit = term.groups()
    at = term.start(2)
    if len(digits) > MAX_DIGITS:
        raise SpanError(f"a number has at most {MAX_DIGITS} digits", position)
    if unit == "m" and minutes is Minutes.REFUSED:
        raise SpanError("m could be minutes or months; write mo for months", at)
    if unit not in _FIELDS:
        raise SpanError(_no_unit(digits, unit), at)
    if amounts and _FIELDS[unit] in amounts:
        raise SpanError(f"{unit} stands twice; add the numbers up", position)
    if any(_UNITS.index(unit) < list(_FIELDS.values()).index(field) for field in amounts):
        raise SpanError(f"units go from large to small: {_WORDS}", position)
    amounts[_FIELDS[unit]] = int(digits)
    return term.end()


def _no_number(character: str) -> str:
    if character.isspace():
        return "no spaces; write 1y2mo, 30d"
    if character in "-+.,":
        return "only whole numbers without a sign, like 36h or 1d12h"
    return f"a number is missing before {character!r}; write a number and a unit, like 30d"


def _no_unit(digits: str, unit: str) -> str:
    if not unit:
        return f"a unit is missing after {digits}; the units are {_WORDS}"
    if unit.lower() in _FIELDS:
        return f"{unit} is no unit; write {unit.lower()}"
    return f"{unit} is no unit; the units are {_WORDS}"


def _instant_before(moment: datetime, wall: datetime) -> datetime:
    """Return the instant, in UTC, at which the clocks that `moment` is told by showed `wall`.

    Go's choice: the offset that would hold were `wall` in UTC; where that contradicts itself, the
    offset that holds at the instant it leads to. Where a whole day was left out this can lead to
    `moment` itself, which would put the newest backup out of its own reach; then the offset of
    `moment` is taken.
    """
    as_utc = wall.replace(tzinfo=UTC)
    guess = _offset(as_utc, moment)
    instant = as_utc - _offset(as_utc - guess, moment)
    return instant if instant < moment else as_utc - _offset(moment, moment)


def _offset(instant: datetime, moment: datetime) -> timedelta:
    """Return how far the clocks that `moment` is told by are ahead of UTC at `instant`."""
    local = instant.astimezone(moment.tzinfo).replace(tzinfo=UTC)
    return local - instant.astimezone(UTC)
