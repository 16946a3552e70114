"""What a run may still do while its lock or journal is out of reach, and once they are back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.applying.journal import Journal, Kind
from engine.applying.lock import LockLostError
from engine.applying.outcome import RunOutcome, StepState
from engine.applying.performing import SENT_WITHIN
from engine.applying.s3_journal import AGAIN
from engine.applying.s3_lock import DEFAULT, S3Lock
from engine.applying.state import S3State
from engine.errors import ExitCode
from engine.plans.plan import Step
from tests.applying.stage import FreeLock, Stage, hold, states
from tests.applying.store import FakeStore
from tests.applying.world import (
    VAULT,
    create_step,
    delete_step,
    plan_of,
    primary,
    share_step,
    tag_step,
    unshare_step,
)

OLD, OLDER = primary(1), primary(2)


class Team(Stage):
    """A stage whose state is a team's."""

    def __init__(self) -> None:
        super().__init__()
        self.store = FakeStore(self.clock)
        self.state = S3State(self.store, "engine/acme")
        lock = self.state.acquire("run-1", self.clock, who="me@host", timeout=0)
        assert isinstance(lock, S3Lock)
        self.lock = self.s3_lock = lock
        self.journal: Journal | None = self.state.journal("run-1", self.clock)

    def kinds(self) -> list[tuple[str, str | None]]:
        self.store.down = False
        if self.journal is not None:
            self.clock.seconds += AGAIN
            self.journal.close()
        return [(one.kind.value, one.detail.get("error")) for one in self.state.run("run-1")]


@pytest.fixture
def team(stage: Stage) -> Iterator[Team]:
    team = Team()
    team.cloud.databases.update(stage.cloud.databases)
    hold(team, OLD, OLDER)
    yield team
    team.store.down = False
    team.folder.cleanup()


def everything() -> tuple[Step, ...]:
    return (
        create_step(primary()),
        share_step(OLD, VAULT.account),
        tag_step(OLD, {"engine:gone-since": "2026-11-21T02:10:00Z"}),
        delete_step(OLDER),
        unshare_step(OLD, VAULT.account),
    )


def assert_only_backups_were_made(outcome: RunOutcome, team: Team) -> None:
    *kept, delete, unshare = outcome.results
    assert [one.state for one in kept] == [StepState.DONE] * 3
    for one in (delete, unshare):
        assert (one.state, one.code) == (StepState.FAILED, "state_unreachable")
        assert "the next run does it" in one.text
    assert team.cloud.made("delete") == []
    assert team.cloud.made("unshare") == []
    assert {problem.code for problem in outcome.problems} == {"state_unreachable"}
    assert outcome.exit_code is ExitCode.PARTIAL


def test_with_state_in_reach_everything_is_done(team: Team) -> None:
    outcome = team.run(plan_of(*everything()))
    assert states(outcome) == [StepState.DONE] * 5
    assert outcome.problems == ()
    assert len(team.cloud.made("delete")) == len(team.cloud.made("unshare")) == 1


def test_with_the_store_away_from_the_middle_on_only_backups_are_made(team: Team) -> None:
    team.store.down = True
    team.clock.seconds += DEFAULT.passes + 1
    outcome = team.run(plan_of(*everything()))
    assert_only_backups_were_made(outcome, team)
    kinds = team.kinds()
    assert ("outcome", None) in kinds
    refused = [error for _, error in kinds if error and error.startswith("not called")]
    assert refused == []


def test_with_a_fresh_lease_but_no_journal_nothing_is_deleted(team: Team) -> None:
    team.store.down = True
    outcome = team.run(plan_of(*everything()))
    assert_only_backups_were_made(outcome, team)
    refused = [error for _, error in team.kinds() if error and error.startswith("not called")]
    assert len(refused) == 2


def test_without_a_lock_from_the_start_what_is_done_is_still_written_down(team: Team) -> None:
    team.lock = None
    outcome = team.run(plan_of(*everything()))
    assert_only_backups_were_made(outcome, team)
    told = [kind for kind, _ in team.kinds()]
    assert told.count("intent") == told.count("outcome") >= 3


def test_deletes_go_on_once_the_lock_is_verified_again(team: Team) -> None:
    team.store.down = True
    team.clock.seconds += 3 * DEFAULT.lease

    def come_back(operation: str) -> None:
        if operation == "create":
            team.store.down = False
            team.clock.seconds += AGAIN

    team.cloud.before_call = come_back
    outcome = team.run(plan_of(*everything()), parallelism=1)
    assert states(outcome) == [StepState.DONE] * 5
    assert len(team.cloud.made("delete")) == 1
    assert outcome.exit_code is ExitCode.PARTIAL


def test_deletes_do_not_go_on_when_another_run_has_the_lock_by_then(team: Team) -> None:
    team.store.down = True
    team.clock.seconds += 3 * DEFAULT.lease

    def come_back(operation: str) -> None:
        if operation == "create":
            team.store.down = False
            team.clock.seconds += AGAIN
            team.state.acquire("other", team.clock, who="them@host", timeout=0)

    team.cloud.before_call = come_back
    outcome = team.run(plan_of(*everything()), parallelism=1)
    assert outcome.exit_code is ExitCode.LOCKED
    assert team.cloud.made("delete") == team.cloud.made("unshare") == []
    assert len(team.cloud.made("create")) == 1


def test_a_lock_that_is_lost_while_the_intent_is_written_stops_the_call(stage: Stage) -> None:
    class Fleeting:
        fence = 1
        asked = 0

        def verify(self) -> None:
            self.asked += 1
            if self.asked == 2:
                raise LockLostError("taken over")

        def release(self) -> None:
            return

    stage.lock = Fleeting()
    outcome = stage.run(plan_of(create_step(primary())))
    assert outcome.exit_code is ExitCode.LOCKED
    assert stage.cloud.made("create") == []
    intent, answer, _ = stage.entries()
    assert (intent.kind, answer.kind) == (Kind.INTENT, Kind.OUTCOME)
    assert answer.detail["error"] == "not called: taken over"


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_call_that_was_held_up_after_it_was_let_through_asks_anew(
    stage: Stage, is_lost: bool
) -> None:
    """The process is stopped between the last look at the lock and the request."""

    class Overtaken(FreeLock):
        def verify(self) -> None:
            if is_lost and stage.clock.seconds > SENT_WITHIN:
                raise LockLostError("taken over")

    def freeze() -> None:
        stage.cloud.before_sending = None
        stage.clock.seconds += SENT_WITHIN + 1

    hold(stage, OLD)
    stage.lock, stage.cloud.before_sending = Overtaken(), freeze
    outcome = stage.run(plan_of(delete_step(OLD)))
    assert (OLD.arn in stage.cloud.objects) is is_lost
    assert stage.cloud.made("delete") == ([] if is_lost else [OLD.identifier])
    assert outcome.exit_code is (ExitCode.LOCKED if is_lost else ExitCode.OK)
    told = [one.detail["error"] for one in stage.entries() if one.kind is Kind.OUTCOME]
    assert told[0].startswith("TooLate: ")


def test_what_a_call_took_is_written_down(stage: Stage) -> None:
    def dawdle(operation: str) -> None:
        if operation == "create":
            stage.clock.seconds += 2.5

    stage.cloud.before_call = dawdle
    stage.run(plan_of(create_step(primary())))
    taken = [one.detail["seconds"] for one in stage.entries() if one.kind is Kind.OUTCOME]
    assert taken[0] == 2.5
