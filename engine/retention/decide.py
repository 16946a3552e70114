"""Deciding which points stay.

The rules are those of restic's `forget` since version 0.16 (restic.readthedocs.io, "Removing
snapshots according to a policy"), but for three things: `within` reaches back from the newest
*available* point, points in the future are not counted, and the newest point is always within its
own reach (restic drops it where clocks were put back by the reach, or a day was left out).

Deciding again over what was kept removes nothing, and another rule or a larger one never removes
more; both are tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from engine.retention import future
from engine.retention.counting import Counting
from engine.retention.keep import Keep, Rule
from engine.retention.last import Last
from engine.retention.points import PERIODS, Marker, Points
from engine.retention.within import Within, WithinPeriods

NO_RULE = "no-rule"

_PERIOD_WITHIN = {
    Rule.WITHIN_HOURLY: Rule.HOURLY,
    Rule.WITHIN_DAILY: Rule.DAILY,
    Rule.WITHIN_WEEKLY: Rule.WEEKLY,
    Rule.WITHIN_MONTHLY: Rule.MONTHLY,
    Rule.WITHIN_YEARLY: Rule.YEARLY,
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A point that stays, with every reason: `last-1`, `daily-3`, `oldest-weekly`, `within-36h`."""

    time: datetime
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What stays and what may go, newest first; together exactly the times that were given."""

    keep: tuple[Kept, ...]
    remove: tuple[datetime, ...]


def decide(
    times: Sequence[datetime],
    keep: Keep,
    timezone: ZoneInfo,
    newest_available: datetime | None = None,
    now: datetime | None = None,
) -> Decision:
    """Decide which of `times` stay under `keep`.

    Args:
        times: the points, in any order. Equal ones are separate points, told apart by their order.
        keep: the rules. Without any everything stays.
        timezone: whose hours, days, ISO weeks, months and years count.
        newest_available: the point from which `within` reaches back; by default the newest of
            `times` that is not in the future.
        now: times later than this stay and are counted by no rule; by default none are.

    Raises:
        ValueError: when a time has no timezone or lies at the very ends of the calendar.
    """
    try:
        newest_first, instants = _newest_first(times)
        ahead = future.count_future(instants, now)
        reasons = _reasons(instants[ahead:], keep, timezone, newest_available)
    except OverflowError as error:
        raise ValueError("a time is beyond the years 2 to 9998") from error
    pairs = list(zip(newest_first, [(future.REASON,)] * ahead + reasons, strict=True))
    return Decision(
        keep=tuple([Kept(time, why) for time, why in pairs if why]),
        remove=tuple([time for time, why in pairs if not why]),
    )


def _newest_first(times: Sequence[datetime]) -> tuple[list[datetime], list[datetime]]:
    """Return the times newest first, and beside each its instant in UTC.

    Comparing the times themselves would go wrong: within one timezone Python compares what the
    clocks show, which is not the order of events while they are put back.
    """
    if all(time.tzinfo is UTC for time in times):
        in_order = sorted(times, reverse=True)
        return in_order, in_order
    naive = next((time for time in times if time.utcoffset() is None), None)
    if naive is not None:
        raise ValueError(f"{naive.isoformat()} has no timezone")
    instants = [time.astimezone(UTC) for time in times]
    order = sorted(range(len(instants)), key=instants.__getitem__, reverse=True)
    return [times[index] for index in order], [instants[index] for index in order]


def _reasons(
    instants: list[datetime], keep: Keep, timezone: ZoneInfo, newest_available: datetime | None
) -> list[tuple[str, ...]]:
    """Return what keeps each of `instants`, which are newest first and not in the future."""
    if not instants:
        return []
    markers = _markers(keep)
    if not markers:
        return [(NO_RULE,)] * len(instants)
    points = Points(instants, timezone, newest_available or instants[0])
    reasons: list[tuple[str, ...]] = [()] * len(instants)
    for marker in markers:
        for index, reason in marker.marks(points):
            reasons[index] += (reason,)
    return reasons


@lru_cache(maxsize=1024)
def _markers(keep: Keep) -> tuple[Marker, ...]:
    """Return the rules of `keep`, ready to be applied, in the order in which they are written."""
    counted = [
        Last(count) if rule is Rule.LAST else Counting(rule, count) for rule, count in keep.counts()
    ]
    reaching = [
        Within(span) if rule is Rule.WITHIN else WithinPeriods(_PERIOD_WITHIN[rule], span)
        for rule, span in keep.reaches()
    ]
    return (*counted, *reaching)


def rule_of(reason: str) -> Rule:
    """Return the rule behind a reason of `Kept`: `daily` of `daily-3`, `oldest` of `oldest-daily`.

    Raises:
        ValueError: when it is no such reason.
    """
    first, _, rest = reason.partition("-")
    if first == Rule.WITHIN and rest.partition("-")[0] in PERIODS:
        return Rule(f"{first}_{rest.partition('-')[0]}")
    return Rule.NO_RULE if reason == NO_RULE else Rule(first)
