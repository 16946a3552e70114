"""Objectives: what could be lost and how long a restore may take, judged and only told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.documents.model import (
    AutomatedTerms,
    CopyRule,
    Documents,
    Every,
    Replication,
    Schedule,
)
from engine.documents.objective_model import Objectives
from engine.identity.marks import Role
from engine.inventory.records import AutomatedBackup, Key, Location, Quota, ScopeStatus, Snapshot
from engine.planning.restorable import restorable_at
from engine.planning.restoring import RestoreAssumptions, restore_inputs
from engine.planning.survey import survey
from engine.plans.codes import ObjectiveStatus, RestoredFrom
from engine.plans.objectives import Gap, Objective
from engine.plans.plan import Plan
from engine.retention.keep import Keep
from tests.planning.builders import (
    DAY,
    DEFAULT_KEY,
    NOW,
    PROD,
    REMOTE,
    SLOT,
    VAULT,
    VAULT_KEY,
    a_foreign_snapshot,
    a_policy,
    a_snapshot,
    ago,
    an_account,
    an_estate,
    an_instance,
    daily,
    documents,
    inventory,
    plan,
    steps,
    terms,
)

HOUR = timedelta(hours=1)
ORDERS = an_instance()
UNCERTAIN, UNKNOWN, BROKEN = list(ObjectiveStatus)[1:]


def gold(rpo: timedelta | None = 26 * HOUR, rto: timedelta | None = None, **changes: Any) -> Any:
    copies = changes.pop("copies", [CopyRule("local")])
    said = terms(Keep(daily=30), copies, objectives=Objectives(rpo, rto), **changes)
    return documents(a_policy(terms=said))


def judged(made: Plan, location: Location = PROD) -> Objective:
    """The objective at a location, which is not met."""
    told = [o for o in made.objectives.told if o.location.region == location.region]
    found = [o for o in told if o.location.account == location.account]
    assert len(found) == 1, made.objectives
    return found[0]


def statuses(made: Plan) -> tuple[int, int, int, int]:
    found = made.objectives
    assert found.judged == found.met + found.uncertain + found.unknown + found.broken
    assert len(found.told) == found.judged - found.met
    return found.met, found.uncertain, found.unknown, found.broken


def planned(
    snapshots: list[Snapshot], docs: Documents | None = None, now: datetime = NOW, **world: Any
) -> Plan:
    instance = world.pop("instance", ORDERS)
    return plan(docs or gold(), inventory([instance], snapshots, **world), now)


# -- how much would be lost ------------------------------------------------------------------------


def test_points_of_the_last_night_meet_the_rpo_at_every_location() -> None:
    assert statuses(planned([*daily(ORDERS, [1]), *daily(ORDERS, [1], VAULT)])) == (2, 0, 0, 0)


def test_a_policy_without_objectives_is_not_judged() -> None:
    assert planned([], gold(None)).objectives.judged == 0


def test_a_target_that_lags_breaks_the_rpo_there_alone() -> None:
    made = planned([*daily(ORDERS, [1]), *daily(ORDERS, [3], VAULT)])
    assert statuses(made) == (1, 0, 0, 1)
    found = judged(made, VAULT)
    assert found.rpo is not None
    assert (found.rpo.limit, found.rpo.low) == (26 * 3600, 3 * 86_400)
    assert found.rpo.text == (
        "the newest that can be restored is of 2026-11-18 02:10Z, 3d ago, by snapshot; "
        "26h are allowed"
    )
    assert found.newest is not None
    assert found.newest.way is RestoredFrom.SNAPSHOT


def test_what_counts_is_when_data_was_captured_not_the_slot() -> None:
    late = a_snapshot(ORDERS, ago(2), taken_at=NOW - 25 * HOUR)
    assert statuses(planned([late], gold(copies=[]))) == (1, 0, 0, 0)
    assert statuses(planned([late], gold(24 * HOUR, copies=[]))) == (0, 0, 0, 1)


def test_exactly_as_old_as_allowed_is_met() -> None:
    point = a_snapshot(ORDERS, ago(2), taken_at=NOW - 26 * HOUR)
    assert statuses(planned([point], gold(copies=[]))) == (1, 0, 0, 0)
    assert statuses(planned([point], gold(copies=[]), NOW + timedelta(seconds=1))) == (0, 0, 0, 1)


def test_what_is_not_available_or_a_bridge_restores_nothing() -> None:
    docs = gold(copies=[])
    creating = a_snapshot(ORDERS, SLOT, status="creating")
    bridge = a_snapshot(ORDERS, ago(1), role=Role.BRIDGE)
    assert judged(planned([creating], docs)).newest is None
    assert judged(planned([bridge], docs)).points == 0


def test_a_point_under_a_key_that_is_disabled_restores_nothing() -> None:
    keys = {VAULT_KEY: Key(VAULT_KEY, state="Disabled", aliases=("alias/backups",))}
    made = planned(
        [*daily(ORDERS, [1]), *daily(ORDERS, [1], VAULT)], scopes={VAULT: {"keys": keys}}
    )
    found = judged(made, VAULT)
    assert (found.points, found.newest) == (0, None)
    assert found.rpo is not None
    assert "1 snapshots are under keys that cannot be used" in found.rpo.text


def test_a_database_younger_than_its_rpo_cannot_have_broken_it() -> None:
    young = replace(ORDERS, created_at=NOW - 5 * HOUR)
    assert statuses(planned([], instance=young)) == (2, 0, 0, 0)
    old = replace(ORDERS, created_at=NOW - 27 * HOUR)
    made = planned([], instance=old)
    assert statuses(made) == (0, 0, 0, 2)
    found = judged(made)
    assert found.rpo is not None
    assert found.rpo.text.startswith("nothing can be restored; the database is 27h old")
    assert judged(planned([])).rpo == replace(
        found.rpo, low=None, high=None, text="nothing can be restored; 26h are allowed"
    )


def test_a_target_that_is_sent_fewer_points_is_allowed_that_much_more() -> None:
    docs = gold(copies=[CopyRule("local", every=7 * DAY)])
    assert statuses(planned([*daily(ORDERS, [1]), *daily(ORDERS, [7], VAULT)], docs))[3] == 0
    made = planned([*daily(ORDERS, [1]), *daily(ORDERS, [9], VAULT)], docs)
    found = judged(made, VAULT)
    assert found.rpo is not None
    assert found.rpo.text.endswith("8d2h are allowed where one point each 7d is sent")


def test_without_a_schedule_targets_are_sent_nothing_and_asked_nothing() -> None:
    docs = gold(schedule=None)
    assert planned(daily(ORDERS, [1]), docs).objectives.judged == 1


def test_what_could_not_be_read_is_unknown_never_met_or_broken() -> None:
    failed = {VAULT: {"status": ScopeStatus.FAILED, "cause": "AccessDenied", "snapshots": None}}
    made = planned(daily(ORDERS, [1]), scopes=failed)
    assert statuses(made) == (1, 0, 1, 0)
    found = judged(made, VAULT)
    assert found.rpo is not None
    assert found.rpo.text == "what can be restored there is not known: AccessDenied"
    unread = planned(daily(ORDERS, [1]), scopes={VAULT: {"snapshots": None}})
    assert "it could not be read" in str(judged(unread, VAULT).rpo)


def test_what_was_seen_of_a_location_read_in_part_meets_the_rpo_all_the_same() -> None:
    failed = {VAULT: {"status": ScopeStatus.FAILED, "cause": "AccessDenied"}}
    made = planned([*daily(ORDERS, [1]), *daily(ORDERS, [1], VAULT)], scopes=failed)
    assert statuses(made) == (2, 0, 0, 0)


def test_a_database_that_is_gone_has_no_objectives_but_its_points_can_be_restored() -> None:
    found = inventory([], daily(ORDERS, [9]))
    assert plan(gold(), found).objectives.judged == 0
    world, (source,) = survey(gold(), found, NOW)
    here = restorable_at(source, PROD, world)
    assert (len(here.points), here.window) == (1, None)


# -- automated backups -----------------------------------------------------------------------------

BACKED_UP = replace(
    ORDERS,
    backup_retention_days=7,
    latest_restorable_at=NOW - timedelta(minutes=4, microseconds=7),
)


def automated(location: Location = PROD, **changes: Any) -> AutomatedBackup:
    backup = AutomatedBackup(
        arn=f"arn:aws:rds:{location.region}:{location.account}:auto-backup:ab-1",
        location=location,
        instance_arn=ORDERS.arn,
        instance=ORDERS.identifier,
        resource_id=ORDERS.resource_id,
        status="active" if location == PROD else "replicating",
        retention_days=7,
        earliest=NOW - 7 * DAY,
        latest=NOW - 2 * HOUR,
    )
    return replace(backup, **changes)


def test_automated_backups_are_restorable_to_within_minutes() -> None:
    docs = gold(timedelta(minutes=3), copies=[])
    known = (automated(), automated(resource_id="db-OTHER", earliest=NOW - 9 * DAY))
    scopes = {PROD: {"automated": known}}
    made = planned(daily(ORDERS, [1]), docs, instance=BACKED_UP, scopes=scopes)
    found = judged(made)
    assert found.newest is not None
    assert (found.newest.way, found.newest.arn) == (RestoredFrom.AUTOMATED_BACKUPS, ORDERS.arn)
    assert found.newest.at == NOW - timedelta(minutes=4, seconds=1)
    assert found.window is not None
    assert found.window.earliest == NOW - 7 * DAY
    assert statuses(planned([], gold(copies=[]), instance=BACKED_UP)) == (1, 0, 0, 0)


def test_backups_that_are_off_or_tell_no_time_restore_nothing() -> None:
    for off in ({"backup_retention_days": 0}, {"latest_restorable_at": None}):
        made = planned([], gold(copies=[]), instance=replace(BACKED_UP, **off))
        assert judged(made).window is None


def replicating(days: int = 7) -> tuple[Documents, Any]:
    """Prod with a second region that receives the automated backups of orders."""
    there = Location(PROD.account, "eu-central-1")
    estate = an_estate(
        accounts={
            "prod": an_account("prod", PROD, regions=(PROD.region, there.region)),
            "vault": an_account("vault", VAULT),
        }
    )
    said = terms(
        Keep(daily=30),
        objectives=Objectives(HOUR),
        automated=AutomatedTerms(replicate_to=Replication("remote", days)),
    )
    return documents(a_policy(terms=said), estate=estate), there


REPLICATED = replace(
    BACKED_UP, replications=("arn:aws:rds:eu-central-1:111111111111:auto-backup:ab-1",)
)


def test_replicated_backups_are_judged_at_their_region() -> None:
    docs, there = replicating()
    locations = (PROD, VAULT, REMOTE, there)
    scopes = {there: {"automated": (automated(there),)}}
    found = inventory([REPLICATED], daily(ORDERS, [1]), scopes=scopes, locations=locations)
    made = plan(docs, found)
    assert statuses(made) == (1, 0, 0, 1)
    told = judged(made, there)
    assert told.rpo is not None
    assert "2h ago, by automated backups" in told.rpo.text
    fresh = {there: {"automated": (automated(there, latest=NOW - timedelta(minutes=9)),)}}
    again = inventory([REPLICATED], daily(ORDERS, [1]), scopes=fresh, locations=locations)
    assert statuses(plan(docs, again)) == (2, 0, 0, 0)


def test_a_replication_that_ended_or_tells_nothing_restores_nothing() -> None:
    docs, there = replicating()
    for backup in (
        automated(there, status="retained"),
        automated(there, latest=None, earliest=None),
    ):
        found = inventory(
            [REPLICATED],
            daily(ORDERS, [1]),
            scopes={there: {"automated": (backup,)}},
            locations=(PROD, VAULT, REMOTE, there),
        )
        assert judged(plan(docs, found), there).newest is None


def test_backups_that_the_policy_does_not_replicate_are_no_objective_of_its() -> None:
    made = planned(daily(ORDERS, [1]), gold(copies=[]), instance=REPLICATED)
    assert made.objectives.judged == 1


def test_a_region_that_is_not_the_estates_is_not_judged() -> None:
    docs, _ = replicating()
    narrow = replace(docs, estate=an_estate())
    made = plan(narrow, inventory([REPLICATED], daily(ORDERS, [1])))
    assert made.objectives.judged == 1


# -- the history -----------------------------------------------------------------------------------


def test_the_worst_gap_is_told_and_judged_by_nobody() -> None:
    points = daily(ORDERS, [2, 3, 9, 10])
    found = judged(planned(points, gold(copies=[])))
    assert found.worst_gap == Gap(ago(9) + timedelta(minutes=10), ago(3) + timedelta(minutes=10))
    assert found.points == 4
    assert statuses(planned(daily(ORDERS, [1, 9]), gold(copies=[]))) == (1, 0, 0, 0)
    assert judged(planned(daily(ORDERS, [2]), gold(copies=[]))).worst_gap is None


# -- what mends it ---------------------------------------------------------------------------------


def test_a_step_that_makes_the_point_is_named() -> None:
    made = planned([*daily(ORDERS, [2]), *daily(ORDERS, [2], VAULT)])
    create, copy = steps(made, "create_snapshot")[0], steps(made, "copy_snapshot")[0]
    assert judged(made).mended_by == create.id
    assert judged(made, VAULT).mended_by == copy.id


def test_a_bridge_mends_nothing() -> None:
    encrypted = replace(ORDERS, kms_key=DEFAULT_KEY)
    found = daily(encrypted, [3], keys=(DEFAULT_KEY,))
    made = planned([*found, *daily(encrypted, [4], VAULT)], instance=encrypted, now=NOW)
    bridges = [s for s in steps(made, "copy_snapshot") if s.location.account == PROD.account]
    assert bridges
    assert judged(made).mended_by == steps(made, "create_snapshot")[0].id


def test_a_copy_of_an_old_point_mends_nothing() -> None:
    docs = gold(copies=[CopyRule("local", backfill="all")])
    snapshots = [*daily(ORDERS, [0, 4, 5]), *daily(ORDERS, [6], VAULT)]
    made = planned(snapshots, docs)
    assert [s.slot for s in steps(made, "copy_snapshot")] == [ago(5)]
    assert judged(made, VAULT).mended_by is None


def test_what_a_guard_withholds_mends_nothing() -> None:
    made = planned(daily(ORDERS, [2]), gold(copies=[]), quotas={PROD: Quota(100, 100)})
    assert steps(made, "create_snapshot")[0].withheld_by
    assert judged(made).mended_by is None


# -- how long a restore would take -----------------------------------------------------------------


def test_a_restore_within_the_rto_at_worst_meets_it() -> None:
    assert statuses(planned(daily(ORDERS, [1]), gold(None, 4 * HOUR, copies=[]))) == (1, 0, 0, 0)


def test_an_rto_within_the_range_of_the_estimate_is_uncertain() -> None:
    made = planned(daily(ORDERS, [1]), gold(None, HOUR, copies=[]))
    found = judged(made)
    assert (found.status, found.rpo) == (UNCERTAIN, None)
    assert found.rto is not None
    assert (found.rto.low, found.rto.high) == (600, 2700 + 100 * 1024 // 60)
    assert found.rto.text == "a restore takes an estimated 10m to 1h13m; 1h are allowed"
    assert [one.name for one in found.inputs] == ["start", "loading"]
    assert all("assumed" in one.because for one in found.inputs)


def test_an_rto_below_any_estimate_is_broken() -> None:
    docs = gold(None, timedelta(minutes=9), copies=[])
    assert statuses(planned(daily(ORDERS, [1]), docs)) == (0, 0, 0, 1)


def test_with_nothing_to_restore_an_rto_cannot_be_judged() -> None:
    found = judged(planned([], gold(None, HOUR, copies=[])))
    assert (found.status, found.inputs) == (UNKNOWN, ())


def test_the_worst_of_both_is_the_status() -> None:
    made = planned(daily(ORDERS, [3]), gold(26 * HOUR, HOUR, copies=[]))
    found = judged(made)
    assert found.status is BROKEN
    assert [judged.status for _, judged in found.judgements] == [BROKEN, UNCERTAIN]


def test_logs_are_replayed_only_where_no_snapshot_is_new_enough() -> None:
    last_night = daily(ORDERS, [1])
    relaxed = judged(planned(last_night, gold(26 * HOUR, HOUR, copies=[]), instance=BACKED_UP))
    assert [one.name for one in relaxed.inputs] == ["start", "loading"]
    strict = judged(planned(last_night, gold(HOUR, HOUR, copies=[]), instance=BACKED_UP))
    assert strict.inputs[-1].name == "replay"
    assert strict.inputs[-1].because.startswith("the logs of 23h55m since the nearest snapshot")
    assert strict.inputs[-1].high == (86_400 - 4 * 60 - 1) // 2


def test_replay_begins_at_the_nearest_snapshot_whoever_made_it() -> None:
    foreign = a_foreign_snapshot(ORDERS, NOW - 2 * HOUR)
    others = [
        replace(foreign, arn=f"{foreign.arn}-2", status="creating", original_created_at=NOW - HOUR),
        replace(foreign, arn=f"{foreign.arn}-3", created_at=None, original_created_at=None),
    ]
    docs = gold(HOUR, HOUR, copies=[])
    near = judged(planned([*daily(ORDERS, [1]), foreign, *others], docs, instance=BACKED_UP))
    assert near.inputs[-1].because.startswith("the logs of 1h55m")
    none = judged(planned([], docs, instance=BACKED_UP))
    assert none.inputs[-1].because.startswith("the logs of 24h")


def test_the_parts_of_a_restore_grow_with_size_and_logs() -> None:
    assumed = RestoreAssumptions(start=(60, 120), loading=100, replay=1800)
    start, loading, replay = restore_inputs(1000, 3 * HOUR, assumed)
    assert (start.low, start.high) == (60, 120)
    assert (loading.low, loading.high) == (0, 10_240)
    assert (replay.low, replay.high) == (0, 5400)


# -- they only report ------------------------------------------------------------------------------


def test_a_broken_objective_changes_no_step() -> None:
    snapshots = [*daily(ORDERS, range(2, 60)), *daily(ORDERS, [9], VAULT)]
    schedule = Schedule(Every(DAY))
    with_it = planned(snapshots, gold(HOUR, timedelta(seconds=1), schedule=schedule))
    without = planned(snapshots, gold(None, None, schedule=schedule))
    assert with_it.objectives.broken == 2
    assert with_it.digest == without.digest
    assert with_it.steps == without.steps


@pytest.mark.parametrize("zone", [PROD, VAULT])
def test_counts_cover_all_that_was_selected_and_nothing_else(zone: Location) -> None:
    other = an_instance("orders-2")
    found = inventory([ORDERS, other], daily(other, [1], zone))
    assert plan(gold(), found).objectives.judged == 4
    assert plan(gold(), found, only=("*/orders-2",)).objectives.judged == 2
