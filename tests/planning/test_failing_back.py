"""Failing back in the maintenance window: an outage that somebody acknowledged, or none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import (
    AutomatedTerms,
    CopyRule,
    Every,
    FailBack,
    Failover,
    OneOff,
    Schedule,
    Window,
)
from engine.identity.marks import Role
from engine.inventory.records import Event, Instance, ScopeStatus, Snapshot
from engine.plans.codes import Guard
from engine.plans.plan import Plan
from tests.planning.builders import (
    DAY,
    PROD,
    SLOT,
    VAULT,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    documents,
    failed_over,
    guard,
    held_back,
    inventory,
    plan,
    step_of,
    steps,
    terms,
    waits,
)

# The slot is on a Saturday at two; the window is ten hours later.
WINDOW = "sat:12:00-sat:13:00"
NOON = SLOT + timedelta(hours=10, minutes=10)
OTHER = "euw1-az1"
ORDERS = an_instance(maintenance_window=WINDOW)
MOVED = failed_over(ORDERS)
IN_WINDOW = Failover(fail_back=FailBack.IN_WINDOW)
TOLD = Event(ago(1) - timedelta(hours=5), "orders-1", "failover completed", ("failover",))


def nights(*days: float, zone: str = "euw1-az2") -> list[Snapshot]:
    return [a_snapshot(ORDERS, ago(day), *at, zone=zone) for day in days for at in ((), (VAULT,))]


# Home until the third last night, away since; the vault has no base of the other zone any more.
STORY = [*nights(5, 4, 3, 2), *[one for one in nights(1, 0, zone=OTHER) if one.location == PROD]]


def planned(
    database: Instance = MOVED,
    snapshots: Iterable[Snapshot] = STORY,
    *,
    failover: Failover = IN_WINDOW,
    events: tuple[Event, ...] | None = (TOLD,),
    now: datetime = NOON,
    acknowledged: Iterable[str] = (),
    others: Iterable[str] = (),
    read: dict[str, Any] | None = None,
    announced: tuple[OneOff, ...] = (),
    **changes: Any,
) -> Plan:
    given: dict[str, Any] = {
        "failover": failover,
        "copies": (CopyRule("local"),),
        "events": announced,
    } | changes
    policies = [a_policy(terms=terms(**given))]
    policies += [replace(policies[0], name=name) for name in others]
    scopes = {PROD: {"events": events, **(read or {})}}
    found = inventory([database], snapshots, scopes=scopes)
    return plan(documents(*policies), found, now, acknowledged=frozenset(acknowledged))


def digest_of(found: Plan) -> str:
    return guard(found, Guard.FAIL_BACK).acknowledge or ""


def proposal(found: Plan) -> str:
    (one,) = [w.fix for w in found.warnings if w.code == "W406 fail-back"]
    return one or ""


def test_in_its_window_it_is_planned_and_withheld_until_somebody_acknowledges_it() -> None:
    found = planned()
    step = step_of(found, "fail_over")
    assert step.parameters == {"DBInstanceIdentifier": "orders-1", "ForceFailover": True}
    assert (step.arn, step.policy, step.slot, step.snapshot) == (MOVED.arn, "gold", None, "")
    assert held_back(found)[step.id] == "fail_back"
    assert found.summary.update == 0
    let_go = planned(acknowledged=[digest_of(found)])
    assert step.id not in held_back(let_go)
    assert let_go.summary.update == 1
    assert guard(let_go, Guard.FAIL_BACK).acknowledged


def test_what_must_hold_is_asked_again_right_before() -> None:
    conditions = {
        one.check.value: one.expected for one in step_of(planned(), "fail_over").preconditions
    }
    assert conditions == {
        "instance": MOVED.resource_id,
        "zones": "eu-west-1b/eu-west-1a",
        "ready_to_fail_over": f"available, Multi-AZ, maintained {WINDOW}, nothing pending",
        "no_failover_for": "86400s",
        "no_snapshot_being_made": MOVED.resource_id,
        "before": "2026-11-21T13:00:00Z",
    }


def test_outside_its_window_the_plan_says_how_to_acknowledge_it() -> None:
    early = planned(now=NOON - timedelta(hours=3))
    assert steps(early, "fail_over") == []
    assert digest_of(planned()) in proposal(early)
    assert "from 2026-11-21 12:00Z on" in proposal(early)
    late = planned(now=NOON + timedelta(hours=1), acknowledged=[digest_of(planned())])
    assert "nothing: it is acknowledged" in proposal(late)
    assert "from 2026-11-28 12:00Z on" in proposal(late)
    assert "it has no maintenance window" in proposal(
        planned(replace(MOVED, maintenance_window=None))
    )


@pytest.mark.parametrize("mode", [FailBack.NEVER, FailBack.PROPOSE])
def test_nothing_is_failed_over_unless_the_policy_says_so(mode: FailBack) -> None:
    assert steps(planned(failover=Failover(fail_back=mode)), "fail_over") == []


@pytest.mark.parametrize(
    "database",
    [ORDERS, replace(MOVED, multi_az=False, secondary_zone=None)],
    ids=["at home", "single-AZ"],
)
def test_what_is_where_it_should_be_or_has_no_standby_is_left_alone(database: Instance) -> None:
    found = planned(database)
    assert steps(found, "fail_over") == []
    assert waits(found) == []


def test_a_preferred_zone_decides_where_both_have_bases() -> None:
    both = [*nights(3, 2), *nights(1, 0, zone=OTHER)]
    assert steps(planned(snapshots=both), "fail_over") == []
    wanted = replace(IN_WINDOW, preferred_az="eu-west-1a")
    assert step_of(planned(snapshots=both, failover=wanted), "fail_over")
    elsewhere = replace(IN_WINDOW, preferred_az="eu-west-1c")
    assert steps(planned(failover=elsewhere), "fail_over") == []


def test_while_two_policies_take_it_nothing_is_failed_over() -> None:
    assert steps(planned(others=["silver"]), "fail_over") == []


def test_an_acknowledgement_is_good_for_one_failover() -> None:
    """Once a point was made where it goes back to, the next failover asks again."""
    first = digest_of(planned())
    assert first == digest_of(planned(snapshots=STORY[:-1], schedule=None))
    week = timedelta(days=7)
    again = [*STORY, *[a_snapshot(ORDERS, ago(-2)), a_snapshot(ORDERS, ago(-3), zone=OTHER)]]
    event = replace(TOLD, at=ago(-3) - timedelta(hours=5))
    found = planned(snapshots=again, events=(event,), now=NOON + week, schedule=None)
    assert digest_of(found) != first


SOON = Schedule(Every(DAY), Window(12 * 60 + 20, 14 * 60))
BUSY: dict[str, dict[str, Any]] = {
    "it is modifying": {"database": replace(MOVED, status="modifying")},
    "it is storage-optimization": {"database": replace(MOVED, status="storage-optimization")},
    "pending: EngineVersion": {"database": replace(MOVED, pending=("EngineVersion",))},
    "a point of it is made first": {"snapshots": STORY[:-1]},
    "its automated backups are changed first": {
        "database": replace(MOVED, backup_retention_days=7),
        "automated": AutomatedTerms(retention_days=3),
    },
    "its next point is due too soon": {"schedule": SOON},
    "by-hand is being made of it": {
        "snapshots": [*STORY, a_foreign_snapshot(ORDERS, NOON, status="creating")]
    },
    "nobody can tell whether": {
        "read": {"snapshots": None, "status": ScopeStatus.FAILED},
        "schedule": None,
        "failover": replace(IN_WINDOW, preferred_az="eu-west-1a"),
    },
    "its events could not be read": {"events": None},
    "is left alone until 2026-11-21 21:00Z": {"failover": replace(IN_WINDOW, quiet=2 * DAY)},
    "nothing tells when it last failed over": {"snapshots": nights(3, 2, 0)},
    "it may have failed over until 2026-11-20 02:10Z": {
        "events": (),
        "failover": replace(IN_WINDOW, quiet=2 * DAY),
    },
}


@pytest.mark.parametrize("why", BUSY)
def test_what_is_in_the_way_or_not_known_makes_it_wait(why: str) -> None:
    found = planned(**BUSY[why])
    assert steps(found, "fail_over") == []
    texts = [one.text for one in found.waiting if one.code == "fail_back"]
    assert [why in text for text in texts] == [True], texts


def test_an_announced_point_that_is_near_goes_first() -> None:
    event = OneOff(NOON + timedelta(minutes=14), "upgrade", DAY)
    assert waits(planned(announced=(event,))) == ["fail_back"]
    later = planned(announced=(replace(event, at=NOON + timedelta(minutes=40)),))
    (until,) = [
        one.expected
        for one in step_of(later, "fail_over").preconditions
        if one.check.value == "before"
    ]
    assert until == "2026-11-21T12:35:00Z"


def test_a_point_being_made_of_it_is_waited_for_and_one_copied_is_not() -> None:
    making = replace(STORY[-1], status="creating")
    assert waits(planned(snapshots=[*STORY[:-1], making]), PROD) == ["fail_back"]
    bridge = a_snapshot(ORDERS, ago(2), role=Role.BRIDGE, status="copying")
    assert step_of(planned(snapshots=[*STORY, bridge]), "fail_over")


def test_without_events_the_points_taken_since_tell_when_it_failed_over() -> None:
    assert step_of(planned(events=()), "fail_over")
    untold = planned(events=(), snapshots=nights(3, 2, 0, zone="unknown"))
    assert steps(untold, "fail_over") == []


def test_snapshots_of_others_that_are_there_are_in_nobodys_way() -> None:
    assert step_of(planned(snapshots=[*STORY, a_foreign_snapshot(ORDERS, NOON)]), "fail_over")


def test_a_database_that_was_never_seen_elsewhere_is_dated_by_its_oldest_point() -> None:
    away = nights(2, 1, 0, zone=OTHER)
    wanted = replace(IN_WINDOW, preferred_az="eu-west-1a")
    assert step_of(planned(snapshots=away, failover=wanted, events=()), "fail_over")


def test_an_event_that_later_points_contradict_dates_nothing() -> None:
    """It told of the way home; that of the way back here was lost, or is late."""
    event = replace(TOLD, at=ago(2.5))
    home = [*nights(3, 2), a_snapshot(ORDERS, ago(0), zone=OTHER)]
    assert waits(planned(events=(event,), snapshots=home), PROD) == ["fail_back"]


def test_nothing_of_the_plan_depends_on_it_and_nothing_of_it_is_withheld_with_it() -> None:
    """Copies go on; a point that is due is made before anything else."""
    found = planned()
    step = step_of(found, "fail_over")
    assert all(step.id not in other.depends_on for other in found.steps)
    assert step.depends_on == ()
    assert held_back(found) == {step.id: "fail_back"}
    assert steps(found, "copy_snapshot")
    due = planned(now=NOON + DAY, database=replace(MOVED, maintenance_window="sun:12:00-sun:13:00"))
    assert step_of(due, "create_snapshot").withheld_by is None
    assert steps(due, "fail_over") == []
