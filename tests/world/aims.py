"""What a settled world must look like: promises 5 and 8 as a state, not as an effect."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from engine.documents.model import Every, Fallback, Incremental, Policy, Schedule, Topology
from engine.identity.marks import PIN, ZONE, Role
from engine.inventory.placement import UNKNOWN_ZONE
from tests.world.promises import BrokenError
from tests.world.readable import check_readers
from tests.world.running import Engine
from tests.world.things import Database, Thing

FIRST_MONDAY = date(1970, 1, 5).toordinal()


def check_settled(engine: Engine) -> None:
    """Object unless everything due is backed up and nothing is left over."""
    for database in engine.world.databases:
        check_backed_up(engine, database)
        check_announced(engine, database)
    check_no_leftovers(engine)
    check_readers(engine)


def check_backed_up(engine: Engine, database: Database) -> None:
    """Object unless the newest slot due has a point at home, and each target that point.

    A database that has no point yet may have to wait for its window, and a policy that requires
    increments may do without a copy.
    """
    takers = engine.promises.takers(database)
    schedule = takers[0].terms.snapshots.schedule if takers else None
    if schedule is None or _waits_for_a_replica(engine, database, takers[0]):
        return
    source = (database.location, database.resource)
    own = [one for one in engine.promises.points(source, database.location) if one.is_available]
    due = latest_due(schedule, engine.world.clock)
    late = schedule.window is not None and engine.world.clock >= due + timedelta(
        minutes=schedule.window.minutes
    )
    claims = engine.promises.claims
    if late and all(claims[one.arn].keep_until is not None for one in own):
        return
    covered = any(
        claims[one.arn].slot == due
        or (claims[one.arn].keep_until is None and max(claims[one.arn].slot, one.made) >= due)
        for one in own
    )
    if not covered and not _is_squatted(engine, database, due):
        raise BrokenError(f"promise 8: {database.identifier} has no point for {due}")
    # One-off points are copied as long as they are promised.
    wanted = [
        one
        for one in own
        if claims[one.arn].keep_until is None or engine.promises.promised(one) is not None
    ]
    if wanted:
        newest = max(claims[one.arn].slot for one in wanted)
        _check_copied(engine, database, takers[0], newest)


def check_announced(engine: Engine, database: Database) -> None:
    """Object unless each event that came since the latest slot has its point."""
    takers, now = engine.promises.takers(database), engine.world.clock
    schedule = takers[0].terms.snapshots.schedule if takers else None
    if schedule is None:
        return
    source = (database.location, database.resource)
    own = [one for one in engine.promises.points(source, database.location) if one.is_available]
    slots = {engine.promises.claims[one.arn].slot for one in own}
    for event in takers[0].terms.events:
        is_due = latest_due(schedule, now) <= event.at <= now < event.keep_until
        owed = is_due and database.born <= event.at
        if owed and event.at not in slots and not _is_squatted(engine, database, event.at):
            raise BrokenError(f"promise 8: {database.identifier} has no point of {event.at}")


def _waits_for_a_replica(engine: Engine, database: Database, policy: Policy) -> bool:
    wanted = policy.terms.snapshots.source
    only_replicas = wanted is not None and wanted.fallback is Fallback.NONE
    has_fit_one = engine.world.replicas_of(database) and not database.engine.startswith("sqlserver")
    return only_replicas and not has_fit_one


def _check_copied(engine: Engine, database: Database, policy: Policy, newest: datetime) -> None:
    snapshots = policy.terms.snapshots
    if snapshots.incremental is Incremental.REQUIRE:
        return
    for rule in snapshots.copies:
        at = engine.promises.target(rule.target)
        if rule.every is not None or at in engine.world.unreadable:
            continue
        if snapshots.topology is Topology.CHEAPEST and _has_blind_target(engine, policy):
            # Whoever is served by that one is patient with it for a while.
            continue
        family = engine.promises.family(database)
        there = [one for member in family for one in engine.promises.points(member, at)]
        slots = {engine.promises.claims[one.arn].slot for one in there if one.is_available}
        if newest not in slots:
            raise BrokenError(f"promise 8: {rule.target} has no copy of {newest}, only {slots}")


def _has_blind_target(engine: Engine, policy: Policy) -> bool:
    copies = policy.terms.snapshots.copies
    return any(engine.promises.target(one.target) in engine.world.unreadable for one in copies)


def check_no_leftovers(engine: Engine) -> None:
    """Object to failed objects and needless bridges that stay behind.

    Of a chain of bridges two may stay: the one with the newest data and the one made last.
    """
    world = engine.world
    withheld = {step.arn for step in engine.plan().steps if step.withheld_by is not None}
    for thing in world.things.values():
        if not thing.by_engine or thing.arn in withheld:
            continue
        if thing.status == "failed" and _is_managed(engine, thing):
            raise BrokenError(f"promise 5: {thing.arn} failed and is still there")
    bridges = [
        (one.protects, one.media, one.line)
        for one in world.things.values()
        if _is_managed(engine, one)
        and one.arn not in withheld
        and one.tags[ZONE] != UNKNOWN_ZONE
        and engine.promises.claims[one.arn].role is Role.BRIDGE
    ]
    if any(number > 2 for number in Counter(bridges).values()):
        raise BrokenError(f"promise 5: more bridges than needed: {bridges}")


def _is_managed(engine: Engine, thing: Thing) -> bool:
    """Whether a policy decides about what the engine made, so that it need not stay."""
    database = engine.world.living(thing.protects)
    if database is None or not thing.by_engine or PIN in thing.tags:
        return False
    takers = engine.promises.takers(database)
    deciding = [*takers, engine.promises.maker(engine.promises.claims[thing.arn].policy)]
    return bool(takers) and all(one is None or one.terms.hold is None for one in deciding)


def _is_squatted(engine: Engine, database: Database, slot: datetime) -> bool:
    """Whether a stranger's snapshot stands where the point of a slot would."""
    stamp = slot.strftime("%Y%m%dt%H%Mz")
    return any(
        not one.by_engine and stamp in one.identifier for one in engine.world.at(database.location)
    )


def latest_due(schedule: Schedule, now: datetime) -> datetime:
    """The newest slot that is due; random policies have plain periods, in UTC."""
    assert isinstance(schedule.cadence, Every)
    period = schedule.cadence.period
    start = timedelta(minutes=schedule.window.start if schedule.window else 0)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = max(1, period.days)
    while (midnight.toordinal() - FIRST_MONDAY) % days or midnight + start > now:
        midnight -= timedelta(days=1)
    anchor = midnight + start
    if period >= timedelta(days=1):
        return anchor
    return anchor + (now - anchor) // period * period
