"""What backups are for, as values. A leaf."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Disturbed(StrEnum):
    """What may happen to backups."""

    ONE_FAILOVER = "one_failover"
    ACCOUNT_OUTAGE = "account_outage"
    MISSED_RUNS = "missed_runs"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Something under which objectives must hold, and how long it lasts."""

    what: Disturbed
    lasts: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Objectives:
    """How old the newest point may be, and how long a restore may take; `survive` when too."""

    rpo: timedelta | None = None
    rto: timedelta | None = None
    survive: tuple[Disturbance, ...] = ()


NO_OBJECTIVES = Objectives()
