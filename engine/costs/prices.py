"""What AWS asks, in USD: storage per GiB and month, transfer per GiB, by region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.costs.ranges import NOTHING, Range


class Kept(StrEnum):
    """What is kept: both have their own prices."""

    SNAPSHOT = "snapshots"
    """Of a DB instance."""
    CLUSTER_SNAPSHOT = "cluster_snapshots"
    """Of an Aurora or a Multi-AZ DB cluster."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price in USD, who says so, and as of when.

    `known` is False where it is inferred from those of other regions.
    """

    usd: Range
    source: str
    as_of: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Prices of one thing by region, and what is assumed of all other regions."""

    regions: Mapping[str, Price]
    elsewhere: Price

    def of(self, region: str) -> Price:
        """Return the price in a region; of one that is not listed what is assumed of it."""
        return self.regions.get(region, self.elsewhere)

    def overridden(self, own: Mapping[str, Price]) -> PriceTable:
        """Return the table with the prices that an estate says it pays."""
        return PriceTable({**self.regions, **own}, self.elsewhere)


@dataclass(frozen=True, slots=True)
class Prices:
    """All prices. The region that data leaves decides what its transfer costs.

    `pairs` are the transfers that have a price of their own, by origin and destination.
    """

    storage: Mapping[Kept, PriceTable]
    transfers: PriceTable
    pairs: Mapping[tuple[str, str], Price] = field(default_factory=dict)

    def of_storage(self, region: str, kept: Kept = Kept.SNAPSHOT) -> Price:
        """Return the price of a GiB kept for a month."""
        return self.storage[kept].of(region)

    def of_transfer(self, origin: str, to: str) -> Price:
        """Return the price of a GiB that is copied from one region to another.

        Within a region, between accounts too, RDS names no price for it (RDS User Guide, Copying a
        DB snapshot: charges are for data that leaves the source region).
        """
        if origin == to:
            return _NO_TRANSFER
        return self.pairs.get((origin, to)) or self.transfers.of(origin)


_NO_TRANSFER = Price(NOTHING, "RDS User Guide, Copying a DB snapshot", "2026-04")
