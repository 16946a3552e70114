"""Two sets of documents, one inventory, one time: what the change between them would do."""

from __future__ import annotations

from dataclasses import dataclass

from engine.consequences.ahead import HORIZON
from engine.consequences.chains import new_chains
from engine.consequences.edits import Said, edits
from engine.consequences.points import reaches
from engine.consequences.protection import protection
from engine.consequences.side import side_of
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
    against: str,
    commit: str | None = None,
) -> Consequences:
    """Return what the change would do, told from the plans of both at the time of `plan`.

    Args:
        before: the documents without the change.
        after: the documents that `plan` was made from.
        inventory: what exists; both are planned from it.
        plan: that of the documents with the change.
        against: how the documents before were named.
        commit: where they were read from, None where that was a folder.
    """
    options = PlanOptions(plan.only, plan.exclude)
    old_plan = make_plan(before.documents, inventory, plan.as_of, options)
    kinds = [k for k in Kind if k in before.documents.kinds | after.documents.kinds]
    sides = [
        (
            side_of(before.documents, inventory, old_plan, kind),
            side_of(after.documents, inventory, plan, kind),
        )
        for kind in kinds
    ]
    return Consequences(
        against=against,
        commit=commit,
        policies_digest=before.documents.digest,
        horizon=plan.as_of + HORIZON,
        edits=tuple(edits(before.said, after.said)),
        reach=tuple(one for old, new in sides for one in reaches(old, new)),
        # Clusters have no chains: each of their snapshots is stored in full.
        chains=tuple(new_chains(*sides[0])),
        protection=tuple(one for old, new in sides for one in protection(old, new)),
    )


def not_compared(against: str, commit: str | None, problems: tuple[str, ...]) -> Consequences:
    """Return what is told where the documents before cannot be used, and why."""
    return Consequences(against, commit, None, None, problems)
