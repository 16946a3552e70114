"""What a run says of the steps it leaves undone, and of what the next one will do about them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.applying.alike import UNDONE, unfinished
from engine.applying.needs import KEY_UNUSABLE, ROLE_UNUSABLE
from engine.applying.next_runs import next_run
from engine.applying.outcome import BUG, RunOutcome, StepResult, StepState, Stop
from engine.applying.ports import Trouble
from engine.applying.preconditions import CONFLICT
from engine.applying.progress import FEW, JsonLines, Lines, outcome_text, outcome_words, step_words
from engine.applying.retries import LOCATION_DOWN, Treatment, treatment
from engine.plans.codes import Action, Check
from engine.plans.plan import Step
from engine.reports.screen import Screen
from tests.applying.stage import Stage
from tests.applying.world import (
    AWAY,
    HOME,
    FakeClock,
    Fault,
    copy_of,
    copy_step,
    create_step,
    delete_step,
    plan_of,
    primary,
)

S = StepState
A = Action


@pytest.mark.parametrize(
    ("state", "code", "action", "words"),
    [
        (S.RUNNING, None, A.CREATE, "looks whether it is available"),
        (S.RUNNING, None, A.DELETE, "looks whether the object is gone"),
        (S.NEXT_RUN, None, A.COPY, "plans it again and goes on"),
        (S.NOT_STARTED, "lock_lost", A.COPY, "plans it again"),
        (S.SKIPPED, None, A.COPY, "together with what it depends on"),
        (S.WITHHELD, None, A.DELETE, "withholds it again until its guard is acknowledged"),
        (S.REFUSED, CONFLICT, A.CREATE, "needs somebody: the object under that id is not"),
        (S.REFUSED, Check.ZONES, A.CREATE, "with the availability zones of then"),
        (S.REFUSED, Check.INSTANCE, A.CREATE, "if the database is still there"),
        (S.REFUSED, Check.UNPINNED, A.DELETE, "as long as it is pinned"),
        (S.REFUSED, Check.OWNED, A.DELETE, "leaves the object alone"),
        (S.REFUSED, Check.ORIGIN_OF_NOTHING_IN_FLIGHT, A.DELETE, "once the copy is done"),
        (S.REFUSED, Check.NO_COPY_IN_FLIGHT_TO, A.UNSHARE, "once the copy is done"),
        (S.REFUSED, Check.CHAIN, A.DELETE, "from what is there then"),
        (S.REFUSED, Trouble.WRONG_STATE, A.CREATE, "once its state allows it"),
        (S.REFUSED, Trouble.NOT_FOUND, A.COPY, "if what it needs is there"),
        (S.REFUSED, Trouble.ALREADY_EXISTS, A.COPY, "looks first whether what stands there"),
        (S.FAILED, Trouble.NO_REPLY, A.CREATE, "looks first whether it was made, and makes it"),
        (S.FAILED, Trouble.SERVER_FAULT, A.COPY, "looks first whether it was made, and makes it"),
        (S.FAILED, Trouble.NO_REPLY, A.SHARE, "looks first whether it took effect"),
        (S.FAILED, Trouble.THROTTLED, A.CREATE, "plans it again"),
        (S.FAILED, Trouble.CREDENTIALS_EXPIRED, A.CREATE, "needs somebody: credentials that last"),
        (S.FAILED, Trouble.QUOTA, A.CREATE, "needs somebody: room"),
        (S.FAILED, Trouble.SHARED_QUOTA, A.SHARE, "needs somebody: fewer accounts"),
        (S.FAILED, Trouble.KEY, A.COPY, "needs somebody: a key"),
        (S.FAILED, Trouble.DENIED, A.COPY, "needs somebody: a policy"),
        (S.FAILED, Trouble.INVALID, A.COPY, "needs somebody: AWS takes the call for wrong"),
        (S.FAILED, Trouble.OTHER, A.COPY, "needs somebody: the error is not a known one"),
        (S.FAILED, KEY_UNUSABLE, A.COPY, "needs somebody: a key that can be used"),
        (S.FAILED, ROLE_UNUSABLE, A.CREATE, "needs somebody: a role that can be used"),
        (S.FAILED, LOCATION_DOWN, A.COPY, "plans it again once the location answers"),
        (S.FAILED, "location_unreadable", A.COPY, "looks what came of it"),
        (S.FAILED, "object_lost", A.COPY, "removes what is left of it, and makes it again"),
        (S.FAILED, "object_lost", A.DELETE, "plans it again"),
        (S.FAILED, BUG, A.COPY, "needs somebody: report the bug"),
        (S.FAILED, "engine_error", A.DELETE, "needs somebody: see the error"),
        (S.FAILED, "a_code_of_tomorrow", A.DELETE, "needs somebody: see the error"),
    ],
)
def test_what_the_next_run_does_follows_from_state_code_and_action(
    state: StepState, code: str | None, action: Action, words: str
) -> None:
    told = next_run(state, code, action)
    assert told is not None
    assert words in told


def test_of_every_state_that_leaves_something_undone_something_is_said() -> None:
    said = {state for state in StepState if next_run(state, None, Action.CREATE)}
    assert said == set(UNDONE)


def test_what_somebody_has_to_mend_is_told_so_and_what_passes_is_not() -> None:
    for trouble in Trouble:
        told = next_run(StepState.FAILED, trouble, Action.SHARE) or ""
        gives_up = treatment(trouble) is Treatment.GIVE_UP
        if gives_up:
            assert told.startswith("needs somebody")
        elif treatment(trouble) is Treatment.RETRY and trouble is not Trouble.CREDENTIALS_EXPIRED:
            assert "needs somebody" not in told


def words(outcome: RunOutcome) -> Any:
    """The outcome as a program reads it."""
    return json.loads(json.dumps(outcome_words(outcome)))


def ended(*results: StepResult, stop: Stop | None = None) -> RunOutcome:
    now = FakeClock().now()
    plan = plan_of(*(result.step for result in results))
    return RunOutcome("run-1", plan, now, now + timedelta(minutes=1), results, stop)


def thousand(code: str | None = None) -> list[StepResult]:
    """A thousand creates that failed alike, and as many copies that depend on them."""
    results = []
    for number in range(1000):
        create = create_step(primary(number))
        copy = copy_step(copy_of(primary(number), AWAY), create)
        results.append(StepResult(create, S.FAILED, f"{create.arn}: down", code))
        text = f"depends on {create.id}: failed"
        results.append(StepResult(copy, S.SKIPPED, text, because=create.id))
    return results


def test_a_thousand_alike_steps_are_one_in_text_and_have_all_their_ids_in_json() -> None:
    outcome = ended(*thousand(LOCATION_DOWN))
    text = outcome_text(outcome, Screen())
    first = outcome.results[0].step
    assert f"failed: create, 1000 of them, such as {first.id}: {first.arn}: down" in text
    assert "skipped: copy, 1000 of them, such as" in text
    assert text.count("next run: ") == 2
    assert len(text.splitlines()) < 8
    failed, skipped = words(outcome)["unfinished"]
    assert (failed["code"], len(failed["ids"])) == (LOCATION_DOWN, 1000)
    assert failed["next_run"] == "plans it again once the location answers"
    assert (skipped["state"], len(set(skipped["ids"]))) == ("skipped", 1000)


def test_few_alike_steps_have_a_line_each_and_share_what_is_to_be_done() -> None:
    steps = [create_step(primary(number)) for number in range(FEW)]
    results = [StepResult(one, S.FAILED, "no room", Trouble.QUOTA, "raise it") for one in steps]
    text = outcome_text(ended(*results), Screen())
    assert [f"failed: {step.id}: no room" in text for step in steps] == [True] * FEW
    assert text.count("to do: raise it") == 1
    assert text.count("next run: needs somebody: room") == 1


def test_steps_that_differ_in_code_action_or_unexplained_words_are_not_alike() -> None:
    one, two = create_step(primary()), create_step(primary(1))
    copy = copy_step(copy_of(primary(2)))
    cases: list[tuple[list[tuple[Step, str | None, str]], int]] = [
        ([(one, "quota", "a"), (two, "quota", "b")], 1),
        ([(one, "quota", "a"), (two, "key", "a")], 2),
        ([(one, "quota", "a"), (copy, "quota", "a")], 2),
        ([(one, BUG, "a"), (two, BUG, "b")], 2),
        ([(one, None, "a"), (two, None, "b")], 2),
        ([(one, None, "a"), (two, None, "a")], 1),
    ]
    for results, number in cases:
        found = [StepResult(step, S.FAILED, text, code) for step, code, text in results]
        assert len(unfinished(ended(*found))) == number


def test_the_worst_comes_first_and_what_is_done_is_not_told() -> None:
    steps = [create_step(primary(number)) for number in range(8)]
    order = (S.RUNNING, S.NEXT_RUN, S.DONE, S.SKIPPED, S.WITHHELD, S.REFUSED, S.FAILED)
    results = [StepResult(step, state) for step, state in zip(steps, order, strict=False)]
    told = [alike.first.state for alike in unfinished(ended(*results))]
    assert told == [state for state in UNDONE if state in order]


def test_what_runs_on_is_one_line_per_kind_however_few() -> None:
    steps = [create_step(primary(number)) for number in range(2)]
    text = outcome_text(ended(*(StepResult(step, S.RUNNING) for step in steps)), Screen())
    assert text.splitlines()[:2] == [
        "running: create, 2 of them",
        "  next run: looks whether it is available, and goes on from there",
    ]


def test_json_says_of_each_step_what_the_next_run_does() -> None:
    step = delete_step(primary())
    words = step_words(StepResult(step, S.FAILED, "x", Trouble.NO_REPLY))
    assert words["next_run"] == "looks first whether it took effect, and does it if not"
    for state in (S.DONE, S.CALLING, S.RUNNING):
        assert "next_run" not in step_words(StepResult(step, state))


def test_the_log_of_a_run_names_a_few_steps_that_were_not_tried_and_json_names_all() -> None:
    lines, objects = io.StringIO(), io.StringIO()
    screen = Screen(colour=False)
    people = Lines(lambda text: _put(lines, text), FakeClock(), screen)
    programs = JsonLines(lambda text: _put(objects, text), FakeClock())
    for result in thousand(LOCATION_DOWN):
        people.changed(result)
        programs.changed(result)
    assert len(lines.getvalue().splitlines()) == 2 * (FEW + 1)
    assert "further steps skipped: see the end" in lines.getvalue()
    assert len(objects.getvalue().splitlines()) == 2001


def test_the_log_of_a_run_names_every_step_that_was_tried_and_failed() -> None:
    lines = io.StringIO()
    people = Lines(lambda text: _put(lines, text), FakeClock(), Screen())
    for result in thousand(Trouble.QUOTA)[::2]:
        people.changed(result)
    assert len(lines.getvalue().splitlines()) == 1000


def test_a_run_with_a_dead_region_says_so_shortly(stage: Stage) -> None:
    points = [primary(number) for number in range(100)]
    steps: list[Step] = [create_step(point) for point in points]
    steps += [copy_step(copy_of(p, AWAY), s) for p, s in zip(points, steps, strict=True)]
    stage.cloud.dark[HOME] = Fault(Trouble.NO_REPLY, "NoReply", "timed out")
    text = outcome_text(stage.run(plan_of(*steps)), Screen())
    assert len(text.splitlines()) < 20
    assert "has not answered for 2 minutes" in text
    assert "next run: plans it again once the location answers" in text
    assert "next run: plans it again together with what it depends on" in text
    assert text.endswith("failed: 100, skipped: 100, running: 0\n")


def test_steps_alike_but_for_their_advice_keep_it() -> None:
    one, two = create_step(primary()), create_step(primary(1))
    first = StepResult(one, S.FAILED, "no", "quota", "do this")
    text = outcome_text(ended(first, replace(first, step=two, fix="do that")), Screen())
    assert "do this" in text
    assert "do that" in text


def _put(stream: io.StringIO, text: str) -> None:
    stream.write(text)
