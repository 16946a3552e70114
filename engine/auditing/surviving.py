"""What would be lost under the disturbances that policies are to survive, played beforehand.

Each disturbance begins where it does most harm: right before a slot, or with it. What counts is
how old the newest point is at each location from then on, in the days that are played.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from engine.auditing.subjects import Grounds
from engine.documents.model import Terms
from engine.documents.objective_model import Disturbance, Disturbed
from engine.documents.scene import Event, Happening
from engine.inventory.records import Kind, Location
from engine.planning.draft import at
from engine.planning.objectives import Aim, aims, allowed_at
from engine.planning.restorable import restorable_at
from engine.planning.slots import next_due
from engine.planning.survey import Source
from engine.plans.codes import Action, ObjectiveStatus, StepReason
from engine.plans.objectives import Survival, lasting
from engine.simulation.settings import Settings
from engine.simulation.simulate import simulate
from engine.simulation.timeline import Simulation

LEAD = timedelta(days=2)
# RDS uploads logs every five minutes (RDS User Guide, Restoring to a specified time).
_LOGS = timedelta(minutes=5)
_BEFORE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _Play:
    """One disturbance as events; `out` is the account whose calls are not answered."""

    disturbance: Disturbance
    begins: datetime
    events: tuple[Event, ...]
    out: str | None = None


@dataclass(slots=True)
class _Theatre:
    """Plays each set of events once: policies with the same slot share it."""

    grounds: Grounds
    days: int
    settings: Settings
    failovers: Mapping[datetime, tuple[Event, ...]]
    played: dict[tuple[Event, ...], Mapping[tuple[str, Location], list[_Arrival]]] = field(
        default_factory=dict
    )

    def arrivals(self, events: tuple[Event, ...]) -> Mapping[tuple[str, Location], list[_Arrival]]:
        """Return when points of which data came to be there, by database and location."""
        if events not in self.played:
            world = self.grounds.world
            simulation = simulate(
                world.documents, world.inventory, world.now, self.days, events, self.settings
            )
            self.played[events] = _arrivals(simulation, self.grounds)
        return self.played[events]

    @property
    def end(self) -> datetime:
        """When the days are over."""
        return self.grounds.world.now + timedelta(days=self.days)


@dataclass(frozen=True, slots=True, order=True)
class _Arrival:
    """A point that is available from `at` on, and when its data was captured."""

    at: datetime
    captured: datetime


def survivals(grounds: Grounds, days: int, settings: Settings | None = None) -> Iterator[Survival]:
    """Yield, for each disturbance that a policy names, what is lost at worst at each location.

    Args:
        grounds: what there is.
        days: how many days are played; what lasts longer is cut off there.
        settings: how often runs come and how long AWS takes.
    """
    asking = [(one, one.terms) for one in grounds.sources if one.terms and _asks(one, one.terms)]
    theatre = _Theatre(grounds, days, settings or Settings(), _failovers(asking, grounds))
    for source, terms in asking:
        for disturbance in terms.objectives.survive:
            for aim in aims(source, terms, grounds.book, grounds.world):
                yield _worst_of(source, terms, aim, disturbance, theatre)


def _asks(source: Source, terms: Terms) -> bool:
    asked = terms.objectives
    return source.instance is not None and asked.rpo is not None and bool(asked.survive)


def _failovers(
    asking: Iterable[tuple[Source, Terms]], grounds: Grounds
) -> dict[datetime, tuple[Event, ...]]:
    """Return the failovers before each slot: all databases of a slot fail over in one play."""
    found: dict[datetime, list[Event]] = {}
    for source, terms in asking:
        slot = _slot(terms, grounds)
        if slot is not None and Disturbance(Disturbed.ONE_FAILOVER) in terms.objectives.survive:
            begins = slot - _BEFORE
            event = Event(begins, Happening.FAIL_OVER, source=source.ref.address)
            found.setdefault(begins, []).append(event)
    return {begins: tuple(events) for begins, events in found.items()}


def _slot(terms: Terms, grounds: Grounds) -> datetime | None:
    """Return the policy's slot with which disturbances begin; None where nothing is played."""
    schedule = terms.snapshots.schedule
    if schedule is None or grounds.world.kind is Kind.CLUSTER:
        return None
    return next_due(schedule, terms.timezone, grounds.world.now + LEAD)


def _worst_of(
    source: Source, terms: Terms, aim: Aim, disturbance: Disturbance, theatre: _Theatre
) -> Survival:
    """Return the worst of all ways in which a disturbance can happen."""
    judge = partial(_judge, source, terms, aim, theatre=theatre)
    plays = list(_plays(source, terms, disturbance, theatre))
    if not plays:
        text = "the policy makes no points, so nothing can be played"
        if theatre.grounds.world.kind is Kind.CLUSTER:
            text = "disturbances of DB clusters are not played"
        return judge(_Play(disturbance, theatre.grounds.world.now, ()), ages=None, text=text)
    found = [judge(play, ages=_age(source, aim, play, theatre)) for play in plays]
    order = list(ObjectiveStatus)
    return max(found, key=lambda one: (order.index(one.status), one.worst or 0))


def _plays(
    source: Source, terms: Terms, disturbance: Disturbance, theatre: _Theatre
) -> Iterator[_Play]:
    """Yield the ways in which a disturbance can happen at a slot that is near."""
    slot, lasts = _slot(terms, theatre.grounds), disturbance.lasts
    if slot is None:
        return
    if disturbance.what is Disturbed.ONE_FAILOVER:
        begins = slot - _BEFORE
        yield _Play(disturbance, begins, theatre.failovers[begins])
    elif disturbance.what is Disturbed.MISSED_RUNS:
        yield _Play(disturbance, slot, (Event(slot, Happening.MISS_RUNS, lasts=lasts),))
    else:
        routes, _ = theatre.grounds.book.routes(terms, source.location)
        accounts = {source.location.account, *(route.location.account for route in routes)}
        for account in sorted(accounts):
            event = Event(slot, Happening.OUTAGE, account=account, lasts=lasts)
            yield _Play(disturbance, slot, (event,), account)


# -- ages ----------------------------------------------------------------------------------------


def _age(source: Source, aim: Aim, play: _Play, theatre: _Theatre) -> timedelta | None:
    """Return how old the newest point at a location gets from the disturbance on."""
    world = theatre.grounds.world
    if aim.location == source.location and restorable_at(source, aim.location, world).window:
        return _LOGS
    found = theatre.arrivals(play.events).get((source.ref.address, aim.location), [])
    newest, worst = None, timedelta(0)
    for arrival in sorted(found):
        if arrival.at > play.begins and newest is not None:
            worst = max(worst, arrival.at - newest)
        newest = arrival.captured if newest is None else max(newest, arrival.captured)
    return None if newest is None else max(worst, theatre.end - newest)


def _arrivals(
    simulation: Simulation, grounds: Grounds
) -> dict[tuple[str, Location], list[_Arrival]]:
    found: dict[tuple[str, Location], list[_Arrival]] = {}
    captured: dict[tuple[str, datetime | None], datetime] = {}
    for source in grounds.sources:
        for holding in source.holdings:
            captured[source.ref.address, holding.slot] = holding.taken_at
            if holding.is_point and holding.is_available:
                arrival = _Arrival(grounds.world.now, holding.taken_at)
                found.setdefault((source.ref.address, holding.location), []).append(arrival)
    for entry in simulation.timeline():
        if entry.action is Action.CREATE:
            captured[entry.source, entry.slot] = entry.at
        is_point = entry.reason != StepReason.ROUTE_NEEDS_BRIDGE
        if entry.ready_at is None or not is_point or entry.ready_at > simulation.end:
            continue
        taken = captured.get((entry.source, entry.slot), entry.at)
        key = (entry.source, entry.location)
        found.setdefault(key, []).append(_Arrival(entry.ready_at, taken))
    return found


# -- what follows --------------------------------------------------------------------------------


def _judge(
    source: Source,
    terms: Terms,
    aim: Aim,
    play: _Play,
    *,
    theatre: _Theatre,
    ages: timedelta | None,
    text: str = "",
) -> Survival:
    allowed = allowed_at(terms.objectives.rpo, aim)
    assert allowed is not None
    status, worst = ObjectiveStatus.UNKNOWN, None
    if ages is not None:
        worst = int(ages.total_seconds())
        status = ObjectiveStatus.MET if ages <= allowed else ObjectiveStatus.BROKEN
        text = f"at worst the newest point is {lasting(ages)} old; {lasting(allowed)} are allowed"
    elif not text:
        text = f"in {theatre.days} days no point gets there"
    return Survival(
        source=source.ref,
        policy=source.policy.name if source.policy else "",
        location=at(aim.location),
        disturbance=_words(play.disturbance),
        account=play.out,
        begins=play.begins,
        status=status,
        limit=int(allowed.total_seconds()),
        worst=worst,
        text=text,
    )


def _words(disturbance: Disturbance) -> str:
    """Return a disturbance as policies write it."""
    lasts: Sequence[str] = [lasting(disturbance.lasts)] if disturbance.lasts else []
    return ": ".join([disturbance.what.value, *lasts])
