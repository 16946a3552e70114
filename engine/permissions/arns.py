"""ARNs and patterns of them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from engine.inventory.convert import partition_of
from engine.inventory.records import Location


class Breadth(Enum):
    """How patterns speak of regions."""

    LISTED = auto()
    """Each by name."""
    ANY = auto()
    """None by name, since naming them all would not fit into a policy."""


def rds_arns(places: Iterable[Location], kind: str, breadth: Breadth) -> tuple[str, ...]:
    """Return the patterns of all resources of a kind (`db`, `snapshot`) at places."""
    return _patterns(places, "rds", f"{kind}:*", breadth)


def key_arns(places: Iterable[Location], breadth: Breadth) -> tuple[str, ...]:
    """Return the patterns of all keys at places."""
    return _patterns(places, "kms", "key/*", breadth)


def alias_arn(reference: str, at: Location) -> str:
    """Return the ARN that a reference to a key at a place stands for: its own, or its alias's."""
    if reference.startswith("arn:"):
        return reference
    return f"arn:{partition_of(at.region)}:kms:{at.region}:{at.account}:{reference}"


def alias_name(reference: str) -> str | None:
    """Return the `alias/NAME` in a reference to a key, None where it names the key itself."""
    return reference[reference.index("alias/") :] if "alias/" in reference else None


def _patterns(
    places: Iterable[Location], service: str, what: str, breadth: Breadth
) -> tuple[str, ...]:
    found = {
        f"arn:{partition_of(at.region)}:{service}:"
        f"{at.region if breadth is Breadth.LISTED else '*'}:{at.account}:{what}"
        for at in places
    }
    return tuple(sorted(found))
