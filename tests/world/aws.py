"""A value-level model of AWS: databases, snapshots, keys, and what is really stored in full.

It knows nothing of plans and policies. Calls are refused where AWS would refuse them; every call
that changes something is an *effect*, counted, so that a run can be killed after any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from engine.inventory.records import (
    Inventory,
    Location,
    Quota,
    Scope,
    ScopeStatus,
    Snapshot,
    SnapshotType,
)
from tests.world.things import (
    LOCATIONS,
    NO_KEY,
    Database,
    Stored,
    Thing,
    instance_record,
    keys_at,
    zone_names,
)


class RefusedError(Exception):
    """AWS refuses a call."""


class KilledError(Exception):
    """The runner died; whatever was done stays done."""


Watcher = Callable[[Thing], None]


@dataclass
class World:
    """All of AWS that the estate sees, at one moment.

    `on_delete` and the like are told of every effect before it happens, to object by raising.
    `takes` is how long a snapshot or copy is in progress.
    """

    clock: datetime
    takes: timedelta = timedelta(0)
    databases: list[Database] = field(default_factory=list)
    things: dict[str, Thing] = field(default_factory=dict)
    unreadable: set[Location] = field(default_factory=set)
    deleted_at: dict[tuple[Location, str], datetime] = field(default_factory=dict)
    unshared_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    quota: int = 1000
    effects: int = 0
    dies_after: int | None = None
    refuses: frozenset[int] = frozenset()
    spoils: frozenset[int] = frozenset()
    serial: int = 0
    on_make: Watcher | None = None
    on_delete: Watcher | None = None
    on_change: Watcher | None = None
    on_share: Callable[[Thing, str], None] | None = None
    on_unshare: Callable[[Thing, str], None] | None = None

    # -- what the engine reads ------------------------------------------------------------------

    def inventory(self) -> Inventory:
        """Read everything that can be read."""
        scopes = {location: self._scope(location) for location in LOCATIONS}
        return Inventory(scopes, recorded=False, taken_at=self.clock)

    def database(self, arn: str) -> Database | None:
        """The database under an ARN."""
        return next((one for one in self.databases if one.arn == arn), None)

    def living(self, source: tuple[Location, str]) -> Database | None:
        """The database with a resource id."""
        return next((one for one in self.databases if (one.location, one.resource) == source), None)

    def at(self, location: Location) -> Iterator[Thing]:
        """The snapshots of a location."""
        return (thing for thing in self.things.values() if thing.location == location)

    def readers(self, arn: str) -> list[Thing]:
        """What is being copied from a snapshot."""
        return [one for one in self.things.values() if one.is_in_flight and one.origin == arn]

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is in flight."""
        return not any(thing.is_in_flight for thing in self.things.values())

    def _scope(self, location: Location) -> Scope:
        if location in self.unreadable:
            return Scope(location, ScopeStatus.FAILED, "AccessDenied")
        things = [self.record(thing) for thing in self.at(location)]
        return Scope(
            location,
            instances=tuple(
                instance_record(one, self.databases)
                for one in self.databases
                if one.location == location
            ),
            snapshots=tuple(things),
            keys=keys_at(location),
            quota=Quota(len(things), self.quota),
            zones=zone_names(location),
        )

    def record(self, thing: Thing) -> Snapshot:
        """The record that AWS gives of a snapshot."""
        made = None if thing.is_in_flight else thing.made
        is_foreign_copy = thing.origin is not None and f":{thing.location}" not in thing.origin
        return Snapshot(
            arn=thing.arn,
            location=thing.location,
            identifier=thing.identifier,
            instance=thing.database,
            resource_id=thing.media.resource,
            type=SnapshotType.MANUAL,
            status=thing.status,
            engine=thing.engine,
            created_at=made,
            original_created_at=None if made is None else thing.original,
            encrypted=thing.key != NO_KEY,
            kms_key=None if thing.key == NO_KEY else thing.key,
            allocated_gib=100,
            source_snapshot=thing.origin if is_foreign_copy else None,
            tags=dict(thing.tags),
            shared_with=frozenset(thing.shared),
        )

    # -- what the engine does -------------------------------------------------------------------

    def create(self, location: Location, database: str, name: str, tags: dict[str, str]) -> Thing:
        """CreateDBSnapshot."""
        found = self.database(_arn(location, "db", database))
        if found is None:
            raise RefusedError(f"DBInstanceNotFound {database}")
        if found.status not in ("available", "storage-optimization"):
            raise RefusedError(f"InvalidDBInstanceState {found.status}")
        thing = Thing(
            arn=self._free(location, name),
            location=location,
            identifier=name,
            database=database,
            engine=found.engine,
            media=found.media,
            line=(found.key,),
            stored=self._stored_of(found),
            original=self.clock,
            made=self.clock,
            ready=self.clock + self.takes,
            protects=(location, found.replicates or found.resource),
            tags=dict(tags),
            by_engine=True,
        )
        return self._begin(thing, "creating")

    def copy(
        self, location: Location, origin_arn: str, name: str, key: str | None, tags: dict[str, str]
    ) -> Thing:
        """CopyDBSnapshot, called at `location`."""
        origin = self._present(origin_arn)
        if not origin.is_available:
            raise RefusedError(f"InvalidDBSnapshotState {origin.status}")
        self._check_access(location, origin, key)
        own_key = self._key(location, key) if key else origin.key
        thing = replace(
            origin,
            arn=self._free(location, name),
            location=location,
            identifier=name,
            line=(*origin.line, own_key),
            stored=self._stored_of_copy(location, origin, own_key),
            made=self.clock,
            ready=self.clock + self.takes,
            tags=dict(tags),
            by_engine=True,
            origin=origin.arn,
            shared=set(),
        )
        return self._begin(thing, "copying")

    def delete(self, arn: str) -> None:
        """DeleteDBSnapshot."""
        thing = self._present(arn)
        if not thing.is_available and thing.status != "failed":
            raise RefusedError(f"InvalidDBSnapshotState {thing.status}")
        self._effect(thing, self.on_delete)
        del self.things[arn]

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """AddTagsToResource."""
        thing = self._present(arn)
        self._effect(thing, self.on_change)
        thing.tags.update(tags)

    def untag(self, arn: str, names: list[str]) -> None:
        """RemoveTagsFromResource."""
        thing = self._present(arn)
        self._effect(thing, self.on_change)
        for name in names:
            thing.tags.pop(name, None)

    def share(self, arn: str, account: str) -> None:
        """ModifyDBSnapshotAttribute, ValuesToAdd."""
        thing = self._present(arn)
        if not thing.is_available:
            raise RefusedError(f"InvalidDBSnapshotState {thing.status}")
        if "aws-rds" in thing.key:
            raise RefusedError("a snapshot under the default key cannot be shared")
        if self.on_share is not None:
            self.on_share(thing, account)
        self._effect(thing, self.on_change)
        thing.shared.add(account)

    def unshare(self, arn: str, account: str) -> None:
        """ModifyDBSnapshotAttribute, ValuesToRemove."""
        thing = self._present(arn)
        if self.on_unshare is not None:
            self.on_unshare(thing, account)
        self._effect(thing, self.on_change)
        thing.shared.discard(account)
        self.unshared_at[arn, account] = self.clock

    def _begin(self, thing: Thing, status: str) -> Thing:
        if sum(1 for _ in self.at(thing.location)) >= self.quota:
            raise RefusedError("SnapshotQuotaExceeded")
        thing.status = status
        self._effect(thing, self.on_make)
        if self.effects in self.spoils:
            thing.status = "failed"
        self.things[thing.arn] = thing
        self._finish()
        return thing

    def _effect(self, thing: Thing, watcher: Watcher | None) -> None:
        """Count an effect; die or refuse where the test says so, else let watchers object."""
        if self.dies_after is not None and self.effects >= self.dies_after:
            raise KilledError
        self.effects += 1
        if self.effects in self.refuses:
            raise RefusedError("InternalFailure")
        if watcher is not None:
            watcher(thing)

    def _present(self, arn: str) -> Thing:
        if arn not in self.things:
            raise RefusedError(f"DBSnapshotNotFound {arn}")
        return self.things[arn]

    def _free(self, location: Location, name: str) -> str:
        arn = _arn(location, "snapshot", name)
        if arn in self.things:
            raise RefusedError(f"DBSnapshotAlreadyExists {name}")
        return arn

    def _key(self, location: Location, key: str) -> str:
        for known in keys_at(location).values():
            if key in (known.arn, *known.aliases):
                return known.arn
        raise RefusedError(f"KMSKeyNotAccessibleFault {key}")

    def _check_access(self, location: Location, origin: Thing, key: str | None) -> None:
        is_other_account = origin.location.account != location.account
        if is_other_account and location.account not in origin.shared:
            raise RefusedError(
                f"DBSnapshotNotFound {origin.arn} is not shared with {location.account}"
            )
        if is_other_account and "aws-rds" in origin.key:
            raise RefusedError("KMSKeyNotAccessibleFault: the default key of another account")
        if origin.location != location and origin.key != NO_KEY and key is None:
            raise RefusedError("a copy of an encrypted snapshot to another place needs a key")

    # -- what is stored in full -----------------------------------------------------------------

    def _stored_of(self, database: Database) -> Stored:
        """A snapshot builds on another of the same disk (AWS Database Blog, Multi-AZ backups)."""
        builds_on = any(
            one.origin is None and one.media == database.media and one.is_available
            for one in self.at(database.location)
        )
        return Stored.INCREMENTAL if builds_on else Stored.FULL

    def _stored_of_copy(self, location: Location, origin: Thing, key: str) -> Stored:
        """A copy builds on one of the same disk that came the same way under the same keys.

        Across accounts the user guide asks for more: no failover since the last copy, and no copy
        in that account under another key. Where only that is missing, nobody can tell.
        """
        encrypts = origin.key == NO_KEY and key != NO_KEY
        line = (*origin.line, key)
        copies = [
            one
            for one in self.things.values()
            if one.origin is not None
            and one.location.account == location.account
            and one.media.resource == origin.media.resource
            and one.is_available
        ]
        here = sorted((one for one in copies if one.location == location), key=_made)
        builds_on = any(one.media == origin.media and one.line == line for one in here)
        if origin.stored is Stored.FULL or encrypts or not builds_on:
            return Stored.FULL
        if origin.stored is Stored.UNCLEAR:
            return Stored.UNCLEAR
        if origin.location.account == location.account:
            return Stored.INCREMENTAL
        strict = here[-1].media == origin.media and all(
            one.line == line for one in copies if one.location == location
        )
        other_keys = {one.key for one in copies if one.location != location}
        return Stored.INCREMENTAL if strict and not other_keys else Stored.UNCLEAR

    # -- what happens ---------------------------------------------------------------------------

    def tick(self, time: timedelta = timedelta(minutes=10)) -> None:
        """Let time pass; what is ready by then becomes available."""
        self.clock += time
        self._finish()

    def _finish(self) -> None:
        for thing in self.things.values():
            if thing.is_in_flight and thing.ready <= self.clock:
                thing.status = "available"

    def fail_over(self, database: Database) -> None:
        """Primary and standby change places."""
        database.zones = database.zones[::-1]

    def delete_instance(self, database: Database) -> None:
        """The database goes; its snapshots stay, and its replicas become databases of their own."""
        self.databases.remove(database)
        for one in self.databases:
            if one.replicates == database.resource:
                one.replicates = None
        self.deleted_at[database.location, database.resource] = self.clock

    def rebuild_replica(self, database: Database) -> None:
        """A database gets a read replica, or another one in its place."""
        for one in self.replicas_of(database):
            self.databases.remove(one)
        self.serial += 1
        replica = replace(
            database,
            identifier=f"{database.identifier}-replica",
            resource=f"{database.resource}-REPLICA{self.serial}",
            zones=database.zones[:1],
            tags=dict(database.tags),
            born=self.clock,
            replicates=database.resource,
        )
        if self.database(replica.arn) is None:
            self.databases.append(replica)

    def lose_replica(self, database: Database) -> None:
        """The read replicas of a database are deleted."""
        for one in self.replicas_of(database):
            self.databases.remove(one)

    def replicas_of(self, database: Database) -> list[Database]:
        """The read replicas of a database."""
        return [one for one in self.databases if one.replicates == database.resource]

    def rename(self, database: Database, identifier: str) -> None:
        """The database gets another name."""
        database.identifier = identifier

    def restore_and_swap(self, database: Database) -> Database:
        """A restored database takes the name of one that goes."""
        self.serial += 1
        restored = replace(
            database,
            resource=f"db-RESTORED{self.serial}",
            tags=dict(database.tags),
            born=self.clock,
        )
        self.delete_instance(database)
        self.databases.append(restored)
        return restored

    def put_foreign(self, database: Database, name: str, tags: Mapping[str, str]) -> Thing:
        """Somebody else makes a snapshot, perhaps with tags that are the engine's."""
        arn = _arn(database.location, "snapshot", name)
        thing = Thing(
            arn=arn,
            location=database.location,
            identifier=name,
            database=database.identifier,
            engine=database.engine,
            media=database.media,
            line=(database.key,),
            stored=self._stored_of(database),
            original=self.clock,
            made=self.clock,
            ready=self.clock,
            protects=(database.location, database.resource),
            tags=dict(tags),
            by_engine=False,
            status="available",
        )
        return self.things.setdefault(arn, thing)

    def fail_copies(self) -> None:
        """Whatever is being copied fails."""
        for thing in self.things.values():
            if thing.status == "copying":
                thing.status = "failed"


def _made(thing: Thing) -> datetime:
    return thing.made


def _arn(location: Location, kind: str, name: str) -> str:
    return f"arn:aws:rds:{location.region}:{location.account}:{kind}:{name}"
