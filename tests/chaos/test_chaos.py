"""A few of the worlds of `make chaos`, and judges that are held to notice."""

from __future__ import annotations

from tests.chaos.sabotage import SABOTAGES
from tests.chaos.worlds import worlds

SEEDS = range(1, 6)


def test_worlds_full_of_faults_and_kills_end_as_they_should() -> None:
    verdicts = list(worlds(SEEDS, 2))
    assert [one for verdict in verdicts for one in verdict.violations] == []
    assert sum(verdict.kills for verdict in verdicts) > 5
    assert sum(verdict.faults for verdict in verdicts) > 20


REVEALING = dict.fromkeys(SABOTAGES, 0)
