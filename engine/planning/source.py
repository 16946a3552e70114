"""One source through stages 2 to 6. It needs its own records only, and read access to the world."""

from __future__ import annotations

from engine.inventory.records import Kind
from engine.planning.automated import plan_automated
from engine.planning.copying import plan_copies
from engine.planning.creating import plan_create
from engine.planning.draft import Draft
from engine.planning.failing_back import plan_failback
from engine.planning.forecasting import plan_forecasts
from engine.planning.policy_shares import wishes_of
from engine.planning.protecting import protect
from engine.planning.retaining import judge
from engine.planning.routes import RouteBook
from engine.planning.sharing import plan_shares
from engine.planning.survey import Source, World
from engine.planning.tagging import plan_tags


def plan_source(source: Source, world: World, book: RouteBook) -> Draft:
    """Return everything that is to happen to one source, guards and shared limits aside."""
    draft = Draft(source)
    plan_create(draft, world)
    demands = plan_copies(draft, world, book)
    draft.demands = tuple(demands)
    removals = judge(draft, world, book, demands)
    plan_shares(draft, world, wishes_of(draft, world, book, removals))
    plan_tags(draft, world)
    protect(draft, world, book, removals, demands)
    plan_forecasts(draft)
    if source.kind is Kind.INSTANCE:
        plan_automated(draft, world)
        plan_failback(draft, world, book)
    return draft
