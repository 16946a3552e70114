"""A few of the worlds of `make chaos`, and judges that are held to notice."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import ExitCode
from engine.lab.client import environment
from engine.lab.estates import IRELAND, PROD
from tests.applying.test_over_http import FIRST_NIGHT
from tests.applying.test_state_over_http import BUCKET, TEAM, repository, seed
from tests.chaos import nursery, papers
from tests.chaos.born import Death, Moment
from tests.chaos.events import KEYS, Hand
from tests.chaos.nursery import Lab
from tests.chaos.story import Event, Happening, story_of
from tests.chaos.worlds import silent, world, worlds
from tests.end_to_end.harness import clean_environment

SEEDS = range(1, 6)


def test_worlds_full_of_faults_and_kills_end_as_they_should() -> None:
    verdicts = list(worlds(SEEDS, 2))
    assert [one for verdict in verdicts for one in verdict.violations] == []
    assert sum(verdict.kills for verdict in verdicts) > 5
    assert sum(verdict.faults for verdict in verdicts) > 20


NOTICED = {
    "announce_nothing": (1, "journal: "),
    "forget_bases": (2, "bases: "),
    "forget_flights": (2, "bases: "),
    "keep_less": (2, "retention: "),
    "never_tag": (1, "unsettled: "),
    "never_unshare": (1, "leftovers: "),
    "trust_tags": (1, "retention: "),
}
"""By which judge, in the world of which seed, an engine is found out that is broken so."""


@pytest.mark.slow
@pytest.mark.parametrize("sabotage", NOTICED)
def test_a_broken_engine_is_found_out(sabotage: str) -> None:
    seed, judge = NOTICED[sabotage]
    violations = world(seed, sabotage=sabotage).violations
    assert any(one.startswith(judge) for one in violations), violations


def test_a_run_that_does_not_end_tells_where_its_threads_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "RUN_SECONDS", 3.0)
    story = story_of(1)
    papers.write(tmp_path, story, story.policies)
    with socket.create_server(("127.0.0.1", 0)) as silence:
        endpoint = f"http://127.0.0.1:{silence.getsockname()[1]}"
        variables = clean_environment(tmp_path) | environment(endpoint, *story.home)
        run = nursery.Run(nursery.order_engine(tmp_path, ("plan",), variables))
        with pytest.raises(TimeoutError, match=r"(?s)engine plan does not end: .*in read_live"):
            run.end()


def test_a_delete_that_a_freeze_caught_spares_what_another_run_has_made_anew(
    tmp_path: Path,
) -> None:
    """A failed snapshot is removed, and made anew under its id, by whoever takes the lock over."""
    repository(tmp_path, TEAM)
    lab = Lab()
    try:
        lab.begin(FIRST_NIGHT, seed(BUCKET))
        variables = clean_environment(tmp_path) | lab.environment(PROD, IRELAND)
        words = ("apply", "-auto-approve", "-lock-timeout", "30m")

        def start(number: int, wait: str, death: Death | None = None) -> nursery.Run:
            more = (wait, "-at", lab.client.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
            order = nursery.order_engine(tmp_path, (*words, *more), variables, number, death)
            return nursery.Run(order)

        lab.client.add_fault("snapshot_fails", role="backup-*", count=1)
        start(0, "-no-wait").end()
        lab.client.forward(600)
        frozen = start(1, "-no-wait", Death(Moment.BEFORE_CALL, 1, signal.SIGSTOP))
        assert frozen.stops()
        other = start(2, "-wait").end()
        assert other.code == 0, other.out + other.err
        (gone,) = [one for one in lab.deeds() if one["operation"] == "DeleteDBSnapshot"]
        frozen.signal(signal.SIGCONT)
        ended = frozen.end()
        assert ended.code in {ExitCode.STALE, ExitCode.LOCKED}, ended.out + ended.err
        rds = lab.boto("rds", PROD, IRELAND)
        (found,) = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        assert found["DBSnapshotIdentifier"] == gone["said"]["DBSnapshotIdentifier"]
        assert found["Status"] == "available"
    finally:
        lab.end()


@pytest.fixture
def hand() -> Iterator[Hand]:
    """Whoever restores a database in the world of seed 26, and puts it in another's place."""
    story, lab = story_of(26), Lab()
    try:
        lab.begin(story.nights[0].at, story.lab_seed())
        hand = Hand(lab, story.places, story.home, silent)
        hand.note_tiers()
        yield hand
    finally:
        lab.end()


def test_a_key_that_was_disabled_does_not_keep_a_database_from_being_restored(hand: Hand) -> None:
    # The undisturbed twin of a story has no disabled keys, and the same must come of it.
    for which in range(len(story_of(26).places) * len(KEYS)):
        hand.happen(Happening(Event.DISABLE_KEY, which))
    hand.happen(Happening(Event.SWAP))
    assert len(hand.heirs) == 1


def test_the_tier_of_a_restored_database_that_is_gone_again_is_known(hand: Hand) -> None:
    hand.happen(Happening(Event.SWAP))
    (heir,) = hand.heirs
    hand.happen(Happening(Event.DELETE, list(hand.instances()).index(heir)))
    hand.note_tiers()
    assert heir not in hand.instances()
    assert hand.tiers[heir] == story_of(26).instances[0].tags["tier"]
