"""What happens to databases and places besides the engine's runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase

from engine.documents.model import Documents, Estate, Target
from engine.documents.scene import Event, Happening
from engine.inventory.records import Instance, Key, Location, SnapshotType
from engine.simulation.things import Place, key_arn, resource_id
from engine.simulation.world import World

TO_DATABASES = frozenset(
    {
        Happening.FAIL_OVER,
        Happening.DELETE,
        Happening.RESTORE,
        Happening.GROW,
        Happening.CHANGE_RATE,
    }
)


def addresses(instance: Instance, estate: Estate) -> Iterator[str]:
    """Yield the addresses of an instance: by its account's id, and by the name of that."""
    at, identifier = instance.location, instance.identifier
    yield f"{at.account}/{at.region}/{identifier}"
    for account in estate.accounts.values():
        if account.id == at.account:
            yield f"{account.name}/{at.region}/{identifier}"


def is_meant(event: Event, instance: Instance, estate: Estate) -> bool:
    """Say whether an event is about an instance."""
    return any(fnmatchcase(address, event.source) for address in addresses(instance, estate))


def befall(event: Event, instance: Instance, world: World) -> bool:
    """Let an event happen to an instance; return whether it had any effect."""
    has_effect = _befall(event, instance, world)
    world.shelves.allow(instance, world.instances.get(instance.arn), event.at)
    return has_effect


def _befall(event: Event, instance: Instance, world: World) -> bool:
    match event.what:
        case Happening.FAIL_OVER:
            return world.fail_over(instance.arn)
        case Happening.DELETE:
            _delete(instance, world)
        case Happening.RESTORE:
            _restore(instance, world, event.at)
        case Happening.GROW:
            world.instances[instance.arn] = replace(instance, allocated_gib=event.gib)
        case _:
            return event.what is Happening.CHANGE_RATE
    return True


def _delete(instance: Instance, world: World) -> None:
    """Let a database go, and its automated snapshots with it."""
    del world.instances[instance.arn]
    for snapshot in list(world.snapshots.values()):
        own = snapshot.type is SnapshotType.AUTOMATED
        if own and snapshot.resource_id == instance.resource_id:
            world.forget(snapshot.arn)


def _restore(instance: Instance, world: World, now: datetime) -> None:
    """Let another database take the place of one, under its name: its volume is a new one."""
    _delete(instance, world)
    generation = int(now.timestamp())
    new = resource_id(instance.location, instance.identifier, generation)
    world.instances[instance.arn] = replace(
        instance, resource_id=new, status="available", created_at=now
    )


# -- what happens to places and documents --------------------------------------------------------


def without_answer(
    event: Event, places: Mapping[Location, Place], estate: Estate, *, is_out: bool
) -> dict[Location, Place]:
    """Return the places with those that an outage is about gone silent, or back."""
    named = estate.accounts.get(event.account)
    account = event.account if named is None else named.id
    found = dict(places)
    for at, place in places.items():
        if at.account == account and event.region in {None, at.region}:
            found[at] = replace(place, is_out=is_out)
    return found


def with_rotated_key(
    event: Event, documents: Documents, places: Mapping[Location, Place]
) -> tuple[Documents, dict[Location, Place]]:
    """Return documents in which a target has another key, and places in which that key exists."""
    estate = documents.estate
    target = estate.targets[event.target]
    if not isinstance(target, Target):
        return documents, dict(places)
    targets = {**estate.targets, event.target: replace(target, key=event.key)}
    at = Location(estate.accounts[target.account].id, target.region)
    known = dict(places)
    if at in known and known[at].scope.keys is not None and known[at].key(event.key) is None:
        scope = known[at].scope
        is_arn = ":key/" in event.key
        arn = event.key if is_arn else key_arn(at, event.key)
        key = Key(arn, aliases=() if is_arn else (event.key,))
        known[at] = replace(known[at], scope=replace(scope, keys={**(scope.keys or {}), arn: key}))
    return replace(documents, estate=replace(estate, targets=targets)), known
