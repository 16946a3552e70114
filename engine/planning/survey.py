"""The inventory in the planner's words: owned objects by source, live, gone or unknown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from engine.documents.model import Documents, Estate, Policy, Target, Terms
from engine.identity.chains import Chain, chain_of
from engine.identity.marks import ORIGIN, Marks, Role, owned_marks
from engine.identity.names import ends_in_hash, location_of
from engine.identity.proofs import Stray, stray_of
from engine.inventory.records import (
    Instance,
    Inventory,
    Kind,
    Location,
    Scope,
    Snapshot,
    SnapshotState,
    SnapshotType,
    kind_of,
)
from engine.planning.matching import Match, Matcher, makers
from engine.plans.plan import SourceRef

_IN_FLIGHT = frozenset({SnapshotState.IN_PROGRESS, SnapshotState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Holding:
    """An owned object as it was found, with what every stage asks of it.

    `slot` is the time of its recovery point, `taken_at` when its data was captured. It is
    `is_in_flight` while it is on its way or in a state that nobody knows, and `is_point` when it
    is part of a recovery point: bridges and failed objects are not. It `gives_way` if it failed and
    nobody pinned it: its slot is made again under the same id. `kms_key` is None where it is
    not encrypted.
    """

    snapshot: Snapshot
    marks: Marks
    chain: Chain
    arn: str
    identifier: str
    location: Location
    slot: datetime
    taken_at: datetime
    state: SnapshotState
    is_available: bool
    is_in_flight: bool
    is_point: bool
    gives_way: bool
    kms_key: str | None
    allocated_gib: int

    @property
    def made_at(self) -> datetime:
        """When the object was made: a copy is made later than its data was captured."""
        return self.snapshot.created_at or self.taken_at


def holding_of(snapshot: Snapshot, marks: Marks) -> Holding:
    """Return an owned snapshot in the planner's words."""
    state = snapshot.state
    is_available = state is SnapshotState.AVAILABLE
    is_in_flight = state in _IN_FLIGHT
    return Holding(
        snapshot=snapshot,
        marks=marks,
        chain=chain_of(marks, snapshot.location),
        arn=snapshot.arn,
        identifier=snapshot.identifier,
        location=snapshot.location,
        slot=marks.slot,
        taken_at=_captured(snapshot, marks) or marks.slot,
        state=state,
        is_available=is_available,
        is_in_flight=is_in_flight,
        is_point=marks.role is not Role.BRIDGE and (is_available or is_in_flight),
        gives_way=state is SnapshotState.FAILED and marks.pin is None,
        kms_key=snapshot.kms_key if snapshot.encrypted else None,
        allocated_gib=snapshot.allocated_gib,
    )


def _captured(snapshot: Snapshot, marks: Marks) -> datetime | None:
    """Return when the data of an object was captured, None where its slot has to do.

    Of a copied cluster snapshot AWS only tells when the copy was made (API reference,
    DBClusterSnapshot).
    """
    is_copy = marks.role is not Role.PRIMARY
    if is_copy and kind_of(snapshot.arn) is Kind.CLUSTER:
        return None
    return snapshot.taken_at


class Life(Enum):
    """What is known of a source's instance."""

    LIVE = auto()
    GONE = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Source:
    """One protected database with everything the engine owns of it.

    Its database is an instance or a cluster, which `kind` tells.

    `holdings` are oldest slot first and include those of the sources it succeeded. `neighbours`
    are the snapshots of it at its own location that the engine does not own, and of `replicas`, its
    read replicas there.
    """

    ref: SourceRef
    location: Location
    life: Life
    instance: Instance | None
    match: Match
    holdings: tuple[Holding, ...]
    neighbours: tuple[Snapshot, ...]
    replicas: tuple[Instance, ...] = ()
    kind: Kind = Kind.INSTANCE

    @property
    def policy(self) -> Policy | None:
        """The policy that decides about it now."""
        return self.match.policy

    @property
    def terms(self) -> Terms | None:
        """That policy's terms for it."""
        return self.match.terms


@dataclass(frozen=True, slots=True)
class World:
    """What planning a source may look at beside the source itself. Read only.

    `foreign_readers` names, by ARN, what somebody else is copying from an object;
    `foreign_counts` says how many manual snapshots at a location are not the engine's. `strays`
    are those of them that the engine made all the same: somebody changed their tags. `shared_with`
    names, by ARN, the accounts that find a snapshot among what others share with them. `others`
    are all snapshots that the engine does not own, by where they lie and their DbiResourceId.
    """

    documents: Documents
    inventory: Inventory
    now: datetime
    matcher: Matcher
    locations: frozenset[Location]
    suspects: Mapping[tuple[Location, str], Snapshot]
    foreign_readers: Mapping[str, str]
    foreign_counts: Mapping[Location, int]
    rooms: Mapping[Location, int]
    source_counts: Mapping[Location, int]
    strays: tuple[Stray, ...]
    shared_with: Mapping[str, frozenset[str]]
    others: Mapping[tuple[Location, str], Sequence[Snapshot]]
    kind: Kind = Kind.INSTANCE

    @property
    def estate(self) -> Estate:
        """The estate planned for."""
        return self.documents.estate

    def scope(self, location: Location) -> Scope:
        """What was read of a location."""
        return self.inventory.scope(location)

    def is_tight(self, location: Location) -> bool:
        """Whether less than one more point per source fits into a location's quota."""
        room = self.rooms.get(location)
        return room is not None and room < self.source_counts.get(location, 0)

    def locations_of(self, account: str) -> list[Location]:
        """The estate's locations in one account."""
        return [location for location in self.locations if location.account == account]


def locations(estate: Estate) -> frozenset[Location]:
    """Return every location the estate governs: its accounts' regions and its targets."""
    own = {Location(a.id, region) for a in estate.accounts.values() for region in a.regions}
    aimed = {
        Location(estate.accounts[t.account].id, t.region)
        for t in estate.targets.values()
        if isinstance(t, Target)
    }
    return frozenset(own | aimed)


@dataclass(slots=True)
class _Index:
    """Everything found, in one pass over the snapshots."""

    owned: dict[tuple[Location, str], list[Holding]]
    suspects: dict[tuple[Location, str], Snapshot]
    readers: dict[str, str]
    others: dict[tuple[Location, str], list[Snapshot]]
    foreign: Counter[Location]
    strays: list[Stray]


def kinds_of(documents: Documents, inventory: Inventory) -> tuple[Kind, ...]:
    """Return the kinds of databases to look at: those that policies protect, or once did.

    What was made of clusters is told of, and can be retired, when the last of their policies is
    gone.
    """
    return tuple(
        kind for kind in Kind if kind in documents.kinds or _is_left(documents, inventory, kind)
    )


def _is_left(documents: Documents, inventory: Inventory, kind: Kind) -> bool:
    return any(
        owned_marks(snapshot, documents.estate.name) is not None
        for scope in inventory.of(kind).scopes.values()
        for snapshot in scope.snapshots or ()
    )


def survey(
    documents: Documents, inventory: Inventory, now: datetime, kind: Kind = Kind.INSTANCE
) -> tuple[World, tuple[Source, ...]]:
    """Return the world of one kind of databases and its sources, in the order of their addresses.

    Kinds have nothing to do with one another: each has its own snapshots, quotas and policies.
    """
    documents, inventory = documents.of(kind), inventory.of(kind)
    governed = locations(documents.estate)
    matcher = Matcher(documents)
    instances = [
        instance
        for location in sorted(governed)
        for instance in inventory.scope(location).instances or ()
    ]
    replicas = _replicas(instances)
    index = _index(inventory, documents, governed, replicas)
    alive = {(i.location, i.resource_id) for i in instances}
    gone = {
        key
        for key in index.owned
        if key not in alive and key[0] in governed and inventory.scope(key[0]).is_complete
    }
    ancestors = _ancestors(index.owned, gone, instances)
    succeeded = {key for keys in ancestors.values() for key in keys}
    live = [
        _live_source(
            i,
            matcher.match(i),
            index,
            ancestors.get((i.location, i.resource_id), ()),
            replicas.get(i.resource_id, ()),
        )
        for i in instances
    ]
    absent = [
        _absent_source(key, holdings, Life.GONE if key in gone else Life.UNKNOWN, kind)
        for key, holdings in index.owned.items()
        if key not in alive and key not in succeeded
    ]
    world = World(
        documents,
        inventory,
        now,
        matcher,
        governed,
        index.suspects,
        index.readers,
        index.foreign,
        _rooms(inventory, governed),
        _source_counts(live),
        tuple(index.strays),
        _shared_with(inventory),
        index.others,
        kind,
    )
    everything = sorted(live + absent, key=lambda s: (s.ref.address, s.ref.resource_id))
    return world, tuple(everything)


def _rooms(inventory: Inventory, governed: Iterable[Location]) -> dict[Location, int]:
    """Return how many more manual snapshots fit into each location whose quota is known."""
    return {
        location: quota.room
        for location in governed
        if (quota := inventory.scope(location).quota) is not None
    }


def _source_counts(live: Iterable[Source]) -> dict[Location, int]:
    """Return how many protected databases have their home, or points, at each location."""
    counts: Counter[Location] = Counter()
    for source in live:
        if source.policy is not None:
            counts.update({source.location, *(h.location for h in source.holdings)})
    return dict(counts)


def _replicas(instances: Sequence[Instance]) -> dict[str, tuple[Instance, ...]]:
    """Return the read replicas of each database in its own location, by its DbiResourceId.

    Both must name each other: a replica may follow a cluster of the same name.
    """
    followers: dict[tuple[Location, str], list[Instance]] = defaultdict(list)
    for one in instances:
        if one.replica_of is not None:
            followers[one.location, one.replica_of].append(one)
    found: dict[str, tuple[Instance, ...]] = {}
    for one in instances:
        near = [r for name in (one.identifier, one.arn) for r in followers[one.location, name]]
        known = tuple(r for r in near if {r.identifier, r.arn} & set(one.replicas))
        if known:
            found[one.resource_id] = tuple(sorted(known, key=lambda r: r.identifier))
    return found


def _index(
    inventory: Inventory,
    documents: Documents,
    governed: frozenset[Location],
    replicas: Mapping[str, Iterable[Instance]],
) -> _Index:
    estate, policies = documents.estate.name, makers(documents)
    followed = {r.resource_id: resource for resource, found in replicas.items() for r in found}
    index = _Index(defaultdict(list), {}, {}, defaultdict(list), Counter(), [])
    for location in sorted(governed):
        for snapshot in inventory.scope(location).snapshots or ():
            marks = owned_marks(snapshot, estate)
            home = None if marks is None else location_of(marks.source)
            if marks is not None and home is not None:
                holding = holding_of(snapshot, marks)
                index.owned[home, marks.resource].append(holding)
                continue
            index.others[location, snapshot.resource_id].append(snapshot)
            index.foreign[location] += snapshot.type is SnapshotType.MANUAL
            if snapshot.state in _IN_FLIGHT:
                origins = (snapshot.source_snapshot, snapshot.tags.get(ORIGIN))
                index.readers.update({origin: snapshot.arn for origin in origins if origin})
            if ends_in_hash(snapshot.identifier):
                key = (location, snapshot.identifier[-8:])
                known = index.suspects.setdefault(key, snapshot)
                index.suspects[key] = min(known, snapshot, key=lambda s: s.arn)
                stray = stray_of(snapshot, estate, policies, followed)
                index.strays += [stray] if stray is not None else []
    return index


def _shared_with(inventory: Inventory) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for location, scope in inventory.scopes.items():
        for snapshot in scope.shared or ():
            known = found.get(snapshot.arn, frozenset())
            found[snapshot.arn] = known | {location.account}
    return found


def _ancestors(
    owned: Mapping[tuple[Location, str], list[Holding]],
    gone: Iterable[tuple[Location, str]],
    instances: Iterable[Instance],
) -> dict[tuple[Location, str], list[tuple[Location, str]]]:
    """Return which gone sources each live one succeeds: those that once had its ARN.

    Of several such names the latest counts: what is swapped out is often renamed, and backed up
    under that name, before it is deleted.
    """
    by_arn = {instance.arn: (instance.location, instance.resource_id) for instance in instances}
    ancestors: dict[tuple[Location, str], list[tuple[Location, str]]] = defaultdict(list)
    for key in sorted(gone):
        names = [(h.slot, h.marks.source) for h in owned[key] if h.marks.source in by_arn]
        if names:
            ancestors[by_arn[max(names)[1]]].append(key)
    return ancestors


def _live_source(
    instance: Instance,
    match: Match,
    index: _Index,
    ancestors: Iterable[tuple[Location, str]],
    replicas: tuple[Instance, ...],
) -> Source:
    own = (instance.location, instance.resource_id)
    ref = SourceRef(
        instance.location.account,
        instance.location.region,
        instance.identifier,
        instance.resource_id,
    )
    return Source(
        ref=ref,
        location=instance.location,
        life=Life.LIVE,
        instance=instance,
        match=match,
        holdings=_ordered(h for key in (own, *ancestors) for h in index.owned.get(key, ())),
        neighbours=tuple(
            snapshot
            for one in (instance, *replicas)
            for snapshot in index.others.get((one.location, one.resource_id), ())
        ),
        replicas=replicas,
        kind=kind_of(instance.arn),
    )


def _absent_source(
    key: tuple[Location, str], holdings: list[Holding], life: Life, kind: Kind
) -> Source:
    home, resource = key
    ordered = _ordered(holdings)
    identifier = ordered[-1].marks.source.rsplit(":", 1)[-1]
    return Source(
        ref=SourceRef(home.account, home.region, identifier, resource),
        location=home,
        life=life,
        instance=None,
        match=Match(None, None),
        holdings=ordered,
        neighbours=(),
        kind=kind,
    )


def _ordered(holdings: Iterable[Holding]) -> tuple[Holding, ...]:
    return tuple(sorted(holdings, key=lambda h: (h.slot, h.arn)))
