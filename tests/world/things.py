"""What the model of AWS holds: databases, snapshots, places and keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.inventory.records import Instance, Key, KeyManager, Location

PROD, VAULT = "111111111111", "222222222222"
WEST, CENTRAL = "eu-west-1", "eu-central-1"
STRANGER, OTHER = "999999999999", "888888888888"
HOME = Location(PROD, WEST)
SISTER = Location(PROD, CENTRAL)
LOCAL = Location(VAULT, WEST)
REMOTE = Location(VAULT, CENTRAL)
LOCATIONS = (HOME, SISTER, LOCAL, REMOTE)
NO_KEY = "none"


class Stored(StrEnum):
    """How AWS stored a snapshot. The user guide and the AWS blog disagree at times: UNCLEAR."""

    FULL = "full"
    INCREMENTAL = "incremental"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Media:
    """A physical disk: an instance's volume in one zone."""

    resource: str
    zone: str


@dataclass(slots=True)
class Database:
    """An RDS instance. `zones` are the primary's and, for Multi-AZ, the standby's, by name.

    `replicates` is the resource of the database at its location that it is a read replica of.
    """

    location: Location
    identifier: str
    resource: str
    engine: str
    zones: tuple[str, ...]
    key: str
    tags: dict[str, str]
    born: datetime
    status: str = "available"
    replicates: str | None = None

    @property
    def arn(self) -> str:
        """Its ARN; renaming changes it."""
        return f"arn:aws:rds:{self.location.region}:{self.location.account}:db:{self.identifier}"

    @property
    def media(self) -> Media:
        """The disk that a snapshot reads: the standby's, but for SQL Server."""
        reads_primary = self.engine.startswith("sqlserver")
        return Media(self.resource, self.zones[0] if reads_primary else self.zones[-1])


@dataclass(slots=True)
class Thing:
    """A snapshot, with what AWS shows of it and what only this model knows.

    `line` are the keys along the way it came, `protects` the source whose backup it truly is.
    """

    arn: str
    location: Location
    identifier: str
    database: str
    engine: str
    media: Media
    line: tuple[str, ...]
    stored: Stored
    original: datetime
    made: datetime
    ready: datetime
    protects: tuple[Location, str]
    tags: dict[str, str]
    by_engine: bool
    status: str = "creating"
    origin: str | None = None
    shared: set[str] = field(default_factory=set)

    @property
    def is_available(self) -> bool:
        """Whether it can be restored and copied."""
        return self.status == "available"

    @property
    def is_in_flight(self) -> bool:
        """Whether it is being made."""
        return self.status in ("creating", "copying")

    @property
    def key(self) -> str:
        """The key it is encrypted under."""
        return self.line[-1]


def zone_names(location: Location) -> Mapping[str, str]:
    """The zone names of an account and the ids behind them; accounts see different names."""
    shift = 0 if location.account == PROD else 1
    short = "euw1" if location.region == WEST else "euc1"
    return {
        f"{location.region}{letter}": f"{short}-az{(number + shift) % 3 + 1}"
        for number, letter in enumerate("abc")
    }


def key_arn(location: Location, alias: str) -> str:
    """The ARN of the key behind an alias."""
    return f"arn:aws:kms:{location.region}:{location.account}:key/{alias.replace('/', '-')}"


def keys_at(location: Location) -> Mapping[str, Key]:
    """The keys of a location, by ARN; AWS manages the one that RDS uses by default."""
    return {
        key_arn(location, alias): Key(
            key_arn(location, alias),
            KeyManager.AWS if alias.startswith("aws/") else KeyManager.CUSTOMER,
            aliases=(f"alias/{alias}",),
        )
        for alias in ("aws/rds", "app", "backups", "backups-2", "backup-share")
    }


def instance_record(database: Database, others: Iterable[Database] = ()) -> Instance:
    """Return the record that AWS gives of a database among others at its location."""
    near = [one for one in others if one.location == database.location]
    followed = [one.identifier for one in near if one.resource == database.replicates]
    return Instance(
        arn=database.arn,
        location=database.location,
        identifier=database.identifier,
        resource_id=database.resource,
        engine=database.engine,
        status=database.status,
        multi_az=len(database.zones) > 1,
        availability_zone=database.zones[0],
        secondary_zone=database.zones[1] if len(database.zones) > 1 else None,
        encrypted=database.key != NO_KEY,
        kms_key=None if database.key == NO_KEY else database.key,
        allocated_gib=100,
        created_at=database.born,
        tags=dict(database.tags),
        replica_of=followed[0] if followed else None,
        replicas=tuple(one.identifier for one in near if one.replicates == database.resource),
        replication="replicating" if followed else None,
    )


def zone_pair(database: Database) -> str:
    """Return `primary/standby` by AZ name; without standby it ends in a slash."""
    return "/".join((*database.zones, "")[:2])
