"""What `engine audit` found, as a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from engine.errors import ExitCode, worst
from engine.plans.codes import ControlLevel, ControlRule, ControlStatus, ObjectiveStatus
from engine.plans.drift import SharesRead
from engine.plans.objectives import Objective, Survival
from engine.plans.plan import InventoryRead
from engine.plans.refs import At, SourceRef

AUDIT_FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Written:
    """Where in the documents something stands; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a control comes to for one database, or for a location that could not be read.

    `written` is the policy, or the control, that has to change for it to pass.
    """

    status: ControlStatus
    source: SourceRef | None
    location: At | None
    text: str
    written: Written | None

    @property
    def about(self) -> str:
        """The database's address, or the location."""
        if self.source is not None:
            return self.source.address
        return "" if self.location is None else f"{self.location.account}/{self.location.region}"


@dataclass(frozen=True, slots=True)
class ControlFound:
    """A control with its rulings; its status is the worst of these."""

    id: str
    title: str
    rule: ControlRule
    severity: ControlLevel
    status: ControlStatus
    written: Written | None
    rulings: tuple[Ruling, ...]

    def in_status(self, status: ControlStatus) -> tuple[Ruling, ...]:
        """Return the rulings that came to a status."""
        return tuple(one for one in self.rulings if one.status is status)


@dataclass(frozen=True, slots=True)
class ObjectiveFound:
    """An objective of a policy, and where the policy is written."""

    objective: Objective
    written: Written | None


@dataclass(frozen=True, slots=True)
class SurvivalFound:
    """What a disturbance would cost, and where the policy is written that is to survive it."""

    survival: Survival
    written: Written | None


@dataclass(frozen=True, slots=True)
class ExpiredException:
    """An exception that is over; its last day as YYYY-MM-DD."""

    control: str
    expired: str
    reason: str
    written: Written | None


@dataclass(frozen=True, slots=True)
class AuditSummary:
    """Controls by status, objectives by status, disturbances by whether they are survived."""

    passed: int = 0
    not_judged: int = 0
    excepted: int = 0
    broken: int = 0
    objectives_met: int = 0
    objectives_uncertain: int = 0
    objectives_unknown: int = 0
    objectives_broken: int = 0
    disturbances_survived: int = 0
    disturbances_unknown: int = 0
    disturbances_broken: int = 0


@dataclass(frozen=True, slots=True)
class AuditFound:
    """A whole audit; equal inputs give equal ones.

    It is `complete` when every location could be read and every ruling could be made. `days` is how
    many were played to see what disturbances would cost.
    """

    format_version: str
    engine_version: str
    estate: str
    as_of: datetime
    policies_digest: str
    controls_digest: str
    inventory: InventoryRead
    shares: SharesRead
    summary: AuditSummary
    controls: tuple[ControlFound, ...]
    objectives: tuple[ObjectiveFound, ...]
    expired: tuple[ExpiredException, ...]
    complete: bool
    survivals: tuple[SurvivalFound, ...] = ()
    days: int = 0

    @property
    def exit_code(self) -> ExitCode:
        """What it ends with: 3 before 6, since what is not known may be worse."""
        codes = {ExitCode.OK}
        if not self.complete:
            codes.add(ExitCode.PARTIAL)
        summary = self.summary
        if summary.broken or summary.objectives_broken or summary.disturbances_broken:
            codes.add(ExitCode.OBJECTIVE_BROKEN)
        return worst(codes)


def summary_of(
    controls: Iterable[ControlFound],
    objectives: Iterable[ObjectiveFound],
    survivals: Iterable[SurvivalFound] = (),
) -> AuditSummary:
    """Count what was found."""
    held = Counter(one.status for one in controls)
    met = Counter(one.objective.status for one in objectives)
    survived = Counter(one.survival.status for one in survivals)
    return AuditSummary(
        passed=held[ControlStatus.PASSED],
        not_judged=held[ControlStatus.NOT_JUDGED],
        excepted=held[ControlStatus.EXCEPTED],
        broken=held[ControlStatus.BROKEN],
        objectives_met=met[ObjectiveStatus.MET],
        objectives_uncertain=met[ObjectiveStatus.UNCERTAIN],
        objectives_unknown=met[ObjectiveStatus.UNKNOWN],
        objectives_broken=met[ObjectiveStatus.BROKEN],
        disturbances_survived=survived[ObjectiveStatus.MET],
        disturbances_unknown=survived[ObjectiveStatus.UNKNOWN],
        disturbances_broken=survived[ObjectiveStatus.BROKEN],
    )
