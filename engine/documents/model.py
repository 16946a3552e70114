"""The typed documents. A leaf: values only; planning reads them, `load` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from engine.documents.objective_model import NO_OBJECTIVES, Objectives
from engine.inventory.records import Kind
from engine.retention.keep import Keep
from engine.retention.spans import Span

if TYPE_CHECKING:
    from engine.documents.control_model import Control

UTC_ZONE = ZoneInfo("UTC")
DEFAULT_QUIET = timedelta(days=1)
DEFAULT_IDLE_AFTER = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the documents something stands; line and column count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


# -- the estate ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account of the estate.

    `role` is what changes are made with, `read_role` what is read with: a role's name, its ARN,
    or None for the caller's own credentials. `rekey` is the key that bridges are encrypted under.
    """

    name: str
    id: str
    regions: tuple[str, ...]
    role: str | None = None
    read_role: str | None = None
    external_id: str | None = None
    rekey: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A named location with a key (an ARN, or an alias resolved there) to which copies go."""

    name: str
    account: str
    region: str
    key: str


@dataclass(frozen=True, slots=True)
class RegionalTarget:
    """A target that stands for another one, chosen by the region of the source."""

    name: str
    by_source_region: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MaxDeletes:
    """How many excess deletes pass without acknowledgement, as a count and as a percentage."""

    count: int = 50
    percent: int = 20


@dataclass(frozen=True, slots=True)
class FullCopies:
    """How many copies, and how many GiB of them, may be stored in full in one plan."""

    count: int | None = None
    gib: int | None = None


@dataclass(frozen=True, slots=True)
class Guards:
    """Limits that withhold steps, and the digests a person has acknowledged."""

    max_deletes: MaxDeletes = MaxDeletes()
    min_points: int = 1
    full_copies: FullCopies = FullCopies()
    acknowledged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Retire:
    """Unmanaged points that may go. All conditions given must hold; globs.

    `sources` and `locations` are ADDRESS globs: `ACCOUNT/REGION/IDENTIFIER`, `ACCOUNT/REGION`.
    """

    policy: str | None = None
    sources: str | None = None
    locations: str | None = None
    reason: str | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket that a team keeps lock and journal in: its account's name, and a prefix there."""

    account: str
    bucket: str
    region: str
    prefix: str = "engine"


Bounds = tuple[float, float]
"""The least and the most that an amount can be."""


@dataclass(frozen=True, slots=True)
class OwnPrices:
    """What an estate pays, in USD, where that is not what AWS lists.

    Storage is per GiB and month by region, transfer per GiB by the region that data leaves, or by
    `ORIGIN to DESTINATION`.
    """

    snapshots: Mapping[str, Bounds] = field(default_factory=dict)
    cluster_snapshots: Mapping[str, Bounds] = field(default_factory=dict)
    transfer: Mapping[str, Bounds] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Estate:
    """The accounts, regions, targets and guards that one repository governs.

    `state` is None where lock and journal are those of one machine.
    """

    name: str
    accounts: Mapping[str, Account]
    targets: Mapping[str, Target | RegionalTarget] = field(default_factory=dict)
    guards: Guards = Guards()
    retire: tuple[Retire, ...] = ()
    state: Bucket | None = None
    place: Place | None = None
    prices: OwnPrices = OwnPrices()


# -- policies ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Condition:
    """What a source must be like: every field that is given must match; lists are alternatives.

    All texts are globs (`*`, `?`, `[…]`), compared as a whole and case-sensitively. `accounts`
    holds account names; `tags` maps a tag's key to the alternatives for its value.
    """

    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Select:
    """Which sources a policy or an override takes.

    `rest` takes what no other policy takes; `replicas` also takes read replicas.
    """

    condition: Condition = Condition()
    exclude: tuple[Condition, ...] = ()
    replicas: bool = False
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """A time of day from `start` to `end`, minutes since local midnight; may wrap midnight."""

    start: int
    end: int

    @property
    def minutes(self) -> int:
        """How long it is."""
        return (self.end - self.start) % 1440

    def __str__(self) -> str:
        times = (f"{minute // 60:02}:{minute % 60:02}" for minute in (self.start, self.end))
        return "-".join(times)


@dataclass(frozen=True, slots=True)
class Every:
    """A slot each `period`: below a day a divisor of the day, else whole days."""

    period: timedelta


@dataclass(frozen=True, slots=True)
class Cron:
    """A slot at each local time that a five-field cron expression names."""

    expression: str


class CatchUp(StrEnum):
    """What to do about a slot that no run met in time."""

    LATEST = "latest"
    IN_WINDOW = "in_window"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When recovery points are due."""

    cadence: Every | Cron
    window: Window | None = None
    catch_up: CatchUp = CatchUp.LATEST


class Incremental(StrEnum):
    """What to do about a copy that AWS would store in full."""

    REQUIRE = "require"
    PREFER = "prefer"
    IGNORE = "ignore"


Backfill = int | Literal["all"]


@dataclass(frozen=True, slots=True)
class CopyRule:
    """One target of a policy.

    `every` sends only the first point of each period; `backfill` is how many older points, beside
    the newest, an empty target gets; `keep` is None where the policy's own retention holds.
    `option_group` is one of the target's account and region, None for the engine's default one.
    """

    target: str
    every: timedelta | None = None
    backfill: Backfill = 0
    keep: Keep | None = None
    option_group: str | None = None


HOME = "source"
"""What `from` of a share says where the source's own location is meant."""


@dataclass(frozen=True, slots=True)
class ShareRule:
    """Who may read the newest points, and how many of them.

    `accounts` are names of the estate's accounts or ids of others; `origin` is HOME or the name of
    the target whose copies are meant.
    """

    accounts: tuple[str, ...]
    newest: int = 1
    origin: str = HOME


class Fallback(StrEnum):
    """What is snapshotted where no replica will do."""

    INSTANCE = "instance"
    NONE = "none"


class MadeOf(StrEnum):
    """What a point is made of: a new snapshot of the database, or a copy of an automated one."""

    DATABASE = "database"
    AUTOMATED = "automated"


@dataclass(frozen=True, slots=True)
class ReplicaSource:
    """Which read replica is snapshotted in the database's place.

    `replica` is a glob over identifiers, `availability_zone` a name or an id. `max_lag` is how far
    behind the database the replica's last snapshot may have been.
    """

    replica: str
    availability_zone: str | None = None
    max_lag: timedelta | None = None
    fallback: Fallback = Fallback.INSTANCE


class Topology(StrEnum):
    """Where targets get their copies from: all from the source, or from where it is cheapest."""

    STAR = "star"
    CHEAPEST = "cheapest"


@dataclass(frozen=True, slots=True)
class SnapshotTerms:
    """What a policy says of snapshots. No schedule: none are made; an empty keep keeps all.

    `source` is None where the database itself is snapshotted. `changed_per_day` is the percentage
    of the storage that one day changes, None where nobody says; it only serves estimates.
    """

    schedule: Schedule | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    keep: Keep = field(default_factory=Keep)
    incremental: Incremental = Incremental.PREFER
    copies: tuple[CopyRule, ...] = ()
    source: ReplicaSource | None = None
    made_of: MadeOf = MadeOf.DATABASE
    changed_per_day: Bounds | None = None
    topology: Topology = Topology.STAR


class FailBack(StrEnum):
    """What is done about a database that failed over."""

    NEVER = "never"
    PROPOSE = "propose"
    IN_WINDOW = "in_window"


@dataclass(frozen=True, slots=True)
class Failover:
    """Which zone the primary should run in, by name or id, and what to do where it does not.

    It is not failed back by itself within `quiet` of its last failover.
    """

    preferred_az: str | None = None
    fail_back: FailBack = FailBack.NEVER
    quiet: timedelta = DEFAULT_QUIET


@dataclass(frozen=True, slots=True)
class Orphans:
    """What becomes of the points of a source that is gone: kept for, and how many for ever."""

    keep_for: Span
    keep_last: int = 1


@dataclass(frozen=True, slots=True)
class Replication:
    """The target whose region receives a database's automated backups, and for how many days."""

    target: str
    retention_days: int = 7


class Replicating(StrEnum):
    """What holds of replication where no target is named."""

    AS_IT_IS = "as_it_is"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class AutomatedTerms:
    """What a policy says of the automated backups of RDS; None is left as it is.

    `window` is UTC: the windows of RDS follow no daylight saving time (API reference,
    ModifyDBInstance, PreferredBackupWindow).
    """

    retention_days: int | None = None
    window: Window | None = None
    replicate_to: Replication | Replicating = Replicating.AS_IT_IS


@dataclass(frozen=True, slots=True)
class OneOff:
    """A point at an announced time: it stays for `keep_for` from then, whatever rules say."""

    at: datetime
    reason: str
    keep_for: timedelta

    @property
    def keep_until(self) -> datetime:
        """When the rules alone decide about it again."""
        return self.at + self.keep_for


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything a policy says of one source, defaults and overrides applied."""

    timezone: ZoneInfo = UTC_ZONE
    snapshots: SnapshotTerms = SnapshotTerms()
    objectives: Objectives = NO_OBJECTIVES
    orphans: Orphans | None = None
    idle_after: timedelta = DEFAULT_IDLE_AFTER
    hold: str | None = None
    automated: AutomatedTerms = AutomatedTerms()
    events: tuple[OneOff, ...] = ()
    share_with: tuple[ShareRule, ...] = ()
    failover: Failover = Failover()


Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """Changes to the terms for some of a policy's sources.

    `changes` maps a path of attribute names in `Terms` (`("snapshots", "incremental")`,
    `("snapshots", "tags", "cost-centre")`) to its new value; None in a tag's place removes it.
    """

    select: Select
    changes: Mapping[Path, Any] = field(default_factory=dict)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy: whom it takes, and on what terms. All it takes is of one kind."""

    name: str
    select: Select
    terms: Terms = Terms()
    formerly: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    place: Place | None = None
    protects: Kind = Kind.INSTANCE


@dataclass(frozen=True, slots=True)
class Documents:
    """All documents of a repository. `digest` is `sha256:…` over what they mean.

    `controls` have a digest of their own: a new rule of auditors makes no saved plan stale.
    """

    estate: Estate
    policies: Mapping[str, Policy]
    digest: str = ""
    controls: tuple[Control, ...] = ()
    controls_digest: str = ""

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of databases there is anything to plan for: instances always are."""
        return frozenset({Kind.INSTANCE, *(one.protects for one in self.policies.values())})

    def of(self, kind: Kind) -> Documents:
        """Return the documents as they are for one kind of databases."""
        if self.kinds == {kind}:
            return self
        chosen = {name: one for name, one in self.policies.items() if one.protects is kind}
        return replace(self, policies=chosen)
