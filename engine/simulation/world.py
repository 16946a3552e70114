"""AWS in memory: databases and snapshots at one moment, and the calls that change them.

It knows nothing of plans and policies. Records are those that AWS would give; calls that AWS would
refuse raise `RefusedError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.identity.marks import ORIGIN
from engine.inventory.records import (
    Instance,
    Inventory,
    Location,
    Quota,
    Snapshot,
    SnapshotState,
    SnapshotType,
)
from engine.plans.plan import Step
from engine.simulation.settings import Settings
from engine.simulation.shelves import Shelves
from engine.simulation.things import Flight, Place, is_counted

_SNAPSHOT_STATES = frozenset({"available", "storage-optimization"})
_BACKING_UP = "backing-up"


class RefusedError(Exception):
    """AWS refuses a call; the message says why."""


@dataclass(slots=True)
class World:
    """Databases and their snapshots, everywhere, at one moment.

    `flights` are the snapshots on their way, by ARN. `changes` counts what calls have changed,
    and `touched` are the snapshots that are not what they were since somebody emptied it. `shelves`
    hold what the engine's snapshots take up; whoever makes calls keeps them.
    """

    places: Mapping[Location, Place]
    settings: Settings
    instances: dict[str, Instance] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    flights: dict[str, Flight] = field(default_factory=dict)
    changes: int = 0
    touched: set[str] = field(default_factory=set)
    shelves: Shelves = field(default_factory=Shelves)

    def copy_of(self) -> World:
        """Return a world that goes its own way from here on."""
        return World(
            self.places,
            self.settings,
            dict(self.instances),
            dict(self.snapshots),
            dict(self.flights),
            touched=set(self.touched),
            shelves=self.shelves.copy_of(),
        )

    # -- what the engine reads -------------------------------------------------------------------

    def inventory(self, now: datetime, used: Mapping[Location, int] | None = None) -> Inventory:
        """Return everything as the engine reads it.

        Args:
            now: when it is read.
            used: how many manual snapshots each location holds, where not all are played here.
        """
        instances: dict[Location, list[Instance]] = {at: [] for at in self.places}
        snapshots: dict[Location, list[Snapshot]] = {at: [] for at in self.places}
        for instance in self.instances.values():
            instances[instance.location].append(instance)
        for snapshot in self.snapshots.values():
            snapshots[snapshot.location].append(snapshot)
        counted = self.counts() if used is None else used
        scopes = {}
        for at, place in self.places.items():
            scope = place.scope_of(tuple(instances[at]), tuple(snapshots[at]))
            if scope.quota is not None:
                scope = replace(scope, quota=Quota(counted[at], scope.quota.maximum))
            scopes[at] = scope
        return Inventory(scopes, recorded=False, taken_at=now)

    def counts(self) -> dict[Location, int]:
        """Return how many manual snapshots each location holds."""
        counted = {at: sum(map(is_counted, place.fixed)) for at, place in self.places.items()}
        for snapshot in self.snapshots.values():
            counted[snapshot.location] += is_counted(snapshot)
        return counted

    def copies_at(self, at: Location) -> int:
        """Return how many copies to a location are on their way."""
        return sum(1 for one in self.flights.values() if one.is_copy and one.location == at)

    def takes_copy(self, step: Step) -> bool:
        """Say whether there is room for one more copy on its way to where a step makes it."""
        at = Location(step.location.account, step.location.region)
        return self.copies_at(at) < self.settings.copies_in_flight

    def readers(self, arn: str) -> Iterable[Flight]:
        """Yield what is on its way as a copy of a snapshot."""
        for flight in self.flights.values():
            on_its_way = self.snapshots[flight.arn]
            if arn in (on_its_way.source_snapshot, on_its_way.tags.get(ORIGIN)):
                yield flight

    def is_out(self, at: Location) -> bool:
        """Say whether nothing at a location answers."""
        return at not in self.places or self.places[at].is_out

    # -- time ------------------------------------------------------------------------------------

    def next_arrival(self) -> datetime | None:
        """Return when the next snapshot becomes available."""
        return min((one.ready_at for one in self.flights.values()), default=None)

    def land(self, now: datetime) -> list[Snapshot]:
        """Let become available what is ready by now; return it, the first ready first."""
        due = [one for one in self.flights.values() if one.ready_at <= now]
        return [self._arrive(one) for one in sorted(due, key=lambda f: (f.ready_at, f.arn))]

    def _arrive(self, flight: Flight) -> Snapshot:
        del self.flights[flight.arn]
        on_its_way = self.snapshots[flight.arn]
        if flight.is_copy:
            made = replace(on_its_way, status="available", created_at=flight.ready_at)
        else:
            # A snapshot captures what there is when it is begun; a copy is made when it is there.
            taken = flight.begun_at
            made = replace(
                on_its_way, status="available", created_at=taken, original_created_at=taken
            )
            self._release_instances(flight.volume)
        self.snapshots[flight.arn] = made
        self.touched.add(flight.arn)
        return made

    def _release_instances(self, volume: str) -> None:
        for arn, instance in self.instances.items():
            if instance.resource_id == volume and instance.status == _BACKING_UP:
                self.instances[arn] = replace(instance, status="available")

    # -- what the engine does --------------------------------------------------------------------

    def create(self, arn: str, instance_arn: str, tags: Mapping[str, str], now: datetime) -> Flight:
        """CreateDBSnapshot."""
        instance = self.instances.get(instance_arn)
        if instance is None:
            raise RefusedError(f"DBInstanceNotFound: {instance_arn}")
        self._insist_on_answer(instance.location)
        if instance.status not in _SNAPSHOT_STATES:
            raise RefusedError(f"InvalidDBInstanceState: {instance_arn} is {instance.status}")
        return self._begin_snapshot(instance, arn, SnapshotType.MANUAL, tags, now)

    def back_up(self, instance: Instance, now: datetime) -> Flight:
        """Take the day's automated snapshot of an instance, as RDS itself does."""
        front, _, _ = instance.arn.rpartition(":db:")
        arn = f"{front}:snapshot:rds:{instance.identifier}-{now:%Y-%m-%d-%H-%M}"
        return self._begin_snapshot(instance, arn, SnapshotType.AUTOMATED, {}, now)

    def _begin_snapshot(
        self,
        instance: Instance,
        arn: str,
        kind: SnapshotType,
        tags: Mapping[str, str],
        now: datetime,
    ) -> Flight:
        at = instance.location
        self._insist_on_room_for(arn)
        snapshot = Snapshot(
            arn=arn,
            location=at,
            identifier=_identifier(arn),
            instance=instance.identifier,
            resource_id=instance.resource_id,
            type=kind,
            status="creating",
            engine=instance.engine,
            availability_zone=instance.availability_zone,
            encrypted=instance.encrypted,
            kms_key=instance.kms_key,
            allocated_gib=instance.allocated_gib,
            tags=dict(tags),
            shared_with=frozenset(),
        )
        self.instances[instance.arn] = replace(instance, status=_BACKING_UP)
        ready = now + self.settings.create
        flight = Flight(snapshot.arn, now, ready, at, instance.resource_id, is_copy=False)
        return self._take_off(snapshot, flight)

    def copy(
        self,
        arn: str,
        at: Location,
        origin_arn: str,
        key: str | None,
        tags: Mapping[str, str],
        now: datetime,
    ) -> Flight:
        """CopyDBSnapshot, called where the copy will lie.

        AWS copies the snapshots of one database to a place one after the other.
        """
        self._insist_on_answer(at)
        self._insist_on_room_for(arn)
        origin = self._present(origin_arn)
        if origin.state is not SnapshotState.AVAILABLE:
            raise RefusedError(f"InvalidDBSnapshotState: {origin.identifier} is {origin.status}")
        kms_key = self._key_of_copy(at, origin, key)
        near = origin.location.region == at.region
        queue = [
            f.ready_at
            for f in self.flights.values()
            if f.is_copy and f.location == at and f.volume == origin.resource_id
        ]
        copy = replace(
            origin,
            arn=arn,
            location=at,
            identifier=_identifier(arn),
            type=SnapshotType.MANUAL,
            status="pending" if queue else "copying",
            created_at=None,
            availability_zone=origin.availability_zone if near else None,
            encrypted=kms_key is not None,
            kms_key=kms_key,
            source_snapshot=origin.arn if origin.location != at else None,
            tags=dict(tags),
            shared_with=frozenset(),
        )
        takes = self.settings.copy if near else self.settings.cross_region
        ready = max([now, *queue]) + takes
        flight = Flight(copy.arn, now, ready, at, origin.resource_id, is_copy=True)
        return self._take_off(copy, flight)

    def delete(self, arn: str) -> Snapshot:
        """DeleteDBSnapshot; returns what it was."""
        snapshot = self._present(arn)
        self._insist_on_answer(snapshot.location)
        if arn in self.flights:
            raise RefusedError(f"InvalidDBSnapshotState: {snapshot.identifier} is on its way")
        self.changes += 1
        self.touched.add(arn)
        return self.snapshots.pop(arn)

    def forget(self, arn: str) -> None:
        """Let a snapshot be gone that AWS itself deletes."""
        del self.snapshots[arn]
        self.flights.pop(arn, None)
        self.touched.add(arn)

    def tag(self, arn: str, tags: Mapping[str, str], removed: Iterable[str] = ()) -> None:
        """AddTagsToResource and RemoveTagsFromResource."""
        snapshot = self._present(arn)
        self._insist_on_answer(snapshot.location)
        gone = frozenset(removed)
        kept = {key: value for key, value in snapshot.tags.items() if key not in gone}
        changed = {**kept, **tags}
        if changed != snapshot.tags:
            self._change(replace(snapshot, tags=changed))

    def share(self, arn: str, accounts: Iterable[str]) -> None:
        """ModifyDBSnapshotAttribute, ValuesToAdd."""
        snapshot = self._present(arn)
        self._insist_on_answer(snapshot.location)
        if snapshot.state is not SnapshotState.AVAILABLE:
            raise RefusedError(f"InvalidDBSnapshotState: {snapshot.identifier} is on its way")
        self._share_with(snapshot, (snapshot.shared_with or frozenset()) | frozenset(accounts))

    def unshare(self, arn: str, accounts: Iterable[str]) -> None:
        """ModifyDBSnapshotAttribute, ValuesToRemove."""
        snapshot = self._present(arn)
        self._insist_on_answer(snapshot.location)
        self._share_with(snapshot, (snapshot.shared_with or frozenset()) - frozenset(accounts))

    def _share_with(self, snapshot: Snapshot, accounts: frozenset[str]) -> None:
        if accounts != snapshot.shared_with:
            self._change(replace(snapshot, shared_with=accounts))

    def _change(self, snapshot: Snapshot) -> None:
        self.snapshots[snapshot.arn] = snapshot
        self.touched.add(snapshot.arn)
        self.changes += 1

    def change_backups(self, arn: str, days: int | None, window: str | None) -> None:
        """ModifyDBInstance, as far as automated backups go; it holds at once."""
        instance = self.instances[arn]
        self._insist_on_answer(instance.location)
        self.changes += 1
        self.instances[arn] = replace(
            instance,
            backup_retention_days=instance.backup_retention_days if days is None else days,
            backup_window=instance.backup_window if window is None else window,
        )

    def replicate_backups(self, arn: str, at: Location, *, on: bool) -> None:
        """StartDBInstanceAutomatedBackupsReplication, or its end."""
        instance = self.instances[arn]
        self._insist_on_answer(at)
        self.changes += 1
        other = (
            f"arn:aws:rds:{at.region}:{at.account}:auto-backup:ab-{instance.resource_id.lower()}"
        )
        rest = tuple(one for one in instance.replications if one.split(":")[3] != at.region)
        self.instances[arn] = replace(instance, replications=(*rest, other) if on else rest)

    # -- where calls are refused -----------------------------------------------------------------

    def fail_over(self, arn: str) -> bool:
        """Let primary and standby change places; return whether there is a standby."""
        instance = self.instances[arn]
        if instance.secondary_zone is None:
            return False
        self.instances[arn] = replace(
            instance,
            availability_zone=instance.secondary_zone,
            secondary_zone=instance.availability_zone,
        )
        return True

    def _insist_on_answer(self, at: Location) -> None:
        if self.is_out(at):
            raise RefusedError(f"{at} does not answer")

    def _present(self, arn: str) -> Snapshot:
        if arn not in self.snapshots:
            raise RefusedError(f"DBSnapshotNotFound: {arn}")
        return self.snapshots[arn]

    def _insist_on_room_for(self, arn: str) -> None:
        if arn in self.snapshots:
            raise RefusedError(f"DBSnapshotAlreadyExists: {arn}")

    def _key_of_copy(self, at: Location, origin: Snapshot, key: str | None) -> str | None:
        """Return the key that a copy is encrypted under; refuse what nobody may read or use."""
        is_foreign = origin.location.account != at.account
        if is_foreign and at.account not in (origin.shared_with or ()):
            raise RefusedError(f"DBSnapshotNotFound: {origin.arn} is not shared with {at.account}")
        if key is None:
            if origin.location != at and origin.encrypted:
                raise RefusedError("InvalidParameterValue: an encrypted copy elsewhere needs a key")
            return origin.kms_key
        found = self.places[at].key(key)
        if found is None and self.places[at].scope.keys is not None:
            raise RefusedError(f"KMSKeyNotAccessibleFault: {key}")
        if found is not None and found.fault is not None:
            raise RefusedError(f"KMSKeyNotAccessibleFault: {key} {found.fault}")
        return found.arn if found is not None else key

    def _take_off(self, snapshot: Snapshot, flight: Flight) -> Flight:
        self._change(snapshot)
        self.flights[flight.arn] = flight
        return flight


def _identifier(arn: str) -> str:
    return arn.split(":", 6)[6]
