"""What a settled world must look like: promises 5 and 8 as a state, not as an effect."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from engine.documents.model import Every, Incremental, Policy, Schedule
from engine.identity.marks import PIN, SHARED, ZONE, Role
from engine.inventory.placement import UNKNOWN_ZONE
from tests.world.promises import BrokenError
from tests.world.running import Engine
from tests.world.things import Database, Thing

FIRST_MONDAY = date(1970, 1, 5).toordinal()


def check_settled(engine: Engine) -> None:
    """Object unless everything due is backed up and nothing is left over."""
    for database in engine.world.databases:
        check_backed_up(engine, database)
    check_no_leftovers(engine)


def check_backed_up(engine: Engine, database: Database) -> None:
    """Object unless the newest slot due has a point at home, and each target that point.

    A database that has no point yet may have to wait for its window, and a policy that requires
    increments may do without a copy.
    """
    takers = engine.promises.takers(database)
    schedule = takers[0].terms.snapshots.schedule if takers else None
    if schedule is None:
        return
    source = (database.location, database.resource)
    own = [one for one in engine.promises.points(source, database.location) if one.is_available]
    due = latest_due(schedule, engine.world.clock)
    late = schedule.window is not None and engine.world.clock >= due + timedelta(
        minutes=schedule.window.minutes
    )
    if not own and late:
        return
    claims = engine.promises.claims
    covered = any(claims[one.arn].slot >= due or one.made >= due for one in own)
    if not covered and not _is_squatted(engine, database, due):
        raise BrokenError(f"promise 8: {database.identifier} has no point for {due}")
    if own:
        newest = max(claims[one.arn].slot for one in own)
        _check_copied(engine, database, takers[0], newest)


def _check_copied(engine: Engine, database: Database, policy: Policy, newest: datetime) -> None:
    snapshots = policy.terms.snapshots
    if snapshots.incremental is Incremental.REQUIRE:
        return
    for rule in snapshots.copies:
        at = engine.promises.target(rule.target)
        if rule.every is not None or at in engine.world.unreadable:
            continue
        family = engine.promises.family(database)
        there = [one for member in family for one in engine.promises.points(member, at)]
        slots = {engine.promises.claims[one.arn].slot for one in there if one.is_available}
        if newest not in slots:
            raise BrokenError(f"promise 8: {rule.target} has no copy of {newest}, only {slots}")


def check_no_leftovers(engine: Engine) -> None:
    """Object to shares, failed objects and needless bridges that stay behind.

    Of a chain of bridges two may stay: the one with the newest data and the one made last.
    """
    world = engine.world
    withheld = {step.arn for step in engine.plan().steps if step.withheld_by is not None}
    for thing in world.things.values():
        if not thing.by_engine or thing.arn in withheld:
            continue
        if thing.shared or SHARED in thing.tags:
            raise BrokenError(f"promise 5: {thing.arn} is still shared with {thing.shared}")
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
    return bool(engine.promises.takers(database))


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
