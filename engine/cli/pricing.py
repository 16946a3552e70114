"""What commands that make plans tell of their costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.documents.model import Documents
    from engine.inventory.records import Inventory
    from engine.plans.plan import Plan


def priced(plan: Plan, documents: Documents, inventory: Inventory) -> Plan:
    """Return a plan with what it costs, by the engine's prices and those of the estate.

    Durations are learned from this machine's journal, but not for what once was.
    """
    from engine.cli.calibration import local_history
    from engine.costs.annotate import with_costs
    from engine.costs.book import book_of
    from engine.costs.history import NO_HISTORY
    from engine.costs.price_file import prices_of

    history = NO_HISTORY if inventory.recorded else local_history(documents.estate)
    return with_costs(plan, inventory, book_of(documents, prices_of(documents.estate), history))
