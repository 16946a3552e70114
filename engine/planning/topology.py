"""Where each target gets its copies from: a minimum-cost tree over locations and keys.

A pure function of documents and prices: the way is part of a chain, so it must be the same from day
to day. The method is that of Chu, Liu and Edmonds (J. Edmonds, Optimum Branchings, 1967).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from engine.costs.prices import Price, Prices
from engine.inventory.records import Location

DEFAULT_KEY_ALIAS = "alias/aws/rds"
MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Stop:
    """A target as the tree sees it: where it is, which points it is sent, and under which key.

    `lends` says that other accounts may be let in to its copies: those under the default key of
    RDS cannot be shared.
    """

    location: Location
    every: timedelta | None
    lends: bool
    key: str


@dataclass(frozen=True, slots=True)
class Tree:
    """The parent of each target's location, and what a GiB costs on its way to all of them.

    Prices are USD for each GiB that is copied once to every target: by this tree, and by the star,
    in which all are served by the source.
    """

    parents: Mapping[Location, Location]
    price: float
    star_price: float


def star(home: Location, stops: Sequence[Stop]) -> Mapping[Location, Location]:
    """Return the tree in which the source serves every target."""
    return {stop.location: home for stop in stops}


def cheapest(home: Location, stops: Sequence[Stop], prices: Prices) -> Tree:
    """Return the tree that costs least; of equal ones the one with the fewest detours."""
    import networkx as nx

    weights = _Weights(home, stops, prices)
    graph: nx.DiGraph[Location] = nx.DiGraph()
    graph.add_node(home)
    edges = sorted(_edges(home, stops), key=lambda edge: (edge[0] != home, edge))
    for rank, (near, far) in enumerate(edges):
        # Powers of two make every tree's sum another one, so that no order of sets decides.
        graph.add_edge(near, far, weight=(weights.of(near, far) << len(edges)) + (1 << rank))
    tree = nx.minimum_spanning_arborescence(graph)
    parents = {far: near for near, far in tree.edges}
    return Tree(
        {stop.location: parents[stop.location] for stop in stops},
        price=weights.price(parents),
        star_price=weights.price(star(home, stops)),
    )


def _edges(home: Location, stops: Sequence[Stop]) -> Iterator[tuple[Location, Location]]:
    for far in stops:
        yield home, far.location
        for near in stops:
            if near is not far and _serves(near, far, home):
                yield near.location, far.location


def _serves(near: Stop, far: Stop, home: Location) -> bool:
    """Say whether a target has all that another one is sent, and may let it read it.

    Nothing goes back into the account it came from: what lies elsewhere is there to be out of its
    reach.
    """
    sent = near.every is None or near.every == far.every
    if near.location.account == far.location.account:
        return sent
    return sent and near.lends and far.location.account != home.account


@dataclass(frozen=True, slots=True)
class _Weights:
    """What edges cost: the middle of each price, where it is known between bounds only."""

    home: Location
    stops: Sequence[Stop]
    prices: Prices

    def of(self, near: Location, far: Location) -> int:
        """Return what copying a GiB costs, in millionths of a USD.

        A copy that enters an account which holds copies under other keys may be stored in full each
        time (RDS User Guide, Copying a DB snapshot): a month of that counts.
        """
        usd = _middle(self.prices.of_transfer(near.region, far.region))
        if near.account != far.account and len(self._keys_in(far.account)) > 1:
            usd += _middle(self.prices.of_storage(far.region))
        return round(usd * MICRO)

    def price(self, parents: Mapping[Location, Location]) -> float:
        """Return what moving a GiB to every target costs, risks left out."""
        ways = ((near.region, far.region) for far, near in parents.items())
        return sum(_middle(self.prices.of_transfer(*way)) for way in ways)

    def _keys_in(self, account: str) -> set[tuple[str, str]]:
        return {
            (stop.location.region, stop.key)
            for stop in self.stops
            if stop.location.account == account
        }


def _middle(price: Price) -> float:
    return (price.usd.low + price.usd.high) / 2
