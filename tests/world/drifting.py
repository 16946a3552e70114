"""What drift a settled world may show: none but what the events of its story explain."""

from __future__ import annotations

from collections.abc import Iterable

from engine.documents.model import Incremental
from engine.plans.codes import DriftCode, DriftSeverity
from engine.plans.plan import Drift
from tests.world.running import Engine
from tests.world.strategies import Event

# Somebody's snapshot under an id of the engine's, made of the same database, looks as if the
# engine had made it. New rules may want what old ones let go. A policy that requires increments
# may hold copies back for good.
EXPLAINS: dict[Event, frozenset[DriftCode]] = {
    Event.SQUAT: frozenset({DriftCode.CONFLICT, DriftCode.UNTAGGED}),
    Event.CHANGE_TIER: frozenset({DriftCode.POINT_DELETED}),
}


def check_no_drift(engine: Engine, events: Iterable[Event]) -> None:
    """Object to drift that nothing that happened explains."""
    explained = {code for event in events for code in EXPLAINS.get(event, ())}
    policies = engine.documents.policies.values()
    if any(one.terms.snapshots.incremental is Incremental.REQUIRE for one in policies):
        explained.add(DriftCode.TARGET_BEHIND)
    unexplained = [one for one in engine.plan().drift if not _is_explained(one, explained)]
    assert not unexplained, unexplained


def _is_explained(one: Drift, explained: set[DriftCode]) -> bool:
    """What old rules let go is a warning: that somebody deleted it must be certain."""
    certain = one.code is DriftCode.POINT_DELETED and one.severity is DriftSeverity.ERROR
    return one.code in explained and not certain
