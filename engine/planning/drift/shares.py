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
from engine.planning.routes import RouteBook
from engine.planning.selecting import selected
from engine.planning.survey import Holding, World, survey
from engine.plans.codes import DriftCode, DriftSeverity
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
    world, sources = survey(documents, inventory, now)
    asked: set[str] = set()
    for source in selected(sources, world, options):
        newest: dict[Location, Holding] = {}
        for holding in source.holdings:
            if not holding.is_available:
                continue
            if depth is Depth.ALL or holding.marks.shared:
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
    world, sources = survey(documents, inventory, now)
    holdings = [h for s in selected(sources, world, options) for h in s.holdings if h.is_available]
    known = {h.arn for h in holdings if h.snapshot.shared_with is not None}
    return SharesRead(len(holdings), len(known), len(set(asked) - known))


def needless_shares(draft: Draft, world: World, book: RouteBook) -> Iterator[Drift]:
    """Yield owned objects that are public, or shared with accounts that no route shares them with.

    `engine:shared` is set before the engine shares an object and removed after it took it back.
    """
    for holding in draft.source.holdings:
        told = holding.snapshot.shared_with or frozenset()
        readers = told | world.shared_with.get(holding.arn, frozenset())
        if readers:
            yield from _judge(draft, world, holding, readers)


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
