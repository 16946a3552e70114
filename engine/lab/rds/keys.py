"""KMS keys as RDS needs them: who may use which, and the default key that nobody else may."""

from __future__ import annotations

import json
from typing import Any

from moto.kms.exceptions import AccessDeniedException
from moto.kms.models import Key, KmsBackend, kms_backends

from engine.lab.answering import AnsweredByLab
from engine.lab.rds import refusals

DEFAULT_ALIAS = "alias/aws/rds"
_GRANTS_NEEDED = frozenset({"kms:*", "kms:CreateGrant", "*"})


class LabKms(AnsweredByLab, KmsBackend):
    """moto's KMS, with AWS's own keys told apart and keys named by ARN everywhere."""

    def _generate_default_keys(self, alias_name: str) -> str | None:
        made = super()._generate_default_keys(alias_name)
        if made is not None:
            key = self.keys[made]
            key.key_manager = "AWS"
            key.description = f"Default key that protects my {alias_name[10:].upper()} data"
        return made

    def disable_key(self, key_id: str) -> None:
        """Disable a key, by id or ARN."""
        super().disable_key(self._customer_key(key_id))

    def enable_key(self, key_id: str) -> None:
        """Enable a key, by id or ARN."""
        super().enable_key(self._customer_key(key_id))

    def schedule_key_deletion(self, key_id: str, pending_window_in_days: int) -> float:
        """Disable a key at once and delete it later, by id or ARN."""
        return super().schedule_key_deletion(self._customer_key(key_id), pending_window_in_days)

    def cancel_key_deletion(self, key_id: str) -> None:
        """Take that back, by id or ARN."""
        super().cancel_key_deletion(self._customer_key(key_id))

    def _customer_key(self, key_id: str) -> str:
        key = self.get_key_id(key_id)
        if self.keys[key].key_manager == "AWS":
            raise AccessDeniedException(f"{self.keys[key].arn} is managed by AWS.")
        return key


def default_key(account: str, region: str) -> Key:
    """Return the default RDS key of an account and region, made on first use."""
    backend = kms_backends[account][region]
    return backend.keys[backend.any_id_to_key_id(DEFAULT_ALIAS)]


def find_key(named: str, account: str, region: str) -> Key | None:
    """Find a key by id, ARN, alias or alias ARN, as seen from an account and region."""
    if named.startswith("arn:"):
        parts = named.split(":", 5)
        if len(parts) != 6 or parts[2] != "kms":
            return None
        region, account, named = parts[3], parts[4], parts[5].removeprefix("key/")
    if named == DEFAULT_ALIAS:
        return default_key(account, region)
    backend = kms_backends[account][region]
    if named.startswith("alias/"):
        return next((key for key in backend.keys.values() if named in key.aliases), None)
    return backend.keys.get(named)


def usable_key(which: str, named: str, account: str, region: str) -> Key:
    """Return a key that RDS may use for an account in a region.

    Raises:
        RDSClientError: KMSKeyNotAccessibleFault; `which` is how the message calls the key.
    """
    key = find_key(named, account, region)
    if key is None or key.region != region or not may_use(key, account):
        raise refusals.key_not_accessible(which, named)
    return key


def may_use(key: Key, account: str) -> bool:
    """Tell whether RDS may encrypt and decrypt with a key on behalf of an account."""
    if key.key_state != "Enabled":
        return False
    if key.account_id == account:
        return True
    if key.key_manager == "AWS":
        return False
    return lets_in(key, account)


def lets_in(key: Key, account: str) -> bool:
    """Tell whether a key's policy or one of its grants speaks for another account."""
    return _granted(key, account) or _allowed_by_policy(key, account)


def _granted(key: Key, account: str) -> bool:
    return any(f":{account}:" in grant.grantee_principal for grant in key.grants.values())


def _allowed_by_policy(key: Key, account: str) -> bool:
    try:
        policy = json.loads(key.policy)
    except ValueError:
        return False
    statements = [one for one in _many(policy.get("Statement")) if _speaks_of(one, account)]
    effects = {
        statement.get("Effect")
        for statement in statements
        if _GRANTS_NEEDED & set(_many(statement.get("Action")))
    }
    return effects == {"Allow"}


def _speaks_of(statement: dict[str, Any], account: str) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    return any(
        who in {"*", account} or f":{account}:" in who
        for who in _many(named)
        if isinstance(who, str)
    )


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def policy_for(account: str, others: list[str]) -> str:
    """Write a key policy under which other accounts may use a key for their snapshots.

    Source: KMS Developer Guide, Allowing users in other accounts to use a KMS key.
    """
    use = ["kms:DescribeKey", "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:CreateGrant"]
    use += ["kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"]
    own = {
        "Sid": "own",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    shared = {
        "Sid": "shared",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{other}:root" for other in others]},
        "Action": use,
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [own, shared] if others else [own]})
