"""AWS as the executor's cloud: reads with the read role, changes with the role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.applying.ports import CloudError, Trouble
from engine.aws import rds
from engine.aws.clients import Clients, UnknownAccountError
from engine.aws.errors import NO_CREDENTIALS, NOT_SENT, AwsError, Reaction
from engine.aws.roles import Purpose
from engine.inventory.records import Instance, Location, Snapshot

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


class AwsCloud:
    """The cloud that `engine apply` works on."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def create(
        self, at: Location, snapshot: str, *, instance: str, tags: Mapping[str, str]
    ) -> None:
        """Start a snapshot of an instance."""
        with _translated():
            rds.create_snapshot(self._changer(at), at, snapshot, instance=instance, tags=tags)

    def copy(
        self, at: Location, snapshot: str, *, origin: str, key: str | None, tags: Mapping[str, str]
    ) -> None:
        """Start a copy of the snapshot with the ARN `origin`."""
        with _translated():
            rds.copy_snapshot(self._changer(at), at, snapshot, origin=origin, key=key, tags=tags)

    def share(self, at: Location, snapshot: str, accounts: Sequence[str]) -> None:
        """Let accounts restore and copy a snapshot."""
        with _translated():
            rds.share_snapshot(self._changer(at), at, snapshot, accounts)

    def unshare(self, at: Location, snapshot: str, accounts: Sequence[str]) -> None:
        """Take that back from accounts."""
        with _translated():
            rds.unshare_snapshot(self._changer(at), at, snapshot, accounts)

    def delete(self, at: Location, snapshot: str) -> None:
        """Delete a snapshot."""
        with _translated():
            rds.delete_snapshot(self._changer(at), at, snapshot)

    def tag(self, at: Location, arn: str, tags: Mapping[str, str]) -> None:
        """Set tags."""
        with _translated():
            rds.add_tags(self._changer(at), at, arn, tags)

    def untag(self, at: Location, arn: str, keys: Sequence[str]) -> None:
        """Remove tags."""
        with _translated():
            rds.remove_tags(self._changer(at), at, arn, keys)

    def snapshots(self, at: Location) -> Sequence[Snapshot]:
        """List the manual snapshots of a location."""
        with _translated():
            return rds.list_snapshots(self._reader(at), at, "manual")

    def snapshot(self, at: Location, snapshot: str) -> Snapshot | None:
        """Read one snapshot."""
        with _translated():
            return rds.find_snapshot(self._reader(at), at, snapshot)

    def instances(self, at: Location) -> Sequence[Instance]:
        """List the instances of a location."""
        with _translated():
            return rds.list_instances(self._reader(at), at)

    def _reader(self, at: Location) -> RDSClient:
        return self._clients.rds(at, Purpose.READ)

    def _changer(self, at: Location) -> RDSClient:
        return self._clients.rds(at, Purpose.CHANGE)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except AwsError as error:
        raise CloudError(trouble_of(error), error.code, error.message) from error
    except UnknownAccountError as error:
        raise CloudError(Trouble.DENIED, "UnknownAccount", error.what) from error


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
    server = code.isdigit() and code != "429"
    server = server or code.startswith(("Internal", "Service", "Unavailable", "RequestTimeout"))
    return Trouble.SERVER_FAULT if server else Trouble.THROTTLED


def _lasting(code: str) -> Trouble:
    if "NotFound" in code:
        return Trouble.NOT_FOUND
    return _BY_CODE.get(code, _BY_CODE.get(code.removesuffix("Fault"), Trouble.OTHER))
