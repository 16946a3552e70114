"""Chains: objects that AWS stores as deltas of one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from engine.identity.marks import KEYS, ROLE, UNKNOWN_KEY, VOLUME, ZONE, Marks, Role
from engine.inventory.placement import UNKNOWN_ZONE
from engine.inventory.records import Location


@dataclass(frozen=True, slots=True)
class Chain:
    """One incremental chain: a volume, a place, a role, and the keys along the route.

    Encrypted copies build on one another only with the same lineage: the same depth and the same
    key at each level (RDS User Guide, Copying a DB snapshot).
    """

    volume: str
    zone: str
    location: Location
    role: Role
    keys: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        """Whether zone and keys are known, so that forecasts may rest on it."""
        return self.zone != UNKNOWN_ZONE and UNKNOWN_KEY not in self.keys

    @property
    def text(self) -> str:
        """What tells it from others at its location; plans name it so, apply compares it."""
        return "|".join((self.volume, self.zone, self.role.value, "/".join(self.keys)))


def chain_of(marks: Marks, location: Location) -> Chain:
    """Return the chain that an object with these marks belongs to at `location`."""
    return Chain(marks.volume, marks.zone, location, marks.role, marks.keys)


def tagged_chain(tags: Mapping[str, str], location: Location) -> Chain:
    """Return the chain of an object that is known to be owned, without reading all its marks.

    Raises:
        KeyError: it is not owned: tags are missing.
    """
    role, keys = _role_and_keys(tags[ROLE], tags[KEYS])
    return Chain(tags[VOLUME], tags[ZONE], location, role, keys)


@lru_cache(maxsize=1 << 14)
def _role_and_keys(role: str, keys: str) -> tuple[Role, tuple[str, ...]]:
    return Role(role), tuple(keys.split("/"))
