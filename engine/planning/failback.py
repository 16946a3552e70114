"""Failovers as pairs of zones show them, and what failing back would save."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

from engine.costs.durations import ASSUMED_PACES, Work, work_of_copy
from engine.costs.ranges import exactly
from engine.documents.model import FailBack
from engine.identity.chains import Chain
from engine.identity.marks import Role
from engine.inventory.placement import volume_zone
from engine.inventory.records import Event, Instance, Location, Scope
from engine.planning.failovers import newest_failover
from engine.planning.replicas import body_of, is_replica
from engine.planning.routes import RouteBook
from engine.planning.steps import short
from engine.planning.survey import Source, World
from engine.planning.weekly_windows import next_opening, open_until
from engine.plans.amounts import lasting
from engine.plans.codes import Guard
from engine.plans.digest import guard_digest
from engine.plans.plan import Warned


@dataclass(frozen=True, slots=True)
class Away:
    """A database that runs elsewhere than it should: the zones by name, and of its volume by id.

    `zone` is where its snapshots are taken now, `before` where they are after failing back.
    """

    runs_in: str
    back_to: str
    zone: str
    before: str


@dataclass(frozen=True, slots=True)
class Saving:
    """What AWS would store in full now and as increments after failing back.

    `seconds` is how much longer that may take at most: copies of a database are made one at a time.
    """

    full: int
    gib: int
    seconds: float

    @property
    def text(self) -> str:
        """What failing back before the next point would spare."""
        if not self.full:
            return "would spare no full snapshot: both zones have their bases"
        return (
            f"would spare {self.full} full snapshots and copies, up to {self.gib} GiB and up to "
            f"{lasting((self.seconds, self.seconds))}"
        )


@dataclass(frozen=True, slots=True)
class Failback:
    """A database that is to fail back, and what that saves.

    `base` is the ARN of the newest point of the zone it goes back to, empty where there is none.
    """

    instance: Instance
    away: Away
    saving: Saving
    base: str

    @property
    def digest(self) -> str:
        """What acknowledges it: this failover of this database, and none after it.

        Once a point was made in the zone it goes back to, it takes another acknowledgement.
        """
        words = (self.instance.resource_id, self.away.runs_in, self.away.back_to, self.base)
        return guard_digest(Guard.FAIL_BACK, [self.instance.arn, "/".join(words)])


def failback_of(source: Source, world: World, book: RouteBook) -> Failback | None:
    """Return the failback that the policy wants, None where it wants none.

    With a preferred zone it wants one whenever the database runs in the other one of its two;
    without one only where snapshots would be stored in full for want of it.
    """
    terms, instance = source.terms, source.instance
    if terms is None or instance is None or terms.failover.fail_back is FailBack.NEVER:
        return None
    if not _follows_failovers(source, instance, world):
        return None
    preferred = terms.failover.preferred_az
    away = _away(instance, world.scope(source.location), preferred)
    if away is None:
        return None
    saving = _saving(source, instance, away, world, book)
    if not saving.full and preferred is None:
        return None
    return Failback(instance, away, saving, _base(source, instance, away.before))


def _base(source: Source, instance: Instance, zone: str) -> str:
    found = [
        h
        for h in source.holdings
        if h.is_available
        and h.marks.role is Role.PRIMARY
        and (h.marks.volume, h.marks.zone) == (instance.resource_id, zone)
    ]
    newest = max(found, key=lambda h: (h.taken_at, h.arn), default=None)
    return "" if newest is None else newest.arn


def proposals(
    source: Source, world: World, book: RouteBook, accepted: frozenset[str]
) -> Iterable[Warned]:
    """Yield the failback that the policy wants, and what it takes to have it done."""
    back = failback_of(source, world, book)
    if back is not None and source.terms is not None:
        by_itself = source.terms.failover.fail_back is FailBack.IN_WINDOW
        fix = _in_window(back, world, accepted) if by_itself else _by_hand(source, back.instance)
        event = newest_failover(back.instance, world.scope(source.location))
        yield _proposal(source, back, event, fix)


def _follows_failovers(source: Source, instance: Instance, world: World) -> bool:
    """Say whether failovers change the volume that the source's snapshots are taken of."""
    body = body_of(source, world).instance
    return body is not None and not is_replica(body, source) and instance.multi_az


def _away(instance: Instance, scope: Scope, preferred: str | None) -> Away | None:
    """Return where a database is and would be; None where it is where it should be.

    After a failover primary and standby have changed places, and so has what snapshots are taken
    of, be it the one or the other.
    """
    runs_in, standby = instance.availability_zone, instance.secondary_zone
    zone = volume_zone(instance, scope)
    if runs_in is None or standby is None:
        return None
    before = next((one for one in _ids(scope, runs_in, standby) if one != zone), None)
    if before is None or preferred not in {None, standby, scope.zone_id(standby)}:
        return None
    return Away(runs_in, standby, zone, before)


def _ids(scope: Scope, *names: str) -> list[str]:
    return [scope.zone_id(name) or name for name in names]


def _saving(
    source: Source, instance: Instance, away: Away, world: World, book: RouteBook
) -> Saving:
    """Count the chains of the next point that have a base in the zone of before only.

    The keys of a chain do not change by a failover, so the newest points tell which chains go on.
    """
    assert source.terms is not None
    routes, _ = book.routes(source.terms, source.location)
    origins = {route.location: route.hub or source.location for route in routes if route.is_open}
    places = {source.location: Role.PRIMARY} | dict.fromkeys(origins, Role.COPY)
    own = [h for h in source.holdings if h.is_available and h.is_point]
    own = [h for h in own if h.marks.volume == instance.resource_id]
    chains = {h.chain for h in own}
    full, seconds = 0, 0.0
    for location, role in places.items():
        here = [h for h in own if h.location == location and h.marks.role is role]
        newest = max(here, key=lambda h: (h.taken_at, h.arn), default=None)
        if newest is not None:
            keys = newest.marks.keys
            now = Chain(instance.resource_id, away.zone, location, role, keys)
            back = Chain(instance.resource_id, away.before, location, role, keys)
            if back in chains and now not in chains:
                full += 1
                seconds += _most_seconds(origins.get(location), location, instance)
    return Saving(full, full * instance.allocated_gib, seconds)


def _most_seconds(origin: Location | None, location: Location, instance: Instance) -> float:
    """Return how long storing all of a database may take, as a copy from `origin` if there is one.

    Whatever takes its time for an increment too is left out.
    """
    work = Work.CREATE if origin is None else work_of_copy(astuple(origin), astuple(location))
    return ASSUMED_PACES[work].storing(exactly(instance.allocated_gib)).high


def _proposal(source: Source, back: Failback, event: Event | None, fix: str) -> Warned:
    why = f" since {short(event.at)} ({event.message.rstrip('.')})" if event else ""
    away = back.away
    text = (
        f"it runs in {away.runs_in}{why}, so its snapshots are taken in {away.zone}; failing back "
        f"to {away.back_to} before its next point {back.saving.text}"
    )
    policy = source.policy.name if source.policy else None
    return Warned("W406 fail-back", "warning", text, source.ref.address, policy, fix)


def _by_hand(source: Source, instance: Instance) -> str:
    return (
        "in a quiet hour, since it is an outage: aws rds reboot-db-instance --force-failover "
        f"--region {source.location.region} --db-instance-identifier {instance.identifier}"
    )


def _in_window(back: Failback, world: World, accepted: frozenset[str]) -> str:
    window = back.instance.maintenance_window
    opens = world.now if open_until(window, world.now) else next_opening(window, world.now)
    if opens is None:
        return "it has no maintenance window to be failed back in"
    when = f"in its maintenance window {window} UTC, from {short(opens)} on"
    if back.digest in accepted:
        return f"nothing: it is acknowledged, and done {when}"
    return (
        f"name {back.digest} under `guards.acknowledged` of the estate, or apply with -acknowledge "
        f"{back.digest}: without it nothing is done {when}"
    )
