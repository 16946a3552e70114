"""Places and flights: what the simulated AWS is made of besides records."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from engine.identity.marks import RESOURCE, ROLE, Role
from engine.inventory.records import (
    Instance,
    Key,
    Location,
    Scope,
    ScopeStatus,
    Snapshot,
    SnapshotType,
)

OUTAGE = "an outage that the events announce"


@dataclass(frozen=True, slots=True)
class Place:
    """What of a location stays as it is, whatever the engine does there.

    `scope` is what was read of it without its instances and snapshots; `fixed` are the snapshots
    that belong to none of the databases that are played. `is_out` says that nothing there answers.
    """

    scope: Scope
    fixed: tuple[Snapshot, ...] = ()
    is_out: bool = False

    @property
    def location(self) -> Location:
        """Which location."""
        return self.scope.location

    def scope_of(self, instances: tuple[Instance, ...], snapshots: tuple[Snapshot, ...]) -> Scope:
        """Return the location as the engine reads it, with what is played there."""
        if self.is_out:
            return Scope(self.location, ScopeStatus.FAILED, OUTAGE)
        if not self.scope.is_complete:
            return self.scope
        return replace(self.scope, instances=instances, snapshots=(*self.fixed, *snapshots))

    def key(self, reference: str) -> Key | None:
        """Return the key that an ARN or an alias names there."""
        keys = self.scope.keys or {}
        found = keys.get(reference)
        if found is not None:
            return found
        alias = reference[reference.index("alias/") :] if "alias/" in reference else reference
        return next((keys[arn] for arn in sorted(keys) if alias in keys[arn].aliases), None)


@dataclass(frozen=True, slots=True)
class Flight:
    """A snapshot on its way: since when, and when it will be available."""

    arn: str
    begun_at: datetime
    ready_at: datetime
    location: Location
    volume: str
    is_copy: bool


def is_counted(snapshot: Snapshot) -> bool:
    """Say whether a snapshot counts against the quota of manual ones."""
    return snapshot.type is SnapshotType.MANUAL


def is_bridge(tags: Mapping[str, str]) -> bool:
    """Say whether tags are those of a bridge, which is no point."""
    return tags.get(ROLE) == Role.BRIDGE.value


def protected_by(snapshot: Snapshot) -> str | None:
    """Return the DbiResourceId of the database that a point of the engine's protects."""
    resource = snapshot.tags.get(RESOURCE)
    return None if resource is None or is_bridge(snapshot.tags) else resource


def resource_id(location: Location, identifier: str, generation: int) -> str:
    """Return a DbiResourceId for a made-up database: the same in each simulation."""
    digest = sha256(f"{location}/{identifier}/{generation}".encode()).digest()
    return "db-" + b32encode(digest).decode()[:26]


def key_arn(location: Location, alias: str) -> str:
    """Return the ARN of a made-up key behind an alias."""
    name = sha256(f"{location}/{alias}".encode()).hexdigest()
    parts = (name[:8], name[8:12], name[12:16], name[16:20], name[20:32])
    return f"arn:aws:kms:{location.region}:{location.account}:key/{'-'.join(parts)}"
