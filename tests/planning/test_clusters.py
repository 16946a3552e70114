"""DB clusters as sources: always full, ids of 63 characters, a quota of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import (
    CopyRule,
    FullCopies,
    Guards,
    MaxDeletes,
    Orphans,
    Policy,
    Retire,
    ShareRule,
)
from engine.identity.marks import Role, owned_marks, read_marks
from engine.identity.proofs import proof_of
from engine.inventory.records import Clusters, Instance, Inventory, Kind, Location, Quota, Snapshot
from engine.planning.checks import check
from engine.planning.drift.shares import Depth, shares_read, snapshots_to_ask_about
from engine.planning.pinning import plan_pin
from engine.planning.snapshotting import Request, plan_snapshots
from engine.plans.codes import Action, Verdict
from engine.plans.plan import PlanOptions
from engine.retention.keep import Keep
from engine.retention.spans import parse_span
from engine.verifying.verify import verify
from tests.planning import builders
from tests.planning.builders import (
    DAY,
    NOW,
    PROD,
    SLOT,
    VAULT,
    a_cluster,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_estate,
    an_instance,
    delete_of,
    documents,
    failed_over,
    guard,
    held_back,
    kept,
    plan,
    step_of,
    steps,
    terms,
    witnesses,
)

LEDGER = a_cluster()
ORDERS = an_instance()
LOCAL, FAR = CopyRule("local"), CopyRule("remote")


def clusters(name: str = "gold", **changes: Any) -> Policy:
    return replace(a_policy(name, **changes), protects=Kind.CLUSTER)


def exists(
    found: Iterable[Instance] = (LEDGER,),
    snapshots: Iterable[Snapshot] = (),
    *,
    quotas: dict[Location, Quota] | None = None,
    unread: Iterable[Location] = (),
    instances: Iterable[Instance] = (),
    others: Iterable[Snapshot] = (),
) -> Inventory:
    """An inventory with clusters beside its instances; `others` are snapshots of these."""
    base = builders.inventory(instances, others)
    scopes = {}
    for at, scope in base.scopes.items():
        told = Clusters(
            clusters=tuple(c for c in found if c.location == at),
            snapshots=tuple(s for s in snapshots if s.location == at),
            quota=(quotas or {}).get(at),
        )
        if at in unread:
            told = Clusters(cause="AccessDenied on rds:DescribeDBClusters: no")
        scopes[at] = replace(scope, clusters=told)
    return replace(base, scopes=scopes)


def a_point(
    slot: Any, location: Location = PROD, of: Instance = LEDGER, **changes: Any
) -> Snapshot:
    """A point of a cluster as AWS tells of it: a copy does not say when its data was captured."""
    point = a_snapshot(of, slot, location, zone="all", **changes)
    if location != PROD:
        return replace(point, original_created_at=None)
    return point


def points(days: Iterable[int], location: Location = PROD, **changes: Any) -> list[Snapshot]:
    return [a_point(ago(day), location, **changes) for day in days]


# -- creating ------------------------------------------------------------------------------------


def test_a_point_of_a_cluster_is_made_by_its_own_call_and_full() -> None:
    made = step_of(plan(documents(clusters()), exists()), "create_snapshot")

    assert made.arn.startswith("arn:aws:rds:eu-west-1:111111111111:cluster-snapshot:ledger-gold-")
    assert made.parameters["DBClusterIdentifier"] == "ledger"
    assert made.parameters["DBClusterSnapshotIdentifier"] == made.snapshot
    assert made.forecast is not None
    assert (made.forecast.verdict, made.forecast.rule) == (Verdict.FULL, "cluster_snapshot")
    assert [one.check.value for one in made.preconditions] == ["instance", "absent"]


def test_its_tags_say_that_it_is_of_all_zones_and_nothing_is_left_to_confirm() -> None:
    made = step_of(plan(documents(clusters()), exists()), "create_snapshot")
    marks = read_marks(made.parameters["Tags"])
    assert marks is not None
    assert (marks.zone, marks.zone_checked, marks.resource) == ("all", True, "cluster-LEDGER")


@pytest.mark.parametrize("length", [1, 20, 40])
def test_an_id_has_63_characters_at_most_and_keeps_slot_and_hash(length: int) -> None:
    policy = ("g" * length).replace("gg", "go", 1)
    long = a_cluster("l" * 63, tags={"tier": policy})
    made = step_of(plan(documents(clusters(policy)), exists([long])), "create_snapshot")

    assert len(made.snapshot) <= 63
    assert made.snapshot.startswith("l")
    assert f"{policy[:33]}-20261121t0200z-all-" in made.snapshot
    proof = proof_of(made.snapshot, PROD, long.resource_id, builders.ESTATE, [policy])
    assert proof is not None
    assert (proof.policy, proof.slot) == (policy, SLOT)


def test_an_instance_may_stand_beside_a_cluster_of_the_same_name() -> None:
    docs = documents(a_policy("silver"), clusters())
    silver = an_instance("ledger", tags={"tier": "silver"})
    found = plan(docs, exists(instances=[silver]))
    assert [(one.policy, ":cluster-snapshot:" in one.arn) for one in found.steps] == [
        ("silver", False),
        ("gold", True),
    ]


def test_a_policy_takes_one_kind_only() -> None:
    there = exists([LEDGER], instances=[ORDERS])
    of_clusters = plan(documents(clusters()), there)
    assert [one.source.identifier for one in of_clusters.steps] == ["ledger"]
    of_instances = plan(documents(a_policy()), there)
    assert [one.source.identifier for one in of_instances.steps] == ["orders-1"]


def test_without_a_policy_for_them_clusters_change_nothing() -> None:
    docs = documents(a_policy(terms=terms(copies=[LOCAL])))
    assert plan(docs, exists(instances=[ORDERS])) == plan(docs, builders.inventory([ORDERS]))


@pytest.mark.parametrize("status", ["storage-optimization", "backing-up", "stopped"])
def test_only_available_clusters_are_snapshotted(status: str) -> None:
    found = plan(documents(clusters()), exists([replace(LEDGER, status=status)]))
    assert found.steps == ()
    (waiting,) = found.waiting
    assert (waiting.code, waiting.text.startswith(f"the cluster is {status}")) == (
        "source_state",
        True,
    )


@pytest.mark.parametrize(("engine", "made"), [("aurora-mysql", 1), ("mysql", 0)])
def test_late_points_keep_away_from_the_backup_window_of_multi_az_clusters(
    engine: str, made: int
) -> None:
    busy = replace(LEDGER, engine=engine, backup_retention_days=1, backup_window="05:00-05:30")
    late = SLOT + timedelta(hours=3, minutes=30)
    found = plan(documents(clusters()), exists([busy], points([1])), late)
    assert len(steps(found, "create_snapshot")) == made


def test_the_window_of_a_multi_az_cluster_is_warned_of_and_auroras_is_not() -> None:
    for engine, expected in (("postgres", True), ("aurora-postgresql", False)):
        busy = replace(LEDGER, engine=engine, backup_retention_days=1, backup_window="03:00-03:30")
        codes = [one.code for one in check(documents(clusters()), exists([busy]), NOW)]
        assert ("W308 backup-window" in codes) is expected


@pytest.mark.parametrize("engine", ["neptune", "docdb"])
def test_clusters_of_other_services_are_not_protected(engine: str) -> None:
    found = plan(documents(clusters()), exists([replace(LEDGER, engine=engine)]))
    assert found.steps == ()
    assert [one.text for one in found.unprotected] == [
        "DocumentDB, Neptune and RDS Custom are not supported"
    ]


def test_a_secondary_cluster_is_taken_only_where_replicas_are_asked_for() -> None:
    secondary = replace(LEDGER, replica_of="arn:aws:rds:us-east-1:111111111111:cluster:ledger")
    assert plan(documents(clusters()), exists([secondary])).steps == ()


# -- copies and shares ---------------------------------------------------------------------------


def test_a_copy_to_another_account_is_shared_made_and_taken_back() -> None:
    docs = documents(clusters(terms=terms(copies=[LOCAL])))
    found = plan(docs, exists())
    assert [step.action for step in found.steps] == [
        Action.CREATE,
        Action.SHARE,
        Action.COPY,
        Action.UNSHARE,
    ]
    copy = step_of(found, "copy_snapshot")
    assert copy.parameters["SourceDBClusterSnapshotIdentifier"] == found.steps[0].arn
    assert copy.parameters["TargetDBClusterSnapshotIdentifier"] == copy.snapshot
    assert copy.parameters["KmsKeyId"] == builders.VAULT_KEY
    assert copy.forecast is not None
    assert copy.forecast.rule == "cluster_snapshot"
    assert found.next[0].full == 2


def test_a_cluster_under_the_default_key_goes_over_a_bridge() -> None:
    hidden = replace(LEDGER, kms_key=builders.DEFAULT_KEY)
    docs = documents(clusters(terms=terms(copies=[LOCAL])))
    found = plan(docs, exists([hidden]))
    bridge, copy = steps(found, "copy_snapshot")
    assert bridge.parameters["KmsKeyId"] == builders.REKEY
    assert copy.parameters["SourceDBClusterSnapshotIdentifier"] == bridge.arn


def test_a_done_bridge_goes_though_none_of_its_chain_follows() -> None:
    hidden = replace(LEDGER, kms_key=builders.DEFAULT_KEY)
    primary = a_point(ago(0), keys=(builders.DEFAULT_KEY,))
    bridge = a_point(ago(0), role=Role.BRIDGE, keys=(builders.DEFAULT_KEY, builders.REKEY))
    copy = a_point(ago(0), VAULT, keys=(builders.DEFAULT_KEY, builders.REKEY, builders.VAULT_KEY))
    docs = documents(clusters(terms=terms(copies=[LOCAL])))
    found = plan(docs, exists([hidden], [primary, bridge, copy]))
    assert [step.arn for step in steps(found, "delete_snapshot")] == [bridge.arn]


def test_a_copy_that_was_made_late_stands_for_no_later_slot() -> None:
    old, late = points([1]), points([1], VAULT, made_at=NOW)
    docs = documents(clusters(terms=terms(copies=[LOCAL])))
    found = plan(docs, exists(snapshots=[*old, *late]))
    assert step_of(found, "create_snapshot").slot == SLOT


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"engine": "postgres"}, "AWS copies no snapshots of Multi-AZ DB clusters"),
        ({"encrypted": False, "kms_key": None}, "it is not encrypted"),
        (
            {"encrypted": False, "kms_key": None, "encryption_type": "sse-rds"},
            "a key that AWS owns",
        ),
    ],
)
def test_what_aws_does_not_copy_is_told_and_stays_where_it_is(
    changes: dict[str, Any], why: str
) -> None:
    odd = replace(LEDGER, **changes)
    history = points([4, 3, 2, 1], of=odd, keys=(odd.kms_key,))
    docs = documents(clusters(terms=terms(copies=[LOCAL, FAR])))
    found = plan(docs, exists([odd], history))

    assert [step.action for step in found.steps] == [Action.CREATE, Action.DELETE, Action.DELETE]
    assert [one.code for one in found.waiting] == ["no_route", "no_route"]
    assert all(why in one.text for one in found.waiting)
    (told,) = [one for one in found.warnings if one.code.startswith("E361")]
    assert why in told.text
    assert found.next[0].copies == 0


def test_old_points_that_were_not_encrypted_hold_up_no_newer_ones() -> None:
    plain, *newer = points([2], keys=(None,)) + points([1])
    docs = documents(clusters(terms=terms(copies=[CopyRule("remote", backfill="all")])))
    found = plan(docs, exists(snapshots=[plain, *newer]))
    copy = step_of(found, "copy_snapshot")
    assert copy.parameters["SourceDBClusterSnapshotIdentifier"] == newer[0].arn


def test_aws_shares_no_multi_az_cluster() -> None:
    said = terms(share_with=(ShareRule(("vault",)),))
    odd = replace(LEDGER, engine="mysql")
    refused = plan(documents(clusters(terms=said)), exists([odd], points([0], of=odd)))
    assert steps(refused, "share_snapshot") == []
    assert "E362 cluster-not-shared" in {one.code for one in refused.warnings}
    given = plan(documents(clusters(terms=said)), exists(snapshots=points([0])))
    assert step_of(given, "share_snapshot").parameters["ValuesToAdd"] == [VAULT.account]


# -- retention and protection --------------------------------------------------------------------


def test_what_no_rule_keeps_goes_though_nothing_of_its_chain_follows() -> None:
    """An instance's would stay as a base: its successor was taken in another zone."""
    moved = [*points([3, 2, 1, 0])]
    found = plan(documents(clusters(terms=terms(Keep(last=2)))), exists(snapshots=moved))
    assert builders.deleted(found) == {moved[0].arn, moved[1].arn}
    assert all(one[0] != "chain" for s in moved[:2] for one in witnesses(delete_of(found, s)))
    instance = failed_over(ORDERS)
    history = [
        a_snapshot(ORDERS, ago(2)),
        *(a_snapshot(instance, ago(d), zone="euw1-az1") for d in (1, 0)),
    ]
    same = plan(
        documents(a_policy(terms=terms(Keep(last=2)))), builders.inventory([instance], history)
    )
    assert kept(same, history[0]) == ["chain_base"]


def test_the_newest_at_a_location_stays_though_no_rule_keeps_it() -> None:
    only = points([9])
    docs = documents(clusters(terms=terms(Keep(daily=1), schedule=None)))
    assert builders.deleted(plan(docs, exists(snapshots=only))) == set()


def test_a_snapshot_that_is_being_copied_stays() -> None:
    old, *rest = points([5, 1, 0])
    flying = a_point(ago(5), VAULT, status="copying")
    docs = documents(clusters(terms=terms(Keep(last=1), copies=[LOCAL])))
    found = plan(docs, exists(snapshots=[old, *rest, flying]))
    assert "in_flight" in kept(found, old)


def test_a_new_one_on_its_way_makes_no_older_one_a_base() -> None:
    old, newer = points([2, 1])
    coming = a_point(ago(0), status="creating")
    docs = documents(clusters(terms=terms(Keep(last=1))))
    found = plan(docs, exists(snapshots=[old, newer, coming]))
    assert builders.deleted(found) == {old.arn}
    assert "in_flight" not in kept(found, newer)


def test_a_delete_waits_for_the_new_point_that_displaces_it() -> None:
    docs = documents(clusters(terms=terms(Keep(last=1))))
    old = points([1])
    found = plan(docs, exists(snapshots=old))
    made = step_of(found, "create_snapshot")
    assert made.id in delete_of(found, old[0]).depends_on


def test_a_point_of_a_gone_cluster_is_an_orphan_where_clusters_were_read() -> None:
    old = points([3, 2])
    said = terms(orphans=Orphans(parse_span("30d")))
    docs = documents(clusters(terms=said))
    tagged = plan(docs, exists([], old))
    assert {step.reason.code for step in tagged.steps} == {"source_gone"}
    unread = plan(docs, exists([], old, unread=[PROD]))
    assert unread.steps == ()
    assert not unread.complete
    assert [one.code for one in unread.warnings] == ["W463 clusters-not-read"]


def test_a_restored_cluster_succeeds_the_one_whose_name_it_took() -> None:
    swapped = replace(LEDGER, resource_id="cluster-NEW")
    old = points([2, 1])
    found = plan(documents(clusters(terms=terms(Keep(last=1)))), exists([swapped], old))
    assert step_of(found, "create_snapshot").source.resource_id == "cluster-NEW"
    assert builders.deleted(found) == {one.arn for one in old}


# -- limits --------------------------------------------------------------------------------------


def test_clusters_have_a_quota_of_their_own() -> None:
    docs = documents(clusters(), a_policy("silver"))
    silver = an_instance(tags={"tier": "silver"})
    full = exists(instances=[silver], quotas={PROD: Quota(100, 100)})
    found = plan(docs, full)
    assert list(held_back(found).values()) == ["quota"]
    state = guard(found, "quota")
    assert "L-9B510759" in state.text
    assert "cluster snapshots" in state.text
    assert state.about == "111111111111/eu-west-1 clusters"


def test_a_full_quota_of_instances_stops_no_cluster() -> None:
    docs = documents(clusters(), a_policy("silver"))
    silver = an_instance(tags={"tier": "silver"})
    there = exists(instances=[silver])
    scopes = dict(there.scopes)
    scopes[PROD] = replace(scopes[PROD], quota=Quota(100, 100))
    found = plan(docs, replace(there, scopes=scopes))
    assert {name.partition("/")[0] for name in held_back(found)} == {"create:111111111111"}
    withheld = [step for step in found.steps if step.withheld_by]
    assert [step.source.identifier for step in withheld] == ["orders-1"]


def test_too_small_a_quota_is_warned_of_by_its_own_name() -> None:
    there = exists(quotas={PROD: Quota(0, 2)})
    (warned,) = [w for w in check(documents(clusters()), there, NOW) if w.code == "W310 quota"]
    assert "2 manual cluster snapshots" in warned.text
    assert "L-9B510759" in (warned.fix or "")


def test_no_budget_of_full_copies_and_no_warning_is_about_clusters() -> None:
    estate = an_estate(guards=Guards(full_copies=FullCopies(count=0)))
    docs = documents(clusters(terms=terms(copies=[LOCAL])), estate=estate)
    found = plan(docs, exists(snapshots=[*points([1]), *points([1], VAULT)]))
    assert held_back(found) == {}
    assert "W402 full-copy" not in {one.code for one in found.warnings}


def test_one_limit_to_deletes_is_for_both_kinds() -> None:
    docs = documents(
        clusters(terms=terms(Keep(last=1))), a_policy("silver", terms=terms(Keep(last=1)))
    )
    silver = an_instance(tags={"tier": "silver"})
    there = exists(
        snapshots=points([9, 8, 7]),
        instances=[silver],
        others=[a_snapshot(silver, ago(day), policy="silver") for day in (9, 8, 7)],
    )
    limit = Guards(max_deletes=MaxDeletes(count=3, percent=100))
    tight = replace(docs, estate=an_estate(guards=limit))
    assert guard(plan(tight, there), "max_deletes").about == "the estate"


def test_a_targets_unusable_key_is_told_once() -> None:
    docs = documents(clusters(terms=terms(copies=[LOCAL])))
    there = exists()
    key = replace(builders.KEYS[VAULT][builders.VAULT_KEY], state="Disabled")
    scopes = dict(there.scopes)
    scopes[VAULT] = replace(scopes[VAULT], keys={key.arn: key})
    codes = [one.code for one in plan(docs, replace(there, scopes=scopes)).warnings]
    assert codes.count("E311 key-unusable") == 1


# -- what is told --------------------------------------------------------------------------------


def test_clusters_that_no_policy_takes_are_told_and_their_members_are_not() -> None:
    lonely = a_cluster("lonely", tags={})
    member = an_instance("lonely-1", cluster="lonely", engine="aurora-postgresql", tags={})
    found = plan(documents(clusters()), exists([LEDGER, lonely], instances=[member]))
    assert [(one.source.identifier, one.text) for one in found.unprotected] == [
        ("lonely", "no policy selects it")
    ]
    alone = plan(documents(a_policy()), exists(instances=[member]))
    assert [one.source.identifier for one in alone.unprotected] == ["lonely-1"]


def test_what_somebody_changed_by_hand_is_drift_for_clusters_too() -> None:
    primary = a_point(ago(0))
    stripped = replace(primary, tags={"engine:estate": "acme"})
    found = plan(documents(clusters()), exists(snapshots=[stripped]))
    assert [one.code.value for one in found.drift] == ["untagged"]
    assert found.drift[0].arn == primary.arn


def test_leftovers_of_gone_clusters_are_listed() -> None:
    left = a_foreign_snapshot(a_cluster("gone"), NOW - 5 * DAY)
    found = plan(documents(clusters()), exists(snapshots=[left]))
    assert [one.arn for one in found.foreign_orphans] == [left.arn]


def test_what_was_read_counts_databases_and_snapshots_of_both_kinds() -> None:
    there = exists(instances=[ORDERS], snapshots=points([1, 0]))
    found = plan(documents(clusters()), there)
    (prod,) = [one for one in found.inventory.scopes if one.account == PROD.account]
    assert (prod.instances, prod.snapshots, prod.foreign) == (2, 2, 0)
    only = plan(documents(a_policy()), exists(instances=[ORDERS]))
    (prod,) = [one for one in only.inventory.scopes if one.account == PROD.account]
    assert (prod.instances, prod.snapshots) == (1, 0)


def test_points_of_clusters_are_told_of_when_the_last_of_their_policies_is_gone() -> None:
    left = points([1, 0])
    found = plan(documents(a_policy("silver")), exists(snapshots=left))
    assert {one.arn for one in found.unmanaged} == {one.arn for one in left}
    assert (builders.deleted(found), found.drift, found.findings) == (set(), (), ())
    retiring = builders.an_estate(retire=(Retire(policy="gold"),), guards=Guards(min_points=0))
    retired = plan(documents(a_policy("silver"), estate=retiring), exists(snapshots=left))
    assert builders.deleted(retired) <= {one.arn for one in left}
    assert builders.deleted(retired) != set()


def test_a_cluster_whose_location_was_not_read_stops_no_instance() -> None:
    docs = documents(clusters(), a_policy("silver", terms=terms(Keep(last=1))))
    silver = an_instance(tags={"tier": "silver"})
    history = [a_snapshot(silver, ago(day), policy="silver") for day in (2, 1, 0)]
    found = plan(docs, exists(unread=[PROD, VAULT], instances=[silver], others=history))
    assert builders.deleted(found) == {history[0].arn, history[1].arn}
    assert not found.complete


# -- other commands ------------------------------------------------------------------------------


def test_a_point_can_be_made_of_a_cluster_at_once() -> None:
    request = Request("*/*/ledger", "before the upgrade", 30 * DAY)
    found = plan_snapshots(documents(clusters()), exists(), NOW, request)
    assert [step.parameters["DBClusterIdentifier"] for step in found.steps] == ["ledger"]


def test_points_of_clusters_are_pinned_by_their_id() -> None:
    point = a_point(ago(0))
    found = plan_pin(documents(clusters()), exists(snapshots=[point]), NOW, [point.identifier], "x")
    assert [(step.arn, step.withheld_by) for step in found.steps] == [(point.arn, None)]
    assert found.findings == ()


def test_shares_of_the_newest_points_are_asked_about() -> None:
    there, docs = exists(snapshots=points([1, 0])), documents(clusters())
    asked = snapshots_to_ask_about(docs, there, NOW, PlanOptions(), Depth.NEWEST)
    assert [":cluster-snapshot:" in arn for arn in asked] == [True]
    assert shares_read(docs, there, NOW, PlanOptions(), asked).snapshots == 2


# -- the verifier --------------------------------------------------------------------------------


def test_the_verifier_sees_clusters_and_objects_to_what_is_not_the_engines() -> None:
    foreign = a_foreign_snapshot(LEDGER, NOW - 9 * DAY)
    docs = documents(clusters(terms=terms(Keep(last=1))))
    history = points([2, 1, 0])
    found = plan(docs, exists(snapshots=[*history, foreign]))
    good = delete_of(found, history[0])
    bad = replace(good, arn=foreign.arn, snapshot="by-hand")
    there = exists(snapshots=[*history, foreign])
    assert verify([good], docs, there, NOW) == ()
    assert [one.promise for one in verify([bad], docs, there, NOW)] == [1]


def test_the_verifier_lets_no_cluster_snapshot_go_that_a_rule_keeps() -> None:
    history = points([2, 1, 0])
    there = exists(snapshots=history)
    step = delete_of(plan(documents(clusters(terms=terms(Keep(last=1)))), there), history[0])
    strict = documents(clusters(terms=terms(Keep(last=3))))
    assert [one.promise for one in verify([step], strict, there, NOW)] == [2]


def test_steps_on_clusters_that_no_policy_protects_are_objected_to() -> None:
    history = points([2, 1, 0])
    there = exists(snapshots=history)
    step = delete_of(plan(documents(clusters(terms=terms(Keep(last=1)))), there), history[0])
    assert verify([step], documents(a_policy()), there, NOW) != ()


def test_what_is_made_of_a_cluster_is_owned_once_it_is_there() -> None:
    (made,) = plan(documents(clusters()), exists()).steps
    snapshot = replace(
        points([0])[0], arn=made.arn, identifier=made.snapshot, tags=made.parameters["Tags"]
    )
    assert owned_marks(snapshot, builders.ESTATE) is not None
