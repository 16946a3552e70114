"""Whether the work of a night fits its window: copies of one database run one after the other.

AWS queues copies of one source and works off one at a time, and has so many in flight into one
region of an account: 20 of DB snapshots, 5 of snapshots of clusters (RDS User Guide, Copying a DB
snapshot; Aurora User Guide, Copying a DB cluster snapshot).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from engine.costs.prices import Kept
from engine.costs.ranges import NOTHING, Range
from engine.costs.stepping import Cost
from engine.documents.model import Documents
from engine.inventory.records import Location
from engine.plans.amounts import rounded
from engine.plans.codes import Action
from engine.plans.costs import Fit, Night

IN_FLIGHT = {Kept.SNAPSHOT: 20, Kept.CLUSTER_SNAPSHOT: 5}


@dataclass(frozen=True, slots=True)
class Job:
    """A snapshot or a copy: of which database, where it is made, how many seconds it takes."""

    source: str
    at: Location
    seconds: Range
    is_copy: bool
    kept: Kept = Kept.SNAPSHOT


def lasting(jobs: Iterable[Job]) -> Range:
    """Return how many seconds the jobs of one night take, from the first start to the last end.

    At least as long as the longest database and the fullest place; at most as long as both after
    one another, since whoever waits for a place finds all of them busy.
    """
    chains: dict[str, Range] = defaultdict(lambda: NOTHING)
    places: dict[tuple[Location, Kept], Range] = defaultdict(lambda: NOTHING)
    for job in jobs:
        chains[job.source] += job.seconds
        if job.is_copy:
            places[job.at, job.kept] += job.seconds * (1 / IN_FLIGHT[job.kept])
    longest, fullest = _most(chains.values()), _most(places.values())
    return Range(max(longest.low, fullest.low), longest.high + fullest.high)


def _most(ranges: Iterable[Range]) -> Range:
    known = list(ranges) or [NOTHING]
    return Range(max(one.low for one in known), max(one.high for one in known))


def fit(seconds: Range, window: timedelta) -> Fit:
    """Say whether work that takes so long fits a window."""
    length = window.total_seconds()
    if seconds.high <= length:
        return Fit.FITS
    return Fit.MAY_NOT if seconds.low <= length else Fit.DOES_NOT


def nights(costs: Iterable[Cost], documents: Documents) -> Iterator[Night]:
    """Yield, for each policy with a window that makes something now, whether that fits."""
    jobs: dict[str, list[Job]] = defaultdict(list)
    for cost in costs:
        if cost.seconds is not None and cost.step.withheld_by is None:
            jobs[cost.step.policy].append(_job(cost, cost.seconds))
    for policy, own in sorted(jobs.items()):
        found = documents.policies.get(policy)
        schedule = found.terms.snapshots.schedule if found is not None else None
        if schedule is None or schedule.window is None:
            continue
        seconds, window = lasting(own), timedelta(minutes=schedule.window.minutes)
        yield Night(
            policy=policy,
            jobs=len(own),
            seconds=rounded(seconds.pair),
            window_seconds=int(window.total_seconds()),
            fit=fit(seconds, window),
        )


def _job(cost: Cost, seconds: Range) -> Job:
    step = cost.step
    at = Location(step.location.account, step.location.region)
    return Job(step.source.resource_id, at, seconds, step.action is Action.COPY, cost.kept)
