"""One-off points: made besides the schedule, kept for a time of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import (
    CopyRule,
    Documents,
    Every,
    Guards,
    MaxDeletes,
    OneOff,
    Orphans,
    Retire,
    Schedule,
)
from engine.identity.marks import Role
from engine.inventory.records import Snapshot
from engine.retention.keep import Keep
from engine.retention.spans import Span
from tests.planning.builders import (
    DAY,
    DEFAULT_KEY,
    NOW,
    SLOT,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    daily,
    deleted,
    documents,
    inventory,
    kept,
    plan,
    reasons,
    step_of,
    steps,
    terms,
    waits,
)
from tests.planning.judging import EVERYTHING, ONE, ORDERS, gold, judged

EVENING = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
MONTH = timedelta(days=30)
UPGRADE = OneOff(EVENING, "upgrade to 17", MONTH)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def announced(*events: OneOff, keep: Keep = ONE, **changes: Any) -> Documents:
    """A policy with events and nothing due but them, unless a schedule is given."""
    given = {"schedule": None, "events": events or (UPGRADE,)} | changes
    copies = given.pop("copies", ())
    return documents(a_policy(terms=terms(keep, copies, **given)))


def one_off(slot: datetime = EVENING, *, until: datetime | None = None, **changes: Any) -> Snapshot:
    promise: dict[str, Any] = {"keep_until": until or slot + MONTH, "reason": "upgrade to 17"}
    return a_snapshot(ORDERS, slot, **(promise | changes))


def at(moment: datetime, docs: Documents, *found: Snapshot, **changes: Any) -> Any:
    return plan(docs, inventory([ORDERS], found, **changes), moment)


# -- making them ---------------------------------------------------------------------------------


def test_an_event_is_due_at_its_time_and_its_slot_is_that_time() -> None:
    assert steps(at(EVENING - MINUTE, announced()), "create_snapshot") == []
    made = step_of(at(EVENING, announced()), "create_snapshot")
    assert made.slot == EVENING
    assert made.reason.code == "event_due"
    assert "upgrade to 17" in made.reason.text
    tags = made.parameters["Tags"]
    assert tags["engine:slot"] == "2026-11-20T20:00:00Z"
    assert tags["engine:keep-until"] == "2026-12-20T20:00:00Z"
    assert tags["engine:reason"] == "upgrade to 17"


def test_an_event_whose_point_is_there_makes_no_other_one() -> None:
    assert at(EVENING + HOUR, announced(), one_off()).steps == ()
    assert at(EVENING + HOUR, announced(), a_snapshot(ORDERS, EVENING)).steps == ()


def test_a_failed_point_of_an_event_is_made_again() -> None:
    found = at(EVENING + HOUR, announced(), one_off(status="failed"))
    assert step_of(found, "create_snapshot").depends_on == (step_of(found, "delete_snapshot").id,)


def test_an_event_is_caught_up_with_until_the_next_regular_slot() -> None:
    nightly = announced(schedule=Schedule(Every(DAY)))
    last_night = a_snapshot(ORDERS, EVENING.replace(hour=0))
    late = at(EVENING + 3 * HOUR, nightly, last_night)
    assert [step.slot for step in steps(late, "create_snapshot")] == [EVENING]
    over = at(EVENING + 5 * HOUR, nightly, last_night)
    assert [step.slot for step in steps(over, "create_snapshot")] == [EVENING + 4 * HOUR]
    assert waits(over) == ["slot_missed"]


def test_an_event_without_a_schedule_is_caught_up_with_while_it_would_be_kept() -> None:
    assert steps(at(EVENING + MONTH - MINUTE, announced()), "create_snapshot")
    over = at(EVENING + MONTH, announced())
    assert over.steps == ()
    assert over.waiting == ()


def test_a_database_made_after_an_event_owes_no_point_for_it() -> None:
    young = replace(ORDERS, created_at=EVENING + MINUTE)
    found = plan(announced(), inventory([young]), EVENING + HOUR)
    assert found.steps == ()
    assert found.waiting == ()


def test_an_event_waits_for_a_database_whose_state_allows_no_snapshot() -> None:
    found = plan(announced(), inventory([replace(ORDERS, status="modifying")]), EVENING)
    assert found.steps == ()
    assert waits(found) == ["source_state"]


def test_only_a_late_point_of_an_event_keeps_away_from_the_automated_backup_window() -> None:
    near = replace(ORDERS, backup_window="20:30-21:00", backup_retention_days=7)
    fresh = plan(announced(), inventory([near]), EVENING)
    assert step_of(fresh, "create_snapshot")
    near = replace(near, backup_window="22:30-23:00")
    late = plan(announced(), inventory([near]), EVENING + 2 * HOUR)
    assert waits(late) == ["automated_backup_window"]


def test_the_regular_point_is_made_behind_that_of_an_event() -> None:
    docs = announced(replace(UPGRADE, at=SLOT + 5 * MINUTE), schedule=Schedule(Every(DAY)))
    found = at(NOW, docs)
    regular, event = sorted(steps(found, "create_snapshot"), key=lambda step: step.slot or NOW)
    assert event.slot == SLOT + 5 * MINUTE
    assert regular.depends_on == (event.id,)


def test_one_point_serves_a_slot_and_an_event_of_the_same_time() -> None:
    docs = announced(replace(UPGRADE, at=SLOT), schedule=Schedule(Every(DAY / 12)))
    made = step_of(at(SLOT, docs), "create_snapshot")
    assert made.parameters["Tags"]["engine:reason"] == "upgrade to 17"


def test_a_one_off_point_does_not_stand_for_a_regular_one() -> None:
    docs = announced(schedule=Schedule(Every(DAY)))
    made_since = one_off(SLOT + MINUTE, taken_at=SLOT + 2 * MINUTE)
    assert step_of(at(NOW, docs, made_since), "create_snapshot").slot == SLOT.replace(hour=0)


# -- keeping them --------------------------------------------------------------------------------


def test_a_one_off_point_stays_for_its_time_whatever_rules_say() -> None:
    point, newer = one_off(), daily(ORDERS, [0])
    found = judged(gold(), point, *newer)
    assert kept(found, point) == ["event"]
    assert reasons(found, point)["event"].until == "2026-12-20 20:00Z"
    assert "upgrade to 17" in reasons(found, point)["event"].text


def test_it_stays_though_its_event_was_removed_from_the_policy() -> None:
    assert kept(judged(gold(), one_off(), *daily(ORDERS, [0])), one_off()) == ["event"]


def test_rules_decide_about_it_once_its_time_is_over() -> None:
    point = one_off(until=NOW)
    assert deleted(judged(gold(), point, *daily(ORDERS, [0]))) == {point.arn}
    assert kept(judged(gold(Keep(last=2)), point, *daily(ORDERS, [0])), point) == ["last"]


def test_a_regular_point_with_the_time_of_an_event_stays_as_long_as_the_policy_says() -> None:
    point = a_snapshot(ORDERS, EVENING)
    newer = daily(ORDERS, [0])
    assert kept(at(NOW, announced(), point, *newer), point) == ["event"]
    assert deleted(judged(gold(), point, *newer)) == {point.arn}


def test_an_event_keeps_its_point_no_longer_than_it_says() -> None:
    point, newer = a_snapshot(ORDERS, EVENING), daily(ORDERS, [0])
    assert kept(at(EVENING + MONTH - MINUTE, announced(), point, *newer), point) == ["event"]
    assert deleted(at(EVENING + MONTH, announced(), point, *newer)) == {point.arn}


@pytest.mark.parametrize(
    "keep", [Keep(last=2), Keep(daily=2), Keep(within=Span(days=1, hours=1)), Keep(weekly=1)]
)
def test_it_takes_the_place_of_no_regular_point(keep: Keep) -> None:
    regular = daily(ORDERS, range(5))
    alone = judged(gold(keep), *regular)
    extra = [one_off(slot + HOUR) for slot in (ago(0), ago(1), ago(2))]
    together = judged(gold(keep), *regular, *extra)
    assert deleted(together) == deleted(alone)
    assert deleted(alone)


def test_it_stays_at_every_target_too() -> None:
    docs = gold(ONE, CopyRule("local", keep=ONE))
    copy = one_off(location=VAULT)
    found = judged(docs, copy, *daily(ORDERS, [0], VAULT), *daily(ORDERS, [0]))
    assert kept(found, copy) == ["event"]


def test_it_outlives_its_database_and_the_time_of_orphans() -> None:
    docs = gold(orphans=Orphans(Span(days=1), keep_last=0))
    point = one_off(gone_since=ago(20))
    other = a_snapshot(ORDERS, ago(2), gone_since=ago(20))
    found = plan(docs, inventory([], [point, other]))
    assert kept(found, point) == ["event"]
    assert deleted(found) == {other.arn}


def test_the_estate_cannot_retire_it_before_its_time() -> None:
    estate = an_estate(retire=(Retire(policy="old"),))
    docs = documents(a_policy(terms=terms(ONE, schedule=None)), estate=estate)
    point = one_off(policy="old")
    other = a_snapshot(ORDERS, ago(3), policy="old")
    found = judged(docs, point, other, *daily(ORDERS, [0]))
    assert kept(found, point) == ["event"]
    assert deleted(found) == {other.arn}


def test_a_promise_with_no_readable_end_is_not_ours_to_break() -> None:
    point = one_off()
    tampered = replace(point, tags={**point.tags, "engine:keep-until": "for ever"})
    found = judged(gold(), tampered, *daily(ORDERS, [0]))
    assert deleted(found) == set()


def test_taking_the_tag_off_ends_the_promise() -> None:
    point = one_off()
    tags = {key: value for key, value in point.tags.items() if key != "engine:keep-until"}
    bare = replace(point, tags=tags)
    assert deleted(judged(gold(), bare, *daily(ORDERS, [0]))) == {point.arn}


# -- copying them --------------------------------------------------------------------------------


def copying(**changes: Any) -> Documents:
    return gold(EVERYTHING, CopyRule("local", **({"keep": EVERYTHING} | changes)))


def test_its_copy_is_promised_for_as_long() -> None:
    copy = step_of(judged(copying(), one_off()), "copy_snapshot")
    assert copy.parameters["Tags"]["engine:keep-until"] == "2026-12-20T20:00:00Z"
    assert copy.parameters["Tags"]["engine:reason"] == "upgrade to 17"


def test_a_target_gets_it_even_where_its_rules_would_drop_it() -> None:
    docs = copying(keep=Keep(last=1))
    there = daily(ORDERS, [0], VAULT)
    found = judged(docs, one_off(), *daily(ORDERS, [0]), *there)
    assert step_of(found, "copy_snapshot").slot == EVENING


def test_it_is_sent_besides_the_first_of_each_period_and_does_not_count_as_it() -> None:
    docs = copying(every=7 * DAY)
    monday = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
    point = one_off(monday - HOUR)
    regular = a_snapshot(ORDERS, monday)
    found = judged(docs, point, regular)
    assert step_of(found, "copy_snapshot").slot == point_slot(point)
    found = judged(docs, point, one_off(monday - HOUR, location=VAULT), regular)
    assert step_of(found, "copy_snapshot").slot == monday


def point_slot(snapshot: Snapshot) -> datetime:
    return datetime.fromisoformat(snapshot.tags["engine:slot"])


def test_it_makes_no_empty_target_want_older_points() -> None:
    docs = copying()
    regular = daily(ORDERS, range(1, 6))
    there = one_off(ago(5) + HOUR, location=VAULT)
    found = judged(docs, one_off(ago(5) + HOUR), *regular, there)
    assert step_of(found, "copy_snapshot").slot == ago(1)


def test_a_point_that_is_to_stay_where_it_is_goes_to_no_target() -> None:
    point = one_off(stays_here=True)
    assert point.tags["engine:copies"] == "none"
    assert judged(copying(), point).steps == ()
    # Nor is it missed there, so nothing waits for it.
    assert judged(copying(), point).waiting == ()


def test_its_bridge_goes_when_it_is_done() -> None:
    legacy = an_instance(kms_key=DEFAULT_KEY)
    keys: dict[str, Any] = {"keys": (DEFAULT_KEY,)}
    point = a_snapshot(legacy, EVENING, keep_until=EVENING + MONTH, reason="x", **keys)
    promise: dict[str, Any] = {"keep_until": EVENING + MONTH, "reason": "x"}
    bridges = [
        a_snapshot(legacy, slot, role=Role.BRIDGE, **promise) for slot in (EVENING - DAY, EVENING)
    ]
    copies = [a_snapshot(legacy, slot, VAULT, **promise) for slot in (EVENING - DAY, EVENING)]
    found = plan(copying(), inventory([legacy], [point, *bridges, *copies]))
    assert deleted(found) == {bridges[0].arn}


# -- guards --------------------------------------------------------------------------------------


def test_new_one_off_points_excuse_no_deletes() -> None:
    estate = an_estate(guards=Guards(max_deletes=MaxDeletes(count=0)))
    docs = documents(a_policy(terms=terms(ONE, schedule=None)), estate=estate)
    old = daily(ORDERS, [0, 5, 6])
    excused = judged(docs, *old, *daily(ORDERS, [1]))
    extra = judged(docs, *old, one_off(ago(1) + HOUR))
    value = {guard.guard.value: guard.value for guard in extra.guards}
    assert value["max_deletes"] == 1
    assert {guard.guard.value: guard.value for guard in excused.guards}["max_deletes"] == 1
    assert extra.summary.withheld == 2


# -- several points a day ------------------------------------------------------------------------


def test_points_of_every_two_hours_are_thinned_out_to_days() -> None:
    keep = Keep(within=Span(days=1), daily=7)
    slots = [NOW.replace(hour=2, minute=0) - n * 2 * HOUR for n in range(120)]
    found = judged(gold(keep), *(a_snapshot(ORDERS, slot) for slot in slots))
    left = {slot for slot in slots if a_snapshot(ORDERS, slot).arn not in deleted(found)}
    newest = max(slots)
    lately = {slot for slot in slots if newest - slot < DAY}
    last_of_days = {
        max(slot for slot in slots if slot.date() == (newest - n * DAY).date()) for n in range(7)
    }
    assert left == lately | last_of_days
    assert len(left) == 12 + 5
