"""How fast a database changes: what an incremental snapshot is estimated from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.costs.ranges import Range
from engine.documents.model import Bounds, Documents, Policy, Terms

_CHANGED = ("snapshots", "changed_per_day")
ASSUMED = Range(0.5, 10.0)
"""Percent of the storage that a day changes where nobody says better: an assumption, no figure of
AWS's. A quiet database changes less than this, and one under bulk loads more."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The part of the storage that one day changes: 0.01 is a hundredth.

    `is_assumed` says that nobody measured it.
    """

    a_day: Range
    is_assumed: bool = False


ASSUMED_RATE = Rate(ASSUMED * 0.01, is_assumed=True)


def rate_of(terms: Terms | None) -> Rate:
    """Return the rate that a policy's terms name (`snapshots.changed_per_day`), else an assumed."""
    said = None if terms is None else terms.snapshots.changed_per_day
    return ASSUMED_RATE if said is None else Rate(Range(*said) * 0.01)


def rates_by_policy(documents: Documents) -> Mapping[str, Rate]:
    """Return the rate of each policy's databases, over all of its overrides."""
    return {name: _rate_of_all(policy) for name, policy in documents.policies.items()}


def _rate_of_all(policy: Policy) -> Rate:
    rate = rate_of(policy.terms)
    for override in policy.overrides:
        said: Bounds | None = override.changes.get(_CHANGED, policy.terms.snapshots.changed_per_day)
        other = ASSUMED_RATE if said is None else Rate(Range(*said) * 0.01)
        rate = Rate(rate.a_day.or_range(other.a_day), rate.is_assumed or other.is_assumed)
    return rate
