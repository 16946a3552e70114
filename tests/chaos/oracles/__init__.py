"""Judges of a story that was played: each yields what is wrong, from the lab's own records."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.chaos.oracles import bases, foreign, journals, keeping, leftovers, words
from tests.chaos.playing import Ending

Oracle = Callable[[Ending], Iterator[str]]

ORACLES: dict[str, Oracle] = {
    "foreign": foreign.violations,
    "bases": bases.violations,
    "retention": keeping.violations,
    "leftovers": leftovers.violations,
    "journal": journals.violations,
    "words": words.violations,
}


def judged(ending: Ending) -> Iterator[str]:
    """Yield everything that any oracle finds wrong."""
    yield from (f"unsettled: {one}" for one in ending.restless)
    for name, violations in ORACLES.items():
        yield from (f"{name}: {one}" for one in violations(ending))
