"""Promise 4: what could not be read is never deleted, nor what depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from engine.documents.model import Topology
from engine.identity.marks import Role
from engine.inventory.records import Location, SnapshotState
from engine.plans.codes import Action
from engine.verifying.cases import Case, Say
from engine.verifying.evidence import Evidence
from engine.verifying.shares import AFTER_AN_UNSEEN_UNSHARE
from engine.verifying.sources import Sources, Standing

DELETABLE = frozenset({SnapshotState.AVAILABLE, SnapshotState.FAILED})
ORIGINS = frozenset({Role.PRIMARY, Role.BRIDGE})
UNKNOWN_SOURCE = frozenset({Standing.UNREAD, Standing.OUTSIDE})
COPIES_END = timedelta(days=7)


def objections(case: Case, evidence: Evidence, sources: Sources) -> Iterator[str]:
    """Yield what is not known, or not finished, that the delete would need."""
    snapshot = case.held.snapshot
    if not sources.is_read(case.location):
        yield f"{case.location} was not read completely, or is not in the estate"
    if snapshot.state not in DELETABLE:
        yield f"its status is {snapshot.status}"
    maker = evidence.origins_in_flight.get(snapshot.arn)
    if maker is not None:
        yield f"{maker} is being made from it"
    if snapshot.state is SnapshotState.FAILED:
        return
    for step in evidence.origins_planned.get(snapshot.arn, ()):
        if step.id not in evidence.waits_for(case.step):
            yield f"{step.id} copies it, and the delete does not wait for that"
    if case.family.standing in UNKNOWN_SOURCE and not case.retired:
        yield f"{case.source.home}, where its source lives, was not read or is not in the estate"
    yield from _unread_targets(case, evidence, sources)
    yield from _unread_accounts(case, evidence, sources)


def _unread_targets(case: Case, evidence: Evidence, sources: Sources) -> Iterator[str]:
    """Yield the targets where a copy that nobody sees might be reading the object."""
    for target in sorted(_possible_readers(case, evidence)):
        if not sources.is_read(target):
            yield f"the target at {target} was not read, and may be copying it"


def _possible_readers(case: Case, evidence: Evidence) -> frozenset[Location]:
    """Return the targets that may be copying the object, or that may still want to.

    To another account nothing is copied without sharing, and that leaves its mark. At a location
    that is short of room nothing is kept for what a target may want, nor for a copy that would
    have begun more than `COPIES_END` ago.
    """
    now = _readers_of(case.now_says, case)
    before = _readers_of(case.maker_says, case)
    unmarked = frozenset([at for at in now | before if at.account == case.location.account])
    if case.location not in evidence.short_of_room:
        return now | unmarked
    made = case.held.made_at
    over = made is not None and made + COPIES_END <= evidence.now
    return frozenset() if over else unmarked


def _readers_of(say: Say | None, case: Case) -> frozenset[Location]:
    """Return the targets of a policy that are copied to from where the object lies."""
    reads = say is not None and (
        case.marks.role in ORIGINS or say.terms.snapshots.topology is Topology.CHEAPEST
    )
    return say.targets - {case.location} if say is not None and reads else frozenset()


def _unread_accounts(case: Case, evidence: Evidence, sources: Sources) -> Iterator[str]:
    """Yield the accounts that may be copying the object, unseen, since it is or was theirs."""
    marks = case.marks
    for account in sorted(marks.shared | marks.shared_by_policy):
        places = {place for place in sources.locations if place.account == account}
        if not places or not all(sources.is_read(place) for place in sorted(places)):
            yield f"it is shared with {account}, which was not read, and may be copying it"
        elif account in marks.shared_by_policy and not _is_taken_back(case, account, evidence):
            yield f"its policy shares it with {account}, and the delete does not wait for the end"
    if marks.unshared_at is not None:
        until = marks.unshared_at + AFTER_AN_UNSEEN_UNSHARE
        if evidence.now < until:
            yield f"an account that nobody sees could read it until {marks.unshared_at}"


def _is_taken_back(case: Case, account: str, evidence: Evidence) -> bool:
    """Say whether an object is unshared from an account before it is deleted."""
    ahead = [evidence.step_by_id[name] for name in evidence.waits_for(case.step)]
    return any(
        step.action is Action.UNSHARE
        and step.arn == case.step.arn
        and account in step.parameters.get("ValuesToRemove", ())
        for step in ahead
    )
