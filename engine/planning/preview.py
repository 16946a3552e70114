"""Per policy, the next slot and what it will make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.documents.model import Terms
from engine.identity.chains import Chain
from engine.inventory.records import Kind
from engine.planning.coming import coming
from engine.planning.draft import Draft
from engine.planning.one_off import is_one_off
from engine.planning.routes import Route, RouteBook
from engine.planning.slots import next_due, period_start
from engine.planning.steps import Origin
from engine.planning.survey import World
from engine.plans.plan import NextSlot


@dataclass(slots=True)
class _Counts:
    creates: int = 0
    copies: int = 0
    full: int = 0


@dataclass(frozen=True, slots=True)
class _Subject:
    """A database at its next slot."""

    draft: Draft
    terms: Terms
    slot: datetime


def next_slots(drafts: Sequence[Draft], world: World, book: RouteBook) -> Iterable[NextSlot]:
    """Return what each policy makes at its next slot if nothing else changes.

    Databases whose next slot is a later one, because an override says so, are not counted.
    """
    counts: dict[tuple[str, datetime], _Counts] = {}
    for draft in drafts:
        policy, subject = draft.source.policy, _subject(draft, world)
        if policy is not None and subject is not None:
            key = (policy.name, subject.slot)
            _count(subject, world, book, counts.setdefault(key, _Counts()))
    seen: set[str] = set()
    for name, slot in sorted(counts):
        if name not in seen:
            seen.add(name)
            found = counts[name, slot]
            yield NextSlot(name, slot, found.creates, found.copies, found.full)


def _subject(draft: Draft, world: World) -> _Subject | None:
    instance, terms = draft.source.instance, draft.source.terms
    schedule = terms.snapshots.schedule if terms else None
    if instance is None or terms is None or schedule is None:
        return None
    slot = next_due(schedule, terms.timezone, world.now)
    return None if slot is None else _Subject(draft, terms, slot)


def _count(subject: _Subject, world: World, book: RouteBook, counts: _Counts) -> None:
    source = subject.draft.source
    known = {h.chain for h in source.holdings if h.is_point}
    known |= {p.chain for p in subject.draft.planned}
    is_cluster = source.kind is Kind.CLUSTER
    primary: Chain | None = None
    for made in coming(source, world, book):
        if made.route is None:
            primary = made.chain
            counts.creates += 1
            counts.full += is_cluster or primary not in known
        elif _sends(subject, made.route):
            counts.copies += 1
            increments = {primary, made.chain} <= known and made.body.encrypted
            counts.full += is_cluster or not increments


def _sends(subject: _Subject, route: Route) -> bool:
    """Say whether a route sends the slot: with `every`, only the first point of each period."""
    every, timezone = route.rule.every, subject.terms.timezone
    if every is None:
        return True
    places = {subject.draft.source.location, route.location}
    found: list[Origin] = [p for p in subject.draft.planned if p.location in places]
    found += [h for h in subject.draft.source.holdings if h.is_point and h.location in places]
    earlier = {one.slot for one in found if not is_one_off(one.marks)}
    period = period_start(every, timezone, subject.slot)
    return all(period_start(every, timezone, slot) != period for slot in earlier)
