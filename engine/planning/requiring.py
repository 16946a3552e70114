"""What `incremental: require` holds back: copies in full that no database needs at once."""

from __future__ import annotations

from datetime import datetime

from engine.inventory.records import Location
from engine.planning.draft import Draft, Planned
from engine.planning.forecasting import plan_forecasts
from engine.planning.one_off import is_one_off
from engine.planning.survey import Source
from engine.plans.codes import Verdict


def is_first_there(source: Source, planned: Planned) -> bool:
    """Say whether the database has no point yet at the location of a copy.

    One-off points there are made besides the regular ones, so they spoil no regular first.
    """
    return not any(
        h.is_point
        and h.location == planned.location
        and h.marks.resource == planned.marks.resource
        and (is_one_off(planned.marks) or not is_one_off(h.marks))
        for h in source.holdings
    )


def breaks_rpo(source: Source, location: Location, now: datetime) -> bool:
    """Say whether the newest point at a location is older than the policy's RPO."""
    rpo = source.terms.objectives.rpo if source.terms else None
    if rpo is None:
        return False
    slots = [
        h.slot for h in source.holdings if h.is_point and h.is_available and h.location == location
    ]
    return not slots or now - max(slots) > rpo


def would_hold_back(draft: Draft, step: str, now: datetime) -> bool:
    """Say whether a copy of a draft, planned last, is one that increments are required of."""
    plan_forecasts(draft)
    planned = next(p for p in draft.planned if p.step == step)
    forecast = draft.steps[step].forecast
    assert forecast is not None
    return (
        forecast.verdict is Verdict.FULL
        and not is_first_there(draft.source, planned)
        and not breaks_rpo(draft.source, planned.location, now)
    )
