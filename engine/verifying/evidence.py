"""What a plan is judged by: what exists, what it makes, what it deletes, and in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from engine.documents.model import Documents
from engine.identity.chains import Chain, chain_of
from engine.identity.marks import (
    ORIGIN,
    RESOURCE,
    SOURCE,
    VOLUME,
    Marks,
    Role,
    owned_marks,
)
from engine.inventory.records import (
    Instance,
    Inventory,
    Location,
    Snapshot,
    SnapshotState,
    SnapshotType,
)
from engine.plans.codes import Action
from engine.plans.parameters import origin_in
from engine.plans.plan import Step

MAKING = frozenset({Action.CREATE, Action.COPY})
FAILED = SnapshotState.FAILED
IN_FLIGHT = frozenset({SnapshotState.IN_PROGRESS, SnapshotState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Held:
    """An object of the engine's that exists."""

    snapshot: Snapshot
    marks: Marks

    @property
    def location(self) -> Location:
        """Where it lies."""
        return self.snapshot.location

    @property
    def chain(self) -> Chain:
        """The chain it belongs to."""
        return chain_of(self.marks, self.snapshot.location)

    @property
    def made_at(self) -> datetime | None:
        """When the object was made, as far as AWS tells."""
        return self.snapshot.created_at or self.snapshot.taken_at

    @property
    def is_point(self) -> bool:
        """Whether it stands for a recovery point, if it did not fail."""
        return self.marks.role is not Role.BRIDGE

    @property
    def is_available(self) -> bool:
        """Whether it could be restored now."""
        return self.snapshot.state is SnapshotState.AVAILABLE

    @property
    def is_in_flight(self) -> bool:
        """Whether it may still become available."""
        return self.snapshot.state in IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Planned:
    """An object that a step makes; `original` is when its data is captured, where that is known."""

    step: Step
    marks: Marks
    original: datetime | None

    @property
    def location(self) -> Location:
        """Where it will lie."""
        return location_of_step(self.step)

    @property
    def is_point(self) -> bool:
        """Whether it will stand for a recovery point."""
        return self.marks.role is not Role.BRIDGE


def instance_of_step(step: Step, evidence: Evidence) -> Instance | None:
    """Return the instance that a step is about, None where the inventory has it not."""
    for scope in evidence.inventory.scopes.values():
        for one in scope.instances or ():
            if (one.arn, one.resource_id) == (step.arn, step.source.resource_id):
                return one
    return None


def location_of_step(step: Step) -> Location:
    """Return the location whose API a step calls."""
    return Location(step.location.account, step.location.region)


class Evidence:
    """Everything the checks look up, indexed once; marks are read when a check needs them.

    Steps that are withheld are left out: nothing may rest on them.
    """

    def __init__(
        self, steps: Iterable[Step], documents: Documents, inventory: Inventory, now: datetime
    ) -> None:
        self.steps: Sequence[Step] = [step for step in steps if step.withheld_by is None]
        self.documents = documents
        self.inventory = inventory
        self.now = now
        self.step_by_id: Mapping[str, Step] = {step.id: step for step in self.steps}
        self.making: Mapping[str, Step] = {
            step.arn: step for step in self.steps if step.action in MAKING
        }
        self.deleting: Mapping[str, Step] = {
            step.arn: step for step in self.steps if step.action is Action.DELETE
        }
        self._owned: dict[str, Held | None] = {}

    @cached_property
    def existing(self) -> Mapping[str, Snapshot]:
        """Every snapshot that was read, whoever owns it, by ARN."""
        return {snapshot.arn: snapshot for snapshot in self._snapshots()}

    @cached_property
    def origins_in_flight(self) -> Mapping[str, str]:
        """ARNs that something in progress is made from, and the ARN of what is."""
        origins: dict[str, str] = {}
        for snapshot in self._snapshots():
            if snapshot.state in IN_FLIGHT:
                for origin in (snapshot.tags.get(ORIGIN), snapshot.source_snapshot):
                    if origin is not None:
                        origins[origin] = snapshot.arn
        return origins

    @cached_property
    def short_of_room(self) -> frozenset[Location]:
        """Locations where less than one more snapshot fits for each database they serve."""
        scopes = self.inventory.scopes
        served = {
            at: {instance.resource_id for instance in scope.instances or ()}
            for at, scope in scopes.items()
        }
        for snapshot in self._snapshots():
            held = self.owned(snapshot)
            if held is not None:
                served.setdefault(held.location, set()).add(held.marks.resource)
        quotas = ((at, scopes[at].quota) for at in scopes)
        return frozenset([at for at, quota in quotas if quota and quota.room < len(served[at])])

    @cached_property
    def origins_planned(self) -> Mapping[str, tuple[Step, ...]]:
        """ARNs that planned copies are made from, and the steps that do."""
        origins: defaultdict[str, tuple[Step, ...]] = defaultdict(tuple)
        for step in self.steps:
            if step.action is Action.COPY:
                origins[origin_of(step)] += (step,)
        return origins

    def owned(self, snapshot: Snapshot) -> Held | None:
        """Return the object with its marks if the estate owns it."""
        if snapshot.arn not in self._owned:
            marks = owned_marks(snapshot, self.documents.estate.name)
            self._owned[snapshot.arn] = Held(snapshot, marks) if marks else None
        return self._owned[snapshot.arn]

    def held_with(self, tag: str, value: str) -> list[Held]:
        """Return the owned objects that carry `value` under RESOURCE, SOURCE or VOLUME."""
        found = [self.owned(snapshot) for snapshot in self._tagged[tag].get(value, ())]
        return [held for held in found if held is not None]

    @cached_property
    def planned(self) -> Sequence[Planned]:
        """What the steps make, as far as it will be owned once it exists."""
        found = [self._planned(step) for step in self.making.values()]
        return [planned for planned in found if planned is not None]

    @cached_property
    def planned_by_resource(self) -> Mapping[str, list[Planned]]:
        """What the steps make, by the protected database it is a backup of."""
        planned: defaultdict[str, list[Planned]] = defaultdict(list)
        for one in self.planned:
            planned[one.marks.resource].append(one)
        return planned

    @cached_property
    def planned_by_chain(self) -> Mapping[Chain, list[Planned]]:
        """What the steps make, by the chain it joins."""
        planned: defaultdict[Chain, list[Planned]] = defaultdict(list)
        for one in self.planned:
            planned[chain_of(one.marks, one.location)].append(one)
        return planned

    def waits_for(self, step: Step) -> frozenset[str]:
        """Return the ids of all steps that are done before `step` is, near and far."""
        seen: set[str] = set()
        ahead = list(step.depends_on)
        while ahead:
            name = ahead.pop()
            if name not in seen and name in self.step_by_id:
                seen.add(name)
                ahead += self.step_by_id[name].depends_on
        return frozenset(seen)

    def _snapshots(self) -> Iterable[Snapshot]:
        for scope in self.inventory.scopes.values():
            yield from scope.snapshots or ()

    @cached_property
    def _tagged(self) -> Mapping[str, Mapping[str, list[Snapshot]]]:
        index: dict[str, defaultdict[str, list[Snapshot]]] = {
            tag: defaultdict(list) for tag in (RESOURCE, SOURCE, VOLUME)
        }
        for snapshot in self._snapshots():
            for tag, by_value in index.items():
                value = snapshot.tags.get(tag)
                if value is not None:
                    by_value[value].append(snapshot)
        return index

    def _planned(self, step: Step) -> Planned | None:
        """Read what `step` makes like an object found in AWS: the same proof must verify."""
        likeness = Snapshot(
            arn=step.arn,
            location=location_of_step(step),
            identifier=step.snapshot,
            instance="",
            resource_id="",
            type=SnapshotType.MANUAL,
            status="creating",
            tags=self._tags_to_be(step),
        )
        marks = owned_marks(likeness, self.documents.estate.name)
        return Planned(step, marks, self._original_time(step)) if marks else None

    def _tags_to_be(self, step: Step, below: frozenset[str] = frozenset()) -> dict[str, str]:
        """Return the tags that what `step` makes will carry, those of its origin's included."""
        tags = dict(step.parameters.get("Tags", {}))
        handed_on = step.parameters.get("TagsFromOrigin", ())
        maker = self.making.get(origin_of(step))
        if maker is not None and maker.id not in below:
            of_origin: Mapping[str, str] = self._tags_to_be(maker, below | {step.id})
        else:
            origin = self.existing.get(origin_of(step))
            of_origin = origin.tags if origin else {}
        return tags | {name: of_origin[name] for name in handed_on if name in of_origin}

    def _original_time(self, step: Step, below: frozenset[str] = frozenset()) -> datetime | None:
        """Return when the data of what `step` makes is captured; None where nothing tells."""
        if step.action is Action.CREATE:
            return self.now
        maker = self.making.get(origin_of(step))
        if maker is not None and maker.id not in below:
            return self._original_time(maker, below | {step.id})
        origin = self.existing.get(origin_of(step))
        return origin.taken_at if origin else None


def origin_of(step: Step) -> str:
    """Return the ARN a step copies from, or no text."""
    return str(origin_in(step.arn, step.parameters) or "")
