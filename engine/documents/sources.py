"""All documents as nodes, sorted by kind, before they become values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.documents.nodes import Entry, Table
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
    controls: list[Table] = field(default_factory=list)

    def targets(self) -> Mapping[str, Entry]:
        """Return the estate's targets by name."""
        found = self.estate.get("targets") if self.estate else None
        return found.entries if isinstance(found, Table) else {}
