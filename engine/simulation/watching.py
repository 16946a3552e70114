"""What is kept in mind of databases while they are played."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from engine.identity.marks import RESOURCE, ROLE
from engine.inventory.records import Instance, Snapshot
from engine.simulation.naming import Name
from engine.simulation.noticing import Noticed
from engine.simulation.things import protected_by
from engine.simulation.timeline import Exposure
from engine.simulation.world import World


@dataclass(slots=True)
class Watch:
    """What is kept in mind of databases while they are played.

    `exposures` and `lives` are by DbiResourceId: how old newest points were, and which address a
    database has, or had at its end.
    """

    exposures: dict[str, Exposure] = field(default_factory=dict)
    lives: dict[str, str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    noticed: Noticed = field(default_factory=Noticed)

    def copy_of(self) -> Watch:
        """Return the same, to go its own way."""
        exposures = {resource: one.copy_of() for resource, one in self.exposures.items()}
        return Watch(exposures, dict(self.lives), set(self.ended), self.noticed.copy_of())

    def renamed(self, old: Name, new: Name) -> Watch:
        """Return the same for a database of another name."""
        before, after = old.instance.resource_id, new.instance.resource_id
        watch = self.copy_of()
        if before in watch.exposures:
            watch.exposures[after] = watch.exposures.pop(before)
        watch.lives = {after: new.address}
        noticed = watch.noticed
        noticed.known = {(new.address, at, kind, code) for _, at, kind, code in noticed.known}
        noticed.places = {(after, at, role) for _, at, role in noticed.places}
        return watch

    def state(self) -> object:
        """Return all of it as one value that can be compared."""
        exposures = {(key, one.newest, one.worst) for key, one in self.exposures.items()}
        known, places = self.noticed.known, self.noticed.places
        return (frozenset(exposures), frozenset(known), frozenset(places), frozenset(self.ended))

    def begin(self, world: World, now: datetime) -> None:
        """Look at the world before anything happens."""
        for instance in world.instances.values():
            self.born(instance)
        # Of what is there only the newest says how old a database's newest point is.
        newest_first = sorted(
            world.snapshots.values(), key=lambda one: one.taken_at or now, reverse=True
        )
        for snapshot in newest_first:
            resource = snapshot.tags.get(RESOURCE)
            if resource is None:
                continue
            role = snapshot.tags.get(ROLE, "")
            self.noticed.is_first(resource, str(snapshot.location), role)
            if snapshot.status == "available":
                self.arrived(snapshot, now)

    def born(self, instance: Instance) -> None:
        """Note that there is a database."""
        at = instance.location
        self.lives[instance.resource_id] = f"{at.account}/{at.region}/{instance.identifier}"

    def gone(self, instance: Instance, now: datetime) -> None:
        """Note that a database is no more: its points are as old as they are."""
        self.look(instance.resource_id, now)
        self.ended.add(instance.resource_id)

    def changed(self, before: Instance, after: Instance | None, now: datetime) -> None:
        """Note what an event made of a database."""
        if after is None or after.resource_id != before.resource_id:
            self.gone(before, now)
        if after is not None:
            self.born(after)

    def arrived(self, snapshot: Snapshot, now: datetime) -> None:
        """Note that a snapshot is available now."""
        resource = protected_by(snapshot)
        if resource is not None and resource not in self.ended:
            captured = snapshot.taken_at or now
            self.exposures.setdefault(resource, Exposure()).arrived(now, captured)

    def look(self, resource: str, now: datetime) -> None:
        """Note how old a database's newest point is now."""
        if resource in self.exposures and resource not in self.ended:
            self.exposures[resource].look(now)

    def worst(self, end: datetime) -> Iterable[tuple[str, Exposure]]:
        """Yield the addresses of databases with how they fared until the end."""
        for resource, exposure in self.exposures.items():
            self.look(resource, end)
            if resource in self.lives:
                yield self.lives[resource], exposure
