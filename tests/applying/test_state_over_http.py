"""State in S3, and two applies at once: the installed command against the lab over HTTP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.lab.estates import IRELAND, PROD, VAULT, small
from tests.applying.test_over_http import DOCUMENTS, FIRST_NIGHT, World
from tests.forking.labs import ForkedLab

BUCKET = "acme-backup-engine"
LOCK = "state/acme/lock.json"
JOURNAL = "state/acme/journal/"
STATE = f"state: {{s3: {{account: vault, bucket: {BUCKET}, prefix: state, region: {IRELAND}}}}}\n"
TEAM = DOCUMENTS.replace("---\n", f"{STATE}---\n", 1)

HOLDER = """
import sys
from pathlib import Path
from engine.applying.clock import SystemClock
from engine.applying.s3_lock import Terms
from engine.applying.state import S3State, state_of
from engine.documents.load import load_or_raise
state = state_of(Path(), load_or_raise([Path("policies")]).estate)
short = Terms(lease=3, grace=1, renewal=0.5, passes=1.5, again=0.2, look=0.2)
state = S3State(state.objects, state.folder, short)
lock = state.acquire(sys.argv[1], SystemClock(), who=sys.argv[1], timeout=float(sys.argv[2]))
print(lock.fence, flush=True)
for line in sys.stdin:
    try:
        lock.verify()
        print("ours", flush=True)
    except Exception as error:
        print(type(error).__name__, flush=True)
lock.release()
"""


def repository(folder: Path, documents: str) -> Path:
    (folder / "policies").mkdir(parents=True)
    (folder / "policies" / "all.yaml").write_text(documents)
    return folder


def seed(*buckets: str) -> Any:
    made = [{"account": "vault", "region": IRELAND, "name": name} for name in buckets]
    return {**small(), "buckets": made}


def bucket_of(world: World) -> Any:
    """Return the bucket as its owner sees it, not as the engine does."""
    import boto3

    variables = world.lab.environment(VAULT, IRELAND)
    session = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=IRELAND,
    )
    return session.resource("s3", endpoint_url=world.lab.endpoint).Bucket(BUCKET)


def keys(world: World, prefix: str = "") -> list[str]:
    return [found.key for found in bucket_of(world).objects.filter(Prefix=prefix)]


def lease(world: World) -> dict[str, Any]:
    """Return what the lease says; of one that nobody has taken yet, what a freed one would."""
    words: dict[str, Any] = {"run": None, "fence": 0}
    for found in bucket_of(world).objects.filter(Prefix=LOCK):
        words = json.loads(found.get()["Body"].read())
    return words


def started(world: World, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=world.folder,
        env=world.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def apply_started(world: World, *words: str) -> subprocess.Popen[str]:
    flags = ("-auto-approve", "-wait", "-poll-interval", "1s", "-json", "-at", world.now())
    return started(world, "-m", "engine", "apply", *flags, *words)


def plain(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    return world._run(["-m", "engine", *words])


def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.05)


def settle(world: World) -> None:
    """Apply until there is nothing left to do, as after a run that was killed."""
    for _ in range(3):
        if world.plan_is_empty():
            return
        assert world.apply("-wait").returncode == 0
    pytest.fail("three runs later the plan is still not empty")


def has_begun(world: World) -> bool:
    """Tell whether the run that holds the lock has announced a call."""
    run = lease(world)["run"]
    return run is not None and len(keys(world, f"{JOURNAL}{run}/")) > 1


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = repository(tmp_path_factory.mktemp("team"), TEAM)
    with ForkedLab.start(seed(BUCKET), speed=30.0, at=FIRST_NIGHT) as lab:
        yield World(lab, folder)


def test_a_team_finds_in_the_bucket_who_did_what_from_which_commit(team: World) -> None:
    commit = git_repository(team.folder)
    team.lab.client.forget_calls()
    done = team.apply("-wait", "-json")
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout.splitlines()[-1])["run"]
    calls = Counter(
        call["operation"] for call in team.lab.client.calls() if call["service"] == "s3"
    )
    # Read the lock, take it, release it; the start, the end, at most one object for each intent.
    assert calls["GetObject"] == 1
    assert calls["PutObject"] <= 2 + 2 + 9
    assert not (team.folder / ".engine").exists()
    assert keys(team, f"{JOURNAL}{run}/")[0] == f"{JOURNAL}{run}/000001.json"
    assert (lease(team)["run"], lease(team)["fence"]) == (None, 1)
    elsewhere = World(team.lab, repository(team.folder / "elsewhere", TEAM))
    listed = plain(elsewhere, "runs")
    assert listed.returncode == 0, listed.stderr
    assert run in listed.stdout
    assert f"commit {commit[:12]}  " in listed.stdout
    assert listed.stdout.endswith("exit 0  done: 4\n")
    told = plain(elsewhere, "runs", run).stdout
    assert f"of commit {commit} by " in told
    assert "s  CreateDBSnapshot for create:" in told
    lines = plain(elsewhere, "runs", run, "-json").stdout.splitlines()
    entries = [json.loads(line) for line in lines]
    assert entries[0]["detail"]["fence"] == 1
    assert entries[0]["detail"]["plan"].startswith("sha256:")
    kinds = Counter(entry["kind"] for entry in entries)
    assert kinds["intent"] == kinds["outcome"] == 7
    assert all(e["detail"]["seconds"] >= 0 for e in entries if e["kind"] == "outcome")
    assert plain(elsewhere, "lock", "status").stdout == "free\n"
    assert plain(elsewhere, "runs", "no-such-run").returncode == 1


def git_repository(folder: Path) -> str:
    """Commit the documents; return the commit."""
    git = ("git", "-c", "user.name=ana", "-c", "user.email=ana@example.com", "-C", str(folder))
    for words in (("init", "-q"), ("add", "policies"), ("commit", "-q", "-m", "policies")):
        subprocess.run([*git, *words], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize("documents", [DOCUMENTS, TEAM], ids=["local", "s3"])
def test_of_two_applies_at_once_one_waits_and_then_is_turned_away(
    documents: str, tmp_path: Path
) -> None:
    folder = repository(tmp_path, documents)
    with ForkedLab.start(seed(BUCKET), speed=5.0, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        first = apply_started(world)
        try:
            until(lambda: "held by" in plain(world, "lock", "status").stdout)
            # It must not be done before the second has waited in vain.
            first.send_signal(signal.SIGSTOP)
            before = time.monotonic()
            second = world.apply("-lock-timeout", "2s")
            assert second.returncode == 11, second.stdout
            assert "another run holds the lock" in second.stderr
            assert time.monotonic() - before >= 2
            first.send_signal(signal.SIGCONT)
            patient = world.apply("-wait", "-lock-timeout", "2m")
            assert patient.returncode == 0, patient.stderr
            out, err = first.communicate(timeout=60)
            assert first.returncode == 0, err
            assert json.loads(out.splitlines()[-1])["counts"] == {"done": 4}
        finally:
            first.kill()
            first.communicate()
        world.assert_one_point_each(FIRST_NIGHT.replace(minute=0))


def test_the_lock_of_a_killed_run_is_held_until_it_is_released_by_hand(team: World) -> None:
    team.next_night()
    victim = apply_started(team)
    until(lambda: has_begun(team))
    victim.kill()
    victim.communicate()
    held = plain(team, "lock", "status").stdout
    assert held.startswith("held by ")
    turned_away = team.apply()
    assert turned_away.returncode == 11
    assert "s after its last renewal at the latest" in turned_away.stderr
    assert plain(team, "lock", "release").returncode == 11
    assert plain(team, "lock", "release", "-force").stdout.startswith("released: was held by")
    fence = lease(team)["fence"]
    assert team.apply("-wait").returncode == 0
    assert lease(team)["fence"] == fence + 1
    settle(team)
    assert "did not end" in plain(team, "runs").stdout


@pytest.mark.slow
def test_a_run_is_ended_in_order_and_leaves_no_lock(team: World) -> None:
    team.next_night()
    stopped = apply_started(team)
    until(lambda: lease(team)["run"] is not None)
    stopped.terminate()
    out, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, out + err
    assert lease(team)["run"] is None
    settle(team)


def test_a_lease_that_is_not_renewed_is_taken_over_and_its_holder_stops(team: World) -> None:
    frozen = started(team, "-c", HOLDER, "frozen", "0")
    assert frozen.stdout is not None
    assert frozen.stdin is not None
    fence = int(frozen.stdout.readline())
    for _ in range(3):
        time.sleep(2)
        frozen.stdin.write("\n")
        frozen.stdin.flush()
        assert frozen.stdout.readline() == "ours\n"
    early = started(team, "-c", HOLDER, "early", "1")
    assert "LockedError" in early.communicate(timeout=30)[1]
    frozen.send_signal(signal.SIGSTOP)
    late = started(team, "-c", HOLDER, "late", "20")
    assert late.stdout is not None
    assert int(late.stdout.readline()) == fence + 1
    frozen.send_signal(signal.SIGCONT)
    frozen.stdin.write("\n")
    frozen.stdin.flush()
    assert frozen.stdout.readline() == "LockLostError\n"
    frozen.communicate(timeout=30)
    assert lease(team)["run"] == "late"
    late.communicate(timeout=30)
    assert (lease(team)["run"], lease(team)["fence"]) == (None, fence + 1)


def points(world: World) -> list[str]:
    return sorted(one["tags"]["engine:slot"] for one in world.snapshots(PROD))


def test_with_the_bucket_out_of_reach_backups_are_made_and_none_is_deleted(team: World) -> None:
    settle(team)
    slot = team.next_night().strftime("%Y-%m-%dT%H:%M:%SZ")
    (before,) = points(team)
    good = (team.folder / "policies" / "all.yaml").read_text()
    gone = good.replace(BUCKET, "no-such-bucket")
    (team.folder / "policies" / "all.yaml").write_text(gone)
    done = team.apply("-wait", "-json")
    (team.folder / "policies" / "all.yaml").write_text(good)
    assert done.returncode == 3, done.stdout + done.stderr
    outcome = json.loads(done.stdout.splitlines()[-1])
    assert {problem["code"] for problem in outcome["problems"]} == {"state_unreachable"}
    assert "NoSuchBucket" in outcome["problems"][0]["text"]
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    failed = [step for step in steps if step.get("state") == "failed"]
    assert {step["code"] for step in failed} == {"state_unreachable"}
    assert {step["action"] for step in failed} >= {"unshare_snapshot"}
    assert points(team) == [before, slot]
    # The share that could not be taken back, and what was to go, are the next runs'.
    settle(team)
    assert points(team) == [slot]
    assert team.plan_is_empty()


@pytest.mark.slow
def test_when_the_bucket_goes_away_on_the_way_backups_are_made_and_none_is_deleted(
    tmp_path: Path,
) -> None:
    folder = repository(tmp_path, TEAM)
    # Between the create and the first delete there must be time to take the bucket away.
    with ForkedLab.start(seed(BUCKET), speed=1.0, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        assert world.apply("-wait").returncode == 0
        slot = world.next_night().strftime("%Y-%m-%dT%H:%M:%SZ")
        (before,) = points(world)
        known = set(keys(world, JOURNAL))
        run = apply_started(world)
        until(lambda: len(set(keys(world, JOURNAL)) - known) > 1)
        bucket = bucket_of(world)
        bucket.objects.all().delete()
        bucket.delete()
        out, err = run.communicate(timeout=120)
        assert run.returncode == 3, out + err
        outcome = json.loads(out.splitlines()[-1])
        assert {problem["code"] for problem in outcome["problems"]} == {"state_unreachable"}
        assert points(world) == [before, slot]
        assert len(world.snapshots(VAULT)) == 2
        bucket.create(CreateBucketConfiguration={"LocationConstraint": IRELAND})
        settle(world)
        assert points(world) == [slot]


def test_away_from_the_lab_a_team_needs_no_flag_to_apply_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine.cli.main import main

    # It leads to this machine, where nothing listens, but is no address of loopback.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://0.0.0.0:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, documents, code in (("alone", DOCUMENTS, 64), ("team", TEAM, 3)):
        monkeypatch.chdir(repository(tmp_path / name, documents))
        assert main(["apply", "-auto-approve"]) == code
        told = capsys.readouterr()
        assert ("state.s3" in told.err) == (code == 64)
