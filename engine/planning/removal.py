"""What no rule keeps, before protections have their say."""

from __future__ import annotations

from dataclasses import dataclass

from engine.inventory.records import SnapshotState
from engine.planning.survey import Holding
from engine.plans.codes import KeepReason, StepReason
from engine.plans.plan import Reason

NOTHING: frozenset[KeepReason] = frozenset()
# What guards a source's place in the estate, not the object itself: not for what is no point.
POINT_PROTECTIONS = frozenset(
    {KeepReason.NEWEST_AT_LOCATION, KeepReason.MIN_POINTS, KeepReason.NOT_COPIED_YET}
)
FUTURE_PROTECTIONS = POINT_PROTECTIONS | {KeepReason.CHAIN_BASE}


@dataclass(frozen=True, slots=True)
class Removal:
    """An object that no rule keeps. Protections may still keep it, but for the exempt ones.

    `after` are the steps that make what displaces it.
    """

    holding: Holding
    reason: Reason
    after: tuple[str, ...] = ()
    exempt: frozenset[KeepReason] = NOTHING


def because(code: KeepReason, text: str, until: str | None = None) -> Reason:
    """Return why an object stays."""
    return Reason(code.value, text, until)


def not_available(holding: Holding) -> Reason:
    """Return why an object that is not available stays."""
    if holding.state is SnapshotState.UNKNOWN:
        text = f"its status is {holding.snapshot.status}"
        return because(KeepReason.UNKNOWN_STATUS, text, "it is available")
    return because(KeepReason.IN_FLIGHT, f"it is {holding.snapshot.status}", "it is available")


def failed_removal(holding: Holding) -> Removal:
    """Return the removal of an object that failed: it is no point and in the way of one."""
    text = "it failed, so it is no point"
    return Removal(holding, Reason(StepReason.FAILED_OBJECT.value, text), exempt=FUTURE_PROTECTIONS)
