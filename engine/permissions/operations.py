"""Every operation of AWS that the engine calls, with whose credentials, and what IAM calls it.

The one table: roles are given what it lists, and tests hold it against the clients and against
what a lab was called for. Names of actions: Service Authorization Reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class User(StrEnum):
    """Whose credentials an operation is called with."""

    READ_ROLE = "read_role"
    ROLE = "role"
    CALLER = "caller"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as `service:Operation`.

    `action` is what a policy has to allow for it, None where AWS asks for no permission.
    """

    name: str
    action: str | None
    users: frozenset[User]


_READS = frozenset({User.READ_ROLE})
_CHANGES = frozenset({User.ROLE})


def _same(users: frozenset[User], *names: str) -> tuple[Operation, ...]:
    return tuple(Operation(name, name, users) for name in names)


OPERATIONS: tuple[Operation, ...] = (
    *_same(
        _READS,
        "rds:DescribeAccountAttributes",
        "rds:DescribeDBClusterSnapshotAttributes",
        "rds:DescribeDBClusterSnapshots",
        "rds:DescribeDBClusters",
        "rds:DescribeDBInstanceAutomatedBackups",
        "rds:DescribeDBInstances",
        "rds:DescribeDBSnapshotAttributes",
        "rds:DescribeDBSnapshots",
        "rds:DescribeEvents",
        "ec2:DescribeAvailabilityZones",
        "kms:ListAliases",
    ),
    *_same(
        _CHANGES,
        "rds:AddTagsToResource",
        "rds:CopyDBClusterSnapshot",
        "rds:CopyDBSnapshot",
        "rds:CreateDBClusterSnapshot",
        "rds:CreateDBSnapshot",
        "rds:DeleteDBClusterSnapshot",
        "rds:DeleteDBSnapshot",
        "rds:ModifyDBClusterSnapshotAttribute",
        "rds:ModifyDBInstance",
        "rds:ModifyDBSnapshotAttribute",
        "rds:RebootDBInstance",
        "rds:RemoveTagsFromResource",
        "rds:StartDBInstanceAutomatedBackupsReplication",
        "rds:StopDBInstanceAutomatedBackupsReplication",
        "s3:GetObject",
        "s3:PutObject",
    ),
    Operation("s3:ListObjectsV2", "s3:ListBucket", _CHANGES),
    *_same(_READS | _CHANGES, "kms:DescribeKey"),
    *_same(frozenset({User.CALLER}), "sts:AssumeRole", "organizations:ListAccounts"),
    Operation("sts:GetCallerIdentity", None, _READS | _CHANGES),
)

GRANT = "kms:CreateGrant"
# What RDS does with keys in the name of whoever copies a snapshot (RDS User Guide, Copying a DB
# snapshot, Required permissions).
USE_OF_KEYS: tuple[str, ...] = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


def actions_of(user: User, service: str) -> tuple[str, ...]:
    """Return the actions of a service that somebody needs, in order."""
    found = {one.action for one in OPERATIONS if user in one.users and one.action}
    return tuple(sorted(action for action in found if action.startswith(f"{service}:")))
