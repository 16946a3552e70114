"""Planning costs grow linearly with snapshots: counted in calls, not in seconds."""

from __future__ import annotations

import sys
from types import FrameType

import pytest

from engine.documents.model import CopyRule, Documents
from engine.inventory.records import Inventory
from tests.planning.builders import (
    DAY,
    SLOT,
    VAULT,
    a_policy,
    a_snapshot,
    an_instance,
    documents,
    inventory,
    plan,
    terms,
)


def calls(docs: Documents, found: Inventory) -> int:
    count = 0

    def tally(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(tally)
    try:
        plan(docs, found)
    finally:
        sys.setprofile(None)
    return count


def estate(sources: int, points: int) -> Inventory:
    instances = [an_instance(f"orders-{number}") for number in range(sources)]
    snapshots = [
        a_snapshot(instance, SLOT - age * DAY, location)
        for instance in instances
        for age in range(1, points + 1)
        for location in (instance.location, VAULT)
    ]
    return inventory(instances, snapshots)


@pytest.mark.parametrize(
    ("small", "large", "growth"),
    [((20, 5), (160, 5), 8), ((5, 10), (5, 80), 8)],
    ids=["more sources", "more points of each"],
)
def test_calls_grow_no_faster_than_snapshots(
    small: tuple[int, int], large: tuple[int, int], growth: int
) -> None:
    docs = documents(a_policy(terms=terms(copies=[CopyRule("local")])))
    calls(docs, estate(*small))
    few, many = calls(docs, estate(*small)), calls(docs, estate(*large))
    assert many < 1.15 * growth * few
