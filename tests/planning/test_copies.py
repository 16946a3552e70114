"""Stage 3: what each target wants, and the one copy it gets now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.documents.model import (
    Backfill,
    CopyRule,
    Every,
    Policy,
    Schedule,
)
from engine.identity.marks import Role
from engine.inventory.records import Instance, Location, Snapshot
from engine.plans.plan import Plan
from engine.retention.keep import ALL, Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    DAY,
    NOW,
    REMOTE,
    SLOT,
    VAULT,
    VAULT_KEY,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    deleted,
    documents,
    inventory,
    origin_of,
    plan,
    step_of,
    steps,
    terms,
    waits,
)

ORDERS = an_instance()
ALL_POINTS = Keep(last=ALL)
LOCAL = CopyRule("local", keep=ALL_POINTS)
HOUR = timedelta(hours=1)


def gold(*rules: CopyRule, keep: Keep = ALL_POINTS, **changes: Any) -> Policy:
    return a_policy(terms=terms(keep, rules or (LOCAL,), **changes))


def planned(
    *found: Snapshot,
    policy: Policy | None = None,
    instance: Instance = ORDERS,
    now: datetime = NOW,
    **world: Any,
) -> Plan:
    return plan(documents(policy or gold()), inventory([instance], found, **world), now)


def sent(found: Plan, location: Location = VAULT) -> list[datetime | None]:
    return [step.slot for step in steps(found, "copy_snapshot", location)]


def primaries(days: Iterable[int]) -> list[Snapshot]:
    """Primaries so many days ago, today's (0) being available."""
    return daily(ORDERS, days)


def copies(days: Iterable[int], location: Location = VAULT) -> list[Snapshot]:
    return daily(ORDERS, days, location)


# -- what a target gets --------------------------------------------------------------------------


def test_a_target_gets_the_point_it_lacks_under_its_own_key() -> None:
    today, yesterday = primaries([0, 1])
    found = planned(today, yesterday, *copies([1]))
    step = step_of(found, "copy_snapshot")
    assert origin_of(step) == today.arn
    assert step.parameters["KmsKeyId"] == VAULT_KEY
    assert step.snapshot[:-8] == today.identifier[:-8]
    assert step.snapshot[-8:] != today.identifier[-8:]
    assert step.location == type(step.location)(VAULT.account, VAULT.region)


def test_a_copy_remembers_volume_zone_and_every_key_of_its_way() -> None:
    today = a_snapshot(ORDERS, SLOT)
    tags = step_of(planned(today), "copy_snapshot").parameters["Tags"]
    primary = today.tags
    assert tags["engine:role"] == "copy"
    assert tags["engine:origin"] == today.arn
    expected = a_snapshot(ORDERS, SLOT, VAULT).tags["engine:keys"]
    assert tags["engine:keys"] == expected
    assert tags["engine:keys"].startswith(f"{primary['engine:keys']}/")
    for key in ("estate", "policy", "slot", "resource", "source", "volume", "az"):
        assert tags[f"engine:{key}"] == primary[f"engine:{key}"]


def test_what_is_true_of_an_origin_alone_is_not_passed_on() -> None:
    odd = a_snapshot(ORDERS, SLOT, pin="case 7", gone_since=ago(2), shared=frozenset({"3" * 12}))
    tags = step_of(planned(odd), "copy_snapshot").parameters["Tags"]
    assert {"engine:pin", "engine:gone-since", "engine:shared"} & set(tags) == set()


def test_a_point_that_is_made_now_is_copied_now() -> None:
    found = planned(*primaries([1]), *copies([1]))
    create, copy = step_of(found, "create_snapshot"), step_of(found, "copy_snapshot")
    assert origin_of(copy) == create.arn
    assert create.id in copy.depends_on


def test_a_target_that_has_all_points_gets_none() -> None:
    found = planned(*primaries([0, 1]), *copies([0, 1]))
    assert found.steps == ()
    assert waits(found) == []


def test_bridges_and_failed_points_are_not_sent() -> None:
    bridge = a_snapshot(ORDERS, ago(2), role=Role.BRIDGE)
    failed = a_snapshot(ORDERS, ago(1), status="failed")
    found = planned(*primaries([0]), bridge, failed, *copies([3]))
    assert sent(found) == [SLOT]


def test_a_copy_of_a_copy_is_not_made() -> None:
    found = planned(*copies([0, 1], REMOTE), *copies([2]))
    assert sent(found) == []


# -- copies[].every ------------------------------------------------------------------------------


def hourly(*hours: int, day: int = 0) -> list[Snapshot]:
    start = SLOT.replace(hour=0) - day * DAY
    return [a_snapshot(ORDERS, start + hour * HOUR) for hour in hours]


EVERY_THREE_HOURS = Schedule(Every(3 * HOUR))
DAILY_COPIES = replace(LOCAL, every=DAY)


def test_every_sends_only_the_first_point_of_each_period() -> None:
    policy = gold(DAILY_COPIES, schedule=EVERY_THREE_HOURS)
    first = a_snapshot(ORDERS, SLOT.replace(hour=0) - DAY, VAULT)
    points = [*hourly(0, 3, 6, day=1), *hourly(0, 3, 6)]
    now = SLOT.replace(hour=6, minute=30)
    assert sent(planned(first, *points, policy=policy, now=now)) == [SLOT.replace(hour=0)]
    both = (first, a_snapshot(ORDERS, SLOT.replace(hour=0), VAULT))
    assert sent(planned(*both, *points, policy=policy, now=now)) == []


def test_the_first_point_of_a_period_is_the_first_that_there_is() -> None:
    policy = gold(DAILY_COPIES, schedule=EVERY_THREE_HOURS)
    first = a_snapshot(ORDERS, SLOT.replace(hour=0) - DAY, VAULT)
    now = SLOT.replace(hour=6, minute=30)
    assert sent(planned(first, *hourly(3, 6), policy=policy, now=now)) == [SLOT.replace(hour=3)]


def test_periods_are_local_days() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    policy = gold(DAILY_COPIES, schedule=EVERY_THREE_HOURS, timezone=berlin)
    midnight = SLOT.replace(hour=23) - DAY
    day_before = a_snapshot(ORDERS, midnight - DAY, VAULT)
    points = [a_snapshot(ORDERS, midnight + hours * HOUR) for hours in (-3, 0, 3)]
    assert sent(planned(day_before, *points, policy=policy, now=SLOT + HOUR)) == [midnight]


def test_a_weekly_copy_is_that_of_the_weeks_first_point() -> None:
    policy = gold(replace(LOCAL, every=7 * DAY))
    monday = ago(5)
    assert monday.weekday() == 0
    found = planned(*primaries(range(7)), a_snapshot(ORDERS, ago(7), VAULT), policy=policy)
    assert sent(found) == [monday]
    assert sent(planned(*primaries(range(7)), *copies([5, 7]), policy=policy)) == []


def test_a_failed_first_copy_of_a_period_is_sent_again() -> None:
    policy = gold(DAILY_COPIES, schedule=EVERY_THREE_HOURS)
    first = a_snapshot(ORDERS, SLOT.replace(hour=0) - DAY, VAULT)
    failed = a_snapshot(ORDERS, SLOT.replace(hour=0), VAULT, status="failed")
    now = SLOT.replace(hour=3, minute=30)
    found = planned(first, failed, *hourly(0, 3), policy=policy, now=now)
    assert sent(found) == [SLOT.replace(hour=0)]


# -- an empty target, and backfill ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("backfill", "expected"), [(0, 0), (1, 1), (3, 3), (5, 5), (99, 5), ("all", 5)]
)
def test_an_empty_target_gets_the_newest_point_and_what_backfill_says(
    backfill: Backfill, expected: int
) -> None:
    policy = gold(replace(LOCAL, backfill=backfill))
    world = primaries(range(6))
    order = []
    while (found := sent(planned(*world, policy=policy))) != []:
        assert len(found) == 1
        assert found[0] is not None
        order.append(found[0])
        world.append(a_snapshot(ORDERS, found[0], VAULT))
    assert order == [ago(day) for day in range(expected, -1, -1)]


def test_the_newest_point_of_an_empty_target_may_be_one_that_is_made_now() -> None:
    assert sent(planned(*primaries([1, 2]))) == [SLOT]


def test_a_target_with_points_gets_nothing_older_than_its_oldest() -> None:
    policy = gold(replace(LOCAL, backfill="all"))
    found = planned(*primaries(range(6)), *copies([2, 0]), policy=policy)
    assert sent(found) == [ago(1)]
    assert sent(planned(*primaries(range(6)), *copies([2, 1, 0]), policy=policy)) == []


def test_a_target_that_only_holds_failed_copies_is_empty() -> None:
    found = planned(*primaries(range(4)), a_snapshot(ORDERS, ago(3), VAULT, status="failed"))
    assert sent(found) == [SLOT]


def test_a_copy_from_the_future_does_not_make_a_target_full() -> None:
    ahead = a_snapshot(ORDERS, SLOT + 30 * DAY, VAULT)
    assert sent(planned(*primaries(range(3)), ahead)) == [SLOT]


def test_each_source_has_a_history_of_its_own_at_a_target() -> None:
    other = an_instance("other")
    world = [*primaries(range(3)), *daily(other, [0, 1], VAULT), *daily(other, [0, 1])]
    found = plan(documents(gold()), inventory([ORDERS, other], world))
    assert [(step.source.identifier, step.slot) for step in steps(found, "copy_snapshot")] == [
        ("orders-1", SLOT)
    ]


# -- nothing is sent to be removed ---------------------------------------------------------------


@pytest.mark.parametrize(
    "keep",
    [
        Keep(last=1),
        Keep(last=2),
        Keep(daily=3),
        Keep(weekly=2),
        Keep(weekly=1, monthly=1),
        Keep(monthly=2, yearly=ALL),
        Keep(within=Span(days=2)),
        Keep(within_daily=Span(days=9), last=1),
        Keep(),
    ],
    ids=lambda keep: keep.sentence(),
)
@pytest.mark.parametrize("backfill", [0, 3, "all"])
def test_nothing_is_sent_to_be_removed(keep: Keep, backfill: Backfill) -> None:
    policy = gold(CopyRule("local", backfill=backfill, keep=keep))
    world = primaries(range(40))
    for _ in range(60):
        found = planned(*world, policy=policy)
        new = sent(found)
        if not new and not deleted(found):
            break
        assert deleted(found) == set(), "what was sent a moment ago is removed"
        assert new[0] is not None
        world.append(a_snapshot(ORDERS, new[0], VAULT))
    else:
        pytest.fail("it does not settle")
    assert max(s.tags["engine:slot"] for s in world if s.location == VAULT) == (
        "2026-11-21T02:00:00Z"
    )


def test_a_target_that_keeps_less_than_it_could_be_sent_gets_only_what_it_would_keep() -> None:
    policy = gold(CopyRule("local", keep=Keep(last=2)))
    found = planned(*primaries(range(6)), *copies([5]), policy=policy)
    assert sent(found) == [ago(1)]


def test_what_is_made_now_counts_when_a_target_decides_what_it_wants() -> None:
    policy = gold(CopyRule("local", keep=Keep(last=1)))
    found = planned(*primaries([1, 2]), *copies([2]), policy=policy)
    assert sent(found) == [SLOT]


def test_a_target_without_a_retention_of_its_own_keeps_as_the_source_does() -> None:
    policy = gold(CopyRule("local"), keep=Keep(last=2))
    found = planned(*primaries(range(4)), *copies([4]), policy=policy)
    assert sent(found) == [ago(1)]


# -- oldest first, one in flight -----------------------------------------------------------------


def test_the_oldest_slot_is_sent_first() -> None:
    assert sent(planned(*primaries(range(5)), *copies([4]))) == [ago(3)]


def test_one_copy_is_in_flight_per_source_and_target() -> None:
    coming = a_snapshot(ORDERS, ago(1), VAULT, status="copying")
    found = planned(*primaries(range(3)), *copies([2]), coming)
    assert sent(found) == []
    assert waits(found, VAULT) == ["copy_in_flight"]


def test_a_copy_in_flight_that_is_all_a_target_wants_is_not_waited_for() -> None:
    coming = a_snapshot(ORDERS, SLOT, VAULT, status="pending")
    found = planned(*primaries(range(2)), *copies([1]), coming)
    assert found.steps == ()
    assert waits(found) == []


def test_targets_and_sources_do_not_wait_for_one_another() -> None:
    other = an_instance("other")
    world = [
        *primaries([0, 1]),
        *daily(other, [0, 1]),
        *copies([1]),
        *copies([1], REMOTE),
        *daily(other, [1], VAULT),
        a_snapshot(ORDERS, SLOT, VAULT, status="copying"),
    ]
    policy = gold(LOCAL, CopyRule("remote"))
    found = plan(documents(policy), inventory([ORDERS, other], world))
    assert {
        (step.source.identifier, step.location.region, step.slot)
        for step in steps(found, "copy_snapshot")
    } == {("orders-1", REMOTE.region, SLOT), ("other", VAULT.region, SLOT)} | {
        ("other", REMOTE.region, SLOT)
    }


def test_a_copy_in_a_state_that_nobody_knows_does_not_hold_up_the_next() -> None:
    odd = a_snapshot(ORDERS, ago(1), VAULT, status="incompatible-something")
    found = planned(*primaries([0, 1]), *copies([2]), odd)
    assert sent(found) == [SLOT]


def test_a_copy_that_is_being_deleted_is_not_sent_again_yet() -> None:
    going = a_snapshot(ORDERS, SLOT, VAULT, status="deleting")
    assert sent(planned(*primaries([0, 1]), *copies([1]), going)) == []


def test_what_waits_is_decided_anew_in_each_run() -> None:
    policy = gold(CopyRule("local", keep=Keep(last=2)))
    world = [*primaries(range(3)), *copies([3])]
    assert sent(planned(*world, policy=policy)) == [ago(1)]
    tomorrow = planned(*world, a_snapshot(ORDERS, SLOT + DAY), policy=policy, now=NOW + DAY)
    assert sent(tomorrow) == [SLOT]


def test_an_origin_that_is_still_made_is_waited_for() -> None:
    coming = a_snapshot(ORDERS, SLOT, status="creating", zone_checked=False)
    found = planned(coming, *primaries([1]), *copies([1]))
    assert sent(found) == []
    assert waits(found, VAULT) == ["origin_in_flight"]


def test_an_origin_in_a_state_that_nobody_knows_holds_up_nothing() -> None:
    odd = a_snapshot(ORDERS, ago(1), status="incompatible-something")
    assert sent(planned(odd, *primaries([0]), *copies([2]))) == [SLOT]
