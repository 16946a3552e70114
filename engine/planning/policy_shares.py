"""Which points a policy shares, and with whom: `share_with` in accounts and objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.documents.model import HOME, Estate, ShareRule
from engine.identity.marks import Marks, Role
from engine.inventory.records import Location
from engine.planning.clusters import is_multi_az_cluster
from engine.planning.draft import Draft
from engine.planning.removal import Removal
from engine.planning.routes import RouteBook, is_default_key
from engine.planning.steps import Origin
from engine.planning.survey import Holding, Life, Source, World
from engine.planning.topology import DEFAULT_KEY_ALIAS

NOBODY: frozenset[str] = frozenset()
# A plan may be applied until a day after it was made, and a copy may take a day.
OUT_OF_SIGHT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a source's policy wants shared.

    `accounts` are, by ARN, those that may read an object. `settled` are the objects whose shares
    stay as they are, since nobody can tell which policy holds. `hasty` are those that go without
    waiting for anything new: they are taken back at once, while others wait until what displaces
    them may be read. `standing` are the accounts that may read an object until what this plan makes
    is there: a guard may withhold that for good.
    """

    accounts: Mapping[str, frozenset[str]]
    standing: Mapping[str, frozenset[str]]
    settled: frozenset[str] = NOBODY
    hasty: frozenset[str] = NOBODY

    def of(self, arn: str) -> frozenset[str]:
        """Return the accounts that may read an object."""
        return self.accounts.get(arn, NOBODY)

    def until_displaced(self, arn: str) -> frozenset[str]:
        """Return the accounts that may read an object as long as nothing new is there."""
        return self.standing.get(arn, NOBODY)


def wishes_of(draft: Draft, world: World, book: RouteBook, removals: Sequence[Removal]) -> Wishes:
    """Return what is to be shared; what no rule keeps counts no more and is taken back.

    Where nobody can tell which policy holds, because the database could not be read or two
    policies take it, what is shared stays shared. The newest points that are there and not shared
    yet are shared beside those that the plan makes, which may never come; those too that go only
    once something new takes their place.
    """
    source = draft.source
    leaving = {removal.holding.arn for removal in removals}
    hasty = {removal.holding.arn for removal in removals if not removal.after}
    wanted: dict[str, frozenset[str]] = defaultdict(frozenset)
    standing: dict[str, frozenset[str]] = defaultdict(frozenset)
    for rule, place in share_places(source, book):
        accounts = account_ids(rule, world.estate) - {place.account}
        if not accounts:
            continue
        points = list(_points_at(draft, world, place, leaving))
        for origin in _newest(points, rule.newest):
            wanted[origin.arn] |= accounts
        there = (p for p in _points_at(draft, world, place, hasty) if isinstance(p, Holding))
        for origin in _newest(there, rule.newest):
            standing[origin.arn] |= accounts
    for holding in source.holdings:
        if not is_known(holding.marks, standing.get(holding.arn, NOBODY)):
            wanted[holding.arn] |= standing[holding.arn]
    is_settled = source.life is Life.UNKNOWN or source.match.rivals
    settled = frozenset(h.arn for h in source.holdings) if is_settled else NOBODY
    shared = {arn: accounts for arn, accounts in wanted.items() if accounts}
    return Wishes(shared, dict(standing), settled, frozenset(hasty))


def share_places(source: Source, book: RouteBook) -> Iterator[tuple[ShareRule, Location]]:
    """Yield the shares of a source's policy with the places whose points they are about."""
    if source.terms is None or source.life is not Life.LIVE or is_multi_az_cluster(source):
        return
    routes, _ = book.routes(source.terms, source.location)
    places = {HOME: source.location, **{route.target: route.location for route in routes}}
    for rule in source.terms.share_with:
        if rule.origin in places:
            yield rule, places[rule.origin]


def account_ids(rule: ShareRule, estate: Estate) -> frozenset[str]:
    """Return the ids of the accounts that a share names by id or by the estate's name for them."""
    return frozenset(
        estate.accounts[one].id if one in estate.accounts else one for one in rule.accounts
    )


def _points_at(draft: Draft, world: World, place: Location, leaving: set[str]) -> Iterator[Origin]:
    for holding in draft.source.holdings:
        there = holding.location == place and holding.is_point and holding.is_available
        stays = holding.arn not in leaving and not holding.snapshot.tde
        if there and stays and can_be_shared(holding.kms_key, place, world):
            yield holding
    if uses_tde(draft.source):
        return
    for planned in draft.planned:
        is_point = planned.location == place and planned.marks.role is not Role.BRIDGE
        if is_point and can_be_shared(planned.kms_key, place, world):
            yield planned


def can_be_shared(kms_key: str | None, place: Location, world: World) -> bool:
    """Say whether AWS shares what is encrypted under a key, as far as is known of the key.

    (RDS User Guide, Sharing encrypted snapshots: not under the default key of RDS.)
    """
    if kms_key is None:
        return True
    key = (world.scope(place).keys or {}).get(kms_key)
    return not is_default_key(key) and not kms_key.endswith(DEFAULT_KEY_ALIAS)


def uses_tde(source: Source) -> bool:
    """Say whether snapshots show that a database encrypts itself: these are never shared."""
    return any(holding.snapshot.tde for holding in source.holdings)


def _newest(points: Iterable[Origin], count: int) -> list[Origin]:
    """Return the newest points, one object for each slot."""
    by_slot: dict[datetime, Origin] = {}
    for one in sorted(points, key=lambda o: (o.slot, o.arn)):
        by_slot.setdefault(one.slot, one)
    return [by_slot[slot] for slot in sorted(by_slot, reverse=True)[:count]]


def is_known(marks: Marks, wanted: frozenset[str]) -> bool:
    """Say whether AWS shares an object with everybody who is to read it, as the tags tell."""
    return wanted <= marks.shared_by_policy and not marks.being_given
