"""The world cut into what belongs together: each database with all that is, or was, of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from engine.identity.marks import owned_marks
from engine.identity.names import location_of
from engine.inventory.records import Instance, Location, Snapshot
from engine.simulation.world import World

_Resource = tuple[Location, str]


@dataclass(slots=True)
class _Bonds:
    """Which things hang together; each is known by a name of any kind."""

    parents: dict[object, object] = field(default_factory=dict)

    def root(self, name: object) -> object:
        """Return what stands for everything that hangs together with a thing."""
        while (parent := self.parents.setdefault(name, name)) != name:
            self.parents[name] = self.parents.setdefault(parent, parent)
            name = parent
        return name

    def bind(self, one: object, other: object) -> None:
        """Let two things hang together."""
        self.parents[self.root(one)] = self.root(other)


def cut(world: World, estate: str) -> Iterator[World]:
    """Yield the parts of a world, each a database with its replicas and all of their snapshots.

    A database that was restored in place and the one before it are one part, and so is a database
    that is gone. Snapshots of others that are of no database there go with the places: see
    `settled`.
    """
    bonds = _Bonds()
    homes = dict(_homes(world, estate, bonds))
    parts: dict[object, World] = {}
    for instance in world.instances.values():
        root = bonds.root(_resource(instance))
        part = parts.setdefault(root, World(world.places, world.settings))
        part.instances[instance.arn] = instance
    for arn, home in homes.items():
        part = parts.setdefault(bonds.root(home), World(world.places, world.settings))
        part.snapshots[arn] = world.snapshots[arn]
        if arn in world.flights:
            part.flights[arn] = world.flights[arn]
    for part in parts.values():
        part.shelves = world.shelves.only(part.instances, part.snapshots.values())
        yield part


def loose(world: World, estate: str) -> list[Snapshot]:
    """Return the snapshots that are in no part: of others, and of no database there."""
    homes = dict(_homes(world, estate, _Bonds()))
    return [one for arn, one in world.snapshots.items() if arn not in homes]


def _homes(world: World, estate: str, bonds: _Bonds) -> Iterator[tuple[str, _Resource]]:
    """Yield the database that each snapshot belongs to, and bind what hangs together."""
    by_arn = {arn: _resource(instance) for arn, instance in world.instances.items()}
    alive = set(by_arn.values())
    for instance in world.instances.values():
        for leader in _leaders(instance, world.instances.values()):
            bonds.bind(_resource(instance), _resource(leader))
    for arn, snapshot in world.snapshots.items():
        marks = owned_marks(snapshot, estate)
        home = None if marks is None else location_of(marks.source)
        if marks is None or home is None:
            resource = (snapshot.location, snapshot.resource_id)
            if resource in alive:
                yield arn, resource
            continue
        resource = (home, marks.resource)
        if marks.source in by_arn:
            bonds.bind(resource, by_arn[marks.source])
        yield arn, resource


def _leaders(instance: Instance, others: Iterable[Instance]) -> Iterator[Instance]:
    if instance.replica_of is None:
        return
    for other in others:
        is_near = other.location == instance.location
        if is_near and instance.replica_of in (other.identifier, other.arn):
            yield other


def _resource(instance: Instance) -> _Resource:
    return (instance.location, instance.resource_id)


def together(parts: Iterable[World], like: World) -> World:
    """Return the world that is made of parts."""
    whole = World(like.places, like.settings, shelves=like.shelves)
    for part in parts:
        whole.instances.update(part.instances)
        whole.snapshots.update(part.snapshots)
        whole.flights.update(part.flights)
        whole.shelves.take_in(part.shelves)
    return whole


def served(world: World, estate: str) -> Mapping[Location, int]:
    """Return how many databases of a part have their home, or snapshots of theirs, where."""
    found = {_resource(one): {one.location} for one in world.instances.values()}
    for snapshot in world.snapshots.values():
        marks = owned_marks(snapshot, estate)
        home = None if marks is None else location_of(marks.source)
        if marks is not None and home is not None:
            found.setdefault((home, marks.resource), set()).add(snapshot.location)
    counts: dict[Location, int] = {}
    for places in found.values():
        for at in places:
            counts[at] = counts.get(at, 0) + 1
    return counts
