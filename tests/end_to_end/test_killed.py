"""`engine apply` killed with SIGKILL at its calls and run again comes to the same end.

The journal has an intent before each call and an outcome after it: a run that is ended before AWS
got a call, or before it heard of the answer, stops between the two.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.end_to_end.estates import DEFAULT_KEY, DOCUMENTS, ORDERS, estate_of
from tests.end_to_end.gate import Gate, Moment, opened
from tests.end_to_end.harness import PROGRAMS, Seen, World, working_folder
from tests.forking.labs import ForkedLab

FIRST_NIGHT = datetime(2026, 11, 18, 2, 5, tzinfo=UTC)
NIGHTS_BEFORE = 2
CALLS = 22
"""Calls of a night that change something, once every point that is made lets an older one go."""
RUNS = 3
"""How many it takes: one to catch up, one to confirm the zones of what was caught up, one to let go
of the bridge that this replaces."""
SAMPLE = ((2, Moment.AFTER), (6, Moment.BEFORE), (13, Moment.AFTER), (20, Moment.AFTER))
EVERY = tuple((call, moment) for call in range(1, CALLS + 1) for moment in Moment)

Told = tuple[object, ...]


@dataclass
class Nights:
    """A world whose nights are alike: what one undisturbed night leaves, any must leave."""

    world: World
    number: int = 0
    usual: list[Told] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    @property
    def tonight(self) -> datetime:
        return FIRST_NIGHT + timedelta(days=self.number)

    def fall(self) -> None:
        """Let the next night begin."""
        self.number += 1
        self.world.move_to(self.tonight)

    def left(self) -> list[Told]:
        """Return what is there, told so that it is the same every night."""
        return sorted((self._told(one) for one in self.world.owned().values()), key=repr)

    def _told(self, one: Seen) -> Told:
        days = {}
        for name in ("engine:slot", "engine:origin"):
            text = one.tags.get(name, "")
            for ago in range(5):
                slot = self.tonight.replace(minute=0) - timedelta(days=ago)
                if slot.strftime("%Y-%m-%dT%H") in text or slot.strftime("%Y%m%dt%H") in text:
                    days[name] = ago
        tags = {name: text for name, text in one.tags.items() if name not in days}
        where = (one.account, one.region, one.instance, one.role, one.status, one.key)
        return (*where, sorted(days.items()), sorted(tags.items()), sorted(one.shared_with))


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    folder = working_folder(tmp_path_factory.mktemp("killed"), DOCUMENTS)
    with ForkedLab.start(estate_of(ORDERS, DEFAULT_KEY), speed=20.0, at=FIRST_NIGHT) as lab:
        nights = Nights(World(lab, folder))
        for _ in range(NIGHTS_BEFORE):
            nights.world.apply("-wait").insist()
            nights.fall()
        gate = Gate(lab.endpoint)
        with opened(gate) as endpoint:
            nights.world.through(endpoint).apply("-wait").insist()
        nights.usual, nights.calls = nights.left(), gate.passed
        yield nights


def test_an_undisturbed_night_makes_these_calls(nights: Nights) -> None:
    assert sorted(nights.calls) == sorted(
        ["CreateDBSnapshot"] * 2
        + ["CopyDBSnapshot"] * 4
        + ["DeleteDBSnapshot"] * 6
        + ["ModifyDBSnapshotAttribute"] * 4
        + ["AddTagsToResource"] * 4
        + ["RemoveTagsFromResource"] * 2
    )
    assert len(nights.calls) == CALLS
    # Two points of each database in each place, and the bridge that the next copy needs.
    assert len(nights.usual) == 2 * (3 + 2) + 1


def killed(nights: Nights, call: int, moment: Moment) -> None:
    gate = Gate(nights.world.lab.endpoint, call, moment)
    kill(nights, gate)
    assert len(gate.passed) >= call
    assert gate.passed[call - 1] in unanswered(nights.world)
    settle(nights)


def kill(nights: Nights, gate: Gate) -> None:
    nights.fall()
    world = nights.world
    with opened(gate) as endpoint:
        words = ("apply", "-auto-approve", "-wait", "-poll-interval", "1s", "-at", world.now())
        with subprocess.Popen(
            [str(PROGRAMS / "engine"), *words],
            cwd=world.folder,
            env=world.through(endpoint).environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as gate.victim:
            assert gate.victim.wait(120) == -9


def settle(nights: Nights) -> None:
    world = nights.world
    for _ in range(RUNS):
        world.apply("-wait").insist()
        if world.plan("-detailed-exitcode").code == 0:
            break
    else:
        pytest.fail(f"{RUNS} runs later the plan is still not empty\n{world.plan().out}")
    assert nights.left() == nights.usual


def unanswered(world: World) -> list[str]:
    """Return the calls that the journal's last run meant to make and heard nothing of."""
    path = world.folder / ".engine" / "state" / "journal.sqlite"
    last = "SELECT run FROM entries WHERE kind = 'run_started' ORDER BY seq DESC LIMIT 1"
    asked = (
        f"SELECT kind, json_extract(detail, '$.operation') FROM entries WHERE run = ({last})"
        " AND kind IN ('intent', 'outcome', 'run_ended') ORDER BY seq"
    )
    journal = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        rows = journal.execute(asked).fetchall()
    finally:
        journal.close()
    assert "run_ended" not in {kind for kind, _ in rows}
    waiting = [name for kind, name in rows if kind == "intent"]
    for name in (name for kind, name in rows if kind == "outcome"):
        waiting.remove(name)
    return waiting


@pytest.mark.parametrize(("call", "moment"), SAMPLE)
def test_killed_at_a_call_and_run_again_it_comes_to_the_same_end(
    nights: Nights, call: int, moment: Moment
) -> None:
    killed(nights, call, moment)


@pytest.mark.slow
@pytest.mark.parametrize(("call", "moment"), EVERY)
def test_killed_at_any_call_and_run_again_it_comes_to_the_same_end(
    nights: Nights, call: int, moment: Moment
) -> None:
    killed(nights, call, moment)


def test_a_share_that_a_dead_run_left_is_taken_back_by_the_next(nights: Nights) -> None:
    words = ("Action=ModifyDBSnapshotAttribute", "ValuesToAdd")
    kill(nights, Gate(nights.world.lab.endpoint, 1, Moment.AFTER, words))
    left = [one for one in nights.world.owned().values() if one.shared_with]
    assert left
    assert all(one.tags["engine:shared"] in one.shared_with for one in left)
    settle(nights)
    assert not any(one.shared_with for one in nights.world.owned().values())


def test_a_bridge_that_a_dead_run_left_is_used_and_removed_in_its_turn(nights: Nights) -> None:
    words = ("Action=CopyDBSnapshot", "engine%3Arole", "bridge")
    before = bridges(nights)
    kill(nights, Gate(nights.world.lab.endpoint, 1, Moment.AFTER, words))
    left = bridges(nights) - before
    assert len(left) == 1
    settle(nights)
    assert bridges(nights) == left


def bridges(nights: Nights) -> set[str]:
    return {one.arn for one in nights.world.owned().values() if one.role == "bridge"}
