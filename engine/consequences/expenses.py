"""What is kept costs a month at the horizon, without a change and with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from engine.consequences.ahead import Future
from engine.consequences.outlook import Outlook
from engine.costs.book import Book
from engine.costs.pieces import Sizes
from engine.costs.prices import Kept, Prices
from engine.costs.ranges import NOTHING, Range, total
from engine.costs.rates import Rate
from engine.costs.storage import Body, Link, chain_storage
from engine.inventory.records import Inventory, Kind, Location
from engine.planning.draft import at
from engine.plans.amounts import rounded
from engine.plans.consequences import CostChange

_Sums = dict[tuple[str, Location], Range]


def cost_changes(
    outlooks: Iterable[Outlook], inventory: Inventory, before: Book, after: Book
) -> list[CostChange]:
    """Return what the points of each policy at each location will cost, before any allowance.

    Only databases are counted of which something is decided differently. What is left of each at a
    location is taken for one chain: its oldest point in full, the others as increments.
    """
    sizes = Sizes(s for scope in inventory.scopes.values() for s in scope.snapshots or ())
    was: _Sums = defaultdict(lambda: NOTHING)
    will: _Sums = defaultdict(lambda: NOTHING)
    for outlook in outlooks:
        if outlook.future_before == outlook.future_after:
            continue
        body = _body(outlook, sizes)
        for sums, book, policy, future in zip(
            (was, will),
            (before, after),
            outlook.policies,
            (outlook.future_before, outlook.future_after),
            strict=True,
        ):
            name = policy or "no policy"
            sums[name, outlook.location] += _cost(
                outlook, future, body, book.rate(name), book.prices
            )
    changes = []
    for policy, place in sorted(was.keys() | will.keys()):
        old, new = was[policy, place].pair, will[policy, place].pair
        changes.append(CostChange(policy, at(place), rounded(old), rounded(new)))
    return changes


def _body(outlook: Outlook, sizes: Sizes) -> Body:
    if outlook.points:
        return sizes.body_of(outlook.points[-1].snapshot)
    instance = outlook.source.instance
    assert instance is not None
    return sizes.body(instance.resource_id, instance.allocated_gib)


def _cost(outlook: Outlook, future: Future, body: Body, rate: Rate, prices: Prices) -> Range:
    # Snapshots of clusters are always full (Aurora User Guide, Copying a DB cluster snapshot).
    is_full = outlook.source.kind is Kind.CLUSTER
    kept = Kept.CLUSTER_SNAPSHOT if is_full else Kept.SNAPSHOT
    links = (Link(slot, body, is_full) for slot in sorted(future.slots))
    return total(chain_storage(links, rate)) * prices.of_storage(outlook.location.region, kept).usd
