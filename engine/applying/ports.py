"""What applying needs of the world outside: a cloud, a clock, workers. Protocols and values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar

from engine.aws.roles import Purpose
from engine.aws.sts import Caller
from engine.inventory.records import Event, Instance, Key, Kind, Location, Snapshot

Message = TypeVar("Message")


class Trouble(StrEnum):
    """What an error of the cloud means for the run.

    The codes behind each are those of the RDS API reference, per action, and of its page Common
    Errors; `engine.applying.cloud` maps them.
    """

    THROTTLED = "throttled"
    SERVER_FAULT = "server_fault"
    NO_REPLY = "no_reply"
    TOO_LATE = "too_late"
    CREDENTIALS_EXPIRED = "credentials_expired"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    WRONG_STATE = "wrong_state"
    COPIES_IN_FLIGHT = "copies_in_flight"
    QUOTA = "quota"
    SHARED_QUOTA = "shared_quota"
    KEY = "key"
    DENIED = "denied"
    INVALID = "invalid"
    OTHER = "other"


class CloudError(Exception):
    """A call that the cloud refused, or that never got an answer."""

    def __init__(self, trouble: Trouble, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.trouble = trouble
        self.code = code
        self.message = message


class Listener(Protocol):
    """Whoever wants to know of requests that a client makes by itself within one call."""

    def now(self) -> float:
        """Return seconds of the clock that `sent_at` is told in."""

    def repeated(self, at: Location) -> None:
        """Learn of a request beyond the call's first: a further page, or a retry."""

    def may_repeat(self, at: Location, error: CloudError, sent_at: float) -> bool:
        """Learn of a request's error, before it is known to the caller; allow a retry or not."""


class Cloud(Protocol):
    """The calls of one estate. Each raises CloudError; none retries on its own for long.

    `at` says in which account and region a call is made; snapshots there go by their id. Those of
    DB clusters, `kind` says so, have calls of their own: CreateDBClusterSnapshot and its like.
    """

    def tell(self, listener: Listener) -> None:
        """Tell of every request from now on, those behind a call that succeeds in the end too."""

    def let_pass(self, may_send: Callable[[], bool]) -> None:
        """Send requests of this thread's next change only while they may be sent."""

    def create(
        self,
        at: Location,
        snapshot: str,
        *,
        instance: str,
        tags: Mapping[str, str],
        kind: Kind = Kind.INSTANCE,
    ) -> None:
        """Start a snapshot of a database (CreateDBSnapshot)."""

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
        """Start a copy of the snapshot with the ARN `origin` (CopyDBSnapshot, never CopyTags)."""

    def share(
        self, at: Location, snapshot: str, accounts: Sequence[str], kind: Kind = Kind.INSTANCE
    ) -> None:
        """Let accounts restore and copy a snapshot (ModifyDBSnapshotAttribute)."""

    def unshare(
        self, at: Location, snapshot: str, accounts: Sequence[str], kind: Kind = Kind.INSTANCE
    ) -> None:
        """Take that back from accounts (ModifyDBSnapshotAttribute)."""

    def delete(self, at: Location, snapshot: str, kind: Kind = Kind.INSTANCE) -> None:
        """Delete a snapshot (DeleteDBSnapshot)."""

    def tag(self, at: Location, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags (AddTagsToResource)."""

    def untag(self, at: Location, arn: str, keys: Sequence[str]) -> None:
        """Remove tags (RemoveTagsFromResource)."""

    def snapshots(self, at: Location, kind: Kind = Kind.INSTANCE) -> Sequence[Snapshot]:
        """List the manual snapshots of a location, all pages."""

    def snapshot(self, at: Location, snapshot: str, kind: Kind = Kind.INSTANCE) -> Snapshot | None:
        """Read one snapshot, None where there is none."""

    def instances(self, at: Location, kind: Kind = Kind.INSTANCE) -> Sequence[Instance]:
        """List the databases of a location, all pages."""

    def instance(self, at: Location, instance: str) -> Instance | None:
        """Read one instance, None where there is none."""

    def modify_backups(
        self, at: Location, instance: str, *, retention_days: int | None, window: str | None
    ) -> None:
        """Change automated backups (ModifyDBInstance, never ApplyImmediately)."""

    def replicate_backups(
        self, at: Location, instance_arn: str, *, retention_days: int, key: str | None
    ) -> None:
        """Receive automated backups (StartDBInstanceAutomatedBackupsReplication)."""

    def stop_replication(self, at: Location, instance_arn: str) -> None:
        """Receive them no longer (StopDBInstanceAutomatedBackupsReplication)."""

    def fail_over(self, at: Location, instance: str) -> None:
        """Fail an instance over (RebootDBInstance, ForceFailover); sent once, whatever comes."""

    def events(self, at: Location, since: datetime) -> tuple[Event, ...]:
        """List the events of a location's instances since a time, all pages."""


class Probes(Protocol):
    """What can be asked before the first change. Each raises CloudError; `at` is as for Cloud."""

    def role(self, at: Location, purpose: Purpose) -> str | None:
        """Return the ARN of the role worked with, None where it is the caller's credentials."""

    def caller(self, at: Location, purpose: Purpose) -> Caller:
        """Return whose credentials the calls are made with (GetCallerIdentity)."""

    def key(self, at: Location, reference: str, purpose: Purpose) -> Key | None:
        """Read a key as an account sees it, None where there is none (DescribeKey)."""


class Clock(Protocol):
    """Time, so that tests need not wait for it."""

    def now(self) -> datetime:
        """Return the time of day, timezone-aware."""

    def elapsed(self) -> float:
        """Return seconds since some fixed moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait, less when the run is stopped."""


class Workers(Protocol[Message]):
    """Whoever makes the calls, and the way their results come back."""

    def submit(self, work: Callable[[], Message]) -> Future[Message]:
        """Have `work` done; the future will be received when it has ended."""

    def receive(self, seconds: float) -> Future[Message] | None:
        """Return the next work that ended, None when there was none for `seconds`."""

    def close(self) -> None:
        """Wait for work under way; take no more."""
