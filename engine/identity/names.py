"""Ids of snapshots and ARNs: people read the front, the hash at the end decides."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from engine.inventory.records import Location

MAX_LENGTH = 255
HASH_LENGTH = 8
_HASH = re.compile(r"-[0-9a-f]{8}\Z")


def snapshot_id(instance: str, policy: str, slot: datetime, zone: str, proof: str) -> str:
    """Return the id of a primary; at most 255 characters, no double hyphens.

    The limits are those of CreateDBSnapshot (API reference, DBSnapshotIdentifier).
    """
    stamp = slot.astimezone(UTC).strftime("%Y%m%dt%H%Mz")
    front = f"{instance}-{policy}-{stamp}-{zone.replace('-', '')}".lower()
    return _with_hash(front, proof)


def derived_id(origin: str, proof: str) -> str:
    """Return the id of a copy: its origin's but for the hash, which adopted objects lack."""
    return _with_hash(_HASH.sub("", origin), proof)


def ends_in_hash(identifier: str) -> bool:
    """Say whether an id may be one of the engine's."""
    return _HASH.search(identifier) is not None


def _with_hash(front: str, proof: str) -> str:
    return f"{front[: MAX_LENGTH - HASH_LENGTH - 1].rstrip('-')}-{proof}"


def snapshot_arn(like: str, location: Location, identifier: str) -> str:
    """Return the ARN of a snapshot at `location`, in the partition of the ARN `like`."""
    partition = like.split(":", 2)[1]
    return f"arn:{partition}:rds:{location.region}:{location.account}:snapshot:{identifier}"


@lru_cache(maxsize=1 << 16)
def key_location(arn: str) -> Location | None:
    """Return the account and region of a KMS key by its ARN, None where it is no ARN of a key."""
    parts = arn.split(":", 5)
    is_key = len(parts) == 6 and parts[0] == "arn" and parts[5].startswith("key/")
    return Location(parts[4], parts[3]) if is_key else None


def location_of(arn: str) -> Location | None:
    """Return the account and region an ARN names, None where it is no ARN."""
    parts = arn.split(":", 6)
    return Location(parts[4], parts[3]) if len(parts) == 7 and parts[0] == "arn" else None
