"""All documents as nodes, sorted by kind, before they become values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.documents.model import Place
from engine.documents.nodes import Entry, Leaf, Node, Table, find
from engine.documents.policies import PolicySource


@dataclass(slots=True)
class Sources:
    """What the files hold.

    `is_whole` says whether every document could be read and fits its schema closely enough for its
    names to be known: where it is not, nothing can be called missing.
    """

    estate: Table | None = None
    accounts: dict[str, Entry] = field(default_factory=dict)
    policies: dict[str, PolicySource] = field(default_factory=dict)
    is_whole: bool = True

    def targets(self) -> Mapping[str, Entry]:
        """Return the estate's targets by name."""
        found = self.estate.get("targets") if self.estate else None
        return found.entries if isinstance(found, Table) else {}


def place_of(source: PolicySource, *path: str | int) -> Place:
    """Return where a policy says something, or where what it says would stand."""
    return _place(find(source.body, path), source.document)


def place_in(table: Table, *path: str | int) -> Place:
    """Return where a map says something, or where the map starts."""
    return _place(find(table, path), table)


def _place(node: Node | None, otherwise: Table) -> Place:
    return node.place if node is not None else otherwise.place


def width_of(root: Table, *path: str | int) -> int:
    """Return how many characters a value takes up."""
    node = find(root, path)
    return node.width if isinstance(node, Leaf) else 1
