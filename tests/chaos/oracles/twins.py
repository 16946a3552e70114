"""The end is that of the same story undisturbed.

Of a gentle story, in which every night ends in peace, all points are compared: source, place, role,
slot, key and shares. Names and zones are not, since a failover may come before or after one. Nor
is what lies where a living source is not sent to any more: it is unmanaged, just as the last run
before the target was dropped left it, and a delete may have been due to the next one. A run that
could not read what there is makes a point that would have waited, being a database's first. And
what was made of another zone, or of no replica, stays as the base of a chain of its own. Of a
database that is gone the newest points are compared: what else its last run kept as a base, for
the next one to delete, stays for as long as orphans do.
Of a rough story a slot may be missed for good (`catch_up: in_window`), and a point made in another
zone leaves another base behind, which counts for `min_points`: compared is the newest point of each
living source at each place that its policy still sends to, which no trouble before the peace may
touch.
Databases that live in one of the stories alone are left out: what was done to them in one was
refused in the other, as a database that somebody stopped at another time cannot be replaced.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from tests.chaos.oracles.chains import bases
from tests.chaos.playing import Ending
from tests.chaos.records import Place, place_of


@dataclass(frozen=True, slots=True)
class Point:
    """A point, but for its name and zone; a key by where it lies, as its id is made up anew."""

    source: str
    place: Place
    role: str | None
    slot: str
    key: str | None
    shared_with: frozenset[str]


def violations(ending: Ending, twin: Ending) -> Iterator[str]:
    """Yield the points that only one of them has."""
    mine, other = _points(ending, ending.made), _points(twin, twin.made)
    if ending.story.is_gentle:
        mine, other = _managed(mine, ending), _managed(other, twin)
    else:
        mine, other = _newest(_served_ones(mine, ending)), _newest(_served_ones(other, twin))
    apart = _living(ending) ^ _living(twin)
    mine = {one for one in _renamed(mine, ending) if one.source not in apart}
    other = {one for one in _renamed(other, twin) if one.source not in apart}
    yield from (f"missing: {one}" for one in sorted(other - mine, key=str))
    only = mine - other
    if ending.story.is_gentle:
        only -= _renamed(_points(ending, set(bases(ending.truth, ending.made))), ending)
        slots = _slots(twin)
        only = {one for one in only if (one.source, one.slot) in slots}
    yield from (f"only here: {one}" for one in sorted(only, key=str))


def _slots(ending: Ending) -> set[tuple[str, str]]:
    """Return the slots of which a point was made, by database."""
    tags = [one.tags for one in ending.made.values()]
    return {(_called(one["engine:resource"], ending), one["engine:slot"]) for one in tags}


def _points(ending: Ending, arns: Collection[str]) -> set[Point]:
    return {
        Point(
            source=one.tags.get("engine:resource", ""),
            place=place_of(arn),
            role=one.role,
            slot=one.slot or "",
            key=one.key.rsplit("/", 1)[0] if one.key else None,
            shared_with=one.shared_with,
        )
        for arn, one in ending.seen.items()
        if arn in arns and one.role != "bridge"
    }


def _renamed(points: set[Point], ending: Ending) -> set[Point]:
    return {replace(one, source=_called(one.source, ending)) for one in points}


def _living(ending: Ending) -> set[str]:
    return {_called(one, ending) for one in ending.instances}


def _called(source: str, ending: Ending) -> str:
    """Return what a database is called in both stories: ids of restored ones differ."""
    return ending.heirs.get(source, source)


def _managed(points: set[Point], ending: Ending) -> set[Point]:
    gone = {one for one in points if one.source not in ending.instances}
    return _served_ones(points, ending) | _newest(gone)


def _served_ones(points: set[Point], ending: Ending) -> set[Point]:
    return {one for one in points if one.place in _served(one.source, ending)}


def _newest(points: set[Point]) -> set[Point]:
    newest: dict[tuple[object, ...], Point] = {}
    for one in sorted(points, key=lambda point: point.slot):
        newest[one.source, one.place, one.role] = one
    return set(newest.values())


def _served(source: str, ending: Ending) -> Iterator[Place]:
    """Yield where points of a source are made and sent to in the end; nowhere if it is gone."""
    if source not in ending.instances:
        return
    yield place_of(ending.instances[source])
    for policy in ending.policies:
        if policy.tier == ending.tiers[source]:
            targets = (ending.story.targets[copy.target] for copy in policy.copies)
            yield from ((target.account, target.region) for target in targets)
