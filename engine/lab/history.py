"""The snapshots of a history, folded: what alike ones have in common is written once.

`{"families": [{…, "points": [[identifier, created, origin, tags], …]}, …]}`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from engine.lab.seeds import SnapshotSeed

_ORIGIN_TAG = "engine:origin"


class Point(msgspec.Struct, frozen=True, array_like=True):
    """What is a snapshot's own: `origin` is the name of what it is a copy of, or null.

    `tags` are those that the family does not have.
    """

    identifier: str
    created: datetime
    origin: str | None
    tags: dict[str, str]


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Snapshots of one database in one place.

    The names are those of `engine.lab.seeds.SnapshotSeed`; `copies_from` is the ARN of their
    origins as far as the name. Copies are tagged with their origin's ARN, which is not repeated.
    """

    account: str
    region: str
    points: tuple[Point, ...]
    instance: str | None = None
    copies_from: str | None = None
    zones: tuple[str, ...] = ()
    zone_id: str | None = None
    key: str | None = None
    deleted: bool = False
    tags: dict[str, str] = {}


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All families."""

    families: tuple[Family, ...]


def read_history(text: bytes) -> Iterator[SnapshotSeed]:
    """Yield the snapshots of a folded history.

    Raises:
        msgspec.ValidationError: it is none.
    """
    for family in msgspec.json.decode(text, type=History).families:
        for point in family.points:
            yield _unfolded(family, point)


def write_history(snapshots: Iterable[SnapshotSeed]) -> bytes:
    """Fold available snapshots that are shared with nobody; a family is a line."""
    families: dict[tuple[object, ...], list[SnapshotSeed]] = defaultdict(list)
    for one in snapshots:
        origin = _prefix(one.copy_of)
        kin = (one.account, one.region, one.instance, origin, one.zones, one.zone_id)
        families[(*kin, one.key, one.deleted, one.tags.get("engine:source"))].append(one)
    lines = [msgspec.json.encode(_folded(members)) for members in families.values()]
    return b'{"families": [\n' + b",\n".join(lines) + b"\n]}\n"


def _folded(members: Sequence[SnapshotSeed]) -> Family:
    first = members[0]
    own = [_own_tags(one) for one in members]
    common = {
        name: value
        for name, value in own[0].items()
        if all(tags.get(name) == value for tags in own)
    }
    points = (
        Point(
            one.identifier,
            one.created,
            one.copy_of.rpartition(":")[2] if one.copy_of else None,
            {name: value for name, value in tags.items() if name not in common},
        )
        for one, tags in zip(members, own, strict=True)
    )
    return Family(
        first.account,
        first.region,
        tuple(sorted(points, key=lambda point: point.created)),
        instance=first.instance,
        copies_from=_prefix(first.copy_of),
        zones=first.zones,
        zone_id=first.zone_id,
        key=first.key,
        deleted=first.deleted,
        tags=common,
    )


def _unfolded(family: Family, point: Point) -> SnapshotSeed:
    origin = f"{family.copies_from}{point.origin}" if point.origin else None
    return SnapshotSeed(
        family.account,
        family.region,
        point.identifier,
        point.created,
        instance=family.instance,
        copy_of=origin,
        zones=family.zones,
        zone_id=family.zone_id,
        key=family.key,
        tags=family.tags | point.tags | ({_ORIGIN_TAG: origin} if origin else {}),
        deleted=family.deleted,
    )


def _prefix(arn: str | None) -> str | None:
    return arn[: arn.rindex(":") + 1] if arn else None


def _own_tags(one: SnapshotSeed) -> dict[str, str]:
    return {name: value for name, value in one.tags.items() if name != _ORIGIN_TAG}
