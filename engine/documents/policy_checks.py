"""Checks of a policy: its schedule, retention and copies, and what overrides make of them."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from engine.documents import rhythm
from engine.documents.automated_checks import check_automated
from engine.documents.cluster_checks import check_cluster_policy
from engine.documents.diagnostics import Code, Diagnostic
from engine.documents.model import (
    CopyRule,
    Cron,
    Estate,
    Every,
    Policy,
    Schedule,
    Target,
    Window,
)
from engine.documents.nodes import Leaf, Table, find
from engine.documents.policies import PolicySource
from engine.documents.share_checks import check_shares
from engine.documents.sources import Sources
from engine.documents.terms import terms_for
from engine.documents.view import View
from engine.inventory.records import Kind

DAY = timedelta(days=1)
# Schedulers run the engine every 15 to 60 minutes.
SAFE_WINDOW = timedelta(hours=1)
# RDS User Guide, Viewing Amazon RDS events.
EVENTS_KEPT = timedelta(days=14)


def check_policy(
    policy: Policy, estate: Estate, source: PolicySource, sources: Sources
) -> Iterator[Diagnostic]:
    """Yield what is wrong with a policy, and with it under each of its overrides.

    What an override leaves as it is is told again, at the same place: it counts once.
    """
    roots = (source.body, source.document)
    yield from _check(View(policy.name, policy.terms, roots), policy, estate)
    for index, table in enumerate(source.overrides):
        view = View(policy.name, terms_for(policy, (index,)), (table, *roots))
        yield from _check(view, policy, estate)
    yield from _dropped_rules(source, sources.estate)


def _check(view: View, policy: Policy, estate: Estate) -> Iterator[Diagnostic]:
    if view.terms.snapshots.schedule is not None:
        yield from _schedule(view, view.terms.snapshots.schedule)
        yield from _objectives(view, view.terms.snapshots.schedule)
    yield from _copies(view, policy, estate)
    yield from check_automated(view, policy, estate)
    yield from _events(view)
    yield from check_shares(view, estate)
    if policy.protects is Kind.CLUSTER:
        yield from check_cluster_policy(view, policy)
    if view.terms.failover.quiet > EVENTS_KEPT:
        summary = "`quiet` reaches back further than the 14 days for which RDS keeps events"
        yield view.tell(Code.LONG_QUIET, summary, "write at most 14d", "failover", "quiet")
    keep_last = find(view.roots[0], ("orphans", "keep_last"))
    if view.terms.orphans is None and isinstance(keep_last, Leaf) and keep_last.value is not None:
        summary = "`keep_last` stands without `keep_for`, so all orphans are kept"
        fix = "add `keep_for: 30d`"
        yield view.tell(Code.NO_KEEP_FOR, summary, fix, "orphans", "keep_last")


# -- schedules -----------------------------------------------------------------------------------

_SCHEDULE = ("snapshots", "schedule")
_WINDOW = (*_SCHEDULE, "window")


def _schedule(view: View, schedule: Schedule) -> Iterator[Diagnostic]:
    window = schedule.window
    if window is None:
        return
    if isinstance(schedule.cadence, Every) and schedule.cadence.period < DAY:
        summary = "with `every` below a day the window only sets when the day's first slot is"
        fix = "leave the window out, or use `cron` to make points inside of it only"
        yield view.tell(Code.WINDOW_ANCHORS, summary, fix, *_WINDOW)
    elif window.minutes < SAFE_WINDOW // timedelta(minutes=1):
        summary = f"the window is {window.minutes} minutes long, which an hourly run can miss"
        yield view.tell(Code.SHORT_WINDOW, summary, "make it an hour or longer", *_WINDOW)
    if isinstance(schedule.cadence, Cron):
        outside = [
            slot
            for slot in rhythm.slots(schedule.cadence)
            if not _holds(window, slot.hour * 60 + slot.minute)
        ]
        if outside:
            summary = (
                f"`{schedule.cadence.expression}` fires at {outside[0]:%H:%M}, outside the window"
            )
            fix = "leave the window out, or let both agree"
            yield view.tell(Code.OUTSIDE_WINDOW, summary, fix, *_SCHEDULE, "cron")


def _holds(window: Window, minute: int) -> bool:
    return (minute - window.start) % 1440 < window.minutes


# -- objectives ----------------------------------------------------------------------------------


def _objectives(view: View, schedule: Schedule) -> Iterator[Diagnostic]:
    keep, rpo = view.terms.snapshots.keep, view.terms.objectives.rpo
    if keep.is_empty:
        summary = f"`{view.name}` makes points and keeps all of them for ever"
        fix = "add `retention: {keep: {daily: 7, weekly: 4}}` to its `snapshots`"
        yield view.tell(Code.KEEPS_ALL, summary, fix, "snapshots", "retention", "keep")
    if rpo is None:
        return
    gap = rhythm.longest_gap(schedule.cadence)
    if gap > rpo:
        summary = f"points are made {_long(gap)} apart, but the RPO is {_long(rpo)}"
        fix = "make points more often, or ask for less"
        yield view.tell(Code.SCHEDULE_MISSES_RPO, summary, fix, "objectives", "rpo")
    elif not rhythm.reaches(keep, schedule.cadence, rpo):
        summary = f"points go before they are as old as the RPO, {_long(rpo)}"
        fix = f"keep more, for instance `within: {_long(2 * rpo)}`"
        yield view.tell(Code.KEEP_MISSES_RPO, summary, fix, "snapshots", "retention", "keep")


def _long(length: timedelta) -> str:
    """Return a length as people write it: `26h`, `7d`."""
    parts = []
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if unit == "d" and seconds < 2 * size and seconds != size:
            continue
        if seconds >= size:
            parts.append(f"{seconds // size}{unit}")
            seconds %= size
    return "".join(parts)


# -- copies --------------------------------------------------------------------------------------


def _copies(view: View, policy: Policy, estate: Estate) -> Iterator[Diagnostic]:
    regions = _regions_of(policy, estate)
    taken: dict[tuple[str, str, str], str] = {}
    for index, copy in enumerate(view.terms.snapshots.copies):
        here = ("snapshots", "copies", index)
        reached = _locations(copy.target, estate, regions)
        lacking = sorted(region for region, target in reached.items() if target is None)
        if lacking and copy.target in estate.targets:
            summary = f"`{copy.target}` has no target for databases in {', '.join(lacking)}"
            fix = "add the region to its `by_source_region`, or narrow `select`"
            yield view.tell(Code.NO_TARGET_FOR_REGION, summary, fix, *here, "target")
        rivals = _rivals(reached, copy.target, taken)
        if rivals:
            summary = f"`{copy.target}` and `{rivals[0]}` are the same account and region"
            fix = "one point has one copy at a location: remove one of them"
            yield view.tell(Code.TWO_COPIES, summary, fix, *here, "target")
        if view.terms.snapshots.schedule is not None:
            yield from _rhythm_of(copy, view, view.terms.snapshots.schedule, index)


def _regions_of(policy: Policy, estate: Estate) -> frozenset[str]:
    """Return the regions in which the policy can take databases."""
    condition = policy.select.condition
    found = {
        region
        for account in estate.accounts.values()
        if _any(condition.accounts, account.name)
        for region in account.regions
        if _any(condition.regions, region)
    }
    return frozenset(found)


def _any(globs: tuple[str, ...], text: str) -> bool:
    return not globs or any(fnmatch.fnmatchcase(text, glob) for glob in globs)


def _locations(name: str, estate: Estate, regions: frozenset[str]) -> dict[str, Target | None]:
    """Return which target stands for a name, by the region of the database."""
    target = estate.targets.get(name)
    if target is None or isinstance(target, Target):
        return dict.fromkeys(regions, target)
    found = {}
    for region in regions:
        chosen = estate.targets.get(target.by_source_region.get(region, ""))
        found[region] = chosen if isinstance(chosen, Target) else None
    return found


def _rivals(
    reached: dict[str, Target | None], name: str, taken: dict[tuple[str, str, str], str]
) -> list[str]:
    """Return the earlier copies that go where this one goes; note where it goes."""
    rivals = []
    for region, target in sorted(reached.items()):
        if target is not None:
            first = taken.setdefault((region, target.account, target.region), name)
            if first is not name or name in rivals:
                rivals.append(first)
    return rivals


def _rhythm_of(copy: CopyRule, view: View, schedule: Schedule, index: int) -> Iterator[Diagnostic]:
    here = ("snapshots", "copies", index)
    if isinstance(schedule.cadence, Every) and copy.every and copy.every < schedule.cadence.period:
        summary = f"`every` of the copy, {_long(copy.every)}, is shorter than the schedule's"
        fix = "leave it out: every point is sent anyway"
        yield view.tell(Code.NEEDLESS_EVERY, summary, fix, *here, "every")
    keep = copy.keep or view.terms.snapshots.keep
    if keep.is_empty:
        return
    kept, sent = rhythm.survivors(keep, schedule.cadence, copy.every)
    if 2 * kept < sent:
        summary = (
            f"`{copy.target}` drops {_share(sent - kept, sent)} of its points at the next copy"
        )
        fix = "send fewer with `every` (such as `every: 1d`), or keep more there"
        path = (*here, "retention", "keep") if copy.keep else (*here, "target")
        yield view.tell(Code.WASTED_COPIES, summary, fix, *path)


def _share(part: int, whole: int) -> str:
    return "all" if part == whole else f"{100 * part // whole} %"


# -- events --------------------------------------------------------------------------------------


def _events(view: View) -> Iterator[Diagnostic]:
    for earlier, event in pairwise(view.terms.events):
        if event.at == earlier.at:
            summary = f"two events are due at {event.at:%Y-%m-%dT%H:%MZ}, and a slot has one point"
            fix = "leave one of them, with the longer `keep_for`"
            yield view.tell(Code.TWO_EVENTS, summary, fix, "events")


# -- defaults ------------------------------------------------------------------------------------

_KEEP = ("snapshots", "retention", "keep")


def _dropped_rules(source: PolicySource, estate: Table | None) -> Iterator[Diagnostic]:
    """Yield what a policy's own `keep` leaves out of the default one, which it replaces whole."""
    standard = find(estate, ("defaults", *_KEEP)) if estate else None
    own = find(source.document, _KEEP)
    if not isinstance(standard, Table) or not isinstance(own, Table):
        return
    dropped = [rule for rule in standard.entries if rule not in own.entries]
    if dropped:
        names = ", ".join(f"`{rule}`" for rule in dropped)
        summary = f"this `keep` replaces the default one whole, and drops {names}"
        fix = f"repeat {names} here, or say that it is meant: `{dropped[0]}: 0`"
        yield Diagnostic(Code.DROPPED_RULE, summary, own.place, fix=fix)
