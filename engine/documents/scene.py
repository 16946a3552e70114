"""What `engine simulate` plays, as values: databases that are made up, and what happens to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from engine.documents.model import Place, Window

DEFAULT_QUOTA = 100
"""Manual DB snapshots per account and region (RDS User Guide, Quotas and constraints)."""


@dataclass(frozen=True, slots=True)
class MadeUp:
    """A number of alike databases that are only described.

    `identifier` holds `{n}` where there is more than one. `zones` are the primary's and, for
    Multi-AZ, the standby's, by name. `key` is an ARN or an alias of its own account and region,
    None where it is not encrypted. `change_percent` is how much of it changes in a day.
    `backup_days` and `backup_window` are those of its automated backups.
    """

    account: str
    region: str
    identifier: str
    count: int = 1
    engine: str = "postgres"
    zones: tuple[str, ...] = ()
    key: str | None = None
    gib: int = 100
    change_percent: float = 2.0
    tags: Mapping[str, str] = field(default_factory=dict)
    backup_days: int = 0
    backup_window: Window | None = None
    place: Place | None = None

    def names(self) -> list[str]:
        """Return the identifier of each database."""
        if self.count == 1 and "{n}" not in self.identifier:
            return [self.identifier]
        width = len(str(self.count))
        numbers = (str(number).zfill(width) for number in range(1, self.count + 1))
        return [self.identifier.replace("{n}", number) for number in numbers]


@dataclass(frozen=True, slots=True)
class Allowed:
    """How many manual snapshots an account may hold in a region."""

    account: str
    region: str
    manual_snapshots: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """Databases that are made up, and the quotas where these are not AWS's default."""

    databases: tuple[MadeUp, ...] = ()
    quotas: tuple[Allowed, ...] = ()


class Happening(StrEnum):
    """What can happen, by the word that events files have for it."""

    FAIL_OVER = "fail_over"
    OUTAGE = "outage"
    DELETE = "delete"
    RESTORE = "restore"
    ROTATE_KEY = "rotate_key"
    MISS_RUNS = "miss_runs"
    GROW = "grow"
    CHANGE_RATE = "change_rate"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at a time; which fields say something depends on `what`.

    Attributes:
        at: when.
        what: what kind of thing.
        source: ADDRESS-GLOB of the databases it happens to.
        account: whose regions are out; a name or an id.
        region: which of them; None is all.
        lasts: for how long they are out, or runs are missed.
        target: whose key is rotated, by its name in the estate.
        key: what it is then: an ARN, or an alias resolved there.
        gib: how large the databases are from then on.
        percent: how much of them changes in a day from then on.
        place: where it is written.
    """

    at: datetime
    what: Happening
    source: str = ""
    account: str = ""
    region: str | None = None
    lasts: timedelta = timedelta(0)
    target: str = ""
    key: str = ""
    gib: int = 0
    percent: float = 0.0
    place: Place | None = None

    @property
    def about(self) -> str:
        """What it happens to, as it is written."""
        place = "/".join(part for part in (self.account, self.region) if part)
        return self.source or self.target or place

    @property
    def ends(self) -> datetime:
        """When it is over."""
        return self.at + self.lasts


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is to be played: events in the order of their times."""

    fleets: tuple[Fleet, ...] = ()
    events: tuple[Event, ...] = ()


EMPTY = Scene()
