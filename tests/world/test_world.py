"""The model of AWS refuses what AWS refuses, and plans are applied to it as they should be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.world.applying import Waiting, apply
from tests.world.aws import KilledError, RefusedError, World
from tests.world.scene import DAY, database, engine, home, points
from tests.world.strategies import START
from tests.world.things import (
    HOME,
    LOCAL,
    SISTER,
    VAULT,
    Media,
    Stored,
    key_arn,
    zone_names,
)

# -- what AWS does -------------------------------------------------------------------------------


def test_a_snapshot_is_in_progress_until_its_time_is_over() -> None:
    world = World(START, takes=timedelta(minutes=25), databases=[database()])
    made = world.create(HOME, "orders", "a", {})
    assert made.is_in_flight
    assert world.record(made).created_at is None
    world.tick(timedelta(minutes=24))
    assert not world.is_quiet
    world.tick(timedelta(minutes=1))
    assert made.is_available
    assert world.record(made).original_created_at == START


def test_ids_are_taken_once() -> None:
    world = World(START, databases=[database()])
    world.create(HOME, "orders", "a", {})
    with pytest.raises(RefusedError, match="AlreadyExists"):
        world.create(HOME, "orders", "a", {})


@pytest.mark.parametrize(
    ("changes", "name"), [({"status": "stopped"}, "orders"), ({}, "stock")], ids=["state", "name"]
)
def test_only_a_database_that_is_available_is_snapshotted(
    changes: dict[str, object], name: str
) -> None:
    world = World(START, databases=[database(**changes)])
    with pytest.raises(RefusedError):
        world.create(HOME, name, "a", {})


def test_the_quota_holds() -> None:
    world = World(START, databases=[database()], quota=1)
    world.create(HOME, "orders", "a", {})
    with pytest.raises(RefusedError, match="Quota"):
        world.create(HOME, "orders", "b", {})


def test_another_account_copies_only_what_is_shared_and_under_a_key_that_can_be() -> None:
    for key, shared, error in (
        ("app", False, "not shared"),
        ("app", True, None),
        ("aws/rds", True, "default key"),
    ):
        world = World(START, databases=[database(key=key_arn(HOME, key))])
        made = world.create(HOME, "orders", "a", {})
        made.shared = {VAULT} if shared else set()
        if error is None:
            world.copy(LOCAL, made.arn, "a", "alias/backups", {})
        else:
            with pytest.raises(RefusedError, match=error):
                world.copy(LOCAL, made.arn, "a", "alias/backups", {})


def test_an_encrypted_copy_to_another_place_needs_a_key_there() -> None:
    world = World(START, databases=[database()])
    made = world.create(HOME, "orders", "a", {})
    for key, error in ((None, "needs a key"), ("alias/nowhere", "KMSKeyNotAccessible")):
        with pytest.raises(RefusedError, match=error):
            world.copy(SISTER, made.arn, "a", key, {})


def test_what_is_under_the_default_key_is_not_shared() -> None:
    world = World(START, databases=[database(key=key_arn(HOME, "aws/rds"))])
    made = world.create(HOME, "orders", "a", {})
    with pytest.raises(RefusedError, match="default key"):
        world.share(made.arn, VAULT)


def test_what_is_in_progress_is_neither_deleted_nor_shared_nor_copied() -> None:
    world = World(START, takes=DAY, databases=[database()])
    made = world.create(HOME, "orders", "a", {})
    calls: list[Callable[[], object]] = [
        lambda: world.delete(made.arn),
        lambda: world.share(made.arn, VAULT),
        lambda: world.copy(SISTER, made.arn, "a", "alias/backups", {}),
    ]
    for call in calls:
        with pytest.raises(RefusedError, match="InvalidDBSnapshotState"):
            call()


def test_the_standby_is_read_but_by_sql_server() -> None:
    assert database().media == Media("db-ORDERS", "eu-west-1b")
    assert database(engine="sqlserver-se").media == Media("db-ORDERS", "eu-west-1a")
    assert database(zones=("eu-west-1c",)).media == Media("db-ORDERS", "eu-west-1c")


def test_zones_have_other_names_in_other_accounts() -> None:
    mine, theirs = zone_names(HOME), zone_names(LOCAL)
    assert sorted(mine.values()) == sorted(theirs.values())
    assert mine["eu-west-1a"] != theirs["eu-west-1a"]


def test_what_is_stored_in_full() -> None:
    world = World(START, databases=[database()])
    (orders,) = world.databases
    stored = []
    for number in range(4):
        stored.append(world.create(HOME, "orders", f"s{number}", {}).stored)
        world.tick()
        if number != 1:
            continue
        world.fail_over(orders)
    assert stored == [Stored.FULL, Stored.INCREMENTAL, Stored.FULL, Stored.INCREMENTAL]
    world.fail_over(orders)
    assert world.create(HOME, "orders", "back", {}).stored is Stored.INCREMENTAL


def test_a_copy_across_accounts_after_a_failover_may_be_stored_either_way() -> None:
    world = World(START, databases=[database()])
    (orders,) = world.databases
    stored = []
    for number, moves in enumerate((False, False, True, True)):
        if moves:
            world.fail_over(orders)
        for again in ("a", "b"):
            made = world.create(HOME, "orders", f"s{number}{again}", {})
            world.tick()
        world.share(made.arn, VAULT)
        stored.append(world.copy(LOCAL, made.arn, made.identifier, "alias/backups", {}).stored)
        world.tick()
    assert stored == [Stored.FULL, Stored.INCREMENTAL, Stored.FULL, Stored.UNCLEAR]


def test_encrypting_is_stored_in_full() -> None:
    world = World(START, databases=[database(key="none")])
    for number in range(3):
        made = world.create(HOME, "orders", f"s{number}", {})
        world.tick()
        copied = world.copy(SISTER, made.arn, made.identifier, "alias/backups", {})
        world.tick()
    assert made.stored is Stored.INCREMENTAL
    assert copied.stored is Stored.FULL


def test_the_published_table_of_copies_under_changing_keys() -> None:
    world = World(START, databases=[database(zones=("eu-west-1a",))])
    verdicts = {}
    for number, key in enumerate(["backups", "backups-2", "backups-2", "backups-2"], start=1):
        origin = world.create(HOME, "orders", f"s{number}", {})
        world.tick()
        # The first snapshot is full, and so is its copy, whatever its key.
        copied = world.copy(HOME, origin.arn, f"s{number}c", f"alias/{key}", {})
        verdicts[copied.identifier] = copied.stored
        world.tick()
    other = world.copy(HOME, origin.arn, "s4c2", "alias/backup-share", {})
    assert verdicts == {
        "s1c": Stored.FULL,
        "s2c": Stored.FULL,
        "s3c": Stored.INCREMENTAL,
        "s4c": Stored.INCREMENTAL,
    }
    assert other.stored is Stored.FULL


# -- what the executor does ----------------------------------------------------------------------


def test_a_run_to_the_end_does_everything_and_the_next_plan_is_empty() -> None:
    made = engine(0)
    outcome = made.run()
    for not_done in (outcome.failed, outcome.refused, outcome.skipped, outcome.running):
        assert not not_done
    assert {one.location for one in points(made)} == {HOME, LOCAL}
    assert not made.plan().has_changes


def test_a_run_that_does_not_wait_leaves_what_is_in_flight() -> None:
    made = engine(0)
    made.world.takes = timedelta(minutes=25)
    outcome = made.run(Waiting.NOT)
    assert len(outcome.running) == 1
    assert outcome.skipped
    assert made.settle(waiting=Waiting.NOT) > 1


def test_a_run_dies_after_so_many_effects() -> None:
    made = engine(0)
    made.world.dies_after = 1
    with pytest.raises(KilledError):
        made.run()
    assert made.world.effects == len(points(made)) == 1


def test_a_refused_call_fails_its_dependents_and_nothing_else() -> None:
    made = engine(0)
    made.world.databases.append(database(identifier="stock", resource="db-STOCK"))
    made.world.refuses = frozenset({1})
    outcome = made.run()
    assert len(outcome.failed) == 1
    assert outcome.skipped
    assert {one.database for one in points(made)} in ({"stock"}, {"orders"})


def test_a_failover_while_a_snapshot_is_made_leaves_its_zone_unknown() -> None:
    made = engine(0)
    made.world.takes = timedelta(minutes=25)
    made.run(Waiting.NOT)
    made.world.fail_over(made.world.databases[0])
    made.settle()
    assert home(made)[0].tags["engine:az"] == "unknown"


def test_a_failover_between_plan_and_apply_refuses_the_create() -> None:
    made = engine(0)
    plan = made.plan()
    made.world.fail_over(made.world.databases[0])
    outcome = apply(plan, made.world)
    assert len(outcome.refused) == 1
    assert not points(made)
