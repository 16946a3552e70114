"""What is certain to fail is known before anything was made for it, and costs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.applying.outcome import StepState
from engine.aws.roles import Purpose
from engine.errors import ExitCode
from engine.inventory.records import Key
from engine.plans.plan import Plan
from tests.applying.probed import (
    AWAYED,
    ORDERS,
    SHARING,
    VAULTED,
    ProbedStage,
    bridge_of,
    copy_to,
    own_key,
    told,
    under,
)
from tests.applying.stage import hold
from tests.applying.world import (
    AWAY,
    HOME,
    VAULT,
    copy_of,
    copy_step,
    create_step,
    database,
    delete_step,
    plan_of,
    primary,
    share_step,
    tag_step,
    unshare_step,
)


@pytest.fixture
def stage() -> Iterator[ProbedStage]:
    """One database under a key of its own, and no snapshots."""
    stage = ProbedStage()
    one = replace(database(), encrypted=True, kms_key=ORDERS)
    stage.cloud.databases[one.arn] = one
    yield stage
    stage.folder.cleanup()


def straight() -> Plan:
    """A primary, shared with the vault, copied to two of its regions, unshared."""
    point = primary()
    create = create_step(point)
    share = share_step(point, VAULT.account, create)
    _, near = copy_to(point, VAULT, VAULTED, share)
    _, far = copy_to(point, AWAY, AWAYED, share)
    return plan_of(create, share, near, far, unshare_step(point, VAULT.account, near, far))


def bridged() -> Plan:
    """The same by way of a bridge."""
    point = primary()
    create = create_step(point)
    bridge = bridge_of(point)
    rekey = under(copy_step(bridge, create), SHARING)
    share = share_step(bridge, VAULT.account, rekey)
    _, near = copy_to(bridge, VAULT, VAULTED, share)
    _, far = copy_to(bridge, AWAY, AWAYED, share)
    return plan_of(create, rekey, share, near, far, unshare_step(bridge, VAULT.account, near, far))


def test_a_plan_that_can_be_done_is_settled_in_nothing(stage: ProbedStage) -> None:
    assert stage.preflight(bridged()) == ()
    assert stage.problems.all() == ()


def test_a_target_whose_key_is_disabled_fails_alone(stage: ProbedStage) -> None:
    stage.probes.keys[VAULTED] = Key(VAULTED, state="Disabled")
    outcome = stage.fly(bridged())
    failed = outcome.in_state(StepState.FAILED)
    assert told(failed) == {"copy eu-west-1": "failed"}
    assert failed[0].code == "key_unusable"
    assert f"key {VAULTED} in 222222222222/eu-west-1" in failed[0].text
    assert "is Disabled" in failed[0].text
    assert failed[0].fix is not None
    # The bridge and the share are made all the same: the other region's copy needs them.
    assert len(stage.cloud.made("copy")) == 2
    assert stage.cloud.made("share")
    assert outcome.exit_code == ExitCode.PARTIAL


def test_nothing_is_made_for_routes_that_are_all_dead(stage: ProbedStage) -> None:
    for key in (VAULTED, AWAYED):
        stage.probes.keys[key] = None
    outcome = stage.fly(bridged())
    assert len(stage.cloud.made("create")) == 1
    assert stage.cloud.made("copy") == stage.cloud.made("share") == []
    assert "does not exist" in outcome.in_state(StepState.FAILED)[0].text
    skipped = {one.step.id.partition(":")[0]: one for one in outcome.in_state(StepState.SKIPPED)}
    assert set(skipped) == {"copy", "share", "unshare"}
    assert skipped["share"].because in {one.step.id for one in outcome.in_state(StepState.FAILED)}
    assert "serves only" in skipped["share"].text
    assert [one.step.action.value for one in outcome.in_state(StepState.DONE)] == [
        "create_snapshot"
    ]


def test_a_key_of_another_region_is_no_key_for_a_copy(stage: ProbedStage) -> None:
    point = primary()
    hold(stage, point)
    _, copy = copy_to(point, AWAY, VAULTED)
    (failed,) = stage.preflight(plan_of(copy))
    assert "is not of eu-central-1" in failed.text
    assert not [about for _, about in stage.probes.asked if VAULTED in about]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (Key(VAULTED, state="PendingDeletion"), "is PendingDeletion"),
        (Key(VAULTED, spec="RSA_2048"), "is a RSA_2048 key"),
        (Key(VAULTED, usage="SIGN_VERIFY"), "for SIGN_VERIFY"),
        (None, "does not exist"),
    ],
)
def test_a_key_that_cannot_encrypt_fails_what_is_copied_under_it(
    stage: ProbedStage, key: Key | None, words: str
) -> None:
    stage.probes.keys[VAULTED] = key
    point = primary()
    hold(stage, point)
    (failed,) = stage.preflight(plan_of(copy_to(point, VAULT, VAULTED)[1]))
    assert words in failed.text


def test_a_state_that_nobody_knows_is_left_to_aws(stage: ProbedStage) -> None:
    stage.probes.keys[VAULTED] = Key(VAULTED, state="Updating")
    assert stage.preflight(straight()) == ()


def test_a_bridge_whose_key_is_disabled_costs_its_route_and_not_the_primary(
    stage: ProbedStage,
) -> None:
    stage.probes.keys[SHARING] = Key(SHARING, state="Disabled")
    outcome = stage.fly(bridged())
    assert [one.step.id.partition("/")[0] for one in outcome.in_state(StepState.FAILED)] == [
        "copy:111111111111"
    ]
    assert len(outcome.in_state(StepState.SKIPPED)) == 4
    assert len(stage.cloud.made("create")) == 1
    assert stage.cloud.made("copy") == []


def test_what_is_under_a_key_of_awss_own_is_not_shared(stage: ProbedStage) -> None:
    stage.probes.keys[ORDERS] = own_key(ORDERS)
    outcome = stage.fly(straight())
    (failed,) = outcome.in_state(StepState.FAILED)
    assert failed.step.id.startswith("share:")
    assert "AWS's own" in failed.text
    assert "rekey" in (failed.fix or "")
    assert stage.cloud.made("share") == stage.cloud.made("copy") == []
    assert len(stage.cloud.made("create")) == 1


def test_a_bridge_is_not_made_under_a_key_that_cannot_be_shared(stage: ProbedStage) -> None:
    stage.probes.keys[SHARING] = own_key(SHARING)
    outcome = stage.fly(bridged())
    assert stage.cloud.made("copy") == []
    assert len(outcome.in_state(StepState.DONE)) == 1


def test_a_copy_within_an_account_may_read_what_is_under_awss_own_key(stage: ProbedStage) -> None:
    stage.probes.keys[ORDERS] = own_key(ORDERS)
    point = primary()
    create = create_step(point)
    elsewhere = "arn:aws:kms:eu-central-1:111111111111:key/h"
    _, copy = copy_to(point, replace(HOME, region="eu-central-1"), elsewhere, create)
    assert stage.preflight(plan_of(create, copy)) == ()


def test_an_origin_whose_key_is_disabled_is_copied_nowhere(stage: ProbedStage) -> None:
    stage.probes.keys[ORDERS] = Key(ORDERS, state="Disabled")
    point = primary()
    stage.cloud.objects[point.arn] = replace(point.record(zone_checked=True), kms_key=ORDERS)
    share = share_step(point, VAULT.account)
    _, near = copy_to(point, VAULT, VAULTED, share)
    results = stage.preflight(plan_of(share, near))
    assert told(results) == {"copy eu-west-1": "failed", "share eu-west-1": "skipped"}
    assert f"of {point.identifier}" in results[0].text


def test_a_role_that_nobody_may_take_fails_the_steps_of_its_account(stage: ProbedStage) -> None:
    stage.probes.denied.add((VAULT.account, Purpose.CHANGE))
    outcome = stage.fly(bridged())
    failed = outcome.in_state(StepState.FAILED)
    assert {one.step.location.account for one in failed} == {VAULT.account}
    assert {one.code for one in failed} == {"role_unusable"}
    assert "role arn:aws:iam::222222222222:role/change" in failed[0].text
    assert "iam-policy" in (failed[0].fix or "")
    assert stage.cloud.made("copy") == stage.cloud.made("share") == []
    assert len(stage.cloud.made("create")) == 1


def test_credentials_of_another_account_change_nothing(stage: ProbedStage) -> None:
    stage.probes.strangers[HOME.account] = "999999999999"
    point = primary(1)
    hold(stage, point)
    outcome = stage.fly(plan_of(create_step(primary()), tag_step(point, {"a": "b"})))
    assert len(outcome.in_state(StepState.FAILED)) == 2
    assert "is of account 999999999999" in outcome.results[0].text
    assert stage.cloud.made("create") == stage.cloud.made("tag") == []


def test_a_reading_role_is_needed_wherever_something_is_checked(stage: ProbedStage) -> None:
    stage.probes.denied.add((HOME.account, Purpose.READ))
    point = primary()
    results = stage.preflight(plan_of(copy_to(point, VAULT, VAULTED)[1]))
    assert "which reads account 111111111111" in results[0].text


def test_what_cannot_be_asked_is_tried_and_told(stage: ProbedStage) -> None:
    stage.probes.unreachable.add(VAULT.account)
    outcome = stage.fly(straight())
    assert len(outcome.in_state(StepState.DONE)) == 5
    assert {one.code for one in outcome.problems} == {"preflight_incomplete"}
    assert outcome.exit_code == ExitCode.PARTIAL


def test_a_key_that_does_not_show_itself_is_tried_and_told(stage: ProbedStage) -> None:
    stage.probes.shut.add((VAULT.account, ORDERS))
    outcome = stage.fly(straight())
    assert len(outcome.in_state(StepState.DONE)) == 5
    (problem,) = outcome.problems
    assert f"whether 222222222222 may use key {ORDERS}" in problem.text


def test_a_bug_in_asking_costs_no_backup(stage: ProbedStage) -> None:
    stage.probes.keys = None  # type: ignore[assignment] # a bug
    outcome = stage.fly(straight())
    assert len(outcome.in_state(StepState.DONE)) == 5
    assert {one.code for one in outcome.problems} == {"bug"}
    assert outcome.exit_code == ExitCode.ERROR


def test_every_question_is_asked_once(stage: ProbedStage) -> None:
    one, other = primary(), primary(instance="orders-2", resource="db-2")
    more = replace(database("orders-2", "db-2"), encrypted=True, kms_key=ORDERS)
    stage.cloud.databases[more.arn] = more
    steps = []
    for point in (one, other):
        create = create_step(point)
        share = share_step(point, VAULT.account, create)
        steps += [create, share, copy_to(point, VAULT, VAULTED, share)[1]]
    assert stage.preflight(plan_of(*steps)) == ()
    assert len(stage.probes.asked) == len(set(stage.probes.asked))
    assert sorted(about for kind, about in stage.probes.asked if kind == "key") == [
        f"{HOME} {ORDERS}",
        f"{VAULT} {ORDERS}",
        f"{VAULT} {VAULTED}",
    ]


def test_nothing_is_asked_for_a_plan_without_steps_or_for_what_is_withheld(
    stage: ProbedStage,
) -> None:
    assert stage.preflight(plan_of()) == ()
    held_back = replace(create_step(primary()), withheld_by="quota")
    assert stage.preflight(plan_of(held_back)) == ()
    assert stage.probes.asked == []


def test_a_share_that_only_a_withheld_copy_needs_beside_a_dead_one_is_skipped(
    stage: ProbedStage,
) -> None:
    stage.probes.keys[VAULTED] = None
    plan = straight()
    steps = tuple(
        replace(step, withheld_by="quota") if step.location.region == AWAY.region else step
        for step in plan.steps
    )
    results = stage.preflight(replace(plan, steps=steps))
    assert told(results) == {"copy eu-west-1": "failed", "share eu-west-1": "skipped"}


def test_a_delete_that_waits_for_a_dead_copy_is_not_done(stage: ProbedStage) -> None:
    stage.probes.keys[VAULTED] = None
    origin, old = primary(), copy_of(primary(1))
    hold(stage, origin, old)
    _, copy = copy_to(origin, VAULT, VAULTED)
    outcome = stage.fly(plan_of(copy, delete_step(old, copy)))
    assert [one.state.value for one in outcome.results] == ["failed", "skipped"]
    assert old.arn in stage.cloud.objects
