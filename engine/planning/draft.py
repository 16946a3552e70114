"""A source's part of the plan while it is being made, stage by stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from engine.identity.chains import Chain, chain_of
from engine.identity.marks import Marks
from engine.inventory.records import Location
from engine.planning.survey import Holding, Source
from engine.plans.codes import UnmanagedReason, Waiting
from engine.plans.plan import (
    At,
    Conflict,
    Kept,
    Reason,
    Step,
    Unmanaged,
    Waits,
    Warned,
)

if TYPE_CHECKING:
    from engine.planning.copying import Demand


@dataclass(frozen=True, slots=True)
class Planned:
    """An object that a step of this plan makes; `kms_key` is None where it is not encrypted."""

    step: str
    arn: str
    identifier: str
    location: Location
    marks: Marks
    taken_at: datetime
    kms_key: str | None
    allocated_gib: int

    @property
    def slot(self) -> datetime:
        """The time of its recovery point."""
        return self.marks.slot

    @property
    def chain(self) -> Chain:
        """The chain it will be part of."""
        return chain_of(self.marks, self.location)


def at(location: Location) -> At:
    """Return a location as plans write it."""
    return At(location.account, location.region)


@dataclass(slots=True)
class Draft:
    """What has been decided for one source so far. Only the stages of `source.py` write to it.

    `demands` are what its targets want, one for each route.
    """

    source: Source
    steps: dict[str, Step] = field(default_factory=dict)
    planned: list[Planned] = field(default_factory=list)
    demands: tuple[Demand, ...] = ()
    kept: list[Kept] = field(default_factory=list)
    waiting: list[Waits] = field(default_factory=list)
    unmanaged: list[Unmanaged] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    def fork(self) -> Draft:
        """Return a draft that goes on from here and leaves this one as it is."""
        return replace(
            self,
            steps=dict(self.steps),
            planned=[*self.planned],
            waiting=[*self.waiting],
            conflicts=[*self.conflicts],
            warnings=[*self.warnings],
        )

    def add(self, step: Step) -> str:
        """Take a step in, once; returns its id."""
        self.steps.setdefault(step.id, step)
        return step.id

    def depend(self, step: str, on: Iterable[str]) -> None:
        """Let a step wait for others."""
        known = self.steps[step]
        merged = tuple(dict.fromkeys((*known.depends_on, *on)))
        if merged != known.depends_on:
            self.steps[step] = replace(known, depends_on=merged)

    def wait(self, code: Waiting, text: str, where: Location, slot: datetime | None) -> None:
        """Note something that a policy wants and this plan does not do."""
        policy = self.source.policy.name if self.source.policy else ""
        self.waiting.append(Waits(self.source.ref, at(where), slot, policy, code.value, text))

    def conflict(self, arn: str, where: Location, slot: datetime) -> None:
        """Note an object that bears one of our ids and is not ours."""
        text = (
            "carries an id of the engine's but not its tags; it is taken for this point, "
            "never changed or deleted: delete or rename it by hand to have the point made"
        )
        found = Conflict(arn, at(where), self.source.ref, slot, text)
        if found not in self.conflicts:
            self.conflicts.append(found)

    def warn(self, warned: Warned) -> None:
        """Note what a person should know, once."""
        if warned not in self.warnings:
            self.warnings.append(warned)

    def keep(self, holding: Holding, reasons: Iterable[Reason]) -> None:
        """Note why an object stays."""
        self.kept.append(Kept(holding.arn, at(holding.location), holding.slot, tuple(reasons)))

    def leave_unmanaged(self, holding: Holding, code: UnmanagedReason, text: str) -> None:
        """Note a point that no policy decides about."""
        self.unmanaged.append(
            Unmanaged(
                holding.arn,
                at(holding.location),
                holding.marks.policy,
                holding.slot,
                code.value,
                text,
            )
        )
