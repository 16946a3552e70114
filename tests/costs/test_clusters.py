"""Snapshots of DB clusters: always full, at prices of their own, and nothing of them is free."""

from __future__ import annotations

from dataclasses import replace

from engine.costs.annotate import with_costs
from engine.costs.book import book_of
from engine.costs.price_file import prices_of
from engine.documents.model import OwnPrices
from engine.inventory.records import Clusters, Inventory, Kind, Snapshot
from engine.plans.costs import Costs
from tests.planning.builders import (
    PROD,
    a_cluster,
    a_foreign_snapshot,
    a_policy,
    ago,
    an_estate,
    an_instance,
    daily,
    documents,
    inventory,
    plan,
)

LEDGER = a_cluster(allocated_gib=64)
PAID = OwnPrices(snapshots={"eu-west-1": (8.0, 8.0)}, cluster_snapshots={"eu-west-1": (2.0, 2.0)})
DOCUMENTS = documents(replace(a_policy(), protects=Kind.CLUSTER), estate=an_estate(prices=PAID))
FULL = {"full_bytes": 32 << 30}


def there(*snapshots: Snapshot) -> Inventory:
    found = inventory([an_instance()])
    known = Clusters(clusters=(LEDGER,), snapshots=snapshots)
    empty = Clusters(clusters=(), snapshots=())
    scopes = {
        at: replace(scope, clusters=known if at == PROD else empty)
        for at, scope in found.scopes.items()
    }
    return replace(found, scopes=scopes)


def priced(found: Inventory) -> Costs:
    made = plan(DOCUMENTS, found)
    costs = with_costs(made, found, book_of(DOCUMENTS, prices_of(DOCUMENTS.estate))).costs
    assert costs is not None
    return costs


def test_each_snapshot_of_a_cluster_is_a_full_one_at_its_own_price() -> None:
    (row,) = priced(there(*daily(LEDGER, [1, 0], record=FULL))).policies
    assert (row.snapshots, row.gib, row.usd_month) == (2, (64.0, 64.0), (130.0, 130.0))


def test_what_databases_have_allocated_makes_no_snapshot_of_a_cluster_free() -> None:
    (place,) = priced(there(*daily(LEDGER, [0], record=FULL))).places
    assert place.free_gib == (100.0, 100.0)
    assert place.usd_month == (64.0, 64.0)


def test_a_planned_one_is_full_too() -> None:
    costs = priced(there(*daily(LEDGER, [1], record=FULL)))
    (step,) = costs.steps
    assert (step.gib, step.usd_month) == ((32.0, 32.0), (64.0, 64.0))
    text = "\n".join(costs.assumptions)
    assert "a GiB of a cluster's snapshot costs $2 a month in eu-west-1" in text
    assert "$8" not in text


def test_those_of_others_use_up_no_allowance_of_instances() -> None:
    arn = "arn:aws:rds:eu-west-1:111111111111:cluster-snapshot:by-hand"
    by_hand = a_foreign_snapshot(LEDGER, ago(3), arn=arn, **FULL)
    (place,) = priced(there(*daily(LEDGER, [0], record=FULL), by_hand)).places
    assert place.others_gib == (0.0, 0.0)
