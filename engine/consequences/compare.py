"""Two sets of documents, one inventory, one time: what the change between them would do."""

from __future__ import annotations

from dataclasses import dataclass

from engine.consequences.ahead import HORIZON
from engine.consequences.automated import window_changes
from engine.consequences.chains import new_chains
from engine.consequences.edits import Said, edits
from engine.consequences.expenses import cost_changes
from engine.consequences.outlook import outlooks
from engine.consequences.points import reaches
from engine.consequences.protection import protection
from engine.consequences.side import side_of
from engine.costs.book import book_of
from engine.costs.prices import Prices
from engine.documents.model import Documents
from engine.inventory.records import Inventory, Kind
from engine.planning.plan import make_plan
from engine.plans.consequences import Consequences
from engine.plans.plan import Plan, PlanOptions


@dataclass(frozen=True, slots=True)
class Version:
    """Documents as they stand somewhere: what they mean, and what each policy says."""

    documents: Documents
    said: Said


def consequences(
    before: Version,
    after: Version,
    inventory: Inventory,
    plan: Plan,
    prices: Prices,
    against: str,
    commit: str | None = None,
) -> Consequences:
    """Return what the change would do, told from the plans of both at the time of `plan`.

    Args:
        before: the documents without the change.
        after: the documents that `plan` was made from.
        inventory: what exists; both are planned from it.
        plan: that of the documents with the change.
        prices: what AWS asks.
        against: how the documents before were named.
        commit: where they were read from, None where that was a folder.
    """
    options = PlanOptions(plan.only, plan.exclude)
    old_plan = make_plan(before.documents, inventory, plan.as_of, options)
    kinds = [kind for kind in Kind if kind in before.documents.kinds | after.documents.kinds]
    sides = [
        (
            side_of(before.documents, inventory, old_plan, kind),
            side_of(after.documents, inventory, plan, kind),
        )
        for kind in kinds
    ]
    found = [list(outlooks(*pair)) for pair in sides]
    books = book_of(before.documents, prices), book_of(after.documents, prices)
    return Consequences(
        against=against,
        commit=commit,
        policies_digest=before.documents.digest,
        horizon=plan.as_of + HORIZON,
        edits=tuple(edits(before.said, after.said)),
        reach=tuple(
            reach for pair, each in zip(sides, found, strict=True) for reach in reaches(*pair, each)
        ),
        chains=tuple(chain for pair in sides for chain in new_chains(*pair)),
        protection=tuple(one for pair in sides for one in protection(*pair)),
        windows=tuple(window_changes(*sides[0])),
        costs=tuple(cost_changes((one for each in found for one in each), inventory, *books)),
    )


def not_compared(against: str, commit: str | None, problems: tuple[str, ...]) -> Consequences:
    """Return what is told where the documents before cannot be used, and why."""
    return Consequences(against, commit, None, None, problems)
