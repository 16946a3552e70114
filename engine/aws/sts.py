"""Who the credentials in use belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.aws.errors import calling

if TYPE_CHECKING:
    from mypy_boto3_sts.client import STSClient


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity of IAM and its account."""

    account: str
    arn: str


def read_caller(client: STSClient) -> Caller:
    """Return whose credentials the client works with. No policy can forbid this call."""
    with calling("sts:GetCallerIdentity"):
        answer = client.get_caller_identity()
        return Caller(answer["Account"], answer["Arn"])
