"""AWS as the executor's cloud: reads with the read role, changes with the role."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from engine.applying.ports import CloudError, Listener, Trouble
from engine.aws import rds, rds_clusters
from engine.aws.attempts import ask, watch
from engine.aws.clients import Clients, UnknownAccountError
from engine.aws.errors import (
    NO_CREDENTIALS,
    NO_REPLY,
    NOT_SENT,
    TOO_LATE,
    AwsError,
    HeldBackError,
    Reaction,
)
from engine.aws.roles import Purpose
from engine.inventory.records import Event, Instance, Kind, Location, Snapshot

if TYPE_CHECKING:
    from mypy_boto3_rds.client import RDSClient

_BY_CODE = {
    "SnapshotQuotaExceeded": Trouble.QUOTA,
    "SharedSnapshotQuotaExceeded": Trouble.SHARED_QUOTA,
    "KMSKeyNotAccessibleFault": Trouble.KEY,
    "AccessDenied": Trouble.DENIED,
    "AccessDeniedException": Trouble.DENIED,
    "UnauthorizedOperation": Trouble.DENIED,
    "OptInRequired": Trouble.DENIED,
    "InvalidClientTokenId": Trouble.DENIED,
    NO_CREDENTIALS: Trouble.DENIED,
    "InvalidParameterValue": Trouble.INVALID,
    "InvalidParameterCombination": Trouble.INVALID,
    "MissingParameter": Trouble.INVALID,
    "ValidationError": Trouble.INVALID,
}

_SHARES = {Kind.INSTANCE: rds.share_snapshot, Kind.CLUSTER: rds_clusters.share_snapshot}
_UNSHARES = {Kind.INSTANCE: rds.unshare_snapshot, Kind.CLUSTER: rds_clusters.unshare_snapshot}
_DELETES = {Kind.INSTANCE: rds.delete_snapshot, Kind.CLUSTER: rds_clusters.delete_snapshot}
_LISTINGS = {Kind.INSTANCE: rds.list_snapshots, Kind.CLUSTER: rds_clusters.list_snapshots}
_FINDINGS = {Kind.INSTANCE: rds.find_snapshot, Kind.CLUSTER: rds_clusters.find_snapshot}
_DATABASES = {Kind.INSTANCE: rds.list_instances, Kind.CLUSTER: rds_clusters.list_clusters}


class AwsCloud:
    """The cloud that `engine apply` works on."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._listener: Listener | None = None
        self._call = threading.local()
        self._guard = threading.Lock()
        self._watched: set[tuple[Location, Purpose]] = set()

    def tell(self, listener: Listener) -> None:
        """Tell of every request from now on, those behind a call that succeeds in the end too."""
        self._listener = listener

    def let_pass(self, may_send: Callable[[], bool]) -> None:
        """Send requests of this thread's next change only while they may be sent."""
        self._call.may_send = may_send

    def create(
        self,
        at: Location,
        snapshot: str,
        *,
        instance: str,
        tags: Mapping[str, str],
        kind: Kind = Kind.INSTANCE,
    ) -> None:
        """Start a snapshot of a database."""
        with self._calling(at, Purpose.CHANGE) as client:
            if kind is Kind.CLUSTER:
                rds_clusters.create_snapshot(client, at, snapshot, cluster=instance, tags=tags)
            else:
                rds.create_snapshot(client, at, snapshot, instance=instance, tags=tags)

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
        """Start a copy of the snapshot with the ARN `origin`."""
        with self._calling(at, Purpose.CHANGE) as client:
            if kind is Kind.CLUSTER:
                rds_clusters.copy_snapshot(client, at, snapshot, origin=origin, key=key, tags=tags)
                return
            rds.copy_snapshot(
                client,
                at,
                snapshot,
                origin=origin,
                key=key,
                tags=tags,
                option_group=option_group,
            )

    def share(
        self, at: Location, snapshot: str, accounts: Sequence[str], kind: Kind = Kind.INSTANCE
    ) -> None:
        """Let accounts restore and copy a snapshot."""
        with self._calling(at, Purpose.CHANGE) as client:
            _SHARES[kind](client, at, snapshot, accounts)

    def unshare(
        self, at: Location, snapshot: str, accounts: Sequence[str], kind: Kind = Kind.INSTANCE
    ) -> None:
        """Take that back from accounts."""
        with self._calling(at, Purpose.CHANGE) as client:
            _UNSHARES[kind](client, at, snapshot, accounts)

    def delete(self, at: Location, snapshot: str, kind: Kind = Kind.INSTANCE) -> None:
        """Delete a snapshot."""
        with self._calling(at, Purpose.CHANGE) as client:
            _DELETES[kind](client, at, snapshot)

    def tag(self, at: Location, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags."""
        with self._calling(at, Purpose.CHANGE) as client:
            rds.add_tags(client, at, arn, tags)

    def untag(self, at: Location, arn: str, keys: Sequence[str]) -> None:
        """Remove tags."""
        with self._calling(at, Purpose.CHANGE) as client:
            rds.remove_tags(client, at, arn, keys)

    def snapshots(self, at: Location, kind: Kind = Kind.INSTANCE) -> Sequence[Snapshot]:
        """List the manual snapshots of a location."""
        with self._calling(at, Purpose.READ) as client:
            return _LISTINGS[kind](client, at, "manual")

    def snapshot(self, at: Location, snapshot: str, kind: Kind = Kind.INSTANCE) -> Snapshot | None:
        """Read one snapshot."""
        with self._calling(at, Purpose.READ) as client:
            return _FINDINGS[kind](client, at, snapshot)

    def instances(self, at: Location, kind: Kind = Kind.INSTANCE) -> Sequence[Instance]:
        """List the databases of a location."""
        with self._calling(at, Purpose.READ) as client:
            return _DATABASES[kind](client, at)

    def instance(self, at: Location, instance: str) -> Instance | None:
        """Read one instance."""
        with self._calling(at, Purpose.READ) as client:
            return rds.find_instance(client, at, instance)

    def modify_backups(
        self, at: Location, instance: str, *, retention_days: int | None, window: str | None
    ) -> None:
        """Change retention or window of automated backups."""
        with self._calling(at, Purpose.CHANGE) as client:
            rds.modify_automated_backups(
                client, at, instance, retention_days=retention_days, window=window
            )

    def replicate_backups(
        self, at: Location, instance_arn: str, *, retention_days: int, key: str | None
    ) -> None:
        """Receive the automated backups of an instance."""
        with self._calling(at, Purpose.CHANGE) as client:
            rds.start_replication(client, at, instance_arn, retention_days=retention_days, key=key)

    def stop_replication(self, at: Location, instance_arn: str) -> None:
        """Receive them no longer."""
        with self._calling(at, Purpose.CHANGE) as client:
            rds.stop_replication(client, at, instance_arn)

    def fail_over(self, at: Location, instance: str) -> None:
        """Fail an instance over; no request of it is repeated, since a second one may be another.

        Its first may have brought an answer that was lost.
        """
        with self._calling(at, Purpose.CHANGE) as client:
            self._call.once = True
            try:
                rds.fail_over(client, at, instance)
            finally:
                self._call.once = False

    def events(self, at: Location, since: datetime) -> tuple[Event, ...]:
        """List the events of a location's instances since a time."""
        with self._calling(at, Purpose.READ) as client:
            return rds.list_events(client, at, since)

    @contextmanager
    def _calling(self, at: Location, purpose: Purpose) -> Iterator[RDSClient]:
        """Give the client for one call; raise what is told of its errors as CloudError."""
        try:
            yield self._client(at, purpose)
        except AwsError as error:
            raise CloudError(trouble_of(error), error.code, error.message) from error
        except UnknownAccountError as error:
            raise CloudError(Trouble.DENIED, "UnknownAccount", error.what) from error

    def _client(self, at: Location, purpose: Purpose) -> RDSClient:
        client = self._clients.rds(at, purpose)
        self._call.requests = 0
        if self._listener is not None:
            self._call.sent_at = self._listener.now()
        with self._guard:
            if (at, purpose) not in self._watched:
                watch(client, at, lambda error: self._heard(at, error))
                if purpose is Purpose.CHANGE:
                    ask(client, self._hold_back)
                self._watched.add((at, purpose))
        return client

    def _hold_back(self) -> None:
        """Raise HeldBackError if the request that this thread is about to send comes too late."""
        may_send = getattr(self._call, "may_send", None)
        if may_send is not None and not may_send():
            raise HeldBackError(TOO_LATE if self._call.requests == 0 else NO_REPLY)

    def _heard(self, at: Location, error: AwsError | None) -> bool:
        """Tell the listener of a request of the call that this thread is making."""
        is_once = getattr(self._call, "once", False)
        call = self._call
        call.requests += 1
        if self._listener is None:
            return not is_once
        if call.requests > 1:
            self._listener.repeated(at)
        sent_at, call.sent_at = call.sent_at, self._listener.now()
        if error is None:
            return True
        told = CloudError(trouble_of(error), error.code, error.message)
        return self._listener.may_repeat(at, told, sent_at) and not is_once


def trouble_of(error: AwsError) -> Trouble:
    """Return what an error of AWS means for a run."""
    match error.reaction:
        case Reaction.WAIT_AND_REPLAN:
            is_limit = error.code.startswith("SnapshotQuotaExceeded")
            return Trouble.COPIES_IN_FLIGHT if is_limit else Trouble.WRONG_STATE
        case Reaction.REFRESH_CREDENTIALS:
            return Trouble.CREDENTIALS_EXPIRED
        case Reaction.DONE:
            return Trouble.NOT_FOUND
        case Reaction.OUTCOME_UNKNOWN:
            exists = "AlreadyExists" in error.code
            return Trouble.ALREADY_EXISTS if exists else Trouble.NO_REPLY
        case Reaction.RETRY_SOON:
            return _passing(error.code)
        case Reaction.STOP_BRANCH:
            return _lasting(error.code)


def _passing(code: str) -> Trouble:
    if code == NOT_SENT:
        return Trouble.SERVER_FAULT
    if code == TOO_LATE:
        return Trouble.TOO_LATE
    server = code.isdigit() and code != "429"
    server = server or code.startswith(("Internal", "Service", "Unavailable", "RequestTimeout"))
    return Trouble.SERVER_FAULT if server else Trouble.THROTTLED


def _lasting(code: str) -> Trouble:
    if "NotFound" in code:
        return Trouble.NOT_FOUND
    return _BY_CODE.get(code, _BY_CODE.get(code.removesuffix("Fault"), Trouble.OTHER))
