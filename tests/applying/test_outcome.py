from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from engine.applying.acknowledging import acknowledge
from engine.applying.outcome import Problem, RunOutcome, StepResult, StepState, Stop
from engine.applying.progress import JsonLines, Lines, outcome_text
from engine.errors import ExitCode
from engine.plans.codes import Guard, Verdict
from engine.plans.plan import Forecast, GuardState, Plan, Warned
from engine.reports.screen import Screen
from tests.applying.world import (
    AWAY,
    HOME,
    FakeClock,
    copy_of,
    copy_step,
    create_step,
    delete_step,
    plan_of,
    primary,
    share_step,
)

CREATE = create_step(primary())
PLAN = plan_of(CREATE)


def keep(stream: io.StringIO) -> Callable[[str], None]:
    def write(text: str) -> None:
        stream.write(text)

    return write


def outcome(
    *states: StepState, stop: Stop | None = None, problems: tuple[Problem, ...] = ()
) -> RunOutcome:
    clock = FakeClock()
    results = tuple(StepResult(CREATE, state, "because") for state in states)
    return RunOutcome("run-1", PLAN, clock.now(), clock.now(), results, stop, problems)


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (outcome(StepState.DONE, StepState.RUNNING, StepState.NEXT_RUN), ExitCode.OK),
        (outcome(StepState.WITHHELD, stop=Stop.TIME_UP), ExitCode.WITHHELD),
        (outcome(StepState.WITHHELD, StepState.FAILED), ExitCode.PARTIAL),
        (outcome(StepState.FAILED, StepState.REFUSED), ExitCode.STALE),
        (outcome(StepState.REFUSED, stop=Stop.LOCK_LOST), ExitCode.LOCKED),
        (outcome(StepState.FAILED, stop=Stop.INTERRUPTED), ExitCode.INTERRUPTED),
        (outcome(problems=(Problem("state_unreachable", "x", "y"),)), ExitCode.PARTIAL),
        (outcome(StepState.REFUSED, problems=(Problem("bug", "x", "y"),)), ExitCode.ERROR),
        (outcome(StepState.CALLING), ExitCode.ERROR),
    ],
)
def test_of_several_the_first_exit_code_in_precedence_wins(run: RunOutcome, code: ExitCode) -> None:
    assert run.exit_code is code


BROKEN = Warned("E302 no-route", "error", "no key for it", "1/eu/orders-1")
UNREAD = replace(PLAN.inventory, complete=False)


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (replace(PLAN, warnings=(BROKEN,)), ExitCode.OBJECTIVE_BROKEN),
        (replace(PLAN, inventory=UNREAD), ExitCode.PARTIAL),
        (replace(PLAN, errored=True), ExitCode.ERROR),
    ],
    ids=["a check", "a place read in part", "an error of the planner"],
)
def test_what_was_wrong_before_the_run_reaches_its_exit_code(plan: Plan, code: ExitCode) -> None:
    assert replace(outcome(StepState.DONE), plan=plan).exit_code is code


def test_what_was_wrong_before_the_run_is_told_at_its_end() -> None:
    run = replace(outcome(StepState.DONE), plan=replace(PLAN, warnings=(BROKEN,)))
    assert "check: 1/eu/orders-1: E302 no-route: no key for it\n" in outcome_text(run, Screen())
    stream = io.StringIO()
    JsonLines(keep(stream), FakeClock()).ended(run)
    told = json.loads(stream.getvalue().splitlines()[-1])
    assert told["troubles"] == [
        {"kind": "check", "text": "E302 no-route: no key for it", "about": ["1/eu/orders-1"]}
    ]


def test_json_lines_begin_with_the_version_and_end_with_the_outcome() -> None:
    stream = io.StringIO()
    observer = JsonLines(keep(stream), FakeClock())
    run = outcome(StepState.FAILED, StepState.RUNNING)
    observer.started("run-1", PLAN)
    observer.changed(run.results[0])
    observer.progressed(CREATE, 40)
    observer.ended(run)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["type"] for line in lines] == ["version", "run", "step", "progress", "outcome"]
    assert lines[0]["format_version"] == "1.0"
    assert lines[2]["state"] == "failed"
    assert lines[2]["text"] == "because"
    assert lines[-1]["exit_code"] == 3
    assert lines[-1]["running"] == 1


def test_json_lines_tell_what_is_forecast_of_what_is_made() -> None:
    stream = io.StringIO()
    observer = JsonLines(keep(stream), FakeClock())
    made = replace(CREATE, forecast=Forecast(Verdict.FULL, "first_in_chain", "none yet", (0, 9)))
    for step in (CREATE, made):
        observer.changed(StepResult(step, StepState.RUNNING))
    _, without, told = (json.loads(line) for line in stream.getvalue().splitlines())
    assert "forecast" not in without
    assert told["forecast"] == {"verdict": "full", "rule": "first_in_chain"}


def test_lines_tell_each_step_with_its_place_and_reason_and_no_control_characters() -> None:
    stream = io.StringIO()
    lines = Lines(keep(stream), FakeClock(), Screen(colour=False, unicode=False))
    lines.changed(StepResult(CREATE, StepState.CALLING))
    lines.changed(replace(outcome(StepState.REFUSED).results[0], text="evil\x1b[2J\nname"))
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert "refused" in text
    assert f"create orders-1 2026-11-21 02:00Z, {HOME}: evil" in text
    assert "\x1b" not in text


def test_lines_are_coloured_only_where_that_shows() -> None:
    stream = io.StringIO()
    Lines(keep(stream), FakeClock(), Screen(colour=True)).changed(
        outcome(StepState.DONE).results[0]
    )
    assert "\x1b[32m" in stream.getvalue()


def test_the_summary_names_what_went_wrong_and_always_how_many_are_running() -> None:
    text = outcome_text(outcome(StepState.DONE, StepState.FAILED, stop=Stop.TIME_UP), Screen())
    assert f"failed: {CREATE.id}: because" in text
    assert "stopped: time up" in text
    assert text.endswith("done: 1, failed: 1, running: 0\n")


def guarded() -> Plan:
    old, older = delete_step(primary(8)), delete_step(primary(9))
    share = share_step(primary(), AWAY.account)
    copy = copy_step(copy_of(primary(), AWAY), share)
    behind = delete_step(copy_of(primary(7), AWAY), copy)
    held = (
        replace(old, withheld_by="max_deletes"),
        replace(older, withheld_by="max_deletes"),
        replace(share, withheld_by="incremental_required"),
        replace(copy, withheld_by="incremental_required"),
        replace(behind, withheld_by=copy.id),
    )
    guards = (
        guard(Guard.MAX_DELETES, "one", "sha256:1", old.id, older.id),
        guard(Guard.MAX_DELETES, "all", "sha256:2", old.id),
        guard(Guard.INCREMENTAL_REQUIRED, "orders-1", "sha256:3", copy.id),
    )
    return replace(plan_of(*held), guards=guards)


def guard(kind: Guard, about: str, digest: str, *withholds: str) -> GuardState:
    return GuardState(kind, about, True, 1, 2, "too many", digest, False, withholds)


def freed(*digests: str) -> list[bool]:
    plan, _ = acknowledge(guarded(), digests)
    return [step.withheld_by is None for step in plan.steps]


def test_acknowledging_frees_only_what_no_other_guard_holds() -> None:
    assert freed("sha256:1") == [False, True, False, False, False]
    assert freed("sha256:1", "sha256:2") == [True, True, False, False, False]


def test_what_depends_on_a_step_that_another_guard_holds_stays_withheld() -> None:
    plan = guarded()
    behind = replace(
        create_step(primary()), depends_on=(plan.steps[0].id,), withheld_by=plan.steps[0].id
    )
    plan, _ = acknowledge(replace(plan, steps=(*plan.steps, behind)), ["sha256:1"])
    assert plan.steps[0].withheld_by == "max_deletes"
    assert plan.steps[-1].withheld_by is not None


def test_with_a_freed_copy_go_the_share_before_it_and_what_waits_behind_it() -> None:
    assert freed("sha256:3") == [False, False, True, True, True]


def test_a_digest_that_no_guard_has_is_told_and_frees_nothing() -> None:
    plan, unknown = acknowledge(guarded(), ["sha256:9"])
    assert unknown == {"sha256:9"}
    assert plan == guarded()
