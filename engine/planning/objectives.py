"""Whether policies' objectives are met, per database and location. They only report.

Nothing here withholds, delays or deletes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.documents.model import CopyRule, Replication, Terms
from engine.inventory.records import Location
from engine.planning.automated_rules import receivers
from engine.planning.draft import at
from engine.planning.restorable import Restorable, nearest_base, restorable_at
from engine.planning.restoring import RestoreAssumptions, restore_inputs
from engine.planning.routes import RouteBook
from engine.planning.steps import short
from engine.planning.survey import Source, World
from engine.plans.codes import Action, ObjectiveStatus, RestoredFrom, StepReason
from engine.plans.objectives import Judgement, Objective, RestoreInput, lasting
from engine.plans.plan import Step

DAY = timedelta(days=1)
# Steps that make a point; a bridge is none.
_MAKING = frozenset(
    {
        StepReason.SLOT_DUE,
        StepReason.TARGET_MISSING_POINT,
        StepReason.EVENT_DUE,
        StepReason.ON_DEMAND,
    }
)
_ORDER = list(ObjectiveStatus)


@dataclass(frozen=True, slots=True)
class Aim:
    """A location at which objectives hold; `rule` is that of a target, `replicated` of a region."""

    location: Location
    rule: CopyRule | None = None


def judge_objectives(
    sources: Iterable[Source], world: World, book: RouteBook, steps: Iterable[Step] = ()
) -> Iterator[Objective]:
    """Yield what policies ask for each of these databases at each location, and what there is.

    Args:
        sources: the databases that the run is about.
        world: what there is.
        book: the routes that they are planned with.
        steps: of the plan: what they make mends what is broken.
    """
    mending = _mending(steps)
    for source in sources:
        terms = source.terms
        if terms is None or source.instance is None:
            continue
        if terms.objectives.rpo is None and terms.objectives.rto is None:
            continue
        for aim in aims(source, terms, book, world):
            yield _judge(source, terms, aim, world, mending)


def _mending(steps: Iterable[Step]) -> dict[tuple[str, Location], list[Step]]:
    """Return the steps that make points, by database and location."""
    found: dict[tuple[str, Location], list[Step]] = {}
    for step in steps:
        makes = step.action in {Action.CREATE, Action.COPY} and step.reason.code in _MAKING
        if makes and step.withheld_by is None:
            place = Location(step.location.account, step.location.region)
            found.setdefault((step.source.resource_id, place), []).append(step)
    return found


def aims(source: Source, terms: Terms, book: RouteBook, world: World) -> Iterator[Aim]:
    """Yield where the policy wants the database to be restorable."""
    yield Aim(source.location)
    taken = {source.location}
    if terms.snapshots.schedule is not None:
        routes, _ = book.routes(terms, source.location)
        for route in routes:
            taken.add(route.location)
            yield Aim(route.location, route.rule)
    if not isinstance(terms.automated.replicate_to, Replication) or source.instance is None:
        return
    for location in receivers(source.instance):
        if location not in taken and location in world.locations:
            yield Aim(location)


def _judge(
    source: Source,
    terms: Terms,
    aim: Aim,
    world: World,
    mending: Mapping[tuple[str, Location], list[Step]],
) -> Objective:
    here = restorable_at(source, aim.location, world)
    allowed = allowed_at(terms.objectives.rpo, aim)
    inputs = _inputs(source, here, None if allowed is None else world.now - allowed)
    rpo, rto, mended_by = None, None, None
    if allowed is not None:
        rpo = _rpo(source, here, allowed, aim, world)
        making = mending.get((source.ref.resource_id, aim.location), [])
        if rpo.status is ObjectiveStatus.BROKEN:
            mended_by = _mended_by(making, world.now - allowed)
    if terms.objectives.rto is not None:
        rto = _rto(here, terms.objectives.rto, inputs)
    statuses = [one.status for one in (rpo, rto) if one is not None]
    return Objective(
        source=source.ref,
        policy=source.policy.name if source.policy else "",
        location=at(aim.location),
        status=max(statuses, key=_ORDER.index),
        rpo=rpo,
        rto=rto,
        newest=here.newest,
        points=len(here.points),
        worst_gap=here.worst_gap,
        window=here.window,
        inputs=inputs,
        mended_by=mended_by,
    )


def allowed_at(rpo: timedelta | None, aim: Aim) -> timedelta | None:
    """Return how old the newest point may be: a target that is sent fewer gets that much more."""
    if rpo is None or aim.rule is None or aim.rule.every is None:
        return rpo
    return rpo + aim.rule.every


def _mended_by(making: Iterable[Step], since: datetime) -> str | None:
    return next((s.id for s in making if s.slot is not None and s.slot >= since), None)


# -- how much would be lost ----------------------------------------------------------------------


def _rpo(source: Source, here: Restorable, allowed: timedelta, aim: Aim, world: World) -> Judgement:
    limit = int(allowed.total_seconds())
    born = source.instance.created_at if source.instance else None
    newest = here.newest.at if here.newest is not None else None
    reached = max((moment for moment in (newest, born) if moment is not None), default=None)
    age = None if reached is None else max(timedelta(0), world.now - reached)
    seconds = None if age is None else int(age.total_seconds())
    said = _rpo_text(source, here, age, world)
    asked = f"{lasting(allowed)} are allowed"
    if aim.rule is not None and aim.rule.every is not None:
        asked += f" where one point each {lasting(aim.rule.every)} is sent"
    if age is not None and age <= allowed:
        return Judgement(ObjectiveStatus.MET, limit, seconds, seconds, f"{said}; {asked}")
    if not world.scope(aim.location).is_complete:
        cause = world.scope(aim.location).cause or "it could not be read"
        text = f"what can be restored there is not known: {cause}"
        return Judgement(ObjectiveStatus.UNKNOWN, limit, None, None, text)
    return Judgement(ObjectiveStatus.BROKEN, limit, seconds, seconds, f"{said}; {asked}")


def _rpo_text(source: Source, here: Restorable, age: timedelta | None, world: World) -> str:
    locked = f", and {here.locked} snapshots are under keys that cannot be used"
    more = locked if here.locked else ""
    if here.newest is None:
        old = "" if age is None else f"; the database is {lasting(age)} old"
        return f"nothing can be restored{more}{old}"
    lost = lasting(max(timedelta(0), world.now - here.newest.at))
    way = "snapshot" if here.newest.way is RestoredFrom.SNAPSHOT else "automated backups"
    return (
        f"the newest that can be restored is of {short(here.newest.at)}, {lost} ago, by {way}{more}"
    )


# -- how long a restore would take ---------------------------------------------------------------


def _inputs(source: Source, here: Restorable, since: datetime | None) -> tuple[RestoreInput, ...]:
    """Return the parts of the quickest restore that loses nothing from before `since`."""
    if here.newest is None or source.instance is None:
        return ()
    size, logs = source.instance.allocated_gib, None
    last = here.points[-1].taken_at if here.points else None
    is_enough = last is not None and (since is None or last >= since)
    if here.newest.way is RestoredFrom.AUTOMATED_BACKUPS and not is_enough:
        base = nearest_base(source, here.newest.at, here)
        # Automated snapshots are daily, and at another region they are not listed.
        logs = DAY if base is None else here.newest.at - base
    return restore_inputs(size, logs, RestoreAssumptions())


def _rto(here: Restorable, allowed: timedelta, inputs: tuple[RestoreInput, ...]) -> Judgement:
    limit = int(allowed.total_seconds())
    if here.newest is None:
        text = "there is nothing to restore"
        return Judgement(ObjectiveStatus.UNKNOWN, limit, None, None, text)
    low, high = sum(one.low for one in inputs), sum(one.high for one in inputs)
    status = ObjectiveStatus.UNCERTAIN
    if high <= limit:
        status = ObjectiveStatus.MET
    elif low > limit:
        status = ObjectiveStatus.BROKEN
    text = f"a restore takes an estimated {lasting(low)} to {lasting(high)}"
    return Judgement(status, limit, low, high, f"{text}; {lasting(allowed)} are allowed")
