"""Objectives as a person might meet them, written by hand."""

from __future__ import annotations

from dataclasses import replace

from engine.plans.codes import ObjectiveStatus, RestoredFrom
from engine.plans.objectives import (
    Gap,
    Judgement,
    Newest,
    Objective,
    RestoreInput,
    RestoreWindow,
)
from engine.plans.plan import At
from tests.plans.samples import DAY, HOSTILE, PROD, SLOT, VAULT, arn_of, source

MET, UNCERTAIN, UNKNOWN, BROKEN = ObjectiveStatus
DAY_AND_A_BIT = 26 * 3600
INPUTS = (
    RestoreInput("start", 600, 2700, "10m to 45m until a new instance answers: assumed"),
    RestoreInput("loading", 0, 8533, "500 GiB allocated: at 60 MiB/s: assumed"),
)


def rpo(status: ObjectiveStatus, days: int = 2) -> Judgement:
    """What would be lost."""
    age = None if status is UNKNOWN else days * 86_400
    text = f"the newest that can be restored is {days}d old; 26h are allowed"
    if status is UNKNOWN:
        text = "what can be restored there is not known: AccessDenied"
    return Judgement(status, DAY_AND_A_BIT, age, age, text)


def rto(status: ObjectiveStatus) -> Judgement:
    """How long a restore would take."""
    text = "a restore takes an estimated 10m to 3h7m"
    return Judgement(status, 4 * 3600, 600, 11_233, text)


def objective(
    name: str = "orders-1",
    lost: ObjectiveStatus | None = BROKEN,
    lasts: ObjectiveStatus | None = None,
    at: At = VAULT,
    *,
    days: int = 2,
) -> Objective:
    """An objective of gold."""
    statuses = [one for one in (lost, lasts) if one is not None]
    order = list(ObjectiveStatus)
    return Objective(
        source=source(name),
        policy="gold",
        location=at,
        status=max(statuses, key=order.index),
        rpo=None if lost is None else rpo(lost, days),
        rto=None if lasts is None else rto(lasts),
        newest=Newest(SLOT - days * DAY, RestoredFrom.SNAPSHOT, arn_of(name, at)),
        points=34,
        worst_gap=Gap(SLOT - 21 * DAY, SLOT - 14 * DAY),
        window=RestoreWindow(SLOT - 7 * DAY, SLOT, 7) if at == PROD else None,
        inputs=INPUTS,
        mended_by=f"create:{name}" if at == PROD and lost is BROKEN else None,
    )


HOSTILE_OBJECTIVE = replace(objective(HOSTILE), policy=HOSTILE)
