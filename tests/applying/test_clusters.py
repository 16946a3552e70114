"""Plans on DB clusters are done with the calls of clusters, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.applying import needs
from engine.applying.calls import calls_of, described, insist_on_one_object, operation
from engine.applying.listings import Section
from engine.applying.outcome import StepState
from engine.applying.ports import Trouble
from engine.errors import EngineError
from engine.inventory.records import Kind, Snapshot, kind_of
from engine.plans.codes import Action
from engine.plans.plan import Plan, Step
from engine.retention.keep import Keep
from tests.applying.stage import Stage, states
from tests.applying.world import Fault, create_step, primary
from tests.planning.builders import (
    PROD,
    VAULT,
    a_cluster,
    ago,
    documents,
    plan,
    steps,
    terms,
)
from tests.planning.test_clusters import LEDGER, LOCAL, a_point, clusters, exists, points

KEEPS_ONE = clusters(terms=terms(Keep(last=1), copies=[LOCAL]))


def planned(*history: Snapshot) -> Plan:
    return plan(documents(KEEPS_ONE), exists(snapshots=history))


def staged(stage: Stage, *history: Snapshot) -> Stage:
    stage.cloud.databases = {LEDGER.arn: LEDGER}
    stage.cloud.objects = {one.arn: one for one in history}
    return stage


def the(found: Plan, action: str) -> Step:
    return steps(found, action)[0]


def test_a_night_of_a_cluster_is_done_by_calls_of_clusters(stage: Stage) -> None:
    history = [*points([1]), *points([1], VAULT)]
    found = planned(*history)

    outcome = staged(stage, *history).run(found)

    assert set(states(outcome)) == {StepState.DONE}
    kept = sorted(stage.cloud.objects)
    assert [":cluster-snapshot:" in arn for arn in kept] == [True, True]
    assert {arn for arn in kept if arn in {one.arn for one in history}} == set()
    names = {name for name, _ in stage.cloud.calls}
    assert {"create", "copy", "share", "unshare", "delete", "cluster snapshots"} <= names
    assert "cluster instances" in names
    assert names.isdisjoint({"snapshots", "instances"})


def test_nothing_is_asked_of_a_clusters_zone_once_it_is_available(stage: Stage) -> None:
    found = plan(documents(clusters()), exists())
    staged(stage).run(found)
    assert stage.cloud.made("tag") == []
    (made,) = stage.cloud.objects.values()
    assert (made.tags["engine:az"], made.tags["engine:az-checked"]) == ("all", "true")


def test_the_journal_tells_the_call_that_was_made(stage: Stage) -> None:
    staged(stage).run(plan(documents(clusters()), exists()))
    intents = [one for one in stage.entries() if "CreateDBClusterSnapshot" in str(one)]
    assert intents
    assert "rds-cluster" in str(intents[0])


def test_a_lost_reply_is_resolved_among_the_snapshots_of_clusters(stage: Stage) -> None:
    stage.cloud.fail("create", Fault(Trouble.NO_REPLY, takes_effect=True))
    outcome = staged(stage).run(plan(documents(clusters()), exists()))
    assert states(outcome) == [StepState.DONE]
    assert len(stage.cloud.made("create")) == 1


def test_a_cluster_of_the_same_name_that_is_another_one_is_not_snapshotted(stage: Stage) -> None:
    found = plan(documents(clusters()), exists())
    staged(stage)
    stage.cloud.databases = {LEDGER.arn: replace(LEDGER, resource_id="cluster-OTHER")}
    outcome = stage.run(found)
    assert states(outcome) == [StepState.REFUSED]
    assert stage.cloud.made("create") == []


def test_five_copies_of_clusters_fly_to_a_location_at_once(stage: Stage) -> None:
    databases = [a_cluster(f"ledger-{number}") for number in range(8)]
    history = [a_point(ago(0), of=one) for one in databases]
    found = plan(documents(KEEPS_ONE), exists(databases, history))
    staged(stage, *history)
    outcome = stage.run(found, parallelism=32)
    assert set(states(outcome)) == {StepState.DONE}
    assert stage.cloud.busiest[VAULT] == 5


def test_one_listing_for_each_kind_at_a_location_and_poll(stage: Stage) -> None:
    """A plan on instances alone never lists clusters."""
    from tests.applying.world import database, plan_of

    stage.cloud.databases = {database().arn: database()}
    stage.run(plan_of(create_step(primary())))
    assert stage.cloud.made("cluster snapshots") == []
    assert stage.cloud.made("cluster instances") == []


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("create_snapshot", ["CreateDBClusterSnapshot"]),
        ("copy_snapshot", ["CopyDBClusterSnapshot"]),
        ("share_snapshot", ["AddTagsToResource", "ModifyDBClusterSnapshotAttribute"]),
        ("unshare_snapshot", ["ModifyDBClusterSnapshotAttribute", "RemoveTagsFromResource"]),
        ("delete_snapshot", ["DeleteDBClusterSnapshot"]),
    ],
)
def test_each_step_has_the_operation_of_clusters(action: str, expected: list[str]) -> None:
    step = the(planned(*points([1]), *points([1], VAULT)), action)
    insist_on_one_object(step)
    assert [operation(call) for call in calls_of(step, {})] == expected


def test_the_journal_of_instances_tells_no_kind() -> None:
    (call,) = calls_of(create_step(primary()), {})
    assert "kind" not in described(call)
    (call,) = calls_of(the(planned(), "create_snapshot"), {})
    assert described(call)["kind"] == "rds-cluster"


def test_a_plan_that_mixes_the_kinds_up_is_refused() -> None:
    step = the(planned(*points([1]), *points([1], VAULT)), "delete_snapshot")
    instance = step.arn.replace(":cluster-snapshot:", ":snapshot:")
    with pytest.raises(EngineError, match="parameter DBSnapshotIdentifier"):
        calls_of(replace(step, arn=instance), {})
    with pytest.raises(EngineError, match="several objects"):
        insist_on_one_object(replace(step, snapshot="other"))
    assert kind_of(instance) is Kind.INSTANCE


def test_preflight_knows_what_a_copy_of_a_cluster_reads() -> None:
    copy = the(planned(), "copy_snapshot")
    origin = needs.origin_of(copy)
    assert origin is not None
    assert kind_of(origin) is Kind.CLUSTER
    create = the(planned(), "create_snapshot")
    assert create.action is Action.CREATE
    assert needs.instance_of(create) == LEDGER.arn


def test_a_section_is_told_by_place_and_kind() -> None:
    assert str(Section(PROD)) == "111111111111/eu-west-1"
    assert str(Section(PROD, Kind.CLUSTER)) == "111111111111/eu-west-1 (DB clusters)"
