"""The method that plans only what can have changed, and what is alike but once.

Databases in the same state are a group and planned for one of them; groups that were one once go by
the same names, so that a plan is remembered by all that it rests on. Where a limit that databases
share may have a say, a run is played as the other method plays all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import merge

from engine.documents.model import Documents
from engine.documents.scene import Event, Happening
from engine.inventory.records import Inventory, Location
from engine.planning.plan import make_plan
from engine.plans.codes import Action
from engine.plans.plan import Plan
from engine.simulation import noticing
from engine.simulation.agenda import Agenda, Turn
from engine.simulation.backing_up import back_up, next_backup
from engine.simulation.beginning import take_off, world_of
from engine.simulation.cells import cut, loose, together
from engine.simulation.groups import Group, Kind, Sorter, expanded
from engine.simulation.happenings import (
    TO_DATABASES,
    befall,
    is_meant,
    with_rotated_key,
    without_answer,
)
from engine.simulation.naming import Name, name_of
from engine.simulation.noticing import NO_EFFECT, Notice
from engine.simulation.planner import Planner
from engine.simulation.running import Run
from engine.simulation.settings import Settings
from engine.simulation.stored import Keeper
from engine.simulation.telling import Log
from engine.simulation.things import Place
from engine.simulation.timeline import Entry, Happened, Simulation, Unexpected
from engine.simulation.watching import Watch
from engine.simulation.world import World

_INSTANT = timedelta(microseconds=1)
NOTHING: frozenset[str] = frozenset()
_MADE = {Action.CREATE: 1, Action.COPY: 1, Action.DELETE: -1}
Part = tuple[Name | None, World, Watch]


def play(
    documents: Documents,
    inventory: Inventory,
    start: datetime,
    end: datetime,
    events: Sequence[Event],
    settings: Settings,
) -> Simulation:
    """Play the days from `start` to `end`, planning what can have changed."""
    game = _Game(documents, inventory, start, end, events, settings)
    game.play()
    return game.told()


class _Game:
    def __init__(
        self,
        documents: Documents,
        inventory: Inventory,
        start: datetime,
        end: datetime,
        events: Sequence[Event],
        settings: Settings,
    ) -> None:
        self._documents = documents
        self._estate = documents.estate.name
        self._settings = settings
        self._end = end
        self._now = start
        self._agenda = Agenda(start, end, settings.interval, events)
        world = world_of(inventory, settings)
        take_off(world, self._estate, start)
        self._keeper = Keeper(documents, inventory, start, end)
        self._keeper.fill(world, events)
        self._places = _with_loose(world, self._estate)
        world.places = self._places
        self._planner = Planner(documents, settings, self._agenda)
        self._planner.renew(documents, self._places, start)
        self._used = Counter(world.counts())
        self._sources: Mapping[Location, int] = {}
        self._databases: Mapping[Location, int] = {}
        self._log = Log(documents, start, end, settings.interval)
        self._log.summary.note_counts(self._used)
        self._sorter = Sorter(self._estate, self._planner.signatures(world))
        self._groups = self._sorted(self._parts(world, start))

    def _parts(self, world: World, start: datetime) -> Iterable[Part]:
        for part in cut(world, self._estate):
            watch = Watch()
            watch.begin(part, start)
            yield None, part, watch

    def _sorted(self, parts: Iterable[Part]) -> list[Group]:
        groups = self._sorter.groups(parts)
        for group in groups:
            group.arrives_at = _next_arrival(group, self._now)
        return groups

    def play(self) -> None:
        tick: datetime | None = self._agenda.tick_from(self._agenda.start)
        while tick is not None:
            self._advance(tick)
            self._run(tick)
            tick = self._next_tick(tick)
        self._advance(self._end - _INSTANT)

    def told(self) -> Simulation:
        for group in self._groups:
            self._log.note_rpo(group, self._end)
        return self._log.simulation(self._keeper.stored())

    def _next_tick(self, tick: datetime) -> datetime | None:
        """Return the next run that can do anything."""
        if any(group.is_dirty for group in self._groups):
            return self._agenda.tick_from(tick + _INSTANT)
        moments = [self._agenda.next_turn()]
        for group in self._groups:
            moments += [group.wakes_at, group.arrives_at]
        first = min((moment for moment in moments if moment is not None), default=None)
        return None if first is None else self._agenda.tick_from(max(first, tick + _INSTANT))

    # -- between the runs ------------------------------------------------------------------------

    def _advance(self, until: datetime) -> None:
        while (moment := self._agenda.next_turn()) is not None and moment <= until:
            self._move_groups(moment)
            for turn in self._agenda.take(moment):
                self._take_turn(turn)
        self._move_groups(until)

    def _move_groups(self, until: datetime) -> None:
        for group in self._groups:
            while (moment := group.arrives_at) is not None and moment <= until:
                for snapshot in group.world.land(moment):
                    group.watch.arrived(snapshot, moment)
                back_up(group.world, moment)
                group.arrives_at = _next_arrival(group, moment)
                group.is_dirty = True
        self._now = until

    def _take_turn(self, turn: Turn) -> None:
        event = turn.event
        if event.what in TO_DATABASES:
            self._befall(event)
            return
        if event.what is Happening.OUTAGE:
            estate = self._documents.estate
            self._renew(
                self._documents, without_answer(event, self._places, estate, is_out=turn.begins)
            )
        elif event.what is Happening.ROTATE_KEY:
            self._renew(*with_rotated_key(event, self._documents, self._places))
        if turn.begins:
            self._log.happened.append(Happened(turn.at, event.what.value, event.about))

    def _renew(self, documents: Documents, places: dict[Location, Place]) -> None:
        self._documents, self._places = documents, places
        self._planner.renew(documents, places, self._now)
        for group in self._groups:
            group.world.places = places
            group.is_dirty = True

    def _befall(self, event: Event) -> None:
        """Let an event happen to the databases that are meant, and to no others of their groups."""
        befallen = False
        groups, self._groups = self._groups, []
        for group in groups:
            for part, is_hit in self._struck(event, group):
                befallen = self._strike(event, part) or befallen if is_hit else befallen
                self._groups.append(part)
        if not befallen:
            code = event.what.value
            notice = Notice(event.source, "", Unexpected.NO_EFFECT, code, NO_EFFECT)
            self._log.notice_of_estate(event.at, notice)

    def _struck(self, event: Event, group: Group) -> Iterable[tuple[Group, bool]]:
        """Yield the parts of a group that an event happens to, and that it does not."""
        estate = self._documents.estate
        if group.kind.name is None:
            yield group, True
            return
        meant = [name for name in group.members if is_meant(event, name.instance, estate)]
        rest = [name for name in group.members if name not in meant]
        if not meant:
            yield group, False
            return
        if rest:
            yield group.part(rest), False
        struck = group.part(meant)
        if event.what not in {Happening.DELETE, Happening.RESTORE}:
            yield struck, True
            return
        for name, world, watch in expanded(struck, self._estate):
            assert name is not None
            yield Group(Kind(None), (name,), world, watch), True

    def _strike(self, event: Event, group: Group) -> bool:
        estate = self._documents.estate
        is_named = group.kind.name is not None
        befallen = False
        for instance in list(group.world.instances.values()):
            if not is_named and not is_meant(event, instance, estate):
                continue
            has_effect = befall(event, instance, group.world)
            self._keeper.ledger.note(group.world.shelves.told(), group.size)
            if not has_effect:
                continue
            befallen = group.is_dirty = True
            group.arrives_at = _next_arrival(group, event.at)
            group.watch.changed(instance, group.world.instances.get(instance.arn), event.at)
            told = group.members if is_named else (name_of(instance),)
            for name in told:
                self._log.happened.append(Happened(event.at, event.what.value, name.address))
        return befallen

    # -- runs ------------------------------------------------------------------------------------

    def _run(self, tick: datetime) -> None:
        awake = self._wake(tick)
        if any(self._is_bound(group) for group in self._groups) or self._is_short_of_room():
            if awake:
                self._run_whole(tick)
                self._set_alarms()
            return
        acting = [g for g in self._groups if g.outcome and g.outcome.steps]
        acting = [g for g in acting if g.is_waiting or g.is_awake]
        for group in self._groups:
            if group.is_awake and group.outcome and not group.outcome.steps:
                self._log.notice(tick, group, noticing.of_waiting(group.outcome.waiting))
        for group, allowed in self._with_turns(acting):
            # What waits only for room has done everything else before.
            if allowed or not group.is_waiting:
                self._run_group(tick, group, allowed)
        self._set_alarms()
        self._log.summary.note_counts(self._used)

    def _set_alarms(self) -> None:
        """Say of what was planned, and is as it was, when it has to be planned anew."""
        for group in self._groups:
            if group.is_awake and not group.is_dirty:
                self._planner.set_alarm(group)
            group.is_awake = False

    def _wake(self, tick: datetime) -> bool:
        """Plan anew what may have another plan now; return whether there was any."""
        dirty = [group for group in self._groups if group.is_dirty]
        is_other = False
        for group in dirty:
            group.look(self._estate)
            spread = self._planner.spread(group)
            is_other = is_other or spread != group.spread
            group.spread = spread
        if is_other:
            self._sources, self._databases = _spread_of(self._groups)
        changed = self._planner.set_out(tick, self._used, self._sources, self._databases)
        awake = [
            group
            for group in self._groups
            if changed or group.is_dirty or (group.wakes_at is not None and group.wakes_at <= tick)
        ]
        for group in awake:
            self._planner.plan(group)
            group.is_awake, group.is_dirty, group.is_waiting = True, False, False
        return bool(awake)

    def _is_bound(self, group: Group) -> bool:
        return group.outcome is not None and group.outcome.is_shared

    def _is_short_of_room(self) -> bool:
        """Say whether more is to be made somewhere than fits into the quota."""
        wanted: Counter[Location] = Counter()
        for group in self._groups:
            if group.outcome is None or not group.outcome.makes:
                continue
            for at, count in group.outcome.makes.items():
                wanted[at] += count * group.size
        rooms = self._planner.common.world.rooms
        return any(count > rooms.get(at, count) for at, count in wanted.items())

    def _run_group(self, tick: datetime, group: Group, allowed: frozenset[str]) -> None:
        assert group.outcome is not None
        outcome, before = group.outcome, group.world.changes
        run = Run(self._estate, outcome.steps, group.world, lambda step: step.id in allowed, tick)
        entries = run.proceed(tick)
        self._count(entries, group.size)
        self._keeper.ledger.note(group.world.shelves.told(), group.size)
        self._log.tell(tick, group, entries)
        self._log.notice(tick, group, noticing.of_steps(outcome.steps, run.refused))
        self._log.notice(tick, group, noticing.of_waiting(outcome.waiting))
        full = noticing.of_full(run.begun, group.watch.noticed)
        self._log.notice(tick, group, full)
        group.arrives_at = _next_arrival(group, tick)
        group.is_dirty = group.world.changes != before
        group.is_waiting = any(name not in allowed for name, _ in outcome.copies)

    def _count(self, entries: Iterable[Entry], times: int) -> None:
        for entry in entries:
            self._used[entry.location] += times * _MADE.get(entry.action, 0)

    def _with_turns(self, acting: Sequence[Group]) -> list[tuple[Group, frozenset[str]]]:
        """Return the groups with the copies that AWS takes now; they part where it takes some.

        It takes copies in the order of the plan: that of the databases' addresses.
        """
        wanted: Counter[Location] = Counter()
        for group in acting:
            assert group.outcome is not None
            wanted.update({at: group.size for _, at in group.outcome.copies})
        everything = [(group, _all_copies(group)) for group in acting]
        if not wanted:
            return everything
        left = self._room_for_copies(wanted)
        if all(count <= left[at] for at, count in wanted.items()):
            return everything
        return self._parted(acting, left)

    def _room_for_copies(self, places: Iterable[Location]) -> dict[Location, int]:
        left = dict.fromkeys(places, self._settings.copies_in_flight)
        for group in self._groups:
            for flight in group.world.flights.values():
                if flight.is_copy and flight.location in left:
                    left[flight.location] -= group.size
        return left

    def _parted(
        self, acting: Sequence[Group], left: dict[Location, int]
    ) -> list[tuple[Group, frozenset[str]]]:
        """Grant copies in the order of addresses until no place has room for any more."""
        granted: dict[int, dict[int, set[str]]] = {}
        open_places = {at for at, count in left.items() if count > 0}
        each = (_requests(group, number, open_places) for number, group in enumerate(acting))
        requests = merge(*each)
        for _, number, member, name, at in requests if open_places else ():
            if at not in open_places:
                continue
            granted.setdefault(number, {}).setdefault(member, set()).add(name)
            left[at] -= 1
            if left[at] <= 0:
                open_places.discard(at)
                if not open_places:
                    break
        return [
            part
            for number, group in enumerate(acting)
            for part in self._split(group, granted.get(number, {}))
        ]

    def _split(
        self, group: Group, granted: Mapping[int, set[str]]
    ) -> list[tuple[Group, frozenset[str]]]:
        """Part a group by the copies that its members were granted."""
        if not granted:
            return [(group, NOTHING)]
        alike: dict[frozenset[str], list[Name]] = {}
        for member in range(group.size):
            names = frozenset(granted.get(member, NOTHING))
            alike.setdefault(names, []).extend(group.members[member : member + 1])
        if len(alike) == 1:
            return [(group, names) for names in alike]
        parts = [(group.part(members), names) for names, members in alike.items()]
        self._groups = [one for one in self._groups if one is not group]
        self._groups += [part for part, _ in parts]
        return parts

    # -- where limits that databases share have a say --------------------------------------------

    def _run_whole(self, tick: datetime) -> None:
        """Play one run over everything, each database under its own names."""
        parts: list[Part] = [p for g in self._groups for p in expanded(g, self._estate)]
        like = World(self._places, self._settings, shelves=self._keeper.empty())
        whole = together([world for _, world, _ in parts], like)
        plan = make_plan(self._documents, whole.inventory(tick), tick)
        run = Run(self._estate, plan.steps, whole, whole.takes_copy, tick)
        entries = run.proceed(tick)
        owners = self._owners(parts)
        self._count(entries, 1)
        self._keeper.ledger.note(whole.shelves.told())
        self._log.tell_all(tick, entries)
        is_news = self._notice_whole(tick, plan, run, parts, owners)
        self._log.summary.note_counts(self._used)
        if whole.changes or is_news:
            _take_over(parts, owners, whole, entries)
            self._groups = self._sorted(parts)

    def _notice_whole(
        self,
        tick: datetime,
        plan: Plan,
        run: Run,
        parts: Sequence[Part],
        owners: Mapping[str, int],
    ) -> bool:
        """Note what is unexpected about a run over everything; return whether anything is new."""
        before = self._log.noticed
        found = [*noticing.of_steps(plan.steps, run.refused), *noticing.of_waiting(plan.waiting)]
        for notice in found:
            noticed = parts[owners[notice.source]][2].noticed
            self._log.notice_of(tick, noticed, notice)
        for step in run.begun:
            noticed = parts[owners[step.source.address]][2].noticed
            for notice in noticing.of_full([step], noticed):
                self._log.notice_of(tick, noticed, notice)
        return self._log.noticed > before

    def _owners(self, parts: Sequence[Part]) -> dict[str, int]:
        """Return which part each source is in, by its address."""
        owners = {}
        for number, (name, world, _) in enumerate(parts):
            if name is not None:
                owners[name.address] = number
            if name is None or len(world.instances) != 1:
                for source in self._planner.sources_of(world):
                    owners[source.ref.address] = number
        return owners


def _take_over(
    parts: Sequence[Part], owners: dict[str, int], whole: World, entries: Iterable[Entry]
) -> None:
    """Let the parts of a world be as the whole has become."""
    for _, part, _ in parts:
        part.instances = {arn: whole.instances[arn] for arn in part.instances}
        known = [arn for arn in part.snapshots if arn in whole.snapshots]
        part.snapshots = {arn: whole.snapshots[arn] for arn in known}
        part.flights = {arn: whole.flights[arn] for arn in part.flights}
    for entry in entries:
        if entry.ready_at is None:
            continue
        part = parts[owners[entry.source]][1]
        part.snapshots[entry.arn] = whole.snapshots[entry.arn]
        part.flights[entry.arn] = whole.flights[entry.arn]
    for _, part, _ in parts:
        part.shelves = whole.shelves.only(part.shelves.natures, part.snapshots.values())


def _with_loose(world: World, estate: str) -> dict[Location, Place]:
    """Return the places with the snapshots that belong to no database that is played."""
    found = dict(world.places)
    for snapshot in loose(world, estate):
        place = found[snapshot.location]
        found[snapshot.location] = replace(place, fixed=(*place.fixed, snapshot))
    return found


def _spread_of(groups: Iterable[Group]) -> tuple[Mapping[Location, int], Mapping[Location, int]]:
    """Return how many protected databases, and how many at all, there are by location."""
    sources: Counter[Location] = Counter()
    databases: Counter[Location] = Counter()
    for group in groups:
        size = group.size
        for at, (protected, everything) in group.spread.items():
            sources[at] += size * protected
            databases[at] += size * everything
    return sources, databases


def _next_arrival(group: Group, now: datetime) -> datetime | None:
    arrival, backup = group.world.next_arrival(), next_backup(group.world, now)
    if arrival is None or backup is None:
        return arrival or backup
    return min(arrival, backup)


def _all_copies(group: Group) -> frozenset[str]:
    return frozenset(name for name, _ in group.outcome.copies) if group.outcome else frozenset()


def _requests(
    group: Group, number: int, places: Set[Location]
) -> Iterator[tuple[str, int, int, str, Location]]:
    """Yield the copies that a group's members want, in the order of the databases' addresses.

    Those to places that have no room any more are left out.
    """
    assert group.outcome is not None
    copies = group.outcome.copies
    wanted = {at for _, at in copies}
    if group.kind.name is not None:
        for member, name in enumerate(group.members):
            for step, at in copies:
                if at in places:
                    yield name.address, number, member, step, at
            if places.isdisjoint(wanted):
                return
        return
    steps = {step.id: step for step in group.outcome.steps}
    for step, at in sorted(copies, key=lambda copy: steps[copy[0]].source.address):
        yield steps[step].source.address, number, 0, step, at
