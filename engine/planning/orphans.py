"""Points of a database that is gone, and points whose database nobody can look for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from engine.documents.model import Policy
from engine.identity.marks import Role
from engine.inventory.records import Instance, Location, SnapshotState
from engine.planning.draft import Draft
from engine.planning.removal import (
    FUTURE_PROTECTIONS,
    Removal,
    because,
    failed_removal,
    not_available,
)
from engine.planning.routes import RouteBook
from engine.planning.steps import short
from engine.planning.survey import Holding, Source, World
from engine.planning.unmanaged import leave_or_retire, policy_gone
from engine.plans.codes import KeepReason, StepReason, UnmanagedReason
from engine.plans.plan import Reason


def keep_unknown(draft: Draft, world: World) -> None:
    """Keep every object of a database that could not be looked for."""
    source = draft.source
    if source.location not in world.locations:
        text = f"{source.location}, where its database is, is not in the estate"
        for holding in source.holdings:
            draft.leave_unmanaged(holding, UnmanagedReason.LOCATION_OUTSIDE_ESTATE, text)
            draft.keep(holding, [because(KeepReason.UNMANAGED, text)])
        return
    cause = world.scope(source.location).cause or "not read completely"
    text = f"whether its database still exists is not known: {source.location}: {cause}"
    for holding in source.holdings:
        draft.keep(holding, [because(KeepReason.INVENTORY_INCOMPLETE, text)])


def judge_gone(draft: Draft, world: World, book: RouteBook) -> list[Removal]:
    """Return the orphans whose time is over; note why the others stay."""
    removals = []
    ranks = _ranks(draft.source.holdings)
    for holding in draft.source.holdings:
        if holding.state is SnapshotState.FAILED:
            removals.append(failed_removal(holding))
            continue
        maker = world.matcher.maker(holding.marks.policy)
        unmanaged = _why_unmanaged(draft, world, book, maker, holding)
        if unmanaged is not None and holding.is_point:
            code, text = unmanaged
            removals += leave_or_retire(draft, world, [holding], code, text, FUTURE_PROTECTIONS)
            continue
        why = _why_an_orphan_stays(draft, world, maker, holding, ranks)
        if why is not None:
            draft.keep(holding, [why])
            continue
        assert holding.marks.gone_since is not None
        text = f"its database is gone since {short(holding.marks.gone_since)} and keep_for is over"
        reason = Reason(StepReason.ORPHAN_EXPIRED.value, text)
        removals.append(Removal(holding, reason, exempt=FUTURE_PROTECTIONS))
    return removals


def _why_unmanaged(
    draft: Draft, world: World, book: RouteBook, maker: Policy | None, holding: Holding
) -> tuple[UnmanagedReason, str] | None:
    """Say why no policy decides about an orphan: its maker is gone, or may have dropped it."""
    home = draft.source.location
    if maker is None:
        return UnmanagedReason.POLICY_GONE, policy_gone(holding)
    if holding.location == home:
        return None
    for terms in world.matcher.possible_terms(maker, last_seen(draft.source, holding)):
        routes, _ = book.routes(terms, home)
        if all(route.location != holding.location for route in routes):
            text = f"policy {maker.name} sends nothing to {holding.location}"
            return UnmanagedReason.TARGET_DROPPED, text
    return None


def _ranks(holdings: Iterable[Holding]) -> dict[str, int]:
    """Return each available point's rank at its location, the newest slot being 0."""
    ranks: dict[str, int] = {}
    slots: dict[Location, list[datetime]] = defaultdict(list)
    for holding in sorted(holdings, key=lambda h: (h.slot, h.arn), reverse=True):
        if holding.marks.role is Role.BRIDGE or not holding.is_available:
            continue
        seen = slots[holding.location]
        if not seen or seen[-1] != holding.slot:
            seen.append(holding.slot)
        ranks[holding.arn] = len(seen) - 1
    return ranks


def _why_an_orphan_stays(
    draft: Draft,
    world: World,
    maker: Policy | None,
    holding: Holding,
    ranks: dict[str, int],
) -> Reason | None:
    if not holding.is_available:
        return not_available(holding)
    since = holding.marks.gone_since
    if maker is None or since is None:
        return because(KeepReason.SOURCE_IS_GONE, "its database is gone; nothing goes at once")
    for terms in world.matcher.possible_terms(maker, last_seen(draft.source, holding)):
        orphans = terms.orphans
        if orphans is None:
            text = f"its database is gone and policy {maker.name} says nothing of orphans"
            return because(KeepReason.SOURCE_IS_GONE, text)
        if since > orphans.keep_for.before(world.now):
            text = f"its database is gone since {short(since)}; keep_for is {orphans.keep_for}"
            return because(KeepReason.SOURCE_IS_GONE, text)
        if ranks.get(holding.arn, orphans.keep_last) < orphans.keep_last:
            text = f"its database is gone; the last {orphans.keep_last} stay at each location"
            return because(KeepReason.SOURCE_IS_GONE, text)
    return None


def last_seen(source: Source, holding: Holding) -> Instance:
    """Return a gone database as its points remember it: its tags are not known any more."""
    return Instance(
        arn=holding.marks.source,
        location=source.location,
        identifier=source.ref.identifier,
        resource_id=holding.marks.resource,
        engine=holding.snapshot.engine,
    )
