"""Plans groups of databases, and says when each has to be planned anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from engine.documents.model import Documents
from engine.inventory.records import Location
from engine.planning.matching import Match
from engine.planning.routes import RouteBook
from engine.planning.source import plan_source
from engine.planning.survey import Life, Source, survey
from engine.plans.plan import SourceRef
from engine.simulation.cells import served
from engine.simulation.groups import Group
from engine.simulation.keys import rests_on
from engine.simulation.outcomes import Common, outcome_of
from engine.simulation.settings import Settings
from engine.simulation.things import Place
from engine.simulation.waking import Ticks, idle_lengths, wake
from engine.simulation.world import World


class Planner:
    """What the groups share while they are planned, and what of it is worked out once."""

    def __init__(self, documents: Documents, settings: Settings, ticks: Ticks) -> None:
        self._settings = settings
        self._ticks = ticks
        self._idle = idle_lengths(documents)
        self._matches: dict[str, Match] = {}
        self._epoch = 0
        self._common: Common | None = None

    @property
    def common(self) -> Common:
        """What the databases share now."""
        assert self._common is not None
        return self._common

    def renew(self, documents: Documents, places: Mapping[Location, Place], now: datetime) -> None:
        """Take in documents or places that are not what they were."""
        self._epoch += 1
        self._matches.clear()
        inventory = World(places, self._settings).inventory(now)
        world, _ = survey(documents, inventory, now)
        book = RouteBook(world.estate, dict(inventory.scopes))
        unread = frozenset(at for at in world.locations if world.scope(at).snapshots is None)
        self._common = Common(documents, world, book, epoch=self._epoch, unread=unread)

    def set_out(
        self,
        now: datetime,
        used: Mapping[Location, int],
        sources: Mapping[Location, int],
        served: Mapping[Location, int],
    ) -> bool:
        """Begin a run; return whether what databases share makes all plans other ones.

        Args:
            now: the time of the run.
            used: how many manual snapshots each location holds.
            sources: how many protected databases have their home or points at each location.
            served: how many databases have their home or snapshots there.
        """
        common = self.common
        before = (common.tight, common.short)
        quotas = {
            at: scope.quota
            for at in common.world.locations
            if (scope := common.world.scope(at)).quota is not None
        }
        rooms = {at: replace(quota, used=used[at]).room for at, quota in quotas.items() if quota}
        common.world = replace(common.world, now=now, rooms=rooms, source_counts=dict(sources))
        common.tight = frozenset(at for at in rooms if common.world.is_tight(at))
        common.short = frozenset(at for at, room in rooms.items() if room < served.get(at, 0))
        return before != (common.tight, common.short)

    def plan(self, group: Group) -> None:
        """Work out what a group's next steps are."""
        common = self.common
        group.look(common.documents.estate.name)
        source = self._source_of(group)
        if source is None:
            self._plan_fully(group)
            return
        key = rests_on(group, source, common, self._idle)
        outcome = group.kind.outcomes.get(key)
        if outcome is None:
            draft = plan_source(source, common.world, common.book)
            inventory = group.world.inventory(common.world.now)
            outcome = outcome_of([draft], inventory, common, common.world.now)
            if outcome.is_plain:
                group.kind.remember(key, outcome)
        group.outcome = outcome

    def set_alarm(self, group: Group) -> None:
        """Say when a group has to be planned anew though nothing of it changes."""
        source, world = self._source_of(group), self.common.world
        sources: Sequence[Source] = () if source is None else (source,)
        if source is None:
            known, sources = survey(
                self.common.documents, group.world.inventory(world.now), world.now
            )
            world = replace(known, rooms=world.rooms, source_counts=world.source_counts)
        group.wakes_at = wake(group, sources, world, self._idle, self._ticks)

    def _plan_fully(self, group: Group) -> None:
        """Plan a part of the world of which more than one plain database is to be known."""
        common = self.common
        now = common.world.now
        inventory = group.world.inventory(now)
        known, sources = survey(common.documents, inventory, now)
        world = replace(known, rooms=common.world.rooms, source_counts=common.world.source_counts)
        book = RouteBook(world.estate, dict(inventory.scopes))
        drafts = [plan_source(source, world, book) for source in sources]
        group.outcome = outcome_of(drafts, inventory, replace(common, world=world), now)

    def sources_of(self, world: World) -> tuple[Source, ...]:
        """Return the sources that a part of the world shows."""
        common = self.common
        now = common.world.now
        return survey(common.documents, world.inventory(now), now)[1]

    def signatures(self, world: World) -> dict[str, object]:
        """Return by ARN what policies say of each database of a world, to tell who is alike."""
        found: dict[str, object] = {}
        for arn, instance in world.instances.items():
            match = self.common.world.matcher.match(instance)
            policy = None if match.policy is None else match.policy.name
            found[arn] = (policy, id(match.terms), match.rivals)
        return found

    def spread(self, group: Group) -> dict[Location, tuple[int, int]]:
        """Return how many protected databases, and how many at all, a group adds where."""
        match = self.match(group)
        if match is not None:
            (instance,) = group.world.instances.values()
            places = {instance.location, *(at for at, count in group.places.items() if count)}
            return dict.fromkeys(places, (int(match.policy is not None), 1))
        everything = served(group.world, self.common.documents.estate.name)
        protected: Counter[Location] = Counter()
        for source in self.sources_of(group.world):
            if source.life is Life.LIVE and source.policy is not None:
                protected.update({source.location, *(h.location for h in source.holdings)})
        return {at: (protected[at], count) for at, count in everything.items()}

    def match(self, group: Group) -> Match | None:
        """Return what policies say of a group that goes by the names of its kind."""
        if group.kind.name is None:
            return None
        instance = group.kind.name.instance
        if instance.arn not in self._matches:
            self._matches[instance.arn] = self.common.world.matcher.match(instance)
        return self._matches[instance.arn]

    def _source_of(self, group: Group) -> Source | None:
        """Return the one database of a group as a survey would show it, if it is that simple."""
        common = self.common
        world = common.world
        match = self.match(group)
        if match is None or len(group.world.instances) != 1:
            return None
        (instance,) = group.world.instances.values()
        at = instance.location
        if at not in world.locations or not world.scope(at).is_complete:
            return None
        holdings = group.holdings
        if common.unread or not common.world.locations.issuperset(+group.places):
            if not common.world.locations.issuperset(+group.places):
                return None
            holdings = tuple(h for h in holdings if h.location not in common.unread)
        return Source(
            ref=SourceRef(at.account, at.region, instance.identifier, instance.resource_id),
            location=at,
            life=Life.LIVE,
            instance=instance,
            match=match,
            holdings=holdings,
            neighbours=tuple(one.snapshot for one in group.others if one.snapshot.location == at),
        )
