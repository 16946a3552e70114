"""A cloud, a clock and workers that live in memory, and small plans to try on them."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from engine.applying.ports import CloudError, Listener, Trouble
from engine.identity.marks import Marks, Role, fingerprint, tags_of
from engine.identity.names import derived_id, snapshot_arn, snapshot_id
from engine.inventory.records import (
    Event,
    Instance,
    Kind,
    Location,
    Snapshot,
    SnapshotType,
    kind_of,
)
from engine.plans.codes import EFFECTS, Action, Check
from engine.plans.plan import (
    At,
    InventoryRead,
    Plan,
    Precondition,
    Reason,
    ScopeRead,
    SourceRef,
    Step,
    Summary,
)

Message = TypeVar("Message")

ESTATE = "acme"
HOME = Location("111111111111", "eu-west-1")
VAULT = Location("222222222222", "eu-west-1")
AWAY = Location("222222222222", "eu-central-1")
SLOT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
RESOURCE = "db-ORDERS1"
INSTANCE_ARN = "arn:aws:rds:eu-west-1:111111111111:db:orders-1"
ZONES = "eu-west-1a/eu-west-1b"
CHANGING = frozenset(
    {
        "create",
        "copy",
        "share",
        "unshare",
        "delete",
        "tag",
        "untag",
        "modify_backups",
        "replicate_backups",
        "stop_replication",
        "fail_over",
    }
)
CHAIN = f"{RESOURCE}|euw1-az2|primary|aaaaaaaa"


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 2, 10, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


class InlineWorkers(Generic[Message]):
    """Does work when it is submitted; waiting for more lets time pass."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._inbox: deque[Future[Message]] = deque()

    def submit(self, work: Callable[[], Message]) -> Future[Message]:
        future: Future[Message] = Future()
        try:
            future.set_result(work())
        except (ZeroDivisionError, AssertionError) as error:
            future.set_exception(error)
        self._inbox.append(future)
        return future

    def receive(self, seconds: float) -> Future[Message] | None:
        if self._inbox:
            return self._inbox.popleft()
        self._clock.seconds += max(seconds, 0.001)
        return None

    def close(self) -> None:
        assert not self._inbox


@dataclass(slots=True)
class Fault:
    """What the next call of an operation meets; `takes_effect` is a reply that was lost."""

    trouble: Trouble
    code: str = "Code"
    message: str = "message"
    takes_effect: bool = False


@dataclass
class FakeCloud:
    """Snapshots become available after `seconds` of the clock; every call is counted."""

    clock: FakeClock
    takes: float = 45.0
    objects: dict[str, Snapshot] = field(default_factory=dict)
    databases: dict[str, Instance] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: defaultdict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    ready_at: dict[str, float] = field(default_factory=dict)
    shared: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    slow: dict[str, float] = field(default_factory=dict)
    busiest: Counter[Location] = field(default_factory=Counter)
    before_call: Callable[[str], None] | None = None
    before_sending: Callable[[], None] | None = None
    is_late: bool = False
    dark: dict[Location, Fault] = field(default_factory=dict)
    """What every call to a location meets; each takes as long as finding out takes."""
    finding_out: float = 10.0
    appears: dict[str, float] = field(default_factory=dict)
    """Seconds after which what is made under an ARN can be seen; 0 where nothing is said."""
    hidden_until: dict[str, float] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)
    shows_failover: dict[str, str] = field(default_factory=dict)
    """What an instance shows right after a failover; without it the zones change at once."""

    # -- what tests say --------------------------------------------------------------------

    def fail(self, operation: str, *faults: Fault) -> None:
        self.faults[operation].extend(faults)

    def made(self, operation: str) -> list[str]:
        return [about for name, about in self.calls if name == operation]

    # -- what the executor calls -----------------------------------------------------------

    def tell(self, listener: Listener) -> None:
        """Tell nothing: no request is hidden behind another."""

    def let_pass(self, may_send: Callable[[], bool]) -> None:
        """Send nothing if it has become too late by the time that `before_sending` returns."""
        if self.before_sending is not None:
            self.before_sending()
        self.is_late = not may_send()

    def create(
        self,
        at: Location,
        snapshot: str,
        *,
        instance: str,
        tags: Mapping[str, str],
        kind: Kind = Kind.INSTANCE,
    ) -> None:
        arn = _arn(at, snapshot, kind)
        with_effect = self._meet("create", snapshot, at)
        self._refuse_twice(arn)
        self._put(arn, "creating", instance, tags)
        self._lose(with_effect)

    def copy(
        self,
        at: Location,
        snapshot: str,
        *,
        origin: str,
        key: str | None,
        tags: Mapping[str, str],
        option_group: str | None = None,
        kind: Kind = Kind.INSTANCE,
    ) -> None:
        arn = _arn(at, snapshot, kind)
        with_effect = self._meet("copy", snapshot, at)
        self._refuse_twice(arn)
        source = self._settled(self.objects[origin])
        assert source.status == "available"
        self._put(arn, "copying", source.instance, tags)
        self.objects[arn] = replace(self.objects[arn], kms_key=key)
        flying = [one for one in self.snapshots_now(at, kind) if one.status == "copying"]
        self.busiest[at] = max(self.busiest[at], len(flying))
        self._lose(with_effect)

    def share(
        self, at: Location, snapshot: str, accounts: Sequence[str], kind: Kind = Kind.INSTANCE
    ) -> None:
        with_effect = self._meet("share", snapshot, at)
        self.shared[snapshot].update(accounts)
        self._lose(with_effect)

    def unshare(
        self, at: Location, snapshot: str, accounts: Sequence[str], kind: Kind = Kind.INSTANCE
    ) -> None:
        with_effect = self._meet("unshare", snapshot, at)
        self.shared[snapshot].difference_update(accounts)
        self._lose(with_effect)

    def delete(self, at: Location, snapshot: str, kind: Kind = Kind.INSTANCE) -> None:
        with_effect = self._meet("delete", snapshot, at)
        arn = _arn(at, snapshot, kind)
        if arn not in self.objects:
            raise CloudError(Trouble.NOT_FOUND, "DBSnapshotNotFound", snapshot)
        del self.objects[arn]
        self._lose(with_effect)

    def tag(self, at: Location, arn: str, tags: Mapping[str, str]) -> None:
        with_effect = self._meet("tag", arn, at)
        found = self.objects[arn]
        self.objects[arn] = replace(found, tags={**found.tags, **tags})
        self._lose(with_effect)

    def untag(self, at: Location, arn: str, keys: Sequence[str]) -> None:
        with_effect = self._meet("untag", arn, at)
        found = self.objects[arn]
        left = {key: value for key, value in found.tags.items() if key not in keys}
        self.objects[arn] = replace(found, tags=left)
        self._lose(with_effect)

    def snapshots(self, at: Location, kind: Kind = Kind.INSTANCE) -> Sequence[Snapshot]:
        self._lose(self._meet(_listing("snapshots", kind), str(at), at))
        return self.snapshots_now(at, kind)

    def snapshot(self, at: Location, snapshot: str, kind: Kind = Kind.INSTANCE) -> Snapshot | None:
        self._lose(self._meet("snapshot", snapshot, at))
        found = self.snapshots_now(at, kind)
        return next((one for one in found if one.identifier == snapshot), None)

    def instances(self, at: Location, kind: Kind = Kind.INSTANCE) -> Sequence[Instance]:
        self._lose(self._meet(_listing("instances", kind), str(at), at))
        found = self.databases.values()
        return [one for one in found if one.location == at and kind_of(one.arn) is kind]

    def instance(self, at: Location, instance: str) -> Instance | None:
        self._lose(self._meet("instance", instance, at))
        return self.databases.get(f"arn:aws:rds:{at.region}:{at.account}:db:{instance}")

    def modify_backups(
        self, at: Location, instance: str, *, retention_days: int | None, window: str | None
    ) -> None:
        with_effect = self._meet("modify_backups", instance, at)
        arn = f"arn:aws:rds:{at.region}:{at.account}:db:{instance}"
        found = self.databases[arn]
        if retention_days is not None and 0 in (retention_days, found.backup_retention_days):
            found = replace(found, pending_retention_days=retention_days)
        elif retention_days is not None:
            found = replace(found, backup_retention_days=retention_days)
        self.databases[arn] = replace(found, backup_window=window or found.backup_window)
        self._lose(with_effect)

    def replicate_backups(
        self, at: Location, instance_arn: str, *, retention_days: int, key: str | None
    ) -> None:
        with_effect = self._meet("replicate_backups", instance_arn, at)
        found = self.databases[instance_arn]
        link = f"arn:aws:rds:{at.region}:{at.account}:auto-backup:ab-{len(found.replications)}"
        if at.region in found.replication_regions:
            code = "InvalidDBInstanceAutomatedBackupState"
            raise CloudError(Trouble.WRONG_STATE, code, instance_arn)
        self.databases[instance_arn] = replace(found, replications=(*found.replications, link))
        self._lose(with_effect)

    def stop_replication(self, at: Location, instance_arn: str) -> None:
        with_effect = self._meet("stop_replication", instance_arn, at)
        found = self.databases[instance_arn]
        left = tuple(one for one in found.replications if f":{at.region}:" not in one)
        if left == found.replications:
            raise CloudError(Trouble.WRONG_STATE, "InvalidDBInstanceState", instance_arn)
        self.databases[instance_arn] = replace(found, replications=left)
        self._lose(with_effect)

    def fail_over(self, at: Location, instance: str) -> None:
        with_effect = self._meet("fail_over", instance, at)
        arn = f"arn:aws:rds:{at.region}:{at.account}:db:{instance}"
        found = self.databases[arn]
        pair = {
            "availability_zone": found.secondary_zone,
            "secondary_zone": found.availability_zone,
        }
        self.databases[arn] = replace(found, **(self.shows_failover or pair))
        self._lose(with_effect)

    def events(self, at: Location, since: datetime) -> tuple[Event, ...]:
        self._lose(self._meet("events", str(at), at))
        return tuple(one for one in self.told if one.at >= since)

    # -- inside ----------------------------------------------------------------------------

    def snapshots_now(self, at: Location, kind: Kind = Kind.INSTANCE) -> list[Snapshot]:
        now = self.clock.elapsed()
        return [
            self._settled(one)
            for one in list(self.objects.values())
            if one.location == at
            and kind_of(one.arn) is kind
            and self.hidden_until.get(one.arn, 0.0) <= now
        ]

    def _settled(self, one: Snapshot) -> Snapshot:
        ready_at = self.ready_at.get(one.arn)
        if ready_at is not None and self.clock.elapsed() >= ready_at:
            return replace(one, status="available", progress=100)
        return one

    def _put(self, arn: str, status: str, instance: str, tags: Mapping[str, str]) -> None:
        self.objects[arn] = snapshot(arn, tags, status=status, instance=instance, progress=10)
        self.hidden_until[arn] = self.clock.elapsed() + self.appears.get(arn, 0.0)
        self.ready_at[arn] = self.clock.elapsed() + self.slow.get(arn, self.takes)

    def _refuse_twice(self, arn: str) -> None:
        if arn in self.objects:
            raise CloudError(Trouble.ALREADY_EXISTS, "DBSnapshotAlreadyExists", arn)

    def _meet(self, operation: str, about: str, at: Location) -> Fault | None:
        if self.is_late and operation in CHANGING:
            raise CloudError(Trouble.TOO_LATE, "TooLate", about)
        self.calls.append((operation, about))
        if self.before_call is not None:
            self.before_call(operation)
        if at in self.dark:
            self.clock.seconds += self.finding_out
            self._lose(self.dark[at])
        if not self.faults[operation]:
            return None
        fault = self.faults[operation].popleft()
        if fault.takes_effect:
            return fault
        raise CloudError(fault.trouble, fault.code, fault.message)

    def _lose(self, fault: Fault | None) -> None:
        if fault is not None:
            raise CloudError(fault.trouble, fault.code, fault.message)


def _arn(at: Location, snapshot: str, kind: Kind) -> str:
    what = "cluster-snapshot" if kind is Kind.CLUSTER else "snapshot"
    return f"arn:aws:rds:{at.region}:{at.account}:{what}:{snapshot}"


def _listing(what: str, kind: Kind) -> str:
    return f"cluster {what}" if kind is Kind.CLUSTER else what


def database(identifier: str = "orders-1", resource: str = RESOURCE) -> Instance:
    return Instance(
        arn=f"arn:aws:rds:{HOME.region}:{HOME.account}:db:{identifier}",
        location=HOME,
        identifier=identifier,
        resource_id=resource,
        engine="postgres",
        multi_az=True,
        availability_zone="eu-west-1a",
        secondary_zone="eu-west-1b",
    )


def snapshot(
    arn: str,
    tags: Mapping[str, str],
    *,
    status: str = "available",
    instance: str = "orders-1",
    progress: int | None = None,
) -> Snapshot:
    parts = arn.split(":", 6)
    return Snapshot(
        arn=arn,
        location=Location(parts[4], parts[3]),
        identifier=parts[6],
        instance=instance,
        resource_id=RESOURCE,
        type=SnapshotType.MANUAL,
        status=status,
        progress=progress,
        tags=dict(tags),
    )


@dataclass(frozen=True, slots=True)
class Point:
    """An object of the engine's as it stands in plans and in the cloud."""

    arn: str
    identifier: str
    at: Location
    marks: Marks

    def record(self, status: str = "available", **marks: object) -> Snapshot:
        tags = tags_of(replace(self.marks, **marks))  # type: ignore[arg-type] # names of fields
        return snapshot(self.arn, tags, status=status)


def primary(days_ago: int = 0, *, instance: str = "orders-1", resource: str = RESOURCE) -> Point:
    slot = SLOT - timedelta(days=days_ago)
    marks = Marks(
        estate=ESTATE,
        policy="gold",
        slot=slot,
        role=Role.PRIMARY,
        resource=resource,
        source=f"arn:aws:rds:{HOME.region}:{HOME.account}:db:{instance}",
        volume=resource,
        zone="euw1-az2",
        keys=("aaaaaaaa",),
    )
    proof = fingerprint(ESTATE, Role.PRIMARY, HOME, resource, "gold", slot)
    name = snapshot_id(instance, "gold", slot, "euw1-az2", proof)
    return Point(snapshot_arn(marks.source, HOME, name), name, HOME, marks)


def copy_of(origin: Point, at: Location = VAULT) -> Point:
    marks = replace(
        origin.marks, role=Role.COPY, keys=(*origin.marks.keys, "bbbbbbbb"), origin=origin.arn
    )
    proof = fingerprint(ESTATE, Role.COPY, at, marks.resource, marks.policy, marks.slot)
    name = derived_id(origin.identifier, proof)
    return Point(snapshot_arn(origin.arn, at, name), name, at, marks)


def create_step(point: Point) -> Step:
    instance = point.marks.source.rpartition(":")[2]
    return _step(
        Action.CREATE,
        point,
        "create",
        {
            "DBInstanceIdentifier": instance,
            "DBSnapshotIdentifier": point.identifier,
            "Tags": tags_of(point.marks),
        },
        (
            Precondition(Check.INSTANCE, point.marks.source, point.marks.resource),
            Precondition(Check.ZONES, point.marks.source, ZONES),
            Precondition(Check.ABSENT, point.arn, point.identifier[-8:]),
        ),
    )


def copy_step(point: Point, *depends_on: Step) -> Step:
    origin = point.marks.origin
    assert origin is not None
    return _step(
        Action.COPY,
        point,
        "copy",
        {
            "SourceDBSnapshotIdentifier": origin,
            "TargetDBSnapshotIdentifier": point.identifier,
            "KmsKeyId": "arn:aws:kms:eu-west-1:222222222222:key/k",
            "Tags": tags_of(point.marks),
            "TagsFromOrigin": ["engine:az", "engine:az-checked"],
        },
        (
            Precondition(Check.SNAPSHOT_STATUS, origin, "available"),
            Precondition(Check.OWNED, origin, origin[-8:]),
            Precondition(Check.ABSENT, point.arn, point.identifier[-8:]),
        ),
        depends_on,
    )


def share_step(point: Point, account: str, *depends_on: Step) -> Step:
    return _step(
        Action.SHARE,
        point,
        "share",
        {"ValuesToAdd": [account], "Tags": {"engine:shared": account}},
        (
            Precondition(Check.SNAPSHOT_STATUS, point.arn, "available"),
            Precondition(Check.OWNED, point.arn, point.identifier[-8:]),
        ),
        depends_on,
        suffix=f"/{account}",
    )


def unshare_step(point: Point, account: str, *depends_on: Step) -> Step:
    return _step(
        Action.UNSHARE,
        point,
        "unshare",
        {"ValuesToRemove": [account], "RemoveTags": ["engine:shared"]},
        (
            Precondition(Check.OWNED, point.arn, point.identifier[-8:]),
            Precondition(Check.NO_COPY_IN_FLIGHT_TO, point.arn, account),
        ),
        depends_on,
        suffix=f"/{account}",
    )


def delete_step(point: Point, *depends_on: Step, witnesses: Sequence[Precondition] = ()) -> Step:
    return _step(
        Action.DELETE,
        point,
        "delete",
        {"DBSnapshotIdentifier": point.identifier},
        (
            Precondition(Check.OWNED, point.arn, point.identifier[-8:]),
            Precondition(Check.UNPINNED, point.arn, "engine:pin"),
            Precondition(Check.SNAPSHOT_STATUS, point.arn, "available"),
            Precondition(Check.ORIGIN_OF_NOTHING_IN_FLIGHT, point.arn, "none"),
            *witnesses,
        ),
        depends_on,
    )


def tag_step(point: Point, tags: Mapping[str, str]) -> Step:
    return _step(
        Action.TAG,
        point,
        "tag",
        {"Tags": dict(tags)},
        (Precondition(Check.OWNED, point.arn, point.identifier[-8:]),),
        suffix="/gone-since",
    )


def _step(
    action: Action,
    point: Point,
    word: str,
    parameters: Mapping[str, object],
    preconditions: tuple[Precondition, ...],
    depends_on: Sequence[Step] = (),
    suffix: str = "",
) -> Step:
    return Step(
        id=f"{word}:{point.at}/{point.identifier}{suffix}",
        action=action,
        actions=(EFFECTS[action],),
        policy="gold",
        arn=point.arn,
        source=SourceRef(HOME.account, HOME.region, "orders-1", point.marks.resource),
        slot=point.marks.slot,
        location=At(point.at.account, point.at.region),
        snapshot=point.identifier,
        parameters=parameters,
        reason=Reason("slot_due", "the slot is due"),
        depends_on=tuple(step.id for step in depends_on),
        preconditions=preconditions,
    )


def plan_of(*steps: Step, locations: Sequence[Location] = (HOME, VAULT, AWAY)) -> Plan:
    scopes = tuple(ScopeRead(at.account, at.region, "ok", 1, 1) for at in locations)
    return Plan(
        format_version="1.0",
        engine_version="0",
        estate=ESTATE,
        as_of=SLOT,
        expires_at=SLOT + timedelta(hours=1),
        policies_digest="sha256:p",
        digest="sha256:d",
        inventory=InventoryRead(complete=True, recorded=False, taken_at=SLOT, scopes=scopes),
        summary=Summary(),
        steps=steps,
    )
