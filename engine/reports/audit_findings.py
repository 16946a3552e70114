"""An audit as the single findings that programs count: a list that every format is made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from engine.plans.audit import (
    AuditFound,
    ControlFound,
    ObjectiveFound,
    Ruling,
    SurvivalFound,
    Written,
)
from engine.plans.codes import ControlLevel, ControlStatus, ObjectiveStatus


class Outcome(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"
    """Not judged, or an estimate that allows both."""
    EXCEPTED = "excepted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one database; `rule` is the control's id, or `objective-rpo`, `objective-rto`.

    `place` is where the database's points are meant, for rules that differ by location.
    """

    rule: str
    title: str
    level: ControlLevel
    outcome: Outcome
    about: str
    place: str
    text: str
    written: Written | None

    @property
    def key(self) -> str:
        """What stays the same from one audit to the next, for those who follow findings."""
        words = "\n".join((self.rule, self.about, self.place))
        return hashlib.sha256(words.encode()).hexdigest()[:32]


_OF_CONTROLS = {
    ControlStatus.PASSED: Outcome.PASSED,
    ControlStatus.NOT_JUDGED: Outcome.OPEN,
    ControlStatus.EXCEPTED: Outcome.EXCEPTED,
    ControlStatus.BROKEN: Outcome.FAILED,
}
_OF_OBJECTIVES = {
    ObjectiveStatus.MET: Outcome.PASSED,
    ObjectiveStatus.UNCERTAIN: Outcome.OPEN,
    ObjectiveStatus.UNKNOWN: Outcome.OPEN,
    ObjectiveStatus.BROKEN: Outcome.FAILED,
}
OBJECTIVES = {
    "rpo": "How much may be lost at most",
    "rto": "How long a restore may take at most",
    "survive": "How much may be lost under a disturbance",
}


def findings_of(found: AuditFound) -> Iterator[Finding]:
    """Yield every check of an audit, controls first."""
    for control in found.controls:
        if not control.rulings:
            yield _of_nothing(control)
        for ruling in control.rulings:
            yield _of_ruling(control, ruling)
    for objective in found.objectives:
        yield from _of_objective(objective)
    for survival in found.survivals:
        yield _of_survival(survival)


def _of_nothing(control: ControlFound) -> Finding:
    text = "it is for no database that there is"
    title = control.title or control.rule
    return Finding(
        control.id, title, control.severity, Outcome.OPEN, "estate", "", text, control.written
    )


def _of_ruling(control: ControlFound, ruling: Ruling) -> Finding:
    return Finding(
        rule=control.id,
        title=control.title or control.rule,
        level=control.severity,
        outcome=_OF_CONTROLS[ruling.status],
        about=ruling.about,
        place="",
        text=ruling.text,
        written=ruling.written,
    )


def _of_objective(found: ObjectiveFound) -> Iterator[Finding]:
    one = found.objective
    for name, judged in one.judgements:
        yield Finding(
            rule=f"objective-{name}",
            title=OBJECTIVES[name],
            level=ControlLevel.ERROR,
            outcome=_OF_OBJECTIVES[judged.status],
            about=one.source.address,
            place=f"{one.location.account}/{one.location.region}",
            text=f"policy {one.policy}: {judged.text}",
            written=found.written,
        )


def _of_survival(found: SurvivalFound) -> Finding:
    one = found.survival
    return Finding(
        rule="objective-survive",
        title=OBJECTIVES["survive"],
        level=ControlLevel.ERROR,
        outcome=_OF_OBJECTIVES[one.status],
        about=one.source.address,
        place=f"{one.location.account}/{one.location.region} under {one.disturbance}",
        text=f"policy {one.policy}: {one.text}",
        written=found.written,
    )
