"""All that is kept, and what it comes to per policy and per place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from operator import attrgetter

from engine.costs.allowance import Allowance, allowance_of
from engine.costs.book import Book
from engine.costs.pieces import Piece, Pieces, Sizes, is_others, piece_of
from engine.costs.prices import Kept
from engine.costs.ranges import NOTHING, Range
from engine.costs.rates import ASSUMED_RATE
from engine.costs.storage import either
from engine.inventory.records import Inventory, Location, Scope, Snapshot

Shelf = tuple[str, Location, Kept]
"""Where a piece is counted: its policy, its location, its kind."""


@dataclass(slots=True)
class Sum:
    """A growing sum of ranges; `count` says of how many."""

    count: int = 0
    low: float = 0.0
    high: float = 0.0

    def add(self, amount: Range) -> None:
        """Add an amount."""
        self.count += 1
        self.low += amount.low
        self.high += amount.high

    @property
    def range(self) -> Range:
        """What it has come to."""
        return Range(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Totals:
    """What the engine's snapshots take up, in GiB, by policy, location and kind."""

    sums: dict[Shelf, Sum]

    def of(self, shelf: Shelf) -> Sum:
        """Return the sum of a policy's snapshots of a kind at a location."""
        return self.sums.get(shelf) or Sum()

    def at(self, location: Location, kept: Kept) -> Range:
        """Return the sum of all policies' snapshots of a kind at a location."""
        found = NOTHING
        for (_, where, kind), one in self.sums.items():
            if (where, kind) == (location, kept):
                found += one.range
        return found


@dataclass(slots=True)
class Stock:
    """The engine's pieces, what others keep beside them, and what of it is free."""

    sizes: Sizes
    pieces: Pieces = field(default_factory=Pieces)
    known: dict[str, Piece] = field(default_factory=dict)
    others: dict[Location, Range] = field(default_factory=dict)
    allowances: dict[Location, Allowance] = field(default_factory=dict)

    def totals(self, book: Book) -> Totals:
        """Return what the pieces that are there now come to."""
        sums: dict[Shelf, Sum] = defaultdict(Sum)
        for piece, gib in self.pieces.sized(book):
            sums[piece.policy, piece.chain.location, piece.kept].add(gib)
        return Totals(dict(sums))


def stock_of(inventory: Inventory, estate: str, told: AbstractSet[str] = frozenset()) -> Stock:
    """Return what there is, of the engine's for `estate` and of others.

    `told` are the ARNs that a plan calls the engine's; it only saves proving them again.
    """
    scopes = inventory.scopes.values()
    stock = Stock(Sizes(one for scope in scopes for one in snapshots_of(scope)))
    for scope in scopes:
        stock.allowances[scope.location] = allowance_of(scope.instances)
        stock.others[scope.location] = others_gib(_read(scope, stock, estate, told), stock.sizes)
    return stock


def _read(scope: Scope, stock: Stock, estate: str, told: AbstractSet[str]) -> list[Snapshot]:
    """Take in what the engine owns there; return what others keep."""
    others = []
    for snapshot in snapshots_of(scope):
        piece = piece_of(snapshot, estate, stock.sizes, told)
        if piece is not None:
            stock.pieces.add(piece)
            stock.known[piece.arn] = piece
        elif is_others(snapshot):
            others.append(snapshot)
    return others


def snapshots_of(scope: Scope) -> Iterator[Snapshot]:
    """Yield the snapshots of a location, of instances and of clusters."""
    yield from scope.snapshots or ()
    if scope.clusters is not None:
        yield from scope.clusters.snapshots or ()


def others_gib(snapshots: Iterable[Snapshot], sizes: Sizes) -> Range:
    """Return what snapshots of others at one location take up.

    Of a database the oldest counts in full; whether the later ones are increments nobody can tell.
    """
    by_database: dict[str, list[Snapshot]] = defaultdict(list)
    for one in snapshots:
        by_database[one.resource_id].append(one)
    found = NOTHING
    for alike in by_database.values():
        for _, gib in each_of_others(alike, sizes):
            found += gib
    return found


def each_of_others(alike: Iterable[Snapshot], sizes: Sizes) -> Iterable[tuple[Snapshot, Range]]:
    """Yield snapshots of one database at one location, oldest first, and what each takes up."""
    dated = [one for one in alike if one.taken_at is not None]
    before = None
    for one in sorted(dated, key=attrgetter("taken_at", "arn")):
        assert one.taken_at is not None
        since = None if before is None else one.taken_at - before
        yield one, either(sizes.body_of(one), since, ASSUMED_RATE)
        before = one.taken_at
