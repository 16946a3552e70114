"""What the witness told, as values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Place = tuple[str, str]
"""An account and a region."""

_MAKING = {
    "CreateDBSnapshot": "DBSnapshotIdentifier",
    "CopyDBSnapshot": "TargetDBSnapshotIdentifier",
}
_TAG = re.compile(r"Tags\.(?:Tag|member)\.(\d+)\.(Key|Value)")


@dataclass(frozen=True, slots=True)
class Object:
    """A snapshot as the lab knows it; times are POSIX seconds."""

    arn: str
    status: str
    type: str
    volume: tuple[str, str]
    keys: tuple[str, ...]
    origin: str | None
    original: float
    made: float
    tags: Mapping[str, str]

    @property
    def chain(self) -> tuple[object, ...]:
        """What it shares with the objects that AWS could store it as a delta of."""
        return place_of(self.arn), self.volume, self.keys, self.origin is None


@dataclass(frozen=True, slots=True)
class Scene:
    """What stood around an object that was about to be deleted."""

    victim: Object | None
    there: tuple[Object, ...]
    readers: tuple[str, ...]
    base_of: tuple[str, ...]
    living: Mapping[str, str]
    """The ARNs of databases by their resource ids."""


@dataclass(frozen=True, slots=True)
class Deed:
    """A call that changes something and took effect, or was refused by the lab itself."""

    time: datetime
    place: Place
    operation: str
    arn: str
    said: Mapping[str, str]
    tags: Mapping[str, str]
    by_engine: bool
    status: int
    scene: Scene | None = None

    @property
    def makes(self) -> bool:
        """Whether it makes an object."""
        return self.operation in _MAKING

    @property
    def took_effect(self) -> bool:
        """Whether the lab did it."""
        return self.status < 400

    @property
    def slot(self) -> datetime:
        """The slot that the object being made is tagged with."""
        return datetime.fromisoformat(self.tags["engine:slot"])

    def __str__(self) -> str:
        return f"{self.time:%d %H:%M:%S} {self.operation} {self.arn} ({self.status})"


def read_deeds(told: Iterable[Mapping[str, Any]]) -> list[tuple[int, Deed]]:
    """Return the deeds that took effect, each with its number among all that were tried."""
    return [(n, deed) for n, deed in enumerate(map(_deed, told)) if deed.took_effect]


def _deed(told: Mapping[str, Any]) -> Deed:
    said, place = told["said"], (told["account"], told["region"])
    named = said.get(_MAKING.get(told["operation"], "DBSnapshotIdentifier"))
    arn = said.get("ResourceName") or f"arn:aws:rds:{place[1]}:{place[0]}:snapshot:{named}"
    scene = told.get("scene")
    return Deed(
        time=datetime.fromisoformat(told["time"]),
        place=place,
        operation=told["operation"],
        arn=arn,
        said=said,
        tags=_tags(said),
        by_engine=told["by_engine"],
        status=told["status"],
        scene=_scene(scene) if scene else None,
    )


def _tags(said: Mapping[str, str]) -> dict[str, str]:
    parts: dict[str, dict[str, str]] = {}
    for name, value in said.items():
        found = _TAG.fullmatch(name)
        if found:
            parts.setdefault(found[1], {})[found[2]] = value
    return {part["Key"]: part.get("Value", "") for part in parts.values()}


def _scene(told: Mapping[str, Any]) -> Scene:
    return Scene(
        victim=_object(told["victim"]) if told["victim"] else None,
        there=tuple(map(_object, told["there"])),
        readers=tuple(told["readers"]),
        base_of=tuple(told["base_of"]),
        living=told["living"],
    )


def _object(told: Mapping[str, Any]) -> Object:
    resource, zone = told["volume"]
    return Object(**{**told, "volume": (resource, zone), "keys": tuple(told["keys"])})


def place_of(arn: str) -> Place:
    """Return the account and region of an ARN."""
    parts = arn.split(":")
    return parts[4], parts[3]


def moment(seconds: float) -> datetime:
    """Return a POSIX time as an aware one."""
    return datetime.fromtimestamp(seconds, UTC)
