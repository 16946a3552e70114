"""How many calls an apply makes, counted by the lab."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.applying.fleet import CHANGES_PER_DATABASE, Tally, fleet, tally
from tests.applying.test_over_http import DOCUMENTS, FIRST_NIGHT, World
from tests.forking.labs import ForkedLab

SPEED = 10.0
POLL_SECONDS = 1.0
LOCATIONS = 2


def applied(databases: int, folder: Path) -> Tally:
    """Apply a plan of one point and one copy per database; return what it took."""
    (folder / "policies").mkdir()
    (folder / "policies" / "all.yaml").write_text(DOCUMENTS)
    with ForkedLab.start(fleet(databases), speed=SPEED, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        assert world.engine("plan", "-out", "plan.json").returncode == 0
        lab.client.forget_calls()
        words = ("plan.json", "-wait", "-poll-interval", f"{POLL_SECONDS:.0f}s", "-json")
        done = world.engine("apply", *words)
        calls = lab.client.calls()
        assert done.returncode == 0, done.stderr
        outcome = json.loads(done.stdout.splitlines()[-1])
        assert outcome["counts"] == {"done": 4 * databases}
        assert world.plan_is_empty()
    return tally(calls, timedelta(seconds=POLL_SECONDS * SPEED))


@pytest.mark.parametrize(
    "databases",
    [
        3,
        pytest.param(10, marks=pytest.mark.slow),
        pytest.param(50, marks=pytest.mark.slow),
    ],
)
def test_an_apply_makes_its_changes_and_one_listing_per_location_and_poll(
    databases: int, tmp_path: Path
) -> None:
    told = applied(databases, tmp_path)
    assert told.calls["CreateDBSnapshot"] == told.calls["CopyDBSnapshot"] == databases
    assert told.changes == CHANGES_PER_DATABASE * databases
    assert told.early == 0
    # Snapshots of each location, and the zones of the instances that were snapshotted.
    assert told.listings <= (LOCATIONS + 1) * told.polls
    # Each role assumed and looked at; the databases' key by both accounts, the target's by its own.
    assert told.calls["AssumeRole"] == told.calls["GetCallerIdentity"] == 2 * LOCATIONS
    assert told.calls["DescribeKey"] == 3
    assert told.others == 4 * LOCATIONS + 3
