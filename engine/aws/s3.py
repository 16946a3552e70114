"""The calls of S3 that shared state needs: whole objects, written under a condition."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypedDict

from engine.aws.errors import UNREADABLE_REPLY, AwsError, calling
from engine.inventory.records import Location

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# Codes and statuses: S3 User Guide, How to prevent object overwrites with conditional writes.
# NoSuchKey answers a write over an object that is gone.
CONDITION_CODES = frozenset(
    {"PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey"}
)
_NO_OBJECT = "NoSuchKey"


class _Condition(TypedDict, total=False):
    IfNoneMatch: str
    IfMatch: str


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as S3 gave it out.

    `age` is the time since it was written by S3's own clock (the answer's Date less the object's
    LastModified, both in whole seconds), so that no machine's clock has a say; zero where an
    answer lacks one of the two.
    """

    body: bytes
    etag: str
    age: timedelta


def send_at_once(client: S3Client) -> None:
    """Let a client's writes go without asking whether they may (`Expect: 100-continue`).

    For small objects the question takes as long as the write, and a second where nobody answers.
    """
    client.meta.events.register_last("before-call.s3", _drop_the_question)


def _drop_the_question(params: dict[str, dict[str, str]], **_: object) -> None:
    params["headers"].pop("Expect", None)


def read_object(client: S3Client, at: Location, bucket: str, key: str) -> StoredObject | None:
    """Return an object, None where there is none.

    Without s3:ListBucket S3 says AccessDenied of what is not there (API reference, GetObject).
    """
    try:
        with calling("s3:GetObject", at):
            answer = client.get_object(Bucket=bucket, Key=key)
            with answer["Body"] as stream:
                body = stream.read()
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        tag = _tag(answer.get("ETag"), "s3:GetObject", at)
        return StoredObject(body, tag, _age(date, answer.get("LastModified")))
    except AwsError as error:
        if error.code == _NO_OBJECT:
            return None
        raise


def write_object(
    client: S3Client, at: Location, bucket: str, key: str, body: bytes, *, over: str | None
) -> str:
    """Write an object if what stands there is as expected; return its ETag.

    Args:
        client: the location's.
        at: the location.
        bucket: its name.
        key: the object's.
        body: what it is to hold.
        over: the ETag of what it replaces (If-Match); None: nothing may stand there
            (If-None-Match).

    Raises:
        AwsError: with one of CONDITION_CODES where something else stands there.
    """
    condition: _Condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over}
    with calling("s3:PutObject", at):
        answer = client.put_object(
            Bucket=bucket, Key=key, Body=body, ContentType="application/json", **condition
        )
    return _tag(answer.get("ETag"), "s3:PutObject", at)


def _tag(told: str | None, operation: str, at: Location) -> str:
    """Return the ETag of an answer: one without it is not S3's, but of something in between."""
    if not told:
        raise AwsError(UNREADABLE_REPLY, "the answer has no ETag", operation, at)
    return told


def list_keys(client: S3Client, at: Location, bucket: str, prefix: str) -> Iterator[str]:
    """Yield the keys that begin with a prefix, in the order of their bytes."""
    with calling("s3:ListObjectsV2", at):
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            yield from (found["Key"] for found in page.get("Contents", ()))


def list_folders(
    client: S3Client, at: Location, bucket: str, prefix: str, *, after: str
) -> Iterator[str]:
    """Yield what stands between a prefix and the next slash in the keys that follow `after`."""
    with calling("s3:ListObjectsV2", at):
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix, Delimiter="/", StartAfter=prefix + after
        )
        for page in pages:
            for found in page.get("CommonPrefixes", ()):
                yield found["Prefix"].removeprefix(prefix).rstrip("/")


def _age(date: str, written: datetime | None) -> timedelta:
    try:
        now = parsedate_to_datetime(date)
    except ValueError:
        return timedelta()
    if written is None or now.tzinfo is None:
        return timedelta()
    return max(timedelta(), now - written)
