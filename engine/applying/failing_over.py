"""Steps that fail a database over: whether it has, and what must hold before it may.

It is an outage, and the call is made once at most: after a reply that was lost, what is seen of the
instance decides, and where that tells nothing, the next plan does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.applying.ports import CloudError, Trouble
from engine.inventory.records import Event, Instance
from engine.plans.codes import Check
from engine.plans.plan import Step

ONCE = frozenset({Trouble.NO_REPLY, Trouble.SERVER_FAULT, Trouble.ALREADY_EXISTS})
"""Troubles after which the call may have taken effect."""
TAKEN = "AWS has taken it; it runs there in a minute or two"
UNKNOWN = "AWS may have taken it; it is not tried again"
_FAILOVER = "failover"


def is_over(step: Step, instance: Instance | None) -> bool:
    """Say whether an instance runs where a step would have it: in the other zone of its pair."""
    if instance is None or instance.resource_id != step.source.resource_id:
        return False
    pairs = (one.expected.split("/") for one in step.preconditions if one.check is Check.ZONES)
    pair = [instance.secondary_zone or "", instance.availability_zone or ""]
    return pair in pairs


def seems_taken(step: Step, instance: Instance | None) -> bool:
    """Say whether an instance shows that a call took effect of which the reply was lost."""
    if instance is None or instance.resource_id != step.source.resource_id:
        return False
    return is_over(step, instance) or instance.status == "rebooting"


def lost(error: CloudError) -> str:
    """Return what there is to say of a call that may have taken effect."""
    return f"RebootDBInstance: {error}; {UNKNOWN}"


def quiet_since(quiet: str, now: datetime) -> datetime:
    """Return since when no failover may have been; `quiet` is as plans write it, in seconds.

    Raises:
        ValueError: it is not written so.
    """
    return now - timedelta(seconds=int(quiet.removesuffix("s")))


def failover_among(events: tuple[Event, ...], identifier: str) -> Event | None:
    """Return a failover of an instance among events, None where there is none."""
    told = (e for e in events if e.source == identifier and _FAILOVER in e.categories)
    return next(told, None)
