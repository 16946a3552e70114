"""One side of a comparison: documents, their plan, and the sources as these documents see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.documents.model import Documents
from engine.inventory.records import Inventory, Kind, Location
from engine.planning.routes import RouteBook
from engine.planning.selecting import selected
from engine.planning.steps import MAKES
from engine.planning.survey import Source, World, survey
from engine.plans.codes import PROTECTIONS, Action, Leaving, StepReason
from engine.plans.plan import GuardState, Kept, Plan, PlanOptions, Reason, Step

SourceKey = tuple[Location, str]
GOING = frozenset({Leaving.NOW, Leaving.WITHHELD})


@dataclass(frozen=True, slots=True)
class Side:
    """What one set of documents makes of the world. `deletes` and `kept` are by ARN.

    `guards` names, by step, the guard that withholds it. `makes` are the steps that make points,
    by the DbiResourceId of the source and where they will lie.
    """

    world: World
    book: RouteBook
    plan: Plan
    sources: Mapping[SourceKey, Source]
    deletes: Mapping[str, Step]
    kept: Mapping[str, Kept]
    guards: Mapping[str, GuardState]
    makes: Mapping[tuple[str, Location], Sequence[Step]]

    def leaving(self, arn: str) -> Leaving:
        """Say how near a point is to its end, as far as the plan itself tells."""
        step = self.deletes.get(arn)
        if step is not None:
            return Leaving.NOW if step.withheld_by is None else Leaving.WITHHELD
        kept = self.kept.get(arn)
        is_protected = kept is not None and _only_protected(kept)
        return Leaving.PROTECTED if is_protected else Leaving.STAYS

    def why(self, arn: str) -> Reason | None:
        """Return why a point goes, or what protects it although no rule keeps it."""
        step = self.deletes.get(arn)
        if step is not None:
            return step.reason
        kept = self.kept.get(arn)
        return kept.reasons[0] if kept is not None and kept.reasons else None

    def acknowledge(self, arn: str) -> str | None:
        """Return the digest that would let the delete of a point through."""
        step = self.deletes.get(arn)
        guard = self.guards.get(step.id) if step is not None else None
        return guard.acknowledge if guard is not None else None


def side_of(documents: Documents, inventory: Inventory, plan: Plan, kind: Kind) -> Side:
    """Return the side of documents whose plan was made from this inventory, of one kind."""
    world, sources = survey(documents, inventory, plan.as_of, kind)
    options = PlanOptions(plan.only, plan.exclude)
    chosen = selected(sources, world, options)
    return Side(
        world=world,
        book=RouteBook(world.estate, dict(world.inventory.scopes)),
        plan=plan,
        sources={(source.location, source.ref.resource_id): source for source in chosen},
        deletes={step.arn: step for step in plan.steps if step.action is Action.DELETE},
        kept={kept.arn: kept for kept in plan.kept},
        guards={
            step: guard
            for guard in reversed(plan.guards)
            if guard.tripped and not guard.acknowledged
            for step in guard.withholds
        },
        makes=_makes(plan),
    )


def _makes(plan: Plan) -> dict[tuple[str, Location], list[Step]]:
    made: dict[tuple[str, Location], list[Step]] = defaultdict(list)
    for step in plan.steps:
        if step.action in MAKES and step.reason.code != StepReason.ROUTE_NEEDS_BRIDGE:
            place = Location(step.location.account, step.location.region)
            made[step.source.resource_id, place].append(step)
    return made


def _only_protected(kept: Kept) -> bool:
    return bool(kept.reasons) and all(reason.code in PROTECTIONS for reason in kept.reasons)
