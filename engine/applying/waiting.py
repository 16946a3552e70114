"""Objects that AWS is still at: one listing per section and interval for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from engine.applying.listings import Section
from engine.inventory.records import Snapshot, SnapshotState
from engine.plans.codes import Action
from engine.plans.plan import Step

APPEARS_WITHIN = 120.0
DELETES_WITHIN = 120.0
READINGS_FAILED = 3


class Sighting(Enum):
    """What a listing says of a pending object."""

    UNDER_WAY = auto()
    ARRIVED = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True)
class Pending:
    """An object that a step waits for: to be available, or after a delete to be gone."""

    step: Step
    since: float
    made_here: bool

    @property
    def is_delete(self) -> bool:
        """Whether it is waited for to be gone."""
        return self.step.action is Action.DELETE


@dataclass(frozen=True, slots=True)
class Resolved:
    """What became of a pending object.

    `progress` is AWS's percentage where it tells, `full_bytes` what it would take up in full.
    """

    pending: Pending
    sighting: Sighting
    text: str
    progress: int | None = None
    full_bytes: int | None = None


@dataclass(slots=True)
class _Watch:
    due_at: float
    failures: int = 0
    objects: dict[str, Pending] = field(default_factory=dict)


class Waiting:
    """Keeps the pending objects by section, and says when which section is to be listed."""

    def __init__(self, poll_interval: float) -> None:
        self._interval = poll_interval
        self._watches: dict[Section, _Watch] = {}

    def __len__(self) -> int:
        return sum(len(watch.objects) for watch in self._watches.values())

    @property
    def pending(self) -> tuple[Pending, ...]:
        """All objects waited for."""
        return tuple(one for watch in self._watches.values() for one in watch.objects.values())

    def add(self, at: Section, pending: Pending) -> None:
        """Wait for an object, `since` being now."""
        watch = self._watch(at, pending.since)
        watch.objects[pending.step.id] = pending

    def watch(self, at: Section, now: float) -> None:
        """List a section for the sake of what else goes on there."""
        self._watch(at, now)

    def due(self, now: float) -> tuple[Section, ...]:
        """Return the sections to be listed now, each once per interval."""
        found = tuple(at for at, watch in self._watches.items() if watch.due_at <= now)
        for at in found:
            # Not again before its reading has come back, see `resolve` and `unreadable`.
            self._watches[at].due_at = float("inf")
        return found

    def next_due(self) -> float:
        """Return when the next section is to be listed, infinity if none is."""
        return min((watch.due_at for watch in self._watches.values()), default=float("inf"))

    def resolve(
        self, at: Section, records: Mapping[str, Snapshot], now: float
    ) -> tuple[Resolved, ...]:
        """Compare a listing of a section with what is waited for there; forget what ended."""
        watch = self._watches[at]
        watch.failures = 0
        resolved = tuple(
            _look(one, records.get(one.step.arn), now) for one in watch.objects.values()
        )
        for one in resolved:
            if one.sighting is not Sighting.UNDER_WAY:
                del watch.objects[one.pending.step.id]
        self._again(at, now)
        return resolved

    def unreadable(self, at: Section, now: float) -> tuple[Pending, ...]:
        """Note that a section could not be listed; give up its objects the third time."""
        watch = self._watches[at]
        watch.failures += 1
        given_up: tuple[Pending, ...] = ()
        if watch.failures >= READINGS_FAILED:
            given_up = tuple(watch.objects.values())
            watch.objects.clear()
        self._again(at, now)
        return given_up

    def _watch(self, at: Section, now: float) -> _Watch:
        return self._watches.setdefault(at, _Watch(now + self._interval))

    def _again(self, at: Section, now: float) -> None:
        if self._watches[at].objects:
            self._watches[at].due_at = now + self._interval
        else:
            del self._watches[at]


def _look(one: Pending, found: Snapshot | None, now: float) -> Resolved:
    waited = now - one.since
    if one.is_delete:
        if found is None:
            return Resolved(one, Sighting.ARRIVED, "deleted")
        if waited <= DELETES_WITHIN:
            return Resolved(one, Sighting.UNDER_WAY, found.status)
        if found.state is SnapshotState.DELETING:
            return Resolved(one, Sighting.ARRIVED, "being deleted")
        return Resolved(one, Sighting.LOST, f"AWS took the delete, yet it is {found.status}")
    if found is None:
        if waited <= APPEARS_WITHIN:
            return Resolved(one, Sighting.UNDER_WAY, "not listed yet")
        return Resolved(one, Sighting.LOST, "it is not there any more")
    match found.state:
        case SnapshotState.AVAILABLE:
            return Resolved(one, Sighting.ARRIVED, "available", found.progress, found.full_bytes)
        case SnapshotState.FAILED | SnapshotState.DELETING:
            return Resolved(one, Sighting.LOST, f"AWS reports it {found.status}")
        case SnapshotState.IN_PROGRESS | SnapshotState.UNKNOWN:
            return Resolved(one, Sighting.UNDER_WAY, found.status, found.progress)
