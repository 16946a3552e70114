"""What withholds changes of automated backups: outages, loss, windows, the quota of a region."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from engine.inventory.records import AutomatedState, Location
from engine.planning.automated_rules import window_fault
from engine.planning.draft import Draft
from engine.planning.survey import World
from engine.planning.withholding import Steps
from engine.plans.codes import Action, Guard, StepReason
from engine.plans.digest import guard_digest
from engine.plans.plan import GuardState, Step

# RDS User Guide, Quotas and constraints: replicated automated backups per destination region.
MOST_RECEIVED = 20
_ACKNOWLEDGED = {
    StepReason.BACKUPS_TURNED_ON: Guard.BACKUP_OUTAGE,
    StepReason.BACKUPS_TURNED_OFF: Guard.BACKUP_LOSS,
}


def guard_automated(
    steps: Steps, drafts: Sequence[Draft], world: World, accepted: frozenset[str]
) -> list[GuardState]:
    """Withhold changes that cost an outage or backups, or that RDS would refuse."""
    states = [
        state
        for draft in drafts
        for step in draft.steps.values()
        if step.action is Action.MODIFY_BACKUPS and not steps.is_withheld(step.id)
        for state in _guarded(step, draft, steps, accepted)
    ]
    return states + list(_received(steps, drafts, world))


def _guarded(
    step: Step, draft: Draft, steps: Steps, accepted: frozenset[str]
) -> Iterable[GuardState]:
    guard = _ACKNOWLEDGED.get(StepReason(step.reason.code))
    if guard is not None:
        # The resource id, too: a database made anew under the same name is another one.
        digest = guard_digest(guard, [step.arn, step.source.resource_id])
        if digest not in accepted:
            steps.withhold([step.id], guard)
        yield GuardState(
            guard,
            draft.source.ref.address,
            tripped=True,
            limit=0,
            value=1,
            text=f"its automated backups are {step.reason.text}",
            acknowledge=digest,
            acknowledged=digest in accepted,
            withholds=() if digest in accepted else (step.id,),
        )
    if "PreferredBackupWindow" in step.parameters:
        yield from _clashing(step, draft, steps)


def _clashing(step: Step, draft: Draft, steps: Steps) -> Iterable[GuardState]:
    instance, terms = draft.source.instance, draft.source.terms
    fault = window_fault(instance, terms) if instance and terms else None
    if fault is None:
        return
    steps.withhold([step.id], Guard.BACKUP_WINDOW)
    yield GuardState(
        Guard.BACKUP_WINDOW,
        draft.source.ref.address,
        tripped=True,
        limit=None,
        value=1,
        text=fault.text,
        withholds=(step.id,),
    )


def _received(steps: Steps, drafts: Sequence[Draft], world: World) -> Iterable[GuardState]:
    """Withhold what a region has no room to receive; a region stopped to is free again."""
    starts: dict[Location, list[Step]] = defaultdict(list)
    ends: Counter[Location] = Counter()
    for draft in drafts:
        for step in draft.steps.values():
            place = Location(step.location.account, step.location.region)
            if step.action is Action.REPLICATE_BACKUPS and not steps.is_withheld(step.id):
                starts[place].append(step)
            ends[place] += step.action is Action.STOP_REPLICATION
    for place in sorted(starts):
        receiving = sum(
            backup.state is AutomatedState.RECEIVING
            for backup in world.scope(place).automated or ()
        )
        room = max(0, MOST_RECEIVED - receiving + ends[place])
        # What was to be stopped for its sake goes on.
        beyond = [name for step in starts[place][room:] for name in (step.id, *step.depends_on)]
        if beyond:
            steps.withhold(beyond, Guard.REPLICATION_QUOTA)
            yield GuardState(
                Guard.REPLICATION_QUOTA,
                str(place),
                tripped=True,
                limit=MOST_RECEIVED,
                value=receiving - ends[place] + len(starts[place]),
                text=f"a region receives the automated backups of at most {MOST_RECEIVED} "
                "databases of an account",
                withholds=tuple(sorted(beyond)),
            )
