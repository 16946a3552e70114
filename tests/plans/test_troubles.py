"""What is wrong about a plan is told at the end of a run, and reaches its exit code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.errors import ExitCode, worst
from engine.plans.codes import Guard, Waiting
from engine.plans.objectives import told_of
from engine.plans.plan import Finding, GuardState, InventoryRead, Plan, ScopeRead, Waits, Warned
from engine.plans.troubles import Trouble, TroubleKind, codes_of, troubles_of
from tests.applying.world import plan_of
from tests.planning.builders import (
    PROD,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    documents,
    inventory,
    plan,
)
from tests.plans import objective_samples as objectives
from tests.plans.samples import PROD as PROD_AT

EMPTY = plan_of()
ORDERS = an_instance()
REF = plan(documents(a_policy()), inventory([ORDERS])).steps[0].source
GUARD = GuardState(
    Guard.QUOTA, "1/eu", tripped=True, limit=1, value=2, text="too many", withholds=("a",)
)
UNREAD = InventoryRead(
    complete=False,
    recorded=False,
    taken_at=None,
    scopes=(
        ScopeRead("1", "eu", "ok", 1, 1),
        ScopeRead("2", "eu", "failed", None, None, "AccessDenied"),
        ScopeRead("2", "us", "failed", None, None, "AccessDenied"),
    ),
)


def waits(code: Waiting, text: str) -> Waits:
    at = EMPTY_AT
    return Waits(REF, at, None, "gold", code.value, text)


EMPTY_AT = plan(documents(a_policy()), inventory([ORDERS])).steps[0].location
E302 = Warned("E302 no-route", "error", "no key", REF.address, "gold")


@pytest.mark.parametrize(
    ("changes", "trouble", "code"),
    [
        ({"findings": (Finding("s", 2, "kept"),)},
         Trouble(TroubleKind.VERIFIER, "promise 2: kept", ("s",)), ExitCode.ERROR),
        ({"inventory": UNREAD},
         Trouble(TroubleKind.UNREAD, "AccessDenied", ("2/eu", "2/us")), ExitCode.PARTIAL),
        ({"guards": (GUARD,)},
         Trouble(TroubleKind.GUARD, "quota: too many", ("1/eu",)), ExitCode.WITHHELD),
        ({"warnings": (E302,)},
         Trouble(TroubleKind.CHECK, "E302 no-route: no key", (REF.address,)),
         ExitCode.OBJECTIVE_BROKEN),
        ({"waiting": (waits(Waiting.NO_ROUTE, "its key is Disabled"),)},
         Trouble(TroubleKind.NO_ROUTE, "its key is Disabled", (REF.address,)),
         ExitCode.OBJECTIVE_BROKEN),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Trouble) else "",
)  # fmt: skip
def test_a_trouble_is_told_and_has_its_code(
    changes: dict[str, Any], trouble: Trouble, code: ExitCode
) -> None:
    found = troubles_of(replace(EMPTY, **changes))
    assert found == (trouble,)
    assert codes_of(found) == {code}


def test_a_conflict_is_told_and_has_its_code() -> None:
    squatter = a_snapshot(ORDERS, ago(0), record={"tags": {}})
    found = troubles_of(plan(documents(a_policy()), inventory([ORDERS], [squatter])))
    assert [(one.kind, one.about) for one in found] == [(TroubleKind.CONFLICT, (squatter.arn,))]
    assert worst(codes_of(found)) is ExitCode.OBJECTIVE_BROKEN


@pytest.mark.parametrize(
    "quiet",
    [
        {"guards": (replace(GUARD, acknowledged=True),)},
        {"guards": (replace(GUARD, withholds=()),)},
        {"warnings": (replace(E302, severity="warning"),)},
        {"waiting": (waits(Waiting.WINDOW, "later"),)},
    ],
    ids=["acknowledged", "withholding nothing", "a warning", "waiting for its window"],
)
def test_what_is_no_trouble_is_not_told(quiet: dict[str, Any]) -> None:
    assert troubles_of(replace(EMPTY, **quiet)) == ()


def test_alike_ones_are_told_as_one_and_the_worst_first() -> None:
    both: Plan = replace(
        EMPTY,
        warnings=(E302, replace(E302, source="1/eu/other")),
        waiting=(waits(Waiting.NO_ROUTE, "no key"),),
        inventory=UNREAD,
    )
    unread, check = troubles_of(both)
    assert (unread.kind, check.kind) == (TroubleKind.UNREAD, TroubleKind.CHECK)
    assert check.where == f"{REF.address} and 1 more"
    assert replace(check, about=("x",)).where == "x"
    assert PROD.account in REF.address


def test_a_check_of_no_database_is_about_its_policy_or_the_estate() -> None:
    for policy, about in (("gold", "gold"), (None, EMPTY.estate)):
        found = troubles_of(replace(EMPTY, warnings=(replace(E302, source=None, policy=policy),)))
        assert found[0].about == (about,)


def test_a_broken_objective_is_told_until_a_step_has_mended_it() -> None:
    at_home = objectives.objective(at=PROD_AT)
    broken = replace(EMPTY, objectives=told_of([at_home, objectives.objective("orders-2")]))
    first, second = troubles_of(broken)
    assert first.kind is TroubleKind.OBJECTIVE
    assert first.text == "the RPO of policy gold, 26h, is broken in 111111111111/eu-west-1"
    assert first.about == (at_home.source.address,)
    assert codes_of((first,)) == {ExitCode.OBJECTIVE_BROKEN}
    assert troubles_of(broken, {"create:orders-1"}) == (second,)


def test_a_step_mends_no_rto_and_only_broken_objectives_are_troubles() -> None:
    broken, doubtful = objectives.BROKEN, objectives.UNCERTAIN
    slow = objectives.objective(lost=broken, lasts=broken, at=PROD_AT)
    told = replace(
        EMPTY, objectives=told_of([slow, objectives.objective(lost=None, lasts=doubtful)])
    )
    assert len(troubles_of(told)) == 2
    (rto,) = troubles_of(told, {"create:orders-1"})
    assert rto.text.startswith("the RTO of policy gold, 4h, is broken")
