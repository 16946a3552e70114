"""What the cheapest topology chose, and what it spares against sending all from the source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.documents.model import Topology
from engine.inventory.records import Location
from engine.planning.draft import Draft, at
from engine.planning.routes import RouteBook
from engine.planning.topology import Tree
from engine.plans.plan import CopyTree, Hop

SOURCE = "source"


@dataclass(slots=True)
class _Served:
    """The databases that one tree serves."""

    tree: Tree
    sources: int = 0
    gib: int = 0


def copy_trees(drafts: Iterable[Draft], book: RouteBook) -> Iterator[CopyTree]:
    """Yield, by policy and home of its databases, which targets are served from where."""
    found: dict[tuple[str, Location, tuple[Hop, ...]], _Served] = {}
    for draft in drafts:
        source = draft.source
        if source.policy is None or source.terms is None or source.instance is None:
            continue
        if source.terms.snapshots.topology is not Topology.CHEAPEST:
            continue
        routes, _ = book.routes(source.terms, source.location)
        names = {route.location: route.target for route in routes}
        hops = tuple(
            Hop(route.target, names[route.hub] if route.hub else SOURCE) for route in routes
        )
        key = (source.policy.name, source.location, hops)
        served = found.get(key)
        if served is None:
            served = found[key] = _Served(book.tree(source.location, routes))
        served.sources += 1
        served.gib += source.instance.allocated_gib
    for policy, home, hops in sorted(found, key=lambda key: (key[0], key[1])):
        one = found[policy, home, hops]
        yield CopyTree(
            policy, at(home), hops, one.sources, one.gib, one.tree.price, one.tree.star_price
        )
