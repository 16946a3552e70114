"""When keep rules will drop the points that they keep today, if everything goes as scheduled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from engine.consequences.side import GOING, Side
from engine.documents.model import Schedule
from engine.inventory.records import Location
from engine.planning.holds import hold_on
from engine.planning.one_off import promised
from engine.planning.retaining import Rules, rules_at, rules_for
from engine.planning.slots import due_between, period_start
from engine.planning.survey import Holding, Life, Source
from engine.retention.decide import decide

HORIZON = timedelta(days=92)
_STEP = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Prospect:
    """What decides about the points of a source at a location from now on.

    `points` are those that are there, and the rules that judge each; None is kept whatever
    happens. `others` are not governed by these documents: nothing counts or removes them. `coming`
    are the slots that will be added, judged by `rules`.
    """

    points: frozenset[tuple[datetime, tuple[Rules, ...] | None]]
    others: frozenset[datetime]
    rules: Rules | None = None
    coming: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Future:
    """When rules drop each slot that is there now, and the slots that there are at the horizon."""

    ends: Mapping[datetime, datetime]
    slots: frozenset[datetime]


def prospect(
    side: Side, source: Source | None, location: Location, points: Iterable[Holding]
) -> Prospect:
    """Return what decides about a source's points at a location from now on.

    Args:
        side: whose documents decide.
        source: None where these documents do not govern it, and leave its points alone.
        location: where the points lie.
        points: those that are there; what the plan deletes is not counted.
    """
    staying = [h for h in points if side.leaving(h.arn) not in GOING]
    own = {h.arn for h in source.holdings} if source is not None else set()
    others = frozenset(h.slot for h in staying if h.arn not in own)
    ours = [h for h in staying if h.arn in own]
    if source is None or source.life is not Life.LIVE or not source.terms or not source.policy:
        return Prospect(frozenset((h.slot, None) for h in ours), others)
    ours += [h for h in source.holdings if h.location == location and h.is_point and h.is_in_flight]
    rules = rules_at(source.policy, source.terms, side.book, source.location, location)
    lasting = promised(source, ours, side.world.now + HORIZON)
    judged = frozenset(
        (h.slot, None if h.slot in lasting else _judges(side, source, h, rules)) for h in ours
    )
    return Prospect(judged, others, rules, tuple(_coming(side, source, location)))


def _judges(
    side: Side, source: Source, holding: Holding, current: Rules | None
) -> tuple[Rules, ...] | None:
    if holding.marks.pin is not None or hold_on(source, holding, side.world) is not None:
        return None
    found = rules_for(source, side.world, side.book, holding, current)
    return found if isinstance(found, tuple) else None


def _coming(side: Side, source: Source, location: Location) -> Iterator[datetime]:
    """Yield the slots of the points that come to a location: planned now, then as scheduled."""
    assert source.terms is not None
    made = side.makes.get((source.ref.resource_id, location), ())
    yield from sorted(step.slot for step in made if step.slot is not None)
    schedule, timezone = source.terms.snapshots.schedule, source.terms.timezone
    if schedule is None:
        return
    slots = _slots(schedule, timezone, side.world.now)
    if location == source.location:
        yield from slots
        return
    routes, _ = side.book.routes(source.terms, source.location)
    route = next((r for r in routes if r.location == location and r.is_open), None)
    if route is not None:
        yield from _first_of_each(route.rule.every, timezone, slots)


@lru_cache(maxsize=256)
def _slots(schedule: Schedule, timezone: ZoneInfo, now: datetime) -> tuple[datetime, ...]:
    return tuple(due_between(schedule, timezone, now, now + HORIZON))


def _first_of_each(
    every: timedelta | None, timezone: ZoneInfo, slots: tuple[datetime, ...]
) -> Iterator[datetime]:
    sent: set[datetime] = set()
    for slot in slots:
        period = slot if every is None else period_start(every, timezone, slot)
        if period not in sent:
            sent.add(period)
            yield slot


@lru_cache(maxsize=4096)
def future_of(prospect: Prospect, now: datetime) -> Future:
    """Return what becomes of the points: rules judge once a day, over all that has come by then."""
    judges = dict(prospect.points)
    waiting = list(prospect.coming)
    ends: dict[datetime, datetime] = {}
    day = now
    while day < now + HORIZON:
        day += _STEP
        new = [slot for slot in waiting if slot <= day]
        waiting = waiting[len(new) :]
        if new and prospect.rules is not None:
            judges |= {slot: (prospect.rules,) for slot in new if slot not in judges}
            for slot in _dropped(judges, day):
                del judges[slot]
                ends[slot] = max(new)
    return Future(ends, prospect.others | judges.keys())


def _dropped(
    judges: Mapping[datetime, tuple[Rules, ...] | None], now: datetime
) -> Iterator[datetime]:
    everyone = {rules for found in judges.values() for rules in found or ()}
    kept = {rules: _kept(rules, tuple(sorted(judges)), now) for rules in everyone}
    for slot, found in list(judges.items()):
        if found is not None and not any(slot in kept[rules] for rules in found):
            yield slot


@lru_cache(maxsize=4096)
def _kept(rules: Rules, slots: tuple[datetime, ...], now: datetime) -> frozenset[datetime]:
    decision = decide(slots, rules.keep, rules.timezone, now=now)
    return frozenset(point.time for point in decision.keep)
