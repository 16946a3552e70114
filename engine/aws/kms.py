"""The calls of KMS that backups need."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from engine.aws.errors import AwsError, calling
from engine.inventory.bulk import Strings
from engine.inventory.convert import key_arn, key_record
from engine.inventory.records import Key, KeyManager, Location
from engine.inventory.wire import WireKey

if TYPE_CHECKING:
    from mypy_boto3_kms.client import KMSClient

AWS_ALIASES = "alias/aws/"
RDS_DEFAULT_ALIAS = "alias/aws/rds"

_GONE = frozenset({"NotFoundException", "InvalidArnException"})


def list_aliases(client: KMSClient, at: Location) -> Mapping[str, tuple[str, ...]]:
    """Return the aliases by the ARN of the key they point at.

    Aliases of AWS's own keys are left out, but for the one of RDS.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    with calling("kms:ListAliases", at):
        for page in client.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                key, name = alias.get("TargetKeyId"), alias["AliasName"]
                if key and (not name.startswith(AWS_ALIASES) or name == RDS_DEFAULT_ALIAS):
                    found[key_arn(key, at)].append(name)
    return {arn: tuple(sorted(names)) for arn, names in found.items()}


def describe_key(client: KMSClient, at: Location, arn: str) -> WireKey | None:
    """Read one key, None where there is none."""
    try:
        with calling("kms:DescribeKey", at):
            answer = client.describe_key(KeyId=arn)
            return msgspec.convert(answer["KeyMetadata"], WireKey)
    except AwsError as error:
        if error.code in _GONE:
            return None
        raise


def read_keys(
    client: KMSClient, at: Location, used: Iterable[str]
) -> tuple[Mapping[str, Key], Mapping[str, AwsError]]:
    """Read the keys that have an alias, or that something at the location is encrypted with.

    Keys of other accounts and regions are left to their own location.

    Args:
        client: the location's.
        at: the location.
        used: ARNs of keys that instances and snapshots there name.

    Returns:
        The keys by ARN, and by ARN the errors of keys that do not let themselves be described.

    Raises:
        AwsError: the aliases cannot be listed.
    """
    aliases = list_aliases(client, at)
    prefix = key_arn("", at)
    strings = Strings()
    keys: dict[str, Key] = {}
    refusals: dict[str, AwsError] = {}
    for arn in sorted({*aliases, *(key for key in used if key.startswith(prefix))}):
        try:
            wire = describe_key(client, at, arn)
        except AwsError as error:
            refusals[arn] = error
            continue
        if wire is None:
            continue
        wire.aliases = list(aliases.get(arn, ()))
        keys[arn] = _with_manager(key_record(wire, at, strings))
    return keys, refusals


def _with_manager(key: Key) -> Key:
    """Trust the reserved alias over the metadata: only AWS's own keys can carry it."""
    if RDS_DEFAULT_ALIAS not in key.aliases:
        return key
    return dataclasses.replace(key, manager=KeyManager.AWS)
