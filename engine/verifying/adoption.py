"""Checks a plan that adopts: it may only put tags on what is nobody's, and say the truth there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.documents.model import Documents
from engine.identity.marks import (
    PIN,
    PREFIX,
    Marks,
    Role,
    adoption_proof,
    owned_marks,
    read_marks,
    tags_of,
)
from engine.identity.names import location_of, snapshot_arn
from engine.inventory.records import Inventory, Location, Snapshot, SnapshotState, SnapshotType
from engine.plans.codes import Action
from engine.plans.plan import Finding, Step

MOST_TAGS = 50  # RDS User Guide, Tagging


def verify_adoption(
    steps: Sequence[Step], documents: Documents, inventory: Inventory
) -> tuple[Finding, ...]:
    """Return what speaks against the steps: promise 1 is all that tags could break."""
    existing = {
        snapshot.arn: snapshot
        for scope in inventory.scopes.values()
        for snapshot in scope.snapshots or ()
    }
    return tuple(
        Finding(step.id, 1, text)
        for step in steps
        for text in _objections(step, existing.get(step.arn), documents)
    )


def _objections(step: Step, found: Snapshot | None, documents: Documents) -> Iterator[str]:
    place = Location(step.location.account, step.location.region)
    if step.action is not Action.TAG or step.parameters.keys() != {"Tags"}:
        yield f"adoption only adds tags, but this is {step.action} {sorted(step.parameters)}"
        return
    if step.arn != snapshot_arn(step.arn, place, step.snapshot):
        yield f"it names {step.arn}, but would call for {step.snapshot} at {place}"
    if found is None or found.location != place:
        yield f"{step.arn} was not found at {place}"
        return
    yield from _taken(found, documents.estate.name)
    tags = dict(step.parameters["Tags"])
    marks = read_marks(tags)
    if marks is None or tags_of(marks) != tags:
        yield "its tags do not say whose it becomes"
        return
    yield from _untrue(marks, found, documents)
    if len({*found.tags, *tags}) > MOST_TAGS:
        yield f"it would have more than {MOST_TAGS} tags"


def _taken(found: Snapshot, estate: str) -> Iterator[str]:
    """Yield why a snapshot is not there to be adopted."""
    if found.type is not SnapshotType.MANUAL or ":" in found.identifier:
        yield f"{found.arn} is a snapshot of type {found.type}, which is never the engine's"
    if found.state is not SnapshotState.AVAILABLE:
        yield f"{found.arn} is {found.status}"
    if owned_marks(found, estate) is not None:
        yield f"{found.arn} is the engine's already"
    if any(key.startswith(PREFIX) and key != PIN for key in found.tags):
        yield f"{found.arn} bears tags of the engine already"


def _untrue(marks: Marks, found: Snapshot, documents: Documents) -> Iterator[str]:
    """Yield what the tags would say that is not so."""
    if marks.estate != documents.estate.name or marks.policy not in documents.policies:
        yield f"it would be of estate {marks.estate} and policy {marks.policy}"
    if marks.adopted != adoption_proof(marks, found.arn):
        yield "the proof of its adoption is not that of its tags"
    if not marks.resource == marks.volume == found.resource_id:
        yield f"it is a snapshot of {found.resource_id}, not of {marks.resource}"
    if marks.role is Role.COPY:
        if marks.origin != found.source_snapshot:
            yield f"it is not a copy of {marks.origin}"
        return
    if marks.role is not Role.PRIMARY or marks.origin is not None:
        yield f"nothing is adopted as {marks.role}"
    if location_of(marks.source) != found.location:
        yield f"its database {marks.source} is not where it lies"
    if found.taken_at is None or marks.slot != found.taken_at.replace(microsecond=0):
        yield f"it was taken at {found.taken_at}, not at {marks.slot}"
