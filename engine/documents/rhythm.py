"""Schedules and keep rules over a sample year: what they come to, before any inventory is read.

The year is one of local times without clock changes, which is near enough for warnings.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise

from engine.documents.model import UTC_ZONE, Cron, Every
from engine.retention.decide import decide
from engine.retention.keep import ALL, Keep, Rule
from engine.retention.points import PERIODS
from engine.retention.spans import Span

DAY = timedelta(days=1)
YEAR = timedelta(days=366)
MAX_SLOTS = 400
# A Monday, at which weeks, the periods of the schedules and a year begin.
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_PERIOD_OF_WITHIN = {
    Rule.WITHIN_HOURLY: Rule.HOURLY,
    Rule.WITHIN_DAILY: Rule.DAILY,
    Rule.WITHIN_WEEKLY: Rule.WEEKLY,
    Rule.WITHIN_MONTHLY: Rule.MONTHLY,
    Rule.WITHIN_YEARLY: Rule.YEARLY,
}

Cadence = Every | Cron


@lru_cache(maxsize=4096)
def slots(cadence: Cadence, every: timedelta | None = None) -> tuple[datetime, ...]:
    """Return the slots of a year, at most `MAX_SLOTS`, oldest first.

    `every` leaves only the first of each period, as a copy rule does.
    """
    if isinstance(cadence, Every):
        first = FIRST + (-(FIRST - _FIRST_MONDAY) % max(cadence.period, DAY))
        count = min(MAX_SLOTS, YEAR // cadence.period + 1)
        all_of_them = tuple(first + n * cadence.period for n in range(count))
    else:
        all_of_them = _cron_slots(cadence.expression)
    if every is None:
        return all_of_them
    first_of_period: dict[timedelta | tuple[datetime, int], datetime] = {}
    for slot in all_of_them:
        first_of_period.setdefault(_period(slot, every), slot)
    return tuple(first_of_period.values())


def _cron_slots(expression: str) -> tuple[datetime, ...]:
    from cronsim import CronSim

    fires: list[datetime] = []
    for slot in islice(CronSim(expression, FIRST.replace(tzinfo=None)), MAX_SLOTS):
        if len(fires) > 1 and slot - fires[0].replace(tzinfo=None) > YEAR:
            break
        fires.append(slot.replace(tzinfo=UTC))
    return tuple(fires)


def _period(slot: datetime, every: timedelta) -> timedelta | tuple[datetime, int]:
    if every < DAY:
        midnight = slot.replace(hour=0, minute=0)
        return midnight, (slot - midnight) // every
    return (slot - _FIRST_MONDAY) // every * every


@lru_cache(maxsize=1024)
def longest_gap(cadence: Cadence) -> timedelta:
    """Return how far apart two slots in a row can lie."""
    return max((after - before for before, after in pairwise(slots(cadence))), default=YEAR)


def reaches(keep: Keep, cadence: Cadence, rpo: timedelta) -> bool:
    """Say whether, right before a new point comes, a kept one is at least as old as the RPO."""
    gap = longest_gap(cadence)
    if keep.is_empty or rpo <= gap or _surely_reaches(keep, rpo - gap):
        return True
    times = slots(cadence)
    oldest = decide(times, keep, UTC_ZONE).keep[-1].time
    return oldest == times[0] or times[-1] - oldest + gap >= rpo


def _surely_reaches(keep: Keep, far: timedelta) -> bool:
    """Say whether a rule by itself reaches that far, without trying it on points."""
    if keep.daily is ALL or keep.weekly is ALL or keep.monthly is ALL or keep.yearly is ALL:
        return True
    # The newest point may be the first of its period and the oldest kept the last of its own.
    days = (keep.daily or 0) - 2, ((keep.weekly or 0) - 2) * 7, ((keep.monthly or 0) - 2) * 28
    return max(days) * DAY >= far


def survivors(keep: Keep, cadence: Cadence, every: timedelta | None) -> tuple[int, int]:
    """Return how many points outlive the next one sent after them, and of how many."""
    rhythm = _changes(cadence, every)
    pairs = len(slots(cadence, every)) - 1
    mask = 0
    for rule, count in keep.counts():
        if count is ALL or count > 1:
            mask |= (1 << pairs) - 1 if rule is Rule.LAST else rhythm[rule]
    for rule, span in keep.reaches():
        near = _nearer_than(span, cadence, every)
        mask |= near if rule is Rule.WITHIN else near & rhythm[_PERIOD_OF_WITHIN[rule]]
    return mask.bit_count(), pairs


@lru_cache(maxsize=1024)
def _changes(cadence: Cadence, every: timedelta | None) -> dict[Rule, int]:
    """Return, for each kind of period, between which points in a row it changes; a bit each."""
    times = slots(cadence, every)
    masks = {}
    for rule, period in PERIODS.items():
        numbers = [period(time) for time in times]
        changes = (before != after for before, after in pairwise(numbers))
        masks[rule] = sum(1 << index for index, changed in enumerate(changes) if changed)
    return masks


@lru_cache(maxsize=4096)
def _nearer_than(span: Span, cadence: Cadence, every: timedelta | None) -> int:
    """Return which points lie less than a span before the next one; a bit each."""
    pairs = enumerate(pairwise(slots(cadence, every)))
    return sum(1 << index for index, (older, newer) in pairs if older > span.before(newer))
