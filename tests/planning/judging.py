"""The smallest policies that let points go, and what becomes of points under them."""

from __future__ import annotations

from typing import Any

from engine.documents.model import (
    CopyRule,
    Documents,
    Orphans,
)
from engine.inventory.records import Location, ScopeStatus, Snapshot
from engine.plans.plan import Plan
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    a_policy,
    an_instance,
    documents,
    inventory,
    plan,
    terms,
)

ORDERS = an_instance()
ONE = Keep(last=1)
EVERYTHING = Keep(daily=35)
OTHER = "euw1-az1"
TO_VAULT = CopyRule("local", keep=EVERYTHING)
AT_ONCE = Orphans(Span(days=7), keep_last=0)


def gold(keep: Keep = ONE, *copies: CopyRule, **changes: Any) -> Documents:
    """A policy under which nothing is due: what happens to what is there?"""
    return documents(a_policy(terms=terms(keep, copies, **({"schedule": None} | changes))))


def due(keep: Keep = ONE, *copies: CopyRule, **changes: Any) -> Documents:
    """The same with a slot that is due."""
    return documents(a_policy(terms=terms(keep, copies, **changes)))


def judged(docs: Documents, *snapshots: Snapshot, **changes: Any) -> Plan:
    found = plan(docs, inventory([ORDERS], snapshots, **changes))
    assert not found.findings
    return found


def unread(*locations: Location) -> dict[Location, dict[str, Any]]:
    return {
        place: {
            "status": ScopeStatus.FAILED,
            "cause": "AccessDenied",
            "instances": None,
            "snapshots": None,
        }
        for place in locations
    }
