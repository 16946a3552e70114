"""Objectives of policies and whether they are met, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.plans.codes import ObjectiveStatus, RestoredFrom
from engine.plans.refs import At, SourceRef


@dataclass(frozen=True, slots=True)
class Judgement:
    """One objective at one place; all lengths are seconds.

    `low` and `high` are what is measured (both alike) or the range of an estimate, None where
    there is nothing to measure.
    """

    status: ObjectiveStatus
    limit: int
    low: int | None
    high: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest moment that can be restored at a place, and the ARN that it is restored from."""

    at: datetime
    way: RestoredFrom
    arn: str


@dataclass(frozen=True, slots=True)
class Gap:
    """The longest time between two points in a row that are kept."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class RestoreWindow:
    """The time to each moment of which automated backups can restore; None is not known."""

    earliest: datetime | None
    latest: datetime | None
    retention_days: int


@dataclass(frozen=True, slots=True)
class RestoreInput:
    """A part of the estimated length of a restore: its range in seconds, and what it rests on."""

    name: str
    low: int
    high: int
    because: str


@dataclass(frozen=True, slots=True)
class Objective:
    """What a policy asks for one database at one location, and what there is.

    `points` counts the snapshots that can be restored there, `worst_gap` is between these.
    `mended_by` is the step of this plan after which the RPO is met again.
    """

    source: SourceRef
    policy: str
    location: At
    status: ObjectiveStatus
    rpo: Judgement | None
    rto: Judgement | None
    newest: Newest | None
    points: int
    worst_gap: Gap | None
    window: RestoreWindow | None
    inputs: tuple[RestoreInput, ...] = ()
    mended_by: str | None = None

    @property
    def judgements(self) -> tuple[tuple[str, Judgement], ...]:
        """What is judged, by its name in policies."""
        named = (("rpo", self.rpo), ("rto", self.rto))
        return tuple((name, judged) for name, judged in named if judged is not None)


@dataclass(frozen=True, slots=True)
class Survival:
    """How old the newest point gets at a location under a disturbance, played beforehand.

    `disturbance` is as policies write it, `account` the one that is out where one is; `limit` and
    `worst` are seconds.
    """

    source: SourceRef
    policy: str
    location: At
    disturbance: str
    account: str | None
    begins: datetime
    status: ObjectiveStatus
    limit: int
    worst: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Objectives:
    """How many objectives (a database at a location each) were judged, and all that are not met."""

    judged: int = 0
    met: int = 0
    uncertain: int = 0
    unknown: int = 0
    broken: int = 0
    told: tuple[Objective, ...] = ()


NOTHING_JUDGED = Objectives()


def told_of(judged: Iterable[Objective]) -> Objectives:
    """Return the counts of objectives, and those that are not met, the worst first."""
    found = list(judged)
    counts = Counter(one.status for one in found)
    worst_first = list(reversed(ObjectiveStatus))
    told = [one for one in found if one.status is not ObjectiveStatus.MET]
    told.sort(key=lambda one: worst_first.index(one.status))
    return Objectives(
        judged=len(found),
        met=counts[ObjectiveStatus.MET],
        uncertain=counts[ObjectiveStatus.UNCERTAIN],
        unknown=counts[ObjectiveStatus.UNKNOWN],
        broken=counts[ObjectiveStatus.BROKEN],
        told=tuple(told),
    )


def lasting(length: timedelta | int) -> str:
    """Return a length, in seconds if it is a number, as policies write it: `26h`, `3d4h`, `45m`.

    Two units are enough for people: what is smaller is left out.
    """
    rest = int(length if isinstance(length, int) else length.total_seconds())
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        # Up to two days hours are what people say: 26h, 36h.
        if unit == "d" and rest < 2 * size:
            continue
        if rest >= size or (unit == "s" and not parts):
            parts.append(f"{rest // size}{unit}")
            rest %= size
        elif parts:
            break
    return "".join(parts[:2])
