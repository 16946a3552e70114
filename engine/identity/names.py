"""Ids of snapshots and ARNs: people read the front, the hash at the end decides."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from engine.inventory.records import Kind, Location, kind_of

MAX_LENGTH = 255
MAX_CLUSTER_LENGTH = 63
HASH_LENGTH = 8
_HASH = re.compile(r"-[0-9a-f]{8}\Z")


def snapshot_id(
    instance: str,
    policy: str,
    slot: datetime,
    zone: str,
    proof: str,
    most: int = MAX_LENGTH,
) -> str:
    """Return the id of a primary; at most `most` characters, no double hyphens.

    What is too long loses letters of the instance's name first, then of the policy's. The limits
    are those of CreateDBSnapshot (API reference, DBSnapshotIdentifier).
    """
    stamp = slot.astimezone(UTC).strftime("%Y%m%dt%H%Mz")
    back = f"-{stamp}-{zone.replace('-', '')}"
    room = most - HASH_LENGTH - 1 - len(back)
    shown = policy[: max(1, room - 2)].rstrip("-")
    name = instance[: max(1, room - 1 - len(shown))].rstrip("-")
    return _with_hash(f"{name}-{shown}{back}".lower(), proof, most)


def derived_id(origin: str, proof: str, most: int = MAX_LENGTH) -> str:
    """Return the id of a copy: its origin's but for the hash, which adopted objects lack."""
    return _with_hash(_HASH.sub("", origin), proof, most)


def longest_id(arn: str) -> int:
    """Return how long the id of a snapshot may be, by the ARN of one or of its database.

    Those of clusters are shorter (API reference, CreateDBClusterSnapshot).
    """
    return MAX_CLUSTER_LENGTH if kind_of(arn) is Kind.CLUSTER else MAX_LENGTH


def ends_in_hash(identifier: str) -> bool:
    """Say whether an id may be one of the engine's."""
    return _HASH.search(identifier) is not None


def _with_hash(front: str, proof: str, most: int) -> str:
    return f"{front[: most - HASH_LENGTH - 1].rstrip('-')}-{proof}"


def snapshot_arn(like: str, location: Location, identifier: str) -> str:
    """Return the ARN of a snapshot at `location`, of the kind and partition of the ARN `like`."""
    partition = like.split(":", 2)[1]
    what = "cluster-snapshot" if kind_of(like) is Kind.CLUSTER else "snapshot"
    return f"arn:{partition}:rds:{location.region}:{location.account}:{what}:{identifier}"


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
