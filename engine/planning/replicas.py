"""What a snapshot of a source is taken of: the database itself, or one of its read replicas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from engine.documents.model import Fallback, ReplicaSource
from engine.identity.marks import Role
from engine.inventory.records import Instance, Kind, Scope, kind_of
from engine.planning.matching import is_protectable
from engine.planning.survey import Holding, Source, World
from engine.plans.plan import Warned

SNAPSHOT_STATES = frozenset({"available", "storage-optimization"})
_CLUSTER_STATES = frozenset({"available"})
REPLICATES = "replicating"


@dataclass(frozen=True, slots=True)
class Body:
    """What the next snapshot is taken of.

    `instance` is None where the source waits for a replica. `missed` says why no replica will do
    although the policy asks for one, `late` that the one taken was too far behind the last time.
    """

    instance: Instance | None
    missed: str | None = None
    late: str | None = None


def body_of(source: Source, world: World) -> Body:
    """Return what a snapshot of a live source is taken of now.

    Of several replicas that will do it is the one that was used last, so that its chain goes on,
    else the first by identifier.
    """
    assert source.instance is not None
    wanted = source.terms.snapshots.source if source.terms else None
    if wanted is None:
        return Body(source.instance)
    scope = world.scope(source.location)
    named = [one for one in source.replicas if fnmatchcase(one.identifier, wanted.replica)]
    faults = {one.identifier: _fault(one, wanted, scope) for one in named}
    fit = [one for one in named if faults[one.identifier] is None]
    late = {one.identifier: text for one in fit if (text := _late(one, source, wanted)) is not None}
    prompt = [one for one in fit if one.identifier not in late]
    if prompt:
        return Body(_used_last(prompt, source))
    if fit and wanted.fallback is Fallback.NONE:
        chosen = _used_last(fit, source)
        return Body(chosen, late=late[chosen.identifier])
    texts = [f"{name} {text}" for name, text in sorted((faults | late).items()) if text]
    missed = "; ".join(texts) or f"it has no replica {wanted.replica} in {source.location}"
    return Body(source.instance if wanted.fallback is Fallback.INSTANCE else None, missed)


def allows_snapshots(database: Instance) -> bool:
    """Say whether AWS takes snapshots of a database in its state.

    (API reference, CreateDBSnapshot; Aurora User Guide, Creating a DB cluster snapshot.)
    """
    states = _CLUSTER_STATES if kind_of(database.arn) is Kind.CLUSTER else SNAPSHOT_STATES
    return database.status in states


def is_replica(body: Instance, source: Source) -> bool:
    """Say whether a snapshot of `body` is taken of a replica."""
    return source.instance is not None and body.resource_id != source.instance.resource_id


def instance_with(volume: str, source: Source) -> Instance | None:
    """Return the database or the replica that a volume belongs to, None where neither does."""
    bodies = () if source.instance is None else (source.instance, *source.replicas)
    return next((one for one in bodies if one.resource_id == volume), None)


def warnings_of(body: Body, source: Source) -> Iterable[Warned]:
    """Yield what a person should know of a point that is made of `body`."""
    if body.missed is not None:
        text = (
            f"{body.missed}: its point is made from the database itself, which starts or goes on "
            "with another chain"
        )
        yield _warn("W404 replica-missed", source, text, "or wait for a replica: `fallback: none`")
    if body.late is not None and body.instance is not None:
        text = f"{body.instance.identifier} {body.late}; there is no other, so it is used"
        yield _warn("W405 replica-late", source, text, "see to its replication")


def _warn(code: str, source: Source, text: str, fix: str) -> Warned:
    policy = source.policy.name if source.policy else None
    return Warned(code, "warning", text, source.ref.address, policy, fix)


def _fault(replica: Instance, wanted: ReplicaSource, scope: Scope) -> str | None:
    """Return why a replica will not do, None where it will.

    A Multi-AZ replica is read on its standby, and no snapshots are taken of SQL Server replicas
    (RDS User Guide, Working with DB instance read replicas; Introduction to backups).
    """
    zone = replica.availability_zone
    if not is_protectable(replica):
        return "is no instance that DB snapshots are taken of"
    if replica.engine.startswith("sqlserver"):
        return "is of SQL Server, whose replicas AWS takes no snapshots of"
    if replica.multi_az or replica.secondary_zone is not None:
        return "is Multi-AZ, so snapshots would follow its standby from zone to zone"
    if wanted.availability_zone not in {None, zone, scope.zone_id(zone)}:
        return f"is in {zone}, not in {wanted.availability_zone}"
    if replica.replication not in {None, REPLICATES}:
        return f"does not replicate: {replica.replication}"
    if replica.status not in SNAPSHOT_STATES:
        return f"is {replica.status}; AWS takes snapshots of available ones"
    return None


def _late(replica: Instance, source: Source, wanted: ReplicaSource) -> str | None:
    """Return how far the last point shows a replica to be behind, where that is too far.

    Only a snapshot tells the lag (API reference, DBSnapshot, SnapshotDatabaseTime), so what counts
    is the newest point: once one was taken of something else, the replica is tried again.
    """
    newest = _newest(h for h in _primaries(source) if h.is_available)
    if wanted.max_lag is None or newest is None or newest.marks.volume != replica.resource_id:
        return None
    told = newest.snapshot.database_time
    lag = timedelta(0) if told is None else newest.taken_at - told
    if lag <= wanted.max_lag:
        return None
    return (
        f"was {_minutes(lag)} behind at its last point; at most {_minutes(wanted.max_lag)} will do"
    )


def _minutes(lag: timedelta) -> str:
    return f"{lag / timedelta(minutes=1):.0f} min"


def _used_last(replicas: Iterable[Instance], source: Source) -> Instance:
    by_volume = {one.resource_id: one for one in replicas}
    last = _newest(h for h in _primaries(source) if h.marks.volume in by_volume)
    if last is not None:
        return by_volume[last.marks.volume]
    return min(by_volume.values(), key=lambda one: one.identifier)


def _primaries(source: Source) -> Iterable[Holding]:
    return (h for h in source.holdings if h.marks.role is Role.PRIMARY and h.is_point)


def _newest(holdings: Iterable[Holding]) -> Holding | None:
    return max(holdings, key=lambda h: (h.taken_at, h.arn), default=None)
