"""Failing back: the step, in the maintenance window, and what has to be so before it is planned.

It is an outage, and nothing depends on it: whatever becomes of it, points are made where the
database is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from engine.documents.model import FailBack, Terms
from engine.identity.marks import Role
from engine.inventory.records import Instance, SnapshotState
from engine.planning.automated_steps import instance_step
from engine.planning.draft import Draft
from engine.planning.failback import Failback, failback_of
from engine.planning.failovers import away_since, newest_failover
from engine.planning.routes import RouteBook
from engine.planning.slots import next_due
from engine.planning.steps import makes_primary, short
from engine.planning.survey import World
from engine.planning.weekly_windows import open_until
from engine.planning.withholding import Steps
from engine.plans.codes import Action, Check, Guard, StepReason, Waiting
from engine.plans.plan import GuardState, Precondition, Reason, Step

# After a failover it may take several minutes until AWS tells the new zones (RDS User Guide,
# Rebooting a DB instance), and a point is to be made where they are known.
ZONES_SETTLE = timedelta(minutes=15)
_MAKING = frozenset({SnapshotState.IN_PROGRESS, SnapshotState.UNKNOWN})


def plan_failback(draft: Draft, world: World, book: RouteBook) -> None:
    """Add the failover that brings a database back, or say what it waits for.

    It is planned in the maintenance window only, and never beside what makes a point of the
    database: that goes first.
    """
    source, terms = draft.source, draft.source.terms
    if terms is None or terms.failover.fail_back is not FailBack.IN_WINDOW or source.match.rivals:
        return
    back = failback_of(source, world, book)
    if back is None:
        return
    closes = open_until(back.instance.maintenance_window, world.now)
    if closes is None:
        return
    last = min([closes, *(at - ZONES_SETTLE for at in _next_points(terms, world.now))])
    why_not = next(_hindrances(draft, back, terms, last, world), None)
    if why_not is not None:
        draft.wait(Waiting.FAIL_BACK, why_not, source.location, None)
        return
    draft.add(_fail_over(draft, back, terms, last))


def _next_points(terms: Terms, now: datetime) -> Iterator[datetime]:
    """Yield when the next point of the schedule is due, and those that are announced."""
    yield from (event.at for event in terms.events if event.at > now)
    schedule = terms.snapshots.schedule
    following = next_due(schedule, terms.timezone, now) if schedule else None
    if following is not None:
        yield following


def _hindrances(
    draft: Draft, back: Failback, terms: Terms, last: datetime, world: World
) -> Iterator[str]:
    """Yield what makes a failover unsafe now: what is not known does, too."""
    instance = back.instance
    if instance.status != "available":
        yield f"it is {instance.status}, not available"
    if instance.pending:
        yield f"a reboot may apply what somebody left pending: {', '.join(instance.pending)}"
    if any(makes_primary(step) for step in draft.steps.values()):
        yield "a point of it is made first"
    if any(step.action is Action.MODIFY_BACKUPS for step in draft.steps.values()):
        yield "its automated backups are changed first"
    if world.now >= last:
        yield "its next point is due too soon: AWS tells new zones minutes after a failover"
    yield from _being_made(draft, instance, world)
    yield from _too_early(draft, back, terms.failover.quiet, world)


def _being_made(draft: Draft, instance: Instance, world: World) -> Iterator[str]:
    if world.scope(instance.location).snapshots is None:
        yield "nobody can tell whether a snapshot of it is being made"
    own = [
        h.snapshot
        for h in draft.source.holdings
        if h.is_in_flight and h.marks.role is Role.PRIMARY and h.location == instance.location
    ]
    for snapshot in (*own, *draft.source.neighbours):
        if snapshot.resource_id == instance.resource_id and snapshot.state in _MAKING:
            yield f"{snapshot.identifier} is being made of it"


def _too_early(draft: Draft, back: Failback, quiet: timedelta, world: World) -> Iterator[str]:
    scope = world.scope(back.instance.location)
    told = newest_failover(back.instance, scope)
    since = away_since(draft.source, back.instance, scope, back.away.zone)
    if scope.events is None:
        yield "its events could not be read, so nobody can tell when it last failed over"
    elif told is not None and world.now - told.at < quiet:
        until = short(told.at + quiet)
        yield f"it failed over at {short(told.at)}, and is left alone until {until}"
    elif since is None:
        yield "nothing tells when it last failed over: its next point will"
    elif world.now - since < quiet:
        yield f"it may have failed over until {short(since)}, and is left alone for a while"


def _fail_over(draft: Draft, back: Failback, terms: Terms, last: datetime) -> Step:
    instance, away = back.instance, back.away
    pair = f"{instance.availability_zone}/{instance.secondary_zone}"
    quiet = f"{terms.failover.quiet // timedelta(seconds=1)}s"
    condition = partial(Precondition, arn=instance.arn)
    return instance_step(
        Action.FAIL_OVER,
        draft.source,
        instance,
        instance.location,
        suffix=away.back_to,
        parameters={"DBInstanceIdentifier": instance.identifier, "ForceFailover": True},
        reason=Reason(
            StepReason.FAIL_BACK,
            f"from {away.runs_in} back to {away.back_to}, an outage: it {back.saving.text}",
        ),
        conditions=(
            condition(Check.ZONES, expected=pair),
            condition(Check.READY_TO_FAIL_OVER, expected=instance.readiness),
            condition(Check.NO_FAILOVER_FOR, expected=quiet),
            condition(Check.NO_SNAPSHOT_BEING_MADE, expected=instance.resource_id),
            condition(Check.BEFORE, expected=f"{last:%Y-%m-%dT%H:%M:%SZ}"),
        ),
    )


def guard_failbacks(
    steps: Steps,
    drafts: Sequence[Draft],
    world: World,
    book: RouteBook,
    accepted: frozenset[str],
) -> Iterator[GuardState]:
    """Withhold each failover that nobody acknowledged; yield the state of each."""
    for draft in drafts:
        for step in draft.steps.values():
            if step.action is Action.FAIL_OVER:
                back = failback_of(draft.source, world, book)
                assert back is not None
                yield _guarded(step, draft, back.digest, steps, accepted)


def _guarded(
    step: Step, draft: Draft, digest: str, steps: Steps, accepted: frozenset[str]
) -> GuardState:
    if digest not in accepted:
        steps.withhold([step.id], Guard.FAIL_BACK)
    return GuardState(
        Guard.FAIL_BACK,
        draft.source.ref.address,
        tripped=True,
        limit=0,
        value=1,
        text=f"it would be failed over {step.reason.text}",
        acknowledge=digest,
        acknowledged=digest in accepted,
        withholds=() if digest in accepted else (step.id,),
    )
