"""Promise 1 for automated backups: they become what the database's one policy says, or stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from engine.documents.model import (
    AutomatedTerms,
    Condition,
    Override,
    Policy,
    RegionalTarget,
    Replicating,
    Replication,
    Select,
    Target,
    Window,
)
from engine.inventory.records import Instance, Location
from engine.plans.codes import EFFECTS, Action
from engine.plans.plan import At, Reason, SourceRef, Step
from tests.verifying.scene import (
    AWAY,
    DATABASE,
    ESTATE,
    FAR,
    GOLD,
    HOME,
    ORDERS,
    OUTSIDE,
    Scene,
    terms_of,
)

WEEK = AutomatedTerms(retention_days=7, window=Window(60, 90))
TO_AWAY = AutomatedTerms(replicate_to=Replication("away", 3))
NOWHERE = AutomatedTerms(replicate_to=Replicating.NONE)
ELSEWHERE = AutomatedTerms(replicate_to=Replication("other", 3))
TARGETS = {
    **ESTATE.targets,
    "away": Target("away", "prod", AWAY.region, "alias/backups"),
    "other": Target("other", "prod", "eu-west-2", "alias/backups"),
    "by_region": RegionalTarget("by_region", {HOME.region: "away", AWAY.region: "other"}),
}


def call(action: Action, at: Location, parameters: Mapping[str, Any], *after: Step) -> Step:
    """A step about the automated backups of the database."""
    return Step(
        id=f"{action}:{at}/orders",
        action=action,
        actions=(EFFECTS[action],),
        policy="gold",
        arn=ORDERS,
        source=SourceRef(HOME.account, HOME.region, "orders", "db-ORDERS"),
        slot=None,
        location=At(at.account, at.region),
        snapshot="",
        parameters=parameters,
        reason=Reason("test", "for the test"),
        depends_on=tuple(other.id for other in after),
    )


def modify(at: Location = HOME, **parameters: Any) -> Step:
    given = {"DBInstanceIdentifier": "orders", **parameters}
    return call(Action.MODIFY_BACKUPS, at, given)


def replicate(at: Location = AWAY, *after: Step, **parameters: Any) -> Step:
    given = {"SourceDBInstanceArn": ORDERS, "BackupRetentionPeriod": 3, **parameters}
    return call(Action.REPLICATE_BACKUPS, at, given, *after)


def stop(at: Location = AWAY, **parameters: Any) -> Step:
    return call(Action.STOP_REPLICATION, at, {"SourceDBInstanceArn": ORDERS, **parameters})


def scene_of(says: AutomatedTerms, *others: Policy, **changes: Any) -> Scene:
    """The database under a policy that says this of its automated backups."""
    policy = terms_of(GOLD, automated=says)
    database = replace(DATABASE, backup_retention_days=3, **changes)
    return Scene(
        instances=[database],
        policies=[policy, *others],
        estate=replace(ESTATE, targets=TARGETS),
    )


def told(scene: Scene, *steps: Step) -> list[str]:
    """What is said against these steps, all of it by promise 1."""
    findings = scene.verify(scene.inventory(), *steps)
    assert {one.promise for one in findings} <= {1}
    return [one.text for one in findings]


# -- whose they are ------------------------------------------------------------------------------


def test_a_policy_may_have_what_it_says() -> None:
    both = modify(BackupRetentionPeriod=7, PreferredBackupWindow="01:00-01:30")
    assert told(scene_of(WEEK), both) == []
    assert told(scene_of(TO_AWAY), replicate(KmsKeyId="alias/backups")) == []
    assert told(scene_of(NOWHERE), stop()) == []


@pytest.mark.parametrize(
    "instance",
    [
        replace(DATABASE, resource_id="db-ITS-NAMESAKE"),
        replace(DATABASE, arn=f"{ORDERS}-2", identifier="orders-2"),
    ],
    ids=["another database of its name", "another name"],
)
def test_the_automated_backups_of_no_other_database_are_changed(instance: Instance) -> None:
    scene = scene_of(WEEK)
    scene.instances = [instance]
    said = [f"{ORDERS} is not in the inventory as db-ORDERS"]
    assert told(scene, modify(BackupRetentionPeriod=7)) == said


def test_a_database_that_could_not_be_read_keeps_its_automated_backups_as_they_are() -> None:
    scene = scene_of(WEEK)
    scene.unread = {HOME}
    said = [f"{ORDERS} is not in the inventory as db-ORDERS"]
    assert told(scene, modify(BackupRetentionPeriod=7)) == said


def test_a_database_is_found_wherever_it_is_listed() -> None:
    moved = replace(DATABASE, location=AWAY)
    scene = scene_of(WEEK)
    scene.instances = [replace(DATABASE, arn=f"{ORDERS}-2", resource_id="db-2"), moved]
    assert told(scene, modify(AWAY, BackupRetentionPeriod=7)) == []


def test_neither_two_policies_nor_none_decide_about_automated_backups() -> None:
    second = replace(terms_of(GOLD, automated=WEEK), name="golden")
    said = f"2 policies take {ORDERS}; one decides about automated backups"
    assert told(scene_of(WEEK, second), modify(BackupRetentionPeriod=7)) == [said]
    said = f"0 policies take {ORDERS}; one decides about automated backups"
    scene = scene_of(WEEK)
    scene.policies = []
    assert told(scene, modify(BackupRetentionPeriod=7)) == [said]


def test_what_aws_backup_decides_about_is_not_changed() -> None:
    scene = scene_of(
        replace(WEEK, replicate_to=Replication("away", 3)), aws_backup_arn="arn:aws:backup:point"
    )
    said = f"AWS Backup decides about the automated backups of {ORDERS}"
    assert told(scene, modify(BackupRetentionPeriod=7)) == [said]
    assert told(scene, replicate()) == [said]
    scene.policies = [terms_of(GOLD, automated=NOWHERE)]
    assert told(scene, stop()) == [said]


@pytest.mark.parametrize(("name", "days"), [("orders", 14), ("billing", 7)])
def test_an_override_has_the_last_word_about_the_databases_it_reaches(name: str, days: int) -> None:
    override = Override(
        Select(Condition(identifiers=(name,))), {("automated", "retention_days"): 14}
    )
    scene = scene_of(WEEK)
    scene.policies = [replace(scene.policies[0], overrides=(override,))]
    other = 21 - days
    said = f"it would set a retention of {other} days; the policy says {days}"
    assert told(scene, modify(BackupRetentionPeriod=days)) == []
    assert told(scene, modify(BackupRetentionPeriod=other)) == [said]


# -- retention and window ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "objection"),
    [
        (modify(ApplyImmediately=True), "it would call with ApplyImmediately"),
        (
            modify(DBInstanceIdentifier="billing"),
            f"it names {ORDERS}, but would change billing at {HOME}",
        ),
        (modify(AWAY), f"it names {ORDERS}, but would change orders at {AWAY}"),
        (
            modify(BackupRetentionPeriod=3),
            "it would set a retention of 3 days; the policy says 7",
        ),
        (
            modify(PreferredBackupWindow="01:00-01:31"),
            "it would set the window 01:00-01:31; the policy says 01:00-01:30",
        ),
    ],
    ids=["at once", "another name", "another place", "retention", "window"],
)
def test_settings_become_nothing_but_what_the_policy_says(step: Step, objection: str) -> None:
    assert told(scene_of(WEEK), step) == [objection]


def test_what_the_policy_leaves_open_stays_as_it_is() -> None:
    found = told(
        scene_of(NOWHERE), modify(BackupRetentionPeriod=0, PreferredBackupWindow="01:00-01:30")
    )
    assert found == [
        "it would set a retention of 0 days; the policy says None",
        "it would set the window 01:00-01:30; the policy says None",
    ]


@pytest.mark.parametrize("pending", [0, 7, 30])
def test_a_retention_that_is_pending_is_not_overwritten(pending: int) -> None:
    scene = scene_of(WEEK, pending_retention_days=pending)
    said = [f"a retention of {pending} days is pending already"]
    assert told(scene, modify(BackupRetentionPeriod=7)) == said
    assert told(scene, modify(PreferredBackupWindow="01:00-01:30")) == []


def test_backups_that_feed_replicas_are_not_turned_off() -> None:
    off = AutomatedTerms(retention_days=0)
    said = ["orders-a, orders-b replicate from what it would turn off"]
    feeding = scene_of(off, replicas=("orders-a", "orders-b"))
    assert told(feeding, modify(BackupRetentionPeriod=0)) == said
    assert told(scene_of(off), modify(BackupRetentionPeriod=0)) == []
    assert told(scene_of(WEEK, replicas=("orders-a",)), modify(BackupRetentionPeriod=7)) == []


# -- replication ---------------------------------------------------------------------------------


@pytest.mark.parametrize("says", [WEEK, NOWHERE], ids=["nothing", "none"])
def test_nothing_is_replicated_that_the_policy_does_not_replicate(says: AutomatedTerms) -> None:
    said = [f"the policy replicates nothing to {AWAY}"]
    assert told(scene_of(says), replicate()) == said


@pytest.mark.parametrize(
    ("step", "objection"),
    [
        (replicate(PreSignedUrl="x"), "it would call with PreSignedUrl"),
        (
            replicate(SourceDBInstanceArn=f"{ORDERS}-2"),
            f"it names {ORDERS}, but would call for {ORDERS}-2",
        ),
        (replicate(FAR), f"it would replicate to {FAR}; the policy says {AWAY}"),
        (replicate(HOME), f"it would replicate to {HOME}; the policy says {AWAY}"),
        (
            replicate(BackupRetentionPeriod=7),
            "it would keep 7 days there; the policy says 3",
        ),
    ],
    ids=["more", "another database", "another account", "another region", "retention"],
)
def test_replication_is_nothing_but_what_the_policy_says(step: Step, objection: str) -> None:
    assert told(scene_of(TO_AWAY), step) == [objection]


def test_not_even_a_policy_takes_replication_out_of_the_account() -> None:
    scene = scene_of(AutomatedTerms(replicate_to=Replication("remote", 3)))
    assert told(scene, replicate(FAR)) == [
        f"it would replicate to {FAR}; the policy says {FAR}",
    ]


def test_replication_goes_where_the_target_is_for_the_region_of_the_database() -> None:
    by_region = AutomatedTerms(replicate_to=Replication("by_region", 3))
    assert told(scene_of(by_region), replicate()) == []
    other = Location(HOME.account, "eu-west-2")
    said = [f"it would replicate to {other}; the policy says {AWAY}"]
    assert told(scene_of(by_region), replicate(other)) == said


# -- its end -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "objection"),
    [
        (stop(KmsKeyId="alias/backups"), "it would call with KmsKeyId"),
        (
            stop(SourceDBInstanceArn=f"{ORDERS}-2"),
            f"it names {ORDERS}, but would call for {ORDERS}-2",
        ),
        (stop(FAR), f"{FAR} is not in the account of {ORDERS}"),
        (stop(OUTSIDE), f"{OUTSIDE} is not in the account of {ORDERS}"),
    ],
    ids=["more", "another database", "another account", "outside the estate"],
)
def test_replication_ends_for_this_database_in_its_own_account(step: Step, objection: str) -> None:
    assert told(scene_of(NOWHERE), step) == [objection]
    assert told(scene_of(ELSEWHERE), step) == [objection]


def test_replication_of_which_the_policy_says_nothing_goes_on() -> None:
    assert told(scene_of(WEEK), stop()) == ["the policy says nothing of replication"]


def test_replication_that_the_policy_wants_ends_only_to_be_started_anew() -> None:
    ended = stop()
    said = [f"the policy replicates to {AWAY}, and nothing starts it anew"]
    assert told(scene_of(TO_AWAY), ended, replicate(AWAY, ended)) == []
    assert told(scene_of(TO_AWAY), ended) == said
    assert told(scene_of(TO_AWAY), ended, replicate()) == said
    withheld = replace(replicate(AWAY, ended), withheld_by="replication_quota")
    assert told(scene_of(TO_AWAY), ended, withheld) == said
    assert told(scene_of(ELSEWHERE), ended) == []


def test_what_is_started_for_another_database_or_elsewhere_starts_nothing_anew() -> None:
    ended = stop()
    said = f"the policy replicates to {AWAY}, and nothing starts it anew"
    elsewhere = replicate(FAR, ended)
    other = replace(replicate(AWAY, ended), arn=f"{ORDERS}-2")
    for step in (elsewhere, other):
        assert said in told(scene_of(TO_AWAY), ended, step)
    again = replace(ended, id="again", depends_on=(ended.id,))
    assert told(scene_of(TO_AWAY), ended, again) == [said, said]
