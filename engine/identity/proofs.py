"""Whose an object is by what nobody can take from it: its id, its database, where it lies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.identity.marks import (
    ESTATE,
    KEYS,
    ORIGIN,
    POLICY,
    RESOURCE,
    ROLE,
    SLOT,
    SOURCE,
    VOLUME,
    ZONE,
    Role,
    fingerprint,
    time_text,
)
from engine.inventory.records import Location, Snapshot, SnapshotType

_ID = re.compile(r"(?P<front>.+)-(?P<stamp>\d{8}t\d{4}z)-[a-z0-9]+-(?P<proof>[0-9a-f]{8})\Z")
_STAMP = "%Y%m%dt%H%Mz"
_ALWAYS = (ESTATE, POLICY, SLOT, ROLE, RESOURCE, SOURCE, VOLUME, ZONE, KEYS)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the hash at the end of an id proves: the point that it was made for, and its role."""

    resource: str
    role: Role
    policy: str
    slot: datetime

    def tags(self, estate: str) -> dict[str, str]:
        """Return the tags that the hash covers, as they were made."""
        return {
            ESTATE: estate,
            POLICY: self.policy,
            SLOT: time_text(self.slot),
            ROLE: self.role.value,
            RESOURCE: self.resource,
        }


@dataclass(frozen=True, slots=True)
class Stray:
    """A snapshot that the engine made, by its id, and no longer owns, by its tags."""

    snapshot: Snapshot
    proof: Proof

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys of the tags that must be there and are not."""
        wanted = _ALWAYS if self.proof.role is Role.PRIMARY else (*_ALWAYS, ORIGIN)
        return tuple(key for key in wanted if key not in self.snapshot.tags)

    def changed(self, estate: str) -> dict[str, str]:
        """Return the tags under the hash that say something else now, as they should be."""
        tags = self.snapshot.tags
        made = self.proof.tags(estate)
        return {key: value for key, value in made.items() if tags.get(key, value) != value}


def proof_of(
    identifier: str, location: Location, resource: str, estate: str, policies: Iterable[str]
) -> Proof | None:
    """Return what an id proves of an object of a database at a location, None where nothing.

    The policy is tried as the id names it, where it stands behind the name of the instance, and
    as each of `policies`: a copy keeps the id of its origin, but for the hash, under whichever
    policy it is made.
    """
    found = _ID.match(identifier)
    if found is None:
        return None
    try:
        slot = datetime.strptime(found["stamp"], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    for policy in {*_named(found["front"]), *policies}:
        for role in Role:
            if found["proof"] == fingerprint(estate, role, location, resource, policy, slot):
                return Proof(resource, role, policy, slot)
    return None


def stray_of(
    snapshot: Snapshot, estate: str, policies: Iterable[str], followed: Mapping[str, str]
) -> Stray | None:
    """Return a snapshot that is not owned as the stray it is, None if the engine never made it.

    Its database is the one that AWS names, the one that this follows, or the one that its tags
    name. `followed` holds the DbiResourceIds of databases by those of their replicas.
    """
    if snapshot.type is not SnapshotType.MANUAL:
        return None
    known = tuple(policies)
    named = (snapshot.resource_id, followed.get(snapshot.resource_id), snapshot.tags.get(RESOURCE))
    for resource in dict.fromkeys(named):
        if resource:
            proof = proof_of(snapshot.identifier, snapshot.location, resource, estate, known)
            if proof is not None:
                return Stray(snapshot, proof)
    return None


def _named(front: str) -> Iterator[str]:
    """Yield each text that may be the policy at the end of `<instance>-<policy>`."""
    parts = front.split("-")
    return ("-".join(parts[number:]) for number in range(1, len(parts)))
