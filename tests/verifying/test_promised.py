"""Promise 2 for one-off points: they stay for their own time, and displace nothing meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.documents.model import OneOff, Retire
from engine.identity.marks import Role
from engine.inventory.records import Snapshot
from tests.verifying.scene import (
    ESTATE,
    GOLD,
    HOME,
    NOW,
    VAULT,
    Scene,
    create,
    day,
    delete,
    found,
    marks,
    primary,
    terms_of,
)

LATER = NOW + timedelta(days=1)


def promised(number: float) -> Snapshot:
    return found(marks(day(number), keep_until=LATER, reason="upgrade"), HOME)


def test_a_promised_point_goes_nowhere_before_its_time() -> None:
    point = promised(1.5)
    promise = marks(day(1.5), Role.COPY, origin=point.arn, keep_until=LATER, reason="upgrade")
    copied = found(promise, VAULT)
    scene = Scene()
    scene.snapshots += [point, copied]
    assert scene.broken(delete(point)) == [2]
    assert scene.broken(delete(copied)) == [2]


def test_a_promise_that_is_over_keeps_nothing() -> None:
    over = found(marks(day(1.5), keep_until=NOW, reason="upgrade"), HOME)
    scene = Scene()
    scene.snapshots += [over]
    assert scene.broken(delete(over)) == []


def test_not_even_the_estate_retires_a_promised_point() -> None:
    estate = replace(ESTATE, retire=(Retire(policy="old"),))
    point = found(marks(day(1.5), policy="old", keep_until=LATER, reason="upgrade"), HOME)
    scene = Scene(estate=estate)
    scene.snapshots += [point]
    assert scene.broken(delete(point)) == [2]


def test_an_event_of_the_policy_keeps_a_point_without_a_tag() -> None:
    event = OneOff(day(1), "upgrade", timedelta(days=30))
    scene = Scene(policies=[terms_of(GOLD, events=(event,))])
    assert scene.broken(delete(primary(1))) == [2]
    assert scene.broken(delete(primary(2))) == []


def test_a_promised_point_takes_the_place_of_no_other_one() -> None:
    scene = Scene()
    scene.snapshots += [promised(4.5)]
    assert scene.broken(delete(primary(3))) == [2]
    assert scene.broken(delete(primary(2))) == []


def test_a_promised_point_that_the_plan_makes_takes_the_place_of_no_other_one() -> None:
    regular, extra = create(5), create(5, keep_until=LATER, reason="upgrade")
    assert Scene().broken(regular, delete(primary(3), regular)) == []
    assert Scene().broken(extra, delete(primary(3), extra)) == [2]
