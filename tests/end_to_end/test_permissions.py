"""What `engine iam-policy` prints is what a lab is really called for: no more, no less."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.lab.estates import IRELAND, PROD, VAULT
from engine.permissions.operations import OPERATIONS, Operation, User
from tests.end_to_end.estates import DEFAULT_KEY, DEFAULT_KEY_TO_BOTH, DOCUMENTS, ORDERS, estate_of
from tests.end_to_end.harness import World, working_folder
from tests.forking.labs import ForkedLab
from tests.permissions.reading import actions, allows

NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
ONE_POINT = DOCUMENTS.replace("keep: {last: 2}", "keep: {last: 1}")
BY_NAME = {one.name: one for one in OPERATIONS}
# Asked for by hand only, or where a policy for clusters that is gone left points.
NOT_NIGHTLY = {
    "rds:DescribeDBClusterSnapshotAttributes",
    "rds:DescribeDBClusters",
    "organizations:ListAccounts",
    "rds:DescribeDBSnapshotAttributes",
}
TAGGED = {"aws:RequestTag/engine:estate": "acme", "aws:ResourceTag/engine:estate": "acme"}

Printed = Mapping[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two nights of every route there is, after which points, bridges and shares have gone."""
    folder = working_folder(tmp_path_factory.mktemp("nights") / "work", ONE_POINT)
    seed = estate_of(ORDERS, DEFAULT_KEY, DEFAULT_KEY_TO_BOTH)
    with ForkedLab.start(seed, speed=20.0, at=NIGHT) as lab:
        world = World(lab, folder)
        for night in range(2):
            world.move_to(NIGHT + timedelta(days=night))
            world.apply("-wait").insist()
        yield world


@pytest.fixture(scope="module")
def printed(world: World) -> Printed:
    found: dict[str, Any] = json.loads(world.run("iam-policy").insist().out)["accounts"]
    return found


Made = set[tuple[str, str, str]]


@pytest.fixture(scope="module")
def calls(world: World) -> Made:
    """Return which operations were called in which account and region, but for taking roles."""
    return {
        (call["account"], call["region"], f"{call['service']}:{call['operation']}")
        for call in world.lab.client.calls()
        if call["operation"] != "AssumeRole"
    }


def context(account: str, region: str) -> dict[str, str]:
    rekey = {PROD: "alias/backup-share", VAULT: "alias/backups"}[account]
    return {**TAGGED, "aws:RequestedRegion": region, "kms:ResourceAliases": rekey}


def resource(operation: Operation, owner: str, region: str) -> str:
    service = operation.name.partition(":")[0]
    kind = "key/k" if service == "kms" else "snapshot:s"
    return f"arn:aws:{service}:{region}:{owner}:{kind}"


def test_every_operation_that_was_called_is_in_the_table(calls: Made) -> None:
    names = {name for _, _, name in calls}
    assert names <= BY_NAME.keys()
    assert "rds:DeleteDBSnapshot" in names


def test_every_call_of_two_nights_was_allowed(calls: Made, printed: Printed) -> None:
    for account, region, name in sorted(calls):
        operation = BY_NAME[name]
        if operation.action is None:
            continue
        # The call does not say with which role it was made: the table does.
        assert any(
            allows(
                printed[account][user.value],
                operation.action,
                resource(operation, owner, region),
                context(account, region),
            )
            for user in operation.users
            for owner in (account, PROD)
        ), (account, region, name)


def test_all_that_roles_may_do_was_done_in_two_nights(calls: Made, printed: Printed) -> None:
    nightly = {one.action for one in OPERATIONS if one.name not in NOT_NIGHTLY and one.action}
    done = {BY_NAME[name].action for _, _, name in calls}
    for account in (PROD, VAULT):
        for user in (User.ROLE, User.READ_ROLE):
            assert actions(printed[account][user.value]) & nightly <= done


def test_the_policies_of_keys_let_the_lab_copy(world: World, printed: Printed) -> None:
    key = world.key(PROD, IRELAND, "alias/orders")
    pattern = f"arn:aws:kms:{IRELAND}:{PROD}:key/*"
    said = printed[PROD]["keys"][pattern]
    own = {"Sid": "own", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{PROD}:root"}}
    whole = {
        "Version": "2012-10-17",
        "Statement": [{**own, "Action": "kms:*", "Resource": "*"}, *said],
    }
    kms = world.kms(PROD, IRELAND)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(whole))
    world.move_to(NIGHT + timedelta(days=2))
    world.apply("-wait").insist()
