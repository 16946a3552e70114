"""What a simulation tells: what was made and deleted when, and what nobody expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from engine.documents.model import Documents
from engine.inventory.records import Location
from engine.plans.codes import Action, Verdict
from engine.plans.plan import Forecast
from engine.simulation.stored import Stored

RANKS = {action: rank for rank, action in enumerate(Action)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One call that made or deleted a snapshot, or changed something else than tags and shares.

    Attributes:
        at: when it was made.
        action: which call.
        source: ADDRESS of the protected database.
        location: where the object lies.
        snapshot: its identifier; empty where it is about no snapshot.
        arn: the ARN of what it is about.
        slot: the time of its point.
        zone: the id of the zone of the volume that it holds.
        forecast: what the plan said; None for what makes nothing.
        ready_at: when what it makes is available.
        keys: the marks of the keys of its chain, joined by `/`.
        reason: the code of the plan's reason.
        role: what the object is for, as its tags say.
        policy: the policy that it is a point of, as its tags say.
    """

    at: datetime
    action: Action
    source: str
    location: Location
    snapshot: str
    arn: str
    slot: datetime | None
    zone: str
    forecast: Forecast | None
    ready_at: datetime | None
    keys: str
    reason: str
    role: str
    policy: str

    @property
    def lasting(self) -> timedelta:
        """How long after its slot what it makes is available; nothing for what makes nothing."""
        if self.slot is None or self.ready_at is None:
            return timedelta(0)
        return max(timedelta(0), self.ready_at - self.slot)

    @property
    def order(self) -> tuple[datetime, str, int, Location, str]:
        """Where it stands in the timeline."""
        return (self.at, self.source, RANKS[self.action], self.location, self.snapshot)


class Unexpected(StrEnum):
    """What kind of thing a surprise is."""

    FULL_AGAIN = "full_again"
    REFUSED = "refused"
    WITHHELD = "withheld"
    WAITS = "waits"
    VERIFIER = "verifier"
    NO_EFFECT = "no_effect"


@dataclass(frozen=True, slots=True, order=True)
class Surprise:
    """Something that a person should know of; told the first time it is met.

    `code` is what exactly: a forecast's rule, a guard, why a point waits.
    """

    at: datetime
    source: str
    location: str
    kind: Unexpected
    code: str
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Happened:
    """An event of the file that came to pass, and the database it happened to, if any."""

    at: datetime
    what: str
    about: str


@dataclass(slots=True)
class Exposure:
    """How old the newest available point of a database was at worst."""

    newest: datetime | None = None
    worst: timedelta | None = None

    def copy_of(self) -> Exposure:
        """Return the same, to go its own way."""
        return Exposure(self.newest, self.worst)

    def arrived(self, now: datetime, captured: datetime) -> None:
        """Note that a point is available now."""
        self.look(now)
        self.newest = captured if self.newest is None else max(self.newest, captured)

    def look(self, now: datetime) -> None:
        """Note how old the newest point is now."""
        if self.newest is not None:
            age = now - self.newest
            self.worst = age if self.worst is None else max(self.worst, age)


@dataclass(slots=True)
class Tally:
    """How many snapshots were created, copied and deleted in a time.

    `longest` is how long after its slot the last of them is available.
    """

    created: int = 0
    copied: int = 0
    deleted: int = 0
    longest: timedelta = timedelta(0)

    @property
    def made(self) -> int:
        """How many snapshots and copies were begun."""
        return self.created + self.copied

    def add(self, other: Tally) -> None:
        """Take in what was counted elsewhere."""
        self.longest = max(self.longest, other.longest)
        self.created += other.created
        self.copied += other.copied
        self.deleted += other.deleted


class Period(StrEnum):
    """What days are put together by; weeks are those of ISO 8601."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def name_of(self, day: date) -> str:
        """Return the name of the period that a day is in: 2026-11-21, 2026-W47, 2026-11."""
        match self:
            case Period.DAY:
                return day.isoformat()
            case Period.WEEK:
                year, week, _ = day.isocalendar()
                return f"{year}-W{week:02}"
            case Period.MONTH:
                return f"{day:%Y-%m}"


@dataclass(slots=True)
class Summary:
    """A simulation in numbers; `worst_rpo` and `most` are by address and by location.

    `days` counts what was done on each day, in the time zone of the policy that it was done for:
    `zones` by policy, UTC where there is none.
    """

    zones: Mapping[str, tzinfo] = field(default_factory=dict)
    days: dict[date, Tally] = field(default_factory=dict)
    created: int = 0
    copied: int = 0
    deleted: int = 0
    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    worst_rpo: dict[str, timedelta] = field(default_factory=dict)
    most: dict[Location, int] = field(default_factory=dict)

    def count(self, entry: Entry, times: int = 1) -> None:
        """Count an entry that stands for so many alike ones."""
        tally = Tally(
            created=times * (entry.action is Action.CREATE),
            copied=times * (entry.action is Action.COPY),
            deleted=times * (entry.action is Action.DELETE),
            longest=entry.lasting,
        )
        self.created += tally.created
        self.copied += tally.copied
        self.deleted += tally.deleted
        local = entry.at.astimezone(self.zones.get(entry.policy, UTC))
        self.days.setdefault(local.date(), Tally()).add(tally)
        if entry.forecast is not None:
            self.verdicts[entry.forecast.verdict] += times

    def by(self, period: Period) -> dict[str, Tally]:
        """Return what was counted in each day, week or month, in order."""
        found: dict[str, Tally] = {}
        for day in sorted(self.days):
            found.setdefault(period.name_of(day), Tally()).add(self.days[day])
        return found

    @property
    def worst_day(self) -> date | None:
        """The day whose last copy is there latest after its slot; the busiest, then the first."""
        days = (day for day in self.days if self.days[day].made)
        return min(
            days, key=lambda day: (-self.days[day].longest, -self.days[day].made, day), default=None
        )

    def note_rpo(self, source: str, worst: timedelta | None) -> None:
        """Note how old the newest point of a database was at worst."""
        if worst is not None:
            self.worst_rpo[source] = max(worst, self.worst_rpo.get(source, worst))

    def note_counts(self, counts: Mapping[Location, int]) -> None:
        """Note how many manual snapshots there are at each location now."""
        for at, count in counts.items():
            if count > self.most.get(at, -1):
                self.most[at] = count


@dataclass(frozen=True, slots=True)
class Simulation:
    """What `simulate` returns.

    The timeline is told anew at each reading, in order, and never held whole: where many databases
    are alike it is much longer than what it is told from.

    Attributes:
        estate: the name of the estate.
        start: the time of the first run.
        end: when the simulation ends; what would happen then is not told any more.
        interval: how often the scheduler runs.
        happened: the events, in order.
        surprises: what nobody expected, in order.
        summary: all of it in numbers.
        stored: what is held, and what it costs.
    """

    estate: str
    start: datetime
    end: datetime
    interval: timedelta
    tell: Callable[[], Iterator[Entry]]
    happened: tuple[Happened, ...]
    surprises: tuple[Surprise, ...]
    summary: Summary
    stored: Stored = field(default_factory=Stored)

    def timeline(self) -> Iterator[Entry]:
        """Yield every call that made or deleted something, in order."""
        return self.tell()


def zones_of(documents: Documents) -> dict[str, tzinfo]:
    """Return the time zone of each policy."""
    return {name: policy.terms.timezone for name, policy in documents.policies.items()}


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries in the order of the timeline."""
    return sorted(entries, key=lambda entry: entry.order)
