"""The end is that of the same story undisturbed.

Of a gentle story, in which every night ends in peace, all points are compared: source, place, role,
slot, key and shares. Names and zones are not, since a failover may come before or after a point.
Of a rough story a slot may be missed for good (`catch_up: in_window`), and a point made in another
zone keeps another base: compared are the points of slots since the peace began, which no trouble
before it may touch.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.playing import Ending
from tests.chaos.records import place_of

Point = tuple[object, ...]


def violations(ending: Ending, twin: Ending) -> Iterator[str]:
    """Yield the points that only one of them has."""
    since = None if ending.story.is_gentle else f"{ending.story.last[0]:%Y-%m-%dT00:00:00Z}"
    mine, other = _points(ending, since), _points(twin, since)
    yield from (f"missing: {one}" for one in sorted(other - mine, key=str))
    yield from (f"only here: {one}" for one in sorted(mine - other, key=str))


def _points(ending: Ending, since: str | None) -> set[Point]:
    return {
        (
            one.tags.get("engine:resource"),
            place_of(arn),
            one.role,
            one.slot,
            one.key.rsplit(":", 2)[0] if one.key else None,
            tuple(sorted(one.shared_with)),
        )
        for arn, one in ending.seen.items()
        if arn in ending.made and one.role != "bridge" and (since is None or str(one.slot) >= since)
    }
