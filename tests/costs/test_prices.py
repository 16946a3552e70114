"""Prices: each with its source, the estate's own first, a range where nobody knows."""

from __future__ import annotations

import json
import re

import pytest

from engine.costs.price_file import FILE, known_prices, prices_of
from engine.costs.prices import Kept
from engine.costs.ranges import Range, exactly
from engine.documents.model import Estate, OwnPrices
from engine.documents.regions import KNOWN_REGIONS

DATA = json.loads(FILE.read_text())
FIGURES = [
    pytest.param(what, region, figure, id=f"{what}:{region}")
    for what in ("snapshots", "cluster_snapshots", "transfer")
    for region, figure in DATA[what]["regions"].items()
]


@pytest.mark.parametrize(("what", "region", "figure"), FIGURES)
def test_every_price_says_where_it_was_read_and_when(
    what: str, region: str, figure: dict[str, object]
) -> None:
    assert set(region.split(" to ")) <= KNOWN_REGIONS
    assert str(figure["source"]).startswith("https://")
    assert re.fullmatch(r"20\d\d-\d\d(-\d\d)?", str(figure["as_of"]))
    usd = figure["usd"]
    assert isinstance(usd, float)
    assert 0 < usd < 1


def test_a_region_that_is_not_listed_gets_a_range_and_says_so() -> None:
    price = known_prices().of_storage("eu-central-1")
    assert not price.known
    assert price.usd == Range(0.095, 0.167)
    assert "3 regions that are known" in price.source
    assert known_prices().of_storage("eu-west-1").known


def test_clusters_are_cheaper_to_keep() -> None:
    prices = known_prices()
    assert prices.of_storage("us-east-1").usd == exactly(0.095)
    assert prices.of_storage("us-east-1", Kept.CLUSTER_SNAPSHOT).usd == exactly(0.021)


def test_the_region_that_data_leaves_decides_what_its_transfer_costs() -> None:
    prices = known_prices()
    assert prices.of_transfer("eu-west-1", "af-south-1").usd == exactly(0.02)
    assert prices.of_transfer("af-south-1", "eu-west-1").usd == exactly(0.147)
    assert prices.of_transfer("us-east-1", "us-east-2").usd == exactly(0.01)
    assert prices.of_transfer("us-east-1", "us-west-2").usd == exactly(0.02)
    assert prices.of_transfer("eu-west-1", "eu-west-1").usd == exactly(0)


def test_what_the_estate_says_it_pays_stands_above_what_aws_lists() -> None:
    own = OwnPrices(
        snapshots={"eu-central-1": (0.08, 0.09)},
        cluster_snapshots={"us-east-1": (0.01, 0.01)},
        transfer={"us-east-1": (0.015, 0.015), "eu-west-1 to eu-central-1": (0.0, 0.0)},
    )
    prices = prices_of(Estate("acme", {}, prices=own))
    assert prices.of_storage("eu-central-1").usd == Range(0.08, 0.09)
    assert prices.of_storage("eu-central-1").known
    assert prices.of_storage("us-east-1").usd == exactly(0.095)
    assert prices.of_storage("us-east-1", Kept.CLUSTER_SNAPSHOT).usd == exactly(0.01)
    assert prices.of_transfer("us-east-1", "us-east-2").usd == exactly(0.015)
    assert prices.of_transfer("us-east-2", "us-east-1").usd == exactly(0.01)
    assert prices.of_transfer("eu-west-1", "eu-central-1").usd == exactly(0)
    assert prices.of_transfer("eu-west-1", "eu-west-2").usd == exactly(0.02)
    assert prices_of(Estate("acme", {})) == known_prices()
