"""Promise 1: what the engine does not own is never deleted, changed or shared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from engine.documents.model import Documents
from engine.identity.marks import (
    GONE_SINCE,
    PIN,
    SHARED,
    SHARED_BY_POLICY,
    UNSHARED,
    ZONE,
    ZONE_CHECKED,
)
from engine.identity.names import snapshot_arn
from engine.inventory.records import Inventory, Kind, SnapshotType, kind_of
from engine.plans.codes import Action
from engine.plans.parameters import names_for
from engine.plans.plan import Finding, Step
from engine.verifying.evidence import MAKING, Evidence, location_of_step

SHARING = frozenset({Action.SHARE, Action.UNSHARE})
CHANGING_TAGS = frozenset({SHARED, ZONE, ZONE_CHECKED, GONE_SINCE})
PINNING_TAGS = frozenset({PIN})
SHARING_TAGS = frozenset({SHARED, SHARED_BY_POLICY, UNSHARED})


def verify_pins(
    steps: Sequence[Step], documents: Documents, inventory: Inventory, now: datetime
) -> tuple[Finding, ...]:
    """Return what speaks against steps that pin: they may change one tag of what is owned."""
    found = [
        Finding(step.id, 1, text)
        for kind in Kind
        for evidence in [Evidence(steps, documents.of(kind), inventory.of(kind), now)]
        for step in evidence.steps
        if kind_of(step.arn) is kind
        for text in objections(step, evidence, PINNING_TAGS)
    ]
    others = (step for step in steps if step.withheld_by is None and step.action is not Action.TAG)
    return (*found, *(Finding(s.id, 1, f"pins only tag, but this is {s.action}") for s in others))


def objections(
    step: Step, evidence: Evidence, changing: frozenset[str] = CHANGING_TAGS
) -> Iterator[str]:
    """Yield what `step` would do to something that is not the engine's.

    `changing` are the tags that steps may change which change tags only.
    """
    if step.arn != snapshot_arn(step.arn, location_of_step(step), step.snapshot):
        yield f"it names {step.arn}, but would call for {step.snapshot} at {_place(step)}"
    if step.action in MAKING:
        yield from _making(step, evidence)
    else:
        yield from _changing(step, evidence)
        yield from _tagging(step, SHARING_TAGS if step.action in SHARING else changing)


def _making(step: Step, evidence: Evidence) -> Iterator[str]:
    names = names_for(step.arn)
    named = names.snapshot if step.action is Action.CREATE else names.target
    name = step.parameters.get(named)
    if name != step.snapshot:
        yield f"it names {step.snapshot}, but would make {name}"
    snapshot = evidence.existing.get(step.arn)
    if snapshot is not None and evidence.owned(snapshot) is None:
        yield f"{step.arn} exists and is not the engine's"


def _changing(step: Step, evidence: Evidence) -> Iterator[str]:
    maker = evidence.making.get(step.arn)
    if maker is not None and step.action is not Action.DELETE:
        if maker.id not in evidence.waits_for(step):
            yield f"it does not wait for {maker.id}, which makes {step.arn}"
        return
    snapshot = evidence.existing.get(step.arn)
    if snapshot is None:
        yield f"{step.arn} is not in the inventory"
    elif snapshot.location != location_of_step(step):
        yield f"{step.arn} was found at {snapshot.location}, not at {_place(step)}"
    elif snapshot.type is not SnapshotType.MANUAL:
        yield f"{step.arn} is a snapshot of type {snapshot.type}, which is never the engine's"
    elif evidence.owned(snapshot) is None:
        yield f"{step.arn} is not the engine's: its tags and its id do not prove it"


def _tagging(step: Step, may_change: frozenset[str]) -> Iterator[str]:
    changed = {
        *step.parameters.get("Tags", {}),
        *step.parameters.get("TagsAfterwards", {}),
        *step.parameters.get("RemoveTags", ()),
    }
    for tag in sorted(changed - may_change):
        yield f"it would change the tag {tag}"


def _place(step: Step) -> str:
    return str(location_of_step(step))
