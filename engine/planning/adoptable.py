"""Which snapshots of other tools can be adopted, as what, and why the others are left alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from engine.identity.marks import (
    ESTATE,
    PIN,
    PREFIX,
    Marks,
    Role,
    adoption_proof,
    key_mark,
    owned_marks,
    tags_of,
)
from engine.identity.names import location_of
from engine.inventory.placement import UNKNOWN_ZONE
from engine.inventory.records import Instance, Location, Snapshot, SnapshotState, SnapshotType
from engine.planning.foreign_orphans import home_of, origins_of
from engine.planning.matching import account_names, address_matches
from engine.planning.steps import MAX_TAGS
from engine.planning.survey import World

_LATER_TAGS = 4  # checked, shared, gone and pinned are said later


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come under a policy: ADDRESS and identifier globs, times of capture."""

    address: str
    policy: str
    identifiers: str | None = None
    before: datetime | None = None
    after: datetime | None = None

    @property
    def text(self) -> str:
        """It as the command line says it."""
        words = [self.address]
        words += [f"-identifiers {self.identifiers}"] if self.identifiers else []
        words += [f"-after {self.after:%Y-%m-%dT%H:%MZ}"] if self.after else []
        words += [f"-before {self.before:%Y-%m-%dT%H:%MZ}"] if self.before else []
        return " ".join(words)

    def takes(self, snapshot: Snapshot) -> bool:
        """Say whether a snapshot's id and time fit; one whose time is not known always does."""
        if self.identifiers and not address_matches([self.identifiers], snapshot.identifier, None):
            return False
        taken_at = snapshot.taken_at
        if taken_at is None:
            return True
        early = self.after is not None and taken_at < self.after
        return not early and (self.before is None or taken_at < self.before)


@dataclass(frozen=True, slots=True)
class Adoption:
    """A snapshot and the marks it gets."""

    snapshot: Snapshot
    marks: Marks


@dataclass(frozen=True, slots=True)
class Left:
    """Why a snapshot is left alone, and what to do about it."""

    text: str
    fix: str | None = None


_AWS_BACKUP = Left("AWS Backup made them and alone can remove them")
_UNAVAILABLE = Left("they are not available", "adopt them once they are")
_UNTIMED = Left("AWS records neither when they were taken nor of what")
_MADE_HERE = Left(
    "the engine made them, and somebody changed their tags", "`engine drift` says how to mend them"
)
_ORIGIN = Left(
    "they are copies, and what they were copied from is neither the engine's nor adopted with them",
    "adopt the origin too, or leave them to whoever made them",
)
_ELSEWHERE = Left(
    "their database lives elsewhere, and AWS does not name what they were copied from"
)


class Adopter:
    """Decides, for one wish, about every snapshot that the engine does not own."""

    def __init__(self, world: World, wanted: Wanted) -> None:
        self._world = world
        self._wanted = wanted
        self._names = account_names(world.estate)
        self._strays = {stray.snapshot.arn for stray in world.strays}
        self._origins = origins_of(world)
        self._instances: dict[str, Instance] = {}
        self._by_arn: dict[str, Snapshot] = {}
        self._homes: dict[str, set[Location]] = defaultdict(set)
        self._decided: dict[str, Marks | Left] = {}
        for location in world.locations:
            self._note(location)

    def _note(self, location: Location) -> None:
        scope = self._world.scope(location)
        for instance in scope.instances or ():
            self._instances[instance.resource_id] = instance
            self._homes[instance.resource_id].add(location)
        for snapshot in scope.snapshots or ():
            self._by_arn[snapshot.arn] = snapshot
            marks = owned_marks(snapshot, self._world.estate.name)
            if marks is not None:
                self._decided[snapshot.arn] = marks
                home = location_of(marks.source)
                self._homes[marks.resource] |= {home} if home else set()

    def all(self) -> tuple[dict[str, Adoption], list[tuple[Snapshot, Left]]]:
        """Return what is adopted, by ARN, and what fits the wish and is left alone, and why."""
        adopted: dict[str, Adoption] = {}
        left: list[tuple[Snapshot, Left]] = []
        for snapshot in self._candidates():
            found = self._decide(snapshot)
            if isinstance(found, Left):
                left.append((snapshot, found))
            else:
                adopted[snapshot.arn] = Adoption(snapshot, found)
        return adopted, left

    def _candidates(self) -> Iterator[Snapshot]:
        """Yield what fits the wish, by location and id. Automated snapshots never do."""
        everything = [one for found in self._world.others.values() for one in found]
        for snapshot in sorted(everything, key=lambda one: (one.location, one.identifier)):
            if self._is_wanted(snapshot):
                yield snapshot

    def _is_wanted(self, snapshot: Snapshot) -> bool:
        if snapshot.type not in {SnapshotType.MANUAL, SnapshotType.AWS_BACKUP}:
            return False
        home = home_of(snapshot, self._origins)
        instance = self._instances.get(snapshot.resource_id)
        name = instance.identifier if instance else snapshot.instance
        address = f"{home}/{name}"
        wanted = [self._wanted.address]
        return self._wanted.takes(snapshot) and address_matches(
            wanted, address, self._names.get(home.account)
        )

    def _decide(self, snapshot: Snapshot) -> Marks | Left:
        if snapshot.arn not in self._decided:
            # A circle of origins cannot be; were there one, it would end here.
            self._decided[snapshot.arn] = _ORIGIN
            why_not = self._why_not(snapshot)
            self._decided[snapshot.arn] = why_not or self._marked(snapshot)
        return self._decided[snapshot.arn]

    def _why_not(self, snapshot: Snapshot) -> Left | None:
        if snapshot.type is not SnapshotType.MANUAL:
            return _AWS_BACKUP
        if snapshot.arn in self._strays:
            return _MADE_HERE
        said = sorted(key for key in snapshot.tags if key.startswith(PREFIX) and key != PIN)
        if said:
            estate = snapshot.tags.get(ESTATE)
            of = f"estate {estate}" if estate is not None else "the engine"
            fix = f"if nothing of {of} needs them, remove their `{PREFIX}` tags by hand first"
            return Left(f"they carry tags of {of}: {', '.join(said[:3])}", fix)
        if snapshot.state is not SnapshotState.AVAILABLE:
            return _UNAVAILABLE
        if snapshot.taken_at is None or not snapshot.resource_id or not snapshot.instance:
            return _UNTIMED
        return None

    def _marked(self, snapshot: Snapshot) -> Marks | Left:
        origin = snapshot.source_snapshot
        if origin is not None and location_of(origin) != snapshot.location:
            marks = self._marks_of_copy(snapshot, origin)
        else:
            marks = self._marks_of_primary(snapshot)
        if isinstance(marks, Left):
            return marks
        proven = replace(marks, adopted=adoption_proof(marks, snapshot.arn))
        ours = len(tags_of(proven).keys() - snapshot.tags.keys())
        if len(snapshot.tags) + ours + _LATER_TAGS > MAX_TAGS:
            text = f"they have {len(snapshot.tags)} tags, and those of the engine would not fit"
            return Left(text, f"AWS allows {MAX_TAGS}: remove some by hand first")
        return proven

    def _marks_of_copy(self, snapshot: Snapshot, arn: str) -> Marks | Left:
        origin = self._by_arn.get(arn)
        found = None if origin is None else self._decided_of_origin(origin)
        if found is None or isinstance(found, Left) or found.resource != snapshot.resource_id:
            return _ORIGIN
        return replace(
            found,
            policy=self._wanted.policy,
            role=Role.COPY,
            keys=(*found.keys, _own_key(snapshot)),
            origin=arn,
            zone_checked=False,
            shared=frozenset(),
            gone_since=None,
            pin=snapshot.tags.get(PIN),
        )

    def _decided_of_origin(self, origin: Snapshot) -> Marks | Left:
        """Return the marks of an origin that is owned, or is adopted in the same run."""
        if origin.arn in self._decided or self._is_wanted(origin):
            return self._decide(origin)
        return _ORIGIN

    def _marks_of_primary(self, snapshot: Snapshot) -> Marks | Left:
        home, scope = snapshot.location, self._world.scope(snapshot.location)
        if not scope.is_complete:
            return Left(f"{home} was not read completely: {scope.cause or 'not read'}")
        homes = self._homes.get(snapshot.resource_id)
        if homes and home not in homes:
            return _ELSEWHERE
        instance = self._instances.get(snapshot.resource_id)
        assert snapshot.taken_at is not None
        partition = snapshot.arn.split(":", 2)[1]
        gone = f"arn:{partition}:rds:{home.region}:{home.account}:db:{snapshot.instance}"
        return Marks(
            estate=self._world.estate.name,
            policy=self._wanted.policy,
            slot=snapshot.taken_at.replace(microsecond=0),
            role=Role.PRIMARY,
            resource=snapshot.resource_id,
            source=instance.arn if instance else gone,
            volume=snapshot.resource_id,
            zone=self._zone(snapshot),
            keys=(_own_key(snapshot),),
            pin=snapshot.tags.get(PIN),
        )

    def _zone(self, snapshot: Snapshot) -> str:
        """Return the zone of the volume where the record of the instance's zone tells it.

        It does for SQL Server, which is read on the primary; of all others nobody knows whether
        the instance had a standby then (RDS User Guide, Introduction to backups).
        """
        if not snapshot.engine.startswith("sqlserver"):
            return UNKNOWN_ZONE
        scope = self._world.scope(snapshot.location)
        return scope.zone_id(snapshot.availability_zone) or UNKNOWN_ZONE


def _own_key(snapshot: Snapshot) -> str:
    return key_mark(snapshot.kms_key, encrypted=snapshot.encrypted)
