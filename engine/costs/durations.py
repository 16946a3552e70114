"""How long snapshots and copies take. Unless history tells better, the ranges are wide.

AWS names no pace for either; that of EBS copies has a limit, and copies between regions can take
hours and wait before they start (EBS User Guide, Time-based copies; RDS User Guide, Copying a DB
snapshot). The lower bounds are assumptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.costs.ranges import Range


class Work(StrEnum):
    """What takes time, told apart by what decides how long."""

    CREATE = "create"
    RE_KEY = "re_key"
    """A copy within a location, under another key."""
    COPY_NEAR = "copy_near"
    """A copy within a region, to another account."""
    COPY_FAR = "copy_far"
    """A copy to another region."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a kind of work takes: seconds whatever the size, and MiB per second.

    `seen` counts the observations it was learned from; with none it is assumed.
    """

    seconds: Range
    mib_per_second: Range
    seen: int = 0

    def storing(self, gib: Range) -> Range:
        """Return how many seconds of the work go by the size, for so many GiB."""
        return gib * MIB_OF_GIB / self.mib_per_second


MIB_OF_GIB = 1024.0
_EBS_MOST = 500.0  # MiB per second of one copy (EBS User Guide, Time-based copies, Quotas)
ASSUMED_PACES: Mapping[Work, Pace] = {
    Work.CREATE: Pace(Range(60.0, 900.0), Range(25.0, _EBS_MOST)),
    Work.RE_KEY: Pace(Range(60.0, 900.0), Range(25.0, _EBS_MOST)),
    Work.COPY_NEAR: Pace(Range(60.0, 900.0), Range(25.0, _EBS_MOST)),
    Work.COPY_FAR: Pace(Range(120.0, 3600.0), Range(15.0, _EBS_MOST)),
}


@dataclass(frozen=True, slots=True)
class Paces:
    """The pace of each kind of work; what was learned stands in the place of what is assumed."""

    learned: Mapping[Work, Pace] = field(default_factory=dict)

    def of(self, work: Work) -> Pace:
        """Return the pace of a kind of work."""
        return self.learned.get(work) or ASSUMED_PACES[work]

    def seconds(self, work: Work, gib: Range) -> Range:
        """Return how many seconds it takes to store so many GiB."""
        pace = self.of(work)
        return pace.seconds + pace.storing(gib)


def work_of_copy(origin: tuple[str, str], to: tuple[str, str]) -> Work:
    """Return what kind of work a copy is, by account and region of both ends."""
    if origin[1] != to[1]:
        return Work.COPY_FAR
    return Work.COPY_NEAR if origin[0] != to[0] else Work.RE_KEY
