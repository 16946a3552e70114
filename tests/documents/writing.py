"""Documents for tests: a small estate and policy, and loading texts from files."""

from __future__ import annotations

from pathlib import Path

from engine.documents.load import Loaded, load
from engine.documents.model import Documents

ESTATE = """\
version: 1
kind: estate
name: acme
account_defaults: {regions: [eu-west-1]}
accounts:
  prod: {id: "111111111111"}
  vault: {id: "222222222222", regions: [eu-west-1, eu-central-1]}
targets:
  local: {account: vault, region: eu-west-1, key: alias/backups}
"""

POLICY = """\
version: 1
kind: policy
name: gold
select: {identifiers: ["*"]}
"""

COPIES = """\
snapshots:
  schedule: {every: 1d, window: "02:00-05:00"}
  retention: {keep: {daily: 7}}
  copies: [{target: local}]
"""


def policy(more: str = COPIES, name: str = "gold") -> str:
    """Return a policy, with more of it than the least."""
    return POLICY.replace("gold", name) + more


def documents(*texts: str) -> str:
    """Return several documents as one text."""
    return "---\n".join(texts)


def load_text(folder: Path, text: str | bytes, name: str = "x.yaml") -> Loaded:
    """Load one file that holds a text."""
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load([file])


def loaded(folder: Path, *texts: str) -> Documents:
    """Return the documents of texts without errors."""
    result = load_text(folder, documents(*texts))
    assert result.documents is not None, result.diagnostics
    return result.documents


def codes(result: Loaded) -> list[str]:
    """Return what was told, as `line:column id`."""
    return [
        f"{each.place.line}:{each.place.column} {each.code.id}" if each.place else each.code.id
        for each in result.diagnostics
    ]
