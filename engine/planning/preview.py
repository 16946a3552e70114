"""Per policy, the next slot and what it will make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.identity.chains import Chain
from engine.identity.marks import Role, key_mark
from engine.inventory.placement import volume_zone
from engine.planning.draft import Draft
from engine.planning.routes import Hops, Route, RouteBook, hops, next_keys
from engine.planning.slots import next_due
from engine.planning.survey import World
from engine.plans.plan import NextSlot


@dataclass(slots=True)
class _Counts:
    creates: int = 0
    copies: int = 0
    full: int = 0


def next_slots(drafts: Sequence[Draft], world: World, book: RouteBook) -> Iterable[NextSlot]:
    """Return what each policy makes at its next slot if nothing else changes."""
    counts: dict[str, _Counts] = {}
    slots: dict[str, datetime] = {}
    for draft in drafts:
        policy, terms = draft.source.policy, draft.source.terms
        if policy is None or terms is None or terms.snapshots.schedule is None:
            continue
        at = next_due(terms.snapshots.schedule, terms.timezone, world.now)
        if at is None:
            continue
        slots[policy.name] = min(at, slots.get(policy.name, at))
        _count(draft, world, book, counts.setdefault(policy.name, _Counts()))
    for name in sorted(slots):
        found = counts[name]
        yield NextSlot(name, slots[name], found.creates, found.copies, found.full)


def _count(draft: Draft, world: World, book: RouteBook, counts: _Counts) -> None:
    source = draft.source
    assert source.instance is not None
    assert source.terms is not None
    counts.creates += 1
    zone = volume_zone(source.instance, world.scope(source.location))
    key = key_mark(source.instance.kms_key, encrypted=source.instance.encrypted)
    known = {h.chain for h in source.holdings if h.is_point} | {p.chain for p in draft.planned}
    primary = Chain(source.ref.resource_id, zone, source.location, Role.PRIMARY, (key,))
    counts.full += primary not in known
    routes, _ = book.routes(source.terms, source.location)
    for route in routes:
        counts.copies += 1
        keys = (*_before(draft, world, book, route, key), route.key.mark)
        chain = Chain(source.ref.resource_id, zone, route.location, Role.COPY, keys)
        counts.full += chain not in known or not source.instance.encrypted


def _before(draft: Draft, world: World, book: RouteBook, route: Route, key: str) -> tuple[str, ...]:
    source = draft.source
    assert source.instance is not None
    kms_key = source.instance.kms_key if source.instance.encrypted else None
    way = hops(source.location, route.location, world.scope(source.location), kms_key)
    if way is Hops.REKEY_SHARE_COPY:
        return next_keys((key,), book.rekey(source.location))
    return (key,)
