"""What there is before a simulation begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.inventory.recorded import read_inventory
from engine.inventory.records import Instance, Inventory, Location, Snapshot
from engine.simulation.before import standing

ACME = Path(__file__).parents[1] / "recordings" / "acme"
HOME = Location("111111111111", "eu-west-1")


@pytest.fixture(scope="module")
def acme() -> Inventory:
    return read_inventory(ACME)


def changed(
    inventory: Inventory,
    snapshots: Callable[[Snapshot], Snapshot] = lambda one: one,
    instances: Callable[[Instance], Instance] = lambda one: one,
) -> Inventory:
    scopes = {
        at: replace(
            scope,
            snapshots=tuple(map(snapshots, scope.snapshots or ())),
            instances=tuple(map(instances, scope.instances or ())),
        )
        for at, scope in inventory.scopes.items()
    }
    return replace(inventory, scopes=scopes)


def test_what_the_engine_owns_is_told_with_its_database_and_chain(acme: Inventory) -> None:
    found = list(standing(acme, "acme"))
    assert len(found) == len({(one.location, one.snapshot) for one in found}) > 50
    orders = [one for one in found if one.source == f"{HOME}/orders-1"]
    assert {one.location for one in orders} == {
        str(HOME),
        "222222222222/eu-west-1",
        "222222222222/eu-central-1",
    }
    assert all(one.zone.startswith("euw1-az") and one.keys for one in orders)


def test_a_bridge_is_no_point(acme: Inventory) -> None:
    bridges = [one for one in standing(acme, "acme") if not one.is_point]
    assert {one.source for one in bridges} >= {f"{HOME}/shop-1"}
    assert len(bridges) < 10


def test_what_is_not_owned_is_not_told(acme: Inventory) -> None:
    assert list(standing(acme, "another")) == []
    moved = changed(acme, lambda one: replace(one, identifier=f"{one.identifier}x"))
    assert list(standing(moved, "acme")) == []


def test_points_of_a_renamed_database_are_told_under_its_name_of_today(acme: Inventory) -> None:
    renamed = changed(
        acme,
        instances=lambda one: replace(one, identifier=one.identifier.replace("orders-1", "sales")),
    )
    sources = {one.source for one in standing(renamed, "acme")}
    assert f"{HOME}/sales" in sources
    assert f"{HOME}/orders-1" not in sources


def test_points_of_a_database_that_is_gone_are_told_under_its_last_name(acme: Inventory) -> None:
    scopes = {at: replace(scope, instances=()) for at, scope in acme.scopes.items()}
    found = {one.source for one in standing(replace(acme, scopes=scopes), "acme")}
    assert found == {one.source for one in standing(acme, "acme")}
