"""Stage 9: the verifier's word on a finished plan."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.planning import plan as planning
from engine.planning.plan import make_plan
from engine.planning.withholding import Steps
from engine.plans.codes import Guard
from engine.plans.plan import Finding, Plan, Step
from tests.planning.builders import NOW, daily, inventory, step_of, steps
from tests.planning.judging import ORDERS, due


def test_nothing_speaks_against_a_sound_plan() -> None:
    found = make_plan(due(), inventory([ORDERS], daily(ORDERS, [3, 2, 1])), NOW)
    assert found.findings == ()
    assert not found.errored
    assert not [state for state in found.guards if state.guard is Guard.VERIFIER]


@pytest.fixture
def objecting(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan of an engine with a bug: the verifier objects to its first delete, twice."""

    def verify(made: Sequence[Step], *_: object) -> tuple[Finding, ...]:
        victim = next(step for step in made if step.action.value == "delete_snapshot")
        return (Finding(victim.id, 2, "a rule keeps it"), Finding(victim.id, 3, "it is a base"))

    monkeypatch.setattr(planning, "verify", verify)
    return make_plan(due(), inventory([ORDERS], daily(ORDERS, [3, 2, 1])), NOW)


def test_a_delete_that_fails_is_withheld(objecting: Plan) -> None:
    first, *others = steps(objecting, "delete_snapshot")
    assert first.withheld_by == "verifier"
    assert {step.withheld_by for step in others} == {None}


def test_it_is_reported_as_a_bug_of_the_engine(objecting: Plan) -> None:
    assert objecting.errored
    assert [finding.promise for finding in objecting.findings] == [2, 3]
    [state] = [state for state in objecting.guards if state.guard is Guard.VERIFIER]
    assert (state.tripped, state.limit, state.value, state.acknowledge) == (True, 0, 1, None)
    assert "a bug of the engine" in state.text
    assert state.withholds == (objecting.findings[0].step,)


def test_the_rest_is_done(objecting: Plan) -> None:
    assert step_of(objecting, "create_snapshot").withheld_by is None
    assert objecting.has_changes


def test_the_verifier_sees_what_guards_have_withheld() -> None:
    """Nothing may rest on a step that is not done."""
    made = Steps(make_plan(due(), inventory([ORDERS], daily(ORDERS, [3, 2, 1])), NOW).steps)
    create = next(name for name in made.all() if name.startswith("create:"))
    made.withhold([create], Guard.QUOTA)
    waiting = {step.id for step in made.result() if create in step.depends_on}
    assert waiting
    assert {step.withheld_by for step in made.result() if step.id in waiting} == {create}
