"""Audits as a person might meet them, written by hand."""

from __future__ import annotations

from dataclasses import replace

from engine.plans.audit import (
    AUDIT_FORMAT_VERSION,
    AuditFound,
    ControlFound,
    ExpiredException,
    ObjectiveFound,
    Ruling,
    SurvivalFound,
    Written,
    summary_of,
)
from engine.plans.codes import ControlLevel, ControlRule, ControlStatus, ObjectiveStatus
from engine.plans.drift import SharesRead
from engine.plans.objectives import Survival
from engine.plans.plan import At
from tests.plans.objective_samples import objective
from tests.plans.samples import (
    HOSTILE,
    NOW,
    POLICIES,
    PROD,
    REMOTE,
    VAULT,
    read,
    scope,
    source,
    unread,
)

PASSED, NOT_JUDGED, EXCEPTED, BROKEN = ControlStatus
POLICY = Written("policies/gold tier.yaml", 3, 1)
CONTROL = Written("policies/controls.yaml", 5, 5)


def ruling(
    status: ControlStatus, name: str = "orders-1", text: str = "policy gold backs it up"
) -> Ruling:
    """What a control comes to for one database."""
    return Ruling(status, source(name), PROD, text, POLICY)


def control(
    name: str,
    *rulings: Ruling,
    title: str = "",
    rule: ControlRule = ControlRule.COVERED,
    severity: ControlLevel = ControlLevel.ERROR,
) -> ControlFound:
    """A control with these rulings."""
    order = list(ControlStatus)
    status = max((one.status for one in rulings), key=order.index, default=NOT_JUDGED)
    return ControlFound(name, title, rule, severity, status, CONTROL, rulings)


def survival(
    status: ObjectiveStatus, name: str = "orders-1", disturbance: str = "missed_runs: 2h"
) -> SurvivalFound:
    """What a disturbance would cost a database in the vault."""
    worst = None if status is ObjectiveStatus.UNKNOWN else 95_400
    text = "at worst the newest point is 26h30m old; 26h are allowed"
    out = VAULT.account if disturbance.startswith("account") else None
    database = source(name)
    told = Survival(database, "gold", VAULT, disturbance, out, NOW, status, 93_600, worst, text)
    return SurvivalFound(told, POLICY)


def found(
    *controls: ControlFound,
    objectives: tuple[ObjectiveFound, ...] = (),
    expired: tuple[ExpiredException, ...] = (),
    survivals: tuple[SurvivalFound, ...] = (),
) -> AuditFound:
    """An audit of these."""
    judged = all(one.status is not NOT_JUDGED for c in controls for one in c.rulings)
    return AuditFound(
        format_version=AUDIT_FORMAT_VERSION,
        engine_version="0.1.0",
        estate="acme",
        as_of=NOW,
        policies_digest=POLICIES,
        controls_digest=POLICIES,
        inventory=read(scope(PROD, 14, 210), scope(VAULT, 0, 170)),
        shares=SharesRead(380, 380),
        summary=summary_of(controls, objectives, survivals),
        controls=controls,
        objectives=objectives,
        expired=expired,
        complete=judged,
        survivals=survivals,
        days=7 if survivals else 0,
    )


def good() -> AuditFound:
    """An audit that nobody minds."""
    met = ObjectiveFound(objective(lost=ObjectiveStatus.MET, lasts=ObjectiveStatus.MET), POLICY)
    survived = survival(ObjectiveStatus.MET)
    return found(
        control("BK-1", ruling(PASSED), title="all is backed up"),
        objectives=(met,),
        survivals=(survived,),
    )


def bad() -> AuditFound:
    """One of everything that can be wrong."""
    alone = "points in 1 account and 1 region (111111111111/eu-west-1); 2 accounts are required"
    broken = [ruling(BROKEN, f"orders-{number}", alone) for number in range(1, 13)]
    excused = ruling(EXCEPTED, "legacy", f"{alone}; excepted up to 2027-03-31: moves in spring")
    two = control(
        "BK-2",
        *broken,
        excused,
        ruling(PASSED, "crm"),
        title="Points lie in two accounts",
        rule=ControlRule.POINTS_IN,
        severity=ControlLevel.WARNING,
    )
    blind = Ruling(NOT_JUDGED, None, REMOTE, "which databases there are is not known", CONTROL)
    late = ObjectiveFound(objective(), POLICY)
    unsure = ObjectiveFound(objective("wiki", None, ObjectiveStatus.UNCERTAIN), None)
    over = ExpiredException("BK-2", "2026-10-31", "moves in autumn", CONTROL)
    whole = found(
        control("BK-1", ruling(PASSED), blind),
        two,
        control("BK-3", title="nothing to judge", severity=ControlLevel.NOTE),
        control("BK-4", ruling(PASSED), title="all is backed up"),
        objectives=(late, unsure),
        expired=(over, replace(over, written=None)),
        survivals=(
            *(survival(ObjectiveStatus.BROKEN, f"orders-{number}") for number in range(1, 11)),
            survival(ObjectiveStatus.UNKNOWN, "wiki", "account_outage: 6h"),
        ),
    )
    inventory = read(scope(PROD, 14, 210), unread(REMOTE, "AccessDenied"))
    return replace(whole, inventory=inventory, complete=False)


def hostile() -> AuditFound:
    """Texts that try to leave their place."""
    bad_ruling = Ruling(BROKEN, source(HOSTILE), At("1", HOSTILE), HOSTILE, Written(HOSTILE, 1, 1))
    worse = replace(bad_ruling, status=NOT_JUDGED, written=None)
    over = ExpiredException(HOSTILE, "2026-10-31", HOSTILE, None)
    return found(
        control("BK-1", bad_ruling, worse, title=HOSTILE),
        expired=(over,),
        objectives=(ObjectiveFound(objective(HOSTILE), Written(HOSTILE, 1, 1)),),
        survivals=(survival(ObjectiveStatus.BROKEN, HOSTILE, HOSTILE),),
    )


AUDIT_SAMPLES = {"good": good, "bad": bad, "hostile": hostile}
