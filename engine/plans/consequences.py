"""What a change of documents would do, as a value: a part of the plan document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from engine.plans.codes import EditKind, Leaving, ProtectionChange
from engine.plans.costs import Pair
from engine.plans.refs import At, SourceRef


@dataclass(frozen=True, slots=True)
class TermEdit:
    """What a policy says differently; None is nothing at all."""

    term: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PolicyEdit:
    """A policy that the change adds, removes or changes, defaults included."""

    policy: str
    edit: EditKind
    terms: tuple[TermEdit, ...] = ()


@dataclass(frozen=True, slots=True)
class PointChange:
    """A point that goes earlier, or later, than it would without the change.

    `before_at` and `after_at` say when, where that is known. `text` is why it goes, or until when
    it stays. `acknowledge` is the digest that lets a guard's delete through.
    """

    arn: str
    slot: datetime
    before: Leaving
    after: Leaving
    before_at: datetime | None
    after_at: datetime | None
    text: str
    acknowledge: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back one database can be restored from one location, before and after the change.

    `oldest_before` and `oldest_after` are the oldest points that stay once what each plan deletes
    is gone, what guards withhold included; the `later` ones are those at the horizon. None is no
    point at all.
    """

    source: SourceRef
    location: At
    policy: str
    oldest_before: datetime | None
    oldest_after: datetime | None
    later_before: datetime | None
    later_after: datetime | None
    points: tuple[PointChange, ...] = ()


@dataclass(frozen=True, slots=True)
class NewChain:
    """A chain that the change begins: its first object is stored in full.

    `breaks` says whether another chain ends there. `slot` is that of the first object, None where
    it is not known. `gib` is the least and the most that it can be.
    """

    source: SourceRef
    location: At
    policy: str
    slot: datetime | None
    gib: tuple[int, int]
    breaks: bool
    because: str


@dataclass(frozen=True, slots=True)
class Protected:
    """A database that gains, loses or changes what makes points of it, or sends them somewhere.

    `before` and `after` are the policies.
    """

    source: SourceRef
    location: At
    change: ProtectionChange
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class CostChange:
    """What is kept of a policy at a location will cost a month at the horizon, in USD.

    Both are the least and the most, before the free allowance, of the databases of which the change
    decides something.
    """

    policy: str
    location: At
    usd_month_before: Pair
    usd_month_after: Pair


@dataclass(frozen=True, slots=True)
class WindowChange:
    """A database whose automated backups will reach so many days back, 0 being none at all."""

    source: SourceRef
    policy: str
    days_before: int
    days_after: int


@dataclass(frozen=True, slots=True)
class Consequences:
    """What changes against older documents, with the same inventory at the same time.

    `against` names them as the command line did, `commit` is where they were read from.
    `policies_digest` is theirs. `problems` say why they could not be used: the rest is empty then.
    `horizon` is how far was looked ahead.
    """

    against: str
    commit: str | None
    policies_digest: str | None
    horizon: datetime | None
    problems: tuple[str, ...] = ()
    edits: tuple[PolicyEdit, ...] = ()
    reach: tuple[Reach, ...] = ()
    chains: tuple[NewChain, ...] = ()
    protection: tuple[Protected, ...] = ()
    costs: tuple[CostChange, ...] = ()
    windows: tuple[WindowChange, ...] = ()


def moments(found: Consequences) -> Iterator[tuple[str, datetime | None]]:
    """Yield each time in it with the place where it stands."""
    yield "horizon", found.horizon
    for number, one in enumerate(found.reach):
        place = f"reach[{number}]"
        yield f"{place}.oldest_before", one.oldest_before
        yield f"{place}.oldest_after", one.oldest_after
        yield f"{place}.later_before", one.later_before
        yield f"{place}.later_after", one.later_after
        for index, point in enumerate(one.points):
            yield f"{place}.points[{index}].slot", point.slot
            yield f"{place}.points[{index}].before_at", point.before_at
            yield f"{place}.points[{index}].after_at", point.after_at
    for number, chain in enumerate(found.chains):
        yield f"chains[{number}].slot", chain.slot


def with_times(found: Consequences, change: Callable[[datetime], datetime]) -> Consequences:
    """Return it with each time changed."""

    def changed(moment: datetime | None) -> datetime | None:
        return None if moment is None else change(moment)

    def point(one: PointChange) -> PointChange:
        before, after = changed(one.before_at), changed(one.after_at)
        return replace(one, slot=change(one.slot), before_at=before, after_at=after)

    def reach(one: Reach) -> Reach:
        return replace(
            one,
            oldest_before=changed(one.oldest_before),
            oldest_after=changed(one.oldest_after),
            later_before=changed(one.later_before),
            later_after=changed(one.later_after),
            points=tuple(point(each) for each in one.points),
        )

    return replace(
        found,
        horizon=changed(found.horizon),
        reach=tuple(reach(one) for one in found.reach),
        chains=tuple(replace(chain, slot=changed(chain.slot)) for chain in found.chains),
    )
