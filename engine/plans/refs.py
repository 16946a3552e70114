"""How plans name places and databases. A leaf of the leaf."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class At:
    """An account and a region."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class SourceRef:
    """The protected database a step is about."""

    account: str
    region: str
    identifier: str
    resource_id: str

    @property
    def address(self) -> str:
        """`ACCOUNT/REGION/IDENTIFIER`."""
        return f"{self.account}/{self.region}/{self.identifier}"
