"""S3 as the store of shared state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.applying.objects import ConflictError, DoubtError, Stored
from engine.aws import s3
from engine.aws.clients import Clients
from engine.aws.errors import AwsError, Reaction
from engine.aws.roles import Purpose
from engine.inventory.records import Location

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class Bucket:
    """A bucket of S3, used with the role that its account's changes are made with."""

    def __init__(self, clients: Clients, at: Location, name: str) -> None:
        self._clients = clients
        self._at = at
        self._name = name

    @property
    def place(self) -> str:
        """The bucket's URL."""
        return f"s3://{self._name}"

    def read(self, key: str) -> Stored | None:
        """Return an object, None where there is none."""
        found = s3.read_object(self._client(), self._at, self._name, key)
        return None if found is None else Stored(found.body, found.etag, found.age)

    def write(self, key: str, body: bytes, *, over: str | None) -> str:
        """Write an object over the one with the tag `over`, None for over nothing."""
        with _doubting():
            return s3.write_object(self._client(), self._at, self._name, key, body, over=over)

    def keys(self, prefix: str) -> Sequence[str]:
        """Return the keys that begin with a prefix, in order."""
        return list(s3.list_keys(self._client(), self._at, self._name, prefix))

    def folders(self, prefix: str, after: str) -> Sequence[str]:
        """Return what comes between `prefix` and the next slash, beyond `after`, in order."""
        client = self._client()
        return list(s3.list_folders(client, self._at, self._name, prefix, after=after))

    def _client(self) -> S3Client:
        return self._clients.s3(self._at, Purpose.CHANGE)


@contextmanager
def _doubting() -> Iterator[None]:
    """Tell a write that was refused, and one that may have happened, from one that did not."""
    try:
        yield
    except AwsError as error:
        words = {"where": error.where, "why": error.why, "fix": error.fix}
        if error.code in s3.CONDITION_CODES:
            raise ConflictError(error.what, **words) from error
        if error.reaction in {Reaction.OUTCOME_UNKNOWN, Reaction.RETRY_SOON}:
            raise DoubtError(error.what, **words) from error
        raise
