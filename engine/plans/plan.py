"""The plan as a value: what would be done, why, in which order, and what stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from engine.plans.codes import (
    Action,
    Check,
    DriftCode,
    DriftSeverity,
    Effect,
    Fate,
    Guard,
    Verdict,
)
from engine.plans.consequences import Consequences
from engine.plans.costs import Costs, Pair
from engine.plans.objectives import NOTHING_JUDGED, Objectives
from engine.plans.refs import At, SourceRef

# What stands elsewhere and is a plan's all the same.
__all__ = ("At", "SourceRef")

FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, as a code for programs and a text for people; `until` says when it ends."""

    code: str
    text: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What AWS will store, by which rule; `gib` is the least and the most it can be."""

    verdict: Verdict
    rule: str
    because: str
    gib: tuple[int, int]


class Precondition(msgspec.Struct, frozen=True, rename={"expected": "is"}):
    """What must be so at `arn` right before a step is done; `is` in JSON."""

    check: Check
    arn: str
    expected: str


@dataclass(frozen=True, slots=True)
class Step:
    """One API effect, a node of the plan's graph.

    `parameters` are those of the API call, with tags as a map. `withheld_by` names the guard that
    holds it back, or the step it depends on that is held back.
    """

    id: str
    action: Action
    actions: tuple[Effect, ...]
    policy: str
    arn: str
    source: SourceRef
    slot: datetime | None
    location: At
    snapshot: str
    parameters: Mapping[str, Any]
    reason: Reason
    forecast: Forecast | None = None
    depends_on: tuple[str, ...] = ()
    withheld_by: str | None = None
    preconditions: tuple[Precondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """An owned object that stays, and everything that keeps it."""

    arn: str
    location: At
    slot: datetime
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Waits:
    """Something a policy wants that this plan does not do, and why."""

    source: SourceRef
    location: At
    slot: datetime | None
    policy: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Unprotected:
    """A database that no policy protects."""

    source: SourceRef
    engine: str
    text: str


@dataclass(frozen=True, slots=True)
class Held:
    """A database of which nothing is deleted until its hold is removed.

    `reason` is why, in the words of the policy; `snapshots` counts what there is of it, everywhere.
    """

    source: SourceRef
    policy: str
    reason: str
    snapshots: int


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A point of the engine's that no policy decides about."""

    arn: str
    location: At
    policy: str
    slot: datetime
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """An object under an id of the engine's that the engine does not own."""

    arn: str
    location: At
    source: SourceRef
    slot: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Drift:
    """Something that is not as the engine left it, or not as the documents say.

    `arn` is the object or key it is about; of a point that is not there, the ARN it had, or a
    witness's where that is not known. `source` is None where it is about no single database, and
    `slot` where it is about no single point. `text` says what is wrong and how that is known,
    `fix` what to do; `expected` and `found` are values, where the two can be put side by side.
    """

    code: DriftCode
    severity: DriftSeverity
    arn: str
    location: At
    source: SourceRef | None
    slot: datetime | None
    text: str
    fix: str
    expected: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """A check that found something; `code` is stable, `severity` is error or warning."""

    code: str
    severity: str
    text: str
    source: str | None = None
    policy: str | None = None
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class Retained:
    """Automated backups that outlived their database or their replication, and until when.

    `source` is the database; they lie at `location`. `until` is None where AWS does not tell what
    they reach up to.
    """

    arn: str
    location: At
    source: SourceRef
    retention_days: int
    until: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class NextSlot:
    """What the next slot of a policy will make, were it planned then."""

    policy: str
    slot: datetime
    creates: int
    copies: int
    full: int


@dataclass(frozen=True, slots=True)
class GuardState:
    """A limit, how near the plan comes to it, and the digest that acknowledges it."""

    guard: Guard
    about: str
    tripped: bool
    limit: int | None
    value: int
    text: str
    acknowledge: str | None = None
    acknowledged: bool = False
    withholds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScopeRead:
    """How a location was read; `foreign` counts manual snapshots that are not the engine's."""

    account: str
    region: str
    status: str
    instances: int | None
    snapshots: int | None
    cause: str | None = None
    foreign: int | None = None


@dataclass(frozen=True, slots=True)
class InventoryRead:
    """What the plan rests on."""

    complete: bool
    recorded: bool
    taken_at: datetime | None
    scopes: tuple[ScopeRead, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts: steps by action (withheld ones only under `withheld`), forecasts, protections."""

    create: int = 0
    copy: int = 0
    share: int = 0
    unshare: int = 0
    update: int = 0
    delete: int = 0
    tag: int = 0
    withheld: int = 0
    full: int = 0
    incremental: int = 0
    likely_incremental: int = 0
    unknown: int = 0
    protected: int = 0


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What the next plan would do with a snapshot that this plan adopts.

    `reasons` are those that keep it, `text` says why it would go; one of them is empty.
    """

    arn: str
    location: At
    source: SourceRef
    slot: datetime
    fate: Fate
    reasons: tuple[Reason, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class ForeignOrphan:
    """A snapshot of a database that is gone, which the engine does not own and never touches.

    `taken_at` is when its data was captured, `gib` the allocated storage of the database and
    `usd_month` what it costs, None where that was not reckoned.
    """

    arn: str
    location: At
    source: SourceRef
    type: str
    taken_at: datetime | None
    gib: int
    usd_month: Pair | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """A target, and whose copies it gets: another target's, or the `source`'s own points."""

    target: str
    origin: str


@dataclass(frozen=True, slots=True)
class CopyTree:
    """How copies of a policy get from one home of its databases to all targets.

    `usd_per_gib` is what moving a GiB to all of them costs, `star_usd_per_gib` what it would cost
    if the source served each; `gib` is the allocated storage of the `sources`.
    """

    policy: str
    home: At
    hops: tuple[Hop, ...]
    sources: int
    gib: int
    usd_per_gib: float
    star_usd_per_gib: float


@dataclass(frozen=True, slots=True)
class IdleChain:
    """A chain of a zone that its database is not snapshotted in now, and the base kept of it.

    `arn` is the base, the newest of its `snapshots`, and `gib` the allocated storage of what it was
    taken of. It is kept as a base until a newer one is there, or until `until`. `spares` counts the
    snapshots that a return to that zone has stored as increments and not in full. `usd_month` is
    what the base costs and `saves_usd_month` what a return saves; None where not reckoned.
    """

    chain: str
    arn: str
    location: At
    source: SourceRef
    zone: str
    role: str
    snapshots: int
    gib: int
    until: datetime
    spares: int
    usd_month: Pair | None = None
    saves_usd_month: Pair | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What the verifier has against a step: the promise it would break, and how."""

    step: str
    promise: int
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan; equal inputs give equal plans.

    `consequences` are None where it was compared with no other documents.
    """

    format_version: str
    engine_version: str
    estate: str
    as_of: datetime
    expires_at: datetime
    policies_digest: str
    digest: str
    inventory: InventoryRead
    summary: Summary
    steps: tuple[Step, ...]
    kept: tuple[Kept, ...] = ()
    waiting: tuple[Waits, ...] = ()
    unprotected: tuple[Unprotected, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    drift: tuple[Drift, ...] = ()
    warnings: tuple[Warned, ...] = ()
    next: tuple[NextSlot, ...] = ()
    guards: tuple[GuardState, ...] = ()
    findings: tuple[Finding, ...] = ()
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    complete: bool = True
    errored: bool = False
    retained: tuple[Retained, ...] = ()
    afterwards: tuple[Afterwards, ...] = ()
    foreign_orphans: tuple[ForeignOrphan, ...] = ()
    holds: tuple[Held, ...] = ()
    objectives: Objectives = NOTHING_JUDGED
    costs: Costs | None = None
    consequences: Consequences | None = None
    copy_trees: tuple[CopyTree, ...] = ()
    idle_chains: tuple[IdleChain, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Whether an apply would do anything."""
        return any(step.withheld_by is None for step in self.steps)


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the command line adds to documents and inventory."""

    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    acknowledged: frozenset[str] = field(default_factory=frozenset)
