"""Reading 20,000 snapshots from the lab, next to a plain boto3 paginator that does only that.

Run with an argument it is one of the two sides, a process of its own: what it takes from its first
line to its last counts. `engine` reads all there is to know of the location, not only snapshots.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.lab.estates import IRELAND, PROD, ROLES, zones_of
from engine.lab.process import LabProcess
from engine.lab.seeds import (
    AccountSeed,
    InstanceSeed,
    KeySeed,
    Seed,
    SnapshotSeed,
    seed_document,
)
from tests.benchmarks.costs import REPOSITORY, Cost, cost_of, say, show

SNAPSHOTS = 20_000
SOURCES = 200
ROUNDS = 3
MARKS = ("estate", "policy", "slot", "role", "resource", "source", "volume", "az", "keys")
NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
ESTATE = """
version: 1
kind: estate
name: bench
account_defaults: {read_role: backup-reader, regions: [eu-west-1]}
accounts:
  prod: {id: "111111111111"}
"""


def large() -> Any:
    """Return the seed of one location with many snapshots, tagged as the engine's are."""
    tags = {f"engine:{mark}": f"as long as {mark} is" for mark in MARKS}
    return seed_document(
        Seed(
            at=NOW,
            settings={"manual_snapshots": SNAPSHOTS, "automated_backups": False},
            accounts={
                "prod": AccountSeed(PROD, zones={IRELAND: zones_of(IRELAND, 1, 2, 3)}, roles=ROLES)
            },
            keys=(KeySeed("prod", IRELAND, "alias/orders"),),
            instances=tuple(
                InstanceSeed("prod", IRELAND, f"orders-{source}", key="alias/orders")
                for source in range(SOURCES)
            ),
            snapshots=tuple(
                SnapshotSeed(
                    "prod",
                    IRELAND,
                    f"orders-{source}-{age}",
                    NOW - timedelta(hours=1 + age),
                    instance=f"orders-{source}",
                    tags=tags,
                )
                for source in range(SOURCES)
                for age in range(SNAPSHOTS // SOURCES)
            ),
        )
    )


def plain() -> int:
    """List the snapshots as anybody would; return how many there are."""
    import boto3

    pages = boto3.client("rds").get_paginator("describe_db_snapshots").paginate()
    return sum(len(page["DBSnapshots"]) for page in pages)


def engine(estate: str) -> int:
    """Read the live inventory of an estate; return how many snapshots it has."""
    from engine.documents.load import load_or_raise
    from engine.inventory.live import clients_of, read_live

    documents = load_or_raise([Path(estate)])
    inventory = read_live(documents.estate, clients_of(documents.estate), NOW)
    return sum(len(scope.snapshots or ()) for scope in inventory.scopes.values())


def run() -> None:
    """Print a row for each side, the quicker of their runs, and how they compare."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        LabProcess.start(large(), at=NOW) as lab,
    ):
        estate = Path(scratch, "estate.yaml")
        estate.write_text(ESTATE)
        variables = lab.environment(PROD, IRELAND)
        me = (sys.executable, "-m", "tests.benchmarks.reading")
        sides: dict[str, list[Cost]] = {"plain": [], "engine": []}
        for _ in range(ROUNDS):
            for side, costs in sides.items():
                costs.append(cost_of(*me, side, estate, variables=variables, folder=REPOSITORY))
    # Sides take turns, so that what else the machine does meets both.
    plain_wall, engine_wall = (min(cost.wall for cost in costs) for costs in sides.values())
    yardstick, ours = (min(costs, key=lambda cost: cost.cpu) for costs in sides.values())
    show(f"list {SNAPSHOTS:,} snapshots, plain boto3 paginator", yardstick)
    show(f"read {SNAPSHOTS:,} snapshots and all else, live", ours)
    say(
        f"  live reading took {engine_wall / plain_wall:.2f} of the paginator's wall clock, "
        f"{ours.cpu / yardstick.cpu:.2f} of its processor time"
    )


def main(side: str, estate: str) -> int:
    """Be one side; 0 if it found every snapshot."""
    found = plain() if side == "plain" else engine(estate)
    return 0 if found == SNAPSHOTS else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
