"""Promise 4: what could not be read is never deleted, nor what depends on it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.identity.marks import Role
from engine.inventory.records import SnapshotState
from engine.verifying.cases import Case
from engine.verifying.evidence import Evidence
from engine.verifying.sources import Sources, Standing

DELETABLE = frozenset({SnapshotState.AVAILABLE, SnapshotState.FAILED})
ORIGINS = frozenset({Role.PRIMARY, Role.BRIDGE})
UNKNOWN_SOURCE = frozenset({Standing.UNREAD, Standing.OUTSIDE})


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
    if case.marks.role in ORIGINS:
        yield from _unread_readers(case, sources)


def _unread_readers(case: Case, sources: Sources) -> Iterator[str]:
    """Yield the places where a copy that nobody sees might be reading the object."""
    now = case.now_says.targets if case.now_says else frozenset()
    before = case.maker_says.targets if case.maker_says else frozenset()
    # To another account nothing is copied without sharing, and that leaves its mark.
    unmarked = {target for target in before if target.account == case.location.account}
    for target in sorted(now | unmarked):
        if not sources.is_read(target):
            yield f"the target at {target} was not read, and may be copying it"
    for account in sorted(case.marks.shared):
        places = {place for place in sources.locations if place.account == account}
        if not places or not all(sources.is_read(place) for place in sorted(places)):
            yield f"it is shared with {account}, which was not read, and may be copying it"
