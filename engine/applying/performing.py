"""One step, from its preconditions to its last call. Runs in a worker's thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from functools import partial

from engine.applying.automated import CHANGES, is_so, told_after
from engine.applying.calls import (
    Call,
    Copy,
    Create,
    Delete,
    FailOver,
    ModifyBackups,
    Tag,
    Untag,
    calls_of,
    insist_on_one_object,
    operation,
    origin_of,
    send,
)
from engine.applying.failing_over import ONCE, lost, seems_taken
from engine.applying.ledger import Ledger, Problems, StateError, told
from engine.applying.listings import UNFINISHED, Listings
from engine.applying.lock import LockLostError
from engine.applying.moment import Moment
from engine.applying.outcome import STATE_UNREACHABLE, Problem, StepState
from engine.applying.ports import Clock, Cloud, CloudError, Trouble
from engine.applying.preconditions import Refusal, Sight, first_refusal, unusable, zone_pair
from engine.applying.retries import DEFAULT, Patience, Treatment, may_retry, treatment, way_out
from engine.applying.traffic import Traffic
from engine.errors import EngineError
from engine.identity.marks import ZONE, ZONE_CHECKED
from engine.identity.names import location_of
from engine.inventory.placement import UNKNOWN_ZONE
from engine.inventory.records import Location, Snapshot, SnapshotState, kind_of
from engine.plans.codes import OF_INSTANCES, Action, Check
from engine.plans.plan import Step

MAKES = frozenset({Action.CREATE, Action.COPY})
NOT_FOUND_ATTEMPTS = 4
APPEARS_WITHIN = 120.0
"""Seconds for which what AWS says exists may not be seen yet."""
SENT_WITHIN = 80.0
"""Seconds after which a request is not sent any more, counted from before the lock was asked.

A run that was stopped in between may wake when its lock is another's. What is left of a lease at
the last that `Terms.passes` lets through is longer than this and a request of 70 s. A second
attempt begins within it if the first took 70 s at most.
"""


@dataclass(frozen=True, slots=True)
class Report:
    """How far a step came.

    `made_here` says that this run started the object, so that it may vouch for its zone.
    `postponed` and `lock_lost` are for the executor: try again later, start nothing more.
    """

    step: Step
    state: StepState
    text: str = ""
    code: str | None = None
    fix: str | None = None
    made_here: bool = False
    postponed: bool = False
    lock_lost: bool = False


class _Fate(Enum):
    """What a call comes to, where it does not end its step."""

    MADE = auto()
    AGAIN = auto()


@dataclass(frozen=True, slots=True)
class _Tried:
    """How often, and for how many seconds, a call was tried."""

    attempts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Performer:
    """Does steps against a cloud; `ahead` is how far the run's time is before the clock's."""

    estate: str
    locations: frozenset[Location]
    cloud: Cloud
    clock: Clock
    listings: Listings
    traffic: Traffic
    ledger: Ledger
    problems: Problems
    patience: Patience = DEFAULT
    ahead: timedelta = timedelta(0)

    def perform(self, step: Step) -> Report:
        """Check a step's preconditions and make its calls; troubles are told in the report."""
        sight = self._sight(step)
        try:
            insist_on_one_object(step)
            ended = self._check(step, sight)
            if ended is not None:
                return ended
            for call in calls_of(step, self._origin_tags(step, sight)):
                ended = self._make(step, call, sight)
                if ended is not None:
                    return ended
        except CloudError as error:
            return _failed(step, error, "cannot be checked")
        except LockLostError as error:
            return Report(step, StepState.NOT_STARTED, error.what, "lock_lost", lock_lost=True)
        except StateError as error:
            return Report(step, StepState.FAILED, told(error), STATE_UNREACHABLE, error.fix)
        except EngineError as error:
            return Report(step, StepState.FAILED, told(error), "engine_error", error.fix)
        after = _state_after(step.action)
        return Report(step, after, told_after(step), made_here=step.action in MAKES)

    def confirm_zone(self, step: Step, seen_at: float) -> Report:
        """Read the instance again now that its snapshot is available, and tag what that says.

        The zone in the tags holds only if the pair of zones is the one it was derived from; AWS
        tells the zone of the instance at best, never that of the volume it read. What cannot be
        read or tagged is left to a later run.
        """
        expected = next((one for one in step.preconditions if one.check is Check.ZONES), None)
        done = Report(step, StepState.DONE, "available")
        if expected is None:
            return done
        sight = self._sight(step)
        at = location_of(expected.arn) or _at(step)
        try:
            instance = self.listings.instances(at, since=seen_at).get(expected.arn)
            holds = zone_pair(instance) == expected.expected
            tags = {ZONE_CHECKED: "true"} if holds else {ZONE: UNKNOWN_ZONE}
            ended = self._make(step, Tag(step.arn, tags), sight)
        except CloudError as error:
            return self._unconfirmed(step, str(error))
        except EngineError as error:
            return self._unconfirmed(step, told(error))
        if ended is not None:
            return self._unconfirmed(step, ended.text)
        return done if holds else Report(step, StepState.DONE, "available; its zone is uncertain")

    def _unconfirmed(self, step: Step, cause: str) -> Report:
        text = f"its availability zone could not be confirmed: {cause}"
        self.problems.add(Problem("zone_unconfirmed", step.arn, text))
        return Report(step, StepState.DONE, f"available; {text}")

    def _check(self, step: Step, sight: Sight) -> Report | None:
        """Return the end of a step whose end is there already, or that must not be done."""
        found = self._already(step, sight)
        if found is not None:
            return found
        refusal = first_refusal(step, sight)
        return _refused(step, refusal) if refusal is not None else None

    def _sight(self, step: Step) -> Sight:
        now = self.clock.now() + self.ahead
        return Sight(self.listings, self.estate, self.locations, step.action, now)

    def _already(self, step: Step, sight: Sight) -> Report | None:
        """Return the report of a step whose end is there already."""
        if step.action in OF_INSTANCES and is_so(step, sight.instance(step.arn)):
            return Report(step, StepState.DONE, "so already")
        if step.action not in MAKES | {Action.DELETE}:
            return None
        found = sight.snapshot(step.arn)
        if step.action is Action.DELETE:
            if found is None:
                return Report(step, StepState.DONE, "gone already")
            if found.state is SnapshotState.DELETING:
                return Report(step, StepState.RUNNING, "being deleted already")
            return None
        return None if found is None else _arrived(step, found, sight)

    def _origin_tags(self, step: Step, sight: Sight) -> Mapping[str, str]:
        if step.action is not Action.COPY:
            return {}
        origin = sight.snapshot(origin_of(step))
        return origin.tags if origin else {}

    def _make(self, step: Step, call: Call, sight: Sight) -> Report | None:
        """Make one call, as often as its troubles pass; return the step's end where they do not."""
        at = _at(step)
        start = self.clock.elapsed()
        attempt = 1
        while True:
            sent_at = self.traffic.budget.take(at)
            asked = Moment.of(self.clock)
            self.ledger.before(step, at, call, attempt)
            self.cloud.let_pass(partial(self._is_soon_after, asked))
            try:
                send(call, self.cloud, at)
            except CloudError as error:
                self.traffic.failed(at, error, sent_at)
                self.ledger.after(step, call, attempt, str(error))
                tried = _Tried(attempt, self.clock.elapsed() - start)
                fate = self._judge(step, call, error, tried, sight)
            else:
                self.traffic.outages.answered(at)
                self.ledger.after(step, call, attempt, None)
                fate = _Fate.MADE
            if fate is _Fate.MADE:
                self._remember(step, call)
                return None
            if isinstance(fate, Report):
                return fate
            self.clock.sleep(self.patience.wait(attempt))
            attempt += 1
            if isinstance(call, Delete | ModifyBackups | FailOver):
                # The wait has aged what was read of the victim and of what replaces it.
                ended = self._check(step, self._sight(step))
                if ended is not None:
                    return ended

    def _is_soon_after(self, asked: Moment) -> bool:
        return asked.seconds_to(Moment.of(self.clock)) <= SENT_WITHIN

    def _judge(
        self, step: Step, call: Call, error: CloudError, tried: _Tried, sight: Sight
    ) -> _Fate | Report:
        """Decide what a call that brought an error comes to."""
        trouble = error.trouble
        if isinstance(call, Delete) and trouble is Trouble.NOT_FOUND:
            return _Fate.MADE
        if isinstance(call, Create | Copy) and trouble in _UNSURE:
            found = self._look(step)
            if found is not None:
                refusal = unusable(found, sight)
                return _Fate.MADE if refusal is None else _refused(step, refusal)
        if isinstance(call, FailOver) and trouble in ONCE:
            return self._failed_over(step, error)
        # After a lost reply the same call meets the state that it brought about.
        unsure = isinstance(call, CHANGES) and trouble in _UNSURE | {Trouble.WRONG_STATE}
        if unsure and self._is_so(step):
            return _Fate.MADE
        treat = treatment(trouble)
        if treat is Treatment.POSTPONE:
            text = f"not possible now: {error}"
            return Report(step, StepState.REFUSED, text, trouble.value, postponed=True)
        if self._may_go_on(_at(step), error, tried):
            return _Fate.AGAIN
        if treat is Treatment.LOOK:
            # Its preconditions said a moment ago that all is there: it may be seen later.
            postponed = trouble is Trouble.NOT_FOUND
            return Report(step, StepState.REFUSED, str(error), trouble.value, postponed=postponed)
        return _failed(step, error, f"{operation(call)} failed")

    def _may_go_on(self, at: Location, error: CloudError, tried: _Tried) -> bool:
        if not self.traffic.may_go_on(at):
            return False
        if error.trouble is Trouble.ALREADY_EXISTS:
            # Nobody's yet: whose it is, only seeing it tells.
            return tried.seconds < APPEARS_WITHIN
        if error.trouble is Trouble.NOT_FOUND:
            # What was just made or shared may take a while to be seen everywhere.
            return tried.attempts < NOT_FOUND_ATTEMPTS and tried.seconds < self.patience.seconds
        return may_retry(error, tried.attempts, tried.seconds, self.patience)

    def _is_so(self, step: Step) -> bool:
        try:
            return is_so(step, self._sight(step).instance(step.arn))
        except CloudError:
            # Not seen is not known: the call is made again, and its answer decides.
            return False

    def _failed_over(self, step: Step, error: CloudError) -> _Fate | Report:
        """Decide by what is seen whether a failover took place; it is never called for twice."""
        try:
            if seems_taken(step, self._sight(step).instance(step.arn)):
                return _Fate.MADE
        except CloudError as unseen:
            return Report(step, StepState.FAILED, lost(unseen), error.trouble.value)
        return Report(step, StepState.FAILED, lost(error), error.trouble.value)

    def _look(self, step: Step) -> Snapshot | None:
        try:
            return self.listings.snapshot(_at(step), step.snapshot, kind_of(step.arn))
        except CloudError:
            # Not seen is not known: the call is made again, and its answer decides.
            return None

    def _remember(self, step: Step, call: Call) -> None:
        at = _at(step)
        match call:
            case Tag(arn, tags):
                self.listings.remember_tags(at, arn, tags)
            case Untag(arn, keys):
                self.listings.forget_tags(at, arn, keys)
            case Copy():
                self.listings.remember_copy(at, step.arn, call.origin)
            case _:
                return


_UNSURE = frozenset({Trouble.ALREADY_EXISTS, Trouble.NO_REPLY, Trouble.SERVER_FAULT})


def _at(step: Step) -> Location:
    return Location(step.location.account, step.location.region)


def _state_after(action: Action) -> StepState:
    return StepState.RUNNING if action in MAKES | {Action.DELETE} else StepState.DONE


def _arrived(step: Step, found: Snapshot, sight: Sight) -> Report:
    """Report an object that stands where the step would make one."""
    refusal = unusable(found, sight)
    if refusal is not None:
        return _refused(step, refusal)
    if found.state in UNFINISHED:
        return Report(step, StepState.RUNNING, f"under way already ({found.status})")
    return Report(step, StepState.DONE, "there already")


def _refused(step: Step, refusal: Refusal) -> Report:
    return Report(step, StepState.REFUSED, refusal.text, refusal.check)


def _failed(step: Step, error: CloudError, what: str) -> Report:
    text = f"{what}: {error}"
    return Report(step, StepState.FAILED, text, error.trouble.value, way_out(error))
