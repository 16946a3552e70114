"""Which databases gain or lose protection by a change, at home and at each target."""

from __future__ import annotations

from collections.abc import Iterator

from engine.consequences.side import Side, SourceKey
from engine.inventory.records import Location
from engine.planning.draft import at
from engine.planning.survey import Life, Source
from engine.plans.codes import ProtectionChange
from engine.plans.consequences import Protected


def protection(before: Side, after: Side) -> Iterator[Protected]:
    """Yield what changes about which policy makes points of a database, or sends them somewhere."""
    for key in sorted(before.sources.keys() | after.sources.keys()):
        old, new = _protected(before, key), _protected(after, key)
        source = after.sources.get(key) or before.sources[key]
        for location in sorted(old.keys() | new.keys(), key=lambda one: (one != key[0], one)):
            was, will = old.get(location), new.get(location)
            if was != will and (location == key[0] or was is None or will is None):
                yield Protected(source.ref, at(location), _change(was, will), was, will)


def _change(was: str | None, will: str | None) -> ProtectionChange:
    if will is None:
        return ProtectionChange.LOST
    return ProtectionChange.GAINED if was is None else ProtectionChange.MOVED


def _protected(side: Side, key: SourceKey) -> dict[Location, str]:
    """Return the policy that brings points of a database to each location."""
    source = side.sources.get(key)
    if source is None or source.policy is None:
        return {}
    return dict.fromkeys(protected_at(side, source), source.policy.name)


def protected_at(side: Side, source: Source) -> set[Location]:
    """Return where a policy brings points of a source: home, and to each target."""
    is_live = source.life is Life.LIVE and source.terms is not None
    if not is_live or source.terms is None or source.terms.snapshots.schedule is None:
        return set()
    routes, _ = side.book.routes(source.terms, source.location)
    return {source.location, *(route.location for route in routes)}
