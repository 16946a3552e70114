"""Promise 1 for databases: one is failed over as its policy says, in peace, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import Condition, FailBack, Failover, Override, Select
from engine.inventory.records import Event, Instance
from engine.plans.codes import EFFECTS, Action
from engine.plans.plan import At, Reason, SourceRef, Step
from tests.verifying.scene import (
    AWAY,
    DATABASE,
    GOLD,
    HOME,
    NOW,
    ORDERS,
    Scene,
    create,
    delete,
    primary,
    terms_of,
)

BACK = Failover(fail_back=FailBack.IN_WINDOW)
READY = replace(
    DATABASE,
    multi_az=True,
    availability_zone="eu-west-1b",
    secondary_zone="eu-west-1a",
    maintenance_window="sat:02:00-sat:03:00",
)


def failover(at: Any = HOME, **parameters: Any) -> Step:
    given = {"DBInstanceIdentifier": "orders", "ForceFailover": True, **parameters}
    return Step(
        id="fail-over:orders",
        action=Action.FAIL_OVER,
        actions=(EFFECTS[Action.FAIL_OVER],),
        policy="gold",
        arn=ORDERS,
        source=SourceRef(HOME.account, HOME.region, "orders", "db-ORDERS"),
        slot=None,
        location=At(at.account, at.region),
        snapshot="",
        parameters=given,
        reason=Reason("test", "for the test"),
    )


def told(
    *steps: Step,
    database: Instance = READY,
    says: Failover = BACK,
    events: tuple[Event, ...] | None = (),
    **changes: Any,
) -> list[str]:
    scene = Scene(instances=[database], policies=[terms_of(GOLD, failover=says)])
    for name, value in changes.items():
        setattr(scene, name, value)
    read = scene.inventory()
    scopes = {at: replace(scope, events=events) for at, scope in read.scopes.items()}
    findings = scene.verify(replace(read, scopes=scopes), *(steps or (failover(),)))
    return [one.text for one in findings if one.step == "fail-over:orders"]


def an_event(hours: float, source: str = "orders", kind: str = "failover") -> Event:
    return Event(NOW - timedelta(hours=hours), source, "Multi-AZ failover completed", (kind,))


def test_what_the_policy_says_may_be_done() -> None:
    assert told() == []
    long_ago = (an_event(25), an_event(1, "billing"), an_event(1, kind="backup"))
    assert told(events=long_ago) == []
    assert told(says=replace(BACK, preferred_az="eu-west-1a")) == []


def test_it_is_about_one_database_that_is_there() -> None:
    said = [f"{ORDERS} is not in the inventory as db-ORDERS"]
    assert told(database=replace(READY, resource_id="db-OTHER")) == said


@pytest.mark.parametrize(
    ("step", "objection"),
    [
        (failover(ForceFailover=False), "but would call with"),
        (failover(DBInstanceIdentifier="billing"), "but would call with"),
        (failover(AWAY), "it would call at"),
    ],
    ids=["without force", "another name", "another place"],
)
def test_it_calls_for_that_database_and_nothing_else(step: Step, objection: str) -> None:
    assert [objection in text for text in told(step)] == [True]


def test_one_policy_decides() -> None:
    second = replace(terms_of(GOLD, failover=BACK), name="golden")
    said = f"2 policies take {ORDERS}; one decides about failing back"
    assert told(policies=[terms_of(GOLD, failover=BACK), second]) == [said]


def test_an_override_has_the_last_word() -> None:
    never = Override(
        Select(Condition(identifiers=("orders",))), {("failover", "fail_back"): FailBack.NEVER}
    )
    policy = replace(terms_of(GOLD, failover=BACK), overrides=(never,))
    assert told(policies=[policy]) == ["the policy says fail_back: never"]


AGAINST: list[tuple[str, dict[str, Any]]] = [
    ("the policy says fail_back: propose", {"says": Failover(fail_back=FailBack.PROPOSE)}),
    ("it would run in eu-west-1a; the policy", {"says": replace(BACK, preferred_az="eu-west-1c")}),
    ("its events were not read", {"events": None}),
    ("it failed over at 2026-11-21 01:10Z", {"events": (an_event(1),)}),
    ("it failed over at", {"events": (an_event(25),), "says": replace(BACK, quiet=timedelta(2))}),
    ("it is modifying", {"database": replace(READY, status="modifying")}),
    ("Single-AZ", {"database": replace(READY, multi_az=False)}),
    ("EngineVersion pending", {"database": replace(READY, pending=("EngineVersion",))}),
    ("is being made of it", {"snapshots": [replace(primary(4), status="creating")]}),
    ("may be being made of it", {"snapshots": [replace(primary(4), status="odd")]}),
]


@pytest.mark.parametrize(("objection", "changes"), AGAINST, ids=[what for what, _ in AGAINST])
def test_what_speaks_against_it_is_said(objection: str, changes: dict[str, Any]) -> None:
    assert [objection in text for text in told(**changes)] == [True]


@pytest.mark.parametrize(
    ("window", "is_open"),
    [
        ("sat:02:10-sat:02:40", True),
        ("sat:01:40-sat:02:10", False),
        ("fri:23:00-sat:03:00", True),
        ("sun:02:00-sun:03:00", False),
        ("02:00-03:00", False),
        ("day:02:00-day:03:00", False),
        (None, False),
    ],
)
def test_its_maintenance_window_must_be_open(window: str | None, is_open: bool) -> None:
    found = told(database=replace(READY, maintenance_window=window))
    assert found == ([] if is_open else [f"its maintenance window {window} is not open"])


def test_nothing_of_the_plan_may_wait_for_it_or_be_taken_of_it() -> None:
    behind = replace(delete(primary(1)), depends_on=("fail-over:orders",))
    steps: Iterable[Step] = (failover(), create(5), behind)
    assert ["makes a point of it" in text or "waits for it" in text for text in told(*steps)] == [
        True,
        True,
    ]
