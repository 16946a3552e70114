"""The journal of a team, on a store in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.applying.calls import Create
from engine.applying.clock import SystemClock
from engine.applying.journal import Journal, JournalError, Kind, new_run_id
from engine.applying.objects import ConflictError
from engine.applying.s3_journal import AGAIN, LINGER, S3Pages, read_observed, read_run, read_runs
from tests.applying.store import FakeStore
from tests.applying.world import HOME, FakeClock

FOLDER = "engine/acme/journal"
RUN = "20261121T021000Z-0a0b0c0d"
CALL = Create("orders-1-gold", "orders-1", {"engine:policy": "gold"})
NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(self.clock)
        self.journal = self.open(RUN)

    def open(self, run: str) -> Journal:
        return Journal(S3Pages(self.store, FOLDER, run, self.clock), run, self.clock)

    def intent(self, number: int = 1) -> None:
        self.journal.intent(f"create:{number}", HOME, CALL, 1)

    def kinds(self) -> list[str]:
        return [entry.kind.value for entry in read_run(self.store, FOLDER, RUN)]

    def pages(self) -> list[str]:
        return [key.removeprefix(f"{FOLDER}/{RUN}/") for key in sorted(self.store.objects)]


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.store.down = False
    scene.journal.close()


def test_an_intent_is_safe_before_its_call_and_the_rest_comes_with_the_next(scene: Scene) -> None:
    scene.journal.run_started({"plan": "sha256:d"})
    scene.intent()
    assert scene.kinds() == ["run_started", "intent"]
    scene.clock.seconds += 1.5
    scene.journal.outcome("create:1", CALL, 1, error=None)
    scene.journal.step("create:1", "done", "")
    assert scene.kinds() == ["run_started", "intent"]
    scene.journal.run_ended({"exit_code": 0})
    assert scene.kinds() == ["run_started", "intent", "outcome", "step", "run_ended"]
    assert scene.pages() == ["000001.json", "000002.json", "000003.json"]
    start, intent, outcome, *_ = read_run(scene.store, FOLDER, RUN)
    assert [start.seq, intent.seq, outcome.seq] == [1, 2, 3]
    assert start.detail["who"]["pid"]
    assert intent.detail["arguments"]["tags"] == {"engine:policy": "gold"}
    assert outcome.detail["seconds"] == 1.5


def test_intents_of_many_threads_share_objects(scene: Scene) -> None:
    started = threading.Event()
    everybody = threading.Barrier(21)

    def dawdle() -> None:
        started.set()
        everybody.wait(10)
        # All others have handed in their intents, or are about to.
        threading.Event().wait(0.2)

    scene.store.before_write = dawdle
    first = threading.Thread(target=scene.intent)
    first.start()
    assert started.wait(10)

    def hand_in(number: int) -> None:
        everybody.wait(10)
        scene.intent(number)

    others = [threading.Thread(target=hand_in, args=(number,)) for number in range(20)]
    for one in (*others, first):
        if one is not first:
            one.start()
    for one in (*others, first):
        one.join(10)
    assert scene.kinds() == ["intent"] * 21
    assert len(scene.pages()) == 2


def test_an_intent_does_not_return_before_it_is_written(scene: Scene) -> None:
    done: list[bool] = []
    seen: list[bool] = []
    scene.store.before_write = lambda: seen.append(bool(done))
    scene.intent()
    done.append(True)
    assert seen == [False]
    assert scene.kinds() == ["intent"]


def test_what_nobody_waits_for_is_written_soon() -> None:
    store = FakeStore(SystemClock())
    journal = Journal(S3Pages(store, FOLDER, RUN, SystemClock()), RUN, SystemClock())
    written = threading.Event()
    store.before_write = written.set
    journal.step("create:1", "done", "")
    assert not written.wait(LINGER / 2)
    assert written.wait(2 * LINGER + 5)
    journal.close()


@pytest.mark.parametrize("trouble", ["lose", "drop"])
def test_a_lost_reply_writes_nothing_twice(scene: Scene, trouble: str) -> None:
    setattr(scene.store, trouble, 1)
    if trouble == "lose":
        scene.intent(1)
    else:
        with pytest.raises(JournalError):
            scene.intent(1)
    scene.clock.seconds += AGAIN
    scene.intent(2)
    steps = [entry.step for entry in read_run(scene.store, FOLDER, RUN)]
    assert steps == ["create:1", "create:2"]


def test_what_could_not_be_written_is_written_when_the_store_is_back(scene: Scene) -> None:
    scene.intent(1)
    scene.store.down = True
    with pytest.raises(JournalError, match="ServiceUnavailable"):
        scene.intent(2)
    asked = len(scene.store.calls)
    for _ in range(50):
        with pytest.raises(JournalError):
            scene.intent(3)
    scene.journal.outcome("create:2", CALL, 1, error="not called")
    assert len(scene.store.calls) == asked
    scene.store.down = False
    scene.clock.seconds += AGAIN
    scene.intent(4)
    assert scene.kinds() == ["intent"] * 52 + ["outcome", "intent"]


def test_an_object_of_somebody_else_is_never_overwritten(scene: Scene) -> None:
    scene.store.put(f"{FOLDER}/{RUN}/000001.json", b"not ours")
    with pytest.raises(JournalError, match="PreconditionFailed"):
        scene.intent()
    assert scene.store.objects[f"{FOLDER}/{RUN}/000001.json"][0] == b"not ours"
    scene.store.objects.clear()


def test_closing_writes_what_is_left(scene: Scene) -> None:
    scene.journal.step("create:1", "done", "")
    scene.journal.close()
    assert scene.kinds() == ["step"]


def test_closing_ends_though_the_store_is_away(scene: Scene) -> None:
    scene.store.down = True
    scene.journal.step("create:1", "done", "")
    with pytest.raises(JournalError):
        scene.journal.close()
    scene.journal = scene.open("20261121T021500Z-11111111")


def test_what_comes_after_the_end_is_refused(scene: Scene) -> None:
    scene.journal.close()
    with pytest.raises(JournalError, match="closed"):
        scene.intent()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_the_writer_leaves_nobody_waiting(scene: Scene) -> None:
    def break_down() -> None:
        raise ZeroDivisionError

    scene.store.before_write = break_down
    for number in range(2):
        with pytest.raises(JournalError, match="has ended"):
            scene.intent(number)
    with pytest.raises(JournalError, match="has ended"):
        scene.journal.close()
    scene.journal = scene.open("20261121T021500Z-11111111")


@pytest.mark.parametrize("days", [0, 3, 20, 200, 900])
def test_the_newest_runs_are_found_however_long_ago_they_were(scene: Scene, days: int) -> None:
    names = []
    for number in range(5):
        run = new_run_id(NOW - timedelta(days=days, minutes=10 - number))
        names.append(run)
        journal = scene.open(run)
        journal.run_started({"plan": "sha256:d"})
        journal.step("create:1", "done", "")
        if number != 3:
            journal.run_ended({"exit_code": 0})
        journal.close()
    found = [(entry.run, entry.kind) for entry in read_runs(scene.store, FOLDER, 2, NOW)]
    assert found == [
        (names[3], Kind.RUN_STARTED),
        (names[4], Kind.RUN_STARTED),
        (names[4], Kind.RUN_ENDED),
    ]


def test_runs_of_yesterday_are_found_without_listing_those_of_years(scene: Scene) -> None:
    journal = scene.open(new_run_id(NOW))
    journal.run_started({})
    journal.close()
    scene.store.calls.clear()
    read_runs(scene.store, FOLDER, 1, NOW)
    assert scene.store.calls[0] == f"list {FOLDER}/20261120"
    assert f"list {FOLDER}/" not in scene.store.calls
    assert len(scene.store.calls) == 3


def test_a_journal_without_runs_and_one_that_makes_no_sense_are_errors(scene: Scene) -> None:
    with pytest.raises(JournalError, match="no journal yet"):
        read_runs(scene.store, FOLDER, 1, NOW)
    assert read_run(scene.store, FOLDER, "nothing") == ()
    scene.store.put(f"{FOLDER}/{RUN}/000001.json", b"{}\n")
    with pytest.raises(JournalError, match=r"000001\.json"):
        read_run(scene.store, FOLDER, RUN)
    scene.store.objects.clear()
    scene.store.down = True
    tries: tuple[Callable[[], object], ...] = (
        lambda: read_runs(scene.store, FOLDER, 1, NOW),
        lambda: read_run(scene.store, FOLDER, RUN),
    )
    for attempt in tries:
        with pytest.raises(JournalError, match="ServiceUnavailable"):
            attempt()


def test_the_store_in_memory_keeps_to_conditions(scene: Scene) -> None:
    scene.store.write("a", b"1", over=None)
    for over in (None, '"other"'):
        with pytest.raises(ConflictError):
            scene.store.write("a", b"2", over=over)
    assert scene.store.objects["a"][0] == b"1"
    scene.store.objects.clear()


def test_what_the_newest_runs_saw_is_read_back(scene: Scene) -> None:
    scene.journal.run_started({"plan": "sha256:d"})
    scene.journal.step("create:1", "done", "of an older engine")
    scene.journal.step("create:2", "done", "available", {"seen": {"seconds": [0.0, 30.0]}})
    scene.journal.run_ended({"exit_code": 0})
    later = scene.open("20261121T021500Z-0a0b0c0d")
    later.run_started({"plan": "sha256:d"})
    later.step("copy:1", "done", "available", {"seen": {"seconds": [30.0, 60.0]}})
    later.run_ended({"exit_code": 0})
    later.close()
    found = read_observed(scene.store, FOLDER, 5, NOW)
    assert [entry.step for entry in found] == ["create:2", "copy:1"]
    assert [entry.step for entry in read_observed(scene.store, FOLDER, 1, NOW)] == ["copy:1"]
