"""What a plan costs and takes, as values: each amount is the least and the most it can be.

All of it is reckoned from assumptions, which are listed; none of it has a part in what the plan
does, and the digest does not cover it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class StepCost:
    """What one step stores or frees, and what that costs.

    `gib` is what a create or copy stores, and less than nothing for what a delete frees;
    `usd_month` is its price before the free allowance, `usd_once` the transfer. `seconds` is how
    long AWS is at it, None where it takes no time to speak of; `seen` counts the earlier ones that
    this was learned from, `work` is what history tells them apart by.
    """

    step: str
    gib: Pair
    usd_month: Pair
    usd_once: Pair
    seconds: Pair | None = None
    seen: int = 0
    work: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyCost:
    """What a policy's snapshots at a location take up and cost, before the free allowance.

    `change_usd_month` is what the plan adds to that.
    """

    policy: str
    account: str
    region: str
    snapshots: int
    gib: Pair
    usd_month: Pair
    change_usd_month: Pair


@dataclass(frozen=True, slots=True)
class PlaceCost:
    """What all manual snapshots of an account and region take up, and what AWS bills of them.

    `gib` is the engine's, `others_gib` that of everybody else; `free_gib` is what is left of the
    free allowance, which both use up.
    """

    account: str
    region: str
    gib: Pair
    others_gib: Pair
    free_gib: Pair
    usd_month: Pair
    change_usd_month: Pair


class Fit(StrEnum):
    """Whether work fits a window, as far as its duration is known."""

    FITS = "fits"
    MAY_NOT = "may_not"
    DOES_NOT = "does_not"


@dataclass(frozen=True, slots=True)
class Night:
    """Whether what a policy makes now fits its window: `jobs` snapshots and copies."""

    policy: str
    jobs: int
    seconds: Pair
    window_seconds: int
    fit: Fit


@dataclass(frozen=True, slots=True)
class Costs:
    """What is kept costs `usd_month`, to which the plan adds; its transfer costs `usd_once`."""

    usd_month: Pair
    change_usd_month: Pair
    usd_once: Pair
    steps: tuple[StepCost, ...] = ()
    policies: tuple[PolicyCost, ...] = ()
    places: tuple[PlaceCost, ...] = ()
    assumptions: tuple[str, ...] = ()
    nights: tuple[Night, ...] = ()
