"""What must hold right before a step is done: one function per check of the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.applying.failing_over import failover_among, quiet_since
from engine.applying.listings import UNFINISHED, Listings
from engine.errors import EngineError
from engine.identity.chains import chain_of
from engine.identity.marks import ADOPTED, PIN, PREFIX, Marks, owned_marks
from engine.identity.names import location_of
from engine.inventory.records import (
    Instance,
    Location,
    Snapshot,
    SnapshotState,
    SnapshotType,
    kind_of,
)
from engine.plans.codes import AUTOMATED, OF_INSTANCES, Action, Check
from engine.plans.plan import Precondition, Step

MAX_TAGS = 50
READ_FRESH = frozenset({Action.DELETE})


@dataclass(slots=True)
class Sight:
    """The eyes of one step: what it sees of the world while it is being checked.

    Deletes read each object they ask about anew, and changes of an instance the instance; all
    other steps look at listings at most a minute old. `locations` are those the plan could read,
    `now` is the time that the run goes by.
    """

    listings: Listings
    estate: str
    locations: frozenset[Location]
    action: Action
    now: datetime
    _fresh: dict[str, Snapshot | None] = field(default_factory=dict)
    _instances: dict[str, Instance | None] = field(default_factory=dict)

    def snapshot(self, arn: str) -> Snapshot | None:
        """Return the object at `arn`, None where there is none; raises CloudError."""
        at = _location(arn)
        if self.action not in READ_FRESH:
            return self.listings.snapshots(at, kind=kind_of(arn)).records.get(arn)
        if arn not in self._fresh:
            self._fresh[arn] = self.listings.snapshot(at, _identifier(arn), kind_of(arn))
        return self._fresh[arn]

    def automated(self, arn: str) -> Snapshot | None:
        """Return the automated snapshot at `arn`, which no listing shows; raises CloudError."""
        return self.listings.snapshot(_location(arn), _identifier(arn))

    def instance(self, arn: str) -> Instance | None:
        """Return the instance at `arn`, None where there is none; raises CloudError."""
        at = _location(arn)
        if self.action not in OF_INSTANCES:
            return self.listings.instances(at, kind=kind_of(arn)).get(arn)
        if arn not in self._instances:
            name = _identifier(arn).removeprefix("db:")
            self._instances[arn] = self.listings.instance(at, name)
        return self._instances[arn]

    def marks(self, snapshot: Snapshot) -> Marks | None:
        """Return the marks of a snapshot the engine owns, else None."""
        return owned_marks(snapshot, self.estate)

    def readers(self, arn: str, locations: Iterable[Location]) -> frozenset[str]:
        """Return the copies in progress at `locations` that read from `arn`; raises CloudError."""
        found: frozenset[str] = frozenset()
        for at in sorted(locations):
            found |= self.listings.readers(at, arn)
        return found


def places_of(step: Step, locations: frozenset[Location]) -> frozenset[Location]:
    """Return where a step looks and calls, `locations` being those the plan could read."""
    places = {Location(step.location.account, step.location.region)}
    for condition in step.preconditions:
        at = location_of(condition.arn)
        places |= {at} if at else set()
        if condition.check is Check.NO_COPY_IN_FLIGHT_TO:
            places |= {at for at in locations if at.account == condition.expected}
    if Check.ORIGIN_OF_NOTHING_IN_FLIGHT in _ALWAYS[step.action]:
        places |= locations
    return frozenset(places)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A precondition that does not hold, and what was found instead."""

    check: str
    text: str


CONFLICT = "conflict"


def first_refusal(step: Step, sight: Sight) -> Refusal | None:
    """Return the first precondition of a step that does not hold, None where all do.

    What must always hold is checked though a plan does not say so.

    Raises:
        CloudError: what it asks about cannot be read.
    """
    always = (Precondition(check, step.arn, "") for check in _always(step))
    for precondition in (*step.preconditions, *always):
        refusal = _CHECKS[precondition.check](precondition, sight)
        if refusal is not None:
            return refusal
    return None


def _always(step: Step) -> tuple[Check, ...]:
    """Return what a step is checked for in any case.

    Nothing is tagged that is not owned, but by the one call that makes it owned.
    """
    tags = step.parameters.get("Tags")
    if step.action is Action.TAG and isinstance(tags, Mapping) and ADOPTED in tags:
        return (Check.ADOPTABLE,)
    return _ALWAYS[step.action]


def snapshot_status(condition: Precondition, sight: Sight) -> Refusal | None:
    """The object is there in the state named; free texts of AWS are understood as states."""
    found = sight.snapshot(condition.arn)
    if found is None:
        return _refuse(condition, f"{condition.arn} is not there")
    if condition.expected in (found.state.value, found.status):
        return None
    return _refuse(condition, f"{condition.arn} is {found.status}, not {condition.expected}")


def owned(condition: Precondition, sight: Sight) -> Refusal | None:
    """The object is the engine's: its tags are all there and its id proves them."""
    found = sight.snapshot(condition.arn)
    if found is None:
        return _refuse(condition, f"{condition.arn} is not there")
    if sight.marks(found) is None:
        return _refuse(condition, f"{condition.arn} is not owned by estate {sight.estate}")
    return None


def unpinned(condition: Precondition, sight: Sight) -> Refusal | None:
    """Nobody has pinned the object."""
    found = sight.snapshot(condition.arn)
    marks = sight.marks(found) if found else None
    if marks is None or marks.pin is None:
        return None
    return _refuse(condition, f"{condition.arn} was pinned: {marks.pin or 'no reason given'}")


def origin_of_nothing_in_flight(condition: Precondition, sight: Sight) -> Refusal | None:
    """No copy in progress, anywhere in the estate, reads from the object."""
    readers = sight.readers(condition.arn, sight.locations)
    if readers:
        return _refuse(condition, f"{min(readers)} is being copied from it")
    return None


def chain(condition: Precondition, sight: Sight) -> Refusal | None:
    """The chain's successor is there, and its tags put it into that chain beyond doubt."""
    found = sight.snapshot(condition.arn)
    marks = sight.marks(found) if found else None
    if found is None or marks is None:
        return _refuse(condition, f"{condition.arn}, the chain's successor, is not there")
    if found.state is not SnapshotState.AVAILABLE:
        return _refuse(condition, f"{condition.arn}, the chain's successor, is {found.status}")
    text = chain_of(marks, found.location).text
    if text != condition.expected:
        return _refuse(condition, f"{condition.arn} is of chain {text}, not {condition.expected}")
    if not marks.zone_checked:
        return _refuse(condition, f"the zone that {condition.arn} was taken in is not confirmed")
    return None


def instance(condition: Precondition, sight: Sight) -> Refusal | None:
    """The instance under that name is still the same one."""
    found = sight.instance(condition.arn)
    if found is None:
        return _refuse(condition, f"{condition.arn} is not there")
    if found.resource_id != condition.expected:
        return _refuse(
            condition, f"{condition.arn} is {found.resource_id} now, not {condition.expected}"
        )
    return None


def zones(condition: Precondition, sight: Sight) -> Refusal | None:
    """The instance's primary and standby are where the plan saw them."""
    found = sight.instance(condition.arn)
    pair = zone_pair(found)
    if pair == condition.expected:
        return None
    seen = pair or "gone"
    return _refuse(condition, f"{condition.arn} is in {seen} now, not in {condition.expected}")


def zone_pair(found: Instance | None) -> str | None:
    """Return `primary/standby` by AZ name; an instance without standby ends in a slash."""
    if found is None:
        return None
    return f"{found.availability_zone or ''}/{found.secondary_zone or ''}"


def absent(condition: Precondition, sight: Sight) -> Refusal | None:
    """Nothing stands under that id, or what the step would make is there or under way."""
    found = sight.snapshot(condition.arn)
    return None if found is None else unusable(found, sight)


def unusable(found: Snapshot, sight: Sight) -> Refusal | None:
    """Say why an object under an id of ours cannot count as what a step makes, None if it can."""
    if sight.marks(found) is None:
        return Refusal(CONFLICT, f"{found.arn} is there and not owned by estate {sight.estate}")
    if found.state is SnapshotState.AVAILABLE or found.state in UNFINISHED:
        return None
    return Refusal(Check.ABSENT, f"{found.arn} is there and {found.status}")


def automated_snapshot(condition: Precondition, sight: Sight) -> Refusal | None:
    """The automated snapshot is there, available, and of the instance named."""
    found = sight.automated(condition.arn)
    if found is None:
        return _refuse(condition, f"{condition.arn} is not there")
    if found.state is not SnapshotState.AVAILABLE:
        return _refuse(condition, f"{condition.arn} is {found.status}, not available")
    if found.resource_id != condition.expected:
        return _refuse(condition, f"{condition.arn} is of {found.resource_id} now")
    return None


def replica_of(condition: Precondition, sight: Sight) -> Refusal | None:
    """The instance still follows the database named: promoted, it holds something else."""
    found = sight.instance(condition.arn)
    follows = found.replica_of if found else None
    if follows is not None and follows.rpartition(":")[2] == condition.expected:
        return None
    return _refuse(
        condition,
        f"{condition.arn} follows {follows or 'no database'} now, not {condition.expected}",
    )


def no_copy_in_flight_to(condition: Precondition, sight: Sight) -> Refusal | None:
    """No copy of the object is in progress in the account named."""
    account = condition.expected
    locations = [at for at in sight.locations if at.account == account]
    readers = sight.readers(condition.arn, locations)
    if readers:
        return _refuse(condition, f"{min(readers)} is still being copied from it")
    return None


def backup_settings(condition: Precondition, sight: Sight) -> Refusal | None:
    """Retention, window and what is pending of both are as the plan saw them."""
    found = sight.instance(condition.arn)
    seen = found.backup_settings if found else "gone"
    if seen == condition.expected:
        return None
    text = f"the automated backups of {condition.arn} are: {seen}; the plan saw"
    return _refuse(condition, f"{text} {condition.expected}")


def replications(condition: Precondition, sight: Sight) -> Refusal | None:
    """The instance's automated backups are replicated to the regions named, and no others."""
    found = sight.instance(condition.arn)
    seen = ",".join(found.replication_regions) or "none" if found else "gone"
    if seen == condition.expected:
        return None
    return _refuse(condition, f"{condition.arn} is replicated to {seen}, not {condition.expected}")


def ready_to_fail_over(condition: Precondition, sight: Sight) -> Refusal | None:
    """The instance is as the plan saw it: available, Multi-AZ, with nothing pending."""
    found = sight.instance(condition.arn)
    seen = found.readiness if found else "gone"
    if found is not None and found.may_fail_over and condition.expected in {"", seen}:
        return None
    return _refuse(condition, f"{condition.arn} is {seen}; the plan saw {condition.expected}")


def no_failover_for(condition: Precondition, sight: Sight) -> Refusal | None:
    """No event tells of a failover of the instance for so many seconds."""
    try:
        since = quiet_since(condition.expected, sight.now)
    except ValueError:
        return _refuse(condition, f"{condition.expected} is no number of seconds")
    at, name = _location(condition.arn), _identifier(condition.arn).removeprefix("db:")
    event = failover_among(sight.listings.events(at, since), name)
    if event is None:
        return None
    return _refuse(condition, f"{condition.arn} failed over at {event.at:%Y-%m-%d %H:%M}Z")


def no_snapshot_being_made(condition: Precondition, sight: Sight) -> Refusal | None:
    """No manual snapshot of the database with this DbiResourceId is being made at its location."""
    records = sight.listings.snapshots(_location(condition.arn)).records.values()
    making = (
        one.arn
        for one in records
        if one.resource_id == condition.expected and one.state in UNFINISHED
    )
    first = min(making, default=None)
    return None if first is None else _refuse(condition, f"{first} is being made of it")


def before(condition: Precondition, sight: Sight) -> Refusal | None:
    """It is not so late yet."""
    try:
        is_early = sight.now < datetime.fromisoformat(condition.expected)
    except (ValueError, TypeError):
        is_early = False
    return None if is_early else _refuse(condition, f"it was to be before {condition.expected}")


def adoptable(condition: Precondition, sight: Sight) -> Refusal | None:
    """The object is a manual snapshot that nobody's engine owns, or was adopted just so."""
    found = sight.snapshot(condition.arn)
    if found is None:
        return _refuse(condition, f"{condition.arn} is not there")
    marks = sight.marks(found)
    if marks is not None:
        if marks.adopted is not None and condition.expected in {"", marks.adopted}:
            return None
        return _refuse(condition, f"{condition.arn} is the engine's already")
    if found.type is not SnapshotType.MANUAL:
        return _refuse(condition, f"{condition.arn} is a snapshot of type {found.type}")
    said = sorted(key for key in found.tags if key.startswith(PREFIX) and key != PIN)
    if said:
        return _refuse(condition, f"{condition.arn} bears tags of the engine: {', '.join(said)}")
    return None


def room_for_tags(condition: Precondition, sight: Sight) -> Refusal | None:
    """So many tags more fit onto the object (RDS User Guide, Tagging)."""
    found = sight.snapshot(condition.arn)
    if found is None:
        return _refuse(condition, f"{condition.arn} is not there")
    others = sum(not key.startswith(PREFIX) for key in found.tags)
    if not condition.expected.isdecimal() or others + int(condition.expected) > MAX_TAGS:
        return _refuse(condition, f"{condition.arn} has {len(found.tags)} tags already")
    return None


_ALWAYS: dict[Action, tuple[Check, ...]] = {
    Action.CREATE: (Check.ABSENT,),
    Action.COPY: (Check.ABSENT,),
    Action.SHARE: (Check.OWNED,),
    Action.UNSHARE: (Check.OWNED,),
    Action.TAG: (Check.OWNED,),
    Action.DELETE: (Check.OWNED, Check.UNPINNED, Check.ORIGIN_OF_NOTHING_IN_FLIGHT),
    **dict.fromkeys(AUTOMATED, ()),
    Action.FAIL_OVER: (Check.READY_TO_FAIL_OVER,),
}

_CHECKS: dict[Check, Callable[[Precondition, Sight], Refusal | None]] = {
    Check.SNAPSHOT_STATUS: snapshot_status,
    Check.OWNED: owned,
    Check.UNPINNED: unpinned,
    Check.ORIGIN_OF_NOTHING_IN_FLIGHT: origin_of_nothing_in_flight,
    Check.CHAIN: chain,
    Check.INSTANCE: instance,
    Check.ZONES: zones,
    Check.ABSENT: absent,
    Check.NO_COPY_IN_FLIGHT_TO: no_copy_in_flight_to,
    Check.BACKUP_SETTINGS: backup_settings,
    Check.REPLICATIONS: replications,
    Check.ADOPTABLE: adoptable,
    Check.ROOM_FOR_TAGS: room_for_tags,
    Check.REPLICA_OF: replica_of,
    Check.AUTOMATED_SNAPSHOT: automated_snapshot,
    Check.READY_TO_FAIL_OVER: ready_to_fail_over,
    Check.NO_FAILOVER_FOR: no_failover_for,
    Check.NO_SNAPSHOT_BEING_MADE: no_snapshot_being_made,
    Check.BEFORE: before,
}


def _refuse(condition: Precondition, text: str) -> Refusal:
    return Refusal(condition.check, text)


def _location(arn: str) -> Location:
    at = location_of(arn)
    if at is None:
        raise EngineError("the plan names something that is no ARN", where=arn)
    return at


def _identifier(arn: str) -> str:
    return arn.split(":", 6)[6]
