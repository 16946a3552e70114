"""The lab's clock and agenda, on values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.lab.clock import Clock, text_of, time_of
from engine.lab.errors import LabError
from engine.lab.settings import Rules, Settings
from engine.lab.world import World

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Ticks:
    """Real seconds, as a test says."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_clock_runs_at_a_multiple_of_real_time() -> None:
    ticks = Ticks()
    clock = Clock(NOON, 60, ticks)
    ticks.now += 2
    assert clock.now() == NOON + timedelta(minutes=2)


def test_a_change_of_speed_changes_nothing_of_the_past() -> None:
    ticks = Ticks()
    clock = Clock(NOON, 60, ticks)
    ticks.now += 1
    clock.speed = 1
    ticks.now += 1
    assert clock.now() == NOON + timedelta(seconds=61)


def test_the_clock_can_be_moved_forward_but_not_back() -> None:
    clock = Clock(NOON, 0, Ticks())
    clock.move_to(NOON + timedelta(days=1))
    assert clock.now() == NOON + timedelta(days=1)
    with pytest.raises(LabError, match="cannot go back"):
        clock.move_to(NOON)


@pytest.mark.parametrize("speed", [-1, float("nan"), float("inf")])
def test_odd_speeds_are_refused(speed: float) -> None:
    with pytest.raises(LabError, match="speed"):
        Clock(NOON, speed)


def test_times_are_read_with_their_zone_only() -> None:
    assert time_of("2026-03-02T13:00:00+01:00") == NOON
    assert text_of(time_of("2026-03-02T12:00:00Z")) == "2026-03-02T12:00:00Z"
    for text in ("2026-03-02T12:00:00", "noon"):
        with pytest.raises(LabError, match=text):
            time_of(text)


def test_what_is_due_happens_in_order_and_at_its_own_time() -> None:
    clock = Clock(NOON, 0, Ticks())
    world = World(clock, Settings())
    seen: list[tuple[str, datetime]] = []

    def again() -> None:
        seen.append(("first", world.now))
        world.after(10, lambda: seen.append(("of the first", world.now)))

    world.after(60, lambda: seen.append(("second", world.now)))
    world.after(30, again)
    never = world.after(40, lambda: seen.append(("cancelled", world.now)))
    never.cancel()
    world.settle()
    assert seen == []
    clock.move_to(NOON + timedelta(minutes=5))
    world.settle()
    assert seen == [
        ("first", NOON + timedelta(seconds=30)),
        ("of the first", NOON + timedelta(seconds=40)),
        ("second", NOON + timedelta(seconds=60)),
    ]
    assert world.now == NOON + timedelta(minutes=5)


def test_settings_are_changed_by_name_and_checked() -> None:
    changed = Settings().changed_by({"manual_snapshots": 5, "rules": "blog"})
    assert (changed.manual_snapshots, changed.rules) == (5, Rules.BLOG)
    for wrong in (
        {"colour": 1},
        {"rules": "mine"},
        {"copy_seconds": "long"},
        {"create_seconds": -1},
        {"automated_backups": 1},
    ):
        with pytest.raises(LabError, match=next(iter(wrong))):
            Settings().changed_by(wrong)
