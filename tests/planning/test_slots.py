"""Stage 2: a slot that is due and not covered gets its recovery point, if it may be made now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import CatchUp, Cron, Every, Schedule, Window
from engine.identity.marks import Role
from engine.inventory.records import Instance, Snapshot
from engine.plans.plan import Plan
from tests.planning.builders import (
    DAY,
    NOW,
    PROD,
    REKEY,
    SLOT,
    VAULT,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    documents,
    inventory,
    plan,
    step_of,
    steps,
    terms,
    waits,
)

ORDERS = an_instance()
WINDOW = Window(120, 300)
YESTERDAY = a_snapshot(ORDERS, ago(1))
HOUR = timedelta(hours=1)
EVERY_NIGHT = Schedule(Every(DAY), WINDOW)
ALL_DAY = Schedule(Every(DAY))


def planned(
    *found: Snapshot, now: datetime = NOW, instance: Instance = ORDERS, **changes: Any
) -> Plan:
    return plan(documents(a_policy(terms=terms(**changes))), inventory([instance], found), now)


def creates(found: Plan) -> list[datetime | None]:
    return [step.slot for step in steps(found, "create_snapshot")]


def at(hour: int, minute: int = 0) -> datetime:
    return SLOT.replace(hour=hour, minute=minute)


# -- due and uncovered -> create -----------------------------------------------------------------


def test_a_slot_that_is_due_and_uncovered_gets_a_point() -> None:
    found = planned(YESTERDAY)
    step = step_of(found, "create_snapshot", PROD)
    assert step.slot == SLOT
    assert step.snapshot.startswith("orders-1-gold-20261121t0200z-euw1az2-")
    assert step.parameters["DBInstanceIdentifier"] == "orders-1"
    assert step.parameters["Tags"]["engine:slot"] == "2026-11-21T02:00:00Z"


def test_a_slot_is_not_due_before_its_time() -> None:
    assert creates(planned(YESTERDAY, now=SLOT - timedelta(seconds=1))) == []
    assert creates(planned(YESTERDAY, now=SLOT)) == [SLOT]


def test_without_a_schedule_no_points_are_made() -> None:
    assert creates(planned(YESTERDAY, schedule=None)) == []


def test_a_cron_slot_that_was_never_due_makes_no_point() -> None:
    never = Schedule(Cron("0 0 29 2 *"))
    assert creates(planned(now=NOW.replace(year=2103), schedule=never)) == []


def test_a_slot_is_covered_by_a_point_that_carries_it() -> None:
    assert creates(planned(a_snapshot(ORDERS, SLOT))) == []


@pytest.mark.parametrize("status", ["creating", "deleting", "incompatible-something"])
def test_a_slot_is_covered_by_a_point_in_any_state_but_failed(status: str) -> None:
    assert creates(planned(YESTERDAY, a_snapshot(ORDERS, SLOT, status=status))) == []


def test_a_point_that_has_no_times_yet_was_made_in_its_slot() -> None:
    nameless = {"created_at": None, "original_created_at": None}
    coming = a_snapshot(ORDERS, SLOT + HOUR, status="creating", record=nameless)
    assert creates(planned(coming, now=SLOT + HOUR)) == []
    old = a_snapshot(ORDERS, ago(1), status="creating", record=nameless)
    assert creates(planned(old)) == [SLOT]


def test_a_slot_whose_point_failed_is_not_covered_and_made_again_once_that_is_gone() -> None:
    failed = a_snapshot(ORDERS, SLOT, status="failed")
    found = planned(YESTERDAY, failed)
    create, delete = step_of(found, "create_snapshot"), step_of(found, "delete_snapshot")
    assert create.arn == delete.arn == failed.arn
    assert create.depends_on == (delete.id,)


def test_a_slot_is_covered_by_a_copy_that_carries_it() -> None:
    assert creates(planned(YESTERDAY, a_snapshot(ORDERS, SLOT, VAULT))) == []


def test_a_slot_is_covered_by_a_point_of_another_policy_that_carries_it() -> None:
    assert creates(planned(YESTERDAY, a_snapshot(ORDERS, SLOT, policy="silver"))) == []


def test_a_slot_is_covered_by_any_point_made_after_it() -> None:
    later = a_snapshot(ORDERS, SLOT + HOUR, taken_at=SLOT + HOUR)
    assert creates(planned(later, now=SLOT + 2 * HOUR)) == []


def test_a_slot_is_covered_by_a_point_made_at_the_very_instant() -> None:
    old = a_snapshot(ORDERS, ago(1), taken_at=SLOT)
    assert creates(planned(old)) == []
    older = a_snapshot(ORDERS, ago(1), taken_at=SLOT - timedelta(seconds=1))
    assert creates(planned(older)) == [SLOT]


def test_a_copy_of_an_old_point_made_after_the_slot_does_not_cover_it() -> None:
    copied_late = a_snapshot(ORDERS, ago(1), VAULT, made_at=SLOT + timedelta(minutes=5))
    assert creates(planned(YESTERDAY, copied_late)) == [SLOT]


def test_a_failed_point_or_a_bridge_made_after_the_slot_does_not_cover_it() -> None:
    failed = a_snapshot(ORDERS, SLOT + HOUR, status="failed")
    assert creates(planned(YESTERDAY, failed, now=SLOT + 2 * HOUR)) == [SLOT]
    bridge = a_snapshot(ORDERS, SLOT + HOUR, role=Role.BRIDGE, keys=(None, REKEY))
    assert creates(planned(YESTERDAY, bridge, now=SLOT + 2 * HOUR)) == [SLOT]


def test_a_snapshot_that_the_engine_does_not_own_covers_nothing() -> None:
    by_hand = a_foreign_snapshot(ORDERS, SLOT + timedelta(minutes=5))
    assert creates(planned(YESTERDAY, by_hand)) == [SLOT]


def test_a_slot_is_covered_by_points_of_the_source_itself_only() -> None:
    stranger = a_snapshot(an_instance("other"), SLOT)
    assert creates(planned(YESTERDAY, stranger)) == [SLOT]


def test_a_rename_does_not_uncover_a_slot() -> None:
    renamed = an_instance("orders-renamed", resource_id=ORDERS.resource_id)
    assert creates(planned(a_snapshot(ORDERS, SLOT), instance=renamed)) == []


def test_a_failover_does_not_uncover_a_slot() -> None:
    moved = replace(ORDERS, availability_zone="eu-west-1b", secondary_zone="eu-west-1a")
    assert creates(planned(a_snapshot(ORDERS, SLOT), instance=moved)) == []


def test_whatever_the_history_a_slot_is_made_once() -> None:
    found = planned(a_snapshot(ORDERS, SLOT, status="failed"), YESTERDAY)
    assert creates(found) == [SLOT]
    made = a_snapshot(ORDERS, SLOT, status="creating", zone_checked=False)
    assert made.identifier == step_of(found, "create_snapshot").snapshot
    assert creates(planned(made, YESTERDAY, now=NOW + timedelta(minutes=15))) == []


# -- catch_up ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("catch_up", "now", "expected"),
    [
        (CatchUp.LATEST, at(2), True),
        (CatchUp.LATEST, at(4, 59), True),
        (CatchUp.LATEST, at(5), True),
        (CatchUp.LATEST, at(23, 59), True),
        (CatchUp.IN_WINDOW, at(2), True),
        (CatchUp.IN_WINDOW, at(4, 59), True),
        (CatchUp.IN_WINDOW, at(5), False),
        (CatchUp.IN_WINDOW, at(23, 59), False),
        (CatchUp.NONE, at(2), True),
        (CatchUp.NONE, at(3, 29), True),
        (CatchUp.NONE, at(3, 30), False),
        (CatchUp.NONE, at(4, 59), False),
        (CatchUp.NONE, at(23, 59), False),
    ],
)
def test_catch_up_says_whether_a_late_point_is_made(
    catch_up: CatchUp, now: datetime, expected: bool
) -> None:
    found = planned(YESTERDAY, now=now, schedule=replace(EVERY_NIGHT, catch_up=catch_up))
    assert creates(found) == ([SLOT] if expected else [])
    assert waits(found) == ([] if expected else ["slot_missed"])


def test_catch_up_latest_makes_one_late_point_however_many_slots_were_missed() -> None:
    assert creates(planned(a_snapshot(ORDERS, ago(9)), now=at(9))) == [SLOT]


@pytest.mark.parametrize("catch_up", list(CatchUp))
def test_a_slot_without_a_window_is_open_until_the_next(catch_up: CatchUp) -> None:
    schedule = Schedule(Every(6 * HOUR), catch_up=catch_up)
    point = a_snapshot(ORDERS, SLOT.replace(hour=0))
    assert creates(planned(point, now=at(7, 29), schedule=schedule)) == [at(6)]
    late = planned(point, now=at(11, 59), schedule=schedule)
    assert creates(late) == ([] if catch_up is CatchUp.NONE else [at(6)])


def test_a_window_too_short_for_a_run_is_late_and_catch_up_decides() -> None:
    short = Schedule(Every(DAY), Window(120, 135))
    missed = replace(short, catch_up=CatchUp.IN_WINDOW)
    never = replace(short, catch_up=CatchUp.NONE)
    now = at(2, 40)
    assert creates(planned(YESTERDAY, now=now, schedule=short)) == [SLOT]
    assert creates(planned(YESTERDAY, now=now, schedule=missed)) == []
    assert creates(planned(YESTERDAY, now=now, schedule=never)) == []


# -- the first point -----------------------------------------------------------------------------


def test_the_first_point_of_a_source_waits_for_its_window() -> None:
    late = planned(now=at(14))
    assert creates(late) == []
    assert waits(late) == ["window"]
    assert creates(planned(now=NOW + DAY)) == [SLOT + DAY]


def test_the_first_point_is_made_anywhere_in_its_window() -> None:
    assert creates(planned(now=at(4, 59))) == [SLOT]


@pytest.mark.parametrize("minutes", range(5, 66, 10))
def test_no_window_is_too_short_for_the_first_point_of_an_hourly_run(minutes: int) -> None:
    short = Schedule(Every(DAY), Window(120, 125))
    assert creates(planned(now=SLOT + timedelta(minutes=minutes), schedule=short)) == [SLOT]


def test_without_a_window_the_first_point_waits_for_nothing() -> None:
    assert creates(planned(now=at(14), schedule=ALL_DAY)) == [at(0)]


def test_a_point_elsewhere_or_in_flight_is_not_the_first() -> None:
    for known in (a_snapshot(ORDERS, ago(1), VAULT), a_snapshot(ORDERS, ago(1), status="creating")):
        assert creates(planned(known, now=at(14))) == [SLOT]


def test_a_predecessors_points_do_not_make_the_first_point_of_its_heir_late() -> None:
    restored = replace(ORDERS, resource_id="db-RESTORED")
    found = planned(YESTERDAY, now=at(14), instance=restored)
    assert creates(found) == []
    assert waits(found) == ["window"]


def test_a_source_whose_points_could_not_be_read_is_not_taken_for_new() -> None:
    unread = {PROD: {"snapshots": None, "cause": "throttled"}}
    docs = documents(a_policy())
    found = plan(docs, inventory([ORDERS], scopes=unread), at(14))
    assert creates(found) == [SLOT]


# -- the automated backup window -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        ("10:00-10:30", at(8, 59), True),
        ("10:00-10:30", at(9), False),
        ("10:00-10:30", at(10, 15), False),
        ("10:00-10:30", at(11, 29), False),
        ("10:00-10:30", at(11, 30), True),
        ("23:30-00:15", at(22, 29), True),
        ("23:30-00:15", at(22, 30), False),
        ("23:30-00:15", at(23, 59), False),
        ("00:10-00:40", at(23, 9), True),
        ("00:10-00:40", at(23, 10), False),
        (None, at(10), True),
        ("whenever", at(10), True),
        # a window that leaves no time of day free is not waited for
        ("00:00-23:30", at(12), True),
        ("00:00-20:30", at(12), False),
        ("00:00-20:31", at(12), True),
    ],
)
def test_late_points_are_not_started_within_an_hour_of_the_automated_backup_window(
    window: str | None, now: datetime, expected: bool
) -> None:
    instance = replace(ORDERS, backup_window=window, backup_retention_days=7)
    found = planned(YESTERDAY, now=now, instance=instance)
    assert creates(found) == ([SLOT] if expected else [])
    assert waits(found) == ([] if expected else ["automated_backup_window"])


def test_without_automated_backups_their_window_holds_nothing_up() -> None:
    instance = replace(ORDERS, backup_window="10:00-10:30", backup_retention_days=0)
    assert creates(planned(YESTERDAY, now=at(10), instance=instance)) == [SLOT]


def test_a_point_in_its_window_is_not_late() -> None:
    instance = replace(ORDERS, backup_window="04:30-05:00", backup_retention_days=7)
    assert creates(planned(YESTERDAY, now=at(4, 45), instance=instance)) == [SLOT]


def test_a_point_of_a_slot_without_a_window_is_late_when_no_run_can_have_missed_it() -> None:
    instance = replace(ORDERS, backup_window="01:00-01:30", backup_retention_days=7)
    for now, expected in ((at(1, 29), [at(0)]), (at(1, 30), []), (at(2, 30), [at(0)])):
        found = planned(YESTERDAY, now=now, instance=instance, schedule=ALL_DAY)
        assert creates(found) == expected


def test_a_point_that_no_run_could_make_in_a_short_window_waits_for_no_other_window() -> None:
    short = Schedule(Every(DAY), Window(120, 125))
    instance = replace(ORDERS, backup_window="02:30-03:00", backup_retention_days=7)
    assert creates(planned(now=at(2, 20), instance=instance, schedule=short)) == [SLOT]


# -- states --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("available", True),
        ("storage-optimization", True),
        ("backing-up", False),
        ("modifying", False),
        ("stopped", False),
        ("something-new", False),
    ],
)
def test_a_source_whose_state_allows_no_snapshot_is_reported_and_skipped(
    status: str, expected: bool
) -> None:
    found = planned(YESTERDAY, instance=replace(ORDERS, status=status))
    assert creates(found) == ([SLOT] if expected else [])
    assert waits(found) == ([] if expected else ["source_state"])


def test_the_state_of_one_source_holds_up_no_other() -> None:
    stopped, fine = an_instance("stopped", status="stopped"), an_instance("fine")
    found = plan(documents(a_policy()), inventory([stopped, fine]))
    assert [step.source.identifier for step in steps(found, "create_snapshot")] == ["fine"]


# -- what is made --------------------------------------------------------------------------------


def test_a_point_says_what_was_snapshotted_and_under_which_key() -> None:
    tags = step_of(planned(YESTERDAY), "create_snapshot").parameters["Tags"]
    assert {key: tags[key] for key in sorted(tags)} == {
        "engine:az": "euw1-az2",
        "engine:estate": "acme",
        "engine:keys": YESTERDAY.tags["engine:keys"],
        "engine:policy": "gold",
        "engine:resource": "db-ORDERS-1",
        "engine:role": "primary",
        "engine:slot": "2026-11-21T02:00:00Z",
        "engine:source": ORDERS.arn,
        "engine:volume": "db-ORDERS-1",
    }


@pytest.mark.parametrize(
    ("changes", "zone"),
    [
        ({}, "euw1-az2"),
        ({"engine": "sqlserver-se"}, "euw1-az1"),
        ({"multi_az": False}, "euw1-az1"),
        ({"secondary_zone": None}, "unknown"),
    ],
)
def test_a_point_is_tagged_with_the_zone_that_its_engine_reads(
    changes: dict[str, Any], zone: str
) -> None:
    found = planned(YESTERDAY, instance=replace(ORDERS, **changes))
    assert step_of(found, "create_snapshot").parameters["Tags"]["engine:az"] == zone


def test_an_unencrypted_source_has_no_key() -> None:
    found = planned(YESTERDAY, instance=replace(ORDERS, encrypted=False, kms_key=None))
    assert step_of(found, "create_snapshot").parameters["Tags"]["engine:keys"] == "none"


def test_right_before_a_create_the_instance_and_its_zones_must_be_those_planned_for() -> None:
    step = step_of(planned(YESTERDAY), "create_snapshot")
    assert [(one.check.value, one.arn, one.expected) for one in step.preconditions] == [
        ("instance", ORDERS.arn, "db-ORDERS-1"),
        ("zones", ORDERS.arn, "eu-west-1a/eu-west-1b"),
        ("absent", step.arn, step.snapshot[-8:]),
    ]


@pytest.mark.parametrize(
    ("changes", "zones"),
    [
        ({"secondary_zone": None}, "eu-west-1a/"),
        ({"availability_zone": None, "secondary_zone": None}, "/"),
    ],
)
def test_a_zone_that_the_record_does_not_name_must_still_be_missing(
    changes: dict[str, Any], zones: str
) -> None:
    found = planned(YESTERDAY, instance=replace(ORDERS, **changes))
    assert step_of(found, "create_snapshot").preconditions[1].expected == zones
