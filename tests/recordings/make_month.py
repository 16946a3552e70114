"""Makes the recording of docs/consequences.md: two databases after 35 nights of daily points.

Usage: python -m tests.recordings.make_month. Takes about five minutes; review the diff.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.lab.estates import PROD, VAULT, zones_of
from engine.lab.process import LabProcess
from engine.lab.seeds import AccountSeed, InstanceSeed, KeySeed, Seed, seed_document
from tests.end_to_end.harness import REPOSITORY, World, working_folder

EXAMPLE = REPOSITORY / "docs" / "examples" / "consequences"
WEST = "eu-west-1"
FIRST_NIGHT = datetime(2026, 10, 17, 2, 10, tzinfo=UTC)
NIGHTS = 35


def estate() -> object:
    """Return the seed: two databases of one policy, and a vault."""
    readers = {"backup-engine": None, "backup-reader": None}
    zones = {WEST: zones_of(WEST, 3, 1, 2)}
    seed = Seed(
        accounts={
            "prod": AccountSeed(PROD, zones=zones, roles=dict(readers)),
            "vault": AccountSeed(VAULT, zones=zones, roles=dict(readers)),
        },
        keys=(
            KeySeed("prod", WEST, "alias/orders", usable_by=("vault",)),
            KeySeed("vault", WEST, "alias/backups"),
        ),
        instances=tuple(_database(name) for name in ("billing", "orders-1")),
        settings={"automated_backups": False},
    )
    document: object = seed_document(seed)
    return document


def _database(identifier: str) -> InstanceSeed:
    return InstanceSeed(
        account="prod",
        region=WEST,
        identifier=identifier,
        key="alias/orders",
        backup_window="22:00-22:30",
        maintenance_window="sun:06:00-sun:06:30",
        tags={"tier": "gold"},
    )


def main() -> int:
    """Let the nights pass, then record the estate as the next one finds it."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        LabProcess.start(estate(), speed=20.0, at=FIRST_NIGHT) as lab,
    ):
        world = World(lab, working_folder(Path(scratch), EXAMPLE / "before"))
        for night in range(NIGHTS):
            world.move_to(FIRST_NIGHT + timedelta(days=night))
            done = world.apply("-wait").insist()
            sys.stdout.write(f"night {night + 1}: {done.out.splitlines()[-1]}\n")
        world.move_to(FIRST_NIGHT + timedelta(days=NIGHTS))
        found = EXAMPLE / "inventory"
        world.run("inventory", "export", str(found), "-at", world.now()).insist()
        sys.stdout.write(world.run("plan", "-inventory", str(found)).insist().out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
