"""The promises, tried on random worlds: estates, policies, histories, failures.

Every effect on the model of AWS is watched (`promises`), every plan is checked by the verifier,
and what settles is looked at (`aims`). `--hypothesis-show-statistics` tells in how many runs.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from engine.documents.model import Condition, Documents, Guards, MaxDeletes, Select
from engine.identity.marks import UNSHARED
from engine.inventory.records import Location
from engine.plans.codes import Verdict
from tests.world.aims import check_backed_up, check_settled
from tests.world.applying import Waiting, apply
from tests.world.aws import KilledError
from tests.world.drifting import check_no_drift
from tests.world.running import Engine
from tests.world.strategies import DOCUMENTS, Event, Story, stories, troubled, turns
from tests.world.telling import begin, happen, heal, play
from tests.world.things import LOCAL, REMOTE, SISTER, Stored

SAMPLE = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
SOAK = settings(SAMPLE, max_examples=2000, derandomize=False)
MOST_RUNS = 12

ANYTHING = stories(troubled(*Event))
PEACE = stories(turns(Event.FAIL_OVER))
STILL = stories(turns(Event.FAIL_OVER), length=4)


def promises_hold(story: Story) -> None:
    engine = begin(story)
    for turn in story.turns:
        play(engine, turn)
    runs = engine.settle()
    event(f"settled in {runs} runs")
    assert runs <= MOST_RUNS
    check_settled(engine)
    check_no_drift(engine, {turn.event for turn in story.turns})


@SAMPLE
@given(ANYTHING)
def test_whatever_happens_the_promises_hold_and_it_settles(story: Story) -> None:
    promises_hold(story)


@pytest.mark.slow
@SOAK
@given(ANYTHING)
def test_whatever_happens_the_promises_hold_and_it_settles_at_length(story: Story) -> None:
    promises_hold(story)


def one_run_is_enough(story: Story) -> None:
    """Run to the end once a turn; two more may be needed to send what a target wants in order."""
    engine = begin(story)
    for turn in story.turns:
        engine.world.tick(timedelta(hours=turn.hours))
        happen(engine, turn)
        runs = engine.settle(waiting=Waiting.TO_THE_END)
        event(f"settled in {runs} runs")
        assert runs <= 3
        assert not engine.plan().has_changes
        check_settled(engine)
        check_no_drift(engine, ())


@SAMPLE
@given(PEACE)
def test_in_peace_a_plan_after_an_apply_is_empty(story: Story) -> None:
    one_run_is_enough(story)


@pytest.mark.slow
@SOAK
@given(PEACE)
def test_in_peace_a_plan_after_an_apply_is_empty_at_length(story: Story) -> None:
    one_run_is_enough(story)


State = dict[str, tuple[str, dict[str, str], frozenset[str]]]


def state(engine: Engine) -> State:
    """Everything there is, but for when it was made, and was taken back from somebody."""
    return {
        thing.arn: (
            thing.status,
            {name: value for name, value in thing.tags.items() if name != UNSHARED},
            frozenset(thing.shared),
        )
        for thing in engine.world.things.values()
    }


def ends_the_same(story: Story, after: int) -> None:
    engine = begin(story)
    engine.world.takes = timedelta(0)
    for turn in story.turns:
        engine.world.tick(timedelta(hours=turn.hours))
        happen(engine, turn)
        killed = deepcopy(engine)
        killed.world.dies_after = killed.world.effects + after
        try:
            apply(killed.plan(), killed.world)
        except KilledError:
            event("killed")
        heal(killed)
        killed.settle()
        engine.settle()
        assert state(killed) == state(engine)


def without_reach(documents: Documents) -> Documents:
    """The documents without `within_daily`.

    It keeps the oldest point in reach, whichever that is: a run that died between two deletes may
    leave a point that a run to the end would not.
    """
    policies = {}
    for name, policy in documents.policies.items():
        snapshots = policy.terms.snapshots
        copies = tuple(
            replace(rule, keep=replace(rule.keep, within_daily=None) if rule.keep else None)
            for rule in snapshots.copies
        )
        keep = replace(snapshots.keep, within_daily=None)
        snapshots = replace(snapshots, keep=keep, copies=copies)
        policies[name] = replace(policy, terms=replace(policy.terms, snapshots=snapshots))
    return replace(documents, policies=policies)


ORDERLY = stories(turns(Event.FAIL_OVER), DOCUMENTS.map(without_reach))


@SAMPLE
@given(ORDERLY, st.integers(0, 15))
def test_killed_anywhere_it_ends_the_same(story: Story, after: int) -> None:
    ends_the_same(story, after)


@pytest.mark.slow
@SOAK
@given(ORDERLY, st.integers(0, 15))
def test_killed_anywhere_it_ends_the_same_at_length(story: Story, after: int) -> None:
    ends_the_same(story, after)


def hostile(documents: Documents) -> Documents:
    """The documents with a guard that lets no delete pass, and two policies for everything."""
    guards = Guards(max_deletes=MaxDeletes(count=0, percent=0), min_points=5)
    rival = replace(
        documents.policies["gold"], name="zz-rival", select=Select(Condition(identifiers=("*",)))
    )
    return replace(
        documents,
        estate=replace(documents.estate, guards=guards),
        policies=MappingProxyType({**documents.policies, rival.name: rival}),
    )


BLIND = st.frozensets(st.sampled_from([LOCAL, REMOTE, SISTER]))


def backups_come_first(story: Story, blind: frozenset[Location]) -> None:
    engine = begin(story)
    for turn in story.turns:
        engine.world.tick(timedelta(hours=turn.hours))
        happen(engine, turn)
        engine.world.unreadable = set(blind)
        engine.settle()
        for database in engine.world.databases:
            check_backed_up(engine, database)


HOSTILE = stories(turns(Event.FAIL_OVER, Event.SQUAT), DOCUMENTS.map(hostile))


@SAMPLE
@given(HOSTILE, BLIND)
def test_no_guard_conflict_or_blind_spot_stops_a_backup(
    story: Story, blind: frozenset[Location]
) -> None:
    backups_come_first(story, blind)


@pytest.mark.slow
@SOAK
@given(HOSTILE, BLIND)
def test_no_guard_conflict_or_blind_spot_stops_a_backup_at_length(
    story: Story, blind: frozenset[Location]
) -> None:
    backups_come_first(story, blind)


def forecasts_come_true(story: Story) -> None:
    engine = begin(story)
    for turn in story.turns:
        engine.world.tick(timedelta(hours=turn.hours))
        happen(engine, turn)
        plan = engine.plan()
        done = apply(plan, engine.world).done
        for step in plan.steps:
            if step.forecast is None or step.id not in done:
                continue
            stored = engine.world.things[step.arn].stored
            event(f"{step.action} forecast {step.forecast.verdict}, stored {stored}")
            if step.forecast.verdict is Verdict.FULL:
                assert stored is Stored.FULL, step
            elif step.forecast.verdict is Verdict.INCREMENTAL:
                assert stored is Stored.INCREMENTAL, step


@SAMPLE
@given(STILL)
def test_what_is_forecast_for_certain_comes_true(story: Story) -> None:
    forecasts_come_true(story)


@pytest.mark.slow
@SOAK
@given(STILL)
def test_what_is_forecast_for_certain_comes_true_at_length(story: Story) -> None:
    forecasts_come_true(story)
