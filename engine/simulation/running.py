"""One run of the engine over its plan, in the simulated world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.identity.chains import chain_of
from engine.identity.marks import KEYS, POLICY, ROLE, ZONE, ZONE_CHECKED, owned_marks
from engine.inventory.placement import UNKNOWN_ZONE
from engine.inventory.records import Instance, Location
from engine.plans.codes import Action, Check
from engine.plans.plan import Precondition, Step
from engine.simulation.settings import Pace
from engine.simulation.things import Flight
from engine.simulation.timeline import Entry
from engine.simulation.world import RefusedError, World

MAKES = frozenset({Action.CREATE, Action.COPY})
UNTOLD = frozenset({Action.SHARE, Action.UNSHARE, Action.TAG})

HasRoom = Callable[[Step], bool]
"""Whether AWS takes one more copy where a step makes one."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A step that AWS refused, or that was not done because what it needs has changed."""

    step: Step
    why: str


class Run:
    """The steps of one plan on their way; withheld ones are left out.

    `refused` are the steps that did not come to be, `left` those that are still to be done, and
    `begun` those that were begun or done last.
    """

    def __init__(
        self, estate: str, steps: Iterable[Step], world: World, has_room: HasRoom, now: datetime
    ) -> None:
        self._estate = estate
        self._world = world
        self._has_room = has_room
        self._planned_at = now
        self.left: list[Step] = [step for step in steps if step.withheld_by is None]
        self.refused: list[Refused] = []
        self.begun: list[Step] = []
        self._done: set[str] = set()
        self._running: dict[str, Step] = {}

    def is_over(self, pace: Pace) -> bool:
        """Say whether the run ends here, or waits for what is on its way."""
        return pace is Pace.LEAVE or not self._running

    def proceed(self, now: datetime) -> list[Entry]:
        """Do every step whose turn it is."""
        self._collect(now)
        entries: list[Entry] = []
        waiting = self.left
        self.left = []
        self.begun = []
        for step in waiting:
            if not self._done.issuperset(step.depends_on) or not self._may_begin(step):
                self.left.append(step)
                continue
            try:
                self._check(step, now)
                entry = self._do(step, now)
            except RefusedError as error:
                self.refused.append(Refused(step, str(error)))
                continue
            self.begun.append(step)
            if entry is not None:
                entries.append(entry)
        return entries

    def _may_begin(self, step: Step) -> bool:
        return step.action is not Action.COPY or self._has_room(step)

    def _collect(self, now: datetime) -> None:
        """Look at what this run has made; confirm the zones of primaries that are available."""
        for step in list(self._running.values()):
            if step.arn in self._world.flights:
                continue
            del self._running[step.id]
            if step.action is Action.CREATE:
                self._confirm_zone(step, now)
            self._done.add(step.id)

    def _confirm_zone(self, step: Step, now: datetime) -> None:
        expected = next(one for one in step.preconditions if one.check is Check.ZONES)
        same = zone_pair(self._world.instances.get(expected.arn)) == expected.expected
        if not self._world.is_out(_at(step)):
            tags = {ZONE_CHECKED: "true"} if same else {ZONE: UNKNOWN_ZONE}
            self._tag(step.arn, now, tags)

    # -- calls -----------------------------------------------------------------------------------

    def _do(self, step: Step, now: datetime) -> Entry | None:
        world, parameters = self._world, step.parameters
        flight: Flight | None = None
        made: Mapping[str, str] = {}
        match step.action:
            case Action.CREATE:
                instance = _first(step.preconditions, Check.INSTANCE).arn
                flight = world.create(step.arn, instance, parameters["Tags"], now)
            case Action.COPY:
                origin = parameters["SourceDBSnapshotIdentifier"]
                tags = {**parameters["Tags"], **self._handed_on(step, origin)}
                flight = world.copy(
                    step.arn, _at(step), origin, parameters.get("KmsKeyId"), tags, now
                )
            case Action.DELETE:
                gone = world.delete(step.arn)
                world.shelves.remove(gone, now)
                made = gone.tags
            case Action.SHARE:
                world.tag(step.arn, parameters.get("Tags", {}))
                world.share(step.arn, parameters["ValuesToAdd"])
                world.tag(step.arn, parameters.get("TagsAfterwards", {}))
            case Action.UNSHARE:
                world.unshare(step.arn, parameters["ValuesToRemove"])
                world.tag(step.arn, parameters.get("Tags", {}), parameters.get("RemoveTags", ()))
            case Action.TAG:
                self._tag(
                    step.arn, now, parameters.get("Tags", {}), parameters.get("RemoveTags", ())
                )
            case Action.MODIFY_BACKUPS:
                days = parameters.get("BackupRetentionPeriod")
                before = world.instances.get(step.arn)
                world.change_backups(step.arn, days, parameters.get("PreferredBackupWindow"))
                world.shelves.allow(before, world.instances[step.arn], now)
            case Action.REPLICATE_BACKUPS | Action.STOP_REPLICATION:
                on = step.action is Action.REPLICATE_BACKUPS
                world.replicate_backups(step.arn, _at(step), on=on)
            case Action.FAIL_OVER:
                world.fail_over(step.arn)
        if flight is None:
            self._done.add(step.id)
        else:
            self._running[step.id] = step
            made = world.snapshots[step.arn].tags
            self._put(step, now)
        return None if step.action in UNTOLD else _entry(step, now, flight, made)

    def _tag(
        self, arn: str, now: datetime, tags: Mapping[str, str], removed: Iterable[str] = ()
    ) -> None:
        before = self._world.snapshots.get(arn)
        self._world.tag(arn, tags, removed)
        if before is not None:
            self._world.shelves.relabel(before, self._world.snapshots[arn], now)

    def _put(self, step: Step, now: datetime) -> None:
        """Take what a step makes into the shelves."""
        world = self._world
        source = step.parameters.get("SourceDBSnapshotIdentifier", "")
        origin = world.snapshots.get(source)
        world.shelves.put(
            world.snapshots[step.arn],
            taken_at=(None if origin is None else origin.taken_at) or now,
            now=now,
            verdict=None if step.forecast is None else step.forecast.verdict,
            origin=None if origin is None else origin.location,
        )

    def _handed_on(self, step: Step, origin: str) -> Mapping[str, str]:
        """Return the tags that a copy takes from its origin as this is when it is copied."""
        found = self._world.snapshots.get(origin)
        names = step.parameters.get("TagsFromOrigin", ())
        return {name: found.tags[name] for name in names if found and name in found.tags}

    # -- what must hold --------------------------------------------------------------------------

    def _check(self, step: Step, now: datetime) -> None:
        """See that what the plan saw is still so; at the moment of the plan it is."""
        if now == self._planned_at:
            return
        for condition in step.preconditions:
            if not self._holds(condition):
                raise RefusedError(f"{condition.check.value}: {condition.arn} has changed")

    def _holds(self, condition: Precondition) -> bool:
        world, expected = self._world, condition.expected
        instance = world.instances.get(condition.arn)
        found = world.snapshots.get(condition.arn)
        match condition.check:
            case Check.INSTANCE:
                return instance is not None and instance.resource_id == expected
            case Check.ZONES:
                return zone_pair(instance) == expected
            case Check.SNAPSHOT_STATUS:
                return found is not None and expected in (found.status, found.state.value)
            case Check.CHAIN:
                marks = None if found is None else owned_marks(found, self._estate)
                if found is None or marks is None or not marks.zone_checked:
                    return False
                return found.status == "available" and (
                    chain_of(marks, found.location).text == expected
                )
            case Check.ORIGIN_OF_NOTHING_IN_FLIGHT:
                return not any(True for _ in world.readers(condition.arn))
            case Check.NO_COPY_IN_FLIGHT_TO:
                readers = world.readers(condition.arn)
                return all(one.location.account != expected for one in readers)
            case _:
                return True


def zone_pair(found: Instance | None) -> str | None:
    """Return `primary/standby` by AZ name; an instance without standby ends in a slash."""
    if found is None:
        return None
    return f"{found.availability_zone or ''}/{found.secondary_zone or ''}"


def _first(conditions: Sequence[Precondition], check: Check) -> Precondition:
    return next(one for one in conditions if one.check is check)


def _at(step: Step) -> Location:
    return Location(step.location.account, step.location.region)


def _entry(step: Step, now: datetime, flight: Flight | None, tags: Mapping[str, str]) -> Entry:
    return Entry(
        at=now,
        action=step.action,
        source=step.source.address,
        location=_at(step),
        snapshot=step.snapshot,
        arn=step.arn,
        slot=step.slot,
        zone=tags.get(ZONE, ""),
        forecast=step.forecast,
        ready_at=None if flight is None else flight.ready_at,
        keys=tags.get(KEYS, ""),
        reason=step.reason.code,
        role=tags.get(ROLE, ""),
        policy=tags.get(POLICY, ""),
    )
