"""Owned objects that others may read though no route needs it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from enum import StrEnum

from engine.documents.model import Documents
from engine.identity.marks import Role
from engine.inventory.records import Inventory, Location
from engine.planning.draft import Draft, at
from engine.planning.matching import account_names
from engine.planning.policy_shares import account_ids, share_places
from engine.planning.routes import RouteBook
from engine.planning.selecting import selected
from engine.planning.steps import step_id
from engine.planning.survey import Holding, Source, World, kinds_of, survey
from engine.plans.codes import Action, DriftCode, DriftSeverity
from engine.plans.drift import SharesRead
from engine.plans.plan import Drift, PlanOptions

PUBLIC = "all"
_FIX = "take it back: aws rds modify-db-snapshot-attribute --attribute-name restore"


class Depth(StrEnum):
    """Of which snapshots to ask AWS with whom they are shared: a call for each."""

    NONE = "none"
    NEWEST = "newest"
    ALL = "all"


def snapshots_to_ask_about(
    documents: Documents, inventory: Inventory, now: datetime, options: PlanOptions, depth: Depth
) -> tuple[str, ...]:
    """Return the ARNs of the owned snapshots whose shares are to be read.

    `newest` are the newest point of each source at each location, where somebody who copies data
    out would look first, and whatever says that it is shared.
    """
    if depth is Depth.NONE:
        return ()
    asked: set[str] = set()
    for source in _selected(documents, inventory, now, options):
        newest: dict[Location, Holding] = {}
        for holding in source.holdings:
            if not holding.is_available:
                continue
            if depth is Depth.ALL or holding.marks.shared | holding.marks.shared_by_policy:
                asked.add(holding.arn)
            if holding.marks.role is not Role.BRIDGE:
                newest[holding.location] = holding
        asked.update(holding.arn for holding in newest.values())
    return tuple(sorted(asked))


def shares_read(
    documents: Documents,
    inventory: Inventory,
    now: datetime,
    options: PlanOptions,
    asked: Collection[str],
) -> SharesRead:
    """Return of how many owned snapshots the inventory knows the shares, and of how many not."""
    sources = _selected(documents, inventory, now, options)
    holdings = [h for s in sources for h in s.holdings if h.is_available]
    known = {h.arn for h in holdings if h.snapshot.shared_with is not None}
    return SharesRead(len(holdings), len(known), len(set(asked) - known))


def _selected(
    documents: Documents, inventory: Inventory, now: datetime, options: PlanOptions
) -> Iterator[Source]:
    """Yield the sources that the options leave, of all kinds that are or were protected."""
    for kind in kinds_of(documents, inventory):
        world, sources = survey(documents, inventory, now, kind)
        yield from selected(sources, world, options)


def needless_shares(draft: Draft, world: World, book: RouteBook) -> Iterator[Drift]:
    """Yield owned objects that are public, or shared though neither route nor policy says so.

    `engine:shared` is set before the engine shares an object and removed after it took it back.
    """
    for holding in draft.source.holdings:
        asked = holding.snapshot.shared_with or frozenset()
        readers = asked | world.shared_with.get(holding.arn, frozenset())
        if readers:
            told = readers - _by_policy(draft, world, book, holding)
            yield from _judge(draft, world, holding, told)


def _by_policy(draft: Draft, world: World, book: RouteBook, holding: Holding) -> frozenset[str]:
    """Return the accounts that the engine let read an object because the policy says so.

    Those that it no longer says so of count as long as the plan takes the object back from them.
    """
    said = [
        account_ids(rule, world.estate)
        for rule, place in share_places(draft.source, book)
        if place == holding.location
    ]
    leaving = {
        account
        for account in holding.marks.shared_by_policy
        if step_id(Action.UNSHARE, holding.location, holding.identifier, account) in draft.steps
    }
    return holding.marks.shared_by_policy & leaving.union(*said)


def _judge(
    draft: Draft, world: World, holding: Holding, readers: frozenset[str]
) -> Iterator[Drift]:
    names = account_names(world.estate)
    if PUBLIC in readers:
        text = "it is public: every AWS account may restore the database from it"
        code, severity = DriftCode.PUBLIC, DriftSeverity.ERROR
        yield _drift(draft, holding, code, severity, (text, [PUBLIC]))
    outside = sorted(readers - set(names) - {PUBLIC})
    if outside:
        text = f"it is shared with {', '.join(outside)}, outside the estate"
        code, severity = DriftCode.SHARED_OUTSIDE, DriftSeverity.ERROR
        yield _drift(draft, holding, code, severity, (text, outside))
    inside = sorted(readers & set(names) - holding.marks.shared - {holding.location.account})
    if inside:
        text = f"it is shared with {', '.join(names[one] for one in inside)}, and not by the engine"
        code, severity = DriftCode.SHARED_INSIDE, DriftSeverity.WARNING
        yield _drift(draft, holding, code, severity, (text, inside))


def _drift(
    draft: Draft,
    holding: Holding,
    code: DriftCode,
    severity: DriftSeverity,
    found: tuple[str, list[str]],
) -> Drift:
    return Drift(
        code=code,
        severity=severity,
        arn=holding.arn,
        location=at(holding.location),
        source=draft.source.ref,
        slot=holding.slot,
        text=found[0],
        fix=f"{_FIX} --values-to-remove {' '.join(found[1])}",
        expected=", ".join(sorted(holding.marks.shared)) or None,
        found=", ".join(found[1]),
    )
