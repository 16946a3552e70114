from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.applying.calls import Delete
from engine.applying.clock import SystemClock
from engine.applying.local_lock import acquire, lock_path, read_lease
from engine.applying.state import LocalState
from engine.cli.main import main
from engine.documents.load import load_or_raise
from engine.plans.digest import plan_digest
from engine.plans.json_form import dumps
from engine.plans.plan import InventoryRead, Plan
from tests.applying.world import HOME, create_step, plan_of, primary

DOCUMENTS = """\
version: 1
kind: estate
name: acme
accounts:
  prod: {id: "111111111111", regions: [eu-west-1]}
---
version: 1
kind: policy
name: gold
select: {identifiers: ["*"]}
snapshots:
  schedule: {every: 1d}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.yaml").write_text(DOCUMENTS)
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def saved(repository: Path, change: Callable[[Plan], Plan]) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    steps = (create_step(primary()),)
    plan = replace(
        plan_of(*steps),
        as_of=now,
        expires_at=now + timedelta(hours=1),
        policies_digest=load_or_raise([repository / "policies"]).digest,
        digest=plan_digest(steps),
    )
    path = repository / "plan.json"
    path.write_bytes(dumps(change(plan)))
    return str(path)


def recorded(plan: Plan) -> Plan:
    inventory = InventoryRead(True, True, plan.as_of, plan.inventory.scopes)
    return replace(plan, inventory=inventory)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda plan: replace(plan, policies_digest="sha256:other"), "documents have changed"),
        (lambda plan: replace(plan, expires_at=plan.as_of), "expired"),
        (lambda plan: replace(plan, estate="other"), "estate other"),
        (recorded, "recorded inventory"),
    ],
)
def test_a_saved_plan_that_no_longer_fits_is_stale(
    repository: Path,
    change: Callable[[Plan], Plan],
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["apply", saved(repository, change)]) == 5
    told = capsys.readouterr().err
    assert words in told
    assert "to do:" in told
    assert not (repository / ".engine").exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["-json"], "cannot ask"),
        (["-at", "2026-11-21T02:10:00Z"], "-at is only for the lab"),
        (["-auto-approve"], "-local-lock"),
        (["-parallelism", "0"], "-parallelism 0"),
        (["-parallelism", "many"], "-parallelism many"),
        (["-poll-interval", "0s"], "-poll-interval 0s"),
        (["-max-duration", "soon"], "-max-duration soon"),
        (["-lock-timeout", "1mo"], "-lock-timeout 1mo"),
    ],
)
def test_flags_that_make_no_sense_are_wrong_usage(
    repository: Path, flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply", *flags]) == 64
    assert words in capsys.readouterr().err


def test_wait_and_no_wait_exclude_one_another(repository: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["apply", "-wait", "-no-wait"])
    assert caught.value.code == 64


def test_a_lock_that_is_held_is_exit_code_11(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lock_path(repository, "acme")
    lock = acquire(path, "run-7", SystemClock(), who="ana@desk", timeout=0)
    try:
        assert main(["apply", saved(repository, lambda plan: plan)]) == 11
        assert "ana@desk" in capsys.readouterr().err
        assert main(["lock", "status"]) == 0
        assert "held by ana@desk (run run-7)" in capsys.readouterr().out
        assert main(["lock", "release"]) == 11
        assert main(["lock", "release", "-force"]) == 0
        assert main(["lock", "status"]) == 0
        assert capsys.readouterr().out.endswith("free\n")
    finally:
        lock.release()
    lease = read_lease(path)
    assert lease is not None
    assert lease.run is None


def test_runs_are_listed_newest_first_and_told_in_full(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs"]) == 1
    assert "no journal yet" in capsys.readouterr().err
    for name in ("run-1", "run-2"):
        journal = LocalState(repository, "acme").journal(name, SystemClock())
        origin = {"commit": "0123456789abcdef", "changed": name == "run-2"}
        journal.run_started({"plan": "sha256:0a0b0c0d0e0f0a0b", "estate": "acme", **origin})
        if name == "run-1":
            call = Delete("orders-1")
            journal.intent("delete:x", HOME, call, 2)
            journal.outcome("delete:x", call, 2, error="DBSnapshotNotFound: no")
            journal.step("create:x", "failed", "no room")
            problem = {"code": "state_unreachable", "where": "s3://b", "text": "it was away"}
            journal.run_ended(
                {"exit_code": 3, "seconds": 65.2, "counts": {"failed": 1}, "problems": [problem]}
            )
        journal.close()
    assert main(["runs"]) == 0
    newest, oldest = capsys.readouterr().out.splitlines()
    assert newest.startswith("run-2")
    assert "did not end" in newest
    assert "plan 0a0b0c0d0e0f  commit 0123456789ab with changes  " in newest
    assert oldest.endswith("commit 0123456789ab  1m05s  exit 3  failed: 1")
    assert main(["runs", "run-1"]) == 0
    story = capsys.readouterr().out
    assert "plan sha256:0a0b0c0d0e0f0a0b of commit 0123456789abcdef by " in story
    assert "DeleteDBSnapshot for delete:x, attempt 2" in story
    assert "0.0s  DeleteDBSnapshot for delete:x: DBSnapshotNotFound: no" in story
    assert "create:x failed: no room" in story
    assert story.endswith("problem: s3://b: it was away\n")
    assert main(["runs", "run-1", "-json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [line["kind"] for line in lines]
    assert kinds == ["run_started", "intent", "outcome", "step", "run_ended"]
    assert lines[0]["detail"]["commit"] == "0123456789abcdef"
    assert main(["runs", "run-9"]) == 1
    assert main(["runs", "-limit", "0"]) == 64
