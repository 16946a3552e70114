"""Promise 1 for databases themselves: one is failed over only as the policy of it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, timedelta

from engine.documents.model import FailBack, Failover
from engine.inventory.records import Instance, SnapshotState
from engine.plans.codes import Action
from engine.plans.plan import Step
from engine.verifying.conditions import takers, terms_of
from engine.verifying.evidence import Evidence, instance_of_step, location_of_step

_CALL = {"ForceFailover": True}
_FAILOVER = "failover"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"(\w{3}):(\d\d):(\d\d)-(\w{3}):(\d\d):(\d\d)")
_WEEK = 7 * 24 * 60


def objections(step: Step, evidence: Evidence) -> Iterator[str]:
    """Yield what speaks against failing a database over."""
    instance = instance_of_step(step, evidence)
    if instance is None:
        yield f"{step.arn} is not in the inventory as {step.source.resource_id}"
        return
    if dict(step.parameters) != {**_CALL, "DBInstanceIdentifier": instance.identifier}:
        yield f"it names {step.arn}, but would call with {dict(step.parameters)}"
    if location_of_step(step) != instance.location:
        yield f"it would call at {location_of_step(step)} for {step.arn}"
    policies = takers(evidence.documents, instance)
    if len(policies) != 1:
        yield f"{len(policies)} policies take {step.arn}; one decides about failing back"
        return
    wanted = terms_of(evidence.documents, policies[0], instance).failover
    yield from _unwanted(instance, wanted, evidence)
    yield from _unfit(instance, evidence)
    yield from _in_the_way(step, instance, evidence)


def _unwanted(instance: Instance, wanted: Failover, evidence: Evidence) -> Iterator[str]:
    if wanted.fail_back is not FailBack.IN_WINDOW:
        yield f"the policy says fail_back: {wanted.fail_back}"
    scope = evidence.inventory.scope(instance.location)
    standby = instance.secondary_zone
    if wanted.preferred_az not in {None, standby, scope.zone_id(standby)}:
        yield f"it would run in {standby}; the policy prefers {wanted.preferred_az}"
    if not _is_open(instance.maintenance_window, evidence):
        yield f"its maintenance window {instance.maintenance_window} is not open"
    if scope.events is None:
        yield "its events were not read"
    for event in scope.events or ():
        told = event.source == instance.identifier and _FAILOVER in event.categories
        if told and evidence.now - event.at < wanted.quiet:
            yield f"it failed over at {event.at:%Y-%m-%d %H:%M}Z"


def _unfit(instance: Instance, evidence: Evidence) -> Iterator[str]:
    if instance.status != "available" or not instance.multi_az or instance.pending:
        yield f"it is {instance.readiness}"
    for snapshot in evidence.inventory.scope(instance.location).snapshots or ():
        own = snapshot.resource_id == instance.resource_id and not snapshot.source_snapshot
        if own and snapshot.status == "creating":
            yield f"{snapshot.identifier} is being made of it"
        elif own and snapshot.state is SnapshotState.UNKNOWN:
            yield f"{snapshot.identifier} may be being made of it"


def _in_the_way(step: Step, instance: Instance, evidence: Evidence) -> Iterator[str]:
    for other in evidence.steps:
        named = other.parameters.get("DBInstanceIdentifier") == instance.identifier
        here = location_of_step(other) == instance.location
        if other.action is Action.CREATE and named and here:
            yield f"{other.id} makes a point of it"
        if step.id in other.depends_on:
            yield f"{other.id} waits for it"


def _is_open(window: str | None, evidence: Evidence) -> bool:
    found = _WINDOW.fullmatch((window or "").lower())
    if found is None or found[1] not in _DAYS or found[4] not in _DAYS:
        return False
    start = _minutes(found[1], found[2], found[3])
    length = (_minutes(found[4], found[5], found[6]) - start) % _WEEK
    now = evidence.now.astimezone(UTC)
    since_monday = timedelta(days=now.weekday(), hours=now.hour, minutes=now.minute)
    return (since_monday // timedelta(minutes=1) - start) % _WEEK < length


def _minutes(day: str, hour: str, minute: str) -> int:
    return (_DAYS.index(day) * 24 + int(hour)) * 60 + int(minute)
