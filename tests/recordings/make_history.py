"""Makes the two weeks of history of the estate `acme`: fourteen nights of `policies/` in a lab.

In between a database fails over, one is replaced as a restore and swap would, one is deleted.

Usage: python -m tests.recordings.make_history. Takes about five minutes; review the diff.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from engine.lab import acme
from engine.lab.estates import IRELAND, PROD
from engine.lab.history import write_history
from engine.lab.process import LabProcess
from engine.lab.seeds import Seed, SnapshotSeed, read_seed, seed_document
from tests.end_to_end.harness import REPOSITORY, World, working_folder

HISTORY = REPOSITORY / "engine" / "lab" / acme.HISTORY
SPEED = 20.0


def before(estate: Seed) -> Seed:
    """Return the estate as it was two weeks ago: nothing swapped, deleted or failed over."""
    instances = tuple(
        replace(
            one,
            deleted=False,
            zones=one.zones[::-1] if one.identifier == "billing" else one.zones,
        )
        for one in estate.instances
        if one.resource_id != acme.CUSTOMERS
    )
    return replace(estate, instances=instances, snapshots=())


def fail_over(world: World) -> None:
    """Let the standby of `billing` take over."""
    world.lab.client.fail_over(PROD, IRELAND, "billing")


def swap(world: World) -> None:
    """Put another `customers` in the place of the one that is there."""
    _delete(world, "customers", "customers-before-swap")
    estate = acme.estate()
    swapped = tuple(one for one in estate.instances if one.resource_id == acme.CUSTOMERS)
    world.lab.client.seed(seed_document(Seed(accounts=estate.accounts, instances=swapped)))


def delete(world: World) -> None:
    """Delete `reports`, with a last snapshot by hand."""
    _delete(world, "reports", "reports-final")


def _delete(world: World, identifier: str, snapshot: str) -> None:
    rds = world.rds(PROD, IRELAND)
    rds.delete_db_instance(DBInstanceIdentifier=identifier, FinalDBSnapshotIdentifier=snapshot)
    rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=identifier)


EVENTS: tuple[tuple[datetime, Callable[[World], None]], ...] = (
    (acme.FAILED_OVER, fail_over),
    (acme.SWAPPED, swap),
    (acme.DELETED, delete),
)


def live(world: World) -> None:
    """Let the nights pass, with what happens in between."""
    for days in range(acme.NIGHTS, 0, -1):
        night = acme.NIGHT - timedelta(days=days)
        world.move_to(night)
        done = world.apply("-wait", "-local-lock").insist()
        sys.stdout.write(f"{night:%Y-%m-%d}: {done.out.splitlines()[-1]}\n")
        sys.stdout.flush()
        for when, happen in EVENTS:
            if night < when < night + timedelta(days=1):
                world.move_to(when)
                happen(world)


def made(world: World) -> Iterator[SnapshotSeed]:
    """Yield what the engine made, in terms of the estate: its handles, aliases of its keys."""
    estate = acme.estate()
    handles = {one.resource_id: one.handle or one.identifier for one in estate.instances}
    names = {account.id: name for name, account in estate.accounts.items()}
    aliases = {
        f"arn:aws:kms:{one.region}:{estate.account_id(one.account)}:key/{one.id}": one.alias
        for one in estate.keys
    }
    for one in read_seed(world.lab.client.dump()).snapshots:
        if "engine:estate" in one.tags:
            yield replace(
                one,
                account=names[one.account],
                instance=handles[one.instance] if one.instance else None,
                key=aliases[one.key] if one.key else None,
            )


def main() -> int:
    """Make the history and show what the next night finds."""
    seed = seed_document(before(acme.estate()))
    start = acme.NIGHT - timedelta(days=acme.NIGHTS)
    with (
        tempfile.TemporaryDirectory() as scratch,
        LabProcess.start(seed, speed=SPEED, at=start) as lab,
    ):
        world = World(lab, working_folder(Path(scratch), REPOSITORY / "policies"))
        live(world)
        world.move_to(acme.NIGHT)
        HISTORY.write_bytes(write_history(made(world)))
        sys.stdout.write(world.plan().insist().out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
