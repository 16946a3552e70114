from __future__ import annotations

import pytest

from engine.aws.errors import (
    NO_REPLY,
    NOT_SENT,
    UNREADABLE_REPLY,
    AwsError,
    Reaction,
    classify,
)
from engine.inventory.records import Location

HERE = Location("111111111111", "eu-west-1")

TABLE = [
    # What is gone, and was to go, is done; elsewhere something is missing.
    ("DBSnapshotNotFound", "", "DeleteDBSnapshot", Reaction.DONE),
    ("DBSnapshotNotFoundFault", "", "DeleteDBSnapshot", Reaction.DONE),
    ("DBClusterSnapshotNotFoundFault", "", "DeleteDBClusterSnapshot", Reaction.DONE),
    ("DBSnapshotNotFound", "", "RemoveTagsFromResource", Reaction.DONE),
    ("DBInstanceNotFound", "", "StopDBInstanceAutomatedBackupsReplication", Reaction.DONE),
    ("DBSnapshotNotFound", "", "CopyDBSnapshot", Reaction.STOP_BRANCH),
    ("DBSnapshotNotFound", "", "ModifyDBSnapshotAttribute", Reaction.STOP_BRANCH),
    ("DBInstanceNotFound", "", "CreateDBSnapshot", Reaction.STOP_BRANCH),
    # It passes by itself.
    ("Throttling", "Rate exceeded", "DescribeDBInstances", Reaction.RETRY_SOON),
    ("ThrottlingException", "Rate exceeded", "CopyDBSnapshot", Reaction.RETRY_SOON),
    ("RequestLimitExceeded", "", "DescribeAvailabilityZones", Reaction.RETRY_SOON),
    ("InternalFailure", "", "CreateDBSnapshot", Reaction.RETRY_SOON),
    ("ServiceUnavailable", "", "CreateDBSnapshot", Reaction.RETRY_SOON),
    ("503", "Service Unavailable", "CreateDBSnapshot", Reaction.RETRY_SOON),
    ("429", "", "CreateDBSnapshot", Reaction.RETRY_SOON),
    (NOT_SENT, "", "CreateDBSnapshot", Reaction.RETRY_SOON),
    # Something is busy.
    ("InvalidDBInstanceState", "", "CreateDBSnapshot", Reaction.WAIT_AND_REPLAN),
    ("InvalidDBSnapshotState", "", "CopyDBSnapshot", Reaction.WAIT_AND_REPLAN),
    (
        "SnapshotQuotaExceeded",
        "Cannot copy more than 20 snapshots across regions",
        "CopyDBSnapshot",
        Reaction.WAIT_AND_REPLAN,
    ),
    # Somebody has to do something.
    (
        "SnapshotQuotaExceeded",
        "Cannot create more than 100 manual snapshots",
        "CreateDBSnapshot",
        Reaction.STOP_BRANCH,
    ),
    ("SnapshotQuotaExceeded", "", "CopyDBSnapshot", Reaction.STOP_BRANCH),
    ("SharedSnapshotQuotaExceeded", "", "ModifyDBSnapshotAttribute", Reaction.STOP_BRANCH),
    ("KMSKeyNotAccessibleFault", "", "CopyDBSnapshot", Reaction.STOP_BRANCH),
    ("InvalidParameterValue", "", "CopyDBSnapshot", Reaction.STOP_BRANCH),
    ("InvalidParameterCombination", "", "CopyDBSnapshot", Reaction.STOP_BRANCH),
    ("AccessDenied", "", "DeleteDBSnapshot", Reaction.STOP_BRANCH),
    ("AccessDeniedException", "", "DescribeKey", Reaction.STOP_BRANCH),
    ("404", "", "DeleteDBSnapshot", Reaction.STOP_BRANCH),
    ("SomethingNew", "", "CopyDBSnapshot", Reaction.STOP_BRANCH),
    # The session is over.
    ("ExpiredToken", "", "CopyDBSnapshot", Reaction.REFRESH_CREDENTIALS),
    ("ExpiredTokenException", "", "DescribeKey", Reaction.REFRESH_CREDENTIALS),
    # Only looking tells.
    (NO_REPLY, "", "DeleteDBSnapshot", Reaction.OUTCOME_UNKNOWN),
    (UNREADABLE_REPLY, "", "CopyDBSnapshot", Reaction.OUTCOME_UNKNOWN),
    ("DBSnapshotAlreadyExists", "", "CopyDBSnapshot", Reaction.OUTCOME_UNKNOWN),
    ("DBClusterSnapshotAlreadyExistsFault", "", "CopyDBSnapshot", Reaction.OUTCOME_UNKNOWN),
]


@pytest.mark.parametrize(("code", "message", "operation", "reaction"), TABLE)
def test_each_error_calls_for_what_aws_documents_of_it(
    code: str, message: str, operation: str, reaction: Reaction
) -> None:
    assert classify(code, message, operation) is reaction


def modelled_errors() -> list[tuple[str, str]]:
    import botocore.session

    model = botocore.session.Session().get_service_model("rds")
    operations = (
        "CreateDBSnapshot",
        "CopyDBSnapshot",
        "DeleteDBSnapshot",
        "ModifyDBSnapshotAttribute",
        "DescribeDBSnapshots",
        "DescribeDBInstances",
        "AddTagsToResource",
        "RemoveTagsFromResource",
    )
    return [
        (operation, shape.metadata["error"]["code"])
        for operation in operations
        for shape in model.operation_model(operation).error_shapes
    ]


@pytest.mark.parametrize(("operation", "code"), modelled_errors())
def test_no_error_that_rds_documents_of_a_call_is_repeated_blindly(
    operation: str, code: str
) -> None:
    assert classify(code, "", operation) not in {Reaction.RETRY_SOON, Reaction.REFRESH_CREDENTIALS}


def test_an_error_says_what_where_why_and_what_to_do() -> None:
    error = AwsError("AccessDenied", "User: x is\nnot authorized", "rds:DescribeDBSnapshots", HERE)

    assert str(error).splitlines()[0] == (
        "111111111111/eu-west-1: AccessDenied on rds:DescribeDBSnapshots"
    )
    assert "to do: let the policy of the role" in str(error)
    assert error.cause == "AccessDenied on rds:DescribeDBSnapshots: User: x is not authorized"
    assert error.reaction is Reaction.STOP_BRANCH
