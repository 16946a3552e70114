"""Consequences as a person might meet them, written by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.plans.codes import EditKind, Leaving, ProtectionChange
from engine.plans.consequences import (
    Consequences,
    CostChange,
    NewChain,
    PointChange,
    PolicyEdit,
    Protected,
    Reach,
    TermEdit,
    WindowChange,
)
from engine.plans.plan import At, Plan, SourceRef
from tests.plans.samples import (
    DAY,
    HOSTILE,
    HOSTILE_MORE,
    NOW,
    POLICIES,
    PROD,
    REMOTE,
    SLOT,
    VAULT,
    arn_of,
    empty,
    snapshot_id,
    source,
)

COMMIT = "9f2c1e7d0b5a4c3e8f7a6b5c4d3e2f1a0b9c8d7e"
HORIZON = NOW + 92 * DAY
DIGEST = "0123456789abcdef"


def ago(days: int) -> datetime:
    return SLOT - days * DAY


def found(**parts: Any) -> Consequences:
    """What a change does, compared with a commit."""
    return replace(Consequences("origin/main", COMMIT, POLICIES, HORIZON), **parts)


def point(
    database: SourceRef,
    days: int,
    before: Leaving,
    after: Leaving,
    at: At = PROD,
    text: str = "no rule keeps it: gold keeps 14 daily",
) -> PointChange:
    slot = ago(days)
    return PointChange(
        arn=arn_of(snapshot_id(database, "gold", slot, at), at),
        slot=slot,
        before=before,
        after=after,
        before_at=slot + 35 * DAY if before is Leaving.LATER else None,
        after_at=slot + 14 * DAY if after is Leaving.LATER else None,
        text=text,
        acknowledge=DIGEST if after is Leaving.WITHHELD else None,
    )


def shorter(name: str, at: At, gone: Leaving) -> Reach:
    """A database of which 35 daily points become 14."""
    database = source(name)
    old = [point(database, days, Leaving.LATER, gone, at) for days in range(34, 13, -1)]
    rest = [point(database, days, Leaving.LATER, Leaving.LATER, at) for days in range(13, 0, -1)]
    later = ago(-91 + 34), ago(-91 + 13)
    return Reach(database, at, "gold", ago(34), ago(13), *later, (*old, *rest))


def shortened() -> Plan:
    """Retention from 35 to 14 days: deletes wait for a word where they are many."""
    names = [f"orders-{number}" for number in range(1, 12)]
    reach = [
        shorter(name, at, Leaving.WITHHELD if at == VAULT else Leaving.NOW)
        for name in names
        for at in (PROD, VAULT)
    ]
    terms = (TermEdit("snapshots.retention.keep.daily", "35", "14"),)
    edits = (PolicyEdit("gold", EditKind.CHANGED, terms),)
    costs = (
        CostChange("gold", PROD, (12.0, 88.0), (9.5, 64.0)),
        CostChange("gold", VAULT, (0.0, 88.0), (0.0, 64.0)),
    )
    return replace(empty(), consequences=found(reach=tuple(reach), edits=edits, costs=costs))


def rearranged() -> Plan:
    """Targets that come and go, another key, policies that come and go, points that stay longer."""
    one, two, old = source("orders-1"), source("orders-2"), source("old-shop")
    longer = point(one, 20, Leaving.NOW, Leaving.LATER, text="until then it is kept: daily-20")
    once = point(two, 20, Leaving.LATER, Leaving.PROTECTED, text="it is pinned: audit, until then")
    stays = point(two, 19, Leaving.NOW, Leaving.STAYS, text="monthly-1")
    late = replace(longer, slot=ago(18), before=Leaving.LATER, before_at=ago(-2), after_at=ago(-9))
    reach = (
        Reach(one, PROD, "gold", ago(13), ago(20), None, ago(-3), (longer, late)),
        Reach(two, PROD, "gold", ago(20), ago(20), ago(-3), ago(-3), (once, stays)),
    )
    chains = (
        NewChain(one, VAULT, "gold", SLOT, (0, 100), True, "copies are made under another key"),
        NewChain(two, VAULT, "gold", SLOT, (50, 80), True, "copies are made under another key"),
        NewChain(two, REMOTE, "gold", None, (0, 80), False, "nothing of it is there yet"),
    )
    protection = (
        Protected(two, REMOTE, ProtectionChange.GAINED, None, "gold"),
        Protected(old, PROD, ProtectionChange.LOST, "silver", None),
        Protected(one, PROD, ProtectionChange.MOVED, "silver", "gold"),
    )
    edits = (
        PolicyEdit("gold", EditKind.CHANGED, (TermEdit("hold", None, "case 7"),)),
        PolicyEdit("new", EditKind.ADDED),
        PolicyEdit("silver", EditKind.REMOVED),
    )
    windows = (WindowChange(one, "gold", 14, 7), WindowChange(two, "gold", 1, 7))
    changed = found(reach=reach, chains=chains, protection=protection, edits=edits, windows=windows)
    return replace(empty(), consequences=changed)


def unchanged() -> Plan:
    """A change that is none."""
    return replace(empty(), consequences=replace(found(), against="../before", commit=None))


def without_effect() -> Plan:
    """A change that is one, but of nothing that is there."""
    edits = (PolicyEdit("gold", EditKind.CHANGED, (TermEdit("objectives.rto", "4h", "2h"),)),)
    return replace(empty(), consequences=found(edits=edits))


def unusable() -> Plan:
    """Old documents with an error."""
    problem = (
        "main:policies/gold.yaml:7:14: error E101 unknown-key: there is no key `retntion` here\n"
        "  7 |   snapshots: {retntion: {}}\n"
        "    |               ^^^^^^^^\n"
        "  to do: did you mean `retention`?"
    )
    changed = found(policies_digest=None, horizon=None, problems=(problem,))
    return replace(empty(), consequences=changed)


def hostile() -> Plan:
    """Texts that try to leave their place."""
    database = source(HOSTILE)
    ends = replace(point(database, 3, Leaving.LATER, Leaving.PROTECTED), text=HOSTILE_MORE)
    reach = Reach(database, PROD, HOSTILE, ago(3), None, None, None, (ends,))
    changed = replace(
        found(),
        against=HOSTILE,
        commit=HOSTILE_MORE,
        reach=(reach,),
        chains=(NewChain(database, PROD, HOSTILE, SLOT, (0, 1), True, HOSTILE_MORE),),
        protection=(Protected(database, PROD, ProtectionChange.LOST, HOSTILE, None),),
        edits=(PolicyEdit(HOSTILE, EditKind.CHANGED, (TermEdit(HOSTILE, HOSTILE_MORE, HOSTILE),)),),
        problems=(HOSTILE,),
    )
    return replace(empty(), consequences=changed)


CONSEQUENCE_SAMPLES = {
    "shortened": shortened,
    "rearranged": rearranged,
    "unchanged": unchanged,
    "without_effect": without_effect,
    "unusable": unusable,
    "hostile_change": hostile,
}
