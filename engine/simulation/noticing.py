"""What in a plan, or in what became of it, a person did not expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from engine.identity.marks import RESOURCE, ROLE, ZONE
from engine.plans.codes import Guard, Verdict, Waiting
from engine.plans.plan import Step, Waits
from engine.simulation.running import Refused
from engine.simulation.timeline import Unexpected

_WAITS = frozenset(
    {
        Waiting.SLOT_MISSED.value,
        Waiting.TARGET_NOT_READ.value,
        Waiting.NO_ROUTE.value,
        Waiting.NO_REPLICA.value,
        Waiting.NO_AUTOMATED_SNAPSHOT.value,
    }
)
_WAITS_FOR = {
    Waiting.SLOT_MISSED.value: "a slot passed without a point",
    Waiting.TARGET_NOT_READ.value: "nothing is sent to a target that could not be read",
    Waiting.NO_ROUTE.value: "a point cannot be sent to a target",
    Waiting.NO_REPLICA.value: "a point waits for a replica",
    Waiting.NO_AUTOMATED_SNAPSHOT.value: "a point waits for an automated snapshot",
}
NO_EFFECT = "nothing of the estate is meant, or it cannot happen there"
_GUARDS = frozenset(guard.value for guard in Guard)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something unexpected about one database, at a location of its."""

    source: str
    location: str
    kind: Unexpected
    code: str
    text: str

    @property
    def key(self) -> tuple[str, str, Unexpected, str]:
        """What makes two of them the same."""
        return (self.source, self.location, self.kind, self.code)


@dataclass(slots=True)
class Noticed:
    """What was noticed before: each thing is told once."""

    known: set[tuple[str, str, Unexpected, str]] = field(default_factory=set)
    places: set[tuple[str, str, str]] = field(default_factory=set)

    def copy_of(self) -> Noticed:
        """Return the same, to go its own way."""
        return Noticed(set(self.known), set(self.places))

    def new(self, found: Iterable[Notice]) -> list[Notice]:
        """Return what was not noticed before."""
        fresh = []
        for one in found:
            if one.key not in self.known:
                self.known.add(one.key)
                fresh.append(one)
        return fresh

    def is_first(self, resource: str, place: str, role: str) -> bool:
        """Say whether there was no object of a database in that role at a place before."""
        known = (resource, place, role)
        if known in self.places:
            return False
        self.places.add(known)
        return True


def of_steps(steps: Iterable[Step], refused: Iterable[Refused]) -> Iterator[Notice]:
    """Yield what is unexpected about a plan's steps."""
    for step in steps:
        if step.withheld_by in _GUARDS:
            kind = (
                Unexpected.VERIFIER if step.withheld_by == Guard.VERIFIER else Unexpected.WITHHELD
            )
            yield _notice(step, kind, step.withheld_by, f"{step.action.value} is held back")
    for one in refused:
        cause = one.why.partition(":")[0]
        yield _notice(one.step, Unexpected.REFUSED, one.step.action.value, f"AWS refuses: {cause}")


def of_waiting(waiting: Iterable[Waits]) -> Iterator[Notice]:
    """Yield what a policy wants and does not get."""
    for one in waiting:
        if one.code in _WAITS:
            place = f"{one.location.account}/{one.location.region}"
            text = _WAITS_FOR[one.code]
            yield Notice(one.source.address, place, Unexpected.WAITS, one.code, text)


def of_full(steps: Iterable[Step], noticed: Noticed) -> Iterator[Notice]:
    """Yield what is stored in full although it is not the first of its kind at its location."""
    for step in steps:
        forecast = step.forecast
        if forecast is None:
            continue
        tags = step.parameters["Tags"]
        is_first = noticed.is_first(tags[RESOURCE], _place(step), tags[ROLE])
        if forecast.verdict is Verdict.FULL and not is_first:
            text = f"stored in full: {forecast.because}"
            yield _notice(step, Unexpected.FULL_AGAIN, f"{forecast.rule} {tags[ZONE]}", text)


def _notice(step: Step, kind: Unexpected, code: str, text: str) -> Notice:
    return Notice(step.source.address, _place(step), kind, code, text)


def _place(step: Step) -> str:
    return f"{step.location.account}/{step.location.region}"
