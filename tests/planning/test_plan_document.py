"""Section 8: the plan as a document, the same for the same inputs, and as its schema says."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonschema
import pytest

from engine.documents.model import (
    CopyRule,
    Documents,
    FullCopies,
    Guards,
    Incremental,
    MaxDeletes,
    Retire,
)
from engine.identity.marks import Role
from engine.inventory.records import Instance, Inventory, Quota, ScopeStatus, Snapshot, SnapshotType
from engine.planning.plan import make_plan
from engine.plans.digest import plan_digest
from engine.plans.json_form import dumps, loads
from engine.plans.plan import Plan, PlanOptions, ScopeRead, Summary
from engine.retention.keep import Keep
from tests.planning.builders import (
    DEFAULT_KEY,
    NOW,
    PROD,
    PROD_KEY,
    REMOTE,
    VAULT,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    daily,
    documents,
    inventory,
    key_arn,
    plan,
    terms,
)
from tests.planning.judging import EVERYTHING, ORDERS, OTHER, due

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "plan.v1.json").read_text(encoding="utf-8")
)


def a_lively_estate() -> tuple[Documents, list[Instance], list[Snapshot]]:
    """Databases in all conditions, so that a plan has something of everything."""
    estate = an_estate(
        guards=Guards(
            max_deletes=MaxDeletes(count=1, percent=100),
            min_points=2,
            full_copies=FullCopies(count=1),
        ),
        retire=(Retire(policy="bronze", reason="replaced"),),
    )
    copies = [CopyRule("local", keep=Keep(daily=35)), CopyRule("remote", keep=Keep(last=2))]
    docs = documents(
        a_policy(terms=terms(Keep(last=2), copies)),
        a_policy(
            "silver",
            terms=terms(
                Keep(last=1),
                [CopyRule("local", keep=Keep(last=1))],
                incremental=Incremental.REQUIRE,
            ),
        ),
        estate=estate,
    )
    docs = replace(docs, digest=f"sha256:{'0' * 64}")
    sealed = an_instance("sealed", kms_key=DEFAULT_KEY)
    silver = an_instance("silver", tags={"tier": "silver"})
    stopped = an_instance("stopped", status="stopped")
    gone, foreign = an_instance("gone"), an_instance("foreign", tags={})
    squatter = a_snapshot(an_instance("squatted"), ago(0), record={"tags": {}})
    snapshots = [
        *daily(ORDERS, [9, 8, 7, 6, 5, 4, 2, 1]),
        *daily(ORDERS, [9, 8], VAULT, keys=(PROD_KEY, key_arn(VAULT, "before"))),
        a_snapshot(ORDERS, ago(20), zone=OTHER),
        a_snapshot(ORDERS, ago(2), REMOTE, status="copying"),
        a_snapshot(ORDERS, ago(3), pin="audit"),
        *daily(sealed, [3, 2, 1], keys=(DEFAULT_KEY,)),
        *daily(sealed, [3, 2], role=Role.BRIDGE),
        *daily(silver, [3, 2, 1], policy="silver"),
        *daily(silver, [9, 8, 7, 6, 5, 3, 2], VAULT, policy="silver", keys=(PROD_KEY, None)),
        *daily(gone, [5, 4]),
        *daily(ORDERS, [12, 11], policy="bronze"),
        a_snapshot(ORDERS, ago(2), policy="former"),
        a_snapshot(ORDERS, ago(1), VAULT, status="failed"),
        a_foreign_snapshot(foreign, ago(1)),
        a_foreign_snapshot(stopped, ago(1), type=SnapshotType.AUTOMATED),
        squatter,
    ]
    instances = [ORDERS, sealed, silver, stopped, foreign, an_instance("squatted")]
    return docs, instances, snapshots


def lively(order: random.Random | None = None) -> tuple[Documents, Inventory]:
    """That estate; with `order` everything that has no order of its own is shuffled."""
    docs, instances, snapshots = a_lively_estate()
    found = inventory(
        instances,
        snapshots,
        quotas={PROD: Quota(97, 100), VAULT: Quota(98, 100), REMOTE: Quota(100, 100)},
        scopes={REMOTE: {"status": ScopeStatus.FAILED, "cause": "throttled"}},
    )
    if order is None:
        return docs, found
    scopes = {}
    for location in shuffled(found.scopes, order):
        scope = found.scopes[location]
        scopes[location] = replace(
            scope,
            instances=tuple(order.sample(scope.instances or (), len(scope.instances or ()))),
            snapshots=tuple(
                replace(s, tags=shuffled(s.tags, order))
                for s in order.sample(scope.snapshots or (), len(scope.snapshots or ()))
            ),
            keys=shuffled(scope.keys or {}, order),
        )
    estate = replace(
        docs.estate,
        accounts=shuffled(docs.estate.accounts, order),
        targets=shuffled(docs.estate.targets, order),
    )
    docs = replace(docs, estate=estate, policies=shuffled(docs.policies, order))
    return docs, replace(found, scopes=scopes)


def shuffled(mapping: Mapping[Any, Any], order: random.Random) -> dict[Any, Any]:
    return {key: mapping[key] for key in order.sample(sorted(mapping, key=str), len(mapping))}


@pytest.fixture(scope="module")
def whole() -> Plan:
    return make_plan(*lively(), NOW)


def test_the_estate_of_these_tests_has_something_of_everything(whole: Plan) -> None:
    assert {step.action.value for step in whole.steps} == {
        "create_snapshot",
        "copy_snapshot",
        "share_snapshot",
        "unshare_snapshot",
        "delete_snapshot",
        "tag_snapshot",
    }
    for part in ("kept", "waiting", "unprotected", "unmanaged", "conflicts", "warnings", "next"):
        assert getattr(whole, part), part
    tripped = {state.guard.value for state in whole.guards if state.tripped}
    assert tripped >= {"max_deletes", "incremental_required", "quota"}
    assert any(step.withheld_by for step in whole.steps)
    assert not whole.findings


@pytest.mark.parametrize("seed", range(8))
def test_the_same_inputs_give_the_same_bytes_whatever_their_order(whole: Plan, seed: int) -> None:
    again = make_plan(*lively(random.Random(seed)), NOW)
    assert dumps(again) == dumps(whole)


def test_it_is_as_its_schema_says(whole: Plan) -> None:
    validator = jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    assert [error.message for error in validator.iter_errors(json.loads(dumps(whole)))] == []


def test_it_can_be_read_back(whole: Plan) -> None:
    assert dumps(loads(dumps(whole), "plan.json")) == dumps(whole)


def test_the_digest_covers_effects_and_not_times(whole: Plan) -> None:
    assert whole.digest == plan_digest(whole.steps)
    docs, found = lively()
    # That a database is gone since now is an effect, so it is left out.
    today = make_plan(docs, found, NOW, without("gone"))
    later = make_plan(docs, found, NOW + timedelta(minutes=1), without("gone"))
    assert later.as_of != today.as_of
    assert later.digest == today.digest
    assert make_plan(docs, found, NOW, without("orders-1")).digest != whole.digest


def without(name: str) -> PlanOptions:
    return PlanOptions(exclude=(f"*/{name}",))


def test_it_is_good_for_a_day(whole: Plan) -> None:
    assert whole.expires_at - whole.as_of == timedelta(days=1)
    assert whole.as_of == NOW


def test_it_says_what_it_rests_on(whole: Plan) -> None:
    assert not whole.complete
    assert not whole.inventory.complete
    assert whole.inventory.recorded
    assert whole.policies_digest == f"sha256:{'0' * 64}"
    scopes = whole.inventory.scopes
    assert [f"{s.account}/{s.region}" for s in scopes] == sorted(map(str, (PROD, VAULT, REMOTE)))
    remote = next(s for s in scopes if s.region == REMOTE.region)
    assert remote == ScopeRead(REMOTE.account, REMOTE.region, "failed", 0, 1, "throttled", 0)
    unread = plan(due(), inventory([ORDERS], locations=[PROD]))
    assert ScopeRead(VAULT.account, VAULT.region, "not_read", None, None, "not read") in (
        unread.inventory.scopes
    )


def test_the_summary_counts_steps_that_are_done_and_those_that_are_not(whole: Plan) -> None:
    done = [step for step in whole.steps if step.withheld_by is None]
    counted = whole.summary
    assert counted.withheld == len(whole.steps) - len(done)
    by_action = (
        counted.create
        + counted.copy
        + counted.share
        + counted.unshare
        + counted.delete
        + counted.tag
    )
    assert by_action == len(done)
    verdicts = counted.full + counted.incremental + counted.likely_incremental + counted.unknown
    assert verdicts == counted.create + counted.copy
    assert counted.protected > 0


def test_of_nothing_the_plan_is_empty() -> None:
    found = plan(due(), inventory([]))
    assert found.summary == Summary()
    assert found.steps == ()
    assert not found.has_changes
    assert found.complete


def test_databases_that_no_policy_takes_are_named() -> None:
    stranger = an_instance("stranger", tags={})
    aurora = an_instance("aurora", engine="aurora-postgresql")
    replica = an_instance("replica", tags={}, replica_of="stranger")
    found = plan(due(), inventory([ORDERS, stranger, aurora, replica]))
    assert [(one.source.identifier, one.text) for one in found.unprotected] == [
        (
            "aurora",
            "it is of a cluster, which only a policy with `protects: rds-cluster` protects",
        ),
        ("stranger", "no policy selects it"),
    ]


def test_a_second_plan_over_what_the_first_one_made_is_empty() -> None:
    first = plan(due(EVERYTHING), inventory([ORDERS]))
    made = a_snapshot(ORDERS, ago(0))
    assert [step.arn for step in first.steps] == [made.arn]
    assert not plan(due(EVERYTHING), inventory([ORDERS], [made])).has_changes


def test_read_only_tags_of_records_are_written_like_others() -> None:
    tagged = replace(ORDERS, copy_tags_to_snapshot=True, tags=MappingProxyType({"tier": "gold"}))
    found = plan(due(), inventory([tagged]))
    assert json.loads(dumps(found))["steps"][0]["parameters"]["Tags"]["tier"] == "gold"
