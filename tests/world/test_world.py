"""The model of AWS refuses what AWS refuses, and its watcher objects where it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.documents.model import (
    Account,
    Condition,
    CopyRule,
    Documents,
    Estate,
    Every,
    Orphans,
    Policy,
    Schedule,
    Select,
    SnapshotTerms,
    Target,
    Terms,
)
from engine.identity.marks import PIN
from engine.plans.codes import Action
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.world.aims import check_backed_up, check_no_leftovers, latest_due
from tests.world.applying import Waiting, apply
from tests.world.aws import KilledError, RefusedError, World
from tests.world.promises import BrokenError
from tests.world.running import Engine
from tests.world.strategies import START
from tests.world.things import (
    HOME,
    LOCAL,
    PROD,
    SISTER,
    VAULT,
    Database,
    Media,
    Stored,
    Thing,
    key_arn,
    zone_names,
)

DAY = timedelta(days=1)
GOLD = Policy(
    "gold",
    Select(Condition(tags={"tier": ("gold",)})),
    Terms(
        snapshots=SnapshotTerms(
            schedule=Schedule(Every(DAY)),
            keep=Keep(last=2),
            copies=(CopyRule("local", keep=Keep(last=3)),),
        ),
        orphans=Orphans(Span(days=3)),
    ),
)
ESTATE = Estate(
    "acme",
    {
        "prod": Account("prod", PROD, (HOME.region, SISTER.region), rekey="alias/backup-share"),
        "vault": Account("vault", VAULT, (LOCAL.region,)),
    },
    {"local": Target("local", "vault", LOCAL.region, "alias/backups")},
)


def database(**changes: object) -> Database:
    plain = Database(
        location=HOME,
        identifier="orders",
        resource="db-ORDERS",
        engine="postgres",
        zones=("eu-west-1a", "eu-west-1b"),
        key=key_arn(HOME, "app"),
        tags={"tier": "gold"},
        born=START,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def engine(days: int = 1, **changes: object) -> Engine:
    """The engine before a world with one database and so many days of points."""
    made = Engine(World(START, databases=[database(**changes)]), Documents(ESTATE, {"gold": GOLD}))
    for _ in range(days):
        made.settle()
        made.world.tick(DAY)
    return made


def points(made: Engine, at: str = "") -> list[Thing]:
    """What the engine made at a location, oldest first."""
    found = [one for one in made.world.things.values() if str(one.location) == at or not at]
    return sorted(found, key=lambda one: one.original)


def home(made: Engine) -> list[Thing]:
    return points(made, str(HOME))


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


# -- what the watcher objects to -----------------------------------------------------------------


def delete_foreign(made: Engine) -> None:
    made.world.delete(made.world.put_foreign(made.world.databases[0], "theirs", {}).arn)


def tag_foreign(made: Engine) -> None:
    made.world.tag(made.world.put_foreign(made.world.databases[0], "theirs", {}).arn, {"a": "b"})


def share_foreign(made: Engine) -> None:
    made.world.share(made.world.put_foreign(made.world.databases[0], "theirs", {}).arn, VAULT)


def delete_the_newest(made: Engine) -> None:
    made.world.delete(home(made)[-1].arn)


def delete_of_an_empty_policy(made: Engine) -> None:
    snapshots = replace(GOLD.terms.snapshots, keep=Keep())
    empty = replace(GOLD, terms=replace(GOLD.terms, snapshots=snapshots))
    made.rewrite(replace(made.documents, policies={"gold": empty}))
    made.world.delete(home(made)[0].arn)


def delete_of_a_removed_policy(made: Engine) -> None:
    made.rewrite(replace(made.documents, policies={}))
    made.world.delete(home(made)[0].arn)


def delete_of_a_source_just_gone(made: Engine) -> None:
    made.world.delete_instance(made.world.databases[0])
    made.world.delete(home(made)[0].arn)


def delete_a_base(made: Engine) -> None:
    made.world.fail_over(made.world.databases[0])
    for _ in range(4):
        made.settle()
        made.world.tick(DAY)
    base = [one for one in home(made) if one.media.zone == "eu-west-1b"][-1]
    made.world.delete(base.arn)


def delete_at_an_unread_place(made: Engine) -> None:
    made.world.unreadable = {LOCAL}
    made.plan()
    made.world.delete(points(made, str(LOCAL))[0].arn)


def delete_an_origin_in_flight(made: Engine) -> None:
    made.world.takes = DAY
    origin = home(made)[0]
    copied = made.world.copy(SISTER, origin.arn, "late", "alias/backups", dict(origin.tags))
    assert copied.is_in_flight
    made.world.delete(origin.arn)


def make_a_point_twice(made: Engine) -> None:
    made.world.create(HOME, "orders", "twin", dict(home(made)[-1].tags))


def unshare_from_a_reader(made: Engine) -> None:
    made.world.takes = DAY
    origin = home(made)[-1]
    made.world.share(origin.arn, VAULT)
    copy = points(made, str(LOCAL))[-1]
    tags = dict(copy.tags)
    made.world.things.pop(copy.arn)
    made.world.copy(LOCAL, origin.arn, "again", "alias/backups", tags)
    made.world.unshare(origin.arn, VAULT)


@pytest.mark.parametrize(
    ("promise", "act"),
    [
        (1, delete_foreign),
        (1, tag_foreign),
        (1, share_foreign),
        (2, delete_the_newest),
        (2, delete_of_an_empty_policy),
        (2, delete_of_a_removed_policy),
        (2, delete_of_a_source_just_gone),
        (3, delete_a_base),
        (4, delete_at_an_unread_place),
        (4, delete_an_origin_in_flight),
        (5, make_a_point_twice),
        (5, unshare_from_a_reader),
    ],
)
def test_the_watcher_objects(promise: int, act: Callable[[Engine], None]) -> None:
    made = engine(3)
    with pytest.raises(BrokenError, match=f"promise {promise}"):
        act(made)


def test_a_missing_point_and_a_missing_copy_are_noticed() -> None:
    made = engine(2)
    (orders,) = made.world.databases
    made.settle()
    check_backed_up(made, orders)
    made.world.things.pop(points(made, str(LOCAL))[-1].arn)
    with pytest.raises(BrokenError, match="promise 8: local has no copy"):
        check_backed_up(made, orders)
    made.world.things.pop(home(made)[-1].arn)
    with pytest.raises(BrokenError, match="promise 8: orders has no point"):
        check_backed_up(made, orders)


def test_what_is_left_behind_is_noticed() -> None:
    made = engine(1)
    made.settle()
    check_no_leftovers(made)
    home(made)[-1].shared.add(VAULT)
    with pytest.raises(BrokenError, match="still shared"):
        check_no_leftovers(made)
    home(made)[-1].shared.clear()
    home(made)[0].status = "failed"
    with pytest.raises(BrokenError, match="failed and is still there"):
        check_no_leftovers(made)
    home(made)[0].tags[PIN] = "wanted"
    check_no_leftovers(made)


def test_days_are_counted_from_a_monday_and_hours_from_the_window() -> None:
    weekly = Schedule(Every(7 * DAY))
    assert latest_due(weekly, START).weekday() == 0
    assert latest_due(weekly, START + 6 * DAY) == latest_due(weekly, START)
    assert latest_due(Schedule(Every(timedelta(hours=6))), START).hour == 0


def test_plans_delete_at_last() -> None:
    made = engine(3)
    actions = [step.action for step in made.plan().steps]
    assert Action.DELETE in actions
