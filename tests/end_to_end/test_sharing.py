"""Shares, holds and option groups as policies say them, as the AWS CLI shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from engine.lab.estates import IRELAND, PROD, ROLES, VAULT, small, zones_of
from engine.lab.seeds import AccountSeed, KeySeed, read_seed, seed_document
from tests.end_to_end.harness import REPOSITORY, World, working_folder
from tests.forking.labs import ForkedLab

EXAMPLES = REPOSITORY / "docs" / "examples"
FIRST_NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
TEST, PARTNER = "333333333333", "444455556666"
KEY_USERS = (VAULT, TEST, PARTNER)


def seed() -> object:
    """The smallest estate, with an account for tests and a partner's outside of it."""
    known = read_seed(small())
    zones = {IRELAND: zones_of(IRELAND, 1, 2, 3)}
    more = {
        "test": AccountSeed(TEST, zones=zones, roles=ROLES),
        "partner": AccountSeed(PARTNER, zones=zones),
    }
    keys = (
        KeySeed("prod", IRELAND, "alias/orders", usable_by=KEY_USERS),
        KeySeed("vault", IRELAND, "alias/backups", usable_by=(TEST,)),
        KeySeed("partner", IRELAND, "alias/own"),
    )
    changed = msgspec.structs.replace(known, accounts=known.accounts | more, keys=keys)
    document: object = seed_document(changed)
    return document


def readers(world: World, account: str) -> dict[str, frozenset[str]]:
    """With whom boto3 says each of the engine's snapshots is shared, by its slot's day."""
    owned = (one for one in world.owned().values() if one.account == account)
    return {str(one.slot)[8:10]: one.shared_with for one in owned}


def change(world: World, old: str, new: str) -> None:
    (document,) = (world.folder / "policies").glob("*.yaml")
    text = document.read_text()
    assert old in text
    document.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = working_folder(tmp_path_factory.mktemp("sharing"), EXAMPLES / "sharing")
    with ForkedLab.start(seed(), speed=20.0, at=FIRST_NIGHT) as lab:
        yield World(lab, folder)


def night(world: World, number: int) -> None:
    world.move_to(FIRST_NIGHT + timedelta(days=number))
    world.apply("-wait").insist()
    world.plan("-detailed-exitcode").insist()


def test_the_newest_point_is_readable_and_only_that(world: World) -> None:
    night(world, 0)
    assert readers(world, PROD) == {"18": {TEST, PARTNER}}
    assert readers(world, VAULT) == {"18": {TEST}}
    night(world, 1)
    assert readers(world, PROD) == {"18": frozenset(), "19": {TEST, PARTNER}}
    assert readers(world, VAULT) == {"18": {TEST}, "19": {TEST}}
    listed = world.aws(
        PARTNER, IRELAND, "rds", "describe-db-snapshots", "--snapshot-type", "shared",
        "--include-shared",
    )["DBSnapshots"]  # fmt: skip
    assert [":snapshot:orders-1-gold-20261119t" in one["DBSnapshotArn"] for one in listed] == [True]


def test_what_the_partner_copies_is_not_deleted_under_its_hands(world: World) -> None:
    (origin,) = (
        one for one in world.owned().values() if one.account == PROD and "-19T" in str(one.slot)
    )
    key = world.key(PARTNER, IRELAND, "alias/own")
    world.rds(PARTNER, IRELAND).copy_db_snapshot(
        SourceDBSnapshotIdentifier=origin.arn, TargetDBSnapshotIdentifier="mine", KmsKeyId=key
    )
    night(world, 2)
    assert readers(world, PROD)["19"] == frozenset()
    night(world, 3)
    # Two nights after: no rule keeps it, but the partner might still be at it.
    assert {"19", "20", "21"} <= set(readers(world, PROD))
    night(world, 5)
    assert "19" not in readers(world, PROD)


def test_drift_says_nothing_of_what_the_policy_shares(world: World) -> None:
    found = world.run("drift", "-shares", "all", "-at", world.now())
    assert "shared" not in found.out, found.out


def test_what_the_policy_drops_is_taken_back(world: World) -> None:
    change(world, 'accounts: [test, "444455556666"]', "accounts: [test]")
    told = world.plan().insist().out
    assert "unshare 1" in told
    night(world, 5)
    assert {who for one in readers(world, PROD).values() for who in one} == {TEST}
    change(world, "  - {accounts: [test]}\n", "")
    change(world, "  - {accounts: [test], newest: 2, from: vault}\n", "")
    change(world, "share_with:\n", "")
    night(world, 5)
    for account in (PROD, VAULT):
        assert not any(readers(world, account).values())
    tags = [one.tags for one in world.owned().values()]
    assert not any("engine:shared" in one or "engine:shared-by-policy" in one for one in tags)


def test_a_hold_keeps_everything_everywhere_until_it_is_removed(tmp_path: Path) -> None:
    folder = working_folder(tmp_path / "held", EXAMPLES / "holds")
    with ForkedLab.start(small(), speed=20.0, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        for number in range(4):
            world.move_to(FIRST_NIGHT + timedelta(days=number))
            world.apply("-wait").insist()
        assert len(world.seen_by_cli(VAULT, IRELAND, ())) == len(readers(world, PROD)) == 4
        assert "On hold: 1 database\n  gold: case 2026-17; 8 snapshots" in world.plan().insist().out
        (held,) = world.planned()["holds"]
        assert (held["source"]["identifier"], held["reason"]) == ("orders-1", "case 2026-17")
        assert 'hold: "case 2026-17"' in world.run("show", "policy", "gold").insist().out

        change(world, ', hold: "case 2026-17"', ", objectives: {rpo: 26h}")
        assert world.planned()["holds"] == []
        world.apply("-wait").insist()
        assert len(world.seen_by_cli(VAULT, IRELAND, ())) == len(readers(world, PROD)) == 2


def test_a_copy_goes_into_the_option_group_that_its_options_need(tmp_path: Path) -> None:
    known = read_seed(small())
    oracle = msgspec.structs.replace(
        known.instances[0],
        engine="oracle-ee",
        engine_version="19.0.0.0.ru-2024-07.rur-2024-07.r1",
        option_group="orders-timezone",
        persistent_options=("Timezone",),
    )
    changed = msgspec.structs.replace(known, instances=(oracle,))
    folder = working_folder(tmp_path / "options", EXAMPLES / "options")
    with ForkedLab.start(seed_document(changed), speed=20.0, at=FIRST_NIGHT) as lab:
        world = World(lab, folder)
        change(world, ", option_group: orders-timezone", "")
        failed = world.apply("-wait").insist(3)
        said = failed.out + failed.err
        assert "requires a target option group with the following options: [Timezone]" in said
        assert "name it as `option_group` of the copy" in said
        change(world, "{target: vault}", "{target: vault, option_group: orders-timezone}")
        world.apply("-wait").insist()
        (copied,) = world.aws(VAULT, IRELAND, "rds", "describe-db-snapshots")["DBSnapshots"]
        assert copied["OptionGroupName"] == "orders-timezone"
