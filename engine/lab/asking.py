"""Reads from a request what it asks."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from engine.lab.wire import routed_operation

Environ = dict[str, Any]

_ACTION = re.compile(rb"(?:^|&)Action=([A-Za-z0-9]+)")

# What a call is about, the first of these that it names: a copy is about what it makes.
_ABOUT = (
    "TargetDBSnapshotIdentifier",
    "TargetDBClusterSnapshotIdentifier",
    "DBSnapshotIdentifier",
    "DBClusterSnapshotIdentifier",
    "ResourceName",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "SourceDBInstanceArn",
    "SourceIdentifier",
    "RoleArn",
)
_IN_QUERY = re.compile(rb"(?:^|&)(" + "|".join(_ABOUT).encode() + rb")=([^&]+)")
_IN_JSON = re.compile(rb'"(?:KeyId|SecretId|TableName)"\s*:\s*"([^"]+)"')


def operation_of(environ: Environ, body: bytes, service: str) -> str:
    """Return the operation that a request asks for, its method and path where it names none."""
    target: str = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return target.rpartition(".")[2]
    found = _ACTION.search(body)
    if found:
        return found[1].decode()
    asked = parse_qs(environ.get("QUERY_STRING", "")).get("Action")
    if asked:
        return str(asked[0])
    return routed_operation(environ, service)


def resource_of(environ: Environ, body: bytes, service: str) -> str:
    """Return the identifier or ARN that a request is about, in S3 BUCKET/KEY; empty for none."""
    if service == "s3":
        return str(environ.get("PATH_INFO", "")).strip("/")
    named = {name.decode(): value for name, value in _IN_QUERY.findall(body)}
    for name in _ABOUT:
        if name in named:
            return unquote_plus(named[name].decode("latin-1"))
    found = _IN_JSON.search(body)
    return found[1].decode("utf-8", "replace") if found else ""
