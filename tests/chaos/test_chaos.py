"""A few of the worlds of `make chaos`, and judges that are held to notice."""

from __future__ import annotations

import pytest

from tests.chaos.events import Hand
from tests.chaos.nursery import Lab
from tests.chaos.story import Event, Happening, story_of
from tests.chaos.worlds import silent, world, worlds

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


def test_the_tier_of_a_restored_database_that_is_gone_again_is_known() -> None:
    story, lab = story_of(26), Lab()
    try:
        lab.begin(story.nights[0].at, story.lab_seed())
        hand = Hand(lab, story.places, story.home, silent)
        hand.note_tiers()
        hand.happen(Happening(Event.SWAP))
        (heir,) = hand.heirs
        name = hand.instances()[heir].rpartition(":")[2]
        lab.client.let("delete", *story.home, name)
        lab.client.forward(5)
        hand.note_tiers()
        assert heir not in hand.instances()
        assert hand.tiers[heir] == story.instances[0].tags["tier"]
    finally:
        lab.end()
