"""The lock of a team, on a store in memory and clocks that only move when they are told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.applying.lock import LockLostError
from engine.applying.s3_lock import DEFAULT, S3Lock, Slot, acquire, free, standing
from engine.aws import clients
from engine.aws.roles import Purpose
from engine.errors import EngineError, ExitCode, LockedError
from tests.applying.store import FakeStore, UnreachableError
from tests.applying.world import FakeClock

KEY = "engine/acme/lock.json"
OVER = DEFAULT.lease + DEFAULT.grace


class SkewedClock(FakeClock):
    """A machine's clock that is wrong by `skew` seconds, and shares the steady time."""

    def __init__(self, true: FakeClock, skew: float) -> None:
        super().__init__()
        self.true = true
        self.skew = skew

    def now(self) -> datetime:
        return self.true.now() + timedelta(seconds=self.skew)

    def elapsed(self) -> float:
        return self.true.elapsed()

    def sleep(self, seconds: float) -> None:
        self.true.sleep(seconds)


class Scene:
    """A store and its clock, and every lock that was taken, so that their threads end."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(self.clock)
        self.slot = Slot(self.store, KEY)
        self.locks: list[S3Lock] = []

    def take(self, run: str, timeout: float = 0, clock: FakeClock | None = None) -> S3Lock:
        lock = acquire(self.slot, run, clock or self.clock, who=f"{run}@host", timeout=timeout)
        self.locks.append(lock)
        return lock

    def lease(self) -> dict[str, Any]:
        words: dict[str, Any] = json.loads(self.store.objects[KEY][0])
        return words

    def wait(self, seconds: float) -> None:
        self.clock.seconds += seconds


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.store.down = True
    for lock in scene.locks:
        with suppress(EngineError):
            lock.release()


def test_the_first_run_gets_the_lock_and_the_next_one_counts_on(scene: Scene) -> None:
    first = scene.take("first")
    assert (first.fence, scene.lease()["run"]) == (1, "first")
    first.release()
    assert (scene.lease()["fence"], scene.lease()["run"]) == (1, None)
    assert scene.take("second").fence == 2


def test_who_let_the_lock_go_makes_no_more_calls(scene: Scene) -> None:
    first = scene.take("first")
    first.release()
    with pytest.raises(LockLostError, match="let go"):
        first.verify()
    first.release()
    assert scene.take("second").fence == 2


def test_a_lock_that_is_held_is_exit_code_11_and_says_by_whom(scene: Scene) -> None:
    scene.take("first")
    scene.wait(7)
    with pytest.raises(LockedError) as caught:
        scene.take("second")
    assert caught.value.exit_code is ExitCode.LOCKED
    assert "first@host holds it (run first), renewed 7 s ago" in str(caught.value)
    assert f"s3://acme-engine/{KEY}" in str(caught.value)
    assert scene.lease()["run"] == "first"


def test_waiting_gets_the_lock_when_its_holder_lets_go(scene: Scene) -> None:
    first = scene.take("first")
    clock = FakeClock()

    def let_go(seconds: float) -> None:
        clock.seconds += seconds
        if clock.seconds >= 20:
            first.release()

    clock.sleep = let_go  # type: ignore[method-assign] # the moment at which others act
    assert scene.take("second", timeout=60, clock=clock).fence == 2
    assert clock.seconds == 20


def test_waiting_ends_when_its_time_is_up(scene: Scene) -> None:
    scene.take("first")
    with pytest.raises(LockedError):
        scene.take("second", timeout=30)
    assert scene.clock.seconds == 30


@pytest.mark.parametrize("was_there", [False, True])
def test_of_two_that_try_at_once_one_gets_the_lock(scene: Scene, was_there: bool) -> None:
    if was_there:
        scene.take("earlier").release()
    scene.store.before_write = lambda: setattr(scene, "winner", scene.take("quick"))
    with pytest.raises(LockedError, match="another run holds"):
        scene.take("slow")
    assert scene.lease()["run"] == "quick"


def test_a_lease_is_taken_over_only_once_it_has_run_out(scene: Scene) -> None:
    scene.take("dead")
    scene.wait(OVER - 1)
    with pytest.raises(LockedError):
        scene.take("next")
    scene.wait(1)
    assert scene.take("next").fence == 2


def test_of_two_that_take_over_at_once_one_gets_the_lock(scene: Scene) -> None:
    scene.take("dead")
    scene.wait(OVER)
    scene.store.before_write = lambda: setattr(scene, "winner", scene.take("quick"))
    with pytest.raises(LockedError):
        scene.take("slow")
    assert (scene.lease()["run"], scene.lease()["fence"]) == ("quick", 2)


@pytest.mark.parametrize("skew", [-86_400.0, -600.0, 600.0, 86_400.0])
def test_clocks_that_are_wrong_take_no_lock_too_early_and_none_too_late(
    scene: Scene, skew: float
) -> None:
    scene.take("holder", clock=SkewedClock(scene.clock, -skew))
    other = SkewedClock(scene.clock, skew)
    scene.store.ahead = 3 * skew
    scene.store.objects[KEY] = (*scene.store.objects[KEY][:2], scene.store._now())
    scene.wait(OVER - 1)
    with pytest.raises(LockedError):
        scene.take("other", clock=other)
    scene.wait(1)
    assert scene.take("other", clock=other).fence == 2


def test_a_holder_stops_before_its_lease_can_be_taken_over(scene: Scene) -> None:
    lock = scene.take("slow")
    scene.store.down = True
    scene.wait(DEFAULT.passes)
    lock.verify()
    scene.wait(1)
    with pytest.raises(UnreachableError):
        lock.verify()


def test_a_call_that_passed_has_ended_before_the_lease_has() -> None:
    longest_pause = 20
    attempts = clients._ATTEMPTS[Purpose.CHANGE]
    longest = attempts * (clients.CONNECT_SECONDS + clients.REPLY_SECONDS) + longest_pause
    assert DEFAULT.passes + longest <= DEFAULT.lease + DEFAULT.grace


def test_a_machine_that_slept_does_not_trust_its_steady_clock(scene: Scene) -> None:
    asleep = SkewedClock(scene.clock, 0)
    lock = scene.take("slow", clock=asleep)
    asleep.skew = OVER
    scene.store.down = True
    with pytest.raises(UnreachableError):
        lock.verify()


def test_verifying_asks_the_store_only_when_the_renewal_is_too_long_ago(scene: Scene) -> None:
    lock = scene.take("busy")
    asked = len(scene.store.calls)
    for _ in range(1000):
        lock.verify()
    assert len(scene.store.calls) == asked
    scene.wait(DEFAULT.passes + 1)
    for _ in range(1000):
        lock.verify()
    assert scene.store.calls[asked:] == [f"write {KEY}"]


def test_who_lost_the_lock_may_do_nothing_more(scene: Scene) -> None:
    slow = scene.take("slow")
    scene.wait(OVER)
    quick = scene.take("quick")
    for _ in range(2):
        with pytest.raises(LockLostError, match="taken over") as caught:
            slow.verify()
    assert "quick@host" in str(caught.value)
    slow.release()
    quick.verify()
    assert scene.lease()["run"] == "quick"


def test_a_lease_that_nobody_took_is_taken_up_again(scene: Scene) -> None:
    lock = scene.take("slow")
    scene.store.down = True
    scene.wait(2 * OVER)
    with pytest.raises(UnreachableError):
        lock.verify()
    scene.store.down = False
    scene.wait(DEFAULT.again)
    lock.verify()
    with pytest.raises(LockedError):
        scene.take("other")


def test_a_store_that_is_away_is_not_asked_before_every_call(scene: Scene) -> None:
    lock = scene.take("slow")
    scene.store.down = True
    scene.wait(DEFAULT.passes + 1)
    asked = len(scene.store.calls)
    for _ in range(100):
        with pytest.raises(UnreachableError):
            lock.verify()
    assert len(scene.store.calls) == asked + 1


@pytest.mark.parametrize("trouble", ["lose", "drop", "refuse"])
def test_a_lost_reply_or_a_conflict_hides_no_lock_that_was_got(scene: Scene, trouble: str) -> None:
    setattr(scene.store, trouble, 1)
    lock = scene.take("ours")
    assert lock.fence == 1
    lock.verify()
    assert scene.lease()["run"] == "ours"
    lock.release()
    assert scene.lease()["run"] is None


@pytest.mark.parametrize("trouble", ["lose", "drop", "refuse"])
def test_a_lost_reply_or_a_conflict_loses_no_lock_that_is_held(scene: Scene, trouble: str) -> None:
    lock = scene.take("ours")
    for _ in range(3):
        scene.wait(DEFAULT.passes + 1)
        setattr(scene.store, trouble, 1)
        lock.verify()
    assert scene.lease()["renewals"] >= 4
    setattr(scene.store, trouble, 1)
    lock.release()
    assert scene.lease()["run"] is None


def test_when_a_lock_was_got_by_a_lost_reply_its_age_is_not_guessed(scene: Scene) -> None:
    scene.store.lose = 1
    lock = scene.take("ours")
    written = len(scene.store.written())
    lock.verify()
    assert len(scene.store.written()) == written + 1


def test_a_late_renewal_of_our_own_is_no_loss(scene: Scene) -> None:
    lock = scene.take("ours")
    late = json.dumps({**scene.lease(), "renewals": 7}).encode()
    scene.store.put(KEY, late)
    scene.wait(DEFAULT.passes + 1)
    lock.verify()
    assert scene.lease()["run"] == "ours"


def test_a_lock_object_that_is_removed_is_a_lost_lock(scene: Scene) -> None:
    lock = scene.take("ours")
    del scene.store.objects[KEY]
    scene.wait(DEFAULT.passes + 1)
    with pytest.raises(LockLostError, match="taken over"):
        lock.verify()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"fence": "1"}', b"\xff"])
def test_a_lock_that_makes_no_sense_is_out_of_reach_and_not_held(scene: Scene, body: bytes) -> None:
    scene.store.put(KEY, body)
    with pytest.raises(EngineError, match="makes no sense") as caught:
        scene.take("ours")
    assert not isinstance(caught.value, LockedError)
    assert "remove the object" in (caught.value.fix or "")
    assert scene.store.objects[KEY][0] == body


def test_fields_of_a_later_version_are_left_alone(scene: Scene) -> None:
    scene.take("newer")
    scene.store.put(KEY, json.dumps({**scene.lease(), "mood": "good"}).encode())
    with pytest.raises(LockedError):
        scene.take("ours")


def test_a_store_that_refuses_every_write_ends_the_try(scene: Scene) -> None:
    scene.store.refuse = 1000
    with pytest.raises(EngineError, match="changes all the time"):
        scene.take("ours")


def test_a_lock_is_released_by_hand_only_as_it_was_seen(scene: Scene) -> None:
    scene.take("dead")
    seen = standing(scene.slot)
    assert seen is not None
    assert seen.is_live
    scene.wait(OVER)
    late = standing(scene.slot)
    assert late is not None
    assert not late.is_live
    quick = scene.take("quick")
    with pytest.raises(EngineError, match="has changed"):
        free(scene.slot, late)
    quick.verify()
    now = standing(scene.slot)
    assert now is not None
    free(scene.slot, now)
    scene.wait(DEFAULT.passes + 1)
    with pytest.raises(LockLostError):
        quick.verify()
    assert scene.take("third").fence == 3
