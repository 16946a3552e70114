"""Targets that do not get what they want, for reasons that no plan tells."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.identity.marks import Role
from engine.planning.copying import Demand
from engine.planning.draft import Draft, at
from engine.planning.routes import RouteBook
from engine.planning.steps import short
from engine.planning.survey import World
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Drift

MOST_SLOTS_BEHIND = 2


def unmet_demands(draft: Draft, world: World, book: RouteBook) -> Iterator[Drift]:
    """Yield targets that lack points, where nothing is sent, in flight or waited for."""
    for demand in draft.demands:
        behind = _behind(draft, demand)
        if behind is not None:
            yield behind
            continue
        missing = _unexplained(draft, demand)
        if missing is not None:
            text = f"{demand.route.target} wants {short(missing)}, and nothing sends it"
            fix = "see what `engine plan` says of this target"
            yield _drift(draft, demand, DriftCode.POINT_MISSING, missing, (text, fix))


def _unexplained(draft: Draft, demand: Demand) -> datetime | None:
    """Return the oldest slot that is wanted while nothing happens, None where there is none."""
    place = at(demand.route.location)
    there = [h for h in draft.source.holdings if h.location == demand.route.location]
    if not demand.missing or demand.sent or any(h.is_in_flight for h in there):
        return None
    if any(wait.location == place for wait in draft.waiting):
        return None
    return min(demand.missing)


def _behind(draft: Draft, demand: Demand) -> Drift | None:
    """Return that a target stands still while its source goes on.

    A target that catches up is behind too, but gets something between one slot and the next.
    """
    place = demand.route.location
    there = [h for h in draft.source.holdings if h.location == place and h.marks.role is Role.COPY]
    available = [h.slot for h in there if h.is_available]
    if not available or any(h.is_in_flight for h in there):
        return None
    planned = {p.slot for p in draft.planned if p.marks.role is Role.PRIMARY}
    newest = max(available)
    newer = sorted(slot for slot in demand.missing - planned if slot > newest)
    if len(newer) <= MOST_SLOTS_BEHIND:
        return None
    arrived = max((h.snapshot.created_at for h in there if h.snapshot.created_at), default=newest)
    if arrived >= newer[-1 - MOST_SLOTS_BEHIND]:
        return None
    text = (
        f"{demand.route.target} has nothing newer than {short(newest)} and lacks {len(newer)} "
        f"newer points, the newest {short(newer[-1])}: copies do not get there"
    )
    fix = "see what `engine plan` and `engine runs` say of its copies, its key and its account"
    return _drift(draft, demand, DriftCode.TARGET_BEHIND, newer[0], (text, fix))


def _drift(
    draft: Draft, demand: Demand, code: DriftCode, slot: datetime, words: tuple[str, str]
) -> Drift:
    origins = (h.arn for h in draft.source.holdings if h.slot == slot)
    return Drift(
        code=code,
        severity=DriftSeverity.WARNING,
        arn=next(origins, ""),
        location=at(demand.route.location),
        source=draft.source.ref,
        slot=slot,
        text=words[0],
        fix=words[1],
    )
