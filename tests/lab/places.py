"""Accounts of a running lab, each test with its own."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from engine.lab.callers import SECRET, access_key_of

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_rds.client import RDSClient

    from engine.lab.process import LabProcess

IRELAND, FRANKFURT = "eu-west-1", "eu-central-1"
SESSION = boto3.Session()
_NUMBERS = itertools.count(300_000_000_001)


@dataclass(frozen=True)
class Account:
    """An account of a lab, seen by its own caller."""

    lab: LabProcess
    id: str

    def client(self, service: str, region: str = IRELAND) -> Any:
        return SESSION.client(
            service,
            region_name=region,
            endpoint_url=self.lab.endpoint,
            aws_access_key_id=access_key_of(self.id),
            aws_secret_access_key=SECRET,
        )

    @property
    def rds(self) -> RDSClient:
        client: RDSClient = self.client("rds")
        return client

    def rds_in(self, region: str) -> RDSClient:
        client: RDSClient = self.client("rds", region)
        return client

    @property
    def kms(self) -> KMSClient:
        client: KMSClient = self.client("kms")
        return client

    @property
    def ec2(self) -> EC2Client:
        client: EC2Client = self.client("ec2")
        return client

    def arn(self, snapshot: str, region: str = IRELAND) -> str:
        return f"arn:aws:rds:{region}:{self.id}:snapshot:{snapshot}"

    def status(self, snapshot: str, region: str = IRELAND) -> str:
        found = self.rds_in(region).describe_db_snapshots(DBSnapshotIdentifier=snapshot)
        return found["DBSnapshots"][0]["Status"]

    def names(self, region: str = IRELAND, **query: Any) -> list[str]:
        pages = self.rds_in(region).get_paginator("describe_db_snapshots").paginate(**query)
        return [one["DBSnapshotIdentifier"] for page in pages for one in page["DBSnapshots"]]


@dataclass(frozen=True)
class Places:
    """What a test gets: fresh accounts of a running lab."""

    lab: LabProcess

    def account(self, *instances: dict[str, Any], **more: Any) -> Account:
        """Make an account with instances (identifier `db` unless said) and keys (`key=alias`)."""
        account = str(next(_NUMBERS))
        defaults = {"account": account, "region": IRELAND, "identifier": "db"}
        keys = [{"account": account, "region": IRELAND, **key} for key in more.pop("keys", ())]
        snapshots = [
            {"account": account, "region": IRELAND, "instance": "db", **snapshot}
            for snapshot in more.pop("snapshots", ())
        ]
        others = {other: {"id": other} for other in more.pop("others", ())}
        self.lab.client.seed(
            {
                "accounts": {account: {"id": account, **more}, **others},
                "keys": keys,
                "instances": [{**defaults, **instance} for instance in instances],
                "snapshots": snapshots,
            }
        )
        return Account(self.lab, account)

    def snapshot(self, account: Account, name: str, instance: str = "db", **more: Any) -> str:
        """Make a snapshot and let it become available; return its ARN."""
        account.rds.create_db_snapshot(
            DBSnapshotIdentifier=name, DBInstanceIdentifier=instance, **more
        )
        self.pass_time()
        return account.arn(name)

    def pass_time(self, seconds: float = 10) -> None:
        self.lab.client.forward(seconds)

    def stored(self, arn: str) -> dict[str, Any]:
        """Return the ground truth about the newest object of an ARN."""
        return [one for one in self.lab.client.truth() if one["arn"] == arn][-1]
