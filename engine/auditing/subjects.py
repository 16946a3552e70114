"""Which databases a control is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.documents.control_model import Control, CustomerKeys, NoForeignShares
from engine.documents.model import Condition, Select
from engine.inventory.records import Instance, Location
from engine.planning.matching import is_protectable
from engine.planning.orphans import last_seen
from engine.planning.routes import RouteBook
from engine.planning.survey import Source, World

# Of a deleted database these are all that still counts: what is left can still leak.
_OF_GONE_TOO = (CustomerKeys, NoForeignShares)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What rules look at: all databases, everything around them, the routes of their policies."""

    world: World
    sources: Sequence[Source]
    book: RouteBook


def subjects(control: Control, grounds: Grounds) -> Iterator[Source]:
    """Yield the databases that a control is for.

    Read replicas count where a policy takes them. A gone database's tags are not known, so a
    `select` that asks for tags is taken to mean it.
    """
    for source in grounds.sources:
        instance = source.instance
        if instance is None:
            if isinstance(control.rule, _OF_GONE_TOO) and _may_be_meant(control, source, grounds):
                yield source
        elif is_subject(source, instance) and selects(control.select, instance, grounds):
            yield source


def is_subject(source: Source, instance: Instance) -> bool:
    """Say whether controls are about an instance at all."""
    return source.policy is not None or instance.replica_of is None


def selects(select: Select | None, instance: Instance, grounds: Grounds) -> bool:
    """Say whether a control's `select` takes an instance."""
    return select is None or grounds.world.matcher.fits(select, instance)


def _may_be_meant(control: Control, source: Source, grounds: Grounds) -> bool:
    seen = last_seen(source, source.holdings[-1])
    return control.select is None or grounds.world.matcher.may_fit(control.select, seen)


def remembered(source: Source) -> Instance:
    """Return a database as it is, or as its points remember it."""
    return source.instance or last_seen(source, source.holdings[-1])


def unread_homes(control: Control, grounds: Grounds) -> Iterator[Location]:
    """Yield the locations whose databases are not known and may be meant by a control."""
    for location in sorted(grounds.world.locations):
        if grounds.world.scope(location).instances is None and _may_lie(control, location, grounds):
            yield location


def _may_lie(control: Control, location: Location, grounds: Grounds) -> bool:
    if control.select is None:
        return True
    asked = control.select.condition
    place = Select(Condition(accounts=asked.accounts, regions=asked.regions))
    return grounds.world.matcher.fits(place, Instance("", location, "", "", ""))


def unread_places(grounds: Grounds) -> list[Location]:
    """Return the locations where there may be more points than were seen."""
    world = grounds.world
    return [one for one in sorted(world.locations) if not world.scope(one).is_complete]


def is_possible(instance: Instance) -> bool:
    """Say whether the engine can back an instance up."""
    return is_protectable(instance)
