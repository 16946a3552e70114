"""What `engine drift` found, as a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from engine.plans.codes import DriftSeverity
from engine.plans.plan import Drift, InventoryRead

DRIFT_FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class SharesRead:
    """Of how many available snapshots of the engine it is known with whom they are shared.

    `refused` are those that AWS was asked about and did not tell.
    """

    snapshots: int
    known: int
    refused: int = 0


@dataclass(frozen=True, slots=True)
class DriftSummary:
    """How much drifted, by severity."""

    error: int = 0
    warning: int = 0
    info: int = 0


@dataclass(frozen=True, slots=True)
class DriftFound:
    """A whole drift report; equal inputs give equal ones.

    It is `complete` when every location, and all shares that were asked for, could be read.
    """

    format_version: str
    engine_version: str
    estate: str
    as_of: datetime
    policies_digest: str
    inventory: InventoryRead
    shares: SharesRead
    summary: DriftSummary
    drift: tuple[Drift, ...] = ()
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    complete: bool = True


def summary_of(found: Iterable[Drift]) -> DriftSummary:
    """Count what drifted."""
    counts = Counter(one.severity for one in found)
    return DriftSummary(
        counts[DriftSeverity.ERROR], counts[DriftSeverity.WARNING], counts[DriftSeverity.INFO]
    )
