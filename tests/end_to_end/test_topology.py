"""The cheapest topology: one copy crosses the regions, the other is made from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from engine.lab.estates import PROD, ROLES, VAULT, small, zones_of
from engine.lab.seeds import AccountSeed, KeySeed, read_seed, seed_document
from tests.end_to_end.estates import FRANKFURT
from tests.end_to_end.harness import REPOSITORY, World, working_folder
from tests.forking.labs import ForkedLab

EXAMPLE = REPOSITORY / "docs" / "examples" / "topology"
FIRST_NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
LAB = "333333333333"


def seed() -> object:
    """The smallest estate, whose copies go to two accounts in another region."""
    known = read_seed(small())
    zones = {FRANKFURT: zones_of(FRANKFURT, 1, 2, 3)}
    accounts = {
        "prod": known.accounts["prod"],
        "vault": AccountSeed(VAULT, zones=zones, roles=ROLES),
        "lab": AccountSeed(LAB, zones=zones, roles=ROLES),
    }
    keys = (
        msgspec.structs.replace(known.keys[0], usable_by=("vault", "lab")),
        KeySeed("vault", FRANKFURT, "alias/backups", usable_by=("lab",)),
        KeySeed("lab", FRANKFURT, "alias/lab", usable_by=("vault",)),
    )
    document: object = seed_document(msgspec.structs.replace(known, accounts=accounts, keys=keys))
    return document


def test_one_copy_crosses_the_regions_and_the_other_is_made_from_it(tmp_path: Path) -> None:
    folder = working_folder(tmp_path / "work", EXAMPLE)
    with ForkedLab.start(seed(), speed=20.0, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        told = world.plan().insist().out
        assert "Copy topology" in told
        assert "$0.02 of transfer for each GiB instead of $0.04" in " ".join(told.split())
        (tree,) = world.planned()["copy_trees"]
        assert [(hop["target"], hop["origin"]) for hop in tree["hops"]] == [
            ("vault", "source"),
            ("lab", "vault"),
        ]
        for number in range(3):
            world.move_to(FIRST_NIGHT + timedelta(days=number))
            world.apply("-wait").insist()
            world.plan("-detailed-exitcode").insist()
        origins = {
            account: {
                one["SourceDBSnapshotIdentifier"].split(":")[4]
                for one in world.aws(
                    account, FRANKFURT, "rds", "describe-db-snapshots", "--snapshot-type", "manual"
                )["DBSnapshots"]
            }
            for account in (VAULT, LAB)
        }
        assert origins == {VAULT: {PROD}, LAB: {VAULT}}
        assert not any(one.shared_with for one in world.owned().values())
        stored = [
            one["under"][rules]["stored"] for one in lab.client.truth() for rules in one["under"]
        ]
    # Of each place's chain the first is full, and under both rule sets no other one.
    assert stored.count("full") == 6
