"""Two sets of documents over one small world, and what the change between them would do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from engine.consequences.compare import Version, consequences
from engine.costs.price_file import prices_of
from engine.documents.model import CopyRule, Documents
from engine.inventory.records import Instance, Inventory, Location, Snapshot
from engine.planning.plan import make_plan
from engine.plans.codes import Leaving
from engine.plans.consequences import Consequences, PointChange, Reach
from engine.plans.plan import PlanOptions
from engine.retention.keep import Keep
from tests.planning.builders import (
    NOW,
    PROD,
    REMOTE,
    VAULT,
    a_policy,
    an_estate,
    an_instance,
    daily,
    documents,
    inventory,
    terms,
)

ORDERS = an_instance()
TO_VAULT = CopyRule("local")
BOTH = (CopyRule("local"), CopyRule("remote"))


def gold(keep: Keep, *copies: CopyRule, **changes: Any) -> Documents:
    """One policy; what it is changed to is told by the test. No guard is in the way."""
    estate = changes.pop("estate", None)
    return documents(a_policy(terms=terms(keep, copies, **changes)), estate=estate)


def days(
    number: int, *locations: Location, of: Instance = ORDERS, **changes: Any
) -> list[Snapshot]:
    """A point for each day before today's slot, at home and at these locations."""
    back = range(1, number + 1)
    return [s for place in (PROD, *locations) for s in daily(of, back, place, **changes)]


def world(snapshots: Iterable[Snapshot], *instances: Instance, **changes: Any) -> Inventory:
    return inventory(instances or [ORDERS], snapshots, **changes)


def compared(
    before: Documents,
    after: Documents,
    found: Inventory,
    now: datetime = NOW,
    options: PlanOptions | None = None,
) -> Consequences:
    """What the change from `before` to `after` does; the verifier has no objection to its plan."""
    plan = make_plan(after, found, now, options)
    assert not plan.findings
    old, new = Version(before, {}), Version(after, {})
    return consequences(old, new, found, plan, prices_of(after.estate), "before")


def reach(found: Consequences, location: Location = PROD) -> Reach:
    """What changes of the one database at a location."""
    there = [r for r in found.reach if (r.location.account, r.location.region) == _pair(location)]
    assert len(there) == 1, found.reach
    return there[0]


def _pair(location: Location) -> tuple[str, str]:
    return location.account, location.region


def turns(one: Reach) -> dict[tuple[Leaving, Leaving], list[PointChange]]:
    """The points by how near their end is before and after, oldest first."""
    found: dict[tuple[Leaving, Leaving], list[PointChange]] = {}
    for point in one.points:
        found.setdefault((point.before, point.after), []).append(point)
    return found


__all__ = [
    "BOTH", "NOW", "ORDERS", "PROD", "REMOTE", "TO_VAULT", "VAULT", "an_estate", "an_instance",
    "compared", "days", "gold", "reach", "turns", "world",
]  # fmt: skip
