"""What disturbances would cost, played beforehand on values."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from engine.auditing.audit import audit
from engine.documents.model import Condition, CopyRule, Documents, Override, Select
from engine.documents.objective_model import Disturbance, Disturbed, Objectives
from engine.errors import ExitCode
from engine.inventory.records import ScopeStatus, Snapshot
from engine.plans.audit import AuditFound, Written
from engine.plans.codes import ObjectiveStatus
from engine.plans.objectives import Survival
from engine.retention.keep import Keep
from tests.auditing.scene import DAY, HOUR, ORDERS, POLICY_AT
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
    VAULT,
    a_policy,
    a_snapshot,
    ago,
    an_instance,
    daily,
    documents,
    inventory,
    terms,
)

MET, _, UNKNOWN, BROKEN = ObjectiveStatus
FAILOVER = Disturbance(Disturbed.ONE_FAILOVER)
POINTS = [*daily(ORDERS, range(1, 5)), *daily(ORDERS, range(1, 5), VAULT)]
DAYS = 4


def surviving(*disturbances: Disturbance, rpo: timedelta = 26 * HOUR, **changes: Any) -> Documents:
    copies = changes.pop("copies", [CopyRule("local")])
    keep = changes.pop("keep", Keep(daily=9))
    said = terms(keep, copies, objectives=Objectives(rpo, None, disturbances), **changes)
    return documents(a_policy(terms=said, place=POLICY_AT))


def missed(hours: float) -> Disturbance:
    return Disturbance(Disturbed.MISSED_RUNS, hours * HOUR)


def outage(hours: float) -> Disturbance:
    return Disturbance(Disturbed.ACCOUNT_OUTAGE, hours * HOUR)


def played(docs: Documents, points: list[Snapshot] = POINTS, **world: Any) -> AuditFound:
    instances = world.pop("instances", [ORDERS])
    return audit(docs, inventory(instances, points, **world), NOW, days=DAYS)


def told(found: AuditFound) -> list[Survival]:
    return [one.survival for one in found.survivals]


def test_runs_that_are_missed_make_the_next_point_as_late() -> None:
    found = played(surviving(missed(3), missed(1)))
    home, vault, home_soon, vault_soon = told(found)
    assert (home.status, home.worst, home.disturbance) == (
        BROKEN,
        27 * 3600 + 300,
        "missed_runs: 3h",
    )
    assert home.begins == NOW.replace(minute=0) + 3 * DAY
    assert home.location.account == PROD.account
    # A copy begins with the run that finds its point, half an hour later.
    assert (vault.status, vault.worst) == (BROKEN, 27 * 3600 + 2400)
    assert vault.text == "at worst the newest point is 27h40m old; 26h are allowed"
    assert (home_soon.status, vault_soon.status) == (MET, MET)
    assert found.survivals[0].written == Written("policies/gold.yaml", 3, 1)
    summary = found.summary
    assert (summary.disturbances_survived, summary.disturbances_broken) == (2, 2)
    assert found.exit_code is ExitCode.OBJECTIVE_BROKEN


def test_the_worst_account_to_lose_is_told() -> None:
    """Without the vault the source's own points go on; without prod nothing does."""
    home, vault = told(played(surviving(outage(6))))
    assert (home.status, home.account, home.disturbance) == (
        BROKEN,
        PROD.account,
        "account_outage: 6h",
    )
    assert vault.status is BROKEN
    assert home.worst is not None
    assert home.worst > 29 * 3600


def test_a_failover_costs_no_point() -> None:
    others = [ORDERS, an_instance("orders-2")]
    found = played(surviving(FAILOVER), instances=others)
    statuses = {(one.source.identifier, one.location.account): one.status for one in told(found)}
    assert statuses == {
        ("orders-1", PROD.account): MET,
        ("orders-1", VAULT.account): MET,
        ("orders-2", PROD.account): MET,
        ("orders-2", VAULT.account): MET,
    }
    assert found.summary.disturbances_broken == 0


def test_automated_backups_go_on_whatever_happens_to_runs() -> None:
    backed_up = replace(ORDERS, backup_retention_days=7, latest_restorable_at=NOW)
    (home,) = told(played(surviving(missed(9), copies=[]), instances=[backed_up]))
    assert (home.status, home.worst) == (MET, 300)


def test_what_cannot_be_played_is_unknown() -> None:
    (idle,) = told(played(surviving(missed(3), schedule=None)))
    assert (idle.status, idle.text) == (
        UNKNOWN,
        "the policy makes no points, so nothing can be played",
    )
    unread = {VAULT: {"status": ScopeStatus.FAILED, "cause": "down", "snapshots": None}}
    home = daily(ORDERS, range(5))
    _, vault = told(played(surviving(missed(1)), home, scopes=unread))
    assert (vault.status, vault.text) == (UNKNOWN, f"in {DAYS} days no point gets there")


def test_only_points_that_are_there_count() -> None:
    """Neither what is on its way when the days begin, nor bridges, nor what goes meanwhile."""
    aws = replace(ORDERS, kms_key=DEFAULT_KEY)
    early = a_snapshot(aws, ago(0), status="creating", keys=(DEFAULT_KEY,))
    docs = surviving(missed(1), rpo=30 * HOUR, keep=Keep(last=2))
    home, vault = told(played(docs, [*POINTS, early], instances=[aws]))
    assert (home.status, vault.status, vault.limit) == (MET, MET, 30 * 3600)
    assert home.worst is not None
    assert vault.worst is not None
    assert vault.worst > home.worst


def test_only_policies_that_ask_are_played_and_only_where_days_are_given() -> None:
    asking = surviving(missed(1))
    assert told(played(surviving())) == []
    assert audit(asking, inventory([ORDERS], POINTS), NOW).survivals == ()
    relaxed = Override(Select(Condition(identifiers=("orders-*",))), {("objectives", "rpo"): None})
    policy = replace(asking.policies["gold"], overrides=(relaxed,))
    assert told(played(documents(policy))) == []
