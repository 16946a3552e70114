"""What RDS refuses, in its codes and words.

Codes are those of the RDS API Reference; moto turns the names of error shapes into the codes and
HTTP statuses of the service model.
"""

from __future__ import annotations

from moto.rds.exceptions import RDSClientError

NOT_AN_IDENTIFIER = (
    "is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII "
    "letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive "
    "hyphens."
)


def instance_not_found(identifier: str) -> RDSClientError:
    """No such instance."""
    return RDSClientError("DBInstanceNotFoundFault", f"DBInstance {identifier} not found.")


def snapshot_not_found(identifier: str) -> RDSClientError:
    """No such snapshot, or none that the caller may see."""
    return RDSClientError("DBSnapshotNotFoundFault", f"DBSnapshot not found: {identifier}")


def snapshot_exists(identifier: str) -> RDSClientError:
    """The identifier is taken."""
    return RDSClientError(
        "DBSnapshotAlreadyExistsFault",
        f"Cannot create the snapshot because a snapshot with the identifier {identifier} "
        "already exists.",
    )


def instance_state(message: str) -> RDSClientError:
    """The instance's state does not allow it."""
    return RDSClientError("InvalidDBInstanceStateFault", message)


def snapshot_state(message: str) -> RDSClientError:
    """The snapshot's state or kind does not allow it."""
    return RDSClientError("InvalidDBSnapshotStateFault", message)


def quota(message: str) -> RDSClientError:
    """One of two limits; only the message tells which."""
    return RDSClientError("SnapshotQuotaExceededFault", message)


def shared_quota() -> RDSClientError:
    """Shared with too many accounts."""
    return RDSClientError(
        "SharedSnapshotQuotaExceededFault",
        "The request would exceed the maximum number of accounts that a snapshot can be "
        "shared with.",
    )


def key_not_accessible(which: str, key: str | None) -> RDSClientError:
    """A key is missing, disabled or another account's; `which` is `source snapshot`, `target`."""
    return RDSClientError(
        "KMSKeyNotAccessibleFault",
        f"The {which} KMS key [{key}] does not exist, is not enabled or you do not have "
        "permissions to access it.",
    )


def parameter(message: str) -> RDSClientError:
    """A parameter's value is wrong."""
    return RDSClientError("InvalidParameterValue", message)


def combination(message: str) -> RDSClientError:
    """Parameters do not go together."""
    return RDSClientError("InvalidParameterCombination", message)


def backup_not_found(which: str) -> RDSClientError:
    """No such automated backup."""
    return RDSClientError(
        "DBInstanceAutomatedBackupNotFoundFault", f"Automated backup {which} not found."
    )


def backup_state(message: str) -> RDSClientError:
    """The automated backup's state does not allow it."""
    return RDSClientError("InvalidDBInstanceAutomatedBackupStateFault", message)


def too_many_replications(limit: int) -> RDSClientError:
    """The region receives as many automated backups as it may."""
    return RDSClientError(
        "DBInstanceAutomatedBackupQuotaExceededFault",
        f"Cannot replicate more than {limit} automated backups.",
    )
