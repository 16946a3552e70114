"""All that an estate's accounts must allow, in one value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.aws.roles import Purpose, role_arn
from engine.documents.model import Account, Documents
from engine.inventory.convert import partition_of
from engine.inventory.records import Kind
from engine.permissions.keys import policies_of_keys
from engine.permissions.roles import (
    Part,
    StateBucket,
    caller_policy,
    read_policy,
    role_policy,
    trust_policy,
)
from engine.permissions.statements import INLINE_LIMIT, MANAGED_LIMIT, Policy, Statement
from engine.permissions.ways import Ways, ways_of

NOBODY_YET = "ACCOUNT-OF-THE-SCHEDULER"


@dataclass(frozen=True, slots=True)
class AccountPermissions:
    """What one account must allow.

    Attributes:
        account: which.
        role: the policy of what changes are made with, None where there is nothing to allow.
        read_role: the policy of what is read with, None where that is `role`.
        trust: the trust policy of both, None where no role is assumed in this account.
        keys: by key, the statements that its own policy must have.
    """

    account: Account
    role: Policy | None
    read_role: Policy | None
    trust: Policy | None
    keys: Mapping[str, tuple[Statement, ...]]

    def too_long(self) -> Iterator[str]:
        """Yield a text for each role whose policy does not fit where policies are kept."""
        for name, policy in (("role", self.role), ("read_role", self.read_role)):
            if policy is None or policy.size <= MANAGED_LIMIT:
                continue
            where = f"the policy of {name} in {self.account.name} has {policy.size:,} characters"
            if policy.size <= INLINE_LIMIT:
                yield f"{where}; a managed policy holds {MANAGED_LIMIT:,}: put it inline"
            else:
                yield f"{where}; a role holds {INLINE_LIMIT:,} inline: split it by statements"


@dataclass(frozen=True, slots=True)
class EstatePermissions:
    """What all accounts of an estate must allow, and whoever runs the engine."""

    estate: str
    principal: str
    accounts: tuple[AccountPermissions, ...]
    caller: Policy


def permissions_of(
    documents: Documents, principal: str | None, state: StateBucket | None
) -> EstatePermissions:
    """Return the least that is needed for a set of documents.

    Args:
        documents: what is protected, and where copies go.
        principal: the ARN of whoever runs the engine, None where a placeholder is to stand.
        state: where a team keeps lock and journal, None where no bucket does.
    """
    estate, ways = documents.estate, ways_of(documents)
    instances = ways_of(documents.of(Kind.INSTANCE))
    clusters = ways_of(documents.of(Kind.CLUSTER)) if Kind.CLUSTER in documents.kinds else None
    who = principal or placeholder(ways)
    roles = (
        arn
        for account in estate.accounts.values()
        for arn in (_arn(account, purpose, ways) for purpose in Purpose)
        if arn is not None
    )
    return EstatePermissions(
        estate=estate.name,
        principal=who,
        accounts=tuple(
            _account(Part(account, estate, ways, state, instances, clusters), who)
            for account in sorted(estate.accounts.values(), key=lambda one: one.id)
        ),
        caller=caller_policy(roles),
    )


def placeholder(ways: Ways) -> str:
    """Return what stands for a principal that nobody has named; IAM refuses it as it is."""
    places = sorted(ways.places)
    partition = partition_of(places[0].region) if places else "aws"
    return f"arn:{partition}:iam::{NOBODY_YET}:role/NAME"


def _account(part: Part, principal: str) -> AccountPermissions:
    account = part.account
    roles = (account.role, account.read_role)
    return AccountPermissions(
        account=account,
        role=_unless_empty(role_policy(part)),
        read_role=None if account.read_role is None else _unless_empty(read_policy(part)),
        trust=trust_policy(account, principal) if any(roles) else None,
        keys=policies_of_keys(account.id, part.estate, part.ways),
    )


def _unless_empty(policy: Policy) -> Policy | None:
    """IAM takes no policy without statements."""
    return policy if policy.statements else None


def _arn(account: Account, purpose: Purpose, ways: Ways) -> str | None:
    # An account that only holds the state has no region; its partition is that of the others.
    regions = ways.regions(account.id) or tuple(sorted(at.region for at in ways.places))
    return role_arn(account, purpose, regions[0]) if regions else None
