"""Which role of an account is for what. Light: loads nothing of AWS's SDK."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from engine.inventory.convert import partition_of


class Purpose(StrEnum):
    """What a client is for, and so with which role of the account it works."""

    READ = "read"
    CHANGE = "change"


class AccountRoles(Protocol):
    """An account, and how to get into it; a role is a name, an ARN or None."""

    @property
    def id(self) -> str:
        """Twelve digits."""

    @property
    def regions(self) -> Sequence[str]:
        """Its regions; none where it only holds targets."""

    @property
    def role(self) -> str | None:
        """What changes are made with; None for the caller's own credentials."""

    @property
    def read_role(self) -> str | None:
        """What is read with; None for `role`."""

    @property
    def external_id(self) -> str | None:
        """What the roles' trust policies ask for."""


def role_arn(account: AccountRoles, purpose: Purpose, region: str) -> str | None:
    """Return the ARN of the role for a purpose, None where it is the caller's credentials.

    Args:
        account: whose role.
        purpose: what for.
        region: one of the partition that the account belongs to.
    """
    reading = account.read_role if purpose is Purpose.READ else None
    role = reading or account.role
    if role is None or role.startswith("arn:"):
        return role
    return f"arn:{partition_of(region)}:iam::{account.id}:role/{role.lstrip('/')}"
