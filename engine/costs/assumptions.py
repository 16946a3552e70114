"""What a plan's costs rest on, in sentences: prices with their date, rates, paces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.costs.book import Book
from engine.costs.prices import Kept, Price
from engine.costs.rates import ASSUMED
from engine.costs.stepping import Cost
from engine.costs.stock import Stock
from engine.inventory.records import Location

OF_ALLOWANCE = (
    "as much as its databases have allocated is free in each account and region; automated "
    "backups use it up too, and AWS does not tell how much of it"
)
LEFT_OUT = "taxes, discounts and requests to KMS are left out"


def assumptions(
    book: Book, stock: Stock, places: Iterable[Location], costs: Iterable[Cost]
) -> Iterator[str]:
    """Yield what the costs of a plan rest on, as far as it has a part in them."""
    kept = [piece for chain in stock.pieces.chains.values() for piece in chain]
    policies = {piece.policy for piece in kept}
    yield from of_policies(book, policies)
    unknown = sum(1 for piece in kept if piece.body.full_gib is None)
    if unknown:
        yield (
            f"a full snapshot takes up no more than the allocated storage; of {unknown:,} of "
            f"{len(kept):,} AWS does not tell how much less"
        )
    regions = sorted({place.region for place in places})
    yield from of_prices(book, regions, {piece.kept for piece in kept})
    ways = {cost.way for cost in costs if cost.way is not None and cost.usd_once.high > 0}
    yield from of_transfers(book, ways)
    if kept:
        yield OF_ALLOWANCE
    yield from _paces(costs)
    yield LEFT_OUT


def of_policies(book: Book, policies: Iterable[str]) -> Iterator[str]:
    """Yield what is assumed of how fast the databases of these policies change."""
    if any(book.rate(policy).is_assumed for policy in policies):
        yield (
            f"a database changes {ASSUMED.low:g} to {ASSUMED.high:g} % of its storage a day where "
            "its policy does not say better (`snapshots.changed_per_day`)"
        )


def of_prices(
    book: Book, regions: Iterable[str], kinds: Iterable[Kept] = (Kept.SNAPSHOT,)
) -> Iterator[str]:
    """Yield what a GiB of these kinds of snapshots costs in these regions."""
    for kept in sorted(kinds):
        of = " of a cluster's snapshot" if kept is Kept.CLUSTER_SNAPSHOT else ""
        known = ((book.prices.of_storage(region, kept), region) for region in regions)
        for price, where in _alike(known):
            yield f"a GiB{of} costs {_priced(price)} a month in {', '.join(where)}{_said(price)}"


def of_transfers(book: Book, ways: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield what a GiB costs to send these ways."""
    known = ((book.prices.of_transfer(*way), " to ".join(way)) for way in sorted(ways))
    for price, where in _alike(known):
        yield f"a GiB costs {_priced(price)} to send from {', '.join(where)}{_said(price)}"


def _alike(prices: Iterable[tuple[Price, str]]) -> Iterator[tuple[Price, list[str]]]:
    groups: dict[Price, list[str]] = {}
    for price, where in prices:
        groups.setdefault(price, []).append(where)
    yield from groups.items()


def _priced(price: Price) -> str:
    low, high = price.usd.pair
    return f"${low:g}" if low == high else f"${low:g} to ${high:g}"


def _said(price: Price) -> str:
    if not price.known:
        return f", which is in no price list here: {price.source}"
    return f" ({price.as_of})" if price.as_of else f" ({price.source})"


def _paces(costs: Iterable[Cost]) -> Iterator[str]:
    timed = [cost for cost in costs if cost.seconds is not None]
    learned = sum(1 for cost in timed if cost.seen)
    if learned:
        yield f"{learned:,} of {len(timed):,} durations are learned from earlier runs"
    if learned < len(timed):
        yield (
            "how long AWS takes is assumed where no earlier run tells: it names no pace, and "
            "copies to another region may wait for hours"
        )
