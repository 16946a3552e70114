"""One database of gold as the engine left it: points of ten nights at home and in the vault."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from engine.documents.model import CopyRule, Documents
from engine.inventory.records import Location, Snapshot
from engine.plans.codes import DriftCode
from engine.plans.plan import Drift, Plan
from engine.retention.keep import Keep
from tests.planning.builders import (
    PROD,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    documents,
    inventory,
    plan,
    terms,
)

ORDERS = an_instance()
NIGHTS = range(10)
KEEP = Keep(daily=14)
GOLD = a_policy(terms=terms(KEEP, [CopyRule("local")]))
DOCUMENTS = documents(GOLD)
HOME = daily(ORDERS, NIGHTS)
COPIES = daily(ORDERS, NIGHTS, VAULT)


def primary(days: int, **changes: Any) -> Snapshot:
    """The point at home of so many nights ago."""
    return a_snapshot(ORDERS, ago(days), PROD, **changes)


def copied(days: int, **changes: Any) -> Snapshot:
    """Its copy in the vault."""
    return a_snapshot(ORDERS, ago(days), VAULT, **changes)


def planned(
    snapshots: Iterable[Snapshot] = (*HOME, *COPIES), docs: Documents = DOCUMENTS, **world: Any
) -> Plan:
    """The plan for the database and these snapshots; `world` goes to `inventory`."""
    return plan(docs, inventory([ORDERS], snapshots, **world))


def drifted(
    snapshots: Iterable[Snapshot] = (*HOME, *COPIES), docs: Documents = DOCUMENTS, **world: Any
) -> list[Drift]:
    """What drifted, in the plan for the database and these snapshots."""
    return list(planned(snapshots, docs, **world).drift)


def the_drift(found: Iterable[Drift], code: DriftCode) -> Drift:
    """The one thing that drifted, which has this code."""
    known = list(found)
    assert [one.code for one in known] == [code], known
    return known[0]


def without(*days: int, location: Location = PROD) -> list[Snapshot]:
    """Everything but the points of some nights at a location."""
    gone = {a_snapshot(ORDERS, ago(day), location).arn for day in days}
    return [one for one in (*HOME, *COPIES) if one.arn not in gone]


def instead(snapshot: Snapshot, **changes: Any) -> list[Snapshot]:
    """Everything, with one snapshot changed."""
    return [replace(one, **changes) if one.arn == snapshot.arn else one for one in (*HOME, *COPIES)]
