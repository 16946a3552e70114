"""Changes of automated backups: against the instance as it is now, once, and never at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.applying.calls import calls_of, insist_on_one_object, operation
from engine.applying.executor import Mode
from engine.applying.outcome import StepState
from engine.applying.ports import CloudError, Trouble
from engine.errors import EngineError
from engine.inventory.records import Instance, Location
from engine.plans.codes import EFFECTS, Action, Check, StepReason
from engine.plans.plan import At, Precondition, Reason, SourceRef, Step
from tests.applying.stage import Stage, states
from tests.applying.world import HOME, INSTANCE_ARN, RESOURCE, Fault, database, plan_of

FAR = Location(HOME.account, "eu-central-1")
LOST = Fault(Trouble.NO_REPLY, takes_effect=True)


def an_instance(**changes: Any) -> Instance:
    given = {"backup_retention_days": 7, "backup_window": "13:14-13:44"}
    return replace(database(), **{**given, **changes})


def step(
    action: Action,
    at: Location,
    parameters: dict[str, Any],
    *conditions: Precondition,
    after: Step | None = None,
    code: StepReason = StepReason.BACKUPS_DIFFER,
) -> Step:
    return Step(
        id=f"{action.value}:{at}/orders-1",
        action=action,
        actions=(EFFECTS[action],),
        policy="gold",
        arn=INSTANCE_ARN,
        source=SourceRef(HOME.account, HOME.region, "orders-1", RESOURCE),
        slot=None,
        location=At(at.account, at.region),
        snapshot="",
        parameters=parameters,
        reason=Reason(code, "because"),
        depends_on=(after.id,) if after else (),
        preconditions=(Precondition(Check.INSTANCE, INSTANCE_ARN, RESOURCE), *conditions),
    )


def setting(seen: Instance, code: StepReason = StepReason.BACKUPS_DIFFER, **more: Any) -> Step:
    parameters = {"DBInstanceIdentifier": "orders-1"} | (more or {"BackupRetentionPeriod": 14})
    condition = Precondition(Check.BACKUP_SETTINGS, INSTANCE_ARN, seen.backup_settings)
    return step(Action.MODIFY_BACKUPS, HOME, parameters, condition, code=code)


def starting(regions: str = "none", after: Step | None = None) -> Step:
    parameters = {"SourceDBInstanceArn": INSTANCE_ARN, "BackupRetentionPeriod": 7}
    condition = Precondition(Check.REPLICATIONS, INSTANCE_ARN, regions)
    return step(Action.REPLICATE_BACKUPS, FAR, parameters, condition, after=after)


STOPPING = step(Action.STOP_REPLICATION, FAR, {"SourceDBInstanceArn": INSTANCE_ARN})


def on_stage(found: Instance) -> Stage:
    stage = Stage()
    stage.cloud.databases[INSTANCE_ARN] = found
    return stage


def test_a_change_is_made_once_and_done_when_aws_took_it() -> None:
    stage = on_stage(an_instance())
    outcome = stage.run(plan_of(setting(an_instance())), mode=Mode.LEAVE)
    assert states(outcome) == [StepState.DONE]
    assert stage.cloud.made("modify_backups") == ["orders-1"]
    assert stage.cloud.databases[INSTANCE_ARN].backup_retention_days == 14


def test_an_outage_is_said_to_wait_for_the_maintenance_window() -> None:
    off = an_instance(backup_retention_days=0)
    stage = on_stage(off)
    outcome = stage.run(plan_of(setting(off, StepReason.BACKUPS_TURNED_ON)))
    assert states(outcome) == [StepState.DONE]
    assert outcome.results[0].text == "AWS has taken it for the maintenance window"


@pytest.mark.parametrize(
    "now",
    [
        {"backup_retention_days": 9},
        {"backup_window": "01:00-01:30"},
        {"pending_retention_days": 3},
        {"resource_id": "db-OTHER"},
        {"resource_id": "db-OTHER", "backup_retention_days": 14},
    ],
    ids=str,
)
def test_what_is_not_as_the_plan_saw_it_is_refused(now: dict[str, Any]) -> None:
    stage = on_stage(an_instance(**now))
    outcome = stage.run(plan_of(setting(an_instance())))
    assert states(outcome) == [StepState.REFUSED]
    assert stage.cloud.made("modify_backups") == []


def test_a_database_that_is_gone_is_refused() -> None:
    stage = Stage()
    outcome = stage.run(plan_of(setting(an_instance()), STOPPING))
    assert states(outcome) == [StepState.REFUSED] * 2


def test_the_instance_is_read_anew_for_each_step() -> None:
    stage = on_stage(an_instance())
    seen = an_instance()
    first = setting(seen)
    window = setting(seen, PreferredBackupWindow="00:00-00:45")
    outcome = stage.run(plan_of(first, replace(window, id="other")), parallelism=1)
    # Somebody, here the step before, has changed it since the plan was made.
    assert states(outcome) == [StepState.DONE, StepState.REFUSED]
    assert "the plan saw 7 days" in outcome.results[1].text
    assert stage.cloud.made("instances") == []


@pytest.mark.parametrize(
    ("found", "one"),
    [
        (an_instance(backup_retention_days=14), setting(an_instance())),
        (
            an_instance(backup_retention_days=0, pending_retention_days=14),
            setting(an_instance(backup_retention_days=0)),
        ),
        (an_instance(replications=(f"arn:aws:rds:{FAR.region}:1:auto-backup:a",)), starting()),
        (an_instance(), STOPPING),
    ],
)
def test_what_is_so_already_is_done_without_a_call(found: Instance, one: Step) -> None:
    stage = on_stage(found)
    outcome = stage.run(plan_of(one))
    assert [(result.state, result.text) for result in outcome.results] == [
        (StepState.DONE, "so already")
    ]
    assert {name for name, _ in stage.cloud.calls} == {"instance"}


def test_replication_is_stopped_before_it_is_started_anew() -> None:
    stage = on_stage(an_instance(replications=(f"arn:aws:rds:{FAR.region}:1:auto-backup:a",)))
    outcome = stage.run(plan_of(STOPPING, starting(after=STOPPING)))
    assert states(outcome) == [StepState.DONE] * 2
    changes = [name for name, _ in stage.cloud.calls if name != "instance"]
    assert changes == ["stop_replication", "replicate_backups"]


def test_replication_to_places_the_plan_did_not_see_is_refused() -> None:
    stage = on_stage(an_instance(replications=("arn:aws:rds:eu-west-2:1:auto-backup:a",)))
    outcome = stage.run(plan_of(starting()))
    assert states(outcome) == [StepState.REFUSED]
    assert "replicated to eu-west-2, not none" in outcome.results[0].text


@pytest.mark.parametrize(
    ("call", "found", "one"),
    [
        ("modify_backups", an_instance(), setting(an_instance())),
        ("replicate_backups", an_instance(), starting()),
        (
            "stop_replication",
            an_instance(replications=(f"arn:aws:rds:{FAR.region}:1:auto-backup:a",)),
            STOPPING,
        ),
    ],
)
def test_a_lost_reply_is_resolved_by_looking(call: str, found: Instance, one: Step) -> None:
    stage = on_stage(found)
    stage.cloud.fail(call, LOST)
    outcome = stage.run(plan_of(one))
    assert states(outcome) == [StepState.DONE]
    assert len(stage.cloud.made(call)) == 1


def test_a_lost_reply_without_effect_is_tried_again() -> None:
    stage = on_stage(an_instance())
    stage.cloud.fail("modify_backups", Fault(Trouble.NO_REPLY))
    outcome = stage.run(plan_of(setting(an_instance())))
    assert states(outcome) == [StepState.DONE]
    assert len(stage.cloud.made("modify_backups")) == 2


def test_what_changed_while_a_call_waited_is_seen() -> None:
    stage = on_stage(an_instance())
    stage.cloud.fail("modify_backups", Fault(Trouble.THROTTLED))

    def meddle(operation: str) -> None:
        if operation == "modify_backups":
            stage.cloud.databases[INSTANCE_ARN] = an_instance(backup_retention_days=30)

    stage.cloud.before_call = meddle
    outcome = stage.run(plan_of(setting(an_instance())))
    assert states(outcome) == [StepState.REFUSED]
    assert stage.cloud.databases[INSTANCE_ARN].backup_retention_days == 30


def test_without_lock_and_journal_nothing_that_may_delete_is_done() -> None:
    stage = on_stage(an_instance())
    stage.lock = None
    outcome = stage.run(plan_of(setting(an_instance()), starting()))
    assert states(outcome) == [StepState.FAILED, StepState.DONE]


def test_a_refusal_of_aws_is_told() -> None:
    stage = on_stage(an_instance())
    code = "DBInstanceAutomatedBackupQuotaExceeded"
    stage.cloud.fail("replicate_backups", Fault(Trouble.OTHER, code, "20 already"))
    outcome = stage.run(plan_of(starting()))
    assert states(outcome) == [StepState.FAILED]
    assert "StartDBInstanceAutomatedBackupsReplication failed" in outcome.results[0].text


@pytest.mark.parametrize(
    "parameters",
    [
        {"DBInstanceIdentifier": "orders-1", "BackupRetentionPeriod": 9, "ApplyImmediately": True},
        {"DBInstanceIdentifier": "orders-1", "MultiAZ": False},
        {"DBInstanceIdentifier": "orders-1"},
        {"DBInstanceIdentifier": "orders-1", "BackupRetentionPeriod": True},
        {"BackupRetentionPeriod": 9},
    ],
    ids=str,
)
def test_a_plan_that_would_change_anything_else_is_not_done(parameters: dict[str, Any]) -> None:
    strange = step(Action.MODIFY_BACKUPS, HOME, parameters)
    assert states(on_stage(an_instance()).run(plan_of(strange))) == [StepState.FAILED]


@pytest.mark.parametrize(
    "changes",
    [
        {"arn": INSTANCE_ARN.replace(HOME.account, "999999999999")},
        {"location": At(FAR.account, FAR.region)},
        {"parameters": {"DBInstanceIdentifier": "other", "BackupRetentionPeriod": 7}},
        {"snapshot": "orders-1-gold"},
    ],
    ids=str,
)
def test_a_step_about_several_objects_is_not_done(changes: dict[str, Any]) -> None:
    with pytest.raises(EngineError, match="several objects"):
        insist_on_one_object(replace(setting(an_instance()), **changes))


def test_every_action_on_automated_backups_is_one_call() -> None:
    names = [
        operation(call)
        for one in (setting(an_instance()), starting(), STOPPING)
        for call in calls_of(one, {})
    ]
    assert names == [
        "ModifyDBInstance",
        "StartDBInstanceAutomatedBackupsReplication",
        "StopDBInstanceAutomatedBackupsReplication",
    ]


def test_the_cloud_in_memory_refuses_as_aws_does() -> None:
    stage = on_stage(an_instance())
    with pytest.raises(CloudError, match="InvalidDBInstanceState"):
        stage.cloud.stop_replication(FAR, INSTANCE_ARN)
