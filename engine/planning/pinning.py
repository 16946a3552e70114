"""Pins: what a person wants kept, whatever any rule says, until a person says otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from engine.documents.model import Documents
from engine.identity.marks import PIN
from engine.inventory.records import Inventory
from engine.planning.matching import address_matches
from engine.planning.plan import direct_plan
from engine.planning.steps import tag_snapshot
from engine.planning.survey import Holding, Source, World, kinds_of, survey
from engine.plans.codes import StepReason
from engine.plans.plan import Plan, Reason, Step, Warned
from engine.verifying.ownership import verify_pins

NOTHING_TO_PIN = "W422 nothing-to-pin"


def plan_pin(
    documents: Documents, inventory: Inventory, now: datetime, names: Sequence[str], reason: str
) -> Plan:
    """Return the plan that pins the snapshots of the engine's that are named, for a reason."""
    text = f"pinned: {reason}"
    return _plan(documents, inventory, now, names, Reason(StepReason.PINNED.value, text), reason)


def plan_unpin(
    documents: Documents, inventory: Inventory, now: datetime, names: Sequence[str]
) -> Plan:
    """Return the plan that takes the pins off again; then rules decide."""
    reason = Reason(StepReason.UNPINNED.value, "no longer pinned: its policy's rules decide")
    return _plan(documents, inventory, now, names, reason, None)


def _plan(
    documents: Documents,
    inventory: Inventory,
    now: datetime,
    names: Sequence[str],
    reason: Reason,
    pin: str | None,
) -> Plan:
    surveys = [survey(documents, inventory, now, k) for k in kinds_of(documents, inventory)]
    found = [(s, h) for _, sources in surveys for s in sources for h in s.holdings]
    named = [(s, h) for s, h in found if _is_named(h, names)]
    worlds = [world for world, _ in surveys]
    steps = [_step(s, h, reason, pin) for s, h in named if h.marks.pin != pin]
    findings = verify_pins(steps, documents, inventory, now)
    plan = direct_plan(worlds, steps, findings)
    return replace(plan, warnings=tuple(_unmatched(worlds, names, named, steps)))


def _is_named(holding: Holding, names: Sequence[str]) -> bool:
    """Say whether an ARN, an id or a glob of either names an object."""
    return any(address_matches([name], text, None) for name in names for text in _texts(holding))


def _texts(holding: Holding) -> tuple[str, str]:
    return holding.arn, holding.identifier


def _step(source: Source, holding: Holding, reason: Reason, pin: str | None) -> Step:
    if pin is None:
        return tag_snapshot(source, holding, reason, "unpin", remove=[PIN])
    return tag_snapshot(source, holding, reason, "pin", add={PIN: pin})


def _unmatched(
    worlds: Sequence[World],
    names: Sequence[str],
    named: Sequence[tuple[Source, Holding]],
    steps: Sequence[Step],
) -> Iterator[Warned]:
    for name in names:
        found = [holding for _, holding in named if _is_named(holding, [name])]
        if found:
            continue
        others = [
            one
            for world in worlds
            for snapshots in world.others.values()
            for one in snapshots
            if address_matches([name], one.arn, None)
            or address_matches([name], one.identifier, None)
        ]
        text = f"no snapshot of the engine's fits {name}"
        fix = "name ids or ARNs as `engine plan -full` shows them; globs are fine"
        if others:
            text += f"; {len(others)} of others do, which are never touched"
            fix = "`engine adopt` brings snapshots of others under a policy"
        yield Warned(NOTHING_TO_PIN, "warning", text, fix=fix)
    if named and not steps:
        yield Warned("W424 pinned-already", "warning", f"all {len(named)} are so already")
