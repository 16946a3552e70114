"""Makes the recording `acme`: an estate that `policies/` governs, after eight nights in a lab.

The ninth begins: a database has failed over since, the first points have expired.

Usage: python -m tests.recordings.make_acme. Takes about two minutes; review the diff.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.lab.estates import PROD, VAULT, zones_of
from engine.lab.process import LabProcess
from engine.lab.seeds import AccountSeed, InstanceSeed, KeySeed, Seed, SnapshotSeed, seed_document
from tests.end_to_end.harness import REPOSITORY, World, working_folder

RECORDING = Path(__file__).parent / "acme"
ANALYTICS = "333333333333"
WEST, CENTRAL = "eu-west-1", "eu-central-1"
FIRST_NIGHT = datetime(2026, 11, 13, 1, 30, tzinfo=UTC)
NIGHTS = 8


def acme() -> object:
    """Return the seed: gold, silver, bronze and untagged databases in two accounts and regions."""
    zones = {WEST: zones_of(WEST, 3, 1, 2), CENTRAL: zones_of(CENTRAL, 2, 3, 1)}
    readers = {"backup-engine": None, "backup-reader": None}
    seed = Seed(
        accounts={
            "prod": AccountSeed(PROD, zones=zones, roles=dict(readers)),
            "vault": AccountSeed(
                VAULT,
                zones={WEST: zones_of(WEST, 1, 2, 3), CENTRAL: zones_of(CENTRAL, 1, 2, 3)},
                roles=dict(readers),
            ),
            "analytics": AccountSeed(
                ANALYTICS,
                zones={WEST: zones_of(WEST, 2, 3, 1)},
                roles=dict.fromkeys(readers, "acme-backup"),
            ),
        },
        keys=(
            KeySeed("prod", WEST, "alias/orders", usable_by=("vault",)),
            KeySeed("prod", WEST, "alias/backup-share", usable_by=("vault",)),
            KeySeed("prod", CENTRAL, "alias/crm", usable_by=("vault",)),
            KeySeed("analytics", WEST, "alias/warehouse", usable_by=("vault",)),
            KeySeed("vault", WEST, "alias/backups"),
            KeySeed("vault", CENTRAL, "alias/backups"),
        ),
        instances=_instances(),
        snapshots=(
            SnapshotSeed(
                "prod",
                WEST,
                "orders-1-before-the-big-migration",
                datetime(2026, 11, 3, 9, 12, tzinfo=UTC),
                instance="orders-1",
                tags={"owner": "mara"},
            ),
        ),
        settings={"automated_backups": False},
    )
    document: object = seed_document(seed)
    return document


def _instances() -> tuple[InstanceSeed, ...]:
    def database(account: str, region: str, name: str, key: str | None, **more: object) -> object:
        return {
            "account": account,
            "region": region,
            "identifier": name,
            "key": key,
            "backup_window": "22:00-22:30",
            "maintenance_window": "sun:06:00-sun:06:30",
            **more,
        }

    import msgspec

    pair = ["eu-west-1a", "eu-west-1b"]
    gold, silver, bronze = ({"tier": tier} for tier in ("gold", "silver", "bronze"))
    orders = {"multi_az": True, "zones": pair, "tags": gold}
    return msgspec.convert(
        [
            database("prod", WEST, "orders-1", "alias/orders", **orders),
            database("prod", WEST, "orders-ledger", "alias/orders", **orders),
            database("prod", WEST, "shop-1", "aws/rds", engine="mysql", tags=silver),
            database("prod", CENTRAL, "crm-1", "alias/crm", tags=silver),
            database("prod", WEST, "wiki-1", None, engine="mysql"),
            database("prod", WEST, "orders-scratch", None, tags={"tier": "gold", "backup": "none"}),
            database("analytics", WEST, "warehouse-1", "alias/warehouse", tags=bronze),
            database("analytics", WEST, "tmp-import", None),
        ],
        tuple[InstanceSeed, ...],
    )


def main() -> int:
    """Let the nights pass, then record the estate as the next one finds it."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        LabProcess.start(acme(), speed=20.0, at=FIRST_NIGHT) as lab,
    ):
        world = World(lab, working_folder(Path(scratch), REPOSITORY / "policies"))
        for night in range(NIGHTS):
            world.move_to(FIRST_NIGHT + timedelta(days=night))
            done = world.apply("-wait").insist()
            sys.stdout.write(f"night {night + 1}: {done.out.splitlines()[-1]}\n")
        lab.client.fail_over(PROD, WEST, "orders-1")
        world.move_to(FIRST_NIGHT + timedelta(days=NIGHTS))
        world.run("inventory", "export", str(RECORDING), "-at", world.now()).insist()
        sys.stdout.write(world.run("plan", "-inventory", str(RECORDING)).insist().out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
