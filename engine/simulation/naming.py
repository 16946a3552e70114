"""One database's part of the world under another database's names.

Databases that are alike but for their names are played once, under the names of one of them. What
the engine makes is named after the database and proved by a hash of its DbiResourceId, so names can
be changed both ways without loss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.identity.marks import (
    ORIGIN,
    RESOURCE,
    SOURCE,
    VOLUME,
    Role,
    fingerprint,
    owned_marks,
)
from engine.identity.names import HASH_LENGTH, MAX_LENGTH, location_of, snapshot_arn
from engine.inventory.records import Instance, Snapshot, SnapshotType
from engine.simulation.timeline import Entry
from engine.simulation.world import World

_AUTOMATED = "rds:"
LONGEST_IDENTIFIER = 63  # of an instance (RDS User Guide, Quotas and constraints)


@dataclass(frozen=True, slots=True)
class Name:
    """One database as it was found: what tells it from those that are alike.

    `address` is `ACCOUNT/REGION/IDENTIFIER`.
    """

    instance: Instance
    address: str


def name_of(instance: Instance) -> Name:
    """Return the name of a database."""
    at = instance.location
    return Name(instance, f"{at.account}/{at.region}/{instance.identifier}")


class Renaming:
    """From one database's names to another's, in one estate."""

    def __init__(self, estate: str, old: Name, new: Name) -> None:
        self._estate = estate
        self._old, self._new = old.instance, new.instance
        self.address = new.address
        self._arns: dict[str, str] = {}

    def world(self, world: World) -> World:
        """Return a world that holds one database, under its new name."""
        renamed = World(world.places, world.settings)
        self._arns = {one.arn: self._arn(one) for one in world.snapshots.values()}
        for instance in world.instances.values():
            renamed.instances[self._new.arn] = self.instance(instance)
        for snapshot in world.snapshots.values():
            new = self._snapshot(snapshot)
            renamed.snapshots[new.arn] = new
        for flight in world.flights.values():
            arn = self._arns[flight.arn]
            renamed.flights[arn] = replace(flight, arn=arn, volume=self._resource(flight.volume))
        renamed.shelves = world.shelves.renamed(
            {self._old.arn: self._new.arn}, {self._old.resource_id: self._new.resource_id}
        )
        return renamed

    def instance(self, instance: Instance) -> Instance:
        """Return the new database in the state of the old one."""
        return replace(
            self._new,
            status=instance.status,
            multi_az=instance.multi_az,
            availability_zone=instance.availability_zone,
            secondary_zone=instance.secondary_zone,
            allocated_gib=instance.allocated_gib,
            backup_retention_days=instance.backup_retention_days,
            backup_window=instance.backup_window,
            replications=tuple(
                one.replace(self._old.resource_id.lower(), self._new.resource_id.lower())
                for one in instance.replications
            ),
        )

    def entry(self, entry: Entry) -> Entry:
        """Return what is told of the old database as it is told of the new one."""
        snapshot = entry.snapshot
        if snapshot and entry.slot is not None:
            resource = self._new.resource_id
            role = Role(entry.role)
            proof = fingerprint(
                self._estate, role, entry.location, resource, entry.policy, entry.slot
            )
            snapshot = self.identifier(snapshot, proof)
        arn = snapshot_arn(self._new.arn, entry.location, snapshot) if snapshot else self._new.arn
        return replace(entry, source=self.address, snapshot=snapshot, arn=arn)

    def _resource(self, resource: str) -> str:
        return self._new.resource_id if resource == self._old.resource_id else resource

    def _arn(self, snapshot: Snapshot) -> str:
        return snapshot_arn(self._new.arn, snapshot.location, self._identifier(snapshot))

    def _identifier(self, snapshot: Snapshot) -> str:
        marks = owned_marks(snapshot, self._estate)
        if marks is None:
            tail = snapshot.identifier.removeprefix(_AUTOMATED + self._old.identifier)
            return f"{_AUTOMATED}{self._new.identifier}{tail}"
        proof = fingerprint(
            marks.estate,
            marks.role,
            snapshot.location,
            self._resource(marks.resource),
            marks.policy,
            marks.slot,
        )
        return self.identifier(snapshot.identifier, proof)

    def identifier(self, identifier: str, proof: str) -> str:
        """Return the id of an object of the old database as one of the new one."""
        rest = identifier[len(self._old.identifier) : -HASH_LENGTH]
        return f"{self._new.identifier}{rest}{proof}"

    def _snapshot(self, snapshot: Snapshot) -> Snapshot:
        arn = self._arns[snapshot.arn]
        tags = dict(snapshot.tags)
        for key in (RESOURCE, VOLUME):
            if key in tags:
                tags[key] = self._resource(tags[key])
        if tags.get(SOURCE) == self._old.arn:
            tags[SOURCE] = self._new.arn
        if ORIGIN in tags:
            tags[ORIGIN] = self._origin(snapshot, tags[ORIGIN])
        source = snapshot.source_snapshot
        return replace(
            snapshot,
            arn=arn,
            identifier=arn.split(":", 6)[6],
            instance=self._new.identifier,
            resource_id=self._resource(snapshot.resource_id),
            source_snapshot=None if source is None else self._origin(snapshot, source),
            tags=tags,
        )

    def _origin(self, copy: Snapshot, arn: str) -> str:
        """Return the ARN of what a copy was made from, be it still there or not."""
        known = self._arns.get(arn)
        at, marks = location_of(arn), owned_marks(copy, self._estate)
        if known is not None or at is None or marks is None:
            return known or arn
        for role in (Role.PRIMARY, Role.BRIDGE):
            words = (role, at, marks.resource, marks.policy, marks.slot)
            if arn.endswith(fingerprint(marks.estate, *words)):
                words = (role, at, self._resource(marks.resource), marks.policy, marks.slot)
                identifier = arn.split(":", 6)[6]
                new = self.identifier(identifier, fingerprint(marks.estate, *words))
                return snapshot_arn(self._new.arn, at, new)
        return arn


def is_nameable(world: World, name: Name, estate: str) -> bool:
    """Say whether all there is of one database is named after it, so that it can be renamed."""
    instance = name.instance
    if set(world.instances) != {instance.arn} or instance.replicas or instance.replica_of:
        return False
    return all(_is_named_after(one, instance, estate) for one in world.snapshots.values())


def _is_named_after(snapshot: Snapshot, instance: Instance, estate: str) -> bool:
    if snapshot.resource_id != instance.resource_id:
        return False
    marks = owned_marks(snapshot, estate)
    if marks is None:
        front = f"{_AUTOMATED}{instance.identifier}-"
        is_automated = snapshot.type is SnapshotType.AUTOMATED
        return is_automated and snapshot.identifier.startswith(front)
    return (
        marks.adopted is None
        and marks.source == instance.arn
        and {marks.resource, marks.volume} == {instance.resource_id}
        and snapshot.identifier.startswith(f"{instance.identifier}-")
        and len(snapshot.identifier) < MAX_LENGTH - LONGEST_IDENTIFIER
    )
