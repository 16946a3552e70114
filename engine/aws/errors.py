"""What an error of AWS means for whoever made the call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from engine.errors import EngineError
from engine.inventory.records import Location


class Reaction(StrEnum):
    """What to do about a failed call."""

    DONE = "done"
    """What the call was to achieve is so already."""
    RETRY_SOON = "retry_soon"
    """It passes by itself within seconds."""
    WAIT_AND_REPLAN = "wait_and_replan"
    """The object or a limit is busy: come back later, and look anew."""
    STOP_BRANCH = "stop_branch"
    """Somebody has to mend something first."""
    REFRESH_CREDENTIALS = "refresh_credentials"
    """The session is over; with new credentials the call may work."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """It may or may not have happened: look what is there."""


NO_REPLY = "NoReply"
UNREADABLE_REPLY = "UnreadableReply"
NOT_SENT = "NotSent"
TOO_LATE = "TooLate"
NO_CREDENTIALS = "NoCredentials"
BAD_CALL = "BadCall"

# The codes that AWS's own SDK takes for throttling, and AWS's general server faults (API
# references, Common Errors).
_PASSING = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "RequestThrottled",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "InternalFailure",
        "InternalError",
        "InternalServerError",
        "InternalServiceError",
        "KMSInternalException",
        "DependencyTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Unavailable",
        "RequestTimeout",
        "RequestTimeoutException",
        NOT_SENT,
        TOO_LATE,
    }
)
_BUSY = frozenset(
    {
        "InvalidDBInstanceState",
        "InvalidDBInstanceStateFault",
        "InvalidDBSnapshotState",
        "InvalidDBSnapshotStateFault",
        "InvalidDBClusterStateFault",
        "InvalidDBClusterSnapshotStateFault",
        "InvalidDBInstanceAutomatedBackupState",
        "InvalidExportSourceState",
    }
)
_EXPIRED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "TokenRefreshRequired",
    }
)
_UNKNOWN_OUTCOME = frozenset(
    {
        NO_REPLY,
        UNREADABLE_REPLY,
        # The caller's own success, when the reply to its first attempt was lost, or somebody
        # else's object: only looking tells.
        "DBSnapshotAlreadyExists",
        "DBSnapshotAlreadyExistsFault",
        "DBClusterSnapshotAlreadyExistsFault",
        "ExportTaskAlreadyExists",
    }
)
# Regions that are enabled by choice know no credentials of accounts that did not choose them.
_OF_THE_REGION = frozenset({"OptInRequired", "InvalidClientTokenId", BAD_CALL})
_REMOVALS = ("Delete", "Remove", "Stop", "Cancel")
_SNAPSHOT_QUOTA = frozenset({"SnapshotQuotaExceeded", "SnapshotQuotaExceededFault"})


def classify(code: str, message: str = "", operation: str = "") -> Reaction:
    """Return what the error `code` of an `operation` (`DeleteDBSnapshot`) calls for.

    Codes are those of the RDS API reference, Errors of each action and Common Errors. Where there
    is no code, the HTTP status stands for it. What is not known stops the branch: repeating a
    call that AWS refuses for a reason nobody knows is never safe.
    """
    if code in _UNKNOWN_OUTCOME:
        return Reaction.OUTCOME_UNKNOWN
    if code in _PASSING or (len(code) == 3 and code.startswith("5")) or code == "429":
        return Reaction.RETRY_SOON
    if code in _EXPIRED:
        return Reaction.REFRESH_CREDENTIALS
    if code in _BUSY:
        return Reaction.WAIT_AND_REPLAN
    if code in _SNAPSHOT_QUOTA:
        return _quota(message)
    if _is_not_found(code) and operation.startswith(_REMOVALS):
        return Reaction.DONE
    return Reaction.STOP_BRANCH


def _quota(message: str) -> Reaction:
    """Tell AWS's two limits of one code apart.

    `Cannot copy more than 20 snapshots across regions` passes when copies end; `Cannot create
    more than 100 manual snapshots` does not.
    """
    text = message.lower()
    passes = "cannot copy" in text or "across regions" in text or "in progress" in text
    return Reaction.WAIT_AND_REPLAN if passes else Reaction.STOP_BRANCH


def _is_not_found(code: str) -> bool:
    return code.removesuffix("Fault").endswith(("NotFound", "NotFoundException"))


class AwsError(EngineError):
    """A call that AWS refused or never answered.

    Attributes:
        code: AWS's error code, or one of this module's where there was no answer.
        message: AWS's words.
        operation: `service:Operation`, as IAM writes it.
        location: where the call was made, where that matters.
        reaction: what it means.
    """

    def __init__(
        self, code: str, message: str, operation: str, location: Location | None = None
    ) -> None:
        self.code = code
        self.message = message
        self.operation = operation
        self.location = location
        self.reaction = classify(code, message, operation.rpartition(":")[2])
        super().__init__(
            f"{code} on {operation}",
            where=str(location) if location else None,
            why=message or None,
            fix=_FIXES.get(code) or _FIXES_BY_REACTION.get(self.reaction),
        )

    @property
    def may_be_the_region(self) -> bool:
        """Whether another region might have answered: this one is down, or not enabled."""
        passes = self.reaction in {Reaction.RETRY_SOON, Reaction.OUTCOME_UNKNOWN}
        return passes or self.code in _OF_THE_REGION

    @property
    def cause(self) -> str:
        """All of it in one line, without the place."""
        return " ".join(f"{self.what}: {self.why}".split()) if self.why else self.what


_ALLOW = "let the policy of the role, or the organization's, allow this call"
_FIXES = {
    "AccessDenied": _ALLOW,
    "AccessDeniedException": _ALLOW,
    "UnauthorizedOperation": _ALLOW,
    NO_CREDENTIALS: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or run where a"
    " role is attached",
    "InvalidClientTokenId": "renew the credentials",
    "UnrecognizedClientException": "renew the credentials",
    "NoSuchBucket": "create the bucket in the account and region named, or name another",
    "OptInRequired": "enable the region in this account, or take it out of the estate",
    NOT_SENT: "see that the network, the region's name and AWS_ENDPOINT_URL are right",
}
_FIXES_BY_REACTION = {
    Reaction.RETRY_SOON: "run again later",
    Reaction.WAIT_AND_REPLAN: "run again later",
    Reaction.REFRESH_CREDENTIALS: "renew the credentials",
}


class HeldBackError(Exception):
    """A request that was not sent, since too much time had passed since its call was let through.

    `code` is TOO_LATE, or NO_REPLY where an earlier request of the same call may have worked.
    """

    def __init__(self, code: str) -> None:
        super().__init__("held back: too long after it was let through")
        self.code = code


@contextmanager
def calling(operation: str, location: Location | None = None) -> Iterator[None]:
    """Turn what botocore raises within into AwsError.

    Args:
        operation: `service:Operation`, what the block calls.
        location: where.

    Raises:
        AwsError: botocore raised.
    """
    import botocore.exceptions as bc
    import msgspec
    from botocore.parsers import ResponseParserError

    try:
        yield
    except bc.ClientError as error:
        told = error.response.get("Error", {})
        made = error.operation_name
        # The credentials of a role are fetched within the first call that needs them.
        name = f"sts:{made}" if made.startswith("AssumeRole") else operation
        raise AwsError(
            told.get("Code") or "Unknown", told.get("Message") or "", name, location
        ) from error
    except (bc.NoCredentialsError, bc.PartialCredentialsError, bc.CredentialRetrievalError) as e:
        raise AwsError(NO_CREDENTIALS, str(e), operation, location) from e
    except bc.ProfileNotFound as error:
        raise AwsError(NO_CREDENTIALS, str(error), operation, location) from error
    except (bc.ConnectTimeoutError, bc.EndpointConnectionError, bc.ProxyConnectionError) as error:
        raise AwsError(NOT_SENT, str(error), operation, location) from error
    except (bc.ConnectionError, bc.HTTPClientError, bc.IncompleteReadError) as error:
        raise AwsError(NO_REPLY, str(error), operation, location) from error
    except (ResponseParserError, msgspec.ValidationError) as error:
        raise AwsError(UNREADABLE_REPLY, _first_line(error), operation, location) from error
    except LookupError as error:
        # Botocore's parsers look for the answer in whatever is well-formed, such as a page.
        text = f"the answer lacks {error}"
        raise AwsError(UNREADABLE_REPLY, text, operation, location) from error
    except bc.BotoCoreError as error:
        raise AwsError(BAD_CALL, str(error), operation, location) from error
    except HeldBackError as error:
        raise AwsError(error.code, str(error), operation, location) from error


def _first_line(error: Exception) -> str:
    """Return the message without the whole page that a proxy may have answered with."""
    return (str(error).splitlines() or [""])[0][:200]
