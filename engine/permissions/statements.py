"""Statements of IAM, and the documents that they make."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

VERSION = "2012-10-17"
MANAGED_LIMIT = 6144
"""Characters of a managed policy, white space not counted (IAM User Guide, Quotas)."""
INLINE_LIMIT = 10240
"""Characters of all inline policies of a role together, white space not counted."""

Conditions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Statement:
    """What is allowed, and why; `principals` only in policies of keys and in trust policies."""

    sid: str
    reason: str
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ()
    conditions: Conditions = field(default_factory=dict)
    principals: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as IAM reads it."""
        words: dict[str, Any] = {"Sid": self.sid, "Effect": "Allow"}
        if self.principals:
            words["Principal"] = {"AWS": _one_or_many(self.principals)}
        words["Action"] = _one_or_many(self.actions)
        if self.resources:
            words["Resource"] = _one_or_many(self.resources)
        if self.conditions:
            words["Condition"] = {name: dict(tests) for name, tests in self.conditions.items()}
        return words


@dataclass(frozen=True, slots=True)
class Policy:
    """Statements that stand in one document."""

    statements: tuple[Statement, ...]

    def document(self) -> dict[str, Any]:
        """Return it as IAM reads it."""
        return {"Version": VERSION, "Statement": [one.document() for one in self.statements]}

    @property
    def size(self) -> int:
        """Its length as IAM counts it."""
        return len(json.dumps(self.document(), separators=(",", ":")))


def policy_of(statements: Iterable[Statement | None]) -> Policy:
    """Return a policy of those statements that are there and about something."""
    return Policy(tuple(one for one in statements if one is not None and one.actions))


def _one_or_many(words: tuple[str, ...]) -> str | list[str]:
    return words[0] if len(words) == 1 else list(words)
