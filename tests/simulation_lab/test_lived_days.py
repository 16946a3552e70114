"""Days that are simulated and then lived: the engine really runs, over HTTP, and both are equal."""

from __future__ import annotations

import pytest

from tests.simulation_lab.comparing import Verdict, compare, compare_all

SHORT = (1, 2, 7)


@pytest.mark.parametrize("seed", SHORT)
def test_days_come_to_pass_as_they_were_simulated(seed: int) -> None:
    assert _is_equal(compare(seed))


@pytest.mark.slow
def test_the_days_of_a_hundred_worlds_come_to_pass_as_they_were_simulated() -> None:
    verdicts = list(compare_all(range(1, 101), 2))
    assert [one for verdict in verdicts for one in verdict.differences] == []
    assert sum(verdict.deletes for verdict in verdicts) > 100


def _is_equal(verdict: Verdict) -> bool:
    assert verdict.differences == ()
    return verdict.acts > 0
