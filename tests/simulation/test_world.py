"""The made-up AWS: what takes time, what waits for what, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from engine.inventory.records import Instance, Key, Location, Scope, SnapshotType
from engine.simulation.backing_up import back_up, next_backup
from engine.simulation.settings import Settings
from engine.simulation.things import Place
from engine.simulation.world import RefusedError, World
from tests.simulation.playing import PROD, START, VAULT

HOME, THERE, FAR = (
    Location(PROD, "eu-west-1"),
    Location(VAULT, "eu-west-1"),
    Location(PROD, "eu-central-1"),
)
DATABASE = f"arn:aws:rds:eu-west-1:{PROD}:db:orders-1"
KEY = "alias/backups"
SETTINGS = Settings()
LATER = START + timedelta(hours=1)


def arn(at: Location, name: str) -> str:
    return f"arn:aws:rds:{at.region}:{at.account}:snapshot:{name}"


@pytest.fixture
def world() -> World:
    """A database under a key, a snapshot of it that is there, and two places to copy it to."""
    places = {
        at: Place(Scope(at, instances=(), snapshots=(), keys={f"k:{at}": _key(at)}))
        for at in (HOME, THERE, FAR)
    }
    found = World(places, SETTINGS)
    found.instances[DATABASE] = Instance(
        DATABASE, HOME, "orders-1", "db-1", "postgres", encrypted=True, kms_key="k"
    )
    found.create(arn(HOME, "a"), DATABASE, {}, START)
    found.land(LATER)
    return found


def _key(at: Location) -> Key:
    return Key(f"k:{at}", aliases=(KEY,))


def test_a_snapshot_is_there_when_it_is_stored_and_holds_what_was_when_it_began(
    world: World,
) -> None:
    flight = world.create(arn(HOME, "b"), DATABASE, {}, LATER)
    assert world.snapshots[flight.arn].created_at is None
    assert world.instances[DATABASE].status == "backing-up"
    assert world.land(flight.ready_at - timedelta(seconds=1)) == []
    (made,) = world.land(flight.ready_at)
    assert (made.status, made.created_at) == ("available", LATER)
    assert world.instances[DATABASE].status == "available"


def test_no_two_snapshots_of_a_database_are_made_at_once(world: World) -> None:
    world.create(arn(HOME, "b"), DATABASE, {}, LATER)
    with pytest.raises(RefusedError, match="InvalidDBInstanceState"):
        world.create(arn(HOME, "c"), DATABASE, {}, LATER)


def test_copies_of_one_database_come_one_after_the_other(world: World) -> None:
    origin = arn(HOME, "a")
    first = world.copy(arn(FAR, "b"), FAR, origin, KEY, {}, LATER)
    second = world.copy(arn(FAR, "c"), FAR, origin, KEY, {}, LATER)
    near = world.copy(arn(HOME, "d"), HOME, origin, None, {}, LATER)
    assert first.ready_at == LATER + SETTINGS.cross_region
    assert second.ready_at == first.ready_at + SETTINGS.cross_region
    assert near.ready_at == LATER + SETTINGS.copy
    (copy,) = world.land(first.ready_at - timedelta(minutes=1))
    assert copy.arn == near.arn
    assert (copy.original_created_at, copy.created_at) == (START, near.ready_at)


def test_another_account_copies_only_what_is_shared_with_it(world: World) -> None:
    origin = arn(HOME, "a")
    with pytest.raises(RefusedError, match="not shared"):
        world.copy(arn(THERE, "b"), THERE, origin, KEY, {}, LATER)
    world.share(origin, [VAULT])
    world.copy(arn(THERE, "b"), THERE, origin, KEY, {}, LATER)
    world.unshare(origin, [VAULT])
    with pytest.raises(RefusedError, match="not shared"):
        world.copy(arn(THERE, "c"), THERE, origin, KEY, {}, LATER)


@pytest.mark.parametrize(("key", "why"), [("alias/none", "KMSKey"), (None, "needs a key")])
def test_an_encrypted_copy_elsewhere_needs_a_key_that_is_there(
    world: World, key: str | None, why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        world.copy(arn(FAR, "b"), FAR, arn(HOME, "a"), key, {}, LATER)


def test_a_key_that_cannot_be_used_is_refused(world: World) -> None:
    disabled = Key(f"k:{FAR}", state="Disabled", aliases=(KEY,))
    scope = replace(world.places[FAR].scope, keys={disabled.arn: disabled})
    world.places = {**world.places, FAR: Place(scope)}
    with pytest.raises(RefusedError, match="is Disabled"):
        world.copy(arn(FAR, "b"), FAR, arn(HOME, "a"), KEY, {}, LATER)


def test_what_is_on_its_way_is_neither_deleted_nor_copied(world: World) -> None:
    flight = world.create(arn(HOME, "b"), DATABASE, {}, LATER)
    with pytest.raises(RefusedError, match="on its way"):
        world.delete(flight.arn)
    with pytest.raises(RefusedError, match="creating"):
        world.copy(arn(FAR, "c"), FAR, flight.arn, KEY, {}, LATER)


def test_a_place_that_is_out_answers_nothing(world: World) -> None:
    world.places = {**world.places, HOME: replace(world.places[HOME], is_out=True)}
    with pytest.raises(RefusedError, match="does not answer"):
        world.delete(arn(HOME, "a"))
    assert not world.inventory(LATER).scope(HOME).is_complete


def test_a_call_that_changes_nothing_counts_as_none(world: World) -> None:
    world.tag(arn(HOME, "a"), {"x": "1"})
    before = world.changes
    world.tag(arn(HOME, "a"), {"x": "1"}, ["y"])
    world.unshare(arn(HOME, "a"), [VAULT])
    assert world.changes == before
    world.tag(arn(HOME, "a"), {}, ["x"])
    assert world.changes == before + 1


def test_automated_snapshots_come_each_day_and_go_after_their_time(world: World) -> None:
    backed_up = replace(
        world.instances[DATABASE], backup_retention_days=2, backup_window="03:00-03:30"
    )
    world.instances[DATABASE] = backed_up
    now = LATER
    for _ in range(5):
        now = _next(world, now)
        back_up(world, now)
        world.land(now + timedelta(hours=1))
    kept = [one for one in world.snapshots.values() if one.type is SnapshotType.AUTOMATED]
    assert [one.created_at for one in kept] == [now - timedelta(days=age) for age in (2, 1, 0)]
    assert now.hour == 3


def test_there_is_no_automated_snapshot_while_a_copy_runs_in_the_region(world: World) -> None:
    world.instances[DATABASE] = replace(
        world.instances[DATABASE], backup_retention_days=2, backup_window="03:00-03:30"
    )
    opening = _next(world, START)
    world.copy(arn(HOME, "d"), HOME, arn(HOME, "a"), None, {}, opening - timedelta(minutes=1))
    back_up(world, opening)
    assert all(one.type is SnapshotType.MANUAL for one in world.snapshots.values())


def _next(world: World, now: datetime) -> datetime:
    found = next_backup(world, now)
    assert found is not None
    return found
