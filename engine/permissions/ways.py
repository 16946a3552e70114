"""Between which places the documents may send copies, and which accounts take part how.

Wider than any one plan: a policy may meet a database wherever its `accounts` and `regions` allow,
and an override may take effect on any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from engine.costs.price_file import known_prices
from engine.documents.model import (
    HOME,
    Account,
    CopyRule,
    Documents,
    Estate,
    FailBack,
    MadeOf,
    Policy,
    Replicating,
    Replication,
    Target,
    Topology,
)
from engine.inventory.records import Location
from engine.planning.topology import DEFAULT_KEY_ALIAS, Stop, cheapest


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A home of databases, a place that their copies go to, and the key there.

    A target that hands its copies on is the home of those; its key is the `hub_key`.
    """

    home: Location
    there: Location
    key: str
    hub_key: str = ""

    @property
    def leaves_account(self) -> bool:
        """Whether another account makes the copy, so that the origin has to be shared."""
        return self.home.account != self.there.account


@dataclass(frozen=True, slots=True)
class Ways:
    """What the documents may lead to.

    Attributes:
        homes: where points may be made.
        copies: all ways of copies.
        places: all locations of the estate.
        set_up: where retention or window of automated backups may be changed.
        replicated: where databases are whose automated backups may be replicated, or stopped
            being so.
        replications: all ways of automated backups.
        shared: where points lie that policies share.
        seeds: where points may be copies of automated snapshots.
        failed_back: where databases may be failed back.
    """

    homes: frozenset[Location]
    copies: frozenset[Way]
    places: frozenset[Location]
    set_up: frozenset[Location] = frozenset()
    replicated: frozenset[Location] = frozenset()
    replications: frozenset[Way] = frozenset()
    shared: frozenset[Location] = frozenset()
    seeds: frozenset[Location] = frozenset()
    failed_back: frozenset[Location] = frozenset()

    def regions(self, account: str) -> tuple[str, ...]:
        """Return the regions that an account takes part with."""
        return tuple(sorted(at.region for at in self.places if at.account == account))


def ways_of(documents: Documents) -> Ways:
    """Return what a set of documents may lead to."""
    estate = documents.estate
    homes: set[Location] = set()
    copies: set[Way] = set()
    set_up: set[Location] = set()
    replicated: set[Location] = set()
    replications: set[Way] = set()
    shared: set[Location] = set()
    seeds: set[Location] = set()
    failed_back: set[Location] = set()
    for policy in documents.policies.values():
        for home in _homes(policy, estate):
            if _makes_points(policy):
                homes.add(home)
                seeds |= {home} if _copies_automated_ones(policy) else set()
            copies |= {way for rule in _rules(policy) for way in _ways(rule.target, home, estate)}
            for rules in _trees(policy):
                copies |= set(_onward(rules, home, estate))
            shared |= set(_shared(policy, home, estate))
            failed_back |= {home} if _fails_back(policy) else set()
            if _says(policy, "retention_days") or _says(policy, "window"):
                set_up.add(home)
            aims = _says(policy, "replicate_to")
            if aims:
                replicated.add(home)
            names = [aim.target for aim in aims if isinstance(aim, Replication)]
            ways = [way for name in names for way in _ways(name, home, estate)]
            replications |= {way for way in ways if not way.leaves_account}
    return Ways(
        frozenset(homes),
        frozenset(copies),
        frozenset(_places(estate)),
        frozenset(set_up),
        frozenset(replicated),
        frozenset(replications),
        frozenset(shared),
        frozenset(seeds),
        frozenset(failed_back),
    )


def account_of(estate: Estate, account: str) -> Account:
    """Return the account of an id."""
    return next(one for one in estate.accounts.values() if one.id == account)


def _homes(policy: Policy, estate: Estate) -> Iterator[Location]:
    condition = policy.select.condition
    for name, account in estate.accounts.items():
        for region in account.regions:
            if _fits(name, condition.accounts) and _fits(region, condition.regions):
                yield Location(account.id, region)


def _fits(word: str, globs: tuple[str, ...]) -> bool:
    return not globs or any(fnmatchcase(word, glob) for glob in globs)


def _makes_points(policy: Policy) -> bool:
    schedules = [policy.terms.snapshots.schedule]
    schedules += [one.changes.get(("snapshots", "schedule")) for one in policy.overrides]
    return any(schedule is not None for schedule in schedules)


def _copies_automated_ones(policy: Policy) -> bool:
    changed = (one.changes.get(("snapshots", "made_of")) for one in policy.overrides)
    return MadeOf.AUTOMATED in (policy.terms.snapshots.made_of, *changed)


def _fails_back(policy: Policy) -> bool:
    changed = (one.changes.get(("failover", "fail_back")) for one in policy.overrides)
    return FailBack.IN_WINDOW in (policy.terms.failover.fail_back, *changed)


def _rules(policy: Policy) -> Iterator[CopyRule]:
    yield from policy.terms.snapshots.copies
    for override in policy.overrides:
        yield from override.changes.get(("snapshots", "copies")) or ()


def _says(policy: Policy, name: str) -> list[object]:
    """Return what a policy and its overrides say of a field of automated backups."""
    values = [getattr(policy.terms.automated, name)]
    values += [one.changes.get(("automated", name)) for one in policy.overrides]
    return [value for value in values if value not in (None, Replicating.AS_IT_IS)]


def _shared(policy: Policy, home: Location, estate: Estate) -> Iterator[Location]:
    """Yield where the points lie that a policy shares of databases at `home`."""
    shares = [policy.terms.share_with]
    shares += [one.changes.get(("share_with",)) or () for one in policy.overrides]
    for origin in {rule.origin for rules in shares for rule in rules}:
        if origin == HOME:
            yield home
        for rule in _rules(policy):
            if rule.target == origin:
                yield from (way.there for way in _ways(rule.target, home, estate))


def _ways(name: str, home: Location, estate: Estate) -> Iterator[Way]:
    target = estate.targets.get(name)
    if target is not None and not isinstance(target, Target):
        target = estate.targets.get(target.by_source_region.get(home.region, ""))
    if isinstance(target, Target):
        there = Location(estate.accounts[target.account].id, target.region)
        if there != home:
            yield Way(home, there, target.key)


def _trees(policy: Policy) -> Iterator[tuple[CopyRule, ...]]:
    """Yield the copies whose targets may be served by one another; overrides may bring either."""
    changes = [{}, *(one.changes for one in policy.overrides)]
    ways = {change.get(("snapshots", "topology")) for change in changes}
    if Topology.CHEAPEST in {policy.terms.snapshots.topology, *ways}:
        copies = {change.get(("snapshots", "copies")) or () for change in changes}
        yield from {policy.terms.snapshots.copies, *copies}


def _onward(rules: tuple[CopyRule, ...], home: Location, estate: Estate) -> Iterator[Way]:
    """Yield the ways from target to target of the cheapest tree."""
    stops = {
        way.there: Stop(way.there, rule.every, not way.key.endswith(DEFAULT_KEY_ALIAS), way.key)
        for rule in rules
        for way in _ways(rule.target, home, estate)
    }
    parents = cheapest(home, list(stops.values()), known_prices()).parents if stops else {}
    for there, hub in parents.items():
        if hub != home:
            yield Way(hub, there, stops[there].key, stops[hub].key)


def _places(estate: Estate) -> Iterator[Location]:
    for account in estate.accounts.values():
        yield from (Location(account.id, region) for region in account.regions)
    for target in estate.targets.values():
        if isinstance(target, Target):
            yield Location(estate.accounts[target.account].id, target.region)
