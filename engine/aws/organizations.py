"""The accounts of an organization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.aws.errors import calling

if TYPE_CHECKING:
    from mypy_boto3_organizations.client import OrganizationsClient


@dataclass(frozen=True, slots=True)
class Member:
    """An account of the organization; `is_active` is false while suspended or being closed."""

    id: str
    name: str
    is_active: bool


def list_members(client: OrganizationsClient) -> tuple[Member, ...]:
    """List the accounts of the caller's organization, all pages, by id."""
    with calling("organizations:ListAccounts"):
        members = [
            Member(account["Id"], account.get("Name", ""), _is_active(account.get("Status")))
            for page in client.get_paginator("list_accounts").paginate()
            for account in page["Accounts"]
        ]
    return tuple(sorted(members, key=lambda member: member.id))


def _is_active(status: str | None) -> bool:
    return status in {None, "ACTIVE"}
