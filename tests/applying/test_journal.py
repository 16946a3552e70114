from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.applying.journal import Journal, JournalError, Kind
from engine.applying.local_journal import SqlitePages, read_run, read_runs
from engine.applying.outcome import StepState
from engine.applying.ports import Trouble
from engine.errors import ExitCode
from tests.applying.stage import Stage, states
from tests.applying.world import (
    VAULT,
    Fault,
    create_step,
    delete_step,
    plan_of,
    primary,
    unshare_step,
)


def test_each_call_is_announced_before_it_is_made_and_told_of_after(stage: Stage) -> None:
    seen: list[list[Kind]] = []

    def look(operation: str) -> None:
        if operation in {"create", "tag"}:
            seen.append([entry.kind for entry in stage.entries()])

    stage.cloud.before_call = look
    stage.cloud.fail("create", Fault(Trouble.THROTTLED, "Throttling", "slow down"))
    stage.run(plan_of(create_step(primary())))

    assert seen == [
        [Kind.INTENT],
        [Kind.INTENT, Kind.OUTCOME, Kind.INTENT],
        [Kind.INTENT, Kind.OUTCOME] * 2 + [Kind.INTENT],
    ]
    first, failed, second, accepted, *_ = stage.entries()
    assert first.detail["operation"] == "CreateDBSnapshot"
    assert first.detail["arguments"]["snapshot"] == primary().identifier
    assert first.detail["arguments"]["tags"]["engine:policy"] == "gold"
    assert (first.detail["attempt"], second.detail["attempt"]) == (1, 2)
    assert failed.detail["error"] == "Throttling: slow down"
    assert accepted.detail["error"] is None
    assert stage.entries()[-1].detail["state"] == "done"


def test_a_call_that_was_never_answered_leaves_an_intent_without_outcome(stage: Stage) -> None:
    class KilledError(BaseException):
        """Stands for SIGKILL: nothing runs after it."""

    def kill(operation: str) -> None:
        if operation == "create":
            raise KilledError

    stage.cloud.before_call = kill
    with pytest.raises(KilledError):
        stage.run(plan_of(create_step(primary())))
    assert [entry.kind for entry in stage.entries()] == [Kind.INTENT]


def test_what_is_written_stays(stage: Stage) -> None:
    stage.run(plan_of(create_step(primary())))
    base = sqlite3.connect(stage.path)
    for statement in ("DELETE FROM entries", "UPDATE entries SET step = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            base.execute(statement)
    base.close()


def test_runs_are_listed_with_their_start_and_end(stage: Stage) -> None:
    for name in ("run-2", "run-3"):
        journal = Journal(SqlitePages(stage.path), name, stage.clock)
        journal.run_started({"plan": "sha256:d"})
        journal.step("create:x", "done", "")
        if name == "run-2":
            journal.run_ended({"exit_code": 0})
        journal.close()
    kinds = [(entry.run, entry.kind) for entry in read_runs(stage.path, 10)]
    assert kinds == [
        ("run-2", Kind.RUN_STARTED),
        ("run-2", Kind.RUN_ENDED),
        ("run-3", Kind.RUN_STARTED),
    ]
    assert [entry.run for entry in read_runs(stage.path, 1)] == ["run-3"]
    assert len(read_run(stage.path, "run-2")) == 3
    assert read_run(stage.path, "run-2")[0].detail["who"]["pid"]


def test_a_journal_that_is_missing_or_no_database_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal yet"):
        read_runs(tmp_path / "journal.sqlite", 1)
    broken = tmp_path / "broken.sqlite"
    broken.write_text("this is no database, and it is long enough to see that" * 10)
    with pytest.raises(JournalError, match="cannot be used"):
        read_runs(broken, 1)


@pytest.mark.parametrize("lost", ["journal", "lock"])
def test_without_journal_or_lock_backups_are_made_but_nothing_is_taken_away(
    stage: Stage, lost: str
) -> None:
    old = primary(1)
    stage.cloud.objects[old.arn] = old.record(zone_checked=True, shared=frozenset({"2" * 12}))
    setattr(stage, lost, None)
    outcome = stage.run(
        plan_of(
            create_step(primary()),
            delete_step(old),
            unshare_step(old, VAULT.account),
        )
    )
    assert states(outcome) == [StepState.DONE, StepState.FAILED, StepState.FAILED]
    assert old.arn in stage.cloud.objects
    assert stage.cloud.made("unshare") == []
    assert [problem.code for problem in outcome.problems] == ["state_unreachable"]
    assert outcome.exit_code is ExitCode.PARTIAL


def test_a_journal_that_breaks_on_the_way_counts_as_unreachable(stage: Stage) -> None:
    old = primary(1)
    stage.cloud.objects[old.arn] = old.record(zone_checked=True)
    assert stage.journal is not None
    stage.journal.close()
    outcome = stage.run(plan_of(create_step(primary()), delete_step(old)))
    assert states(outcome) == [StepState.DONE, StepState.FAILED]
    assert outcome.exit_code is ExitCode.PARTIAL
    assert stage.cloud.made("delete") == []
