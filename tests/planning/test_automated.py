"""Automated backups: what of retention, window and replication is changed, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.documents.model import (
    AutomatedTerms,
    Documents,
    Estate,
    Every,
    RegionalTarget,
    Replicating,
    Replication,
    Schedule,
    Target,
    Window,
)
from engine.inventory.records import AutomatedBackup, Instance, Inventory, Key, Location
from engine.planning.plan import make_plan
from engine.plans.codes import Effect
from engine.plans.plan import Plan
from engine.verifying.verify import verify
from tests.planning.builders import (
    DAILY,
    KEYS,
    NOW,
    PROD,
    PROD_KEY,
    a_policy,
    an_account,
    an_estate,
    an_instance,
    documents,
    guard,
    held_back,
    inventory,
    key_arn,
    plan,
    step_of,
    steps,
    terms,
    waits,
)

FAR = Location(PROD.account, "eu-central-1")
WEST = Location(PROD.account, "eu-west-2")
FAR_KEY = key_arn(FAR, "far")
EVERYWHERE: dict[Location, dict[str, Any]] = {
    FAR: {"keys": {FAR_KEY: Key(FAR_KEY, aliases=("alias/far",))}},
    WEST: {"keys": {}},
}
ZERO_TO_THREE = Window(0, 45)


def the_estate() -> Estate:
    prod = replace(an_account("prod", PROD), regions=(PROD.region, FAR.region, WEST.region))
    estate = an_estate()
    return replace(
        estate,
        accounts={**estate.accounts, "prod": prod},
        targets={
            **estate.targets,
            "far": Target("far", "prod", FAR.region, "alias/far"),
            "west": Target("west", "prod", WEST.region, key_arn(WEST, "west")),
            "home": Target("home", "prod", PROD.region, PROD_KEY),
            "by_region": RegionalTarget("by_region", {PROD.region: "far"}),
            "elsewhere": RegionalTarget("elsewhere", {"us-east-1": "far"}),
        },
    )


def docs(*, schedule: Schedule | None = None, **says: Any) -> Documents:
    """A policy that says this of automated backups, and nothing else unless told so."""
    told = terms(schedule=schedule, automated=AutomatedTerms(**says))
    return documents(a_policy(terms=told), estate=the_estate())


def database(**changes: Any) -> Instance:
    given = {
        "backup_retention_days": 7,
        "backup_window": "13:14-13:44",
        "maintenance_window": "sun:03:00-sun:04:00",
    }
    return an_instance(**{**given, **changes})


def link(there: Location, number: int = 0) -> str:
    return f"arn:aws:rds:{there.region}:{there.account}:auto-backup:ab-{number}"


def backup(
    instance: Instance, there: Location = FAR, number: int = 0, **changes: Any
) -> AutomatedBackup:
    made = AutomatedBackup(
        arn=link(there, number),
        location=there,
        instance_arn=instance.arn,
        instance=instance.identifier,
        resource_id=instance.resource_id,
        status="replicating",
        retention_days=7,
        encrypted=True,
        kms_key=FAR_KEY,
    )
    return replace(made, **changes)


def world(*instances: Instance, scopes: dict[Location, Any] | None = None) -> Inventory:
    known = {at: {**EVERYWHERE.get(at, {}), **(scopes or {}).get(at, {})} for at in EVERYWHERE}
    known |= {at: more for at, more in (scopes or {}).items() if at not in known}
    return inventory(instances, scopes=known, locations=(*KEYS, FAR, WEST))


def planned(instance: Instance, scopes: dict[Location, Any] | None = None, **says: Any) -> Plan:
    return plan(docs(**says), world(instance, scopes=scopes))


def changes(found: Plan) -> list[dict[str, Any]]:
    """The parameters of the changes, but for the name of the database."""
    return [
        {k: v for k, v in step.parameters.items() if k != "DBInstanceIdentifier"}
        for step in steps(found, "modify_automated_backups")
    ]


def codes(found: Plan) -> list[str]:
    return [one.code.split()[0] for one in found.warnings]


# -- retention and window ------------------------------------------------------------------------


def test_what_is_as_the_policy_says_is_left_alone() -> None:
    found = planned(database(), retention_days=7, window=Window(13 * 60 + 14, 13 * 60 + 44))
    assert not found.has_changes
    assert not found.waiting
    assert not found.warnings


def test_a_policy_that_says_nothing_changes_nothing() -> None:
    replicated = database(replications=(link(FAR),), backup_retention_days=0)
    found = planned(replicated)
    assert (found.steps, found.waiting, found.warnings) == ((), (), ())


def test_only_what_differs_is_set_and_never_at_once() -> None:
    assert changes(planned(database(), retention_days=14)) == [{"BackupRetentionPeriod": 14}]
    found = planned(database(), retention_days=7, window=ZERO_TO_THREE)
    assert changes(found) == [{"PreferredBackupWindow": "00:00-00:45"}]
    found = planned(database(), retention_days=14, window=ZERO_TO_THREE)
    assert changes(found) == [{"BackupRetentionPeriod": 14, "PreferredBackupWindow": "00:00-00:45"}]
    assert found.summary.update == 1
    assert "13:14-13:44 → 00:00-00:45 UTC" in found.steps[0].reason.text


def test_a_change_rests_on_what_the_plan_saw() -> None:
    step = step_of(planned(database(), retention_days=14), "modify_automated_backups")
    seen = {one.check.value: one.expected for one in step.preconditions}
    assert seen == {
        "instance": "db-ORDERS-1",
        "backup_settings": "7 days, 13:14-13:44, nothing pending",
    }
    assert (step.slot, step.snapshot, step.arn) == (None, "", database().arn)


def test_a_shorter_retention_counts_as_a_delete() -> None:
    shorter = planned(database(), retention_days=3).steps[0]
    assert shorter.actions == (Effect.UPDATE, Effect.DELETE)
    assert "what is older is deleted" in shorter.reason.text
    assert planned(database(), retention_days=14).steps[0].actions == (Effect.UPDATE,)


def test_an_own_change_that_waits_is_not_made_again() -> None:
    pending = database(backup_retention_days=0, pending_retention_days=14)
    found = planned(pending, retention_days=14)
    assert not found.steps
    assert waits(found) == ["backups_pending"]


@pytest.mark.parametrize("current", [0, 7, 14])
def test_somebody_elses_pending_retention_is_neither_overwritten_nor_flushed(current: int) -> None:
    pending = database(backup_retention_days=current, pending_retention_days=3)
    found = planned(pending, retention_days=14, window=ZERO_TO_THREE)
    assert changes(found) == [{"PreferredBackupWindow": "00:00-00:45"}]
    assert codes(found) == ["W350"]


def test_aws_backup_alone_decides_about_what_it_backs_up_continuously() -> None:
    arn = "arn:aws:backup:eu-west-1:111111111111:recovery-point:continuous:db-1"
    found = planned(
        database(aws_backup_arn=arn),
        retention_days=14,
        window=ZERO_TO_THREE,
        replicate_to=Replication("far"),
    )
    assert not found.steps
    assert waits(found) == ["aws_backup_decides", "aws_backup_decides"]


@pytest.mark.parametrize(
    ("status", "changed"),
    [("available", 1), ("storage-optimization", 1), ("modifying", 0), ("stopped", 0)],
)
def test_a_database_is_changed_in_states_that_allow_it(status: str, changed: int) -> None:
    found = planned(database(status=status), retention_days=14)
    assert len(found.steps) == changed
    assert waits(found) == ["modify_state"] * (1 - changed)


@pytest.mark.parametrize(
    ("engine", "version", "possible"),
    [
        ("mysql", "8.0.36", True),
        ("postgres", "14.1", True),
        ("postgres", "16.3", True),
        ("postgres", "14.0", False),
        ("postgres", "13.20", False),
        ("postgres", "novel", True),
        ("sqlserver-ee", "15.00", False),
    ],
)
def test_replicas_have_backups_where_their_engine_lets_them(
    engine: str, version: str, possible: bool
) -> None:
    replica = database(
        engine=engine, engine_version=version, replica_of="orders-0", backup_retention_days=0
    )
    policy = docs(retention_days=7).policies["gold"]
    taking = replace(policy, select=replace(policy.select, replicas=True))
    found = plan(documents(taking, estate=the_estate()), world(replica))
    assert bool(found.steps) is possible
    assert codes(found) == ([] if possible else ["E342"])


def test_members_of_clusters_are_never_touched() -> None:
    assert not planned(database(cluster="aurora-1"), retention_days=14).steps


# -- guards --------------------------------------------------------------------------------------


def test_turning_backups_on_is_an_outage_that_waits_to_be_acknowledged() -> None:
    off = database(backup_retention_days=0)
    found = planned(off, retention_days=7, window=ZERO_TO_THREE)
    held = "modify-backups:111111111111/eu-west-1/orders-1/retention"
    assert held_back(found) == {held: "backup_outage"}
    assert changes(found) == [
        {"BackupRetentionPeriod": 7},
        {"PreferredBackupWindow": "00:00-00:45"},
    ]
    assert "maintenance window sun:03:00-sun:04:00 UTC" in guard(found, "backup_outage").text
    digest = guard(found, "backup_outage").acknowledge
    again = plan(docs(retention_days=7), world(off), acknowledged=frozenset({digest} - {None}))
    assert not held_back(again)
    assert guard(again, "backup_outage").acknowledged


def test_leave_to_turn_backups_on_is_no_leave_to_turn_them_off() -> None:
    on = guard(planned(database(backup_retention_days=0), retention_days=7), "backup_outage")
    off = planned(database(), retention_days=0)
    loss = guard(off, "backup_loss")
    assert loss.acknowledge != on.acknowledge
    assert held_back(off) == {step.id: "backup_loss" for step in off.steps}
    assert "all 7 days of them are deleted" in loss.text
    assert off.steps[0].actions == (Effect.UPDATE, Effect.DELETE)


def test_leave_for_a_database_is_none_for_another_one_of_its_name() -> None:
    first = guard(planned(database(), retention_days=0), "backup_loss")
    second = guard(planned(database(resource_id="db-OTHER"), retention_days=0), "backup_loss")
    assert first.acknowledge != second.acknowledge


def test_backups_that_feed_replicas_are_never_turned_off() -> None:
    found = planned(database(replicas=("orders-1-read",)), retention_days=0)
    assert not found.steps
    assert codes(found) == ["E340"]


def test_backups_that_are_replicated_are_turned_off_only_after_that_was_stopped() -> None:
    replicated = database(replications=(link(FAR),))
    unsaid = planned(replicated, retention_days=0)
    assert not unsaid.steps
    assert codes(unsaid) == ["E341", "W351"]
    said = planned(replicated, retention_days=0, replicate_to=Replicating.NONE)
    stop, off = step_of(said, "stop_replication"), step_of(said, "modify_automated_backups")
    assert off.depends_on == (stop.id,)
    assert held_back(said) == {off.id: "backup_loss"}
    nowhere = [one for one in off.preconditions if one.check.value == "replications"]
    assert [one.expected for one in nowhere] == ["none"]


@pytest.mark.parametrize(
    ("window", "code"),
    [
        (Window(150, 200), "E343"),  # the maintenance window opens on Sundays at 03:00
        (Window(1430, 190), "E343"),
        (Window(100, 130), "E344"),  # the snapshot window is 02:00-05:00
        (Window(300, 330), None),
    ],
)
def test_a_window_in_the_way_of_another_is_withheld_and_nothing_else(
    window: Window, code: str | None
) -> None:
    found = plan(docs(schedule=DAILY, retention_days=14, window=window), world(database()))
    assert len(steps(found, "create_snapshot")) == 1
    name = "modify-backups:111111111111/eu-west-1/orders-1/window"
    assert held_back(found) == ({name: "backup_window"} if code else {})
    assert [one for one in codes(found) if one.startswith("E34")] == ([code] if code else [])
    done = [step for step in found.steps if step.withheld_by is None]
    assert any("BackupRetentionPeriod" in step.parameters for step in done)


def test_beside_points_that_are_made_all_day_a_window_may_stand_anywhere() -> None:
    hourly = Schedule(Every(timedelta(hours=2)), Window(120, 300))
    found = plan(docs(schedule=hourly, window=Window(100, 130)), world(database()))
    assert changes(found) == [{"PreferredBackupWindow": "01:40-02:10"}]
    assert "E344" not in codes(found)
    assert held_back(found) == {}


def test_where_two_policies_match_automated_backups_stay_as_they_are() -> None:
    one = docs(retention_days=14).policies["gold"]
    two = replace(one, name="golden")
    found = plan(documents(one, two, estate=the_estate()), world(database()))
    assert set(held_back(found).values()) == {"policy_conflict"}


# -- replication ---------------------------------------------------------------------------------


def test_replication_is_started_in_the_region_that_receives() -> None:
    found = planned(database(), replicate_to=Replication("far", 3))
    step = step_of(found, "replicate_automated_backups", FAR)
    assert step.parameters == {
        "SourceDBInstanceArn": database().arn,
        "BackupRetentionPeriod": 3,
        "KmsKeyId": FAR_KEY,
    }
    assert step.depends_on == ()
    assert {one.check.value: one.expected for one in step.preconditions} == {
        "instance": "db-ORDERS-1",
        "replications": "none",
    }


def test_a_database_that_is_not_encrypted_needs_no_key_there() -> None:
    plain = database(encrypted=False, kms_key=None)
    step = planned(plain, replicate_to=Replication("far")).steps[0]
    assert "KmsKeyId" not in step.parameters


def test_a_target_by_region_is_found() -> None:
    found = planned(database(), replicate_to=Replication("by_region"))
    assert len(steps(found, "replicate_automated_backups", FAR)) == 1


def test_replication_that_is_as_it_should_be_is_left_alone() -> None:
    instance = database(replications=(link(FAR),))
    found = planned(
        instance, {FAR: {"automated": (backup(instance),)}}, replicate_to=Replication("far")
    )
    assert (found.steps, found.waiting, found.warnings) == ((), (), ())


def test_replication_nobody_can_look_into_is_left_alone() -> None:
    instance = database(replications=(link(FAR),))
    assert not planned(instance, replicate_to=Replication("far", 3)).steps


@pytest.mark.parametrize(
    "other", [{"retention_days": 3}, {"kms_key": key_arn(FAR, "other")}], ids=str
)
def test_another_retention_or_key_starts_it_anew(other: dict[str, Any]) -> None:
    instance = database(replications=(link(FAR),))
    there = {FAR: {"automated": (backup(instance, **other),)}}
    found = planned(instance, there, replicate_to=Replication("far"))
    stop = step_of(found, "stop_replication", FAR)
    start = step_of(found, "replicate_automated_backups", FAR)
    assert start.depends_on == (stop.id,)
    assert {stop.reason.code, start.reason.code} == {"replication_differs"}


def test_another_target_moves_it() -> None:
    instance = database(replications=(link(WEST),))
    found = planned(instance, replicate_to=Replication("far"))
    stop = step_of(found, "stop_replication", WEST)
    assert step_of(found, "replicate_automated_backups", FAR).depends_on == (stop.id,)


def test_regions_beside_the_right_one_are_stopped_and_that_one_goes_on() -> None:
    instance = database(replications=(link(FAR), link(WEST)))
    there = {FAR: {"automated": (backup(instance),)}}
    found = planned(instance, there, replicate_to=Replication("far"))
    assert [step.id for step in found.steps] == [step_of(found, "stop_replication", WEST).id]


@pytest.mark.parametrize(
    ("busy", "code"),
    [
        ({"status": "modifying"}, "modify_state"),
        ({"aws_backup_arn": "arn:aws:backup:eu-west-1:111111111111:x"}, "aws_backup_decides"),
    ],
    ids=["being modified", "under AWS Backup"],
)
def test_replication_ends_only_where_the_database_may_be_changed(
    busy: dict[str, Any], code: str
) -> None:
    replicated = database(replications=(link(FAR), link(WEST)), **busy)
    found = planned(replicated, replicate_to=Replicating.NONE)
    assert not found.steps
    assert waits(found, FAR) == waits(found, WEST) == [code]


def test_what_a_policy_never_spoke_of_is_told_and_not_stopped() -> None:
    found = planned(database(replications=(link(FAR),)), retention_days=7)
    assert not found.steps
    assert codes(found) == ["W351"]


def test_a_policy_that_says_none_stops_all_of_it() -> None:
    found = planned(database(replications=(link(FAR), link(WEST))), replicate_to=Replicating.NONE)
    assert {step.location.region for step in steps(found, "stop_replication")} == {
        FAR.region,
        WEST.region,
    }


def test_outside_the_estate_nothing_is_stopped() -> None:
    outside = Location(PROD.account, "us-east-1")
    found = planned(database(replications=(link(outside),)), replicate_to=Replicating.NONE)
    assert not found.steps
    assert codes(found) == ["W352"]


@pytest.mark.parametrize(
    ("target", "code"),
    [("elsewhere", "E345"), ("remote", "E346"), ("home", "E347")],
)
def test_a_target_that_cannot_receive_stops_nothing_that_runs(target: str, code: str) -> None:
    instance = database(replications=(link(WEST),))
    found = planned(instance, replicate_to=Replication(target))
    assert not found.steps
    assert codes(found) == [code]


@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_a_key_of_no_use_stops_nothing_that_runs(state: str) -> None:
    keys = {FAR_KEY: Key(FAR_KEY, state=state, aliases=("alias/far",))}
    instance = database(replications=(link(WEST),))
    found = planned(instance, {FAR: {"keys": keys}}, replicate_to=Replication("far"))
    assert not found.steps
    assert "E348" in codes(found)


def test_a_key_that_does_not_exist_stops_nothing_that_runs() -> None:
    instance = database(replications=(link(WEST),))
    found = planned(instance, {FAR: {"keys": {}}}, replicate_to=Replication("far"))
    assert not found.steps
    (missing,) = [one for one in found.warnings if one.code.startswith("E348")]
    assert missing.text.endswith(f"key alias/far of target far does not exist in {FAR}")


def test_without_backups_there_is_nothing_to_replicate() -> None:
    off = database(backup_retention_days=0, replications=())
    found = planned(off, replicate_to=Replication("far"))
    assert not found.steps
    assert waits(found, FAR) == ["backups_off"]


def test_a_region_that_could_not_be_read_receives_nothing_new() -> None:
    found = planned(database(), {FAR: {"instances": None}}, replicate_to=Replication("far"))
    assert not found.steps
    assert waits(found, FAR) == ["target_not_read"]


def test_a_region_receives_twenty_databases_and_what_has_no_room_goes_on_elsewhere() -> None:
    others = tuple(backup(an_instance(f"other-{n}"), FAR, n) for n in range(19))
    moving = database(identifier="b", arn=f"{database().arn}-b", resource_id="db-B")
    moving = replace(moving, replications=(link(WEST),))
    first = database(identifier="a", arn=f"{database().arn}-a", resource_id="db-A")
    found = plan(
        docs(replicate_to=Replication("far")),
        world(first, moving, scopes={FAR: {"automated": others}}),
    )
    held = held_back(found)
    assert set(held.values()) == {"replication_quota"}
    assert {name.split(":")[0] for name in held} == {"replicate-backups", "stop-replication"}
    assert guard(found, "replication_quota").value == 21
    assert len(found.steps) - len(held) == 1


# -- silent death, retained ------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "dead"), [(1, False), (36, False), (37, True)])
def test_replication_that_fell_far_behind_is_dead(hours: int, dead: bool) -> None:
    instance = database(replications=(link(FAR),), latest_restorable_at=NOW)
    there = backup(instance, latest=NOW - timedelta(hours=hours))
    found = planned(instance, {FAR: {"automated": (there,)}}, replicate_to=Replication("far"))
    assert codes(found) == (["E349"] if dead else [])
    assert [one.code.value for one in found.drift] == (["replication_died"] if dead else [])


def test_replication_under_a_key_of_no_use_is_dead() -> None:
    keys = {FAR_KEY: Key(FAR_KEY, state="Disabled", aliases=("alias/far",))}
    instance = database(replications=(link(FAR),))
    there = {FAR: {"automated": (backup(instance),), "keys": keys}}
    found = planned(instance, there, retention_days=7)
    assert codes(found) == ["W351", "E349", "E311"]
    assert f"key {FAR_KEY} is Disabled" in found.warnings[1].text


def test_what_outlived_its_database_or_its_replication_is_shown_with_its_end() -> None:
    instance = database()
    gone = backup(
        an_instance("gone"),
        PROD,
        1,
        status="retained",
        latest=NOW - timedelta(days=2),
        retention_days=7,
    )
    stopped = backup(instance, FAR, 2, status="retained")
    scopes = {PROD: {"automated": (gone,)}, FAR: {"automated": (stopped, backup(instance))}}
    found = planned(instance, scopes)
    assert [(one.source.identifier, one.text, one.until) for one in found.retained] == [
        ("orders-1", "its replication to here was stopped", None),
        ("gone", "the database is deleted", NOW + timedelta(days=5)),
    ]
    only = plan(docs(), world(instance, scopes=scopes), only=("prod/*/gone",))
    assert [one.source.identifier for one in only.retained] == ["gone"]


def test_where_no_database_could_be_listed_nobody_knows_what_became_of_it() -> None:
    gone = backup(an_instance("gone"), FAR, 1, status="retained")
    for listed, text in (
        ((), "the database is deleted"),
        (None, "the database is deleted, or its replication was stopped"),
    ):
        scopes = {PROD: {"instances": listed}, FAR: {"automated": (gone,)}}
        found = planned(database(), scopes)
        assert [one.text for one in found.retained] == [text]


# -- drift ---------------------------------------------------------------------------------------


def test_settings_changed_by_hand_are_drift() -> None:
    found = planned(database(), retention_days=14, window=ZERO_TO_THREE)
    (one,) = found.drift
    assert (one.code.value, one.severity.value) == ("backups_differ", "warning")
    assert one.expected == "14 days, 00:00-00:45 UTC"
    assert one.found == "7 days, 13:14-13:44 UTC"


# -- the verifier --------------------------------------------------------------------------------


def objections(found: Plan, says: Documents, there: Inventory) -> list[str]:
    return [one.text for one in verify(found.steps, says, there, NOW)]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"ApplyImmediately": True}, "it would call with ApplyImmediately"),
        ({"BackupRetentionPeriod": 0}, "it would set a retention of 0 days; the policy says 14"),
        ({"PreferredBackupWindow": "01:00-02:00"}, "it would set the window 01:00-02:00"),
        ({"DBInstanceIdentifier": "other"}, "but would change other"),
    ],
)
def test_the_verifier_rejects_a_change_that_no_policy_asks_for(
    parameters: dict[str, Any], text: str
) -> None:
    says, there = docs(retention_days=14), world(database())
    made = plan(says, there)
    step = replace(made.steps[0], parameters={**made.steps[0].parameters, **parameters})
    assert any(text in one for one in objections(replace(made, steps=(step,)), says, there))
    assert objections(made, says, there) == []


def test_the_verifier_rejects_a_stop_that_nobody_asked_for() -> None:
    instance = database(replications=(link(FAR),))
    there = world(instance)
    stop = plan(docs(replicate_to=Replicating.NONE), there)
    for says, text in (
        (docs(retention_days=7), "says nothing of replication"),
        (docs(replicate_to=Replication("far")), "nothing starts it anew"),
    ):
        assert any(text in one for one in objections(stop, says, there))
    assert objections(stop, docs(replicate_to=Replication("west")), there) == []


def test_a_plan_is_the_same_each_time() -> None:
    says, there = docs(retention_days=14, replicate_to=Replication("far")), world(database())
    assert make_plan(says, there, NOW) == make_plan(says, there, NOW)
