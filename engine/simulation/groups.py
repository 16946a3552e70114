"""Databases that are alike but for their names, played as one under the names of one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter

from engine.identity.marks import PREFIX, owned_marks
from engine.inventory.records import Instance, Location, Snapshot, SnapshotState
from engine.planning.survey import Holding, holding_of
from engine.simulation.naming import Name, Renaming, is_nameable, name_of
from engine.simulation.outcomes import Outcome
from engine.simulation.watching import Watch
from engine.simulation.world import World

_MOST_OUTCOMES = 512
_NEVER = datetime.min.replace(tzinfo=UTC)
_LEFT = frozenset({SnapshotState.FAILED, SnapshotState.DELETING})


@dataclass(slots=True)
class Kind:
    """What groups have in common that go by the names of one database.

    `outcomes` are what was planned before, by all that the plan rests on.
    """

    name: Name | None
    numbers: dict[object, int] = field(default_factory=dict)
    outcomes: dict[object, Outcome] = field(default_factory=dict)

    def number(self, fact: object) -> int:
        """Return a number that stands for a fact."""
        return self.numbers.setdefault(fact, len(self.numbers))

    def remember(self, key: object, outcome: Outcome) -> None:
        """Keep an outcome; keys hold slots, so that old ones never come again."""
        if len(self.outcomes) >= _MOST_OUTCOMES:
            self.outcomes.clear()
        self.outcomes[key] = outcome


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot as planning looks at it.

    `made` is where it stands among others by when they were made, `slotted` where by their slots.
    `number` stands for all of it but when it was made, `chain` for its chain; those that are never
    going to be available have none. `latest` is when it was captured or made, whatever was later.
    """

    snapshot: Snapshot
    holding: Holding | None
    number: int
    made: tuple[datetime, str]
    slotted: tuple[datetime, str]
    chain: int | None
    latest: datetime


def made_at(one: Seen) -> datetime:
    """Return when a snapshot was made."""
    return one.made[0]


_MADE, _SLOTTED, _NUMBER = attrgetter("made"), attrgetter("slotted"), attrgetter("number")


@dataclass(slots=True)
class Group:
    """Databases in one and the same state.

    A group of a kind without a name is a part of the world that cannot be renamed: one database
    with its replicas, or one that is gone, under its own names. `members` are in the order of their
    addresses.

    Attributes:
        is_dirty: whether anything has changed since it was planned last.
        wakes_at: when its plan may become another one though nothing changes.
        outcome: what was planned last.
        is_waiting: whether copies of it wait only for others to end.
        is_awake: whether it was planned in this run.
        arrives_at: when something of it becomes available, or RDS backs it up, next.
        spread: by location where it has its home or snapshots, how many protected databases, and
            how many at all, each of it adds there.
    """

    kind: Kind
    members: tuple[Name, ...]
    world: World
    watch: Watch
    is_dirty: bool = True
    wakes_at: datetime | None = None
    outcome: Outcome | None = None
    is_waiting: bool = False
    is_awake: bool = False
    spread: Mapping[Location, tuple[int, int]] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    order: list[Seen] = field(default_factory=list)
    others: list[Seen] = field(default_factory=list)
    holdings: tuple[Holding, ...] = ()
    timed: tuple[Holding, ...] = ()
    numbers: tuple[int, ...] = ()
    chains: dict[int, datetime] = field(default_factory=dict)
    places: Counter[Location] = field(default_factory=Counter)
    arrives_at: datetime | None = None

    @property
    def size(self) -> int:
        """How many databases it stands for."""
        return len(self.members) or 1

    def part(self, members: Sequence[Name]) -> Group:
        """Return a group of some of the members, to go its own way."""
        return Group(
            self.kind,
            tuple(members),
            self.world.copy_of(),
            self.watch.copy_of(),
            self.is_dirty,
            self.wakes_at,
            self.outcome,
            self.is_waiting,
            self.is_awake,
            self.spread,
            dict(self.seen),
            list(self.order),
            list(self.others),
            self.holdings,
            self.timed,
            self.numbers,
            dict(self.chains),
            self.places.copy(),
            self.arrives_at,
        )

    def look(self, estate: str) -> None:
        """See what has changed of the snapshots since they were looked at last."""
        touched = self.world.touched if self.seen else set(self.world.snapshots)
        if not touched and self.seen:
            return
        for arn in touched:
            old = self.seen.pop(arn, None)
            if old is not None:
                self.places[old.snapshot.location] -= 1
            snapshot = self.world.snapshots.get(arn)
            if snapshot is not None:
                self.seen[arn] = self._see(snapshot, estate)
                self.places[snapshot.location] += 1
        self.world.touched = set()
        owned = [one for one in self.seen.values() if one.holding is not None]
        self.others = [one for one in self.seen.values() if one.holding is None]
        self.order = sorted(owned, key=_MADE)
        self.numbers = tuple(map(_NUMBER, self.order))
        slotted = sorted(owned, key=_SLOTTED)
        self.holdings = tuple(one.holding for one in slotted if one.holding is not None)
        self.timed = tuple(one for one in self.holdings if _is_timed(one))
        self.chains = {}
        for one in self.order:
            if one.chain is not None:
                latest = self.chains.get(one.chain, one.latest)
                self.chains[one.chain] = max(latest, one.latest)

    def _see(self, snapshot: Snapshot, estate: str) -> Seen:
        marks = owned_marks(snapshot, estate)
        if marks is None:
            fact: object = (snapshot.arn, snapshot.status, snapshot.availability_zone)
            at = (_NEVER, snapshot.arn)
            return Seen(snapshot, None, self.kind.number(fact), at, at, None, _NEVER)
        holding = holding_of(snapshot, marks)
        fact = (
            snapshot.arn,
            snapshot.status,
            holding.taken_at,
            marks,
            holding.kms_key,
            snapshot.allocated_gib,
        )
        is_left = holding.state in _LEFT
        return Seen(
            snapshot=snapshot,
            holding=holding,
            number=self.kind.number(fact),
            made=(holding.made_at, snapshot.arn),
            slotted=(holding.slot, snapshot.arn),
            chain=None if is_left else self.kind.number(holding.chain),
            latest=max(holding.made_at, holding.taken_at),
        )


def _is_timed(holding: Holding) -> bool:
    return holding.marks.keep_until is not None or holding.marks.unshared_at is not None


# -- from parts of the world to groups, and back -------------------------------------------------


def expanded(group: Group, estate: str) -> Iterator[tuple[Name | None, World, Watch]]:
    """Yield each database of a group under its own names."""
    if group.kind.name is None:
        yield None, group.world, group.watch
        return
    for name in group.members:
        old = group.kind.name
        world = Renaming(estate, old, name).world(group.world)
        yield name, world, group.watch.renamed(old, name)


class Sorter:
    """Puts parts of the world into groups; kinds stay what they are from one time to the next."""

    def __init__(self, estate: str, signature: Mapping[str, object]) -> None:
        """Take the estate's name and, by ARN, what policies say of each database."""
        self._estate = estate
        self._signature = signature
        self._kinds: dict[object, Kind] = {}

    def groups(self, parts: Iterable[tuple[Name | None, World, Watch]]) -> list[Group]:
        """Return the groups of parts that stand under their own names."""
        found: dict[object, tuple[Group, list[Name]]] = {}
        for told, world, watch in parts:
            name = told or _name_of(world)
            # What was there before a database was restored cannot go by its new names.
            if name is None or watch.ended or not is_nameable(world, name, self._estate):
                kind = Kind(None)
                found[id(world)] = (Group(kind, () if name is None else (name,), world, watch), [])
                continue
            kind = self._kind(name)
            assert kind.name is not None
            likened = Renaming(self._estate, name, kind.name).world(world)
            likened_watch = watch.renamed(name, kind.name)
            key = (id(kind), _state(likened), likened_watch.state())
            if key not in found:
                found[key] = (Group(kind, (), likened, likened_watch), [])
            found[key][1].append(name)
        return [self._whole(group, names) for group, names in found.values()]

    def _whole(self, group: Group, names: list[Name]) -> Group:
        if names:
            group.members = tuple(sorted(names, key=lambda name: name.address))
        return group

    def _kind(self, name: Name) -> Kind:
        key = (_nature(name.instance), self._signature.get(name.instance.arn))
        return self._kinds.setdefault(key, Kind(name))


def _name_of(world: World) -> Name | None:
    instances = list(world.instances.values())
    return name_of(instances[0]) if len(instances) == 1 else None


def _nature(instance: Instance) -> object:
    """Return what does not change of a database, its names and tags apart."""
    return (
        instance.location,
        instance.engine,
        instance.engine_version,
        instance.encrypted,
        instance.encryption_type,
        instance.kms_key,
        instance.maintenance_window,
        instance.copy_tags_to_snapshot,
        instance.cluster,
        instance.aws_backup_arn,
        instance.option_groups,
        instance.replication,
        instance.pending_retention_days,
        instance.pending,
    )


def condition(instance: Instance) -> tuple[object, ...]:
    """Return what can change of a database."""
    return (
        instance.status,
        instance.multi_az,
        instance.availability_zone,
        instance.secondary_zone,
        instance.allocated_gib,
        instance.backup_retention_days,
        instance.backup_window,
        instance.replications,
    )


def _state(world: World) -> object:
    """Return all that the future of a world of one database rests on."""
    snapshots = tuple(
        (
            arn,
            *(one.status, one.type, one.created_at, one.original_created_at),
            *(one.availability_zone, one.kms_key, one.allocated_gib, one.shared_with),
            *(one.encrypted, one.source_snapshot, one.database_time, one.tde, one.option_group),
            tuple(sorted((k, v) for k, v in one.tags.items() if k.startswith(PREFIX))),
        )
        for arn, one in sorted(world.snapshots.items())
    )
    flights = tuple(sorted((f.arn, f.begun_at, f.ready_at) for f in world.flights.values()))
    conditions = tuple(condition(one) for one in world.instances.values())
    return (conditions, snapshots, flights, world.shelves.state())
