"""A plan's parts: one for each kind of databases, each with a world of its own.

DB instances and DB clusters have different snapshots, quotas and policies, and nothing else to do
with one another. Guards, the verifier and the plan document are about all of them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.documents.model import Documents
from engine.inventory.records import Inventory, Kind, Location
from engine.planning.checks import check_world
from engine.planning.draft import Draft
from engine.planning.drift.find import find_drift
from engine.planning.matching import is_of_another_service, is_protectable
from engine.planning.objectives import judge_objectives
from engine.planning.routes import RouteBook
from engine.planning.selecting import selected
from engine.planning.source import plan_source
from engine.planning.survey import Life, Source, World, kinds_of, survey
from engine.plans.objectives import Objective
from engine.plans.plan import (
    Drift,
    InventoryRead,
    PlanOptions,
    ScopeRead,
    Step,
    Unprotected,
    Warned,
)


@dataclass(frozen=True, slots=True)
class Part:
    """The sources of one kind, each through stages 2 to 6."""

    world: World
    book: RouteBook
    drafts: Sequence[Draft]

    def checks(self) -> Iterable[Warned]:
        """Yield what the inventory shows to be wrong with the documents."""
        return check_world(self.world, [draft.source for draft in self.drafts], self.book)

    def objectives(self, steps: Iterable[Step]) -> Iterable[Objective]:
        """Yield what policies ask for, and what there is, given what the plan's steps make."""
        sources = (draft.source for draft in self.drafts)
        return judge_objectives(sources, self.world, self.book, steps)

    def drift(self, *, selected: bool) -> tuple[Drift, ...]:
        """Return what drifted; `selected` says that some sources were left out."""
        return find_drift(self.world, self.drafts, self.book, selected=selected)


def parts_of(
    documents: Documents, inventory: Inventory, now: datetime, options: PlanOptions
) -> list[Part]:
    """Return the parts of a plan: of DB instances first, then of what else is or was protected."""
    return [
        _planned(*survey(documents, inventory, now, kind), options)
        for kind in kinds_of(documents, inventory)
    ]


def _planned(world: World, sources: Iterable[Source], options: PlanOptions) -> Part:
    part = part_of(world, ())
    drafts = [plan_source(s, world, part.book) for s in selected(sources, world, options)]
    return replace(part, drafts=drafts)


def part_of(world: World, drafts: Sequence[Draft]) -> Part:
    """Return the part of a plan that is about one world."""
    return Part(world, RouteBook(world.estate, dict(world.inventory.scopes)), drafts)


# -- what was read -------------------------------------------------------------------------------


def inventory_read(worlds: Sequence[World]) -> InventoryRead:
    """Return what was read; counts are of all kinds that were planned for."""
    world = worlds[0]
    scopes = [_scope_read(worlds, location) for location in sorted(world.locations)]
    return InventoryRead(
        complete=all(w.scope(location).is_complete for w in worlds for location in w.locations),
        recorded=world.inventory.recorded,
        taken_at=world.inventory.taken_at,
        scopes=tuple(scopes),
    )


def _scope_read(worlds: Sequence[World], location: Location) -> ScopeRead:
    scope = worlds[0].scope(location)
    scopes = [world.scope(location) for world in worlds]
    instances = [len(one.instances) for one in scopes if one.instances is not None]
    snapshots = [len(one.snapshots) for one in scopes if one.snapshots is not None]
    foreign = sum(world.foreign_counts.get(location, 0) for world in worlds)
    return ScopeRead(
        scope.location.account,
        scope.location.region,
        scope.status.value,
        sum(instances) if instances else None,
        sum(snapshots) if snapshots else None,
        scope.cause,
        foreign if snapshots else None,
    )


def clusters_not_read(parts: Iterable[Part]) -> Iterable[Warned]:
    """Yield where clusters could not be read though the rest of a location was."""
    for part in parts:
        if part.world.kind is Kind.INSTANCE:
            continue
        for location in sorted(part.world.locations):
            scope = part.world.scope(location)
            if not scope.is_complete:
                yield Warned(
                    "W463 clusters-not-read",
                    "warning",
                    f"the DB clusters of {location} could not be read: {scope.cause}",
                    fix="nothing that depends on them is deleted; `engine iam-policy` prints what"
                    " the roles must allow",
                )


# -- what nobody protects ------------------------------------------------------------------------


def unprotected(part: Part, parts: Sequence[Part]) -> Iterable[Unprotected]:
    """Yield the databases of a part that no policy protects.

    Of a cluster that is known its members are not told again.
    """
    knows_clusters = any(one.world.kind is Kind.CLUSTER for one in parts)
    for draft in part.drafts:
        source = draft.source
        if source.life is not Life.LIVE or source.policy is not None or source.instance is None:
            continue
        if source.instance.replica_of is not None:
            continue
        if knows_clusters and source.instance.cluster is not None:
            continue
        yield Unprotected(source.ref, source.instance.engine, _why(source))


def _why(source: Source) -> str:
    assert source.instance is not None
    if is_protectable(source.instance):
        return "no policy selects it"
    if is_of_another_service(source.instance):
        return "DocumentDB, Neptune and RDS Custom are not supported"
    return "it is of a cluster, which only a policy with `protects: rds-cluster` protects"
