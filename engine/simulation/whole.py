"""The method that plans everything at every tick: what the other one is held against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from engine.documents.model import Documents
from engine.documents.scene import Event, Happening
from engine.inventory.records import Inventory
from engine.planning.plan import make_plan
from engine.plans.plan import Plan, Step
from engine.simulation import noticing
from engine.simulation.agenda import Agenda, Turn
from engine.simulation.backing_up import back_up, next_backup
from engine.simulation.beginning import take_off, world_of
from engine.simulation.happenings import (
    TO_DATABASES,
    befall,
    is_meant,
    with_rotated_key,
    without_answer,
)
from engine.simulation.noticing import NO_EFFECT, Notice
from engine.simulation.running import Run
from engine.simulation.settings import Settings
from engine.simulation.stored import Keeper
from engine.simulation.timeline import (
    Entry,
    Happened,
    Simulation,
    Summary,
    Surprise,
    Unexpected,
    in_order,
    zones_of,
)
from engine.simulation.watching import Watch

_INSTANT = timedelta(microseconds=1)


def play(
    documents: Documents,
    inventory: Inventory,
    start: datetime,
    end: datetime,
    events: Sequence[Event],
    settings: Settings,
) -> Simulation:
    """Play the days from `start` to `end`, planning everything at each tick."""
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
        self._settings = settings
        self._start, self._end = start, end
        self._agenda = Agenda(start, end, settings.interval, events)
        self._world = world_of(inventory, settings)
        take_off(self._world, documents.estate.name, start)
        self._keeper = Keeper(documents, inventory, start, end)
        self._keeper.fill(self._world, events)
        self._watch = Watch()
        self._watch.begin(self._world, start)
        self._now = start
        self._run: Run | None = None
        self._entries: list[Entry] = []
        self._happened: list[Happened] = []
        self._surprises: list[Surprise] = []
        self._summary = Summary(zones_of(documents))

    def play(self) -> None:
        self._summary.note_counts(self._world.counts())
        for tick in self._agenda.ticks():
            self._advance(tick)
            if self._run is None:
                self._begin_run(tick)
        self._advance(self._end - _INSTANT)

    # -- between the runs ------------------------------------------------------------------------

    def _advance(self, until: datetime) -> None:
        """Let happen what happens until then; a run that waits goes on with what arrives."""
        while (moment := self._next_moment()) is not None and moment <= until:
            self._now = moment
            for snapshot in self._world.land(moment):
                self._watch.arrived(snapshot, moment)
            back_up(self._world, moment)
            for turn in self._agenda.take(moment):
                self._take_turn(turn)
            if self._run is not None:
                self._proceed(moment)
        self._now = until

    def _next_moment(self) -> datetime | None:
        world = self._world
        moments = (
            world.next_arrival(),
            next_backup(world, self._now),
            self._agenda.next_turn(),
        )
        return min((moment for moment in moments if moment is not None), default=None)

    def _take_turn(self, turn: Turn) -> None:
        event, world = turn.event, self._world
        if event.what in TO_DATABASES:
            self._befall(event)
        elif event.what is Happening.OUTAGE:
            estate = self._documents.estate
            world.places = without_answer(event, world.places, estate, is_out=turn.begins)
        elif event.what is Happening.ROTATE_KEY:
            self._documents, world.places = with_rotated_key(event, self._documents, world.places)
        if turn.begins and event.what not in TO_DATABASES:
            self._happened.append(Happened(turn.at, event.what.value, event.about))

    def _befall(self, event: Event) -> None:
        world, estate = self._world, self._documents.estate
        meant = [i for i in world.instances.values() if is_meant(event, i, estate)]
        befallen = [i for i in meant if befall(event, i, world)]
        self._keeper.ledger.note(world.shelves.told())
        for instance in befallen:
            self._watch.changed(instance, world.instances.get(instance.arn), event.at)
            about = self._watch.lives[instance.resource_id]
            self._happened.append(Happened(event.at, event.what.value, about))
        if not befallen:
            kind, code = Unexpected.NO_EFFECT, event.what.value
            self._notice(event.at, [Notice(event.source, "", kind, code, NO_EFFECT)])

    def told(self) -> Simulation:
        for address, exposure in self._watch.worst(self._end):
            self._summary.note_rpo(address, exposure.worst)
        entries = in_order(self._entries)
        for entry in entries:
            self._summary.count(entry)
        return Simulation(
            estate=self._documents.estate.name,
            start=self._start,
            end=self._end,
            interval=self._settings.interval,
            tell=lambda: iter(entries),
            happened=tuple(sorted(self._happened)),
            surprises=tuple(sorted(self._surprises)),
            summary=self._summary,
            stored=self._keeper.stored(),
        )

    # -- runs ------------------------------------------------------------------------------------

    def _begin_run(self, tick: datetime) -> None:
        plan = make_plan(self._documents, self._world.inventory(tick), tick)
        self._run = Run(plan.estate, plan.steps, self._world, self._world.takes_copy, tick)
        self._proceed(tick, plan)

    def _proceed(self, now: datetime, plan: Plan | None = None) -> None:
        assert self._run is not None
        told = len(self._run.refused)
        self._entries += self._run.proceed(now)
        self._keeper.ledger.note(self._world.shelves.told())
        refused = self._run.refused[told:]
        steps: Sequence[Step] = () if plan is None else plan.steps
        self._notice(now, noticing.of_steps(steps, refused))
        if plan is not None:
            self._notice(now, noticing.of_waiting(plan.waiting))
        self._notice(now, noticing.of_full(self._run.begun, self._watch.noticed))
        self._summary.note_counts(self._world.counts())
        if self._run.is_over(self._settings.pace):
            self._run = None

    def _notice(self, now: datetime, found: Iterable[Notice]) -> None:
        for one in self._watch.noticed.new(found):
            self._surprises.append(
                Surprise(now, one.source, one.location, one.kind, one.code, one.text)
            )
