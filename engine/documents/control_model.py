"""The rules of auditors, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from engine.documents.model import Place, Select


class ControlSeverity(StrEnum):
    """How bad a broken rule is, in the words of SARIF."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Covered:
    """A policy takes the database and makes points of it."""


@dataclass(frozen=True, slots=True)
class MinRetention:
    """What policies keep reaches back at least that far."""

    at_least: timedelta


@dataclass(frozen=True, slots=True)
class PointsIn:
    """In how many accounts and regions a point can be restored; None: of any age."""

    accounts: int = 1
    regions: int = 1
    younger_than: timedelta | None = None


@dataclass(frozen=True, slots=True)
class CustomerKeys:
    """Every snapshot is encrypted under a customer-managed key."""


@dataclass(frozen=True, slots=True)
class NoForeignShares:
    """No snapshot is public or shared with an account outside the estate."""


class Where(StrEnum):
    """Where the newest point is looked for."""

    ANYWHERE = "anywhere"
    SOURCE = "source"
    EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class NewestPoint:
    """How old the newest moment is that can be restored."""

    younger_than: timedelta
    where: Where = Where.ANYWHERE


@dataclass(frozen=True, slots=True)
class NoGap:
    """How far apart points at the source's location were in a time that is past."""

    longer_than: timedelta
    within: timedelta


Rule = Covered | MinRetention | PointsIn | CustomerKeys | NoForeignShares | NewestPoint | NoGap


@dataclass(frozen=True, slots=True)
class Exemption:
    """Databases for which a rule may be broken, up to the end of a day, UTC."""

    select: Select
    reason: str
    expires: date
    place: Place | None = None

    def is_over(self, now: datetime) -> bool:
        """Say whether its last day has passed; `now` is in UTC."""
        return now.date() > self.expires


@dataclass(frozen=True, slots=True)
class Control:
    """One rule; `select` is None where it is for all databases."""

    id: str
    rule: Rule
    title: str = ""
    severity: ControlSeverity = ControlSeverity.ERROR
    select: Select | None = None
    exemptions: tuple[Exemption, ...] = ()
    place: Place | None = None
