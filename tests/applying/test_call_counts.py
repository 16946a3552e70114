"""How many calls an apply makes, counted by the lab."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.lab.estates import IRELAND, PROD, ROLES, VAULT, zones_of
from engine.lab.process import LabProcess
from engine.lab.seeds import AccountSeed, InstanceSeed, KeySeed, Seed, seed_document
from tests.applying.test_over_http import DOCUMENTS, World

CHANGES = {
    "CreateDBSnapshot",
    "CopyDBSnapshot",
    "ModifyDBSnapshotAttribute",
    "AddTagsToResource",
    "RemoveTagsFromResource",
}


def fleet(databases: int) -> object:
    """Return the seed of an estate with so many encrypted databases."""
    zones = zones_of(IRELAND, 1, 2, 3)
    return seed_document(
        Seed(
            accounts={
                "prod": AccountSeed(PROD, zones={IRELAND: zones}, roles=ROLES),
                "vault": AccountSeed(VAULT, zones={IRELAND: zones}, roles=ROLES),
            },
            keys=(
                KeySeed("prod", IRELAND, "alias/orders", usable_by=("vault",)),
                KeySeed("vault", IRELAND, "alias/backups"),
            ),
            instances=tuple(
                InstanceSeed(
                    "prod",
                    IRELAND,
                    f"orders-{number}",
                    engine="postgres",
                    multi_az=True,
                    zones=("eu-west-1a", "eu-west-1b"),
                    key="alias/orders",
                    tags={"tier": "gold"},
                    backup_window="00:00-00:45",
                    maintenance_window="sun:06:00-sun:06:30",
                )
                for number in range(databases)
            ),
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("databases", [10, 50])
def test_an_apply_makes_its_changes_and_one_listing_per_location_and_poll(
    databases: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.yaml").write_text(DOCUMENTS)
    at = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
    with LabProcess.start(fleet(databases), speed=10.0, at=at) as lab:
        world = World(lab, tmp_path)
        assert world.engine("plan", "-out", "plan.json").returncode == 0
        lab.client.forget_calls()
        start = time.monotonic()
        done = world.engine("apply", "plan.json", "-wait", "-poll-interval", "2s", "-json")
        took = time.monotonic() - start
        calls = Counter(call["operation"] for call in lab.client.calls())
        assert world.plan_is_empty()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["counts"] == {"done": 4 * databases}
    changes = sum(count for name, count in calls.items() if name in CHANGES)
    listings = sum(count for name, count in calls.items() if name.startswith("Describe"))
    with capsys.disabled():
        print(  # noqa: T201 - the figure is what this is run for
            f"\n{databases} databases: {changes} changes ({dict(calls)}), {listings} listings"
            f" of snapshots and instances, {took:.1f} s"
        )
    # Create, confirm the zone, write the share down, share, copy, unshare, strike it out.
    assert changes == 7 * databases
    polls = took / 2 + 1
    assert listings <= 2 * polls + polls + 3
