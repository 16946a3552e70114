"""What commands that make plans tell of their costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.documents.model import Documents
    from engine.inventory.records import Inventory
    from engine.plans.plan import Plan


def priced(plan: Plan, documents: Documents, inventory: Inventory) -> Plan:
    """Return a plan with what it costs, by the engine's prices and those of the estate."""
    from engine.costs.annotate import with_costs
    from engine.costs.book import book_of
    from engine.costs.price_file import prices_of

    return with_costs(plan, inventory, book_of(documents, prices_of(documents.estate)))
