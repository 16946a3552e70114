"""Which points a change lets go, when, and how far back can be restored then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.documents.model import (
    Condition,
    CopyRule,
    Every,
    Guards,
    MaxDeletes,
    OneOff,
    Override,
    Retire,
    Schedule,
    Select,
)
from engine.plans.codes import Leaving
from engine.plans.plan import PlanOptions
from engine.retention.keep import Keep
from tests.consequences.comparing import (
    BOTH,
    NOW,
    ORDERS,
    PROD,
    REMOTE,
    VAULT,
    an_estate,
    an_instance,
    compared,
    days,
    gold,
    reach,
    turns,
    world,
)
from tests.planning.builders import DAY, a_policy, a_snapshot, ago, documents, plan, terms

LONG, SHORT = Keep(daily=35), Keep(daily=14)
LENIENT = an_estate(guards=Guards(max_deletes=MaxDeletes(count=1000, percent=100)))


def test_shorter_retention_lets_old_points_go_now_and_the_others_earlier() -> None:
    before, after = gold(LONG, estate=LENIENT), gold(SHORT, estate=LENIENT)
    one = reach(compared(before, after, world(days(35))))
    found = turns(one)
    gone = found[Leaving.LATER, Leaving.NOW]
    # Today's point makes the fifteenth, so that of 14 days ago goes with it.
    assert [p.slot for p in gone] == [ago(day) for day in range(34, 13, -1)]
    soon = found[Leaving.LATER, Leaving.LATER]
    assert [p.slot for p in soon] == [ago(day) for day in range(13, 0, -1)]
    for point in soon:
        assert point.after_at == point.slot + 14 * DAY
        assert point.before_at == point.slot + 35 * DAY
    assert (one.oldest_before, one.oldest_after) == (ago(34), ago(13))
    assert one.later_before is not None
    assert one.later_after == one.later_before + 21 * DAY
    assert one.policy == "gold"
    assert "gold keeps 14 daily" in gone[0].text


def test_what_both_plans_delete_is_no_consequence() -> None:
    before, after = gold(LONG, estate=LENIENT), gold(SHORT, estate=LENIENT)
    one = reach(compared(before, after, world(days(36))))
    assert {ago(36), ago(35)}.isdisjoint({point.slot for point in one.points})


def test_the_same_documents_have_no_consequences() -> None:
    found = compared(gold(LONG, *BOTH), gold(LONG, *BOTH), world(days(40, VAULT, REMOTE)))
    assert (found.reach, found.chains, found.protection) == ((), (), ())
    assert found.horizon is not None
    assert found.horizon > NOW


def test_a_guard_withholds_and_names_what_lets_it_through() -> None:
    strict = an_estate(guards=Guards(max_deletes=MaxDeletes(count=5, percent=5)))
    one = reach(compared(gold(LONG, estate=strict), gold(SHORT, estate=strict), world(days(35))))
    held = turns(one)[Leaving.LATER, Leaving.WITHHELD]
    made = plan(gold(SHORT, estate=strict), world(days(35)))
    digests = {guard.acknowledge for guard in made.guards if guard.tripped}
    assert {point.acknowledge for point in held} <= digests
    assert None not in digests
    # How far back can be restored is told as it will be once somebody acknowledged it.
    assert one.oldest_after == ago(13)


def test_a_guard_that_is_loosened_lets_go_what_it_withheld() -> None:
    strict = an_estate(guards=Guards(max_deletes=MaxDeletes(count=0, percent=5)))
    one = reach(compared(gold(SHORT, estate=strict), gold(SHORT, estate=LENIENT), world(days(35))))
    assert set(turns(one)) == {(Leaving.WITHHELD, Leaving.NOW)}
    assert one.oldest_before == one.oldest_after


def test_longer_retention_keeps_points_longer() -> None:
    one = reach(compared(gold(SHORT, estate=LENIENT), gold(LONG, estate=LENIENT), world(days(20))))
    found = turns(one)
    assert len(found[Leaving.NOW, Leaving.LATER]) == 7
    assert len(found[Leaving.LATER, Leaving.LATER]) == 13
    assert (one.oldest_before, one.oldest_after) == (ago(13), ago(20))


def test_each_location_is_told_apart() -> None:
    before = gold(LONG, CopyRule("local"), CopyRule("remote", keep=LONG), estate=LENIENT)
    after = gold(SHORT, CopyRule("local"), CopyRule("remote", keep=LONG), estate=LENIENT)
    found = compared(before, after, world(days(35, VAULT, REMOTE)))
    places = {(one.location.account, one.location.region) for one in found.reach}
    assert places == {(PROD.account, PROD.region), (VAULT.account, VAULT.region)}


def test_a_point_that_a_protection_keeps_is_not_gone_yet() -> None:
    # The target has nothing of it and would want every point.
    copies = CopyRule("local", backfill="all", keep=Keep(daily=400))
    before, after = gold(LONG, copies, estate=LENIENT), gold(SHORT, copies, estate=LENIENT)
    one = reach(compared(before, after, world(days(35))))
    held = turns(one)[Leaving.LATER, Leaving.PROTECTED]
    assert "until local has it" in held[0].text
    # That of 35 days ago is copied now, and goes behind its copy.
    assert one.oldest_after == one.oldest_before == ago(34)


def test_what_is_pinned_or_promised_goes_at_no_time() -> None:
    pinned = days(3, pin="audit")
    promise = OneOff(ago(20), "upgrade", timedelta(days=400))
    before = gold(LONG, estate=LENIENT, events=(promise,))
    after = gold(SHORT, estate=LENIENT, events=(promise,))
    one = reach(compared(before, after, world([*pinned, *days(35)[3:]])))
    assert {point.slot for point in one.points}.isdisjoint({ago(1), ago(2), ago(3), ago(20)})
    assert one.oldest_after == one.later_after == ago(20)


def test_what_is_on_hold_stays_until_the_hold_ends() -> None:
    before, after = gold(LONG, hold="case 7"), gold(SHORT, hold="case 7")
    one = reach(compared(before, after, world(days(35))))
    assert set(turns(one)) == {(Leaving.STAYS, Leaving.PROTECTED)}
    assert one.points[0].text == "on hold: case 7, until the hold is removed"
    assert one.later_before == one.later_after == ago(35)


def test_a_hold_that_is_removed_lets_points_go() -> None:
    before, after = gold(SHORT, hold="case 7", estate=LENIENT), gold(SHORT, estate=LENIENT)
    one = reach(compared(before, after, world(days(35))))
    assert set(turns(one)) >= {(Leaving.PROTECTED, Leaving.NOW), (Leaving.STAYS, Leaving.LATER)}


def test_points_of_a_removed_policy_stay() -> None:
    other = a_policy("silver")
    before = documents(*gold(SHORT, estate=LENIENT).policies.values(), other, estate=LENIENT)
    one = reach(compared(before, documents(other, estate=LENIENT), world(days(20))))
    assert {point.after for point in one.points} == {Leaving.STAYS}
    assert one.points[-1].text == "no policy matches its database any more"
    assert one.policy == "gold"


def test_points_that_the_estate_retires_go() -> None:
    retiring = replace(LENIENT, retire=(Retire(policy="gold"),))
    silver = a_policy("silver", terms=terms(SHORT))
    before, after = (documents(silver, estate=estate) for estate in (LENIENT, retiring))
    one = reach(compared(before, after, world(days(20))))
    assert Leaving.NOW in {point.after for point in one.points}
    assert {point.before for point in one.points} == {Leaving.STAYS}


def test_points_of_an_estate_with_another_name_are_left_alone() -> None:
    renamed = replace(LENIENT, name="acme-2")
    one = reach(compared(gold(SHORT, estate=LENIENT), gold(SHORT, estate=renamed), world(days(20))))
    assert {point.after for point in one.points} == {Leaving.STAYS}
    assert one.points[0].text == "these documents do not govern it"
    assert (one.oldest_before, one.oldest_after, one.later_after) == (ago(13), ago(20), ago(20))
    back = reach(
        compared(gold(SHORT, estate=renamed), gold(SHORT, estate=LENIENT), world(days(20)))
    )
    assert {point.before for point in back.points} == {Leaving.STAYS}


def test_an_override_is_judged_on_its_own() -> None:
    strict = Override(Select(Condition(identifiers=("orders-2",))), {("snapshots", "keep"): SHORT})
    policy = a_policy(terms=terms(LONG))
    two = an_instance("orders-2")
    before = documents(policy, estate=LENIENT)
    after = documents(replace(policy, overrides=(strict,)), estate=LENIENT)
    found = compared(before, after, world([*days(35), *days(35, of=two)], ORDERS, two))
    assert [one.source.identifier for one in found.reach] == ["orders-2"]


def test_databases_that_are_left_out_are_not_compared() -> None:
    two = an_instance("orders-2")
    before, after = gold(LONG, estate=LENIENT), gold(SHORT, estate=LENIENT)
    everything = world([*days(35), *days(35, of=two)], ORDERS, two)
    found = compared(before, after, everything, options=PlanOptions(only=("*/*/orders-2",)))
    assert [one.source.identifier for one in found.reach] == ["orders-2"]


def test_what_is_not_scheduled_displaces_nothing() -> None:
    before, after = gold(LONG, schedule=None), gold(Keep(daily=40), schedule=None)
    assert compared(before, after, world(days(30))).reach == ()


def test_a_schedule_of_hours_is_looked_at_once_a_day() -> None:
    hourly = Schedule(Every(timedelta(hours=1)))
    before = gold(Keep(hourly=48), schedule=hourly, estate=LENIENT)
    after = gold(Keep(hourly=24), schedule=hourly, estate=LENIENT)
    one = reach(compared(before, after, world(days(2))))
    assert one.later_before is not None
    assert one.later_after == one.later_before + timedelta(hours=24)


def test_the_look_ahead_agrees_with_plans_of_the_days_to_come() -> None:
    """What is said to go on a day is what the plan of that day deletes, if all is done until then.

    It is the plan itself that the look-ahead is measured by.
    """
    keep = Keep(last=2, daily=5, weekly=3, monthly=2)
    snapshots = days(30)
    one = reach(compared(gold(Keep(daily=400)), gold(keep, estate=LENIENT), world(snapshots)))
    said = {point.slot: point.after_at for point in one.points if point.after is Leaving.LATER}
    gone: dict[datetime, datetime] = {}
    held = snapshots
    for day in range(60):
        now = NOW + day * DAY
        made = plan(gold(keep, estate=LENIENT), world(held), now)
        deletes = {step.arn for step in made.steps if step.action == "delete_snapshot"}
        for snapshot in held:
            if snapshot.arn in deletes and day:
                slot = datetime.fromisoformat(snapshot.tags["engine:slot"]).astimezone(UTC)
                gone[slot] = ago(-day)
        held = [s for s in held if s.arn not in deletes] + [a_snapshot(ORDERS, ago(-day))]
    assert said
    assert said == {slot: at for slot, at in gone.items() if slot <= ago(1)}


def test_a_point_goes_only_when_neither_its_maker_nor_its_policy_of_now_keeps_it() -> None:
    gold_one = a_policy("gold", terms=terms(LONG))
    moved = replace(ORDERS, tags={"tier": "silver"})
    before, after = (
        documents(gold_one, a_policy("silver", terms=terms(keep)), estate=LENIENT)
        for keep in (SHORT, Keep(daily=7))
    )
    found = compared(before, after, world(days(10), moved))
    assert [point for one in found.reach for point in one.points] == []
