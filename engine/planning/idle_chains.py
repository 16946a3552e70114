"""Bases of zones that a database is not snapshotted in now: kept for its return."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from engine.identity.chains import Chain
from engine.identity.marks import Role
from engine.inventory.placement import UNKNOWN_ZONE, volume_zone
from engine.inventory.records import Location
from engine.planning.bases import captured, links_of
from engine.planning.draft import Draft, at
from engine.planning.replicas import body_of
from engine.planning.routes import RouteBook
from engine.planning.survey import Holding, Source, World
from engine.plans.plan import IdleChain


def idle_chains(drafts: Iterable[Draft], world: World, book: RouteBook) -> Iterator[IdleChain]:
    """Yield the chains of other zones that have a base, until when it is kept, what that saves."""
    for draft in drafts:
        source = draft.source
        body = body_of(source, world).instance if source.terms is not None else None
        if body is None:
            continue
        zone = volume_zone(body, world.scope(source.location))
        resting = _resting(source, body.resource_id, zone)
        if zone != UNKNOWN_ZONE and resting:
            yield from _told(source, resting, world, book)


def _resting(source: Source, volume: str, zone: str) -> dict[Chain, list[Holding]]:
    """Return what is available of the chains of a volume in other zones."""
    found: dict[Chain, list[Holding]] = defaultdict(list)
    for holding in source.holdings:
        marks = holding.marks
        elsewhere = marks.volume == volume and marks.zone not in {zone, UNKNOWN_ZONE}
        if elsewhere and holding.is_available:
            found[holding.chain].append(holding)
    return found


def _told(
    source: Source, resting: dict[Chain, list[Holding]], world: World, book: RouteBook
) -> Iterator[IdleChain]:
    links = links_of(source, world)
    going_on = _going_on(source, book)
    for chain in sorted(resting, key=lambda one: (one.location, one.role, one.zone, one.keys)):
        base = max(resting[chain], key=captured)
        yield IdleChain(
            chain=chain.text,
            arn=base.arn,
            location=at(chain.location),
            source=source.ref,
            zone=chain.zone,
            role=chain.role.value,
            snapshots=len(resting[chain]),
            gib=base.allocated_gib,
            until=links[chain].idle_from,
            spares=int((chain.location, chain.role, chain.keys) in going_on),
        )


def _going_on(source: Source, book: RouteBook) -> set[tuple[Location, Role, tuple[str, ...]]]:
    """Return which places and keys the next points go on with: those of the newest ones there."""
    assert source.terms is not None
    routes, _ = book.routes(source.terms, source.location)
    places = {source.location: Role.PRIMARY}
    places |= {route.location: Role.COPY for route in routes if route.is_open}
    found = set()
    for location, role in places.items():
        here = (h for h in source.holdings if h.location == location and h.marks.role is role)
        newest = max((h for h in here if h.is_available), key=captured, default=None)
        if newest is not None:
            found.add((location, role, newest.marks.keys))
    return found
