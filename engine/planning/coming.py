"""The chains that the next objects of a source will be part of, if nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.identity.chains import Chain
from engine.identity.marks import Role
from engine.inventory.placement import volume_zone
from engine.inventory.records import Instance, Location
from engine.planning.clusters import why_not_copied
from engine.planning.replicas import body_of
from engine.planning.routes import Hops, Route, RouteBook, hops, next_keys
from engine.planning.seeding import is_seeded, keys_of
from engine.planning.survey import Source, World


@dataclass(frozen=True, slots=True)
class Coming:
    """An object that a policy will make, `route` being that of a copy, and what it will be of."""

    chain: Chain
    body: Instance
    route: Route | None = None


def coming(source: Source, world: World, book: RouteBook) -> Iterator[Coming]:
    """Yield the next primary of a live source that a policy takes, then a copy for each open route.

    There are none where the source waits for a replica, and no copies of what AWS does not copy.
    """
    assert source.instance is not None
    assert source.terms is not None
    body = body_of(source, world).instance
    if body is None:
        return
    zone = volume_zone(body, world.scope(source.location))
    keys = keys_of(body, seeded=is_seeded(source))
    yield Coming(Chain(body.resource_id, zone, source.location, Role.PRIMARY, keys), body)
    if why_not_copied(source) is not None:
        return
    routes, _ = book.routes(source.terms, source.location)
    ways: dict[Location, tuple[str, ...]] = {}
    for route in routes:
        before = _before(source, world, book, route, keys) if route.hub is None else ways[route.hub]
        sequence = ways[route.location] = (*before, route.key.mark)
        if route.is_open:
            chain = Chain(body.resource_id, zone, route.location, Role.COPY, sequence)
            yield Coming(chain, body, route)


def _before(
    source: Source, world: World, book: RouteBook, route: Route, keys: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the keys of the hops before the copy itself."""
    home, instance = source.location, source.instance
    kms_key = instance.kms_key if instance is not None and instance.encrypted else None
    if hops(home, route.location, world.scope(home), kms_key) is Hops.REKEY_SHARE_COPY:
        return next_keys(keys, book.rekey(home))
    return keys
