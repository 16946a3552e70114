"""When the plan of databases may become another one though nothing of theirs changes.

Whatever of planning looks at the clock is named here. Too many moments cost time; one that is
missing would be a wrong timeline, which is why the other method is held against this one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from engine.documents.model import Documents, FailBack, Terms
from engine.inventory.records import Instance
from engine.planning.creating import NEAR_BACKUP_WINDOW, due_slot
from engine.planning.guards import FRESH as FRESH_POINTS
from engine.planning.policy_shares import OUT_OF_SIGHT
from engine.planning.protecting import LONGEST_COPY
from engine.planning.slots import FRESH, next_due
from engine.planning.survey import Life, Source, World
from engine.retention.spans import Span
from engine.simulation.groups import Group, made_at

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


def idle_lengths(documents: Documents) -> frozenset[timedelta]:
    """Return after how long chains may be idle, by any policy."""
    terms = [policy.terms for policy in documents.policies.values()]
    lengths = {one.idle_after for one in terms} | {Terms().idle_after}
    for policy in documents.policies.values():
        for override in policy.overrides:
            changed = override.changes.get(("idle_after",))
            lengths |= {changed} if isinstance(changed, timedelta) else set()
    return frozenset(lengths)


class Ticks(Protocol):
    """When runs are."""

    end: datetime
    interval: timedelta

    def tick_from(self, moment: datetime) -> datetime | None:
        """Return the first run at or after a moment."""


def wake(
    group: Group, sources: Iterable[Source], world: World, idle: frozenset[timedelta], ticks: Ticks
) -> datetime | None:
    """Return the first run after this one that has to plan a group anew, None where none has.

    Some of planning asks whether a moment is past and some whether it has come, so a moment that
    is now counts for the next run.
    """
    now, outcome = world.now, group.outcome
    moments = [m for source in sources for m in _of_source(source, now)]
    moments += [m for m in _of_chains(group, idle) if m >= now]
    tight = any(world.is_tight(at) for at in world.rooms)
    # What is done is planned anew anyway; what is not, guards may come to see differently.
    is_held = outcome is not None and bool(outcome.steps)
    if tight or is_held or outcome is None or not outcome.is_plain:
        moments += [m for m in _of_snapshots(group, now) if m >= now]
    for source in sources:
        moments += _of_orphans(source, world, ticks)
    first = min(moments, default=None)
    return None if first is None else ticks.tick_from(max(first, now + _INSTANT))


def _of_chains(group: Group, idle: frozenset[timedelta]) -> Iterator[datetime]:
    for latest in group.chains.values():
        for length in idle:
            yield latest + length


def _of_snapshots(group: Group, now: datetime) -> Iterator[datetime]:
    """Yield when snapshots are no longer fresh, shared, promised or young enough to be copied."""
    for length in (FRESH_POINTS, LONGEST_COPY):
        first = bisect_left(group.order, now - length, key=made_at)
        if first < len(group.order):
            yield made_at(group.order[first]) + length
    for holding in reversed(group.holdings):
        if holding.slot < now:
            break
        yield holding.slot
    for one in group.timed:
        marks = one.marks
        if marks.keep_until is not None:
            yield marks.keep_until
        if marks.unshared_at is not None:
            yield marks.unshared_at + OUT_OF_SIGHT


def _of_source(source: Source, now: datetime) -> Iterator[datetime]:
    found: list[datetime] = []
    for instance in (source.instance, *source.replicas):
        if instance is not None:
            found += _edges(instance, now)
    if source.terms is not None:
        found += _of_terms(source, source.terms, now)
    return (moment for moment in found if moment >= now)


def _of_terms(source: Source, terms: Terms, now: datetime) -> Iterator[datetime]:
    if terms.failover.fail_back is FailBack.IN_WINDOW:
        yield now
    schedule = terms.snapshots.schedule
    if schedule is not None:
        following = next_due(schedule, terms.timezone, now)
        slot = due_slot(terms, now)
        if following is not None:
            yield following
        if slot is not None:
            yield slot.at + FRESH
            yield slot.window_end or slot.at
    for event in terms.events:
        yield event.at
        yield event.keep_until
        following = next_due(schedule, terms.timezone, event.at) if schedule else None
        yield following or event.at
    rpo = terms.objectives.rpo
    if rpo is not None:
        newest: dict[object, datetime] = {}
        for holding in source.holdings:
            if holding.is_point and holding.is_available:
                newest[holding.location] = max(
                    holding.slot, newest.get(holding.location, holding.slot)
                )
        for slot_at in newest.values():
            yield slot_at + rpo


def _edges(instance: Instance, now: datetime) -> Iterator[datetime]:
    """Yield when an instance's automated backup window, with its margins, opens and closes next."""
    if instance.backup_retention_days == 0 or not instance.backup_window:
        return
    utc = now.astimezone(UTC)
    midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = instance.backup_window.split("-")
    for clock, margin in ((start, -NEAR_BACKUP_WINDOW), (end, NEAR_BACKUP_WINDOW)):
        hour, minute = clock.split(":")
        edge = midnight + timedelta(hours=int(hour), minutes=int(minute)) + margin
        for day in (-_DAY, timedelta(0), _DAY, 2 * _DAY):
            yield edge + day


def _of_orphans(source: Source, world: World, ticks: Ticks) -> Iterator[datetime]:
    """Yield the first run at which some orphan has been kept for long enough.

    How long that is depends on the calendar, so the run is searched for, not reckoned.
    """
    if source.life is not Life.GONE:
        return
    since = {h.marks.gone_since for h in source.holdings if h.marks.gone_since is not None}
    for span in _keep_fors(world.documents):
        for moment in since:
            found = _first(partial(_is_over, span, moment), world.now, ticks)
            if found is not None:
                yield found


def _is_over(span: Span, since: datetime, now: datetime) -> bool:
    return since <= span.before(now)


def _keep_fors(documents: Documents) -> set[Span]:
    """Return how long orphans may be kept, by any policy."""
    found: set[Span] = set()
    for policy in documents.policies.values():
        if policy.terms.orphans is not None:
            found.add(policy.terms.orphans.keep_for)
        for override in policy.overrides:
            changed = override.changes.get(("orphans", "keep_for"))
            found |= {changed} if isinstance(changed, Span) else set()
    return found


def _first(is_over: Callable[[datetime], bool], now: datetime, ticks: Ticks) -> datetime | None:
    """Return the first run after now at which something is over; None where it is over already."""
    if is_over(now):
        return None
    low, high = 0, 1
    while not is_over(now + high * ticks.interval):
        if now + high * ticks.interval > ticks.end:
            return None
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if is_over(now + middle * ticks.interval):
            high = middle
        else:
            low = middle
    return now + high * ticks.interval
