"""The keep rules of a policy as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final, Literal

from engine.retention.spans import Span


class All(Enum):
    """The count that has no end."""

    ALL = "all"

    def __str__(self) -> str:
        return self.value


ALL: Final = All.ALL
Count = int | Literal[All.ALL]


class Rule(StrEnum):
    """Why a point is kept. Values are those of `engine.plans.codes.KeepReason`."""

    LAST = "last"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    WITHIN = "within"
    WITHIN_HOURLY = "within_hourly"
    WITHIN_DAILY = "within_daily"
    WITHIN_WEEKLY = "within_weekly"
    WITHIN_MONTHLY = "within_monthly"
    WITHIN_YEARLY = "within_yearly"
    OLDEST = "oldest"
    FUTURE = "future"
    NO_RULE = "no_rule"


COUNTED = (Rule.LAST, Rule.HOURLY, Rule.DAILY, Rule.WEEKLY, Rule.MONTHLY, Rule.YEARLY)
REACHING = (
    Rule.WITHIN,
    Rule.WITHIN_HOURLY,
    Rule.WITHIN_DAILY,
    Rule.WITHIN_WEEKLY,
    Rule.WITHIN_MONTHLY,
    Rule.WITHIN_YEARLY,
)
_ONE_PER = {
    Rule.WITHIN: "every point",
    Rule.WITHIN_HOURLY: "one an hour",
    Rule.WITHIN_DAILY: "one a day",
    Rule.WITHIN_WEEKLY: "one a week",
    Rule.WITHIN_MONTHLY: "one a month",
    Rule.WITHIN_YEARLY: "one a year",
}


@dataclass(frozen=True, slots=True)
class Keep:
    """Which points stay: a point that any rule keeps is kept.

    `last` counts points, `hourly` to `yearly` count calendar periods that have a point, newest
    first; `ALL` has no end. `within` keeps every point less than a span older than the newest,
    `within_hourly` to `within_yearly` the newest of each period in that reach. None, 0 and a span
    of no length are no rule; without any rule everything is kept.

    Raises:
        ValueError: when a count is negative.
    """

    last: Count | None = None
    hourly: Count | None = None
    daily: Count | None = None
    weekly: Count | None = None
    monthly: Count | None = None
    yearly: Count | None = None
    within: Span | None = None
    within_hourly: Span | None = None
    within_daily: Span | None = None
    within_weekly: Span | None = None
    within_monthly: Span | None = None
    within_yearly: Span | None = None

    def __post_init__(self) -> None:
        for rule, count in self.counts():
            if isinstance(count, int) and count < 0:
                raise ValueError(f"{rule} cannot be {count}; write {ALL} for no limit")

    @property
    def is_empty(self) -> bool:
        """Whether there is no rule, so that nothing may be removed."""
        return not self.counts() and not self.reaches()

    def counts(self) -> list[tuple[Rule, Count]]:
        """Return the counting rules that are set, in the order in which they are written."""
        counts = (self.last, self.hourly, self.daily, self.weekly, self.monthly, self.yearly)
        return [(rule, count) for rule, count in zip(COUNTED, counts, strict=True) if count]

    def reaches(self) -> list[tuple[Rule, Span]]:
        """Return the rules that reach back from the newest point and are set, in order."""
        spans = (
            self.within,
            self.within_hourly,
            self.within_daily,
            self.within_weekly,
            self.within_monthly,
            self.within_yearly,
        )
        pairs = zip(REACHING, spans, strict=True)
        return [(rule, span) for rule, span in pairs if span is not None and not span.is_zero]

    def sentence(self) -> str:
        """Return the rules in words: `the last 3 points, 7 daily and all yearly`."""
        parts = [_counted(rule, count) for rule, count in self.counts()]
        parts += [f"{_ONE_PER[rule]} within {span} of the newest" for rule, span in self.reaches()]
        if not parts:
            return "every point, as no rule is set"
        *others, final = parts
        return f"{', '.join(others)} and {final}" if others else final


def _counted(rule: Rule, count: Count) -> str:
    if rule is not Rule.LAST:
        return f"{count} {rule}"
    if count is ALL:
        return "every point"
    return "the last point" if count == 1 else f"the last {count} points"
