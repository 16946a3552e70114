"""Everything that drifted, the worst first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from engine.planning.draft import Draft
from engine.planning.drift.automated import changed_backups, dead_replications
from engine.planning.drift.behind import unmet_demands
from engine.planning.drift.deleted import deleted_points
from engine.planning.drift.keys import unusable_keys
from engine.planning.drift.shares import needless_shares
from engine.planning.drift.strays import sources_by_resource, stray_drift
from engine.planning.drift.tags import contradictions, lost_user_tags
from engine.planning.routes import RouteBook
from engine.planning.survey import World
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Drift

_FAMILIES: tuple[Callable[[Draft, World, RouteBook], Iterator[Drift]], ...] = (
    needless_shares,
    deleted_points,
    unmet_demands,
    contradictions,
    lost_user_tags,
    changed_backups,
    dead_replications,
)
_SEVERITIES = {severity: number for number, severity in enumerate(DriftSeverity)}
_CODES = {code: number for number, code in enumerate(DriftCode)}


def find_drift(
    world: World, drafts: Sequence[Draft], book: RouteBook, *, selected: bool
) -> tuple[Drift, ...]:
    """Return what is not as the engine left it, or not as the documents say.

    Args:
        world: what there is.
        drafts: the sources, each through all stages of planning.
        book: the routes that they were planned with.
        selected: whether `drafts` are only some of the estate's sources, so that objects of
            databases that are not among them are none of their business.
    """
    strays = list(
        stray_drift(world, sources_by_resource(drafts), strangers=not selected)
        if world.strays
        else ()
    )
    told = {one.arn for one in strays}
    found = [one for family in _FAMILIES for draft in drafts for one in family(draft, world, book)]
    found += strays
    found += [one for draft in drafts for one in _conflicts(draft) if one.arn not in told]
    found += unusable_keys(world, drafts, book)
    return in_reading_order(found)


def in_reading_order(found: Iterable[Drift]) -> tuple[Drift, ...]:
    """Return what drifted, each once, the worst first."""
    return tuple(sorted(dict.fromkeys(found), key=_reading_order))


def _conflicts(draft: Draft) -> Iterator[Drift]:
    for one in draft.conflicts:
        yield Drift(
            code=DriftCode.CONFLICT,
            severity=DriftSeverity.ERROR,
            arn=one.arn,
            location=one.location,
            source=one.source,
            slot=one.slot,
            text="it stands under the id of a point of the engine's, which cannot be made there",
            fix="delete or rename it by hand to have the point made",
        )


def _reading_order(one: Drift) -> tuple[int, int, str, str, str, str]:
    slot = one.slot.isoformat() if one.slot is not None else ""
    place = one.location
    return (
        _SEVERITIES[one.severity],
        _CODES[one.code],
        place.account,
        place.region,
        slot,
        one.arn,
    )
