"""Which chains a change begins, and which it breaks off: their first objects are stored in full."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.consequences.side import Side
from engine.identity.chains import Chain
from engine.inventory.records import Kind, Location
from engine.planning.coming import Coming, coming
from engine.planning.draft import at
from engine.planning.slots import next_due
from engine.planning.survey import Life, Source
from engine.plans.consequences import NewChain


def new_chains(before: Side, after: Side) -> Iterator[NewChain]:
    """Yield the chains of which nothing is there yet, and which would not begin otherwise.

    Snapshots of clusters are always full: they have no chains (Aurora User Guide, Copying a DB
    cluster snapshot).
    """
    if after.world.kind is Kind.CLUSTER:
        return
    for key in sorted(before.sources.keys() & after.sources.keys()):
        source = after.sources[key]
        old, new = _coming(before, before.sources[key]), _coming(after, source)
        known = {h.chain for h in source.holdings if h.is_point and h.is_available}
        for location in sorted(new):
            made, former = new[location].chain, old.get(location)
            if made in known or (former is not None and former.chain == made):
                continue
            ended = former.chain if former is not None and former.chain in known else None
            yield NewChain(
                source=source.ref,
                location=at(location),
                policy=source.policy.name if source.policy is not None else "",
                slot=_first(after, source, location),
                gib=(0, new[location].body.allocated_gib),
                breaks=ended is not None,
                because=_because(made, ended),
            )


def _coming(side: Side, source: Source) -> dict[Location, Coming]:
    """Return what comes to each location, where a schedule makes anything at all."""
    is_live = source.life is Life.LIVE and source.terms is not None
    if not is_live or source.terms is None or source.terms.snapshots.schedule is None:
        return {}
    return {made.chain.location: made for made in coming(source, side.world, side.book)}


def _first(side: Side, source: Source, location: Location) -> datetime | None:
    """Return the slot of the first object: one that is made now, else the next of the schedule."""
    slots = [s.slot for s in side.makes.get((source.ref.resource_id, location), ()) if s.slot]
    if slots:
        return min(slots)
    schedule = source.terms.snapshots.schedule if source.terms is not None else None
    if source.terms is None or schedule is None:
        return None
    return next_due(schedule, source.terms.timezone, side.world.now)


def _because(made: Chain, ended: Chain | None) -> str:
    if ended is None:
        return "nothing of it is there yet"
    if made.volume != ended.volume or made.zone != ended.zone:
        return "snapshots are taken of another instance"
    if len(made.keys) != len(ended.keys):
        return "copies take another way there, with more or fewer keys"
    return "copies are made under another key"
