"""Whose backups they are: what became of a source, who judges it now, and with whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from engine.documents.model import Documents, Policy, RegionalTarget, Target
from engine.identity.marks import RESOURCE, SOURCE, Marks
from engine.identity.names import location_of
from engine.inventory.records import Instance, Location
from engine.verifying.conditions import takers
from engine.verifying.evidence import Evidence, Held, Planned


@dataclass(frozen=True, slots=True)
class Source:
    """One protected database, for as long as it exists: names come and go, this stays."""

    home: Location
    resource: str


class Standing(Enum):
    """What became of a source."""

    LIVE = auto()
    SUCCEEDED = auto()
    GONE = auto()
    UNREAD = auto()
    OUTSIDE = auto()


@dataclass(frozen=True, slots=True)
class Family:
    """The sources whose points are judged together, and the living one that stands for them.

    `takers` are the policies that match it, by name; more than one is a conflict.
    """

    standing: Standing
    members: frozenset[Source]
    instance: Instance | None = None
    takers: tuple[Policy, ...] = ()

    @property
    def taker(self) -> Policy | None:
        """The policy that decides now: of several the first by name."""
        return self.takers[0] if self.takers else None


def source_of(marks: Marks) -> Source | None:
    """Return the source that marks name; None where `engine:source` is no ARN."""
    home = location_of(marks.source)
    return Source(home, marks.resource) if home else None


def estate_locations(documents: Documents) -> frozenset[Location]:
    """Return every location that the estate governs: its accounts' regions and its targets'."""
    estate = documents.estate
    regions = {
        Location(account.id, region)
        for account in estate.accounts.values()
        for region in account.regions
    }
    targets = {
        Location(estate.accounts[target.account].id, target.region)
        for target in estate.targets.values()
        if isinstance(target, Target)
    }
    return frozenset(regions | targets)


def target_location(documents: Documents, name: str, home: Location) -> Location | None:
    """Return where copies of a source at `home` go for the target `name`; None for nowhere."""
    target = documents.estate.targets.get(name)
    if isinstance(target, RegionalTarget):
        target = documents.estate.targets.get(target.by_source_region.get(home.region, ""))
    if not isinstance(target, Target):
        return None
    return Location(documents.estate.accounts[target.account].id, target.region)


class Sources:
    """Looks up families; each is worked out once."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._families: dict[Source, Family] = {}

    @cached_property
    def locations(self) -> frozenset[Location]:
        """Every location that the estate governs."""
        return estate_locations(self._evidence.documents)

    def is_read(self, location: Location) -> bool:
        """Whether the estate governs a location and all of it was read."""
        return location in self.locations and self._evidence.inventory.scope(location).is_complete

    def family(self, source: Source) -> Family:
        """Return the family of a source."""
        if source not in self._families:
            self._families[source] = self._find_family(source)
        return self._families[source]

    def points(self, family: Family, location: Location) -> list[Held]:
        """Return the points of a family at a location, available or on their way."""
        held = [
            one
            for member in family.members
            for one in self._evidence.held_with(RESOURCE, member.resource)
            if one.location == location and one.is_point
        ]
        return [one for one in held if source_of(one.marks) in family.members]

    def points_to_be(self, family: Family, location: Location) -> list[Planned]:
        """Return the points of a family that the plan makes at a location."""
        planned = [
            one
            for member in family.members
            for one in self._evidence.planned_by_resource.get(member.resource, ())
            if one.location == location and one.is_point
        ]
        return [one for one in planned if source_of(one.marks) in family.members]

    def _find_family(self, source: Source) -> Family:
        if source.home not in self.locations:
            return Family(Standing.OUTSIDE, frozenset({source}))
        if not self.is_read(source.home):
            return Family(Standing.UNREAD, frozenset({source}))
        instance = self._living.get(source)
        standing = Standing.LIVE
        if instance is None:
            instance, standing = self._successor(source), Standing.SUCCEEDED
        if instance is None:
            return Family(Standing.GONE, frozenset({source}))
        return Family(
            standing,
            self._members(instance),
            instance,
            takers(self._evidence.documents, instance),
        )

    def _members(self, instance: Instance) -> frozenset[Source]:
        """Return the source that `instance` is, and those that it succeeds."""
        named = {source_of(held.marks) for held in self._evidence.held_with(SOURCE, instance.arn)}
        gone = {
            source
            for source in named
            if source is not None
            and source not in self._living
            and self._successor(source) is instance
        }
        return frozenset(gone | {Source(instance.location, instance.resource_id)})

    def _successor(self, source: Source) -> Instance | None:
        """Return the living instance under a name that the source had; its latest such name."""
        heirs = [
            (held.marks.slot, held.marks.source)
            for held in self._evidence.held_with(RESOURCE, source.resource)
            if source_of(held.marks) == source and held.marks.source in self._named
        ]
        return self._named[max(heirs)[1]] if heirs else None

    @cached_property
    def _living(self) -> Mapping[Source, Instance]:
        return {
            Source(instance.location, instance.resource_id): instance
            for scope in self._evidence.inventory.scopes.values()
            for instance in scope.instances or ()
        }

    @cached_property
    def _named(self) -> Mapping[str, Instance]:
        return {instance.arn: instance for instance in self._living.values()}
