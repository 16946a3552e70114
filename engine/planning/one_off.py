"""One-off points: due at an announced time or made on demand, kept for a time of their own.

What was promised of a point stands on it, as `engine:keep-until`, and in the policy as long as the
event stands there; the later of both holds. While it runs, the point stays whatever rules say, and
rules judge all others as if it were not there: it never takes the place of a regular one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.documents.model import OneOff, Terms
from engine.identity.marks import Marks
from engine.inventory.records import Instance
from engine.planning.draft import Planned
from engine.planning.slots import next_due
from engine.planning.steps import short
from engine.planning.survey import Holding, Source
from engine.plans.codes import KeepReason
from engine.plans.plan import Reason


@dataclass(frozen=True, slots=True)
class Promise:
    """What a one-off point is made with; `stays_here` says that no target gets it."""

    keep_until: datetime
    reason: str
    stays_here: bool = False


def is_one_off(marks: Marks) -> bool:
    """Say whether an object was made for a reason of its own, besides the schedule."""
    return marks.keep_until is not None


def due_events(terms: Terms, instance: Instance, now: datetime) -> list[OneOff]:
    """Return the events whose point may still be made: until the next regular slot after them."""
    return [e for e in past_events(terms, instance, now) if now < _last_chance(e, terms)]


def past_events(terms: Terms, instance: Instance, now: datetime) -> list[OneOff]:
    """Return the events that have come, and whose points would still be kept.

    A database that was made after an event has nothing to show for it.
    """
    born = instance.created_at
    return [
        event
        for event in terms.events
        if event.at <= now < event.keep_until and (born is None or born <= event.at)
    ]


def _last_chance(event: OneOff, terms: Terms) -> datetime:
    schedule = terms.snapshots.schedule
    following = next_due(schedule, terms.timezone, event.at) if schedule else None
    return event.keep_until if following is None else following


def promised(
    source: Source, objects: Iterable[Holding | Planned], now: datetime
) -> Mapping[datetime, datetime]:
    """Return the slots of these points that stay regardless of rules, and until when.

    A slot has one point: what holds of one of its objects holds of all.
    """
    found: dict[datetime, datetime] = {}
    for one in objects:
        until = one.marks.keep_until
        if until is not None and until > now:
            found[one.slot] = max(until, found.get(one.slot, until))
    for event in source.terms.events if source.terms else ():
        if event.at <= now < event.keep_until:
            found[event.at] = max(event.keep_until, found.get(event.at, event.keep_until))
    return found


def promise_reason(marks: Marks, until: datetime) -> Reason:
    """Return why a point stays whatever rules say."""
    text = f"it is a one-off point: {marks.reason}" if marks.reason else "a policy announced it"
    return Reason(KeepReason.EVENT.value, text, short(until))
