from __future__ import annotations

import pytest

from engine.applying.outages import PATIENCE
from engine.applying.ports import CloudError, Trouble
from engine.applying.preconditions import places_of
from engine.applying.traffic import Traffic, traffic_of
from engine.applying.turns import Turns
from engine.inventory.records import Location
from engine.plans.plan import Step
from tests.applying.world import (
    AWAY,
    HOME,
    VAULT,
    FakeClock,
    copy_of,
    copy_step,
    create_step,
    delete_step,
    primary,
    share_step,
    unshare_step,
)

ERROR = CloudError(Trouble.NO_REPLY, "NoReply", "timed out")
ALL = frozenset({HOME, VAULT, AWAY})
ROUTE = frozenset({VAULT, HOME})


def turns_of(traffic: Traffic) -> Turns:
    return Turns(traffic, parallelism=2)


def seen(turns: Turns) -> Turns:
    turns.look([ALL])
    return turns


def test_as_many_steps_go_as_the_parallelism_says_wherever_they_are() -> None:
    turns = seen(turns_of(traffic_of(FakeClock(), lambda: False)))
    turns.begin("one", frozenset({HOME}))
    assert turns.allows(frozenset({HOME}))
    turns.begin("two", frozenset({AWAY}))
    assert not turns.allows(frozenset({VAULT}))
    turns.end("one")
    assert turns.allows(frozenset({VAULT}))


def test_steps_at_a_location_in_doubt_go_one_by_one_and_take_nobodys_place() -> None:
    traffic = traffic_of(FakeClock(), lambda: False)
    turns = turns_of(traffic)
    for name in ("one", "two"):
        turns.begin(name, ROUTE)
    assert not seen(turns).allows(frozenset({AWAY}))
    traffic.outages.failed(HOME, ERROR)
    assert seen(turns).allows(frozenset({AWAY}))
    assert not turns.allows(frozenset({HOME}))
    turns.end("one")
    assert not turns.allows(frozenset({HOME, AWAY}))
    turns.end("two")
    assert turns.allows(frozenset({HOME}))
    traffic.outages.answered(HOME)
    turns.begin("one", frozenset({HOME}))
    assert seen(turns).allows(frozenset({HOME}))


def test_a_slow_location_is_not_gone_to_before_its_turn_has_come() -> None:
    clock = FakeClock()
    traffic = traffic_of(clock, lambda: False)
    for _ in range(5):
        traffic.budget.throttled(HOME, clock.seconds)
    turns = seen(turns_of(traffic))
    assert turns.allows(frozenset({HOME}))
    traffic.budget.spend(HOME)
    assert not seen(turns).allows(ROUTE)
    assert turns.allows(frozenset({VAULT}))
    clock.seconds += 2
    assert seen(turns).allows(ROUTE)


def test_whoever_needs_a_location_that_is_down_is_barred_and_nobody_else() -> None:
    clock = FakeClock()
    traffic = traffic_of(clock, lambda: False)
    while clock.seconds <= PATIENCE:
        traffic.outages.failed(HOME, ERROR)
        clock.seconds += 10
    turns = seen(turns_of(traffic))
    bar = turns.bar(ROUTE)
    assert bar is not None
    assert str(HOME) in bar.message
    assert turns.bar(frozenset({VAULT, AWAY})) is None


NEW = primary()


@pytest.mark.parametrize(
    ("step", "places"),
    [
        (create_step(NEW), {HOME}),
        (copy_step(copy_of(NEW, AWAY)), {HOME, AWAY}),
        (share_step(NEW, VAULT.account), {HOME}),
        # It asks wherever copies from its object may be in flight.
        (unshare_step(NEW, VAULT.account), {HOME, VAULT, AWAY}),
        (delete_step(copy_of(NEW, VAULT)), {HOME, VAULT, AWAY}),
    ],
    ids=lambda value: value.action.value if isinstance(value, Step) else None,
)
def test_a_step_is_where_it_looks_and_calls(step: Step, places: set[Location]) -> None:
    assert places_of(step, ALL) == places
