"""What the engine's snapshots take up in the simulated world, and what changes of it at each call.

Nothing here is known by the names of databases but chains and natures, so that databases that are
alike have shelves that are alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from engine.costs.allowance import NO_ALLOWANCE, Allowance, allowance_of
from engine.costs.ranges import Range
from engine.costs.rates import ASSUMED_RATE, Rate
from engine.costs.storage import DAY, Body, either, increment
from engine.identity.chains import Chain, tagged_chain
from engine.identity.marks import KEYS, POLICY, ROLE, SLOT, SOURCE, VOLUME, ZONE
from engine.inventory.records import Instance, Location, Snapshot
from engine.plans.codes import Verdict

UNITS = 1 << 20
"""How many of the whole units that amounts are summed in make a GiB: sums are exact, in whatever
order they are made."""
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_CHAINED = frozenset({ROLE, KEYS, VOLUME, ZONE})

Since = tuple[tuple[datetime, Range], ...]
"""Which part of the storage changes in a day, from when on; in order."""


@dataclass(frozen=True, slots=True)
class Nature:
    """What decides how much the snapshots of a database take up.

    `full_gib` is what AWS says that one is in full, None where it does not; `moves` are the rates
    that events give it.
    """

    full_gib: float | None = None
    moves: Since = ()


@dataclass(frozen=True, slots=True)
class Held:
    """One snapshot on a shelf; `mark` tells those of a chain apart that were taken at once."""

    taken_at: datetime
    mark: tuple[str, str]
    body: Body
    rates: Since
    verdict: Verdict | None = None

    @property
    def age(self) -> tuple[datetime, tuple[str, str]]:
        """Where it stands in its chain."""
        return self.taken_at, self.mark

    def gib(self, before: Held | None, chain: Chain) -> Range:
        """Return what it takes up; `before` is what its chain holds before it."""
        if before is None or self.verdict is Verdict.FULL:
            return self.body.full
        is_sure = self.verdict in {None, Verdict.INCREMENTAL} and chain.is_known
        changed = Rate(changed_between(before.taken_at, self.taken_at, self.rates))
        return (increment if is_sure else either)(self.body, DAY, changed)


class Measured(StrEnum):
    """What is summed up at a location."""

    HELD = "held"
    """What the engine's snapshots take up."""
    ALLOCATED = "allocated"
    """What databases have allocated: as much is free."""
    AUTOMATED = "automated"
    """What automated backups use up of that."""


@dataclass(frozen=True, slots=True)
class Change:
    """More or less of something at a location from a moment on, in units, at least and at most."""

    at: datetime
    location: Location
    what: Measured
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What a copy sent from one region to another, in units, at least and at most."""

    origin: str
    to: str
    low: int
    high: int


@dataclass(slots=True)
class Shelves:
    """The engine's snapshots by chain, oldest first, and what has changed since it was asked for.

    `rates` are by policy, `natures` by the ARN of the database.
    """

    rates: Mapping[str, Rate] = field(default_factory=dict)
    natures: dict[str, Nature] = field(default_factory=dict)
    chains: dict[Chain, tuple[Held, ...]] = field(default_factory=dict)
    news: list[Change | Sent] = field(default_factory=list)

    def copy_of(self) -> Shelves:
        """Return the same, to go its own way."""
        return Shelves(self.rates, dict(self.natures), dict(self.chains))

    def renamed(self, arns: Mapping[str, str], resources: Mapping[str, str]) -> Shelves:
        """Return the same under other names of databases: their ARNs and their DbiResourceIds."""
        natures = {arns.get(arn, arn): nature for arn, nature in self.natures.items()}
        chains = {
            replace(chain, volume=resources.get(chain.volume, chain.volume)): row
            for chain, row in self.chains.items()
        }
        return Shelves(self.rates, natures, chains)

    def only(self, instances: Iterable[str], snapshots: Iterable[Snapshot]) -> Shelves:
        """Return what of it belongs to these databases, by their ARNs, and these snapshots."""
        chains: dict[Chain, tuple[Held, ...]] = {}
        sources = set(instances)
        for snapshot in snapshots:
            chain = _chain(snapshot)
            if chain in self.chains:
                chains[chain] = self.chains[chain]
                sources.add(snapshot.tags[SOURCE])
        natures = {arn: self.natures[arn] for arn in sources if arn in self.natures}
        return Shelves(self.rates, natures, chains)

    def take_in(self, other: Shelves) -> None:
        """Add what others hold."""
        self.natures.update(other.natures)
        self.chains.update(other.chains)

    def state(self) -> object:
        """Return all of it as one value that can be compared."""
        return frozenset(self.natures.items()), frozenset(self.chains.items())

    def told(self) -> list[Change | Sent]:
        """Return what has changed since this was asked last."""
        news, self.news = self.news, []
        return news

    # -- what happens to snapshots ---------------------------------------------------------------

    def put(
        self,
        snapshot: Snapshot,
        taken_at: datetime,
        now: datetime,
        verdict: Verdict | None = None,
        origin: Location | None = None,
        body: Body | None = None,
    ) -> None:
        """Take in a snapshot of the engine's.

        Args:
            snapshot: what it is.
            taken_at: when its data was captured.
            now: when it comes to be.
            verdict: what was foreseen of it; None of what was there before.
            origin: where it is copied from.
            body: what it was taken of, where more is known of that than of its database.
        """
        chain = _chain(snapshot)
        if chain is None:
            return
        held = self._held(snapshot, taken_at, verdict)
        gib = self._put(chain, held if body is None else replace(held, body=body), now)
        if origin is not None and origin.region != snapshot.location.region:
            low, high = _units(gib)
            self.news.append(Sent(origin.region, snapshot.location.region, low, high))

    def remove(self, snapshot: Snapshot, now: datetime) -> None:
        """Let go of a snapshot; what a later one of its chain needs of it stays."""
        chain = _chain(snapshot)
        if chain is not None:
            self._take(chain, _mark(snapshot.tags), now)

    def relabel(self, before: Snapshot, after: Snapshot | None, now: datetime) -> None:
        """Move a snapshot whose tags have changed to where they say that it belongs."""
        if after is None or all(before.tags.get(t) == after.tags.get(t) for t in _CHAINED):
            return
        old, new = _chain(before), _chain(after)
        held = None if old is None else self._take(old, _mark(before.tags), now)
        if held is not None and new is not None:
            self._put(new, held, now)

    def allow(self, before: Instance | None, after: Instance | None, now: datetime) -> None:
        """Note what becomes free where a database becomes another one, comes or goes."""
        was, becomes = _allowance(before), _allowance(after)
        found = after or before
        if was == becomes or found is None:
            return
        for what, old, new in (
            (Measured.ALLOCATED, was.allocated, becomes.allocated),
            (Measured.AUTOMATED, was.automated, becomes.automated),
        ):
            self._note(now, found.location, what, _units(old), _units(new))

    def _held(self, snapshot: Snapshot, taken_at: datetime, verdict: Verdict | None) -> Held:
        tags = snapshot.tags
        nature = self.natures.get(tags[SOURCE], Nature())
        rate = self.rates.get(tags[POLICY], ASSUMED_RATE)
        return Held(
            taken_at=taken_at,
            mark=_mark(tags),
            body=Body(snapshot.allocated_gib, nature.full_gib),
            rates=((_ALWAYS, rate.a_day), *nature.moves),
            verdict=verdict,
        )

    def _put(self, chain: Chain, held: Held, now: datetime) -> Range:
        row = self.chains.get(chain, ())
        place = bisect_left(row, held.age, key=lambda one: one.age)
        row = (*row[:place], held, *row[place:])
        self.chains[chain] = row
        self._note(now, chain.location, Measured.HELD, *_with_and_without(row, place, chain))
        return held.gib(row[place - 1] if place else None, chain)

    def _take(self, chain: Chain, mark: tuple[str, str], now: datetime) -> Held | None:
        row = self.chains.get(chain, ())
        place = next((number for number, one in enumerate(row) if one.mark == mark), None)
        if place is None:
            return None
        without, with_it = _with_and_without(row, place, chain)
        self._note(now, chain.location, Measured.HELD, with_it, without)
        left = (*row[:place], *row[place + 1 :])
        if left:
            self.chains[chain] = left
        else:
            del self.chains[chain]
        return row[place]

    def _note(
        self,
        now: datetime,
        at: Location,
        what: Measured,
        before: tuple[int, int],
        after: tuple[int, int],
    ) -> None:
        self.news.append(Change(now, at, what, after[0] - before[0], after[1] - before[1]))


def changed_between(since: datetime, until: datetime, rates: Since) -> Range:
    """Return which part of the storage changes in between; more than all of it is told as such."""
    low = high = 0.0
    for number, (begins, a_day) in enumerate(rates):
        ends = rates[number + 1][0] if number + 1 < len(rates) else until
        days = (min(until, ends) - max(since, begins)) / DAY
        if days > 0:
            low += a_day.low * days
            high += a_day.high * days
    return Range(low, high)


def _with_and_without(
    row: tuple[Held, ...], place: int, chain: Chain
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return what one of a chain and the one after it take up: without that one, and with it."""
    before = row[place - 1] if place else None
    own = _units(row[place].gib(before, chain))
    if place + 1 == len(row):
        return (0, 0), own
    after = row[place + 1]
    later = _units(after.gib(row[place], chain))
    return _units(after.gib(before, chain)), (own[0] + later[0], own[1] + later[1])


def _units(gib: Range) -> tuple[int, int]:
    return round(gib.low * UNITS), round(gib.high * UNITS)


def _allowance(instance: Instance | None) -> Allowance:
    return NO_ALLOWANCE if instance is None else allowance_of((instance,))


def _mark(tags: Mapping[str, str]) -> tuple[str, str]:
    return tags[SLOT], tags[POLICY]


def _chain(snapshot: Snapshot) -> Chain | None:
    """Return the chain of a snapshot of an engine's; None of others."""
    if not snapshot.tags.keys() >= _CHAINED:
        return None
    return tagged_chain(snapshot.tags, snapshot.location)
