"""What is seen of objects under way: how long they take, and how far they are when.

All of it comes from the listings that are made anyway; nothing is asked of AWS for its sake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.plans.costs import StepCost
from engine.plans.plan import Plan, Step


@dataclass(slots=True)
class _Seen:
    """One object: `began` when AWS took the call, None where another run made it."""

    began: float | None
    under_way_until: float | None = None
    arrived_at: float | None = None
    progress: list[tuple[float, int]] = field(default_factory=list)
    full_bytes: int | None = None


class Observations:
    """Collects what is seen, by step; times are those of one steady clock, in seconds."""

    def __init__(self, plan: Plan) -> None:
        self._seen: dict[str, _Seen] = {}
        steps = plan.costs.steps if plan.costs else ()
        self._foreseen: dict[str, StepCost] = {cost.step: cost for cost in steps}

    def began(self, step: Step, now: float, *, made_here: bool) -> None:
        """Note that AWS is at it, since now if the call was made here."""
        self._seen.setdefault(step.id, _Seen(now if made_here else None))

    def under_way(self, step: Step, at: float, percent: int | None) -> None:
        """Note that it was still under way when a listing began, and how far."""
        seen = self._seen.get(step.id)
        if seen is None:
            return
        seen.under_way_until = at
        known = seen.progress[-1][1] if seen.progress else None
        if seen.began is not None and percent is not None and percent != known:
            seen.progress.append((round(at - seen.began, 1), percent))

    def arrived(self, step: Step, at: float, full_bytes: int | None) -> None:
        """Note that it is available by now, and what AWS tells of its size in full."""
        seen = self._seen.get(step.id)
        if seen is not None:
            seen.arrived_at, seen.full_bytes = at, full_bytes

    def detail(self, step: Step) -> Mapping[str, Any]:
        """Return what the journal keeps of a step: what was foreseen of it and what was seen."""
        if step.forecast is None:
            return {}
        words: dict[str, Any] = {
            "resource": step.source.resource_id,
            "at": f"{step.location.account}/{step.location.region}",
            "forecast": self._forecast(step),
        }
        seen = self._seen.get(step.id)
        return words if seen is None else words | {"seen": _told(seen)}

    def _forecast(self, step: Step) -> dict[str, Any]:
        assert step.forecast is not None
        words: dict[str, Any] = {
            "verdict": step.forecast.verdict.value,
            "rule": step.forecast.rule,
        }
        foreseen = self._foreseen.get(step.id)
        if foreseen is not None:
            words |= {"gib": foreseen.gib, "seconds": foreseen.seconds, "work": foreseen.work}
        return words


def _told(seen: _Seen) -> dict[str, Any]:
    """Return what was seen; `seconds` are the least and the most that it took.

    The most is None while it has not arrived, and both are where another run made it.
    """
    words: dict[str, Any] = {"seconds": list(_lasted(seen))}
    if seen.progress:
        words["progress"] = [list(point) for point in seen.progress]
    if seen.full_bytes is not None:
        words["full_bytes"] = seen.full_bytes
    return words


def _lasted(seen: _Seen) -> tuple[float | None, float | None]:
    if seen.began is None:
        return None, None
    until = seen.began if seen.under_way_until is None else seen.under_way_until
    least = round(max(0.0, until - seen.began), 1)
    return least, None if seen.arrived_at is None else round(seen.arrived_at - seen.began, 1)
