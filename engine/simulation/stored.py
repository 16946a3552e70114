"""What is stored in a simulation and what it costs: from sums by day to what is told of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.costs.allowance import Allowance
from engine.costs.assumptions import LEFT_OUT, OF_ALLOWANCE, of_policies, of_prices, of_transfers
from engine.costs.book import Book, book_of
from engine.costs.price_file import prices_of
from engine.costs.ranges import NOTHING, Range, total
from engine.costs.stock import Stock, stock_of
from engine.costs.storage import MONTH
from engine.documents.model import Documents
from engine.documents.scene import Event, Happening
from engine.inventory.records import Inventory, Location
from engine.plans.amounts import Pair, rounded
from engine.simulation.happenings import is_meant
from engine.simulation.ledger import Ledger
from engine.simulation.shelves import Measured, Nature, Shelves, Since
from engine.simulation.world import World

FULL_SIZE = (
    "a full snapshot takes up no more than the allocated storage, where AWS does not tell how much "
    "it is; the later ones of a chain take up what changed in between"
)


@dataclass(frozen=True, slots=True)
class PlaceStored:
    """What is held at a location over a simulation, in GiB times months, and what AWS bills.

    Others' manual snapshots are billed with the engine's, since they use up the same allowance.
    """

    location: Location
    gib_months: Pair
    usd: Pair


@dataclass(frozen=True, slots=True)
class DayStored:
    """How many GiB the engine's snapshots take up at a location at the end of a day of UTC."""

    day: date
    location: Location
    gib: Pair


@dataclass(frozen=True, slots=True)
class Stored:
    """Storage and cost over a simulation; amounts have two figures: none is known better.

    Attributes:
        gib_months: what is held everywhere.
        usd: what AWS bills for storage and for what is sent between regions.
        usd_transfer: the part of it for what is sent.
        places: by location.
        days: by day and location, in order.
        assumptions: what all of it rests on, in sentences.
    """

    gib_months: Pair = (0.0, 0.0)
    usd: Pair = (0.0, 0.0)
    usd_transfer: Pair = (0.0, 0.0)
    places: tuple[PlaceStored, ...] = ()
    days: tuple[DayStored, ...] = ()
    assumptions: tuple[str, ...] = ()


class Keeper:
    """Keeps the books of storage while a simulation is played."""

    def __init__(
        self, documents: Documents, inventory: Inventory, start: datetime, end: datetime
    ) -> None:
        self._book = book_of(documents, prices_of(documents.estate))
        self._stock = stock_of(inventory, documents.estate.name)
        self._documents = documents
        self.ledger = Ledger(start, end)

    def fill(self, world: World, events: Sequence[Event]) -> None:
        """Put on a world's shelves what is there when the simulation starts."""
        shelves = self.empty()
        start, end = self.ledger.start, self.ledger.end
        moves = [e for e in events if e.what is Happening.CHANGE_RATE and start <= e.at < end]
        for arn, instance in world.instances.items():
            meant = [e for e in moves if is_meant(e, instance, self._documents.estate)]
            full = self._stock.sizes.body(instance.resource_id, instance.allocated_gib).full_gib
            shelves.natures[arn] = Nature(full, _rates(meant))
            shelves.allow(None, instance, start)
        for arn, snapshot in world.snapshots.items():
            piece = self._stock.known.get(arn)
            if piece is not None:
                shelves.put(snapshot, piece.taken_at, start, body=piece.body)
        self.ledger.note(shelves.told())
        world.shelves = shelves

    def empty(self) -> Shelves:
        """Return shelves without anything on them."""
        return Shelves(self._book.rates)

    def stored(self) -> Stored:
        """Return what came of it."""
        places = [
            _Place(at, self.ledger, self._stock, self._book) for at in self.ledger.locations()
        ]
        sent = tuple(self.ledger.sent())
        transfer = total(
            gib * self._book.prices.of_transfer(*way).usd for way, gib in sent if gib.high > 0
        )
        return Stored(
            gib_months=rounded(total(one.gib_months for one in places).pair),
            usd=rounded((total(one.usd for one in places) + transfer).pair),
            usd_transfer=rounded(transfer.pair),
            places=tuple(one.told() for one in places),
            days=tuple(sorted(_days(places), key=lambda one: (one.day, one.location))),
            assumptions=tuple(self._assumptions(places, [way for way, gib in sent if gib.high])),
        )

    def _assumptions(
        self, places: Sequence[_Place], ways: Iterable[tuple[str, str]]
    ) -> Iterator[str]:
        if places:
            yield from of_policies(self._book, self._documents.policies)
            yield FULL_SIZE
            yield from of_prices(self._book, sorted({one.at.region for one in places}))
            yield from of_transfers(self._book, ways)
            yield OF_ALLOWANCE
        yield LEFT_OUT


class _Place:
    """What is held at one location and what AWS bills for it."""

    def __init__(self, at: Location, ledger: Ledger, stock: Stock, book: Book) -> None:
        self.at = at
        self.held = tuple(ledger.levels(at, Measured.HELD))
        price = book.prices.of_storage(at.region).usd
        others = stock.others.get(at, NOTHING)
        self.gib_months = self.usd = NOTHING
        free = zip(
            ledger.levels(at, Measured.ALLOCATED),
            ledger.levels(at, Measured.AUTOMATED),
            strict=True,
        )
        for level, (allocated, automated) in zip(self.held, free, strict=True):
            months = timedelta(seconds=level.seconds) / MONTH
            allowance = Allowance(allocated.average, automated.average)
            self.gib_months += level.average * months
            self.usd += allowance.billed(level.average + others) * price * months

    def told(self) -> PlaceStored:
        """Return it as it is told."""
        return PlaceStored(self.at, rounded(self.gib_months.pair), rounded(self.usd.pair))


def _days(places: Iterable[_Place]) -> Iterator[DayStored]:
    for place in places:
        for level in place.held:
            yield DayStored(level.day, place.at, rounded(level.last.pair))


def _rates(events: Iterable[Event]) -> Since:
    ordered = sorted(events, key=lambda one: one.at)
    return tuple((one.at, Range(one.percent, one.percent) * 0.01) for one in ordered)
