"""The prices that come with the engine: `prices.json`, each with its source and date."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.costs.prices import Kept, Price, Prices, PriceTable
from engine.costs.ranges import Range, exactly
from engine.documents.model import Bounds, Estate

FILE = Path(__file__).with_name("prices.json")
PAIR = " to "
OWN = "the estate's `prices`"


@lru_cache(maxsize=1)
def known_prices() -> Prices:
    """Return the prices that come with the engine."""
    data = json.loads(FILE.read_text(encoding="utf-8"))
    transfers = {name: _price(one) for name, one in data["transfer"]["regions"].items()}
    regions, pairs = _split(transfers)
    return Prices(
        storage={kept: _table(data[kept.value]) for kept in Kept},
        transfers=PriceTable(regions, _elsewhere(data["transfer"], regions)),
        pairs=pairs,
    )


def prices_of(estate: Estate) -> Prices:
    """Return the prices that come with the engine, with those an estate says it pays."""
    known, own = known_prices(), estate.prices
    regions, pairs = _split(_paid(own.transfer))
    ours = {Kept.SNAPSHOT: own.snapshots, Kept.CLUSTER_SNAPSHOT: own.cluster_snapshots}
    return Prices(
        storage={kept: known.storage[kept].overridden(_paid(ours[kept])) for kept in Kept},
        transfers=known.transfers.overridden(regions),
        # A price of a region's own stands for all that leaves it, also where AWS has a special one.
        pairs={key: one for key, one in known.pairs.items() if key[0] not in regions} | pairs,
    )


def _paid(prices: Mapping[str, Bounds]) -> dict[str, Price]:
    return {name: Price(Range(*usd), OWN, "") for name, usd in prices.items()}


def _table(data: Mapping[str, Any]) -> PriceTable:
    regions = {name: _price(one) for name, one in data["regions"].items()}
    return PriceTable(regions, _elsewhere(data, regions))


def _split(
    transfers: Mapping[str, Price],
) -> tuple[dict[str, Price], dict[tuple[str, str], Price]]:
    """Part prices of whatever leaves a region from those of one way only."""
    regions: dict[str, Price] = {}
    pairs: dict[tuple[str, str], Price] = {}
    for name, price in transfers.items():
        origin, _, to = name.partition(PAIR)
        if to:
            pairs[origin, to] = price
        else:
            regions[origin] = price
    return regions, pairs


def _price(data: Mapping[str, Any]) -> Price:
    return Price(exactly(data["usd"]), data["source"], data["as_of"])


def _elsewhere(data: Mapping[str, Any], regions: Mapping[str, Price]) -> Price:
    """Return what is assumed of regions that are not listed: between the least and the most.

    Where the listed ones are fewer than the differences that AWS is known to make, the file
    says how much more the most can be.
    """
    prices = [price.usd for price in regions.values()]
    more = data.get("elsewhere", {})
    most = max(price.high for price in prices)
    high = max(most, more.get("usd", most))
    source = f"between the {len(prices)} regions that are known"
    if "source" in more:
        source = f"{source}, and {more['source']}"
    as_of = max(price.as_of for price in regions.values())
    return Price(Range(min(price.low for price in prices), high), source, as_of, known=False)
