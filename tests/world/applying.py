"""Applies plans to the model of AWS, as an executor would."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto

from engine.identity.chains import chain_of
from engine.identity.marks import ZONE, ZONE_CHECKED, Marks, owned_marks
from engine.inventory.placement import UNKNOWN_ZONE
from engine.inventory.records import Location
from engine.plans.codes import Action, Check
from engine.plans.plan import Plan, Precondition, Step
from tests.world.aws import RefusedError, World
from tests.world.things import Database, Thing, zone_pair


class Waiting(Enum):
    """Whether a run follows the graph to its end, or leaves what is in flight to the next."""

    TO_THE_END = auto()
    NOT = auto()


@dataclass
class Outcome:
    """What became of the steps of a plan, by id."""

    done: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


def apply(plan: Plan, world: World, waiting: Waiting = Waiting.TO_THE_END) -> Outcome:
    """Do the steps of a plan that are not withheld, each after those it depends on.

    Raises:
        KilledError: where the world says that the runner dies.
    """
    return _Run(plan, world, waiting).to_the_end()


class _Run:
    def __init__(self, plan: Plan, world: World, waiting: Waiting) -> None:
        self.estate = plan.estate
        self.world = world
        self.waiting = waiting
        self.left = [step for step in plan.steps if step.withheld_by is None]
        self.outcome = Outcome()
        self.started: dict[str, Step] = {}

    def to_the_end(self) -> Outcome:
        while True:
            self._collect()
            ready = [step for step in self.left if self._is_ready(step)]
            for step in ready:
                self.left.remove(step)
                self._attempt(step)
            if not ready and not self._wait():
                break
        self.outcome.running = list(self.started)
        self.outcome.skipped = [step.id for step in self.left]
        return self.outcome

    def _is_ready(self, step: Step) -> bool:
        return set(step.depends_on) <= set(self.outcome.done)

    def _wait(self) -> bool:
        """Let time pass if anything that this run started is in flight."""
        if not self.started or self.waiting is Waiting.NOT:
            return False
        self.world.tick()
        return True

    def _attempt(self, step: Step) -> None:
        refusal = next(filter(None, (self._refusal(one) for one in step.preconditions)), None)
        if refusal:
            self.outcome.refused[step.id] = refusal
            return
        try:
            self._do(step)
        except RefusedError as error:
            self.outcome.failed[step.id] = str(error)
            return
        if step.action in (Action.CREATE, Action.COPY):
            self.started[step.id] = step
        else:
            self.outcome.done.append(step.id)

    def _collect(self) -> None:
        """Look at what this run started; what is available has its zone checked."""
        for name, step in list(self.started.items()):
            thing = self.world.things[step.arn]
            if thing.is_in_flight:
                continue
            del self.started[name]
            if not thing.is_available:
                self.outcome.failed[name] = thing.status
                continue
            if step.action is Action.CREATE:
                self._check_zone(step)
            self.outcome.done.append(name)

    def _check_zone(self, step: Step) -> None:
        wanted = next((one for one in step.preconditions if one.check is Check.ZONES), None)
        if wanted is None:
            return
        database = self.world.database(wanted.arn)
        same = database is not None and zone_pair(database) == wanted.expected
        tags = {ZONE_CHECKED: "true"} if same else {ZONE: UNKNOWN_ZONE}
        with suppress(RefusedError):  # the object is there all the same; a later run looks again
            self.world.tag(step.arn, tags)

    # -- calls ----------------------------------------------------------------------------------

    def _do(self, step: Step) -> None:
        at = Location(step.location.account, step.location.region)
        parameters = step.parameters
        tags = dict(parameters.get("Tags", {}))
        if step.action is Action.CREATE:
            name = parameters["DBSnapshotIdentifier"]
            self.world.create(at, parameters["DBInstanceIdentifier"], name, tags)
        elif step.action is Action.COPY:
            origin = parameters["SourceDBSnapshotIdentifier"]
            tags |= self._handed_on(origin, parameters.get("TagsFromOrigin", ()))
            name = parameters["TargetDBSnapshotIdentifier"]
            self.world.copy(at, origin, name, parameters.get("KmsKeyId"), tags)
        elif step.action is Action.DELETE:
            self.world.delete(step.arn)
        elif step.action is Action.SHARE:
            self._retag(step.arn, tags, ())
            for account in parameters["ValuesToAdd"]:
                self.world.share(step.arn, account)
            self._retag(step.arn, dict(parameters.get("TagsAfterwards", {})), ())
        elif step.action is Action.UNSHARE:
            for account in parameters["ValuesToRemove"]:
                self.world.unshare(step.arn, account)
            self._retag(step.arn, tags, parameters.get("RemoveTags", ()))
        else:
            self._retag(step.arn, tags, parameters.get("RemoveTags", ()))

    def _handed_on(self, origin: str, names: Iterable[str]) -> dict[str, str]:
        thing = self.world.things.get(origin)
        return {name: thing.tags[name] for name in names if thing and name in thing.tags}

    def _retag(self, arn: str, tags: dict[str, str], removed: Iterable[str]) -> None:
        if tags:
            self.world.tag(arn, tags)
        if removed:
            self.world.untag(arn, list(removed))

    # -- preconditions --------------------------------------------------------------------------

    def _refusal(self, condition: Precondition) -> str | None:
        return None if self._holds(condition) else f"{condition.check} {condition.arn}"

    def _holds(self, condition: Precondition) -> bool:
        expected = condition.expected
        thing = self.world.things.get(condition.arn)
        database = self.world.database(condition.arn)
        marks = self._marks(thing)
        match condition.check:
            case Check.SNAPSHOT_STATUS:
                return thing is not None and thing.status == expected
            case Check.OWNED:
                return marks is not None
            case Check.UNPINNED:
                return marks is None or marks.pin is None
            case Check.ORIGIN_OF_NOTHING_IN_FLIGHT:
                return not self.world.readers(condition.arn)
            case Check.CHAIN:
                return thing is not None and thing.is_available and _is_of(thing, marks, expected)
            case Check.INSTANCE:
                return database is not None and database.resource == expected
            case Check.ZONES:
                return database is not None and zone_pair(database) == expected
            case Check.ABSENT:
                return thing is None
            case Check.NO_COPY_IN_FLIGHT_TO:
                readers = self.world.readers(condition.arn)
                return all(reader.location.account != expected for reader in readers)
            case Check.REPLICA_OF:
                return database is not None and self._followed(database) == expected
            case Check.AUTOMATED_SNAPSHOT:
                return False  # no database of this world has automated backups
            case _:
                raise AssertionError("nothing here is adopted, set up or failed back")

    def _followed(self, replica: Database) -> str | None:
        followed = self.world.living((replica.location, replica.replicates or ""))
        return followed.identifier if followed else None

    def _marks(self, thing: Thing | None) -> Marks | None:
        if thing is None:
            return None
        return owned_marks(self.world.record(thing), self.estate)


def _is_of(thing: Thing, marks: Marks | None, expected: str) -> bool:
    if marks is None or not marks.zone_checked:
        return False
    chain = chain_of(marks, thing.location)
    return "|".join((chain.volume, chain.zone, chain.role, "/".join(chain.keys))) == expected
