"""Reading policies as IAM does, as far as the engine's go: allows only, and globs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from engine.documents.load import load_or_raise
from engine.documents.model import Documents

PolicyDocument = Mapping[str, Any]

ESTATE = """\
version: 1
kind: estate
name: acme
account_defaults: {{role: backup-engine, read_role: backup-reader, regions: [{region}]}}
accounts:
  prod:  {{id: "111111111111"{prod}}}
  vault: {{id: "222222222222"}}
targets:
  local: {{account: vault, region: {region}, key: alias/backups}}
---
version: 1
kind: policy
name: gold
select: {{accounts: [prod]}}
snapshots:
  schedule: {{every: 1d}}
  copies: [{copies}]
"""


def documents(
    folder: Path,
    *,
    region: str = "eu-west-1",
    prod: str = "",
    copies: str = "{target: local}",
    more: str = "",
) -> Documents:
    """Return two accounts of which one's databases are copied to the other one.

    `more` stands behind the policy of the databases.
    """
    text = ESTATE.format(region=region, prod=f", {prod}" if prod else "", copies=copies)
    (folder / "all.yaml").write_text(text + more)
    return load_or_raise([folder])


def many(words: str | Sequence[str]) -> list[str]:
    return [words] if isinstance(words, str) else list(words)


def statements(policy: PolicyDocument | None) -> list[Mapping[str, Any]]:
    return list(policy["Statement"]) if policy else []


def actions(policy: PolicyDocument | None) -> set[str]:
    """Return all actions that a policy allows anywhere."""
    return {action for one in statements(policy) for action in many(one["Action"])}


def allows(
    policy: PolicyDocument, action: str, resource: str, context: Mapping[str, str] | None = None
) -> bool:
    """Tell whether a policy allows an action on a resource in a context of condition keys."""
    return any(
        action in many(one["Action"])
        and any(fnmatchcase(resource, glob) for glob in many(one["Resource"]))
        and all(_holds(name, wanted, context or {}) for name, wanted in _tests(one))
        for one in statements(policy)
    )


def _tests(statement: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for operator, tests in statement.get("Condition", {}).items():
        assert operator in {"StringEquals", "StringLike", "Bool", "ForAnyValue:StringEquals"}
        for name, wanted in tests.items():
            yield name, many(wanted)


def _holds(name: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    return any(fnmatchcase(context.get(name, ""), glob) for glob in wanted)
