"""What the leftovers of others cost, of databases that are gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from engine.costs.pieces import kept_of
from engine.costs.prices import Prices
from engine.costs.stock import Stock, each_of_others, snapshots_of
from engine.inventory.records import Inventory, Snapshot
from engine.plans.amounts import Pair, rounded
from engine.plans.plan import ForeignOrphan


def with_their_cost(
    orphans: Iterable[ForeignOrphan], inventory: Inventory, stock: Stock, prices: Prices
) -> tuple[ForeignOrphan, ...]:
    """Return leftovers with what each costs a month; their databases leave nothing free."""
    found = tuple(orphans)
    wanted = {one.arn for one in found}
    groups: dict[tuple[object, str], list[Snapshot]] = defaultdict(list)
    for scope in inventory.scopes.values() if wanted else ():
        for snapshot in snapshots_of(scope):
            if snapshot.arn in wanted:
                groups[snapshot.location, snapshot.resource_id].append(snapshot)
    costs: dict[str, Pair] = {}
    for alike in groups.values():
        for snapshot, gib in each_of_others(alike, stock.sizes):
            price = prices.of_storage(snapshot.location.region, kept_of(snapshot.arn)).usd
            costs[snapshot.arn] = rounded((gib * price).pair)
    return tuple(replace(one, usd_month=costs.get(one.arn)) for one in found)
