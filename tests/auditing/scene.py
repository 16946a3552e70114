"""One database of gold, its points at home and in the vault, and a control to judge them by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from engine.auditing.audit import audit
from engine.documents.control_model import Control, Exemption, Rule
from engine.documents.model import Condition, CopyRule, Documents, Place, Select
from engine.inventory.records import Instance, Inventory, Snapshot
from engine.plans.audit import AuditFound, ControlFound, Ruling
from engine.retention.keep import Keep
from tests.planning.builders import (
    NOW,
    VAULT,
    a_policy,
    an_instance,
    daily,
    documents,
    inventory,
    terms,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ORDERS = an_instance()
POLICY_AT = Place("policies/gold.yaml", 3)
CONTROL_AT = Place("policies/controls.yaml", 5, 5)
GOLD = a_policy(terms=terms(Keep(daily=30), [CopyRule("local")]), place=POLICY_AT)
HOME = daily(ORDERS, range(1, 10))
COPIES = daily(ORDERS, range(1, 10), VAULT)


def a_control(rule: Rule, **changes: Any) -> Control:
    return replace(Control("BK-1", rule, place=CONTROL_AT), **changes)


def for_tier(tier: str) -> Select:
    return Select(Condition(tags={"tier": (tier,)}))


def an_exemption(until: date, select: Select | None = None) -> Exemption:
    return Exemption(select or for_tier("gold"), "moves soon", until, Place("c.yaml", 9, 9))


def with_controls(*controls: Control, docs: Documents | None = None) -> Documents:
    return replace(docs or documents(GOLD), controls=controls)


def audited(
    *controls: Control,
    snapshots: Iterable[Snapshot] = (*HOME, *COPIES),
    instances: Iterable[Instance] = (ORDERS,),
    docs: Documents | None = None,
    now: datetime = NOW,
    **world: Any,
) -> AuditFound:
    """The audit of the database and these snapshots; `world` goes to `inventory`."""
    found: Inventory = inventory(instances, snapshots, **world)
    return audit(with_controls(*controls, docs=docs), found, now)


def control_found(rule: Rule, **world: Any) -> ControlFound:
    """What the one control that asks for a rule comes to."""
    control = world.pop("control", None) or a_control(rule)
    (found,) = audited(control, **world).controls
    return found


def ruling(rule: Rule, **world: Any) -> Ruling:
    """What the rule comes to for the only database."""
    (found,) = control_found(rule, **world).rulings
    return found
